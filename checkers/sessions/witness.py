"""Proving a witness again: each quoted edge from the ops that it names, and the circle that they make.

Why it exists  whatever found a violation, this small function must agree that the quoted ops show it.
Relies on      nothing of versions.py or cycles.py: it looks at the quoted ops by the definitions alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checkers.linearizable.operations import CAS, READ, WRITE, Operation, by_key, freeze, thaw
from harness.history.history import History
from harness.verdict import Anomaly

DEMANDS = {
    "monotonic-reads": {"reads"},
    "monotonic-writes": {"reads", "session"},
    "read-your-writes": {"own-write"},
    "writes-follow-reads": {"reads", "follows"},
}
CERTAIN = {"first", "session", "real-time", "revision"}


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted edges hold, demand what the guarantee demands, and make a circle."""
    witness = anomaly.witness
    process = {call.invoke.index: call.invoke.process for call in history.calls()}
    revision = {
        call.invoke.index: call.completion.ext["revision"]
        for call in history.calls()
        if call.completion is not None and isinstance(call.completion.ext, dict) and "revision" in call.completion.ext
    }
    keys = by_key(history, witness["keyed"], "nothing", witness["register"])
    ops = {op.index: op for op in keys.get(freeze(anomaly.key), [])}
    circle = witness["circle"]
    if not circle or not any(edge["rule"] in DEMANDS[anomaly.type] for edge in circle):
        return False
    if any(edge["rule"] not in DEMANDS[anomaly.type] | CERTAIN for edge in circle):
        return False
    if any(freeze(one["newer"]) != freeze(two["older"]) for one, two in zip(circle, circle[1:] + circle[:1], strict=True)):
        return False
    who = {process.get(edge["ops"][-1]) for edge in circle if edge["rule"] in ("reads", "own-write")}
    if len(who) > 1 and not witness["one_order"]:
        return False
    looking = _Looking(ops, process, revision, freeze(witness["initial"]))
    return all(looking.holds(edge) for edge in circle)


class _Looking:
    """The ops of one key."""

    def __init__(self, ops: Mapping[int, Operation], process: Mapping[int, Any], revision: Mapping[int, int], initial: Any) -> None:
        self.ops, self.process, self.revision, self.initial = ops, process, revision, initial

    def holds(self, edge: Mapping[str, Any]) -> bool:
        """Whether the ops of an edge show that its first version is no newer than its second."""
        if not all(index in self.ops for index in edge["ops"]):
            return False
        first, last = self.ops[edge["ops"][0]], self.ops[edge["ops"][-1]]
        older, newer, rule = edge["older"], edge["newer"], edge["rule"]
        if rule == "first":
            return older == {"value": thaw(self.initial)} and (self._wrote(last, newer) or self._revised(last, newer))
        if rule == "revision":
            return bool(older["revision"] < newer["revision"])
        if rule == "follows" and first is last:
            return first.f == CAS and not first.crashed and self._read(first, older) and self._wrote(last, newer)
        if rule != "real-time" and self.process[first.index] != self.process[last.index]:
            return False
        if first.crashed or first.ret >= last.call:
            return False
        before = self._wrote(first, older) if rule in ("session", "own-write", "real-time") else self._read(first, older)
        after = self._read(last, newer) if rule in ("reads", "own-write") else self._wrote(last, newer)
        return before and after

    def _writers(self, value: Any) -> list[Operation]:
        return [op for op in self.ops.values() if op.f in (WRITE, CAS) and op.written == value]

    def _revised(self, op: Operation, version: Mapping[str, Any]) -> bool:
        return "revision" in version and self.revision.get(op.index) == version["revision"]

    def _wrote(self, op: Operation, version: Mapping[str, Any]) -> bool:
        """The op made the version: it certainly took place."""
        if op.f not in (WRITE, CAS):
            return False
        if "revision" in version:
            return self._revised(op, version)
        value = freeze(version["value"])
        seen = any(other.f in (READ, CAS) and other.a == value and not other.crashed for other in self.ops.values())
        return op.written == value and (not op.crashed or (seen and len(self._writers(value)) == 1))

    def _read(self, op: Operation, version: Mapping[str, Any]) -> bool:
        """The op saw the version, which only one write can have made."""
        if op.crashed or op.f not in (READ, CAS):
            return False
        if "revision" in version:
            mine = [other for other in self._writers(op.a) if other is not op]
            by_write = op.f == CAS and len(mine) == 1 and self._revised(mine[0], version)
            return by_write or (op.f == READ and self._revised(op, version))
        value = freeze(version["value"])
        writers = [other for other in self._writers(value) if other is not op]
        return op.a == value and len(writers) == (0 if value == self.initial else 1)
