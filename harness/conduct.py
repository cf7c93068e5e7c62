"""Conducting a run: the one process that brings the cluster up, drives clients and faults, heals, reads the final state, takes it down.

Why it exists  phases, deadlines and interruptions meet here and nowhere else; each step itself belongs to another room.
Relies on      the interpreter for ops, the cluster for nodes, the plane for faults; everything that must outlive this process is already
               in the store when it happens.

Phases (events.jsonl, `phase`): cluster-up, target-up, healthy, fault, heal, settle, final, down.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from harness.cluster import Cluster, ClusterSpec
from harness.errors import EXIT_INTERRUPTED, EXIT_UNKNOWN, LostError, SetupError
from harness.events import EventLog
from harness.live import LiveView
from harness.plan import Plan
from harness.readiness import await_ready, recovered
from harness.setup import cluster_class, make_target, make_workload
from harness.target import Access, Node, Target

T = TypeVar("T")
UP_LIMIT_S, DOWN_LIMIT_S, FINAL_LIMIT_S, HEAL_LIMIT_S = 120.0, 60.0, 60.0, 60.0


def conduct_run(plan: Plan, folder: Path, run_id: str, quiet: bool) -> int:
    """Run the plan in this process: 0 when the run went to its end, 130 when it was interrupted, 2 when the cluster was lost."""
    logging.basicConfig(filename=folder / "harness.log", level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    return asyncio.run(_Conductor(plan, folder, run_id, quiet).run())


class _Conductor:
    def __init__(self, plan: Plan, folder: Path, run_id: str, quiet: bool) -> None:
        self.plan, self.folder, self.run_id = plan, folder, run_id
        self.target: Target = make_target(plan)
        self.events = EventLog(folder / "events.jsonl")
        self.view = LiveView(plan, text_only=quiet or not sys.stdout.isatty(), silent=quiet)
        self.events.listeners.append(self.view.on_event)
        self.stop = asyncio.Event()
        self.interrupted = False
        nodes = [] if plan.attach else [Node(f"n{i + 1}", i) for i in range(plan.nodes)]
        spec = ClusterSpec(
            target=self.target,
            options=self.target.opt,
            nodes=nodes,
            run_id=run_id,
            logs=folder / "logs",
            work=folder / "work",
            emit=self.events.emit,
            say=self.view.say,
            attach=plan.attach,
            offline=plan.offline,
            owner_pid=int(os.environ.get("SPLITBRAIN_OWNER_PID", os.getpid())),
        )
        self.cluster: Cluster = cluster_class(plan.cluster)(spec)

    async def run(self) -> int:
        """All phases; whatever happens, the cluster is healed and taken down."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupt, number)
        code = 0
        try:
            async with self.view.shown():
                await self._phases()
        except LostError as error:
            self.events.emit("lost", {"says": error.seen})
            print(error, file=sys.stderr, flush=True)
            code = EXIT_UNKNOWN
        finally:
            await self._down()
        return EXIT_INTERRUPTED if self.interrupted else code

    def _interrupt(self, number: int) -> None:
        if self.interrupted:  # asked twice: at once; the agent heals as soon as its stdin ends
            self.view.restore()
            print("stopped at once; faults are healed by the agent; `splitbrain heal` removes the rest", file=sys.stderr)
            print(f"what was recorded is judged by: splitbrain check {self.folder}", file=sys.stderr, flush=True)
            os._exit(EXIT_INTERRUPTED)
        self.interrupted = True
        self.events.emit("interrupted", {"signal": int(number)})
        self.view.say("interrupted: healing, final reads, then the verdict on what there is; once more ends it at once")
        self.stop.set()

    async def _phases(self) -> None:
        from harness.drive import Drive

        plan = self.plan
        self._phase("cluster-up")
        await self._within(UP_LIMIT_S, self.cluster.up(), "the cluster did not come up")
        names = [node.name for node in self.cluster.nodes]
        self.events.emit(
            "nodes", {"nodes": names, "roles": {n.name: n.role for n in self.cluster.nodes}, "labels": _labels(self.cluster.nodes)}
        )
        self.events.emit("cluster", self.cluster.describe())
        self._phase("target-up")
        if not plan.attach:
            await self._within(UP_LIMIT_S, self.cluster.start(names), "the services did not start")
        ready_s = float(self.target.opt["ready_timeout"]) + 10
        await self._within(ready_s, await_ready(self.target, self.cluster, self.access, self.folder), "the nodes did not become ready")
        self._check_concurrency(len(names))
        workload = make_workload(plan, names, self.run_id)
        drive = Drive(plan, self.target, self.cluster, workload, self.events, self.view, self.folder, self.stop, self.access, self._phase)
        await drive.run(self._recovered)

    async def _recovered(self) -> list[dict[str, Any]]:
        return await recovered(self.target, self.cluster, self.access, self.events)

    def access(self, node: str) -> Access:
        """What a client of this run gets for a node."""
        found = next(n for n in self.cluster.nodes if n.name == node)
        return Access(found, self.cluster, self.target.opt, self.plan.op_timeout)

    def _check_concurrency(self, nodes: int) -> None:
        threads = self.plan.threads(nodes)
        self.events.emit("clients", {"threads": threads, "rate": self.plan.rate, "op_timeout_s": self.plan.op_timeout})

    def _phase(self, name: str, says: str = "") -> None:
        self.events.emit("phase", {"phase": name, **({"says": says} if says else {})})

    async def _within(self, limit_s: float, step: Awaitable[T], seen: str) -> T:
        """A step under its deadline, given up when the user interrupts."""
        task = asyncio.ensure_future(step)
        stopped = asyncio.ensure_future(self.stop.wait())
        done, _ = await asyncio.wait({task, stopped}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if task in done:
            return task.result()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
        if self.interrupted:
            raise KeyboardInterrupt
        raise SetupError(
            f"{seen} within {limit_s:g} s", f"nothing was run; logs are in {self.folder / 'logs'}", "read them; splitbrain doctor"
        )

    async def _down(self) -> None:
        self._phase("down")
        keep = self.plan.keep and not self.interrupted
        try:
            await asyncio.wait_for(self.cluster.down(keep), DOWN_LIMIT_S)
        except TimeoutError:
            self.events.emit("not-removed", {"says": f"the cluster was not removed within {DOWN_LIMIT_S:g} s"})
            print("the cluster could not be removed in time.\nWay out: splitbrain heal", file=sys.stderr, flush=True)
        except SetupError as error:
            self.events.emit("not-removed", {"says": str(error)})
            print(error, file=sys.stderr, flush=True)
        self._phase("end")


def _labels(nodes: Sequence[Node]) -> dict[str, str]:
    return {node.name: node.label for node in nodes if node.label}
