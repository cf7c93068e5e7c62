"""JSON over HTTP/1.1: one connection that is kept open, one request at a time.

Why it exists  clients of systems with an HTTP interface need thousands of calls a second, no retries, and to know whether a request was
               sent at all; general HTTP libraries repeat requests and hide that.
Relies on      asyncio's streams. What fails before a request is written is `Definite` (a refused connection stays the OSError that it is,
               so that workers back off); whatever fails later proves nothing, and the connection is not used again.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from harness.errors import Definite, Indefinite

FIRST_TRIES_S = (0.2, 0.4)  # nothing is sent before a connection is there, so trying again repeats nothing
HEAD_LIMIT = 1 << 16  # of a response's head, or of a chunk's size line; bodies have none


class JsonConnection:
    """A connection to one server. `timeout_s` bounds each call, connecting included."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self.host, self.port, self.timeout_s = host, port, timeout_s
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        name = f"[{host}]" if ":" in host else host
        self.host_line = f"Host: {name}:{port}\r\nContent-Type: application/json\r\n".encode()

    async def open(self) -> None:
        """Connect. ConnectionRefusedError, or Definite with the reason."""
        try:
            async with asyncio.timeout(self.timeout_s):
                self.streams = await self._connected()
        except ConnectionRefusedError:
            raise
        except OSError as error:  # TimeoutError is one
            raise Definite(f"not sent, no connection: {str(error) or type(error).__name__}") from error

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Ask anew where no answer comes: a SYN to a node that starts just now is lost, and the kernel repeats it only a second later."""
        for patience_s in FIRST_TRIES_S:
            try:
                async with asyncio.timeout(patience_s):
                    return await asyncio.open_connection(self.host, self.port, limit=HEAD_LIMIT)
            except TimeoutError:
                continue
        return await asyncio.open_connection(self.host, self.port, limit=HEAD_LIMIT)

    def close(self) -> None:
        """Drop the connection at once; no answer of an earlier request can be taken for one of a later."""
        streams, self.streams = self.streams, None
        if streams is not None:
            streams[1].transport.abort()

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        """Send a JSON body: (status, JSON of the answer). Indefinite when the answer does not come or is none."""
        if self.streams is None or self.streams[0].at_eof() or self.streams[1].is_closing():
            self.close()
            await self.open()
        assert self.streams is not None
        reader, writer = self.streams
        content = msgspec.json.encode(body)
        whole = False
        try:
            writer.write(b"POST %s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s" % (path.encode(), self.host_line, len(content), content))
            async with asyncio.timeout(self.timeout_s):
                status, keep, answer = await _response(reader)
            whole = keep
            return status, msgspec.json.decode(answer) if answer else None
        except (TimeoutError, OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            said = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
            raise Indefinite(f"sent, then: {said}") from error
        finally:
            if not whole:  # also when the caller was cancelled
                self.close()


async def _response(reader: asyncio.StreamReader) -> tuple[int, bool, bytes]:
    """(status, whether the connection may be used again, body)."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head[:-4].split("\r\n")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    status = int([*first.split(" ", 2), ""][1])  # ValueError where there is none
    keep = fields.get("connection", "").lower() != "close"
    if fields.get("transfer-encoding", "").lower() == "chunked":
        return status, keep, await _chunks(reader)
    if "content-length" in fields:
        return status, keep, await reader.readexactly(int(fields["content-length"]))
    return status, False, await reader.read()


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":  # trailers say nothing that we need
        pass
    return b"".join(parts)
