"""What inference leaves open: whether the model promised holds, decided by those who can.

Why it exists  anomalies that were found rule models out; that none was found proves nothing where the order of versions is not known.
Relies on      checkers.serial (serializability and snapshot isolation in three variants, complete) and checkers.weak_isolation (causal). A
               model that they do not decide holds if a stronger one does that they decide.
               An order found there keeps what a user assumed of his keys only if its model promises that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from checkers.models import implied
from checkers.rw_register.orders import LINEARIZABLE, SEQUENTIAL
from checkers.rw_register.swift import has_serial_order
from checkers.rw_register.versions import Versions
from checkers.transactions.txns import READ, UNSEEN, Txn
from harness.op import INFO, OK
from harness.verdict import Anomaly, Verdict

CAUSAL = "causal-cerone"
# Weakest first: for a model that is none of them, the first that implies it is asked.
ASKED = ("snapshot-isolation", "serializable", "strong-session-snapshot-isolation", "strong-session-serializable",
         "strong-snapshot-isolation", "strict-serializable")  # fmt: skip
NO_TIME = ("snapshot-isolation", "serializable")
MANY, SLACKS = 1000, (8, 16, 32, 64, 128, 256)  # transactions from which an order that nearly keeps real time is looked for first
FEW = 300  # transactions up to which the other models are asked about, too, so that `holds` is complete


@dataclass
class Settled:
    """Models that were proved, with what they imply; anomalies that were found in addition; why nothing was decided."""

    holds: set[str] = field(default_factory=set)
    anomalies: list[Anomaly] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    undecided: str = ""


def settle(txns: Sequence[Txn], expected: str, violated: frozenset[str], assumed: Sequence[str], *, by_sessions: bool) -> Settled:
    """Decide the model promised, unless it is violated; of few transactions also what else may hold."""
    settled = Settled()
    wanted = [expected] if expected not in violated else []
    if len(txns) <= FEW:
        wanted += [model for model in (CAUSAL, *ASKED) if model not in violated and model != expected]
    for model in wanted:
        if model in settled.holds or model in violated:
            continue
        why = settled.undecided
        violated |= _causal(txns, settled, assumed) if model == CAUSAL else _orders(txns, model, settled, assumed, by_sessions, expected)
        if model != expected:
            settled.undecided = why
    return settled


def _causal(txns: Sequence[Txn], settled: Settled, assumed: Sequence[str]) -> frozenset[str]:
    """Complete, but for what was assumed. Gives what is violated."""
    from checkers.weak_isolation.checker import compose
    from checkers.weak_isolation.levels import judge

    judgement = judge(txns, sessions=False)
    if judgement.broken is not None:
        return _take(settled, compose(judgement, CAUSAL, False))
    if judgement.unclear is not None:  # that read was left out, which can only hide an anomaly
        settled.undecided = f"whether {CAUSAL} holds is not known: {compose(judgement, CAUSAL, False).reason}"
        return frozenset()
    if not _keeps(CAUSAL, assumed):
        settled.undecided = _assumed(CAUSAL)
        return frozenset()
    told = [txn for txn in txns if txn.outcome == INFO and any(mop.kind == READ and mop.value is not UNSEEN for mop in txn.mops)]
    if told and not _causal_with(txns):
        settled.undecided = (
            f"#{told[0].call}, whose outcome is unknown, reports what it read; nothing here decides {CAUSAL} with such reads"
        )
        return frozenset()
    settled.holds |= implied([CAUSAL])
    return frozenset()


def _causal_with(txns: Sequence[Txn]) -> bool:
    """The same if what observed transactions of unknown outcome report to have read counts."""
    from checkers.weak_isolation.levels import judge

    versions = Versions(txns)
    if versions.repeated is not None:  # who of the writers of a value was observed is not known
        return False
    committed = versions.committed
    return judge([txn._replace(outcome=OK) if committed[txn.number] else txn for txn in txns], sessions=False).broken is None


def _orders(txns: Sequence[Txn], model: str, settled: Settled, assumed: Sequence[str], by_sessions: bool, expected: str) -> frozenset[str]:
    """Complete for those of ASKED, but for what was assumed; of others what follows. Gives what is violated."""
    from checkers.serial.checker import judge

    asked = model if model in ASKED else next((stronger for stronger in ASKED if model in implied([stronger])), None)
    if asked is None:
        return frozenset()
    if len(txns) > MANY and asked in NO_TIME and not by_sessions and _keeps(asked, assumed) and has_serial_order(txns, SLACKS):
        settled.holds |= implied(["serializable"])
        return frozenset()
    verdict = judge(txns, asked, by_sessions=by_sessions)
    held = implied(verdict.holds) if verdict.valid is True else frozenset()
    kept = frozenset(one for one in held if _keeps(one, assumed))
    settled.holds |= implied(kept)
    if model == expected and model not in settled.holds:
        settled.undecided = _why(verdict, model, asked, bool(held))
    return _take(settled, verdict) if verdict.valid is False else frozenset()


def _take(settled: Settled, verdict: Verdict) -> frozenset[str]:
    """Add anomalies of types that are not known yet."""
    fresh = [anomaly for anomaly in verdict.anomalies if anomaly.type not in settled.counts]
    settled.anomalies += fresh
    settled.counts.update({anomaly.type: verdict.counts[anomaly.type] for anomaly in fresh})
    return frozenset(model for anomaly in fresh for model in anomaly.rules_out)


def _keeps(model: str, assumed: Sequence[str]) -> bool:
    """An order of the model keeps what was assumed. That what is read before a write comes before it, all of them keep."""
    within = implied([model])
    sessions = "strong-session-snapshot-isolation" in within
    real_time = "strong-snapshot-isolation" in within
    return (SEQUENTIAL not in assumed or sessions) and (LINEARIZABLE not in assumed or real_time)


def _assumed(model: str) -> str:
    return f"no anomaly breaks {model}, and an order that explains all reads exists, but it need not keep what was assumed of the keys"


def _why(verdict: Verdict, model: str, asked: str, found: bool) -> str:
    if verdict.valid == "unknown":
        return f"no anomaly breaks {model}; whether {asked} holds was not found out: {verdict.reason}"
    if found:
        return _assumed(model)
    if model != asked:
        return f"no anomaly breaks {model}, but {asked}, which would imply it, does not hold"
    return ""
