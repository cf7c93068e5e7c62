"""quorum_store's client: one connection, one JSON object a line, one request at a time.

Why it exists  what a workload calls (Register, Set, Replica) in the store's own words.
Relies on      the node saying of each failure whether it is definite; a lost connection or no answer in time proves nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from harness.capabilities import ErrorTable, Ext
from harness.errors import Definite, Indefinite
from harness.target import Access

PORT = 7070
LINE_LIMIT = 1 << 26  # a whole set comes in one line


class QuorumClient:
    """A client of one node. `ext` may carry n, r, w of a request (mode lww)."""

    errors: ClassVar[ErrorTable] = ErrorTable((ConnectionRefusedError,))

    def __init__(self, access: Access) -> None:
        self.access = access
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None
        self.serial = 0

    async def open(self) -> None:
        """Connect, within the time that an op has."""
        host, port = self.access.endpoint(PORT)
        connecting = asyncio.open_connection(host, port, limit=LINE_LIMIT)
        self.reader, self.writer = await asyncio.wait_for(connecting, self.access.timeout_s)

    async def close(self) -> None:
        """Drop the connection at once."""
        if self.writer is not None:
            self.writer.transport.abort()

    async def read(self, key: str, ext: Ext = None) -> Any:
        """The value of a register."""
        return await self._call({"op": "read", "key": key}, ext)

    async def write(self, key: str, value: Any, ext: Ext = None) -> None:
        """Write a register."""
        await self._call({"op": "write", "key": key, "value": value}, ext)

    async def add(self, name: str, element: Any, ext: Ext = None) -> None:
        """Add an element to a set."""
        await self._call({"op": "add", "name": name, "element": element}, ext)

    async def elements(self, name: str, ext: Ext = None) -> Sequence[Any]:
        """All elements of a set."""
        found: Sequence[Any] = await self._call({"op": "elements", "name": name}, ext)
        return found

    async def dump(self, prefix: str = "", ext: Ext = None) -> Mapping[str, Any]:
        """What this node alone holds."""
        held: Mapping[str, Any] = await self._call({"op": "dump", "prefix": prefix})
        return held

    async def status(self) -> Mapping[str, Any]:
        """{"ready", "says"}: does the node reach the replicas that it needs?"""
        says: Mapping[str, Any] = await self._call({"op": "status"})
        return says

    async def _call(self, request: dict[str, Any], ext: Ext = None) -> Any:
        assert self.reader is not None and self.writer is not None, "open() comes first"
        self.serial += 1
        asked = {name: ext[name] for name in ("n", "r", "w") if ext and name in ext}
        self.writer.write(json.dumps({"id": self.serial, **request, **asked}).encode() + b"\n")
        answer = json.loads(await asyncio.wait_for(self._line(), self.access.timeout_s))
        assert answer["id"] == self.serial, "one request at a time: an answer belongs to the last one"
        if "error" in answer:
            raise (Definite if answer["definite"] else Indefinite)(answer["error"])
        return answer["value"]

    async def _line(self) -> bytes:
        assert self.reader is not None
        line = await self.reader.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the node closed the connection before it answered")
        return line
