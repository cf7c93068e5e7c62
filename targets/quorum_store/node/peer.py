"""One connection to another node: many requests at a time, reconnected when it is silent; nothing here waits for ever.

Why it exists  a cut drops packets without a word, and TCP's own retransmission comes back seconds after the heal; a store must not.
Relies on      all requests between nodes being idempotent, so that one that got no answer may be sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

LINE_LIMIT = 1 << 26  # a whole set travels in one line
CONNECT_S = 0.3
AGAIN_S = 0.1  # pause between two attempts to connect


class Unreachable(Exception):
    """The peer gave no answer. Whether it got the request nobody knows."""


class Peer:
    """Another node."""

    def __init__(self, name: str, host: str, port: int) -> None:
        self.name, self.host, self.port = name, host, port
        self.writer: asyncio.StreamWriter | None = None
        self.waiting: dict[int, asyncio.Future[Any]] = {}
        self.connecting: asyncio.Future[None] | None = None
        self.reading: asyncio.Future[None] | None = None
        self.serial = 0
        self.heard = self.failed = -1.0

    async def ask(self, message: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """The answer to one request. Raises: Unreachable, at the latest after timeout_s."""
        end = time.monotonic() + timeout_s
        if self.writer is None:
            await self._connected(timeout_s)
        if self.writer is None:
            raise Unreachable(f"{self.name} cannot be connected to")
        self.serial += 1
        number, sent = self.serial, time.monotonic()
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.waiting[number] = future
        writer = self.writer
        try:
            writer.write(json.dumps({**message, "id": number}, separators=(",", ":")).encode() + b"\n")
            await asyncio.wait({future}, timeout=max(0.0, end - time.monotonic()))
            if not future.done():
                if self.heard < sent and self.writer is writer:
                    self._drop()  # silent all the while: a new connection works as soon as the network does
                raise Unreachable(f"{self.name} did not answer")
            answer = future.result()
        finally:
            self.waiting.pop(number, None)
        if answer is None:
            raise Unreachable(f"{self.name} was disconnected")
        return dict(answer)

    async def _connected(self, timeout_s: float) -> None:
        """Wait for a connection that anybody tries to make; one attempt at a time."""
        if self.connecting is None or self.connecting.done():
            self.connecting = asyncio.ensure_future(self._connect())
        await asyncio.wait({self.connecting}, timeout=timeout_s)

    async def _connect(self) -> None:
        await asyncio.sleep(max(0.0, self.failed + AGAIN_S - time.monotonic()))
        opening = asyncio.ensure_future(asyncio.open_connection(self.host, self.port, limit=LINE_LIMIT))
        done, _ = await asyncio.wait({opening}, timeout=CONNECT_S)
        if not done or opening.exception() is not None:
            opening.cancel()
            self.failed = time.monotonic()
            return
        reader, self.writer = opening.result()
        self.reading = asyncio.ensure_future(self._read(reader, self.writer))

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError):
            while True:
                line = await reader.readline()
                if not line.endswith(b"\n"):
                    break
                self.heard = time.monotonic()
                answer = json.loads(line)
                future = self.waiting.get(answer["id"])
                if future is not None and not future.done():
                    future.set_result(answer)
        if self.writer is writer:
            self._drop()

    def _drop(self) -> None:
        """Forget the connection; what waits on it learns so at once."""
        assert self.writer is not None
        self.writer.transport.abort()
        self.writer = None
        for future in self.waiting.values():
            if not future.done():
                future.set_result(None)
