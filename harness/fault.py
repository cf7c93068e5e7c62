"""A fault: what it breaks, how it is drawn, injected and healed; one file each in nemeses/.

Why it exists  schedules, coverage and reports treat all faults alike; what differs stands in the fault's own file.
Relies on      the plane's evidence: an outcome says what was proved, never what was asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random
from typing import Any, ClassVar, NamedTuple, Protocol

import msgspec

from harness.plane import FaultPlane


class Outcome(msgspec.Struct):
    """How a fault op ended.

    result    "injected" (verified in place), "skipped" (nothing done, why), "failed" (tried, not in place, why), "healed", "unknown"
    why       for skipped, failed, unknown
    evidence  JSON from the plane: mechanism, pairs or nodes, in_place; of a heal: exercised
    """

    result: str
    why: str = ""
    evidence: dict[str, Any] = {}

    @property
    def op_type(self) -> str:
        """Nemesis ops: ok = injected or healed and verified, fail = skipped or failed, info = unknown."""
        return {"injected": "ok", "healed": "ok", "unknown": "info"}.get(self.result, "fail")


class View(NamedTuple):
    """What a fault may know when it strikes: node names, roles, who is primary now, randomness from the plan's seed, T."""

    nodes: Sequence[str]
    roles: Mapping[str, str]
    primaries: Callable[[], Awaitable[Sequence[str]]]
    rng: Random
    failover_s: float


class Fault(Protocol):
    """A kind of fault. `effect` is the plane's mechanism that it needs (links, process, pause, clock)."""

    name: ClassVar[str]
    effect: ClassVar[str]
    title: ClassVar[str]
    params: ClassVar[Mapping[str, Any]]  # parameter -> default

    def draw(self, rng: Random, nodes: Sequence[str], failover_s: float) -> tuple[Any, dict[str, Any]]:
        """A random (target spec, params) for schedules made from `--nemesis`."""
        ...

    async def inject(self, plane: FaultPlane, token: str, targets: Sequence[str], params: Mapping[str, Any], view: View) -> Outcome:
        """Strike `targets` (resolved node names)."""
        ...

    async def heal(self, plane: FaultPlane, token: str) -> Outcome:
        """End what `token` began; twice is once."""
        ...
