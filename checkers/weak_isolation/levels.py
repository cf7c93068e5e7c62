"""Which levels a history keeps, and a cycle for each way in which it breaks them.

Why it exists  one question, asked by the checker of session files and by rw-register: does some commit order explain these transactions?
Relies on      each level implying the weaker ones: the strongest is asked first, and a history that keeps it needs no other question.

A level is broken plainly if its cycle needs no session order; else the name of the anomaly ends with -process, and models without sessions
may still hold (Biswas & Enea's levels contain session order; checkers.md 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from checkers.transactions.txns import Txn
from checkers.weak_isolation.causes import topological
from checkers.weak_isolation.cycle import Step, parts, shortest
from checkers.weak_isolation.graph import Level, Order, demanded
from checkers.weak_isolation.reading import Reading

SHOWN = 8
TYPES = {
    Level.DEPENDENCY: "G1c",
    Level.READ_COMMITTED: "non-monotonic-read",
    Level.READ_ATOMIC: "fractured-read",
    Level.CAUSAL: "causality-violation",
}
LEVELS = {"read-committed": Level.READ_COMMITTED, "read-atomic": Level.READ_ATOMIC, "causal": Level.CAUSAL, "causal-cerone": Level.CAUSAL}


class Cycles(NamedTuple):
    """Cycles of one type: the level that they break, with its order; `found` parts have one, the first SHOWN are given."""

    type: str
    level: Level
    order: Order
    found: int
    cycles: list[list[Step]]


class Judgement(NamedTuple):
    """What the reads say, and the cycles: at most one type without session order and one with it, the weaker one with it."""

    reading: Reading
    cycles: list[Cycles]
    order: Order

    @property
    def broken(self) -> Level | None:
        """The weakest level that is broken, or None."""
        if self.reading.findings:
            return Level.READ_COMMITTED
        return min((max(found.level, Level.READ_COMMITTED) for found in self.cycles), default=None)


def judge(txns: Sequence[Txn], level: Level = Level.CAUSAL, *, sessions: bool = True, first: bool = False) -> Judgement:
    """Judge register transactions up to a level.

    Args:    txns: of `read_register_txns`, numbered from 0 in order of invocation; sessions: the order within each process counts;
             first: the first transaction precedes all others.
    Cost:    O(n^1.5) for read committed and read atomic; for causal a pass over the history for each 4096 writes, of which only the part
             counts where their keys live.
    """
    reading = Reading(txns)
    cycles: list[Cycles] = []
    kept = Order(reading, sessions, first)
    if _keeps(kept, level):
        return Judgement(reading, cycles, kept)
    plain = _weakest(Order(reading, False, first), level, "")
    if plain is not None:
        cycles.append(plain)
    if sessions and (plain is None or plain.level > Level.DEPENDENCY):
        strict = _weakest(kept, level if plain is None else Level(plain.level - 1), "-process")
        if strict is not None:
            cycles.append(strict)
    return Judgement(reading, cycles, kept)


def _keeps(order: Order, level: Level) -> bool:
    if level == Level.CAUSAL and topological(order) is None:
        return False
    return not parts(demanded(order, level), len(order.reading.txns))


def _weakest(order: Order, upto: Level, suffix: str) -> Cycles | None:
    """The cycles of the weakest level that is broken."""
    for level in Level:
        if level > upto:
            break
        edges = demanded(order, level)
        found = parts(edges, len(order.reading.txns))
        if found:
            cycles = [shortest(order, level, part, edges) for part in found[:SHOWN]]
            return Cycles(TYPES[level] + suffix, level, order, len(found), cycles)
    return None
