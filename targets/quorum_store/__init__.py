"""quorum_store: Splitbrain's own replicated store, with the anomalies of Dynamo-style quorums and the cure for them as options.

Runs       the program in node/ on each node (Python's standard library alone); any node serves any request
Ready      the node reaches as many replicas as a request needs
Primary    none: every node coordinates
Options    mode=lww (N, R, W per request, last write wins by wall clock) | abd (atomic registers by majorities)
Promises   abd: linearizable, under every fault; lww: nothing that R, W and the clocks do not give
Log        stderr: what was recovered at each start
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from harness.errors import UsageError
from harness.options import Option
from harness.target import Access, Node, Recipe, Service, Site, Target
from targets.quorum_store.client import PORT, QuorumClient

NODE = Path(__file__).parent / "node"
FILES = ("start.py", "serve.py", "abd.py", "lww.py", "quorum.py", "peer.py", "replica.py", "durable.py")


class QuorumStore(Target):
    """The store on any cluster that has Python."""

    name: ClassVar[str] = "quorum_store"
    title: ClassVar[str] = "Splitbrain's own replicated store: Dynamo-style quorums (lww) or atomic registers (abd)"
    options: ClassVar[Mapping[str, Option]] = {
        "mode": Option("abd", "lww: last write wins by wall clock; abd: atomic registers by majorities", ("lww", "abd")),
        "n": Option(0, "replicas, the first n nodes; 0: all nodes"),
        "r": Option(0, "replicas that a read waits for (lww); 0: a majority of n"),
        "w": Option(0, "replicas that a write waits for (lww); 0: a majority of n"),
        "timeout": Option(1.0, "seconds that a node gives a request; keep it below --op-timeout"),
    }
    workloads = ("register", "set")
    ports: ClassVar[Mapping[str, int]] = {"client": PORT}
    failover_s: ClassVar[float] = 1.0

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        if self.opt["timeout"] <= 0:
            raise UsageError(f"timeout={self.opt['timeout']:g} leaves a request no time", way_out="give seconds, such as -o timeout=1")
        if self.opt["mode"] == "abd" and (self.opt["r"] or self.opt["w"]):
            raise UsageError("mode abd has majorities, r and w are for mode lww", way_out="leave r and w out, or give -o mode=lww")

    def recipe(self) -> Recipe:
        """Python and the node's files."""
        return Recipe(python=True, files={name: NODE / name for name in FILES})

    def service(self, node: Node, site: Site) -> Service:
        """The node's program with its configuration."""
        config = {
            "node": node.name,
            "listen": [site.listen(node), PORT],
            "peers": {other.name: [site.address(other), PORT] for other in site.nodes},
            "data": site.data(node),
            "mode": self.opt["mode"],
            "timeout": self.opt["timeout"],
            **self._quorums(len(site.nodes)),
        }
        argv = [site.program("python3"), "-I", "-B", site.file("start.py"), f"{site.conf(node)}/node.json"]
        return Service(argv, files={"node.json": json.dumps(config, indent=1)})

    def _quorums(self, nodes: int) -> dict[str, int]:
        n = self.opt["n"] or nodes
        r, w = (self.opt[name] or n // 2 + 1 for name in ("r", "w"))
        if not (1 <= n <= nodes and 1 <= r <= n and 1 <= w <= n):
            raise UsageError(f"n={n}, r={r}, w={w} do not fit {nodes} nodes", way_out="1 <= r <= n, 1 <= w <= n, n <= --nodes")
        return {"n": n, "r": r, "w": w}

    def client_class(self) -> type:
        """Register, Set and Replica."""
        return QuorumClient

    async def ready(self, access: Access) -> str | None:
        """None when this node reaches the replicas that a request needs."""
        client = QuorumClient(access)
        try:
            await client.open()
            status = await client.status()
        except (OSError, asyncio.IncompleteReadError) as error:
            return f"status: {error or type(error).__name__}"
        finally:
            await client.close()
        return None if status["ready"] else str(status["says"])
