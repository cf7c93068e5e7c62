"""The relays of a cluster without namespaces: one before each node, which knows the caller's node and holds back what is cut.

Why it exists  where nodes share one network namespace, a link can only be cut by what stands between its ends.
Relies on      /proc: the socket at the other end of a connection belongs to a process, the process to a node. TCP alone; a caller that is
               no node passes. A cut holds bytes back and lets them go at the heal, as a dropped packet's retransmission would; a
               connection that is made during a cut is accepted, and nothing comes through it.

A program of its own (`python -I -m harness.clusters.relay RUN`), driven by JSON lines:
{"id", "do": "open"|"cut"|"dropped"|"probe", ..} -> {"id", "ok"|"error"}. It ends with its stdin, and every connection with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections import Counter
from typing import Any

CHUNK = 1 << 16
PROBE_S = 0.25
RUN_MARK, NODE_MARK = "SPLITBRAIN_RUN", "SPLITBRAIN_NODE"  # in the environment of each node's processes
Pair = tuple[str, str]


class Relay:
    """All relays of one run."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.cut: set[Pair] = set()
        self.changed = asyncio.Event()
        self.dropped: Counter[Pair] = Counter()
        self.servers: list[asyncio.Server] = []
        self.probes: dict[str, tuple[str, int]] = {}  # node -> where its relay takes probes
        self.arrived: set[bytes] = set()
        self.serial = 0

    async def open(self, nodes: dict[str, dict[str, Any]]) -> None:
        """node -> {"relay": address, "listen": address, "ports": [..]}"""
        for name, node in nodes.items():
            for port in node["ports"]:
                self.servers.append(await asyncio.start_server(self._accept(name, node["listen"], port), node["relay"], port))
            echo = await asyncio.start_server(self._note, node["listen"], 0)
            at = echo.sockets[0].getsockname()[1]
            door = await asyncio.start_server(self._accept_probe(name, node["listen"], at), node["relay"], 0)
            self.probes[name] = (node["relay"], door.sockets[0].getsockname()[1])
            self.servers += [echo, door]

    def _accept(self, to: str, listen: str, port: int) -> Any:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            caller = caller_of(writer.get_extra_info("peername"), writer.get_extra_info("sockname"), self.run)
            await self._join(caller, to, reader, writer, (listen, port))

        return accept

    def _accept_probe(self, to: str, listen: str, port: int) -> Any:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            caller = (await reader.readline()).decode().strip()
            await self._join(caller, to, reader, writer, (listen, port), counted=False)

        return accept

    async def _join(
        self,
        caller: str,
        to: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        address: tuple[str, int],
        counted: bool = True,
    ) -> None:
        """Pass bytes both ways between a caller and a node, each way by its own ordered pair."""
        await self._until_whole((caller, to), int(counted))
        try:
            far_reader, far_writer = await asyncio.open_connection(*address)
        except OSError:
            writer.transport.abort()  # the node is down: its caller sees a reset
            return
        await asyncio.gather(self._pump(reader, far_writer, (caller, to), counted), self._pump(far_reader, writer, (to, caller), counted))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pair: Pair, counted: bool) -> None:
        try:
            while data := await reader.read(CHUNK):
                if pair in self.cut:
                    await self._until_whole(pair, len(data) if counted else 0)
                writer.write(data)
                await writer.drain()
            await self._until_whole(pair, 0)  # the end of a connection does not cross a cut either
            if writer.can_write_eof():
                writer.write_eof()
                return
        except OSError:
            pass
        writer.transport.abort()

    async def _until_whole(self, pair: Pair, held: int) -> None:
        if pair in self.cut:
            self.dropped[pair] += held
        while pair in self.cut:
            changed = self.changed
            await changed.wait()

    def set_cut(self, pairs: list[list[str]]) -> None:
        """The whole set of ordered pairs that are cut from now on."""
        self.cut = {(source, destination) for source, destination in pairs}
        before, self.changed = self.changed, asyncio.Event()
        before.set()

    async def probe(self, source: str, destination: str) -> bool:
        """Does a message sent as `source` through the destination's relay arrive?"""
        self.serial += 1
        token = b"%d" % self.serial
        _, writer = await asyncio.open_connection(*self.probes[destination])
        writer.write(f"{source}\n".encode() + token + b"\n")
        end = asyncio.get_running_loop().time() + PROBE_S
        while token not in self.arrived and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.005)
        writer.transport.abort()
        return token in self.arrived

    async def _note(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            self.arrived.add((await reader.readline()).strip())
        writer.transport.abort()


def caller_of(peer: tuple[str, int], us: tuple[str, int], run: str) -> str:
    """The node whose process holds the socket at the other end; "" if it is none of the run's nodes."""
    inode = _inode(peer, us)
    for name in os.listdir("/proc") if inode else ():
        with contextlib.suppress(OSError):
            if name.isdigit() and (marks := _environ(name)).get(RUN_MARK) == run and _owns(name, inode):
                return marks.get(NODE_MARK, "")
    return ""


def _environ(pid: str) -> dict[str, str]:
    with open(f"/proc/{pid}/environ", "rb") as file:
        pairs = (item.partition("=") for item in file.read().decode(errors="replace").split("\0"))
        return {key: value for key, _, value in pairs}


def _inode(peer: tuple[str, int], us: tuple[str, int]) -> str:
    """The inode of the socket whose own end is `peer` and whose other end is `us`."""
    ours, theirs = _hex(peer), _hex(us)
    with open("/proc/self/net/tcp") as file:
        for line in file:
            fields = line.split()
            if fields[1] == ours and fields[2] == theirs:
                return fields[9]
    return ""


def _hex(address: tuple[str, int]) -> str:
    parts = [int(part) for part in address[0].split(".")]
    return "".join(f"{part:02X}" for part in reversed(parts)) + f":{address[1]:04X}"


def _owns(pid: str, inode: str) -> bool:
    with contextlib.suppress(OSError):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/fd/{fd}") == f"socket:[{inode}]":
                    return True
    return False


async def serve() -> None:
    """Commands until stdin ends."""
    relay = Relay(sys.argv[1])
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        ask = json.loads(line)
        answer: dict[str, Any] = {"id": ask["id"]}
        try:
            answer["ok"] = await _do(relay, ask)
        except OSError as error:
            answer["error"] = str(error)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    os._exit(0)  # at once: connections need no farewell


async def _do(relay: Relay, ask: dict[str, Any]) -> Any:
    if ask["do"] == "open":
        await relay.open(ask["nodes"])
    elif ask["do"] == "cut":
        relay.set_cut(ask["pairs"])
    elif ask["do"] == "dropped":
        return [[source, destination, count] for (source, destination), count in relay.dropped.items()]
    elif ask["do"] == "probe":
        return await relay.probe(ask["src"], ask["dst"])
    return None


if __name__ == "__main__":
    asyncio.run(serve())
