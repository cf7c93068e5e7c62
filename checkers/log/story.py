"""Findings on logs in plain words, each with a witness that witness.py proves again.

Why it exists  a sentence with op numbers, values and processes is what a person checks by hand.
Relies on      the order of a finding's ops and values, as rules.py gives them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from checkers.log.cycles import Edges
from checkers.log.logs import Logs, step
from checkers.log.ops import LogOp
from checkers.log.rules import (
    DUPLICATE,
    G1A,
    GARBAGE,
    INCONSISTENT,
    INT_POLL_BACK,
    INT_POLL_SKIP,
    INT_SEND_BACK,
    INT_SEND_SKIP,
    LOST,
    POLL_BACK,
    POLL_SKIP,
    PRECOMMITTED,
    SEND_BACK,
    UNSEEN,
    Finding,
)  # fmt: skip
from checkers.transactions.cycles import Cycle
from checkers.transactions.edges import KINDS, PROCESS, REALTIME, WR, WW
from checkers.transactions.txns import plain, show
from harness.verdict import Anomaly


def tell(one: Finding, logs: Logs) -> Anomaly:
    """The anomaly of a finding."""
    message = f"{show(one.key)}: {_SAID[one.type](one, logs)}"
    witness: dict[str, Any] = {"key": plain(one.key), "values": [plain(value) for value in one.values]}
    witness |= {"offsets": list(one.offsets), "ops": [op.call for op in one.ops]}
    return Anomaly(one.type, message, sorted({index for op in one.ops for index in op.ops}), key=plain(one.key), witness=witness)


def _inconsistent(one: Finding, logs: Logs) -> str:
    said = " and ".join(f"{show(value)} ({_who(op)})" for value, op in zip(one.values, one.ops, strict=True))
    return f"at offset {one.offsets[0]} stand {said}"


def _duplicate(one: Finding, logs: Logs) -> str:
    said = " and ".join(f"at offset {offset} ({_who(op)})" for offset, op in zip(one.offsets, one.ops, strict=True))
    return f"{show(one.values[0])}, which was sent once at most, stands {said}"


def _aborted(one: Finding, logs: Logs) -> str:
    return f"{_who(one.ops[1])} polled {show(one.values[0])}, but its send #{one.ops[0].call} failed"


def _garbage(one: Finding, logs: Logs) -> str:
    return f"{_who(one.ops[0])} polled {show(one.values[0])}, though nobody ever tried to send it"


def _precommitted(one: Finding, logs: Logs) -> str:
    return f"{_who(one.ops[0])} polled {show(one.values[0])}, which it sent itself: nobody may see that before it has committed"


def _lost(one: Finding, logs: Logs) -> str:
    writer, reader = one.ops
    value, later = map(show, one.values)
    proof = f"acknowledged at #{writer.ret}" if writer.ok else "committed, since another of its values was polled"
    where = "at the same place" if one.values[0] != one.values[1] and _step(one, logs) == 0 else "behind it"
    return f"{value} was sent (#{writer.call}, {proof}) and no ok op polled it, though #{reader.call} polled {later}, which stands {where}"


def _step(one: Finding, logs: Logs) -> int:
    before, after = (logs.places.get((one.key, value), []) for value in one.values)
    if len(before) != 1 or len(after) != 1:
        return 1
    return step(logs.rank[one.key][before[0]], logs.rank[one.key][after[0]])


def _far(one: Finding, logs: Logs) -> str:
    skips = one.type in (INT_POLL_SKIP, INT_SEND_SKIP, POLL_SKIP)
    if skips:
        far = _step(one, logs)
        between = "1 other value stands" if far == 2 else f"{far - 1} other values stand" if far > 1 else "others stand"
        return f"though {between} between them"
    return "which does not stand behind it in the log"


def _within(verb: str) -> Callable[[Finding, Logs], str]:
    def say(one: Finding, logs: Logs) -> str:
        before, after = map(show, one.values)
        return f"{_who(one.ops[0])} {verb} {before} and next {after}, {_far(one, logs)}"

    return say


def _between(verb: str) -> Callable[[Finding, Logs], str]:
    def say(one: Finding, logs: Logs) -> str:
        before, after = map(show, one.values)
        last, op = one.ops
        return f"process {op.process} {verb} {before} last in #{last.call} and {after} first in #{op.call}, {_far(one, logs)}"

    return say


def _unseen(one: Finding, logs: Logs) -> str:
    writer = one.ops[0]
    sent = f"{show(one.values[0])} was sent (#{writer.call}, acknowledged at #{writer.ret}) and no ok op ever polled it"
    if one.ops[-1] is writer:
        return f"{sent}, though in the end everything was polled"
    return f"{sent}, though {_who(one.ops[-1])}, whose consumer was before it, began later and gave nothing"


def _who(op: LogOp) -> str:
    unsure = "" if op.ok else f", {op.outcome}"
    return f"{op.f} #{op.call} of process {op.process}{unsure}"


def tell_cycle(cycle: Cycle, logs: Logs, edges: Edges) -> Anomaly:
    """The anomaly of a cycle: the ops by name, a sentence an edge."""
    names = {number: f"T{i + 1}" for i, (number, _, _) in enumerate(cycle.steps)}
    cast = "; ".join(f"{name} = {_who(logs.ops[number])}" for number, name in names.items())
    said, quoted = [], []
    for source, kind, target in cycle.steps:
        first, second, one, other = logs.ops[source], logs.ops[target], names[source], names[target]
        edge: dict[str, Any] = {"from": first.call, "to": second.call, "kind": KINDS[kind]}
        if kind in (WR, WW):
            why = edges[source, target]
            edge |= {"key": plain(why.key), "value": plain(why.value), "before": plain(why.before)}
        if kind == WR:
            said.append(f"{other} polled {show(why.value)} of {show(why.key)}, which {one} sent")
        elif kind == WW:
            said.append(f"{other}'s {show(why.value)} stands behind {one}'s {show(why.before)} in {show(why.key)}")
        elif kind == PROCESS:
            said.append(f"process {first.process} did {one} before {other}")
        else:
            assert kind == REALTIME, "there is no other kind here"
            said.append(f"{one} had ended (#{first.ret}) before {other} began (#{second.call})")
        quoted.append(edge)
    ops = sorted({index for number in names for index in logs.ops[number].ops})
    return Anomaly(cycle.type, f"{cast}. {'; '.join(said)}: a contradiction", ops, witness={"edges": quoted})


_SAID: dict[str, Callable[[Finding, Logs], str]] = {
    INCONSISTENT: _inconsistent,
    DUPLICATE: _duplicate,
    G1A: _aborted,
    GARBAGE: _garbage,
    PRECOMMITTED: _precommitted,
    LOST: _lost,
    UNSEEN: _unseen,
    INT_POLL_SKIP: _within("polled"),
    INT_POLL_BACK: _within("polled"),
    INT_SEND_SKIP: _within("sent"),
    INT_SEND_BACK: _within("sent"),
    POLL_SKIP: _between("polled"),
    POLL_BACK: _between("polled"),
    SEND_BACK: _between("sent"),
}
