"""Events of a run: phases, faults, endpoints, exits, lag; one JSON object a line, written as they happen.

Why it exists  the history holds ops only; whatever else a reader of the report must know streams here, so that a killed run keeps it.
Relies on      the same clock as the history: `time` is ns since the run's start. The first line has the wall clock's origin.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import SetupError


class EventLog:
    """Appends to events.jsonl. Listeners (the live view) see each event too."""

    def __init__(self, path: Path, origin_ns: int | None = None) -> None:
        self.origin_ns = time.monotonic_ns() if origin_ns is None else origin_ns
        self._encode = msgspec.json.Encoder(enc_hook=str).encode
        self._path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.listeners: list[Callable[[dict[str, Any]], None]] = []
        self.seen: list[dict[str, Any]] = []
        self.emit("start", {"wall_ns": time.time_ns(), "pid": os.getpid()})

    def now(self) -> int:
        """ns since the run's start."""
        return time.monotonic_ns() - self.origin_ns

    def emit(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Record one event now."""
        event = {"time": self.now(), "event": kind, **fields}
        self.seen.append(event)
        try:
            line = self._encode(event) + b"\n"
            while line:
                line = line[os.write(self._fd, line) :]
        except OSError as error:
            seen = f"{self._path} cannot be written: {error.strerror}"
            raise SetupError(seen, "what was written before is kept", "free some space") from error
        for listener in self.listeners:
            listener(event)

    def close(self) -> None:
        os.close(self._fd)


def read_events(path: Path) -> list[dict[str, Any]]:
    """Events of a stored run; a torn last line is dropped. A run without the file has none.

    What stands behind a damaged line is kept, and an event `damaged` says that something is missing: it may have been a finding.
    """
    if not path.is_file():
        return []
    events: list[dict[str, Any]] = []
    bad = 0
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        event = _event(line)
        if event is None:
            bad = bad or (number if line else 0)
            continue
        if bad:
            events.append(
                {"time": events[-1]["time"] if events else 0, "event": "damaged", "says": f"line {bad} of {path.name} is damaged"}
            )
            bad = 0
        events.append(event)
    return events


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return event if isinstance(event.get("event"), str) and isinstance(event.get("time"), int) else None
