"""Anomalies in plain words: the transactions by name, a sentence for each edge, and the contradiction at the end.

Why it exists  a verdict that nobody can follow convinces nobody.
Relies on      edges that carry the claim about versions that proves them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from checkers.rw_register.dependencies import Edges, Why
from checkers.rw_register.fractured import Demand, Fracture
from checkers.rw_register.orders import (
    INITIAL,
    LINEARIZABLE,
    OWN,
    PROCESS_ORDER,
    REAL_TIME,
    SEQUENTIAL,
    Before,
    CyclicVersions,
)
from checkers.rw_register.phenomena import Finding
from checkers.transactions.cycles import Cycle
from checkers.transactions.edges import KINDS, PROCESS, RW, WR
from checkers.transactions.quote import anomaly, ordered, quoted
from checkers.transactions.txns import UNSEEN, Mop, Txn, plain, show
from harness.verdict import Anomaly

QUOTED = 8  # transactions that a message quotes


def said(mop: Mop) -> str:
    """A micro-op as people read it."""
    return f"{mop.kind} {show(mop.key)} {_shown(mop.value)}"


def _shown(value: Hashable) -> str:
    return "?" if value is UNSEEN else "null" if value is None else show(value)


def _plain(value: Hashable) -> Any:
    return None if value is None or value is UNSEEN else plain(value)


def _value(mop: Mop) -> Any:
    return _plain(mop.value)


def _cast(txns: Sequence[Txn]) -> dict[int, str]:
    return {number: f"T{i + 1}" for i, number in enumerate(dict.fromkeys(txn.number for txn in txns))}


def tell_cycle(cycle: Cycle, txns: Sequence[Txn], edges: Edges) -> Anomaly:
    """A cycle as an anomaly; `edges` are those that its type may use."""
    steps: list[tuple[Txn, int, Why | Demand | None, Txn]] = []
    for source, kind, target in cycle.steps:
        why = edges.get((source, target)) if kind < PROCESS else None
        assert kind >= PROCESS or (why is not None and why.kind == kind)
        steps.append((txns[source], kind, why, txns[target]))
    return _tell_steps(cycle.type, steps)


def tell_fracture(fracture: Fracture) -> Anomaly:
    """A fractured read as an anomaly."""
    return _tell_steps("fractured-read", [(first, why.kind, why, second) for first, why, second in fracture.steps])


def _tell_steps(type_: str, steps: Sequence[tuple[Txn, int, Why | Demand | None, Txn]]) -> Anomaly:
    cast = [first for first, _, _, _ in steps]
    cast += [why.reader for _, _, why, _ in steps if isinstance(why, Demand)]
    names = _cast(cast)
    told = [_edge(first, kind, why, second, names) for first, kind, why, second in steps]
    by_name = {names[txn.number]: txn for txn in cast}
    mentioned = ". ".join(quoted(name, txn, said) for name, txn in by_name.items())
    message = f"{mentioned}. {'; '.join(edge['why'] for edge in told)}: so T1 comes before itself, a contradiction."
    return anomaly(type_, message, by_name, _value, {"edges": told})


def _edge(first: Txn, kind: int, why: Why | Demand | None, second: Txn, names: dict[int, str]) -> dict[str, Any]:
    name, other = names[first.number], names[second.number]
    edge: dict[str, Any] = {"from": name, "to": other, "kind": KINDS[kind], "key": None, "value": None}
    if why is None:
        return edge | {"why": ordered(kind, first, second, name, other)}
    edge |= {"key": plain(why.key), "value": _plain(why.value)}
    if isinstance(why, Demand):
        reader = names[why.reader.number]
        seen = f"{reader} saw {name}, whose {_shown(why.shown)} it read in {show(why.seen)}"
        held = f"and yet read {show(why.key)} as {_shown(why.value)} of {other}, though {name} wrote there too"
        through = {"kind": "demand", "through": reader, "seen": plain(why.seen), "shown": _plain(why.shown)}
        return edge | through | {"why": f"{seen}, {held}: so {name} came before {other}"}
    if why.kind == WR:
        return edge | {"why": f"{other} read {_shown(why.value)} in {show(why.key)}, which {name} wrote"}
    shown = None if why.claim is None else [why.claim.first.call, why.claim.second.call]
    edge |= {"before": _plain(why.before), "by": why.source, "shown": shown}
    return edge | {"why": _replaced(why, name, other)}


def _replaced(why: Why, name: str, other: str) -> str:
    key, before, value = show(why.key), _shown(why.before), _shown(why.value)
    if why.source == INITIAL:
        return f"{name} read {key} as null, its state at the start, which {other} ended by writing {value}"
    assert why.claim is not None
    reason = _reason(why.claim)
    if why.kind == RW:
        return f"{name} read {key} as {before}, which {other} replaced by {value} ({reason})"
    return f"{name} set {key} to {before}, {other} later to {value} ({reason})"


def _reason(claim: Before) -> str:
    """By a transaction's own order, where both versions are of one."""
    return _SOURCES[OWN if claim.first is claim.second else claim.source](claim)


def _ops(txn: Txn) -> str:
    return "–".join(f"#{index}" for index in txn.ops)


_SOURCES: dict[str, Callable[[Before], str]] = {
    OWN: lambda c: f"its writer, {_ops(c.first)}, had read {_shown(c.before)} there",
    PROCESS_ORDER: lambda c: f"process {c.first.process} wrote the one, {_ops(c.first)}, and then the other, {_ops(c.second)}",
    REAL_TIME: lambda c: f"the write of {_shown(c.before)} had completed, #{c.first.ret}, before this one was invoked, #{c.second.call}",
    SEQUENTIAL: lambda c: f"process {c.first.process} had to do with the one, {_ops(c.first)}, before the other, {_ops(c.second)}",
    LINEARIZABLE: lambda c: (
        f"a transaction that had to do with the one had completed, #{c.first.ret}, before one that had to do with the other "
        f"was invoked, #{c.second.call}"
    ),
}


def tell_cyclic(found: CyclicVersions) -> Anomaly:
    """Claims about versions that contradict each other."""
    cast = [txn for claim in found.claims for txn in (claim.first, claim.second)]
    names = _cast(cast)
    by_name = {names[txn.number]: txn for txn in cast}
    key = show(found.key)
    claims = [
        {
            "before": _plain(claim.before),
            "after": _plain(claim.after),
            "by": claim.source,
            "shown": [claim.first.call, claim.second.call],
            "why": f"{key} was {_shown(claim.before)} before it was {_shown(claim.after)}: {_reason(claim)}",
        }
        for claim in found.claims
    ]
    mentioned = ". ".join(quoted(name, txn, said) for name, txn in list(by_name.items())[:QUOTED])
    nothing = " Nothing comes before null, the state at the start:" if found.claims[-1].after is None else ""
    message = f"{mentioned}.{nothing} {'; '.join(str(claim['why']) for claim in claims)}: a contradiction."
    witness = {"edges": [], "key": plain(found.key), "claims": claims}
    return anomaly("cyclic-versions", message, by_name, _value, witness, plain(found.key))


def tell_finding(finding: Finding) -> Anomaly:
    """A phenomenon without a cycle as an anomaly."""
    names = _cast(finding.txns)
    by_name = {names[txn.number]: txn for txn in finding.txns}
    told = _SAID[finding.type](finding, list(by_name))
    message = f"{'. '.join(quoted(name, txn, said) for name, txn in list(by_name.items())[:QUOTED])}. {told}, a contradiction."
    witness = {"edges": [], "key": plain(finding.key), "value": _plain(finding.value), "expected": _plain(finding.expected)}
    return anomaly(finding.type, message, by_name, _value, witness, plain(finding.key))


_SAID: dict[str, Callable[[Finding, list[str]], str]] = {
    "internal": lambda f, n: (
        f"By its own earlier micro-ops {n[0]} must find {_shown(f.expected)} in {show(f.key)}, yet it read {_shown(f.value)}"
    ),
    "future-read": lambda f, n: f"{n[0]} read {_shown(f.value)} in {show(f.key)} before it wrote it",
    "garbage-read": lambda f, n: f"{n[0]} read {_shown(f.value)} in {show(f.key)}, though nobody ever tried to write it",
    "G1a": lambda f, n: f"{n[0]} failed and so never wrote {_shown(f.value)} to {show(f.key)}, yet {n[1]} read it",
    "G1b": lambda f, n: (
        f"{n[1]} read {_shown(f.value)} in {show(f.key)}, after which {n[0]} still wrote there: {n[1]} saw {n[0]} half done"
    ),
    "dirty-update": lambda f, n: (
        f"{n[0]} failed, yet {n[1]} read its {_shown(f.value)} in {show(f.key)} and wrote there: it built on a write that never happened"
    ),
    "lost-update": lambda f, n: (
        f"{', '.join(n)} all read {show(f.key)} as {_shown(f.value)} and wrote it: "
        f"only one of them can have come directly after what they read"
    ),
}
