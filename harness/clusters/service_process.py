"""A node's service as a process of ours: started, watched, killed with everything it started, its output stored line by line.

Why it exists  the local cluster is its own init system; who asked for an exit decides whether it is a finding.
Relies on      a pidfd for the exit; /proc for what else belongs to the node: what shares its network namespace, else its descendants.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from harness.clusters.bubble import CLONE_NEWNET, call, die_with_parent

KILL_LIMIT_S = 10.0
PIPE_BYTES = 1 << 20  # a loop that hangs for a moment must not block a node that logs


class ServiceProcess:
    """One start of one node's service. `on_exit(code)` is called once, with a negative signal number where one ended it."""

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: str, netns: str, log: Path, on_exit: Callable[[int], None]
    ) -> None:
        parent = os.getpid()

        def before() -> None:
            die_with_parent(parent)
            if netns:
                enter(netns)

        self.netns, self.on_exit = netns, on_exit
        self.expected = False
        self.process = subprocess.Popen(
            list(argv),
            env={**os.environ, **env},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=before,
        )
        self.pid = self.process.pid
        assert self.process.stdout is not None
        self._log = LineLog(log, self.process.stdout)
        self._pidfd = os.pidfd_open(self.pid)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._pidfd, self._ended)
        self.gone = asyncio.Event()

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.process.poll()

    def _ended(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        code = self.process.wait()
        self.gone.set()
        self.on_exit(code)

    def expect_end(self) -> None:
        """We end it now; a service that has just ended by itself stays a finding, though the loop has not heard of it yet."""
        if self.exit_code is None:
            self.expected = True

    async def kill(self) -> None:
        """SIGKILL all processes of the node until none is left. TimeoutError if one does not die."""
        self.expect_end()
        deadline = time.monotonic() + KILL_LIMIT_S
        while pids := [*members(self.pid, self.netns), *([self.pid] if self.exit_code is None else [])]:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise TimeoutError(f"processes {pids} do not die")
            await asyncio.sleep(0.002)
        await asyncio.wait_for(self.gone.wait(), KILL_LIMIT_S)

    def close(self) -> None:
        """The run is over: no more output is read."""
        self._log.close()


def enter(netns: str) -> None:
    """Move this process into a network namespace given by path."""
    fd = os.open(netns, os.O_RDONLY)
    call("setns", fd, CLONE_NEWNET)
    os.close(fd)


def members(pid: int, netns: str) -> list[int]:
    """Live processes of a node: in its network namespace, or (without one) descendants of its service."""
    numbers = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    if netns:
        inode = os.stat(netns).st_ino
        return [number for number in numbers if _namespace(number) == inode and _parent(number) is not None]
    parents = {number: _parent(number) for number in numbers}
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        children = [number for number, parent in parents.items() if parent == one]
        found += children
        todo += children
    return found


def _namespace(pid: int) -> int:
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino
    except OSError:
        return 0


def _parent(pid: int) -> int | None:
    """Parent of a live process; None of one that is dead."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in b"ZX" else int(fields[1])


class LineLog:
    """Copies a pipe into a file, with the controller's arrival time (UTC) before each line."""

    def __init__(self, path: Path, pipe: IO[bytes]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file, self._pipe, self._rest = path.open("ab", buffering=0), pipe, b""
        self._loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        os.set_blocking(pipe.fileno(), False)
        self._loop.add_reader(pipe.fileno(), self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._pipe.fileno(), 1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._write(lines)

    def _write(self, lines: Sequence[bytes]) -> None:
        now = time.time()
        stamp = time.strftime("%H:%M:%S", time.gmtime(now)) + f".{int(now * 1e3) % 1000:03d} "
        with contextlib.suppress(OSError):  # a full disk: the history says it, and ends the run
            self._file.write(b"".join(stamp.encode() + line + b"\n" for line in lines))

    def close(self) -> None:
        """Store what is there, and stop reading. Twice is once."""
        if self._file.closed:
            return
        self._loop.remove_reader(self._pipe.fileno())
        if self._rest:
            self._write([self._rest])
        self._pipe.close()
        self._file.close()
