"""Pause: every process of a node stands still, and later goes on as if no time had passed.

Breaks        leases and locks (a holder that slept past its lease acts on it), failure detectors, leaders that were deposed meanwhile.
Kinds         one kind; the target says whose.
Mechanism     SIGSTOP to all processes of the node, again and again until none runs; SIGCONT by the agent, also when the harness is dead.
Proof         every thread is in state T; exercised: there were processes, and none ran until the fault ended (unread bytes are shown).
Undone by     heal, the run's end, the harness's death, the agent's death (its watchdog).
Cannot reach  the kernel: it goes on accepting connections and acknowledging TCP for the sleeping process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, ClassVar

from harness.fault import Outcome, View
from harness.plane import FaultPlane
from nemeses.outcomes import proved, undone


class Pause:
    """SIGSTOP, then SIGCONT."""

    name: ClassVar[str] = "pause"
    effect: ClassVar[str] = "pause"
    title: ClassVar[str] = "processes stand still, and go on later"
    params: ClassVar[Mapping[str, Any]] = {}

    def draw(self, rng: Random, nodes: Sequence[str], failover_s: float) -> tuple[Any, dict[str, Any]]:
        """Mostly one node, often the primary: a zombie leader is the point of it."""
        return rng.choice(["one", "primary-or-one", "primary-or-one", "minority", "majority"]), {}

    async def inject(self, plane: FaultPlane, token: str, targets: Sequence[str], params: Mapping[str, Any], view: View) -> Outcome:
        """Stop the targets. A node without processes is left out; if none has any, nothing is done."""
        evidence = await plane.pause(token, targets)
        down = [node for node, shown in evidence.get("nodes", {}).items() if not shown["pids"]]
        if down and len(down) == len(targets):
            await plane.undo(token)
            return Outcome("skipped", f"{', '.join(down)} had no process to stop: down already", evidence)
        if down and all(shown["in_place"] for node, shown in evidence["nodes"].items() if node not in down):
            return Outcome("injected", evidence={**evidence, "in_place": True, "left_out": down})
        return await proved(plane, token, evidence)

    async def heal(self, plane: FaultPlane, token: str) -> Outcome:
        """Continue what no other token holds."""
        return await undone(plane, token)
