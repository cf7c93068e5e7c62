"""A cluster: where the nodes are. It brings them up, reaches them, breaks them through its plane, and leaves nothing behind.

Why it exists  local namespaces, Docker and ssh hosts answer the same questions, so that targets, faults and runs never ask which it is.
Relies on      the target's Recipe and Service for what to run; the fault agent (nemeses/agent) for faults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

import msgspec

from harness.plane import FaultPlane
from harness.target import Node, Target

Emit = Callable[[str, Mapping[str, Any]], None]  # (kind of event, its fields): goes to events.jsonl with the time
Say = Callable[[str], None]  # a line for the person who watches


class Attach(msgspec.Struct, frozen=True):
    """An existing cluster to attach to: a compose project (and services of it), a label, or containers by name."""

    compose: str = ""
    services: tuple[str, ...] = ()
    label: str = ""
    containers: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.compose or self.label or self.containers)


class ClusterSpec(NamedTuple):
    """Everything that a cluster is made from."""

    target: Target
    options: Mapping[str, Any]
    nodes: Sequence[Node]  # empty when attaching: the cluster finds them
    run_id: str  # short, [a-z0-9]; part of every name and label that the cluster makes
    logs: Path  # logs/<node>/service.log here, each line with the controller's arrival time
    work: Path  # scratch of this run on the controller
    emit: Emit
    say: Say
    attach: Attach = Attach()
    offline: bool = False
    owner_pid: int = 0  # the harness, for labels: `heal` leaves runs alone whose owner lives


class Status(NamedTuple):
    """State of a node's service."""

    running: bool
    pids: Sequence[int] = ()  # as the fault agent sees them
    exit_code: int | None = None
    detail: str = ""


class Completed(NamedTuple):
    """A command's end."""

    code: int
    stdout: str
    stderr: str


class Diagnosis(NamedTuple):
    """A line of `splitbrain doctor`: what was looked at, whether it is there, what that means, how to mend it."""

    what: str
    good: bool
    says: str
    mend: str = ""


class Cluster(Protocol):
    """One cluster of one run. Is itself the target's `Site` (harness.target).

    `up` makes networks and places and starts the agent; `start` starts services. Exits that nobody asked for are emitted as
    ("unexpected-exit", {"node", "code", "says"}).
    """

    name: ClassVar[str]
    keeps: ClassVar[bool]  # can be left up after a run
    nodes: Sequence[Node]
    options: Mapping[str, Any]
    run_id: str
    plane: FaultPlane

    def __init__(self, spec: ClusterSpec) -> None: ...

    @classmethod
    def enclose(cls, main: Callable[[], int]) -> int:
        """Run `main` where this cluster can work (local: inside its own namespaces); its exit code. Before any loop or thread."""
        ...

    @classmethod
    def diagnose(cls) -> Sequence[Diagnosis]: ...

    @classmethod
    def prepare(cls, target: Target, offline: bool, say: Say, attach: bool = False) -> None:
        """Fetch and build what is missing into the cache; attaching, nodes need nothing. SetupError, with the command that mends it."""
        ...

    @classmethod
    def heal_leftovers(cls, everyone: bool, say: Say) -> tuple[int, int]:
        """Remove what dead runs left (of living ones too with `everyone`): (removed, could not be removed)."""
        ...

    async def up(self) -> None: ...

    async def start(self, nodes: Sequence[str]) -> None: ...

    async def kill(self, nodes: Sequence[str]) -> None:
        """SIGKILL every process of the nodes' services at once and wait until none is left. Their exits are expected."""
        ...

    async def status(self, node: str) -> Status: ...

    async def exec(self, node: str, argv: Sequence[str], timeout_s: float = 30.0) -> Completed: ...

    async def put(self, node: str, path: str, content: bytes) -> None: ...

    async def get(self, node: str, path: str) -> bytes: ...

    def address(self, node: Node) -> str: ...

    def listen(self, node: Node) -> str: ...

    def endpoint(self, node: Node, port: int) -> tuple[str, int]: ...

    def data(self, node: Node) -> str: ...

    def conf(self, node: Node) -> str: ...

    def program(self, name: str) -> str: ...

    def file(self, name: str) -> str: ...

    def describe(self) -> Mapping[str, Any]:
        """What was made and how it is reached: {"cluster", "mode", "endpoints": {n: how}, "networks": [...]}; for events and report."""
        ...

    async def down(self, keep: bool = False) -> None:
        """Remove everything that `up` made (attached containers stay). Twice is once. keep: leave it up, healed."""
        ...


class Place(NamedTuple):
    """Where a node is, as the fault agent sees it, resolved anew at each injection.

    pids       the node's processes; empty when its service is down
    netns      path of its network namespace ("" where there is none: relay mode)
    addresses  (network id, address) of every interface, v4 and v6; a network id names the bridge that both ends share
    bridges    network id -> name of the bridge's interface in the agent's network namespace
    """

    pids: Sequence[int]
    netns: str
    addresses: Sequence[tuple[str, str]]
    bridges: Mapping[str, str] = {}


class Links(Protocol):
    """A cluster's own way to cut links where the agent has none (relay mode): the whole set of cut pairs at once."""

    mechanism: str

    async def set_cut(self, pairs: Sequence[tuple[str, str]]) -> None: ...

    async def dropped(self) -> Mapping[tuple[str, str], int]:
        """Ordered pair -> what was held back since its cut began (bytes or connections)."""
        ...

    async def probe(self, src: str, dst: str) -> bool:
        """True if a probe of our own from src reaches dst."""
        ...


class AgentHost(Protocol):
    """What the agent's plane (harness.agent_plane) needs of a cluster."""

    run_id: str
    nodes: Sequence[Node]
    links: Links | None

    def agent_argv(self) -> Sequence[str]:
        """A command on the controller whose stdin and stdout are the agent's (JSON lines)."""
        ...

    async def place(self, node: str) -> Place: ...

    async def kill(self, nodes: Sequence[str]) -> None: ...

    async def start(self, nodes: Sequence[str]) -> None: ...

    async def status(self, node: str) -> Status: ...
