"""The commit order that a level demands: session order, reads-from, and the edges that its axiom forces, as few as suffice.

Why it exists  a history keeps a level exactly if these edges have no cycle (saturation): no order has to be searched.
Relies on      premises that do not mention the commit order: for read committed, read atomic and causal it suffices to add the implied
               edges once. Only the strongest of them are added; the others follow along session order and other edges.
Source         Biswas & Enea, On the complexity of checking transactional consistency, OOPSLA 2019 (axioms); Møldrup & Pavlogiannis, AWDIT,
               PLDI 2025 (minimal edges, O(n^1.5)).

Axiom: t3 reads x from t1, another t2 writes x, and the premise holds: then t2 is before t1. Premise of RC: t3 read something from t2
before it read x from t1. RA: t2 is before t3 in their session, or t3 reads something from t2. CC: t2 reaches t3 by session order and
reads-from. The initial state, and a first transaction that the file declares, precede all; a transaction of unknown outcome has its
session before it and nothing after it, since it may act at any later time.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from enum import IntEnum
from itertools import pairwise
from typing import Any, NamedTuple

from checkers.transactions.txns import Txn
from checkers.weak_isolation.reading import INITIAL, Read, Reading
from harness.op import OK

SESSION, WR, FIRST, FORCED = "session", "wr", "first", "forced"


class Level(IntEnum):
    """From weak to strong; DEPENDENCY demands only that session order and reads-from have no cycle."""

    DEPENDENCY = 0
    READ_COMMITTED = 1
    READ_ATOMIC = 2
    CAUSAL = 3


class Why(NamedTuple):
    """The reason of an edge. Of a read or an axiom: the reader and the place of its read; `by`: the place of the read that is the premise
    (RC, RA), NO_READ where session order or a causal path is."""

    kind: str
    reader: int = INITIAL
    at: int = -1
    by: int = -1


NO_READ = -1
Edges = dict[tuple[int, int], Why]


class Order:
    """What is known of a history before any axiom.

    sessions   True: session order counts
    first      number of the transaction that precedes all others, or INITIAL
    before     per transaction the one before it in its session, or INITIAL; place: (process, place in it)
    """

    def __init__(self, reading: Reading, sessions: bool, first: bool) -> None:
        self.reading, self.sessions = reading, sessions
        txns = reading.txns
        self.first = 0 if first and txns and reading.committed[0] else INITIAL
        self.before = [INITIAL] * len(txns)
        self.place: list[tuple[int, int]] = [(0, 0)] * len(txns)
        newest: dict[int, int] = {}
        length: dict[int, int] = {}
        for txn in txns:
            if not reading.committed[txn.number]:
                continue
            self.place[txn.number] = (txn.process, length.get(txn.process, 0))
            if sessions:
                self.before[txn.number] = newest.get(txn.process, INITIAL)
            if txn.outcome == OK:
                newest[txn.process] = txn.number
                length[txn.process] = length.get(txn.process, 0) + 1
        self.members = [txn for txn in txns if reading.committed[txn.number]]

    def precedes(self, earlier: int, later: int) -> bool:
        """In session order, or by being first."""
        if earlier in (INITIAL, self.first) and later not in (INITIAL, earlier):
            return True
        one, other = self.place[earlier], self.place[later]
        return self.sessions and later != INITIAL and one[0] == other[0] and one[1] < other[1] and self.reading.txns[earlier].outcome == OK

    def writes(self, number: int, key: Hashable) -> bool:
        """The initial state writes every key."""
        return number == INITIAL or key in self.reading.last[number]

    def base(self) -> Edges:
        """Reads-from and the steps of sessions."""
        edges: Edges = {}
        for txn in self.members:
            for read in self.reading.reads[txn.number]:
                if read.writer != INITIAL:  # that precedes all: `demanded` adds it where it matters
                    edges.setdefault((read.writer, txn.number), Why(WR, txn.number, read.at))
        for txn in self.members:
            if self.before[txn.number] != INITIAL:
                edges.setdefault((self.before[txn.number], txn.number), Why(SESSION))
        return edges


def demanded(order: Order, level: Level) -> Edges:
    """Edges whose cycles are the violations of the level. For CAUSAL the base must have no cycle."""
    edges = order.base()
    axiom = {Level.READ_COMMITTED: _read_committed, Level.READ_ATOMIC: _read_atomic, Level.CAUSAL: _causal}.get(level)
    if axiom is not None:
        for before, after, why in axiom(order):
            if before != after and before != INITIAL:
                edges.setdefault((before, after), why)
    late = {target for source, target in edges if target in (INITIAL, order.first) and source != INITIAL}
    for root in sorted(late):  # what precedes all matters only where something is before it
        for txn in order.members:
            if txn.number != root:
                edges.setdefault((root, txn.number), Why(FIRST))
    return edges


Forced = Iterator[tuple[int, int, Why]]


def _read_committed(order: Order) -> Forced:
    """Successive reads of a key; and from the first read of t2 on, the next read of each key that t2 wrote."""
    last = order.reading.last
    for txn in order.members:
        reads = order.reading.reads[txn.number]
        if len(reads) < 2:
            continue
        by_key = _by_key(reads)
        for same in by_key.values():
            for earlier, later in pairwise(same):
                yield earlier.writer, later.writer, Why(FORCED, txn.number, later.at, earlier.at)
        first: dict[int, int] = {}
        for read in reads:
            first.setdefault(read.writer, read.at)
        for writer, at in first.items():
            for key in _common(last[writer], by_key) if writer != INITIAL else ():
                following = next((read for read in by_key[key] if read.at > at), None)
                if following is not None:
                    yield writer, following.writer, Why(FORCED, txn.number, following.at, at)


def _read_atomic(order: Order) -> Forced:
    """The newest writer of a key in the session; and each transaction that is read, before the other writers of its keys."""
    last = order.reading.last
    newest: dict[tuple[int, Hashable], int] = {}
    for txn in order.members:
        reads = order.reading.reads[txn.number]
        if order.sessions:
            for read in reads:
                yield newest.get((txn.process, read.key), INITIAL), read.writer, Why(FORCED, txn.number, read.at)
        yield from _over_first(order, txn, reads)
        if len(reads) > 1:
            by_key = _by_key(reads)
            for writer, by in {read.writer: read.at for read in reversed(reads)}.items():
                for key in _common(last[writer], by_key) if writer != INITIAL else ():
                    for read in by_key[key]:
                        yield writer, read.writer, Why(FORCED, txn.number, read.at, by)
        if txn.outcome == OK:
            newest.update(((txn.process, key), txn.number) for key in last[txn.number])


def _causal(order: Order) -> Forced:
    """Of each read's key the writers that reach the reader, less those that reach another of them."""
    from checkers.weak_isolation.causes import newest_causes

    for txn in order.members:
        yield from _over_first(order, txn, order.reading.reads[txn.number])
    for reader, read, cause in newest_causes(order):
        yield cause, read.writer, Why(FORCED, reader, read.at)


def _over_first(order: Order, txn: Txn, reads: Sequence[Read]) -> Forced:
    """Nobody may miss what the first transaction wrote."""
    if order.first != INITIAL and txn.number != order.first:
        written = order.reading.last[order.first]
        for read in reads:
            if read.writer == INITIAL and read.key in written:
                yield order.first, INITIAL, Why(FORCED, txn.number, read.at)


def _by_key(reads: Sequence[Read]) -> dict[Hashable, list[Read]]:
    by_key: dict[Hashable, list[Read]] = {}
    for read in reads:
        by_key.setdefault(read.key, []).append(read)
    return by_key


def _common(one: dict[Hashable, Any], other: dict[Hashable, Any]) -> list[Hashable]:
    """Keys of both, over the smaller side."""
    return [key for key in one if key in other] if len(one) < len(other) else [key for key in other if key in one]
