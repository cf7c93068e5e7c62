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
from typing import Any, ClassVar

from checkers.models import model_named, ruled_out, table
from checkers.transactions.txns import Txn, read_register_txns, show
from checkers.weak_isolation.graph import Level
from checkers.weak_isolation.levels import SHOWN, TYPES, Judgement, judge
from checkers.weak_isolation.reading import FINDINGS
from checkers.weak_isolation.story import NAMES, broken_levels, tell_cycle, tell_finding, weakest_ruled_out
from harness.checker import CheckContext
from harness.history.history import History
from harness.verdict import Anomaly, Verdict

SEVERITY = (*FINDINGS, *(type_ + suffix for type_ in TYPES.values() for suffix in ("", "-process")))
PROMISED = {"causal-cerone": Level.CAUSAL, "read-atomic": Level.READ_ATOMIC, "read-committed": Level.READ_COMMITTED}


class WeakIsolation:
    """Option: consistency, the model promised; without it the context's, else causal."""

    name: ClassVar[str] = "weak-isolation"

    def __init__(self, consistency: str = "") -> None:
        self.consistency = model_named(consistency) if consistency else ""

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"txns", "ok", "fail", "info", "sessions"}. Holds: the strongest level kept. Counts: reads, or parts that have a cycle."""
        expected = self.consistency or model_named(context.expected or "causal")
        txns = read_register_txns(history)
        judgement = judge(txns, sessions=True, first=bool(history.header.get("first_txn")))
        return compose(judgement, expected, history.by_sessions)


def compose(judgement: Judgement, expected: str, by_sessions: bool) -> Verdict:
    """The verdict against the model promised."""
    reading = judgement.reading
    facts = _facts(reading.txns)
    counts = Counter(finding.type for finding in reading.findings)
    counts.update({cycles.type: cycles.found for cycles in judgement.cycles})
    broken = judgement.broken
    anomalies = _told(judgement, by_sessions)
    below = broken_levels(broken) if broken is not None else []
    level = promised(expected)
    if not reading.seen:
        return Verdict("unknown", reason="no transaction that read anything succeeded, so nothing was observed", facts=facts)
    kept = [name for name in reversed(NAMES.values()) if name not in below][:1]
    valid: bool | str = "unknown"
    reason = ""
    violated = {"causal-cerone" if name == "causal" else name for name in below} | ruled_out(counts)
    if expected in violated or any(model in violated for model in table().implies[expected]):
        valid = False
    elif reading.unclear:
        reason, kept = _unclear(judgement), []
    elif level is None:
        reason = f"read-committed, read-atomic and causal say nothing more about {expected}"
    else:
        valid = True
        reason = f"{expected} allows what was found: {', '.join(sorted(counts, key=SEVERITY.index))}" if counts else ""
    return Verdict(
        valid,  # type: ignore[arg-type]
        reason=reason,
        anomalies=anomalies,
        counts={type_: counts[type_] for type_ in SEVERITY if counts[type_]},
        not_models=weakest_ruled_out(violated, by_sessions),
        holds=kept,
        facts=facts,
    )


def promised(expected: str) -> Level | None:
    """The level that decides a model: the weakest that implies it; None if it is stronger than causal or another kind of promise."""
    for name, level in sorted(PROMISED.items(), key=lambda item: item[1]):
        if expected in table().implies[name]:
            return level
    return None


def _facts(txns: Sequence[Txn]) -> dict[str, Any]:
    outcomes = Counter(txn.outcome for txn in txns)
    figures = {outcome: outcomes[outcome] for outcome in ("ok", "fail", "info")}
    return {"txns": len(txns), **figures, "sessions": len({txn.process for txn in txns})}


def _told(judgement: Judgement, by_sessions: bool) -> list[Anomaly]:
    told: list[Anomaly] = []
    order = judgement.order
    for type_ in FINDINGS:
        same = [finding for finding in judgement.reading.findings if finding.type == type_]
        told += [tell_finding(finding, order, by_sessions) for finding in same[:SHOWN]]
    for cycles in sorted(judgement.cycles, key=lambda cycles: SEVERITY.index(cycles.type)):
        told += [tell_cycle(cycles.type, cycles.level, steps, cycles.order, by_sessions) for steps in cycles.cycles]
    return told


def _unclear(judgement: Judgement) -> str:
    one = judgement.reading.unclear[0]
    txns = judgement.reading.txns
    mop = txns[one.reader].mops[one.at]
    value = "null" if mop.value is None else show(mop.value)
    writers = ["its initial value" if number < 0 else f"#{txns[number].call}" for number in one.writers]
    return f"#{txns[one.reader].call} read {value} in {show(mop.key)}, which has several possible writers ({', '.join(writers)})"
