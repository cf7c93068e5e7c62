"""Driving a run's load: healthy phase, faults, heal, settle, final reads, as one generator over client and nemesis threads.

Why it exists  what the clients do and what breaks must be one schedule, or phases could not be told apart in the history.
Relies on      one load generator for all phases (its values stay unique and growing), which ends with its nemesis: the nemesis thread
               sleeps through the healthy and the fault phase, heals everything, sleeps while the system settles, and is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from harness.client_worker import ClientWorker
from harness.cluster import Cluster
from harness.events import EventLog
from harness.fault import View
from harness.generators import Thread
from harness.interpreter import Interpreter
from harness.journal import Journal
from harness.live import LiveView
from harness.op import NEMESIS
from harness.plan import Plan
from harness.registry import find
from harness.target import Access, Target
from harness.workload import Workload

FINAL_LIMIT_S = 60.0
PRIMARIES_EVERY_S = 0.5
SLACK_S = 120.0  # beyond healthy + time limit + settle the whole drive is over, whatever hangs


class Drive:
    """One run's load and faults, from the first op to the last final read."""

    def __init__(
        self,
        plan: Plan,
        target: Target,
        cluster: Cluster,
        workload: Workload,
        events: EventLog,
        view: LiveView,
        folder: Path,
        stop: asyncio.Event,
        access: Callable[[str], Access],
        phase: Callable[..., None],
    ) -> None:
        self.plan, self.target, self.cluster, self.workload = plan, target, cluster, workload
        self.events, self.view, self.folder, self.stop, self.access, self.phase = events, view, folder, stop, access, phase
        self.names = [node.name for node in cluster.nodes]
        self.threads = plan.threads(len(self.names))
        self.failover_s = float(target.opt.get("T") or target.failover_s)
        self.settle_s = max(3.0, 2 * self.failover_s, target.settle_s)
        self.primaries: list[str] = []
        self.now_phase = ""

    async def run(self, recover: Callable[[], Awaitable[list[dict[str, Any]]]]) -> None:
        """Healthy, fault, heal, settle, final; an interruption skips to the heal."""
        plan = self.plan
        mechanisms = await self.cluster.plane.mechanisms()
        driver = find("schedules", "driver")(
            nemesis=plan.nemesis,
            schedule=plan.schedule,
            interval_s=plan.interval,
            seed=plan.seed,
            failover_s=self.failover_s,
            time_limit_s=plan.time_limit,
            nodes=self.names,
        )
        self.events.emit("faults", {"faults": driver.possible(mechanisms)})
        self.events.emit("failover", {"T": self.failover_s, "settle_s": self.settle_s})
        header = {"splitbrain": 1, "run": self.folder.name, "workload": self.workload.name, "target": self.target.name}
        journal = Journal(self.folder / "history.jsonl", header)
        workers = self._workers(driver, recover)
        interpreter = Interpreter(workers, journal, clock=self.events.now, op_timeout_s=plan.op_timeout, observe=self._observe)
        watcher = asyncio.create_task(self._watch_primaries())
        try:
            await self._load(interpreter, driver)
            await self._final(interpreter)
            self.events.emit("lag", msgspec.to_builtins(interpreter.summary()))
        finally:
            watcher.cancel()
            await interpreter.close()
            journal.close()
            self._store_schedule(driver)

    def _workers(self, driver: Any, recover: Callable[[], Awaitable[list[dict[str, Any]]]]) -> dict[Thread, Any]:
        def open_client(node: str) -> Any:
            return self.target.client(self.access(node))

        roles = {node.name: node.role for node in self.cluster.nodes}
        view = View(self.names, roles, self._ask_primaries, Random(self.plan.seed), self.failover_s)
        workers: dict[Thread, Any] = {
            i: ClientWorker(self.workload, open_client, self.names[i % len(self.names)]) for i in range(self.threads)
        }
        workers.update(driver.workers(self.cluster.plane, view))
        workers[NEMESIS] = _HealWorker(self.cluster, recover, self.events)
        return workers
