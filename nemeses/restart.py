"""Restart: SIGKILL, and start again at once.

Breaks        recovery from the log, sessions, anything that a process keeps in memory only; with `all`, the cluster's memory of itself.
Kinds         one kind; the target says whose.
Mechanism     as kill, then start, within one op.
Proof         the old processes are gone and new ones run; exercised: there were old ones.
Undone by     itself: it is over when its op completes.
Cannot reach  what the kernel already holds: unsynced writes survive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, ClassVar

from harness.fault import Outcome, View
from harness.plane import FaultPlane
from nemeses.outcomes import proved


class Restart:
    """kill -9 and start."""

    name: ClassVar[str] = "restart"
    effect: ClassVar[str] = "process"
    title: ClassVar[str] = "kill -9 and start at once"
    params: ClassVar[Mapping[str, Any]] = {}
    instant: ClassVar[bool] = True  # over within its own op: there is nothing to heal

    def draw(self, rng: Random, nodes: Sequence[str], failover_s: float) -> tuple[Any, dict[str, Any]]:
        """One node, the primary, or all at once."""
        return rng.choice(["one", "one", "primary-or-one", "all"]), {}

    async def inject(self, plane: FaultPlane, token: str, targets: Sequence[str], params: Mapping[str, Any], view: View) -> Outcome:
        """Kill and start the targets."""
        killed = await proved(plane, token, await plane.kill(token, targets))
        if killed.result != "injected":
            return killed
        started = await plane.undo(token)
        evidence = {**killed.evidence, "started": started.get("nodes", {}), "exercised": started["exercised"]}
        if not started["in_place"]:
            return Outcome("failed", f"{', '.join(targets)} did not start again", evidence)
        if not started["exercised"]:
            return Outcome("skipped", f"{', '.join(targets)} had no process: down already", evidence)
        return Outcome("injected", evidence=evidence)

    async def heal(self, plane: FaultPlane, token: str) -> Outcome:
        """Nothing is left to heal; a token that was cut off in the middle is."""
        return Outcome("healed", evidence=await plane.undo(token))
