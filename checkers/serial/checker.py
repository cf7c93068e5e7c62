"""The checker of serializability and snapshot isolation by themselves: one of six models, decided whole.

Decides    see the package's opening.
Right      decide.py; a history that is invalid is asked about the weaker of the six models, too, so that `holds` says what is left.
Unknown    a model that is none of the six; a spent budget; nothing that was read; a real-time model of a file that knows sessions alone,
           if the sessions' order is kept.
Rules out  the model asked for and all above it; what the type of an anomaly says (checkers/data/models.tsv).
Source     see the package's opening.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from checkers.models import model_named, prohibited, strongest, table, weakest
from checkers.serial.certificate import keeps
from checkers.serial.decide import BUDGET, MODELS, Decision, decide
from checkers.serial.problem import Finding
from checkers.serial.story import rules_out, tell_finding, tell_refutation
from checkers.transactions.txns import UNSEEN, WRITE, Txn, read_register_txns
from harness.checker import CheckContext
from harness.errors import UsageError
from harness.history.history import History
from harness.op import OK
from harness.verdict import Anomaly, Verdict

SHOWN = 8
MANY = 3_000  # transactions up to which an invalid history is asked about weaker models, too
SIDE_BUDGET = 2_000  # conflicts of each of those questions


class Serial:
    """Options: consistency, the model promised (without it the context's, else serializable for sessions, strict-serializable for the
    rest); budget, conflicts of the search."""

    name: ClassVar[str] = "serial"
    options: ClassVar[dict[str, str]] = {"budget": f"conflicts that the search may take before it gives up (default {BUDGET})"}

    def __init__(self, consistency: str = "", budget: int = BUDGET) -> None:
        self.consistency = model_named(consistency) if consistency else ""
        if type(budget) is not int or budget < 0:
            raise UsageError(f"budget is a number of conflicts, not {budget!r}", way_out=f"leave it out: {BUDGET}")
        self.budget = budget

    @staticmethod
    def decides(expected: str) -> bool:
        """Whether the promised model is one of the six."""
        return model_named(expected) in MODELS

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"txns", "ok", "fail", "info", "keys", "conflicts", "choices"}."""
        default = "serializable" if history.by_sessions else "strict-serializable"
        expected = self.consistency or model_named(context.expected or default)
        first = 0 if history.header.get("first_txn") else None
        with _no_collection():
            return judge(read_register_txns(history), expected, by_sessions=history.by_sessions, first=first, budget=self.budget)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Nothing here refers to itself, and looking for what does takes a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def judge(txns: Sequence[Txn], expected: str, *, by_sessions: bool = False, first: int | None = None, budget: int = BUDGET) -> Verdict:
    """The verdict on transactions: by_sessions and first as in decide."""
    outcomes = Counter(txn.outcome for txn in txns)
    keys = len({mop.key for txn in txns for mop in txn.mops})
    facts: dict[str, Any] = {"txns": len(txns), "ok": outcomes["ok"], "fail": outcomes["fail"], "info": outcomes["info"], "keys": keys}
    if expected not in MODELS:
        return Verdict("unknown", reason=f"this checker decides {', '.join(MODELS)}, not {expected}", facts=facts)
    if not any(txn.outcome == OK and any(m.kind != WRITE and m.value is not UNSEEN for m in txn.mops) for txn in txns):
        return Verdict("unknown", reason="no transaction that read anything succeeded, so nothing was observed", facts=facts)
    decision = decide(txns, expected, by_sessions=by_sessions, first=first, budget=budget)
    facts |= {"conflicts": decision.conflicts, "choices": decision.choices}
    if decision.valid is None:
        way_out = f"give more with -o budget={10 * max(budget, 1)}"
        return Verdict("unknown", reason=f"the search was given up after {decision.conflicts} conflicts; {way_out}", facts=facts)
    held: frozenset[str] = frozenset()
    if decision.valid:
        held = kept(txns, decision, by_sessions=by_sessions)
        if by_sessions and MODELS[expected].real_time:
            reason = f"the file knows the order of sessions alone, which is kept; {expected} also promises the order of real time"
            return Verdict("unknown", reason=reason, holds=strongest(held), facts=facts)
        return Verdict(True, holds=strongest(held), facts=facts)
    anomalies, counts = tell(decision, txns)
    violated = above(expected).union(*(anomaly.rules_out for anomaly in anomalies))
    if len(txns) <= MANY and decision.refutation is not None:
        for model in MODELS:
            if model not in violated and not (by_sessions and MODELS[model].real_time):
                side = decide(txns, model, by_sessions=by_sessions, first=first, budget=SIDE_BUDGET)
                if side.valid:
                    held |= kept(txns, side, by_sessions=by_sessions)
                elif side.valid is False:
                    violated |= above(model)
    return Verdict(False, anomalies=anomalies, counts=counts, not_models=weakest(violated), holds=strongest(held - violated), facts=facts)


def above(model: str) -> frozenset[str]:
    """The model and all that imply it."""
    return frozenset(other for other, implied in table().implies.items() if model in implied)


def kept(txns: Sequence[Txn], decision: Decision, *, by_sessions: bool) -> frozenset[str]:
    """The models of MODELS that the order found proves, and those that they imply."""
    serial = all(starts and commits for _, starts, commits in decision.moments)
    sessions = keeps(txns, decision.moments, by_process=True)
    real_time = not by_sessions and keeps(txns, decision.moments, by_process=False)
    found: set[str] = set()
    for name, model in MODELS.items():
        if (serial or model.snapshots) and (sessions or not model.sessions) and (real_time or not model.real_time):
            found |= {weaker for weaker in table().implies[name] if prohibited(weaker)}
    return frozenset(found)


def tell(decision: Decision, txns: Sequence[Txn]) -> tuple[list[Anomaly], dict[str, int]]:
    """The anomalies of an invalid decision, at most 8 of a type, and how many there are of each."""
    told = [tell_finding(finding, txns) for finding in _first_of_each(decision)]
    counts = dict(Counter(finding.type for finding in decision.findings))
    if decision.refutation is not None:
        told.append(tell_refutation(decision.refutation, txns))
        counts[told[-1].type] = 1
    return [Anomaly(one.type, one.message, one.ops, rules_out=rules_out(one.models), witness=one.witness) for one in told], counts


def _first_of_each(decision: Decision) -> list[Finding]:
    by_type: dict[str, list[Finding]] = {}
    for finding in decision.findings:
        by_type.setdefault(finding.type, []).append(finding)
    return [finding for same in by_type.values() for finding in same[:SHOWN]]
