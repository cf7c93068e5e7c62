"""From evidence to outcome: an injection that was not proved is undone at once, so that nothing half-broken goes on under a wrong name.

Why it exists  every fault says the same three things of its evidence; how strictly they are meant is decided once.
Relies on      the plane's evidence (harness.plane).
"""

from __future__ import annotations

from harness.fault import Outcome
from harness.plane import Evidence, FaultPlane


async def proved(plane: FaultPlane, token: str, evidence: Evidence) -> Outcome:
    """Injected, if all of it is in place; else failed, with why, and undone."""
    if evidence["in_place"]:
        return Outcome("injected", evidence=evidence)
    await plane.undo(token)
    return Outcome("failed", str(evidence.get("why") or "it did not take effect, and nobody said why"), evidence)


async def undone(plane: FaultPlane, token: str) -> Outcome:
    """Healed, if a probe says so; else failed, with why."""
    evidence = await plane.undo(token)
    if evidence["in_place"]:
        return Outcome("healed", evidence=evidence)
    return Outcome("failed", str(evidence.get("why") or "it is still in effect"), evidence)
