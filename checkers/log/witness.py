"""Proving a witness on logs again, from the quoted ops and a plain reading of all others.

Why it exists  whatever found it, this small function must agree that the quoted ops show it.
Relies on      ops.py for the shape of ops, and on nothing of logs.py, rules.py or cycles.py.
"""

from __future__ import annotations

from collections.abc import Hashable
from itertools import pairwise

from checkers.log.ops import LogOp, Polled, Sent, name_of, read
from checkers.transactions.proof import cycle_type, one_cycle
from checkers.transactions.txns import ident
from harness.history.history import History
from harness.verdict import Anomaly


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted ops prove the anomaly. Cost: some passes over the history."""
    ops = read(history)
    by_call = {op.call: op for op in ops}
    witness = anomaly.witness
    if "edges" in witness:
        edges = witness["edges"]
        proved = all(_edge(edge, by_call[edge["from"]], by_call[edge["to"]], ops) for edge in edges)
        return proved and one_cycle(edges) and cycle_type(edges) == anomaly.type
    key, values = name_of(witness["key"]), [ident(value) for value in witness["values"]]
    return _proves(anomaly.type, key, values, witness["offsets"], [by_call[call] for call in witness["ops"]], ops)


def _proves(type_: str, key: Hashable, values: list[Hashable], offsets: list[int], quoted: list[LogOp], ops: list[LogOp]) -> bool:
    first, last = quoted[0], quoted[-1]
    value, other = values[0], values[-1]
    senders = [op for op in ops if op.outcome != "fail" and _sends(op, key, value)]
    unread = not any(op.ok and _polls(op, key, value) for op in ops)
    if type_ in ("inconsistent-offsets", "duplicate"):
        pairs = [(v, o, op) for v, op in zip(values, quoted, strict=True) for o in offsets] if type_ == "inconsistent-offsets" else [
            (value, o, op) for o, op in zip(offsets, quoted, strict=True)
        ]  # fmt: skip
        shown = all(any((e.key, e.value, e.offset) == (key, v, o) for e in _entries(op)) for v, o, op in pairs)
        distinct = len(set(values)) > 1 if type_ == "inconsistent-offsets" else len(set(offsets)) > 1 and len(senders) < 2
        return shown and distinct
    if type_ == "G1a":
        return first.outcome == "fail" and _sends(first, key, value) and last.ok and _polls(last, key, value) and not senders
    if type_ == "garbage-read":
        return _polls(first, key, value) and not any(_sends(op, key, value) for op in ops)
    if type_ == "precommitted-read":
        return _polls(first, key, value) and _sends(first, key, value)
    if type_ == "unseen":
        empty = len(quoted) == 1 or (last.ok and not last.polls and last.asks and last.call > first.ret)
        return first.ok and senders == [first] and unread and empty
    if type_ == "lost-write":
        places, later = _places(key, value, ops), _places(key, other, ops)
        behind = bool(places) and bool(later) and max(places) <= min(later)
        return senders == [first] and _committed(first, ops) and unread and last.ok and _polls(last, key, other) and behind
    return _steps(type_, key, (value, other), first, last, ops)


def _steps(type_: str, key: Hashable, values: tuple[Hashable, Hashable], first: LogOp, last: LogOp, ops: list[LogOp]) -> bool:
    """Two values next to each other in one op, or last in one and first in the next op of the process, at a wrong distance."""
    polls = "poll" in type_
    lines = [[e for e in (op.polls if polls else op.sends) if e.key == key] for op in (first, last)]
    pairs: list[tuple[Polled | Sent, Polled | Sent]] = list(pairwise(lines[0])) if first is last else [(lines[0][-1], lines[1][0])]
    occupied = sorted({e.offset for op in ops for e in _entries(op, ops) if e.key == key and e.offset is not None})
    for before, after in pairs:
        if (before.value, after.value) != values:
            continue
        ranks = [_rank(e, key, occupied, ops) for e in (before, after)]
        far = 1 if ranks[0] is None or ranks[1] is None else ranks[1] - ranks[0]
        if far > 1 if "skip" in type_ else far < 1:
            return first is last or _nothing_between(key, polls, first, last, ops)
    return False


def _nothing_between(key: Hashable, polls: bool, first: LogOp, last: LogOp, ops: list[LogOp]) -> bool:
    """The two ops are the process's next to each other on that key, and it kept the key meanwhile."""
    between = [op for op in ops if op.process == last.process and first.call < op.call < last.call]
    moved = any(e.key == key for op in between if op.ok for e in (op.polls if polls else op.sends))
    dropped = polls and any(op.f in ("assign", "subscribe", "crash") and op.outcome != "fail" and key not in op.keys for op in between)
    return first.ok and last.ok and first.process == last.process and not moved and not dropped


def _rank(entry: Polled | Sent, key: Hashable, occupied: list[int], ops: list[LogOp]) -> int | None:
    places = [entry.offset] if entry.offset is not None else _places(key, entry.value, ops)
    return occupied.index(places[0]) if len(places) == 1 and places[0] in occupied else None


def _places(key: Hashable, value: Hashable, ops: list[LogOp]) -> list[int]:
    return sorted({e.offset for op in ops for e in _entries(op, ops) if (e.key, e.value) == (key, value) and e.offset is not None})


def _entries(op: LogOp, ops: list[LogOp] | None = None) -> list[Polled | Sent]:
    """Its polls, and its sends unless it failed (where `ops` are given: if it certainly committed)."""
    sends = op.outcome != "fail" and (ops is None or _committed(op, ops))
    return [*op.polls, *(op.sends if sends else [])]


def _committed(op: LogOp, ops: list[LogOp]) -> bool:
    if op.ok or op.outcome == "fail":
        return op.ok
    return any(
        any(other.ok and _polls(other, sent.key, sent.value) for other in ops)
        and not any(other is not op and other.outcome != "fail" and _sends(other, sent.key, sent.value) for other in ops)
        and sum((e.key, e.value) == (sent.key, sent.value) for e in op.sends) == 1
        for sent in op.sends
    )


def _sends(op: LogOp, key: Hashable, value: Hashable) -> bool:
    return any((sent.key, sent.value) == (key, value) for sent in op.sends)


def _polls(op: LogOp, key: Hashable, value: Hashable) -> bool:
    return any((polled.key, polled.value) == (key, value) for polled in op.polls)


def _edge(edge: dict[str, object], first: LogOp, second: LogOp, ops: list[LogOp]) -> bool:
    if edge["kind"] == "process":
        return first.process == second.process and first.ok and first.ret < second.call
    if edge["kind"] == "realtime":
        return first.ok and first.ret < second.call
    key, value = name_of(edge["key"]), ident(edge["value"])
    if edge["kind"] == "wr":
        return first.outcome != "fail" and _sends(first, key, value) and second.ok and _polls(second, key, value)
    before, after = _places(key, ident(edge["before"]), ops), _places(key, value, ops)
    occupied = sorted({e.offset for op in ops for e in _entries(op, ops) if e.key == key and e.offset is not None})
    near = any(occupied.index(b) + 1 == occupied.index(a) for b in before for a in after)
    return near and _sends(first, key, ident(edge["before"])) and _sends(second, key, value)
