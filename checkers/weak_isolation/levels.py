"""Which levels a history keeps, and a cycle for each way in which it breaks them.

Why it exists  one question, asked by the checker of session files and by rw-register: does some commit order explain these transactions?
Relies on      each level implying the weaker ones: the strongest is asked first, and a history that keeps it needs no other question.

A level is broken plainly if its cycle needs no session order; else the name of the anomaly ends with -process, and models without sessions
may still hold (Biswas & Enea's levels contain session order; checkers.md 5).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from checkers.transactions.txns import Txn
from checkers.weak_isolation.causes import topological
from checkers.weak_isolation.cycle import Step, parts, shortest
from checkers.weak_isolation.graph import Level, Order, demanded
from checkers.weak_isolation.reading import FINDINGS, INITIAL, Finding, Reading, Unclear
from harness.op import FAIL, INFO, OK

SHOWN = 8
TYPES = {
    Level.DEPENDENCY: "G1c",
    Level.READ_COMMITTED: "non-monotonic-read",
    Level.READ_ATOMIC: "fractured-read",
    Level.CAUSAL: "causality-violation",
}
LEVELS = {"read-committed": Level.READ_COMMITTED, "read-atomic": Level.READ_ATOMIC, "causal": Level.CAUSAL, "causal-cerone": Level.CAUSAL}


class Cycles(NamedTuple):
    """Cycles of one type: the level that they break; `found` parts have one, the first SHOWN are given."""

    type: str
    level: Level
    found: int
    cycles: list[tuple[Order, list[Step]]]


class Judgement(NamedTuple):
    """What the reads say, and the cycles: at most one type without session order and one with it, the weaker one with it.

    figures   txns, ok, fail, info, sessions; seen: how many reads of ok transactions returned something
    counts    reads without an explanation by type; shown: at most SHOWN of each, in transactions numbered as its order has them
    unclear   a read with several explanations
    """

    figures: dict[str, Any]
    seen: int
    counts: Counter[str]
    shown: list[tuple[Finding, Order]]
    unclear: tuple[Unclear, Sequence[Txn]] | None
    cycles: list[Cycles]

    @property
    def broken(self) -> Level | None:
        """The weakest level that is broken, or None."""
        if self.counts:
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
    order = Order(reading, sessions, first)
    outcomes = Counter(txn.outcome for txn in txns)
    figures: dict[str, Any] = {"txns": len(txns), **{outcome: outcomes[outcome] for outcome in (OK, FAIL, INFO)}}
    figures["sessions"] = len({txn.process for txn in txns})
    counts = Counter(finding.type for finding in reading.findings)
    shown = [(one, order) for type_ in FINDINGS for one in [one for one in reading.findings if one.type == type_][:SHOWN]]
    unclear = (reading.unclear[0], txns) if reading.unclear else None
    return Judgement(figures, reading.seen, counts, shown, unclear, _cycles(order, level))


def _cycles(order: Order, upto: Level) -> list[Cycles]:
    if _keeps(order, upto):
        return []
    plain = _weakest(Order(order.reading, False, order.first != INITIAL), upto, "")
    if not order.sessions or (plain is not None and plain.level == Level.DEPENDENCY):
        return [plain] if plain is not None else []
    strict = _weakest(order, upto if plain is None else Level(plain.level - 1), "-process")
    return [found for found in (plain, strict) if found is not None]


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
            cycles = [(order, shortest(order, level, part, edges)) for part in found[:SHOWN]]
            return Cycles(TYPES[level] + suffix, level, len(found), cycles)
    return None
