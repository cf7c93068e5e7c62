"""Stopping every thread of a process for less than a millisecond, so that its code may be changed.

Why it exists  five bytes of a function that a thread may be inside are not changed under it: measured, that ends in a segfault.
Relies on      PTRACE_SEIZE and PTRACE_INTERRUPT: no SIGSTOP is seen by the process or its parent, it works on pid 1 of a container, and
               the kernel lets the threads go on if the tracer dies. All calls come from one thread, as ptrace wants.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import time

PEEK, POKE, DETACH, GETREGSET, SEIZE, INTERRUPT = 2, 5, 17, 0x4204, 0x4206, 0x4207
WALL = 0x40000000  # wait for threads too
NT_PRSTATUS = 1
STOP_LIMIT_S = 3.0  # 23 JVM threads on two busy CPUs took 0.44 s; a thread in uninterruptible sleep never stops
PC_AT = 256 if platform.machine() in ("aarch64", "arm64") else 128  # of the program counter in the kernel's register set

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def _ptrace(request: int, tid: int, address: int = 0, data: int = 0) -> int:
    ctypes.set_errno(0)
    result = _libc.ptrace(request, tid, address, data)
    code = ctypes.get_errno()
    if result == -1 and code:
        raise OSError(code, os.strerror(code))
    return int(result)


class Stopped:
    """All threads of a process, stopped while this context is open; a signal that arrives meanwhile is delivered afterwards."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._threads: dict[int, int] = {}  # thread -> signal to hand over when it goes on

    def __enter__(self) -> Stopped:
        try:
            deadline = time.monotonic() + STOP_LIMIT_S
            while True:  # a thread that starts while we stop others is found by the next look
                fresh = [tid for tid in self._listed() if tid not in self._threads]
                if not fresh:
                    return self
                for tid in fresh:
                    self._seize(tid, deadline)
        except BaseException:
            self._detach()
            raise

    def __exit__(self, *_: object) -> None:
        self._detach()

    def _listed(self) -> list[int]:
        try:
            return [int(name) for name in os.listdir(f"/proc/{self.pid}/task")]
        except FileNotFoundError:
            raise ProcessLookupError(errno.ESRCH, f"process {self.pid} is gone") from None

    def _seize(self, tid: int, deadline: float) -> None:
        try:
            _ptrace(SEIZE, tid)
        except ProcessLookupError:
            self._threads[tid] = -1
            return
        self._threads[tid] = 0
        try:
            _ptrace(INTERRUPT, tid)
            self._threads[tid] = self._wait(tid, deadline)
        except (ProcessLookupError, ChildProcessError):
            self._threads[tid] = -1

    def _wait(self, tid: int, deadline: float) -> int:
        """Wait until the thread has stopped: the signal it stopped for (0: our interrupt or a group stop), -1 if it ended."""
        while True:
            found, status = os.waitpid(tid, WALL | os.WNOHANG)
            if found == tid:
                if not os.WIFSTOPPED(status):
                    return -1
                return os.WSTOPSIG(status) if status >> 16 == 0 else 0
            if time.monotonic() > deadline:
                raise TimeoutError(errno.ETIMEDOUT, f"thread {tid} of process {self.pid} did not stop within {STOP_LIMIT_S:g} s")
            time.sleep(0.0001)

    def _detach(self) -> None:
        for tid, signal in self._threads.items():
            if signal >= 0:
                try:
                    _ptrace(DETACH, tid, 0, signal)
                except OSError:
                    pass  # killed meanwhile
        self._threads.clear()

    def counters(self) -> list[int]:
        """Each stopped thread's program counter."""
        return [counter for tid, signal in self._threads.items() if signal >= 0 for counter in self._counter(tid)]

    def _counter(self, tid: int) -> list[int]:
        registers = ctypes.create_string_buffer(1024)
        vector = struct.pack("QQ", ctypes.addressof(registers), len(registers))
        holder = ctypes.create_string_buffer(vector, len(vector))
        try:
            _ptrace(GETREGSET, tid, NT_PRSTATUS, ctypes.addressof(holder))
        except ProcessLookupError:
            return []
        return [int(struct.unpack_from("<Q", registers.raw, PC_AT)[0])]

    def poke(self, address: int, data: bytes) -> None:
        """Write through ptrace, word by word: for kernels where /proc/PID/mem may not be written."""
        tid = next(tid for tid, signal in self._threads.items() if signal >= 0)
        start, end = address & ~7, (address + len(data) + 7) & ~7
        words = bytearray()
        for at in range(start, end, 8):
            words += struct.pack("<q", _ptrace(PEEK, tid, at))
        words[address - start : address - start + len(data)] = data
        for index in range(0, len(words), 8):
            _ptrace(POKE, tid, start + index, struct.unpack_from("<Q", words, index)[0])
