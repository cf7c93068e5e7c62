"""The weak-isolation checker: the verdict on histories of sessions.

Decides    see the package's opening.
Right      each level implies the weaker ones, so the strongest that is kept says all; what breaks a level breaks all above it.
Unknown    nothing was read; a value that was read has several possible writers; the model promised is stronger than causal.
Rules out  the broken levels by their own names; of other models what checkers/data/models.tsv says.
Source     Biswas & Enea, OOPSLA 2019; Møldrup & Pavlogiannis, AWDIT, PLDI 2025.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from checkers.models import model_named, ruled_out, table
from checkers.transactions.txns import Txn, read_register_txns, show
from checkers.weak_isolation.levels import TYPES, Judgement, judge
from checkers.weak_isolation.reading import FINDINGS, INITIAL, Unclear
from checkers.weak_isolation.story import NAMES, broken_levels, tell_cycle, tell_finding, weakest_ruled_out
from harness.checker import CheckContext
from harness.history.history import History
from harness.history.session_columns import session_columns
from harness.verdict import Anomaly, Valid, Verdict

SEVERITY = (*FINDINGS, *(type_ + suffix for type_ in TYPES.values() for suffix in ("", "-process")))


class WeakIsolation:
    """Option: consistency, the model promised; without it the context's, else causal."""

    name: ClassVar[str] = "weak-isolation"

    def __init__(self, consistency: str = "") -> None:
        self.consistency = model_named(consistency) if consistency else ""

    @staticmethod
    def decides(expected: str) -> bool:
        """Whether the promised model is one of the levels, or weaker."""
        return decided(model_named(expected))

    @staticmethod
    def warm(history: History) -> None:
        """What is not compiled yet is, outside the check's budget."""
        if session_columns(history) is not None:
            from harness.compiled import announce

            try:
                from checkers.weak_isolation.edge_kernels import shortest_way
            except RuntimeError:  # numba finds no folder that it may keep compiled code in
                return
            if announce(shortest_way, "judging a large history of sessions"):
                WeakIsolation.compile_kernels(None)

    @staticmethod
    def compile_kernels(_: object) -> None:
        """Compile what reads and judges large histories, by a small one that breaks causal consistency."""
        from checkers.weak_isolation.swift import compile_all

        compile_all()

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"txns", "ok", "fail", "info", "sessions"}. Holds: the strongest level kept. Counts: reads, or parts that have a cycle."""
        expected = self.consistency or model_named(context.expected or "causal")
        first = bool(history.header.get("first_txn"))
        judgement = _judge_large(history, first) or judge(read_register_txns(history), sessions=True, first=first)
        return compose(judgement, expected, history.by_sessions)


def _judge_large(history: History, first: bool) -> Judgement | None:
    """By the fast road, or None if the history is small or too unusual for it."""
    columns = session_columns(history)
    if columns is None:
        return None
    from checkers.weak_isolation.swift import judge_columns

    return judge_columns(columns, first)


def compose(judgement: Judgement, expected: str, by_sessions: bool) -> Verdict:
    """The verdict against the model promised."""
    if not judgement.seen:
        reason = "no transaction that read anything succeeded, so nothing was observed"
        return Verdict("unknown", reason=reason, facts=judgement.figures)
    counts = judgement.counts + Counter({cycles.type: cycles.found for cycles in judgement.cycles})
    # Of a history of sessions the levels contain session order; of another one these names mean models that know no sessions.
    below = broken_levels(judgement.broken) if by_sessions and judgement.broken is not None else []
    violated = {model_named(name) for name in below} | ruled_out(counts)
    kept = [name for name in reversed(NAMES.values()) if model_named(name) not in violated][:1]
    valid: Valid = True
    reason = f"{expected} allows what was found: {', '.join(sorted(counts, key=SEVERITY.index))}" if counts else ""
    if expected in violated:  # by its own name: what a level with sessions implies is no other model's business
        valid, reason = False, ""
    elif judgement.unclear is not None:
        valid, reason, kept = "unknown", _unclear(*judgement.unclear), []
    elif not decided(expected):
        valid, reason = "unknown", f"read-committed, read-atomic and causal do not decide {expected}"
    return Verdict(
        valid,
        reason=reason,
        anomalies=_told(judgement, by_sessions),
        counts={type_: counts[type_] for type_ in SEVERITY if counts[type_]},
        not_models=weakest_ruled_out(violated, by_sessions),
        holds=kept,
        facts=judgement.figures,
    )


def decided(expected: str) -> bool:
    """Whether a model is one of the levels, or weaker."""
    return expected in table().implies["causal-cerone"]


def _told(judgement: Judgement, by_sessions: bool) -> list[Anomaly]:
    told = [tell_finding(finding, order, by_sessions) for finding, order in judgement.shown]
    told += [
        tell_cycle(cycles.type, cycles.level, steps, order, by_sessions) for cycles in judgement.cycles for order, steps in cycles.cycles
    ]
    return sorted(told, key=lambda anomaly: SEVERITY.index(anomaly.type))


def _unclear(one: Unclear, txns: Sequence[Txn]) -> str:
    mop = txns[one.reader].mops[one.at]
    value = "null" if mop.value is None else show(mop.value)
    writers = ["the initial state" if number == INITIAL else f"#{txns[number].call}" for number in one.writers]
    return f"#{txns[one.reader].call} read {value} in {show(mop.key)}, which has several possible writers ({', '.join(writers)})"
