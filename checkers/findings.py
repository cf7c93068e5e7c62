"""From findings to a verdict: what breaks the promise, what the promised model allows, and eight witnesses of each type.

Why it exists  every purpose-made checker ends alike: the findings decide against the model expected, all of them are counted, few are told.
Relies on      a finding that rules no consistency model out breaks what the workload itself promises, whatever the model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from checkers.models import model_named, ruled_out, table, weakest
from harness.verdict import Anomaly, Verdict

SHOWN = 8


class Findings:
    """Collects findings; `severity` lists the types that there are, the worst first; `harmless` ones are shown and break nothing."""

    def __init__(self, expected: str, severity: Sequence[str], harmless: Sequence[str] = ()) -> None:
        self.expected, self.severity, self.harmless = expected, severity, harmless
        self.counts: Counter[str] = Counter()
        self.broken: set[str] = set()
        self._models: set[str] = set()
        self._implied: frozenset[str] | None = None  # of the model expected; looked up once something is found
        self._shown: dict[str, list[Anomaly]] = {}

    def add(
        self, type_: str, rules_out: Sequence[str], tell: Callable[[], Anomaly], *, always: bool = False, allowed: bool = False
    ) -> None:
        """One finding; `rules_out`: the weakest models that it breaks; `always`: it breaks the promise under every model, as one that rules
        out none does; `allowed`: it breaks none; `tell` is called for those that are shown."""
        self.counts[type_] += 1
        self._models.update(rules_out)
        if type_ not in self.harmless and not allowed and (always or not rules_out or self._promises(rules_out)):
            self.broken.add(type_)
        shown = self._shown.setdefault(type_, [])
        if len(shown) < SHOWN:
            anomaly = tell()
            anomaly.rules_out = list(rules_out)
            shown.append(anomaly)

    def verdict(self, facts: dict[str, Any], unknown: str = "", said: str = "") -> Verdict:
        """`unknown`: why nothing can be said if nothing is broken; `said`: what a valid verdict does not cover."""
        order = sorted(self.counts, key=lambda type_: (type_ not in self.broken, self.severity.index(type_)))
        anomalies = [anomaly for type_ in order for anomaly in self._shown[type_]]
        counts = {type_: self.counts[type_] for type_ in order}
        violated = weakest(model for model, implied in table().implies.items() if implied & self._models) if self._models else []
        if self.broken:
            return Verdict(False, anomalies=anomalies, counts=counts, not_models=violated, facts=facts)
        allowed = ", ".join(f"{type_} ×{count}" for type_, count in counts.items() if type_ not in self.harmless)
        reasons = [unknown, f"{self.expected} allows what was found: {allowed}" if allowed else "", said]
        reason = "; ".join(reason for reason in reasons if reason)
        return Verdict("unknown" if unknown else True, reason, anomalies, counts, violated, facts=facts)

    def _promises(self, models: Sequence[str]) -> bool:
        """Whether the model expected implies one of these; no name means the strictest."""
        if not self.expected:
            return True
        if self._implied is None:
            implies = table().implies
            self._implied = implies[model_named(self.expected)] | implies[model_named(self.expected, transactions=False)]
        return not self._implied.isdisjoint(models)


@cache
def broken_by(*types: str) -> tuple[str, ...]:
    """The weakest models that one of these anomalies of transactions rules out."""
    return tuple(weakest(ruled_out(types)))
