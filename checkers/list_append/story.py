"""Anomalies in plain words: the transactions by name, a sentence for each edge, and the contradiction at the end.

Why it exists  a verdict that nobody can follow convinces nobody.
Relies on      edges that carry the append that proves them; long lists are quoted by their ends, the ops are named in full.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from checkers.list_append.dependencies import Edges, Why
from checkers.list_append.phenomena import Finding
from checkers.list_append.versions import Versions
from checkers.transactions.cycles import Cycle
from checkers.transactions.edges import KINDS, PROCESS, RW, WR, WW
from checkers.transactions.quote import anomaly, ordered, quoted
from checkers.transactions.txns import APPEND, Mop, plain, show
from harness.verdict import Anomaly

QUOTED = 8  # elements of a list that a sentence shows in full


def listed(elements: Sequence[Hashable]) -> str:
    """A list as people read it; a long one by its ends."""
    if len(elements) > QUOTED:
        return f"[{' '.join(map(show, elements[:2]))} … {' '.join(map(show, elements[-4:]))}]"
    return f"[{' '.join(map(show, elements))}]"


def said(mop: Mop) -> str:
    """A micro-op as people read it."""
    return f"append {show(mop.key)} {show(mop.value)}" if mop.kind == APPEND else f"r {show(mop.key)} {_read(mop.value)}"


def _read(elements: Sequence[Hashable] | None) -> str:
    return "?" if elements is None else listed(elements)


def tell_cycle(cycle: Cycle, versions: Versions, edges: Edges) -> Anomaly:
    """A cycle as an anomaly."""
    numbers = [source for source, _, _ in cycle.steps]
    names = {number: f"T{i + 1}" for i, number in enumerate(numbers)}
    txns = {number: versions.numbered[number] for number in numbers}
    told: list[dict[str, Any]] = []
    for source, kind, target in cycle.steps:
        why = edges.get((source, target)) if kind < PROCESS else None
        assert kind >= PROCESS or (why is not None and why.kind == kind)
        sentence = (
            _proved(why, names[source], names[target]) if why else ordered(kind, txns[source], txns[target], names[source], names[target])
        )
        edge: dict[str, Any] = {
            "from": names[source],
            "to": names[target],
            "kind": KINDS[kind],
            "key": None,
            "value": None,
            "why": sentence,
        }
        if why is not None:
            longest = versions.keys[why.key].longest
            edge |= {
                "key": plain(why.key),
                "value": plain(why.element),
                "unread": why.unread,
                "order": longest.txn.done if longest else None,
            }
        told.append(edge)
    cast = ". ".join(quoted(names[number], txns[number], said) for number in numbers)
    message = f"{cast}. {'; '.join(edge['why'] for edge in told)}: so {names[numbers[0]]} comes before itself, a contradiction."
    return anomaly(cycle.type, message, {names[number]: txns[number] for number in numbers}, _value, {"edges": told})


def _proved(why: Why, first: str, second: str) -> str:
    key, element = show(why.key), show(why.element)
    if why.kind == WR:
        return f"{second} observed {first}'s append of {element} to {key}"
    if why.kind == WW and why.unread:
        last = f"{first} appended {show(why.before)}, the last element that anyone read of {key}"
        return f"{last}, and {second}'s append of {element} was never read, so it came later"
    if why.kind == WW:
        return f"{second} appended {element} to {key} after {first} appended {show(why.before)}"
    assert why.kind == RW
    if why.unread:
        state = f"{key} empty" if why.before is None else f"{key} ending with {show(why.before)}"
        return f"{first} observed {state}, and {second}'s append of {element} was never read, so it came later"
    if why.before is None:
        return f"{first} observed {key} empty, which {second} ended by appending {element}"
    return f"{first} did not observe {second}'s append of {element} to {key}"


def tell_finding(finding: Finding) -> Anomaly:
    """A phenomenon without a cycle as an anomaly."""
    txns = list(dict.fromkeys(finding.txns))
    names = {txn.number: f"T{i + 1}" for i, txn in enumerate(txns)}
    told = _SAID[finding.type](finding, [names[txn.number] for txn in finding.txns])
    message = f"{'. '.join(quoted(names[txn.number], txn, said) for txn in txns[:QUOTED])}. {told}."
    witness = {
        "edges": [],
        "key": plain(finding.key),
        "element": None if finding.element is None else plain(finding.element),
        "lists": [[plain(element) for element in elements] for elements in finding.lists],
    }
    return anomaly(finding.type, message, {names[txn.number]: txn for txn in txns}, _value, witness, plain(finding.key))


def _value(mop: Mop) -> Any:
    return plain(mop.value) if mop.kind == APPEND else _plain_list(mop.value)


def _plain_list(elements: Sequence[Hashable] | None) -> list[Any] | None:
    return None if elements is None else [plain(element) for element in elements]


def _internal(f: Finding, n: list[str]) -> str:
    expected, found = f.lists
    must = f"by its own earlier micro-ops {n[0]} must find {show(f.key)} ending with {listed(expected)}"
    return f"{must}, yet it read {listed(found)}: a contradiction"


def _future_read(f: Finding, n: list[str]) -> str:
    return f"{n[0]} read {show(f.element)} in {show(f.key)} before it appended it: a contradiction"


def _garbage_read(f: Finding, n: list[str]) -> str:
    return f"{n[0]} read {show(f.element)} in {show(f.key)}, though nobody ever tried to append it: a contradiction"


def _aborted_read(f: Finding, n: list[str]) -> str:
    return f"{n[0]} failed and so never appended {show(f.element)} to {show(f.key)}, yet {n[1]} read it: a contradiction"


def _intermediate_read(f: Finding, n: list[str]) -> str:
    key = show(f.key)
    seen = f"{n[1]} read {key} up to {show(f.element)}, after which {n[0]} still appended to {key}"
    return f"{seen}: {n[1]} saw {n[0]} half done, a contradiction"


def _dirty_update(f: Finding, n: list[str]) -> str:
    (dirty,), longest = f.lists
    return (
        f"{n[0]} failed, yet {n[2]} read {show(f.key)} as {listed(longest)}, where its {show(dirty)} stands before {show(f.element)} "
        f"of {n[1]}: {n[1]} built on a write that never happened, a contradiction"
    )


def _duplicate(f: Finding, n: list[str]) -> str:
    return f"{n[0]} read {show(f.key)} with {show(f.element)} twice, though it was appended once at most: a contradiction"


def _incompatible(f: Finding, n: list[str]) -> str:
    less, more = map(listed, f.lists)
    reads = f"{n[0]} read {show(f.key)} as {less}, {n[-1]} as {more}"
    return f"{reads}: a list grows only at its end, so the first must begin the second, a contradiction"


def _lost_update(f: Finding, n: list[str]) -> str:
    return (
        f"{', '.join(n)} all read {show(f.key)} as {listed(f.lists[0])} and appended to it: "
        f"only one of them can have come directly after what they read, a contradiction"
    )


def _fractured(f: Finding, n: list[str]) -> str:
    (key, element), elements = f.lists
    seen = f"{n[1]} saw {n[0]}, whose {show(element)} it read in {show(key)}"
    half = f"{show(f.key)} as {listed(elements)}, without {n[0]}'s {show(f.element)}"
    return f"{seen}, yet read {half}: it saw {n[0]} half done, a contradiction"


_SAID: dict[str, Callable[[Finding, list[str]], str]] = {
    "internal": _internal,
    "future-read": _future_read,
    "garbage-read": _garbage_read,
    "G1a": _aborted_read,
    "G1b": _intermediate_read,
    "dirty-update": _dirty_update,
    "duplicate-elements": _duplicate,
    "incompatible-order": _incompatible,
    "lost-update": _lost_update,
    "fractured-read": _fractured,
}
