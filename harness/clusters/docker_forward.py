"""The forwarder: reaches a node's port from inside the node's own network namespace, for controllers that have no way to it.

Why it exists  on Docker Desktop container addresses are not reachable, a firewall may drop what goes from a host to its containers, and
               compose files often publish nothing.
Relies on      the helper's image and its capabilities (setns into a container's namespace); the standard library alone; cgroup names that
               carry the container's id. Ends with its stdin.

`forward.py '{"bind": "127.0.0.1", "ways": [["n1", CONTAINER, PORT, LISTEN], ...]}'`; LISTEN 0 takes any. Prints one line:
[[node, port, listening], ...].
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import socket
import sys
from functools import partial

CLONE_NEWNET = 0x40000000
LISTENING = "0A"
CHUNK = 1 << 16
_libc = ctypes.CDLL(None, use_errno=True)
_pids: dict[str, int] = {}


def pid_of(container: str) -> int:
    """A process of the container now; OSError if it has none."""
    known = _pids.get(container)
    for pid in ([str(known)] if known else []) + [name for name in os.listdir("/proc") if name.isdigit()]:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cgroup") as file:
            if container in file.read():
                _pids[container] = int(pid)
                return int(pid)
    raise ProcessLookupError(3, "the container does not run")


def address_of(pid: int, port: int) -> str:
    """The address that the port is listened on in the process's network namespace."""
    for name, family, anywhere in (("tcp", socket.AF_INET, "127.0.0.1"), ("tcp6", socket.AF_INET6, "::1")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/net/{name}") as file:
            for line in file.readlines()[1:]:
                fields = line.split()
                address, _, number = fields[1].partition(":")
                if fields[3] == LISTENING and int(number, 16) == port:
                    words = [int(address[i : i + 8], 16) for i in range(0, len(address), 8)]
                    raw = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
                    return socket.inet_ntop(family, raw) if any(raw) else anywhere
    raise ConnectionRefusedError(111, "nothing listens there")


def socket_inside(pid: int, family: int) -> socket.socket:
    """A socket that belongs to the process's network namespace. No await between the two setns: there is one thread."""
    home, there = os.open("/proc/self/ns/net", os.O_RDONLY), os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if _libc.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            return socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        finally:
            if _libc.setns(home, CLONE_NEWNET):
                os._exit(70)
    finally:
        os.close(home)
        os.close(there)


async def forward(container: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, until either side ends."""
    far = None
    try:
        pid = pid_of(container)
        address = address_of(pid, port)
        inner = socket_inside(pid, socket.AF_INET6 if ":" in address else socket.AF_INET)
        try:
            await asyncio.get_running_loop().sock_connect(inner, (address, port))
        except BaseException:
            inner.close()
            raise
        far_reader, far = await asyncio.open_connection(sock=inner)
        await asyncio.gather(_copy(reader, far), _copy(far_reader, writer))
    except OSError:
        pass  # refused, or reset: the client sees its connection end
    finally:
        for each in (writer, far):
            if each is not None:
                each.transport.abort() if each is writer and far is None else each.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        with contextlib.suppress(OSError):
            writer.write_eof()


async def serve(bind: str, ways: list[list]) -> None:  # type: ignore[type-arg]
    """Listen for all ways; say where; go on until stdin ends."""
    servers, said = [], []
    for node, container, port, listen in ways:
        server = await asyncio.start_server(partial(forward, container, port), bind, listen)
        servers.append(server)
        said.append([node, port, server.sockets[0].getsockname()[1]])
    print(json.dumps(said), flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, lambda: None if os.read(0, 4096) else ended.set())
    await ended.wait()


if __name__ == "__main__":
    plan = json.loads(sys.argv[1])
    asyncio.run(serve(plan["bind"], plan["ways"]))
    os._exit(0)
