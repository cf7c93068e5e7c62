"""The history as it is written: one op a line, in the file before anything that follows from it happens.

Why it exists  a harness that is killed loses nothing that it had recorded.
Relies on      one write(2) for each flush: invocations are flushed before their op is dispatched, completions at the latest with the next
               flush. The kernel keeps what was written when the process dies; fsync is not needed for that.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import SetupError, UsageError
from harness.op import Op


class NotJson(UsageError):
    """An op that a workload or a client made, and no history can hold."""


class Journal:
    """Appends ops to history.jsonl and gives them their index."""

    def __init__(self, path: Path, header: dict[str, Any] | None = None) -> None:
        self.path = path
        self.index = 0
        self._encode = msgspec.json.Encoder().encode
        self._waiting: list[bytes] = []
        self._whole: int | None = None  # where the file was cut off when it could not be written any more, and why
        self._full = 0
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise SetupError(f"{path} cannot be written: {error.strerror}", "nothing was run", "free some space, or --store DIR") from error
        if header is not None:
            self._waiting.append(self._encode(header) + b"\n")
            self.flush()

    def record(self, op: Op) -> None:
        """Stamp the index and queue the line; `flush` puts it into the file. Raises NotJson, and records nothing."""
        op.index = self.index
        try:
            line = self._encode(op)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise NotJson(f"{op.f} of process {op.process} has a value that is not JSON: {error}", way_out="give JSON values") from error
        self.index += 1
        self._waiting.append(line + b"\n")

    def flush(self) -> None:
        """Write what is queued. SetupError on a full disk: what was written before stays whole, and nothing is written after a gap."""
        if not self._waiting:
            return
        data = b"".join(self._waiting)
        try:
            if self._whole is not None:
                raise OSError(self._full, os.strerror(self._full))
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as error:
            self._cut(error)
            seen = f"{self.path} cannot be written: {error.strerror}"
            raise SetupError(
                seen, "the history up to here is stored", f"free some space, then splitbrain check {self.path.parent}"
            ) from error
        self._waiting.clear()

    def _cut(self, error: OSError) -> None:
        """Cut off a line that was written in part."""
        if self._whole is None:
            self._whole, self._full = self._lines(), error.errno or 0
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self._whole)

    def _lines(self) -> int:
        """The file's size up to its last whole line."""
        data = self.path.read_bytes()
        return data.rfind(b"\n") + 1

    def close(self) -> None:
        try:
            self.flush()
        finally:
            os.close(self._fd)
