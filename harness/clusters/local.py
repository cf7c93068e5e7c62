"""The local cluster: each node a process in a network namespace of its own, all inside one bubble; behind relays where that is forbidden.

Why it exists  the embedded default: real processes, real sockets and real faults on any Linux machine, with no root and no Docker.
Relies on      harness/clusters/bubble.py for the namespaces (network, mount, pid; user where we are not root): whatever ends the run ends
               its nodes, networks and mounts. In relay mode nodes are plain processes on loopback addresses that die with the harness,
               and links are cut by relays (harness/clusters/relay.py).

SPLITBRAIN_LOCAL=relay chooses relay mode where namespaces are allowed too.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from harness.agent_plane import AgentPlane
from harness.cluster import ClusterSpec, Completed, Diagnosis, Links, Place, Say, Status
from harness.clusters import bubble
from harness.clusters.local_leftovers import OWNER_MARK, diagnose, end_leftovers, owner_mark
from harness.clusters.local_links import RelayLinks
from harness.clusters.local_net import NETWORK, address_of
from harness.clusters.recipes import local_programs
from harness.clusters.relay import NODE_MARK, RUN_MARK
from harness.clusters.service_process import ServiceProcess, enter
from harness.errors import SetupError
from harness.target import Node, Recipe, Target

BRIDGE, NET = "splitbrain0", "splitbrain"
MODE = "SPLITBRAIN_LOCAL"
NAMESPACES, RELAY = "namespaces", "relay"
RELAY_FIRST = 110


class LocalCluster:
    """harness.cluster.Cluster and its AgentHost."""

    name: ClassVar[str] = "local"
    keeps: ClassVar[bool] = False  # the bubble ends with the harness
    _why_relay: ClassVar[str] = "not asked yet"

    def __init__(self, spec: ClusterSpec) -> None:
        self.spec, self.nodes, self.options, self.run_id = spec, spec.nodes, spec.options, spec.run_id
        self.mode = RELAY if self._why_relay else NAMESPACES
        rng = random.Random(spec.run_id)
        self.loopback = f"127.{rng.randint(64, 250)}.{rng.randint(1, 250)}."
        self.links: Links | None = None
        self.relays = RelayLinks(spec.run_id) if self.mode == RELAY else None
        self.links = self.relays
        self.plane = AgentPlane(self, spec.emit, spec.say)
        self.programs: dict[str, Path] = {}
        self.running: dict[str, ServiceProcess] = {}
        self.changing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)  # one start or kill of a node at a time
        self.root = spec.work.resolve()

    @classmethod
    def enclose(cls, main: Callable[[], int]) -> int:
        """Run `main` inside the bubble; where it is forbidden, here, in relay mode."""
        os.environ[OWNER_MARK] = owner_mark(os.getpid())
        LocalCluster._why_relay = ""
        if os.environ.get(MODE) == RELAY:
            LocalCluster._why_relay = f"{MODE}={RELAY} asks for it"
            return main()
        try:
            return bubble.run_in_bubble(main)
        except bubble.Forbidden as error:
            LocalCluster._why_relay = str(error)
            return main()

    @classmethod
    def diagnose(cls) -> Sequence[Diagnosis]:
        """What this machine lets the local cluster do."""
        return diagnose(bubble.why_forbidden())

    @classmethod
    def prepare(cls, target: Target, offline: bool, say: Say, attach: bool = False) -> None:
        """Fetch what the nodes run into the cache."""
        recipe = target.recipe()
        if recipe is not None:
            local_programs(recipe, offline, say)

    @classmethod
    def heal_leftovers(cls, everyone: bool, say: Say) -> tuple[int, int]:
        """End nodes of dead runs (relay mode; a bubble leaves none)."""
        return end_leftovers(everyone, say)

    async def up(self) -> None:
        """Make the network and the places, start the agent."""
        recipe = self.spec.target.recipe()
        assert recipe is not None, "checked before the run"
        self.programs = local_programs(recipe, True, self.spec.say)
        for node in self.nodes:
            for folder in (self.data(node), self.conf(node)):
                Path(folder).mkdir(parents=True, exist_ok=True)
        if self.relays is None:
            await self._make_network()
        else:
            self.spec.say(f"no namespaces here ({self._why_relay}): nodes run on loopback behind relays")
            ports = sorted(self.spec.target.ports.values())
            places = {node.name: {"relay": self.address(node), "listen": self.listen(node), "ports": ports} for node in self.nodes}
            await self.relays.open(places)
        await self.plane.open()

    async def _make_network(self) -> None:
        (self.root / "net").mkdir(parents=True, exist_ok=True)
        names = [node.name for node in self.nodes]
        argv = [sys.executable, "-I", "-m", "harness.clusters.local_net", str(self.root / "net"), BRIDGE, NETWORK, *names]
        done = await asyncio.to_thread(subprocess.run, argv, capture_output=True, text=True, timeout=60)
        if done.returncode:
            says = (done.stderr or done.stdout).strip().rpartition("\n")[2]
            raise SetupError(
                f"the network of the nodes could not be made: {says}",
                "nothing was run",
                f"splitbrain doctor says what is missing; {MODE}={RELAY} does without",
            )

    async def start(self, nodes: Sequence[str]) -> None:
        """Start services that are down."""
        for node in self._named(nodes):
            async with self.changing[node.name]:
                current = self.running.get(node.name)
                if current is not None:
                    if current.exit_code is None:
                        continue
                    await current.kill()  # what its service left behind
                    current.close()
                self._start(node)
        await asyncio.sleep(0)

    def _start(self, node: Node) -> None:
        service = self.spec.target.service(node, self)
        for name, content in service.files.items():
            path = Path(self.conf(node)) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        env = {**service.env, RUN_MARK: self.run_id, NODE_MARK: node.name}
        log = self.spec.logs / node.name / "service.log"

        def on_exit(code: int) -> None:
            if not process.expected:
                says = f"ended by signal {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
                self.spec.emit("unexpected-exit", {"node": node.name, "code": code, "says": f"{node.name} {says}, and nobody asked for it"})

        try:
            process = ServiceProcess(service.argv, env, self.data(node), self._netns(node.name), log, on_exit)
        except (OSError, subprocess.SubprocessError) as error:
            raise SetupError(
                f"{node.name} could not be started: {error}", "the other nodes are ended", f"see whether {service.argv[0]} runs by hand"
            ) from error
        self.running[node.name] = process

    async def kill(self, nodes: Sequence[str]) -> None:
        """SIGKILL everything of the nodes at once."""
        await asyncio.gather(*(self._kill(name) for name in nodes))

    async def _kill(self, name: str) -> None:
        async with self.changing[name]:  # never between two starts: it would end the new process as the old one's
            if name in self.running:
                await self.running[name].kill()

    async def status(self, node: str) -> Status:
        """State of a node's service."""
        process = self.running.get(node)
        if process is None:
            return Status(False, detail="never started")
        code = process.exit_code
        return Status(code is None, [process.pid] if code is None else [], code)

    async def place(self, node: str) -> Place:
        """Where a node is now."""
        status = await self.status(node)
        found = next(each for each in self.nodes if each.name == node)
        bridges = {NET: BRIDGE} if self.relays is None else {}
        return Place(status.pids, self._netns(node), [(NET, self.address(found))], bridges)

    async def exec(self, node: str, argv: Sequence[str], timeout_s: float = 30.0) -> Completed:
        """Run a command where the node is."""
        netns = self._netns(node)

        def run() -> Completed:
            into = (lambda: enter(netns)) if netns else None
            try:
                done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s, preexec_fn=into)
            except subprocess.TimeoutExpired:
                return Completed(124, "", f"no end within {timeout_s:g} s")
            except OSError as error:
                return Completed(127, "", str(error))
            return Completed(done.returncode, done.stdout, done.stderr)

        return await asyncio.to_thread(run)

    async def put(self, node: str, path: str, content: bytes) -> None:
        """Write a file of a node (paths below its data or conf folder)."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content)

    async def get(self, node: str, path: str) -> bytes:
        """Read a file of a node."""
        return Path(path).read_bytes()

    def address(self, node: Node) -> str:
        """What peers use: the node's own address, or its relay's."""
        return address_of(node.index) if self.relays is None else f"{self.loopback}{RELAY_FIRST + node.index}"

    def listen(self, node: Node) -> str:
        """What the node's service binds."""
        return address_of(node.index) if self.relays is None else f"{self.loopback}{node.index + 11}"

    def endpoint(self, node: Node, port: int) -> tuple[str, int]:
        """Clients are never cut: they reach the node itself."""
        return self.listen(node), port

    def data(self, node: Node) -> str:
        return str(self.root / node.name / "data")

    def conf(self, node: Node) -> str:
        return str(self.root / node.name / "conf")

    def program(self, name: str) -> str:
        return str(self.programs[name])

    def file(self, name: str) -> str:
        recipe: Recipe | None = self.spec.target.recipe()
        assert recipe is not None
        return str(recipe.files[name])

    def agent_argv(self) -> Sequence[str]:
        """The fault agent, a child of ours."""
        found = importlib.util.find_spec("nemeses")
        assert found is not None and found.submodule_search_locations
        return [sys.executable, "-I", "-u", str(Path(next(iter(found.submodule_search_locations))) / "agent")]

    def describe(self) -> Mapping[str, Any]:
        """What was made, for events and report."""
        says = "each node in a network namespace" if self.relays is None else f"nodes on loopback behind relays: {self._why_relay}"
        endpoints = {node.name: f"its own address {self.listen(node)}" for node in self.nodes}
        return {"cluster": self.name, "mode": self.mode, "says": says, "endpoints": endpoints, "networks": [NETWORK]}

    async def down(self, keep: bool = False) -> None:
        """End all nodes and the agent, remove their data. Twice is once."""
        await self.plane.close()
        with contextlib.suppress(TimeoutError):
            await self.kill(list(self.running))
        for process in self.running.values():
            process.close()
        if self.relays is not None:
            await self.relays.close()
        if self.mode == NAMESPACES and (self.root / "net").is_dir():
            for node in self.nodes:
                with contextlib.suppress(OSError):
                    bubble.call("umount2", os.fsencode(self.root / "net" / node.name), 2)
            with contextlib.suppress(OSError):
                bubble.call("umount2", os.fsencode(self.root / "net"), 2)
        shutil.rmtree(self.root, ignore_errors=True)

    def _netns(self, node: str) -> str:
        return str(self.root / "net" / node) if self.relays is None else ""

    def _named(self, names: Sequence[str]) -> list[Node]:
        return [node for node in self.nodes if node.name in names]
