"""The history as it is written: one op a line, in the file before anything that follows from it happens.

Why it exists  a harness that is killed loses nothing that it had recorded.
Relies on      one write(2) for each flush: invocations are flushed before their op is dispatched, completions at the latest with the next
               flush. The kernel keeps what was written when the process dies; fsync is not needed for that.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import SetupError
from harness.op import Op


class Journal:
    """Appends ops to history.jsonl and gives them their index."""

    def __init__(self, path: Path, header: dict[str, Any] | None = None) -> None:
        self.path = path
        self.index = 0
        self._encode = msgspec.json.Encoder().encode
        self._waiting: list[bytes] = []
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise SetupError(f"{path} cannot be written: {error.strerror}", "nothing was run", "free some space, or --store DIR") from error
        if header is not None:
            self._waiting.append(self._encode(header) + b"\n")
            self.flush()

    def record(self, op: Op) -> None:
        """Stamp the index and queue the line; `flush` puts it into the file."""
        op.index = self.index
        self.index += 1
        try:
            line = self._encode(op)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            op.value, op.ext = None, None
            op.error = f"a value that is not JSON: {error}"
            line = self._encode(op)
        self._waiting.append(line)

    def flush(self) -> None:
        """Write what is queued. SetupError on a full disk: what was written before stays whole."""
        if not self._waiting:
            return
        data = b"\n".join(self._waiting)
        if not data.endswith(b"\n"):
            data += b"\n"
        self._waiting.clear()
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as error:
            seen = f"{self.path} cannot be written: {error.strerror}"
            raise SetupError(
                seen, "the history up to here is stored", f"free some space, then splitbrain check {self.path.parent}"
            ) from error

    def close(self) -> None:
        self.flush()
        os.close(self._fd)
