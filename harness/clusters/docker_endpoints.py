"""How the controller's clients reach each node's ports: the container's address, else a published port, else a forwarder.

Why it exists  on Docker Desktop, behind some firewalls and with compose files that publish nothing, the first way is closed; which one
               was used is probed once and shown in the report.
Relies on      a TCP connect as the probe; the forwarder (docker_forward) in a helper container of its own, which connects from inside the
               node's network namespace, so that neither firewalls nor cuts between nodes touch it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from docker.errors import APIError

from harness.clusters.docker_engine import Engine, own_labels
from harness.clusters.docker_helper import Frames, attach, create, remove
from harness.clusters.docker_images import FORWARD
from harness.clusters.docker_look import Seen

CONNECT_S, LISTEN_S, FORWARD_S = 0.7, 5.0, 0.3
HELLO_S = 15.0
INNER = 20000  # first port that a published forwarder listens on, inside its container

ADDRESS, PUBLISHED, FORWARDER = "container address", "published port", "forwarder"


class Way(NamedTuple):
    """How one port of one node is reached; `fixed` is None where it is the container's present address."""

    how: str
    fixed: tuple[str, int] | None = None


class Forwarder:
    """A forwarder container for some ports; it ends with our socket."""

    def __init__(self, engine: Engine, run_id: str, owner_pid: int) -> None:
        self._engine, self._run_id, self._labels = engine, run_id, own_labels(run_id, owner_pid, "forwarder")
        self._container = ""
        self._stream: socket.socket | None = None
        self.listens: dict[tuple[str, int], tuple[str, int]] = {}

    def open(self, wanted: Sequence[tuple[str, str, int]], published: bool) -> None:
        """Listen for (node, container, port)s: on the Engine host's loopback, or through published ports of the container's own."""
        name = f"sb-{self._run_id}-forward-{secrets.token_hex(2)}"
        ways = [[node, container, port, INNER + i if published else 0] for i, (node, container, port) in enumerate(wanted)]
        command = ["python3", "-I", "-u", FORWARD, json.dumps({"bind": "0.0.0.0" if published else "127.0.0.1", "ways": ways})]
        inner = [way[3] for way in ways]
        extra: dict[str, Any] = {}
        if published:
            bindings = dict.fromkeys(inner, ("127.0.0.1" if self._engine.host == "127.0.0.1" else "0.0.0.0", None))
            extra = {"host": {"network_mode": "bridge", "port_bindings": bindings}, "ports": inner}
        self._container = create(self._engine, name, command, self._labels, **extra)
        stream = self._stream = attach(self._engine, self._container)
        self._engine.api.start(self._container)
        said = _first_line(stream)
        if published:
            shown = self._engine.api.inspect_container(self._container)["NetworkSettings"]["Ports"]
            ports = [int(shown[f"{port}/tcp"][0]["HostPort"]) for port in inner]
        else:
            ports = [listening for _, _, listening in said]
        self.listens = {(node, port): (self._engine.host, ports[i]) for i, (node, _, port) in enumerate(wanted)}

    def close(self) -> None:
        """End it."""
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.shutdown(socket.SHUT_RDWR)
            self._stream.close()
        if self._container:
            with contextlib.suppress(APIError):
                remove(self._engine, self._container)


def _first_line(stream: socket.socket) -> list[Any]:
    frames, text, said = Frames(), b"", b""
    stream.settimeout(HELLO_S)
    while b"\n" not in text:
        data = stream.recv(65536)
        if not data:
            raise OSError(f"the forwarder ended: {said.decode(errors='replace').strip()[-300:]}")
        for kind, part in frames.feed(data):
            text, said = (text + part, said) if kind == 1 else (text, said + part)
    stream.settimeout(None)
    found: list[Any] = json.loads(text)
    return found


class Endpoints:
    """The ways to all ports of all nodes."""

    def __init__(self, engine: Engine, run_id: str, owner_pid: int) -> None:
        self._engine, self._run_id, self._owner_pid = engine, run_id, owner_pid
        self._forwarders: list[Forwarder] = []
        self._lock = threading.Lock()
        self.ways: dict[tuple[str, int], Way] = {}

    async def choose(self, seen: Mapping[str, Seen], ports: Sequence[int]) -> None:
        """Probe each port of each node once."""
        wanted = [(node, port) for node in seen for port in ports]
        found = await asyncio.gather(*(self._probe(seen[node].address, seen[node].published.get(port), port) for node, port in wanted))
        closed = []
        for key, way in zip(wanted, found, strict=True):
            if way is None:
                closed.append(key)
            else:
                self.ways[key] = way
        if closed:
            await self._forward(closed, {node: each.container for node, each in seen.items()})

    async def _probe(self, address: str, host_port: int | None, port: int) -> Way | None:
        """Address or published port, whichever answers first in this order; None if neither does."""
        deadline = time.monotonic() + LISTEN_S
        while True:
            answer = await reach(address, port) if address else "silent"
            if answer == "open":
                return Way(ADDRESS)
            if host_port is not None and await reach(self._engine.host, host_port) == "open":
                return Way(PUBLISHED)
            if answer == "silent" or time.monotonic() > deadline:
                return None
            await asyncio.sleep(0.05)  # refused: its service may still come up

    async def _forward(self, closed: Sequence[tuple[str, int]], containers: Mapping[str, str]) -> None:
        """A forwarder where it gets through and the address does not; the address where nothing listens on either."""
        asked = [(node, containers[node], port) for node, port in closed]
        for published in (False, True):
            forwarder = Forwarder(self._engine, self._run_id, self._owner_pid)
            try:
                await asyncio.to_thread(forwarder.open, asked, published)
                through = await asyncio.gather(*(reach(*forwarder.listens[key], stays_s=FORWARD_S) for key in closed))
            except (APIError, OSError, ValueError, KeyError):
                await asyncio.to_thread(forwarder.close)
                continue
            if any(answer == "open" for answer in through):
                with self._lock:
                    self._forwarders.append(forwarder)
                for key in closed:
                    self.ways[key] = Way(FORWARDER, forwarder.listens[key])
                return
            await asyncio.to_thread(forwarder.close)
        for key in closed:
            self.ways[key] = Way(ADDRESS)

    def close(self) -> None:
        """End the forwarders."""
        with self._lock:
            for forwarder in self._forwarders:
                forwarder.close()
            self._forwarders.clear()


async def reach(host: str, port: int, stays_s: float = 0.0) -> str:
    """ "open", "refused" or "silent"; with `stays_s` it must also stay open that long, or say something."""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), CONNECT_S)
    except ConnectionRefusedError:
        return "refused"
    except (OSError, TimeoutError):
        return "silent"
    try:
        if stays_s:
            with contextlib.suppress(TimeoutError):
                if not await asyncio.wait_for(reader.read(1), stays_s):
                    return "refused"
        return "open"
    except OSError:
        return "refused"
    finally:
        writer.transport.abort()
