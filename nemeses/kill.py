"""Kill: SIGKILL to every process of a node's service; it stays down until the fault ends, and is started again then.

Breaks        what was acknowledged before it was on disk, recovery, leader election, clients that do not notice.
Kinds         one kind; the target says whose: one, minority, all at once, the primary.
Mechanism     SIGKILL by the cluster (container: docker kill), to all targets at the same time; data stays.
Proof         no process of the service is left; exercised: it had been running, and stayed down.
Undone by     heal and the run's end start it again. The harness's death does not: `splitbrain heal`, or the next run, does.
Cannot reach  what the kernel already holds: unsynced writes survive a kill -9 (they would not survive a power cut).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, ClassVar

from harness.fault import Outcome, View
from harness.plane import FaultPlane
from nemeses.outcomes import proved, undone


class Kill:
    """kill -9, and start again."""

    name: ClassVar[str] = "kill"
    effect: ClassVar[str] = "process"
    title: ClassVar[str] = "kill -9 of services; started again when the fault ends"
    params: ClassVar[Mapping[str, Any]] = {}

    def draw(self, rng: Random, nodes: Sequence[str], failover_s: float) -> tuple[Any, dict[str, Any]]:
        """One node, the primary, or all at once: the last finds acknowledgements that came before the disk."""
        return rng.choice(["one", "one", "primary-or-one", "all"]), {}

    async def inject(self, plane: FaultPlane, token: str, targets: Sequence[str], params: Mapping[str, Any], view: View) -> Outcome:
        """Kill the targets; those that are down already stay down until this ends too."""
        evidence = await plane.kill(token, targets)
        if evidence["in_place"] and not any(node["was_up"] for node in evidence["nodes"].values()):
            await plane.undo(token)
            return Outcome("skipped", f"{', '.join(targets)} had no process: down already", evidence)
        return await proved(plane, token, evidence)

    async def heal(self, plane: FaultPlane, token: str) -> Outcome:
        """Start what no other token holds down."""
        return await undone(plane, token)
