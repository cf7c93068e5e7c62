"""An append-only log: an entry is applied and acknowledged only once it is on disk.

Why it exists  a store that acknowledges before the disk has it loses writes at crashes; here a crash at any moment loses nothing
               acknowledged.
Relies on      fdatasync. Entries that wait together share one line and one sync (group commit). A line is a checksum and a JSON list of
               entries; the next line is written only after the sync of the one before, so a crash can tear the last line alone, which
               is cut off at the start. A bad line with a good one behind it is no torn tail but damage: the node refuses to start.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import zlib
from collections.abc import Callable
from typing import Any

Entry = list[Any]


class Damaged(Exception):
    """The log is broken in its middle: something acknowledged may be lost."""


class Log:
    """The log of one node. `apply` gets every entry in order: at recovery, and when it has become durable."""

    def __init__(self, path: str, apply: Callable[[Entry], None]) -> None:
        self.path, self.apply = path, apply
        self.waiting: list[tuple[Entry, asyncio.Future[None]]] = []
        self.flusher: asyncio.Future[None] | None = None
        self.fd = -1

    def recover(self) -> tuple[int, int]:
        """Open the log and apply what it holds: (entries, bytes of a torn tail that were cut off). Raises: Damaged."""
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        with open(self.path, "rb") as file:
            data = file.read()
        entries = good = 0
        while True:
            end = data.find(b"\n", good)
            batch = None if end < 0 else _read(data[good:end])
            if batch is None:
                break
            for entry in batch:
                self.apply(entry)
            entries += len(batch)
            good = end + 1
        torn = len(data) - good
        if torn:
            if any(_read(line) is not None for line in data[good:].split(b"\n")[1:]):
                raise Damaged(f"{self.path}: the line at byte {good} is damaged, and good lines follow")
            os.ftruncate(self.fd, good)
        os.fsync(self.fd)
        _sync_folder(os.path.dirname(self.path))  # or a crash could lose the file itself
        return entries, torn

    def append_now(self, entry: Entry) -> None:
        """Append one entry durably, and apply it, before anything is served."""
        self._write(_line([entry]))
        self.apply(entry)

    async def append(self, entry: Entry) -> None:
        """Return when the entry is on disk and applied. A cancelled wait leaves the entry in the log, as a crash might."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((entry, future))
        if self.flusher is None or self.flusher.done():
            self.flusher = asyncio.ensure_future(self._flush())
        await future

    async def _flush(self) -> None:
        while self.waiting:
            batch, self.waiting = self.waiting, []
            try:
                await asyncio.get_running_loop().run_in_executor(None, self._write, _line([entry for entry, _ in batch]))
            except OSError as error:  # after a failed sync nobody knows what is on disk: the only honest answer is to stop
                print(f"the log {self.path} cannot be written: {error}", file=sys.stderr, flush=True)
                os._exit(1)
            for entry, future in batch:
                self.apply(entry)
                if not future.done():
                    future.set_result(None)

    def _write(self, line: bytes) -> None:
        view = memoryview(line)
        while view:
            view = view[os.write(self.fd, view) :]
        os.fdatasync(self.fd)


def _line(entries: list[Entry]) -> bytes:
    text = json.dumps(entries, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _read(line: bytes) -> Any:
    """The entries of a line (without its end), or None if it is not what was written."""
    crc, _, text = line.partition(b" ")
    try:
        return json.loads(text) if len(crc) == 8 and int(crc, 16) == zlib.crc32(text) else None
    except ValueError:
        return None


def _sync_folder(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
