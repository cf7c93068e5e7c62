"""What the Engine says of one container now: does it run, as which pid, at which addresses on which bridges.

Why it exists  a container has another pid and namespace after each start, and maybe another address, so everyone looks again, here.
Relies on      inspect; networks keeping their driver and bridge while they exist (they are asked once).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

from docker.errors import APIError

from harness.clusters.docker_engine import Engine


class Seen(NamedTuple):
    """A container at one moment. `bridges`: network id -> bridge interface in the Engine's network namespace, where it has one."""

    container: str
    running: bool
    paused: bool
    pid: int
    exit_code: int | None
    detail: str
    terminal: bool
    addresses: tuple[tuple[str, str], ...]
    bridges: Mapping[str, str]
    published: Mapping[int, int]  # port -> port of the host
    on_host: bool  # it shares the network of the Engine's host

    @property
    def netns(self) -> str:
        """Path of its network namespace as the helper sees it; "" when it is down."""
        return f"/proc/{self.pid}/ns/net" if self.running and self.pid else ""

    @property
    def address(self) -> str:
        """The first address, v4 before v6; "" if it has none."""
        usual = [address for _, address in self.addresses if not address.startswith("fe80")]
        return next((each for each in usual if ":" not in each), usual[0] if usual else "127.0.0.1" if self.on_host else "")


class Looker:
    """Looks at containers; remembers networks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._networks: dict[str, tuple[str, bool]] = {}  # id -> (bridge or "", has IPv6)
        self._lock = threading.Lock()

    def look(self, name: str) -> Seen:
        """A container by name or id. Raises what Docker raises."""
        found = self._engine.api.inspect_container(name)
        state, networks = found["State"], self._networks_of(found)
        addresses: list[tuple[str, str]] = []
        bridges: dict[str, str] = {}
        for attached in networks.values():
            network = str(attached.get("NetworkID") or "")
            if not network:
                continue
            bridge, has_six = self._network(network)
            fixed = attached.get("IPAMConfig") or {}
            four = attached.get("IPAddress") or fixed.get("IPv4Address")
            six = attached.get("GlobalIPv6Address") or fixed.get("IPv6Address")
            mac = attached.get("MacAddress")
            if bridge:
                bridges[network[:12]] = bridge
            for address in (four, six, link_local(mac) if mac and has_six else ""):
                if address:
                    addresses.append((network[:12], address))
        running = bool(state["Running"])
        return Seen(
            container=found["Id"],
            running=running,
            paused=bool(state.get("Paused")),
            pid=int(state.get("Pid") or 0),
            exit_code=None if running or state["Status"] == "created" else int(state["ExitCode"]),
            detail=state.get("Error") or ("out of memory" if state.get("OOMKilled") else state["Status"]),
            terminal=bool(found["Config"].get("Tty")),
            addresses=tuple(addresses),
            bridges=bridges,
            published=_published((found.get("NetworkSettings") or {}).get("Ports") or {}),
            on_host=(found.get("HostConfig") or {}).get("NetworkMode") == "host",
        )

    def pids(self, seen: Seen) -> list[int]:
        """All processes of the container, as the Engine's host counts them."""
        if not seen.running:
            return []
        try:
            listed = self._engine.api.top(seen.container, ps_args="-eo pid")
            found = {int(row[listed["Titles"].index("PID")]) for row in listed["Processes"]}
        except (APIError, ValueError):  # no `ps` there, or it ended meanwhile: the agent finds the others by their namespace
            found = set()
        return sorted(found | {seen.pid})

    def _networks_of(self, found: dict[str, Any]) -> dict[str, Any]:
        mode = str((found.get("HostConfig") or {}).get("NetworkMode") or "")
        if mode.startswith("container:"):  # it lives in another one's namespace
            found = self._engine.api.inspect_container(mode.partition(":")[2])
        networks = (found.get("NetworkSettings") or {}).get("Networks") or {}
        return {name: each for name, each in networks.items() if name != "host"}

    def _network(self, network: str) -> tuple[str, bool]:
        with self._lock:
            known = self._networks.get(network)
        if known is None:
            found = self._engine.api.inspect_network(network)
            bridge = ""
            if found["Driver"] == "bridge":
                named = (found.get("Options") or {}).get("com.docker.network.bridge.name")
                bridge = named or f"br-{network[:12]}"
            known = (bridge, bool(found.get("EnableIPv6")))
            with self._lock:
                self._networks[network] = known
        return known


def link_local(mac: str) -> str:
    """The IPv6 address that the kernel gives an interface from its MAC."""
    raw = [int(part, 16) for part in mac.split(":")]
    raw = [raw[0] ^ 2, *raw[1:3], 0xFF, 0xFE, *raw[3:]]
    return "fe80::" + ":".join(f"{(raw[i] << 8) | raw[i + 1]:x}" for i in range(0, 8, 2))


def _published(ports: Mapping[str, Any]) -> dict[int, int]:
    found = {}
    for name, bindings in ports.items():
        port, _, protocol = name.partition("/")
        if protocol == "tcp" and bindings:
            found[int(port)] = int(bindings[0]["HostPort"])
    return found
