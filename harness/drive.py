"""Driving a run's load: healthy phase, faults, heal, settle, final reads, as one generator over client and nemesis threads.

Why it exists  what the clients do and what breaks must be one schedule, or phases could not be told apart in the history.
Relies on      one load generator for all phases (its values stay unique and growing), which ends with its nemesis: the nemesis thread
               sleeps through the healthy and the fault phase, heals everything, sleeps while the system settles, and is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from harness import generators as gen
from harness.client_worker import ClientWorker
from harness.cluster import Cluster
from harness.errors import LostError, SplitbrainError
from harness.events import EventLog
from harness.fault import View
from harness.generators import Thread
from harness.interpreter import NEMESIS_TIMEOUT_S, SECOND, Interpreter
from harness.journal import Journal
from harness.live import LiveView
from harness.op import FAIL, INVOKE, NEMESIS, OK, Op
from harness.plan import Plan
from harness.registry import find
from harness.target import Access, Target
from harness.workload import Workload

log = logging.getLogger(__name__)
FINAL_LIMIT_S = 60.0
PRIMARIES_EVERY_S, PRIMARIES_LIMIT_S = 0.5, 2.0
STORE_EVERY_NS = 2 * SECOND
PHASES = ("", "healthy", "fault", "heal", "settle", "final")
HEAL_ALL = {"f": "heal", "value": {"of": "all"}}
QUIET = 1 / 3  # the last part of settling has no load: what was just acknowledged needs its time as well, before a final read misses it
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
        self.now_phase = ""
        self.start_ns = self.stored_ns = 0
        self.struck: list[Op] = []

    async def run(self, recover: Callable[[], Awaitable[list[dict[str, Any]]]]) -> None:
        """Healthy, fault, heal, settle, final; an interruption skips to the heal."""
        plan = self.plan
        mechanisms = await self.cluster.plane.mechanisms()
        driver = self.driver = find("schedules", "driver")(
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
            self._store_schedule()
        if self.healer.lost is not None:
            raise self.healer.lost

    def _workers(self, driver: Any, recover: Callable[[], Awaitable[list[dict[str, Any]]]]) -> dict[Thread, Any]:
        def open_client(node: str) -> Any:
            return self.target.client(self.access(node))

        roles = {node.name: node.role for node in self.cluster.nodes}
        view = View(self.names, roles, self._ask_primaries, Random(self.plan.seed), self.failover_s)
        workers: dict[Thread, Any] = {
            i: ClientWorker(self.workload, open_client, self.names[i % len(self.names)], self._blocking()) for i in range(self.threads)
        }
        workers.update(driver.workers(self.cluster.plane, view))
        workers[NEMESIS] = self.healer = _HealWorker(self.cluster, recover, float(self.target.opt["ready_timeout"]))
        return workers

    def _blocking(self) -> bool:
        """True for a client without one coroutine: its calls get threads."""
        return not any(inspect.iscoroutinefunction(method) for _, method in inspect.getmembers(self.target.client_class()))

    async def _load(self, interpreter: Interpreter, driver: Any) -> None:
        """Load over the healthy phase, the faults, the heal and the settling; what is left of that after an interruption."""
        plan, now = self.plan, self.events.now()
        self.start_ns = now + round(plan.healthy * SECOND)
        end_ns = self.start_ns + round(plan.time_limit * SECOND)
        self._enter("healthy")
        struck = asyncio.get_running_loop().call_later(plan.healthy, self._enter, "fault")
        load = gen.clients(gen.stagger(1 / plan.rate, self.workload.load(), plan.seed))
        wait = gen.sleep(plan.healthy + plan.time_limit)
        loaded_s = self.settle_s * (1 - QUIET)
        settled = gen.log("settled")  # a child has ended when its last op went out: with this, that is after the sleep
        faults = gen.any_of(_on_nemesis([wait, HEAL_ALL, gen.sleep(loaded_s), settled]), driver.generator(self.start_ns, end_ns))
        limit_s = plan.healthy + plan.time_limit + self.settle_s + self.healer.limit_s + SLACK_S
        await interpreter.run(gen.shortest_any(load, faults), limit_s, self.stop)
        struck.cancel()
        if self.healer.healed_s is None:  # interrupted, also in the middle of the heal; or the load ended first
            await interpreter.run(_on_nemesis([HEAL_ALL]), self.healer.limit_s + SLACK_S)
        settled_s = (self.healer.healed_s or time.monotonic()) + self.settle_s  # an interruption never shortens it: final reads rely on it
        await asyncio.sleep(max(self.settle_s * QUIET, settled_s - time.monotonic()))

    async def _final(self, interpreter: Interpreter) -> None:
        self._enter("final")
        final = self.workload.final()
        if final is not None:
            await interpreter.run(gen.clients(final), FINAL_LIMIT_S)

    def _enter(self, phase: str) -> None:
        if PHASES.index(phase) > PHASES.index(self.now_phase):
            self.now_phase = phase
            self.phase(phase)

    def _observe(self, op: Op) -> None:
        """See each recorded op: the live view, the phases that a heal begins and ends, the schedule as it happened."""
        self.view.on_op(op)
        if op.is_client:
            return
        self.struck.append(op)
        if op.process == NEMESIS:
            self._enter("heal" if op.type == INVOKE else "settle")
        if op.type != INVOKE and self.events.now() - self.stored_ns > STORE_EVERY_NS:
            self._store_schedule()

    def _store_schedule(self) -> None:
        self.stored_ns = self.events.now()
        with contextlib.suppress(OSError):  # a full disk: the history says it; the same stands in the history
            (self.folder / "schedule.toml").write_text(self.driver.recorded(self.struck, self.start_ns))

    async def _ask_primaries(self) -> Sequence[str]:
        """Who believes to be primary now; () if nobody answers in time."""
        try:
            return list(await asyncio.wait_for(self.target.primaries(self.cluster), PRIMARIES_LIMIT_S))
        except Exception as error:  # a target's own question, asked while its nodes are broken
            log.info("primaries: %s: %s", type(error).__name__, error)
            return ()

    async def _watch_primaries(self) -> None:
        """Emit each change of who is primary, with the time for which nobody was seen to be one: the T that the run saw."""
        if type(self.target).primaries is Target.primaries:
            return
        known: Sequence[str] = ()
        seen_ns = 0
        while True:
            found = sorted(await self._ask_primaries())
            now = self.events.now()
            if found and found != known:
                self.events.emit(
                    "primary-changed", {"primaries": found, "before": known, "unseen_s": round((now - (seen_ns or now)) / SECOND, 2)}
                )
                known = found
            if found:
                seen_ns = now
            await asyncio.sleep(PRIMARIES_EVERY_S)


def _on_nemesis(script: list[Any]) -> gen.Generator:
    return gen.on_threads(lambda thread: thread == NEMESIS, script)


class _HealWorker:
    """The nemesis thread that ends all faults and waits until every node serves again; it never retires."""

    blocking = False
    read_only: frozenset[str] = frozenset()
    node: str | None = None

    def __init__(self, cluster: Cluster, recover: Callable[[], Awaitable[list[dict[str, Any]]]], ready_s: float) -> None:
        self.cluster, self.recover = cluster, recover
        self.limit_s = NEMESIS_TIMEOUT_S + ready_s  # its deadline: all nodes may take their whole time to become ready
        self.healed_s: float | None = None  # when it was done; None also while it is under way
        self.lost: LostError | None = None

    async def invoke(self, op: Op) -> Op:
        """Heal everything; the completion has the evidence of each fault that was still held."""
        try:
            evidence = await self.cluster.plane.heal(closing=True)
        except LostError as error:
            self.lost = error
            evidence = {"healed": False, "left": [error.seen], "tokens": {}}
        except (SplitbrainError, OSError, TimeoutError) as error:  # a node that cannot be started: whether it serves is asked all the same
            evidence = {"healed": False, "left": [str(error).partition("\n")[0] or type(error).__name__], "tokens": {}}
        lost = await self.recover()
        self.healed_s = time.monotonic()
        value = {**op.value, "result": "healed" if evidence["healed"] else "failed", "evidence": evidence, "not_recovered": lost}
        why = "; ".join(evidence["left"]) or None
        return Op(-1, 0, op.process, OK if evidence["healed"] else FAIL, op.f, value, why)

    def retire(self) -> None:
        """A nemesis never retires."""

    async def close(self) -> None:
        """The cluster closes its plane."""
