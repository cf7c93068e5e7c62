"""Not recovered: after everything was healed, a node did not come back.

Decides    whether every node served again after heal, within the time that the plan gives.
Right      the run heals, resumes and restarts all nodes and asks each for readiness; a node that never answers stands in the events.
Unknown    a run whose heal of everything was never completed (killed, or the heal was given up), or left faults.
Rules out  no consistency model; it is a finding about availability, of its own name `not-recovered`.
Source     DESIGN 7 (a cluster that does not come back is a finding of its own).
"""

from __future__ import annotations

from typing import Any, ClassVar

from harness.checker import CheckContext
from harness.history.history import History
from harness.op import INVOKE, NEMESIS, OK, Op
from harness.verdict import Anomaly, Verdict


class NotRecovered:
    """Reads the run's `not-recovered` events."""

    name: ClassVar[str] = "not-recovered"

    def __init__(self, **options: Any) -> None:
        self.options = options

    def check(self, history: History, context: CheckContext) -> Verdict:
        """One anomaly a node."""
        anomalies = [
            Anomaly(
                "not-recovered",
                f"{event['node']} did not serve again within {event['waited_s']:g} s after all faults were healed: {event['says']}",
                witness={key: event[key] for key in ("node", "waited_s", "says")},
            )
            for event in context.events
            if event.get("event") == "not-recovered"
        ]
        if anomalies:
            return Verdict(False, anomalies=anomalies, counts={"not-recovered": len(anomalies)})
        if not context.is_run:
            return Verdict(True)
        asked = [op for op in history.ops if _asked(op)]
        if not asked:
            return Verdict("unknown", reason="the run ended before all faults were healed and every node was asked whether it serves again")
        if asked[-1].type != OK:
            return Verdict("unknown", reason=f"not all faults could be healed: {asked[-1].error}")
        return Verdict(True)


def _asked(op: Op) -> bool:
    """Is it the completion of the heal of everything, which says which nodes did not come back?"""
    return op.process == NEMESIS and op.type != INVOKE and op.f == "heal" and isinstance(op.value, dict) and "not_recovered" in op.value
