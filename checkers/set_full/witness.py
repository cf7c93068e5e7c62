"""Proving a witness again from the history alone, op by op.

Why it exists  whatever found a violation, this small function must agree that the quoted reads show it.
Relies on      nothing of sweep.py or judge.py: it asks every op of the history about the one element.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from harness.history.history import Call, History
from harness.verdict import Anomaly


class _Op(NamedTuple):
    f: str
    call: int
    ret: int | None
    value: Any


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted reads stand in the history and show the anomaly. Cost: one pass over the history."""
    witness = anomaly.witness
    ops = [_op(call, anomaly.key) for call in history.calls() if call.outcome != "fail" and _key(call) == anomaly.key]
    reads = [op for op in ops if op.f == "read" and op.ret is not None]
    if anomaly.type == "nonlinearizable":
        return _no_order(witness, ops, [op for op in reads if op.call in witness["reads"]])
    element = witness["element"]
    mine = [op for op in ops if op.f != "read" and _same(op.value, element)]
    adds, removes = [op for op in mine if op.f == "add"], [op for op in mine if op.f == "remove"]
    quoted = [op for op in reads if op.call in witness["reads"]]
    if len(quoted) != len(witness["reads"]):
        return False
    having = [op for op in reads if _count(op, element) and any(add.call < _ret(op) for add in adds)]
    if anomaly.type == "phantom-element":
        return bool(quoted) and all(_count(r, element) and not any(a.call < _ret(r) for a in adds) for r in quoted)
    if anomaly.type == "duplicate-element":
        return bool(quoted) and all(_count(r, element) > 1 for r in quoted)
    if anomaly.type == "resurrected":
        return bool(quoted) and all(_count(r, element) > 0 and _gone(r, adds, removes) for r in quoted)
    known = min([op.ret for op in adds if op.ret is not None] + [_ret(op) for op in having], default=None)
    if known is None or known != witness["known"]:
        return False
    if anomaly.type == "never-read":
        return not removes and not having and all(r.call < known for r in reads)
    lacking = all(not _count(r, element) and known < r.call and not any(m.call < _ret(r) for m in removes) for r in quoted)
    later = [r for r in having if _ret(r) > max((q.call for q in quoted), default=0)]
    if anomaly.type == "stale-read":
        return bool(quoted) and lacking and bool(later)
    return bool(quoted) and lacking and (bool(witness["final"]) or not later)


def _no_order(witness: dict[str, Any], ops: list[_Op], quoted: list[_Op]) -> bool:
    """Two reads of which each has an element that the other misses; or one that has a later element and misses an earlier one."""
    first, second = witness["elements"]
    if any(op.f == "remove" and _same(op.value, first) for op in ops):
        return False
    if witness["rule"] == "fork":
        has = [(_count(r, first) > 0, _count(r, second) > 0) for r in quoted]
        return sorted(has) == [(False, True), (True, False)] and not any(op.f == "remove" and _same(op.value, second) for op in ops)
    began = [op.call for op in ops if op.f == "add" and _same(op.value, second)]
    moments = [op.ret for op in ops if op.f == "add" and _same(op.value, first) and op.ret is not None]
    moments += [_ret(op) for op in ops if op.f == "read" and op.ret is not None and _count(op, first)]
    earlier = bool(began) and any(moment < min(began) for moment in moments)
    return len(quoted) == 1 and earlier and _count(quoted[0], second) > 0 and not _count(quoted[0], first)


def _gone(read: _Op, adds: list[_Op], removes: list[_Op]) -> bool:
    """Some remove was over before the read began, and every add of it before that remove began."""
    before = [m for m in removes if m.ret is not None and m.ret < read.call]
    started = [a for a in adds if a.call < _ret(read)]
    return bool(started) and any(all(a.ret is not None and a.ret < m.call for a in started) for m in before)


def _op(call: Call, key: Any) -> _Op:
    ok = call.completion is not None and call.completion.type == "ok"
    value = call.completion.value if call.completion is not None and ok and call.invoke.f == "read" else call.invoke.value
    if key is not None:
        value = value["value"]
    return _Op(call.invoke.f, call.invoke.index, call.completion.index if call.completion is not None and ok else None, value)


def _key(call: Call) -> Any:
    value = call.invoke.value
    return value["key"] if isinstance(value, dict) and value.keys() == {"key", "value"} else None


def _ret(op: _Op) -> int:
    assert op.ret is not None
    return op.ret


def _count(read: _Op, element: Any) -> int:
    return sum(_same(value, element) for value in read.value or ())


def _same(a: Any, b: Any) -> bool:
    """The same JSON value: 1 is neither true nor 1.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(value, b[key]) for key, value in a.items())
    return bool(a == b)
