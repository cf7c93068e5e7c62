"""An order is executed, and every read compared with what was there: the proof of a valid verdict, and what is wrong with an order.

Why it exists  a valid verdict rests on this alone, not on how the order was found; and the search learns from what goes wrong here.
Relies on      nothing of the search: transactions, their outside reads and writes, a sequence of starts and commits.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from typing import NamedTuple

from checkers.serial.problem import START, Problem, body_of
from checkers.transactions.txns import NEVER, Txn
from harness.op import FAIL, OK


class Wrong(NamedTuple):
    """A reader that found `found`'s version where it saw another; if `reader` is None, two that wrote the key at once."""

    reader: int | None
    key: Hashable
    found: int
    other: int


class Execution(NamedTuple):
    """wrong: in order; absent: the optional transactions that did not commit."""

    wrong: list[Wrong]
    absent: list[int]


def execute(problem: Problem, steps: Sequence[tuple[int, bool, bool]], decided: dict[int, bool]) -> Execution:
    """Run an order. Cost: O(reads + writes).

    steps     (transaction, does it start, does it commit); under serializability both at once
    decided   optional transactions whose fate is chosen; the others commit if their reads are right
    """
    current: dict[Hashable, int] = {}
    writing: dict[Hashable, int] = {}
    wrong: list[Wrong] = []
    absent: set[int] = set()
    for number, starts, commits in steps:
        body = problem.bodies[number]
        if starts:
            found = [
                Wrong(number, read.key, current.get(read.key, START), read.sources[0])
                for read in problem.reads[number]
                if current.get(read.key, START) not in read.sources
            ]
            optional = number in problem.optional
            if optional and (not decided[number] if number in decided else bool(found)):
                absent.add(number)
                continue
            wrong += found
            for key in body.writes:
                if key in writing:
                    wrong.append(Wrong(None, key, writing[key], number))
                if not commits:
                    writing[key] = number
        if commits and number not in absent:
            for key in body.writes:
                current[key] = number
                if writing.get(key) == number:
                    del writing[key]
    return Execution(wrong, sorted(absent))


class Moment(NamedTuple):
    """A step of a certificate: a transaction starts, commits, or both at once."""

    txn: int
    starts: bool
    commits: bool


def verify_order(
    txns: Sequence[Txn], moments: Sequence[Moment], *, snapshots: bool, sessions: bool, real_time: bool, first: int | None = None
) -> bool:
    """Whether an order is a proof: all ok transactions are in it, none that failed, every read is right, no order that counts is broken.

    Knows the definitions alone: values are stored and read, a transaction that commits must have found no writer of its keys at work.
    """
    started: dict[int, int] = {}
    ended: dict[int, int] = {}
    store: dict[Hashable, Hashable] = {}
    written: dict[Hashable, int] = {}
    for step, (number, starts, commits) in enumerate(moments):
        body = body_of(txns[number])
        if starts:
            if number in started or body.trouble or any(store.get(key) != value for key, value in body.reads.items()):
                return False
            started[number] = step
        if commits:
            if number not in started or number in ended or (not snapshots and not starts):
                return False
            if any(written.get(key, -1) > started[number] for key in body.writes):
                return False
            ended[number] = step
            store.update(body.writes)
            written.update(dict.fromkeys(body.writes, step))
    if started.keys() != ended.keys() or any(txns[number].outcome == FAIL for number in started):
        return False
    if any(txn.outcome == OK and txn.number not in ended for txn in txns):
        return False
    there = [txn for txn in txns if txn.number in ended]
    if first is not None and first in ended and any(started[t.number] < ended[first] for t in there if t.number != first):
        return False
    return not (sessions and _late(there, started, ended, by_process=True)) and not (
        real_time and _late(there, started, ended, by_process=False)
    )


def keeps(txns: Sequence[Txn], moments: Sequence[Moment], *, by_process: bool) -> bool:
    """Whether an order keeps that of sessions, or of real time."""
    started = {number: step for step, (number, starts, _) in enumerate(moments) if starts}
    ended = {number: step for step, (number, _, commits) in enumerate(moments) if commits}
    return not _late([txn for txn in txns if txn.number in ended], started, ended, by_process=by_process)


def _late(txns: Collection[Txn], started: dict[int, int], ended: dict[int, int], *, by_process: bool) -> bool:
    """Whether one starts in the order before another had committed that precedes it."""
    newest: dict[int, int] = {}  # by process: the latest commit so far
    moments = [(txn.call, True, txn) for txn in txns] + [(txn.ret, False, txn) for txn in txns if txn.outcome == OK and txn.ret < NEVER]
    for _, begins, txn in sorted(moments, key=lambda moment: moment[0]):
        group = txn.process if by_process else 0
        if begins and started[txn.number] < newest.get(group, -1):
            return True
        if not begins:
            newest[group] = max(newest.get(group, -1), ended[txn.number])
    return False
