"""The rules of a log that need no cycle: of offsets and values, within one op, and from op to op of a process.

Why it exists  each is one sentence of semantics.md 10; a finding quotes the ops and the values that prove it.
Relies on      logs.py for ranks; a step is the difference of two ranks: more than 1 skips, less than 1 goes back.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from checkers.log.logs import Logs, step
from checkers.log.ops import LogOp, Polled, Sent, failed

INCONSISTENT, DUPLICATE, G1A, GARBAGE, PRECOMMITTED, LOST = (
    "inconsistent-offsets", "duplicate", "G1a", "garbage-read", "precommitted-read", "lost-write",
)  # fmt: skip
INT_POLL_SKIP, INT_POLL_BACK = "int-poll-skip", "int-nonmonotonic-poll"
INT_SEND_SKIP, INT_SEND_BACK = "int-send-skip", "int-nonmonotonic-send"
POLL_SKIP, POLL_BACK, SEND_BACK, UNSEEN = "poll-skip", "nonmonotonic-poll", "nonmonotonic-send", "unseen"


class Finding(NamedTuple):
    """A rule that is broken: the ops that prove it, in the order of the sentence; the values, and offsets where the rule is about them.

    allowed   it breaks nothing (sends of transactions interleave; positions of subscribers move)
    """

    type: str
    key: Hashable
    ops: tuple[LogOp, ...]
    values: tuple[Hashable, ...]
    offsets: tuple[int, ...] = ()
    allowed: bool = False


def findings(logs: Logs) -> Iterator[Finding]:
    """All findings but unseen values and cycles."""
    yield from _offsets(logs)
    yield from _values(logs)
    yield from _lost(logs)
    for op in logs.ops:
        yield from _within(logs, op)
    yield from _between(logs)


def _offsets(logs: Logs) -> Iterator[Finding]:
    for key, offsets in logs.at.items():
        for offset, values in sorted(offsets.items()):
            if len(values) > 1:
                ops = tuple(_shows(logs, key, value, offset) for value in values)
                yield Finding(INCONSISTENT, key, ops, tuple(values), (offset,))
    for (key, value), places in logs.places.items():
        if len(places) > 1 and (key, value) not in logs.repeated:
            ops = tuple(_shows(logs, key, value, offset) for offset in places)
            yield Finding(DUPLICATE, key, ops, (value,), tuple(places))


def _shows(logs: Logs, key: Hashable, value: Hashable, offset: int) -> LogOp:
    """The first op that has the value at this offset."""
    candidates: list[LogOp] = [*logs.shown.get((key, value), ()), *logs.senders.get((key, value), ())]
    having = [op for op in candidates if _has(logs, op, Polled(key, value, offset))]
    return min(having, key=lambda op: op.number)


def _has(logs: Logs, op: LogOp, entry: Polled) -> bool:
    entries: list[tuple[object, ...]] = [*op.polls, *(op.sends if logs.committed[op.number] else ())]
    return entry in entries


def _values(logs: Logs) -> Iterator[Finding]:
    """What was polled and must not be: of a failed send, of nobody, of the same transaction."""
    for name, ops in logs.shown.items():
        key, value = name
        if name not in logs.senders:
            losers = logs.losers.get(name, [])
            if not losers:
                yield Finding(GARBAGE, key, (ops[0],), (value,))
            for op in ops if losers else ():
                if op.ok:
                    yield Finding(G1A, key, (losers[0], op), (value,))
    for op in logs.ops:
        own = {(sent.key, sent.value) for sent in op.sends}
        for key, value in dict.fromkeys((polled.key, polled.value) for polled in op.polls) if own else ():
            if (key, value) in own:
                yield Finding(PRECOMMITTED, key, (op,), (value,))


def _lost(logs: Logs) -> Iterator[Finding]:
    """What certainly was sent, was never read, and stands before something that was read."""
    bound: dict[Hashable, tuple[int, Hashable]] = {}
    for key, value in logs.read:
        if places := logs.places.get((key, value)):
            first = logs.rank[key][places[0]]
            if key not in bound or first > bound[key][0]:
                bound[key] = (first, value)
    for (key, value), places in logs.places.items():
        writer = logs.writer((key, value))
        if writer is None or key not in bound or (key, value) in logs.read or not logs.committed[writer.number]:
            continue
        if logs.rank[key][places[-1]] <= bound[key][0]:
            later = bound[key][1]
            yield Finding(LOST, key, (writer, logs.read[key, later][0]), (value, later))


def _within(logs: Logs, op: LogOp) -> Iterator[Finding]:
    for entries, skip, back in ((op.polls, INT_POLL_SKIP, INT_POLL_BACK), (op.sends, INT_SEND_SKIP, INT_SEND_BACK)):
        if entries is op.sends and not logs.committed[op.number]:
            continue
        for key, line in _by_key(entries).items():
            if entries is op.polls and key in op.rebalanced:
                continue
            for before, after in pairwise(line):
                far = step(logs.index(before), logs.index(after))
                if far != 1:
                    type_ = skip if far > 1 else back
                    yield Finding(type_, key, (op,), (before.value, after.value), allowed=type_ == INT_SEND_SKIP)


def _by_key(entries: Sequence[Polled] | Sequence[Sent]) -> dict[Hashable, list[Polled | Sent]]:
    lines: dict[Hashable, list[Polled | Sent]] = {}
    for entry in entries:
        lines.setdefault(entry.key, []).append(entry)
    return lines


class Consumer:
    """Where a process stands: by key the op and the value that it polled, or sent, last; and whether it subscribes."""

    def __init__(self) -> None:
        self.polled: dict[Hashable, tuple[LogOp, Polled | Sent]] = {}
        self.sent: dict[Hashable, tuple[LogOp, Polled | Sent]] = {}
        self.subscribes = False

    def forget(self, op: LogOp) -> None:
        """An assign or subscribe, or a crash."""
        kept = () if op.seeks or op.f == "crash" else op.keys
        self.polled = {key: last for key, last in self.polled.items() if key in kept}
        self.subscribes = op.f == "subscribe" if op.f != "crash" else self.subscribes


def _between(logs: Logs) -> Iterator[Finding]:
    consumers: dict[int, Consumer] = {}
    for op in logs.ops:  # of one process one after the other
        consumer = consumers.setdefault(op.process, Consumer())
        if failed(op):
            for polled in op.polls:  # it moved on, though its transaction failed
                consumer.polled.pop(polled.key, None)
        elif op.f in ("assign", "subscribe", "crash"):
            consumer.forget(op)
        elif op.ok:
            yield from _moved(logs, op, consumer)


def _moved(logs: Logs, op: LogOp, consumer: Consumer) -> Iterator[Finding]:
    for key, line in _by_key(op.polls).items():
        if key in consumer.polled and key not in op.rebalanced:
            last, before = consumer.polled[key]
            far = step(logs.index(before), logs.index(line[0]))
            if far != 1:
                type_ = POLL_SKIP if far > 1 else POLL_BACK
                yield Finding(type_, key, (last, op), (before.value, line[0].value), allowed=consumer.subscribes)
        consumer.polled[key] = (op, line[-1])
    for key, line in _by_key(op.sends).items():
        if key in consumer.sent:
            last, before = consumer.sent[key]
            if step(logs.index(before), logs.index(line[0])) < 1:
                yield Finding(SEND_BACK, key, (last, op), (before.value, line[0].value))
        consumer.sent[key] = (op, line[-1])
