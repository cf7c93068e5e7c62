"""The worker of nemesis ops: resolves whom a fault strikes, strikes, and records what was proved.

Why it exists  a nemesis op is recorded like a client's, with a truth of its own: ok = injected and verified, fail = skipped or failed, with
               why, info = unknown. The end of a fault is an op too, `heal`, whose value names the injection by its index.
Relies on      the faults for what to do, the plane for evidence. Randomness is the op's own (seed, line, turn), so concurrent faults draw
               the same whatever happens first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random
from typing import Any

from harness.errors import SplitbrainError, Unsupported
from harness.fault import Fault, Outcome, View
from harness.op import Op
from harness.plane import FaultPlane
from nemeses.targets_spec import NoTarget, resolve


class NemesisWorker:
    """One nemesis thread's worker; all of a run share `held`: token -> the fault that heals it."""

    blocking = False
    read_only: frozenset[str] = frozenset()
    node: str | None = None

    def __init__(self, plane: FaultPlane, faults: Mapping[str, Fault], view: View, held: dict[int, Fault], seed: int = 0) -> None:
        self.plane, self.faults, self.view, self.held, self.seed = plane, faults, view, held, seed
        self._turn = 0

    async def invoke(self, op: Op) -> Op:
        """The completion: what was really done, with evidence."""
        try:
            if op.f == "heal":
                return await self._heal(op)
            return await self._inject(op)
        except (SplitbrainError, OSError, TimeoutError) as error:  # the helper or the cluster died: nobody knows what it did
            return _done(op, Outcome("unknown", str(error).partition("\n")[0] or type(error).__name__), op.value)

    async def _inject(self, op: Op) -> Op:
        fault, asked = self.faults[op.f], op.value
        self._turn += 1
        view = self.view._replace(rng=Random(f"{self.seed} {asked['line']} {self._turn}"))
        targets: list[str] = []
        try:
            if asked["target"]:
                targets = await resolve(asked["target"], view)
            self.held[op.index] = fault  # before: an injection that is cut off in the middle can still be healed
            outcome = await fault.inject(self.plane, str(op.index), targets, asked["params"], view)
        except (NoTarget, Unsupported) as refusal:
            outcome = Outcome("skipped", str(refusal))
        if outcome.result in ("skipped", "failed"):
            self.held.pop(op.index, None)
        return _done(op, outcome, {**asked, **_struck(targets, outcome.evidence)})

    async def _heal(self, op: Op) -> Op:
        of = op.value["of"]
        if of == "all":
            self.held.clear()
            evidence = await self.plane.heal(closing=True)
            why = "; ".join(evidence["left"])
            return _done(op, Outcome("healed" if evidence["healed"] else "failed", why, evidence), op.value)
        fault = self.held.pop(of, None)
        if fault is None:
            return _done(op, Outcome("healed", evidence={"exercised": False, "in_place": True}), op.value)
        return _done(op, await fault.heal(self.plane, str(of)), op.value)

    def retire(self) -> None:
        """A nemesis never retires."""

    async def close(self) -> None:
        """The plane is closed by the cluster."""
        await asyncio.sleep(0)


def _struck(targets: list[str], evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Whom it struck, in the words of the report: pairs of a cut, else nodes."""
    pairs = evidence.get("pairs")
    if isinstance(pairs, list):
        return {"nodes": targets, "pairs": [[pair["src"], pair["dst"]] for pair in pairs]}
    nodes = evidence.get("nodes")
    return {"nodes": sorted(nodes) if isinstance(nodes, dict) else targets}


def _done(op: Op, outcome: Outcome, value: Mapping[str, Any]) -> Op:
    done: dict[str, Any] = {**value, "result": outcome.result}
    if outcome.evidence:
        done = {**done, "mechanism": outcome.evidence.get("mechanism", ""), "evidence": outcome.evidence}
    return Op(-1, 0, op.process, outcome.op_type, op.f, done, outcome.why or None)
