"""From what was found to a verdict: which models are ruled out, which are shown to hold, and what that says of the one promised.

Why it exists  lists and registers find anomalies in different ways; what an anomaly means for a model does not depend on how it was found.
Relies on      checkers/data/models.tsv. A model that no anomaly rules out holds only if the caller decided it: absence of anomalies is no
               proof of a model that the rules do not decide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

from checkers.models import implied, prohibited, ruled_out, strongest, weakest
from checkers.transactions.cycles import CYCLE_TYPES, Cycle
from checkers.transactions.txns import Txn
from harness.verdict import Anomaly, Verdict

SHOWN = 8
STRICT = "strict-serializable"
SEVERITY = {
    type_: place
    for place, type_ in enumerate((
        "duplicate-elements", "incompatible-order", "cyclic-versions", "garbage-read", "dirty-update", "G1a", "G1b", "future-read",
        "internal", "lost-update", "fractured-read", *CYCLE_TYPES,
    ))
}  # fmt: skip
# What the cycles and phenomena of a known version order decide, each model by itself.
DECIDED = frozenset({
    "read-uncommitted", "read-committed", "consistent-view", "repeatable-read", "snapshot-isolation", "serializable", "strict-serializable",
    "read-atomic", "strong-read-uncommitted", "strong-read-committed", "strong-session-read-uncommitted", "strong-session-read-committed",
    "strong-session-serializable", "strong-session-snapshot-isolation", "strong-snapshot-isolation",
})  # fmt: skip


def compose(
    counts: Counter[str], anomalies: Iterable[Anomaly], expected: str, facts: dict[str, Any], decided: frozenset[str], undecided: str = ""
) -> Verdict:
    """The verdict against the model promised.

    Args:    decided: models that hold unless an anomaly rules them out, and all that they imply; undecided: why the promised one may be
             none of them.
    Returns: `facts` with "also_not" added: what else is ruled out, beside the weakest models of `not`.
    """
    anomalies = list(anomalies)
    banned = prohibited(expected)
    broken = {type_ for type_ in counts if type_ in banned} | {anomaly.type for anomaly in anomalies if expected in anomaly.rules_out}
    violated = ruled_out(counts).union(*(anomaly.rules_out for anomaly in anomalies))
    order = {type_: (type_ not in broken, SEVERITY.get(type_, len(SEVERITY)), type_) for type_ in counts}
    tolerated = sorted(frozenset(counts) - broken, key=order.__getitem__)
    holding = decided - violated
    valid: Any = False if broken else True if expected in implied(holding) else "unknown"
    reason = ""
    if valid == "unknown":
        reason = undecided or f"what was found does not break {expected}, but these rules cannot show that it holds either"
    elif counts and valid:
        reason = f"{expected} allows what was found: {', '.join(tolerated)}"
    lowest = weakest(violated)
    return Verdict(
        valid,
        reason=reason,
        anomalies=sorted(anomalies, key=lambda anomaly: order[anomaly.type]),
        counts={type_: counts[type_] for type_ in sorted(counts, key=order.__getitem__)},
        not_models=lowest,
        holds=strongest(holding),
        facts={**facts, "also_not": sorted(violated - set(lowest))} if violated else facts,
    )


class Found(Protocol):
    """What was found beside cycles: its type, and the transactions that show it."""

    @property
    def type(self) -> str:
        """The anomaly's name."""
        ...

    @property
    def txns(self) -> tuple[Txn, ...]:
        """In the order in which it tells of them."""
        ...


F = TypeVar("F", bound=Found)


def first_of_each(findings: Sequence[F], limit: int) -> list[F]:
    """At most `limit` of each type, those with the fewest transactions first, then in order of the history."""
    by_type: dict[str, list[F]] = {}
    for finding in findings:
        by_type.setdefault(finding.type, []).append(finding)
    chosen: list[F] = []
    for same in by_type.values():
        chosen += sorted(same, key=lambda finding: (len(finding.txns), [txn.call for txn in finding.txns]))[:limit]
    return chosen


def shown(found: Sequence[Cycle]) -> list[Cycle]:
    """The shortest cycles of each type, a few."""
    by_type: dict[str, list[Cycle]] = {}
    for cycle in found:
        by_type.setdefault(cycle.type, []).append(cycle)
    return [cycle for same in by_type.values() for cycle in sorted(same, key=lambda cycle: (len(cycle.steps), cycle.steps))[:SHOWN]]
