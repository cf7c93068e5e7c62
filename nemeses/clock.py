"""Clock faults: a node's service sees a wall clock that is wrong.

Breaks        whatever trusts wall time: leases, TTLs, last-write-wins, time-based ids. Monotonic time stays true.
Kinds         bump (once), drift (a rate), strobe (on and off), reset (true time for the targets, whatever other faults asked).
Mechanism     the vDSO of the live process is patched; the host's clock is never touched.
Proof         the process's own clock code, run in a child of the agent, shows what was asked, within 50 ms; exercised: still at the end.
Undone by     heal, reset, the run's end, the harness's death, the agent's death. A restart inside the window is patched again.
Cannot reach  raw system calls, kernel timers, file times. An absolute wait can hang for as long as a positive skew: such stalls may be
              artefacts; verdicts on safety stand. So amplitudes stay below a few seconds unless a schedule says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, ClassVar

from harness.fault import Outcome, View
from harness.plane import ClockChange, FaultPlane
from nemeses.outcomes import proved, undone

SHAPES = ("bump", "drift", "strobe", "reset")
AMPLITUDE_S = (0.3, 3.0)  # last-write-wins loses writes from the width of an op on; beyond a few seconds waits hang (see above)


class Clock:
    """Wrong wall clocks."""

    name: ClassVar[str] = "clock"
    effect: ClassVar[str] = "clock"
    title: ClassVar[str] = "a service's wall clock is wrong: bump, drift, strobe, reset"
    params: ClassVar[Mapping[str, Any]] = {"shape": "bump", "offset": "1s", "rate": 1.5, "amplitude": "1s", "period": "400ms"}
    choices: ClassVar[Mapping[str, Sequence[str]]] = {"shape": SHAPES}
    long: ClassVar[bool] = True  # schedules from names let it last, so that other faults fall into it
    times: ClassVar[frozenset[str]] = frozenset({"offset", "amplitude", "period"})  # these arrive in seconds

    def __init__(self) -> None:
        self._held: dict[str, list[str]] = {}  # token -> nodes: what a reset takes away

    def draw(self, rng: Random, nodes: Sequence[str], failover_s: float) -> tuple[Any, dict[str, Any]]:
        """A few seconds at most, either way; mostly on some of the nodes, for it is disagreement that breaks."""
        low, high = (math.log(limit) for limit in AMPLITUDE_S)
        amplitude = round(math.exp(rng.uniform(low, high)) * rng.choice([-1, 1]), 3)
        target = rng.choice(["one", "one", "primary-or-one", "minority", "majority"])
        shape = rng.choice(["bump", "bump", "drift", "strobe"])
        if shape == "bump":
            return target, {"shape": shape, "offset": amplitude}
        if shape == "drift":
            return target, {"shape": shape, "rate": rng.choice([0.5, 0.8, 1.25, 1.5, 2.0])}
        return target, {"shape": shape, "amplitude": amplitude, "period": round(rng.uniform(0.1, 1.0), 2)}

    async def inject(self, plane: FaultPlane, token: str, targets: Sequence[str], params: Mapping[str, Any], view: View) -> Outcome:
        """Change the targets' clocks. A node without processes is patched when it starts inside the window."""
        if params["shape"] == "reset":
            return await self._reset(plane, targets)
        change = _change(params)
        evidence = await plane.skew(token, dict.fromkeys(targets, change))
        down = [node for node, shown in evidence.get("nodes", {}).items() if not shown["pids"]]
        if down and len(down) < len(targets) and all(shown["in_place"] for node, shown in evidence["nodes"].items() if node not in down):
            evidence = {**evidence, "in_place": True, "left_out": down}
        if down and len(down) == len(targets):
            await plane.undo(token)
            return Outcome("skipped", f"{', '.join(down)} had no process: down", evidence)
        outcome = await proved(plane, token, evidence)
        if outcome.result == "injected":
            self._held[token] = list(targets)
        return outcome

    async def _reset(self, plane: FaultPlane, targets: Sequence[str]) -> Outcome:
        """End every clock fault that concerns a target."""
        tokens = [token for token, nodes in self._held.items() if set(nodes) & set(targets)]
        if not tokens:
            return Outcome("skipped", "no clock of these nodes is wrong")
        evidences = {token: (await self.heal(plane, token)).evidence for token in tokens}
        exercised = any(evidence["exercised"] for evidence in evidences.values())
        in_place = all(evidence["in_place"] for evidence in evidences.values())
        evidence = {"mechanism": "heal", "in_place": in_place, "exercised": exercised, "tokens": evidences}
        return Outcome("injected" if in_place else "failed", "" if in_place else "a clock is still wrong", evidence)

    async def heal(self, plane: FaultPlane, token: str) -> Outcome:
        """True time, as far as no other token asks otherwise."""
        self._held.pop(token, None)
        return await undone(plane, token)


def _change(params: Mapping[str, Any]) -> ClockChange:
    if params["shape"] == "bump":
        return ClockChange(offset_ns=round(params["offset"] * 1e9))
    if params["shape"] == "drift":
        return ClockChange(rate=float(params["rate"]))
    return ClockChange(strobe_ns=round(params["amplitude"] * 1e9), strobe_period_ns=round(params["period"] * 1e9))
