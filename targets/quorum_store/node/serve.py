"""The server of a node: requests of clients and of peers, one JSON object a line, many at a time on one connection.

Why it exists  any node coordinates any request, and is a replica beside it; both kinds come through one port.
Relies on      a configuration file: {"node", "listen": [host, port], "peers": {name: [host, port]} in order, "data", "mode", "n", "r", "w",
               "timeout"}.

Clients   read {key}, write {key, value}, add {name, element}, elements {name}; each may say n, r, w of its own (mode lww)
          dump {prefix}: what this node alone holds; status: whether it reaches the replicas that it needs
Peers     get {key}, put {key, tag, value}, held {name}, merge {name, elements}, ping
Answers   {"id", "value"} or {"id", "error", "definite"}: definite means that it certainly had no effect
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import time
from typing import Any

from .abd import Atomic
from .lww import LastWriteWins
from .peer import LINE_LIMIT, Peer
from .quorum import Failure, NoQuorum, Replicas, majority
from .replica import Replica

STATUS_S = 0.8


class Server:
    """One node."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.replica = Replica(config["node"], config["data"])
        peers = {name: Peer(name, *where) for name, where in config["peers"].items() if name != config["node"]}
        self.replicas = Replicas(config["node"], self.as_replica, peers)
        self.lww = LastWriteWins(self.replica, self.replicas)
        self.abd = Atomic(self.replica, self.replicas)

    async def run(self) -> None:
        """Recover, then serve for ever."""
        says = self.replica.recover()
        host, port = self.config["listen"]
        server = await asyncio.start_server(self._connection, host, port, limit=LINE_LIMIT, backlog=512)
        print(f"{self.config['node']} serves on {host}:{port}, mode {self.config['mode']}: {says}", file=sys.stderr, flush=True)
        async with server:
            await server.serve_forever()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _keep_alive(writer)
        try:
            while line := await reader.readline():
                message = json.loads(line)
                if not isinstance(message, dict):
                    break
                self.replicas.start(self._answer(message, writer))
                await writer.drain()  # who does not read its answers is not read either
        except (OSError, ValueError):
            pass  # the other side went away, or does not speak this language
        finally:
            writer.transport.abort()

    async def _answer(self, message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        try:
            answer = await (self.as_replica(message) if message["op"] in PEER_OPS else self.as_coordinator(message))
        except Failure as failure:
            answer = {"error": str(failure), "definite": failure.definite}
        except (KeyError, TypeError, ValueError) as error:
            answer = {"error": f"{type(error).__name__}: {error} in {str(message)[:200]}", "definite": False}
        if not writer.transport.is_closing():
            writer.write(json.dumps({"id": message.get("id"), **answer}, separators=(",", ":")).encode() + b"\n")

    async def as_replica(self, message: dict[str, Any]) -> dict[str, Any]:
        """Answer from, or store into, this node's own disk."""
        op = message["op"]
        if op == "get":
            tag, value = self.replica.get(message["key"])
            return {"tag": tag, "value": value}
        if op == "put":
            await self.replica.put(message["key"], tuple(message["tag"]), message["value"])
        elif op == "held":
            return {"elements": self.replica.elements(message["name"])}
        elif op == "merge":
            await self.replica.add(message["name"], message["elements"])
        return {}

    async def as_coordinator(self, message: dict[str, Any]) -> dict[str, Any]:
        """Serve a client, by the replicas that the request or the configuration names."""
        op, deadline = message["op"], time.monotonic() + self.config["timeout"]
        if op == "dump":
            return {"value": self.replica.dump(message.get("prefix", ""))}
        names, r, w = self._quorums(message)
        if op == "status":
            return {"value": await self._status(names, max(r, w))}
        atomic = self.config["mode"] == "abd"
        subject = message["key"] if op in ("read", "write") else message["name"]
        if op == "read":
            value = await (self.abd.read(names, subject, deadline) if atomic else self.lww.read(names, subject, r, deadline))
            return {"value": value}
        if op == "elements":
            found = await (self.abd.elements(names, subject, deadline) if atomic else self.lww.elements(names, subject, r, deadline))
            return {"value": found}
        if op == "write":
            value = message["value"]
            await (self.abd.write(names, subject, value, deadline) if atomic else self.lww.write(names, subject, value, w, deadline))
        elif op == "add":
            element = message["element"]
            await (self.abd.add(names, subject, element, deadline) if atomic else self.lww.add(names, subject, element, w, deadline))
        else:
            raise Failure(f"no such op: {op}", definite=True)
        return {"value": None}

    def _quorums(self, message: dict[str, Any]) -> tuple[list[str], int, int]:
        """Replicas, R and W of a request. Failure (definite) if they do not fit together."""
        there, config = list(self.config["peers"]), self.config
        if config["mode"] == "abd":
            if any(name in message for name in ("n", "r", "w")):
                raise Failure("mode abd has majorities, and no n, r, w of a request", definite=True)
            names = there[: config["n"]]
            return names, majority(len(names)), majority(len(names))
        n, r, w = (int(message.get(name, config[name])) for name in ("n", "r", "w"))
        if not (1 <= n <= len(there) and 1 <= r <= n and 1 <= w <= n):
            raise Failure(f"n={n}, r={r}, w={w} with {len(there)} nodes", definite=True)
        return there[:n], r, w

    async def _status(self, names: list[str], need: int) -> dict[str, Any]:
        asking = self.replicas.ask(names, {"op": "ping"}, time.monotonic() + STATUS_S)
        try:
            await asking.enough(need)
        except NoQuorum as error:
            return {"ready": False, "says": str(error)}
        finally:
            asking.stop()
        return {"ready": True, "says": f"epoch {self.replica.epoch}"}


PEER_OPS = frozenset({"get", "put", "held", "merge", "ping"})


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """Connections that a cut left half open go away by themselves."""
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for option, seconds in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)


def main(path: str) -> None:
    """Run the node that a configuration file describes."""
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    os.makedirs(config["data"], exist_ok=True)
    try:
        asyncio.run(Server(config).run())
    except KeyboardInterrupt:
        sys.exit(130)
