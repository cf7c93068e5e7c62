"""Unexpected exit: a node's service ended by itself.

Decides    whether every end of a service was one that we caused.
Right      a process that was killed by us, or by the teardown, is not counted: the cluster knows which exits it asked for.
Unknown    never.
Rules out  no consistency model; it is a finding of its own name `unexpected-exit` (a panic, an assertion, an out-of-memory kill).
Source     DESIGN 7 (a node that ended by itself is a finding of its own).
"""

from __future__ import annotations

from typing import Any, ClassVar

from harness.checker import CheckContext
from harness.history.history import History
from harness.verdict import Anomaly, Verdict


class UnexpectedExit:
    """Reads the run's `unexpected-exit` events."""

    name: ClassVar[str] = "unexpected-exit"

    def __init__(self, **options: Any) -> None:
        self.options = options

    def check(self, history: History, context: CheckContext) -> Verdict:
        """One anomaly an exit, the first 8 shown."""
        exits = [event for event in context.events if event.get("event") == "unexpected-exit"]
        anomalies = [
            Anomaly(
                "unexpected-exit",
                f"the service of {event.get('node')} ended by itself at {event['time'] / 1e9:.1f} s with code {event.get('code')}"
                + (f"; its last words: {event['says']}" if event.get("says") else ""),
                witness={key: event.get(key) for key in ("node", "code", "says", "time")},
            )
            for event in exits[:8]
        ]
        return Verdict(not exits, anomalies=anomalies, counts={"unexpected-exit": len(exits)} if exits else {})
