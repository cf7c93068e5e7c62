"""Watching containers: who started, who ended and whether anybody had asked for it; and what the services say, line by line.

Why it exists  a node that ends by itself is a finding; its last words, with the controller's arrival times, are what a person reads first.
Relies on      the Engine's events (one thread) and attached output streams (one thread a node, attached before the start, so that
               nothing is missed).
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests
import urllib3
from docker.errors import DockerException

from harness.clusters.docker_engine import Engine
from harness.clusters.docker_helper import Frames

RETRY_S = 0.5
CHUNK = 1 << 16
TROUBLE = (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)


class Exits:
    """The events thread. `on_start(node)` and `on_exit(node, code, asked)` are called in it."""

    def __init__(
        self, engine: Engine, nodes: Mapping[str, str], on_start: Callable[[str], None], on_exit: Callable[[str, int, bool], None]
    ) -> None:
        self._engine, self._nodes, self._on_start, self._on_exit = engine, dict(nodes), on_start, on_exit
        self._asked: Counter[str] = Counter()  # kills that we asked for and whose ends have not been seen yet
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._stream: Any = None
        self._thread = threading.Thread(target=self._run, name="docker-events", daemon=True)
        self._since = time.time()

    def start(self) -> None:
        """Watch from now on."""
        self._thread.start()

    def ask(self, node: str, number: int = 1) -> None:
        """One more exit of the node is expected (-1: it was not to be)."""
        with self._lock:
            self._asked[node] += number

    def close(self) -> None:
        """No more events."""
        self._ending.set()
        with contextlib.suppress(*TROUBLE, AttributeError):
            if self._stream is not None:
                self._stream.close()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._stream = self._engine.api.events(since=f"{self._since:.9f}", filters={"type": "container"}, decode=True)
                for event in self._stream:
                    if self._ending.is_set():
                        return
                    self._take(event)
            except TROUBLE:
                pass
            self._ending.wait(RETRY_S)  # the stream ended: the Engine restarts, or is gone; whoever calls it next says so

    def _take(self, event: Mapping[str, Any]) -> None:
        node = self._nodes.get(event.get("Actor", {}).get("Attributes", {}).get("name", ""))
        self._since = event.get("timeNano", 0) / 1e9 + 1e-6
        if node is None:
            return
        if event["Action"] == "start":
            self._on_start(node)
        elif event["Action"] == "die":
            with self._lock:
                asked = self._asked[node] > 0
                self._asked[node] -= asked
            self._on_exit(node, int(event["Actor"]["Attributes"].get("exitCode", -1)), asked)


class ServiceLog:
    """One node's output, into logs/<node>/service.log."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine, self._path = engine, path
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self.last: deque[str] = deque(maxlen=5)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    def follow(self, container: str, terminal: bool = False) -> None:
        """Take what the container writes from now on, until it ends; once for each start. Raises what Docker raises."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            stream = self._engine.api.attach_socket(container, params={"stdout": 1, "stderr": 1, "stream": 1})
            raw: socket.socket = getattr(stream, "_sock", stream)
            raw.settimeout(None)
            self._socket = raw
            self._thread = threading.Thread(target=self._take, args=(raw, terminal), name="docker-log", daemon=True)
            self._thread.start()

    def ended(self, limit_s: float) -> None:
        """Wait until the last words of a container that has ended are written."""
        if self._thread is not None:
            self._thread.join(limit_s)

    def close(self) -> None:
        """No more lines."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self.ended(1.0)

    def _take(self, stream: socket.socket, terminal: bool) -> None:
        frames, rests = Frames(terminal), {1: b"", 2: b""}
        with open(self._path, "ab", buffering=0) as file, contextlib.suppress(OSError):
            while data := stream.recv(CHUNK):
                stamp = _stamp()
                for kind, part in frames.feed(data):
                    *lines, rests[kind] = (rests.get(kind, b"") + part).split(b"\n")
                    self._write(file, stamp, lines)
            self._write(file, _stamp(), [rest for rest in rests.values() if rest])
        stream.close()

    def _write(self, file: Any, stamp: str, lines: list[bytes]) -> None:
        for line in lines:
            text = line.rstrip(b"\r").decode(errors="replace")
            self.last.append(text)
            file.write(f"{stamp}{text}\n".encode())


def _stamp() -> str:
    """The controller's time (UTC), as in the logs of other clusters."""
    now = time.time()
    return time.strftime("%H:%M:%S", time.gmtime(now)) + f".{int(now * 1e3) % 1000:03d} "
