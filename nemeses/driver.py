"""A run's faults in one object: which lines there are, their generator, their workers, what happened in the end.

Why it exists  the run (harness.drive) may not import this room; it finds this class through an entry point and asks it five things.
Relies on      --schedule going before --nemesis where both are given: a replay must not have more faults than what it replays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.fault import Fault, View
from harness.op import Op
from harness.plane import FaultPlane, Mechanism
from harness.registry import find, names
from nemeses.expand import expand
from nemeses.generator import schedule_generator, thread_of
from nemeses.record import recorded
from nemeses.schedule import read_schedule
from nemeses.worker import NemesisWorker


class ScheduleDriver:
    """The schedule of one run. UsageError for a fault, target or time that cannot be."""

    def __init__(
        self,
        *,
        nemesis: Sequence[str],
        schedule: str,
        interval_s: float,
        seed: int,
        failover_s: float,
        time_limit_s: float,
        nodes: Sequence[str],
    ) -> None:
        self.seed = seed
        made = {name: find("faults", name)() for name in dict.fromkeys([*names("faults"), *nemesis])}
        self.faults: dict[str, Fault] = {fault.name: fault for fault in made.values()}
        kinds = [made[name].name for name in nemesis]  # a nemesis may be a user's file: ./frost.py:Frost
        if schedule:
            self.lines = read_schedule(Path(schedule), self.faults, failover_s, time_limit_s, nodes)
        else:
            self.lines = expand(kinds, self.faults, interval_s, seed, failover_s, time_limit_s, nodes)
        self.asked: list[str] = list(dict.fromkeys([*kinds, *(line.fault for line in self.lines)]))

    def possible(self, mechanisms: Mapping[str, Mechanism]) -> dict[str, dict[str, Any]]:
        """Each kind that was asked for: can this cluster make it, and why not."""
        return {kind: _possible(mechanisms.get(self.faults[kind].effect)) for kind in self.asked}

    def threads(self) -> list[str]:
        """A nemesis thread for each line."""
        return [thread_of(number) for number in range(len(self.lines))]

    def workers(self, plane: FaultPlane, view: View) -> dict[str, NemesisWorker]:
        """A worker for each thread."""
        held: dict[int, Fault] = {}
        return {thread: NemesisWorker(plane, self.faults, view, held, self.seed) for thread in self.threads()}

    def generator(self, start_ns: int, end_ns: int) -> Any:
        """The schedule's ops, from the start of the fault phase to its end (ns since the run's start)."""
        instant = frozenset(name for name, fault in self.faults.items() if getattr(fault, "instant", False))
        return schedule_generator(self.lines, instant, start_ns, end_ns)

    def recorded(self, ops: Iterable[Op], start_ns: int) -> str:
        """schedule.toml: what really happened."""
        return recorded(ops, start_ns, self.faults)


def _possible(mechanism: Mechanism | None) -> dict[str, Any]:
    if mechanism is None:
        return {"possible": False, "why": "this cluster has no way to make it"}
    if not mechanism.works:
        return {"possible": False, "why": mechanism.why + (f"; {mechanism.mend}" if mechanism.mend else "")}
    return {"possible": True, "why": "", "mechanism": mechanism.name}
