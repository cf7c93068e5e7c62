"""The vDSO of a live process: its entries lead through our stub, or are the kernel's own bytes again.

Why it exists  programs of any language read the wall clock through the vDSO, so a wrong clock for one process needs nothing inside the
               process: no preloaded library, no restart, no image of ours. The mapping is private: what is written is this process's alone.
Relies on      the pristine image being our own (same kernel), so healing needs no stored state; a tail of zeros after the image, in which
               the stub lies. What it cannot reach: raw system calls, kernel timers, file times, 32-bit processes.
"""

from __future__ import annotations

import errno
import os
import struct
from functools import lru_cache
from typing import NamedTuple

from .ptrace import Stopped
from .relocate import jump, moved_prologue
from .stubs import BANKS, LIVE, MAGIC, OWNER, native

SYSINFO_EHDR = 33  # auxv: where the vDSO is
ENTRY_TRIES = 200
BANK = "<qqqqq"


class Params(NamedTuple):
    """A bank: shown = true + (true - t0) * rate / 2^32 + offset + (amplitude in every odd slice). ns; slice 0: no wave."""

    t0: int = 0
    rate: int = 0
    offset: int = 0
    slice: int = 0
    amplitude: int = 0

    def shown(self, true: int) -> int:
        """What the stub answers at this true time; the definition that its machine code is tested against."""
        wave = self.amplitude if self.slice and (true // self.slice) % 2 else 0
        return true + (((true - self.t0) * self.rate) >> 32) + self.offset + wave


class Hook(NamedTuple):
    """One function's entry: where, its own bytes, and the jump to the stub."""

    at: int
    own: bytes
    jump: bytes


class Image(NamedTuple):
    """This kernel's vDSO, and what a patch of it looks like."""

    pristine: bytes
    clock_gettime: int
    stub_at: int
    code: bytes
    hooks: tuple[Hook, ...]
    moved: bool  # the original's first instructions run from the stub; False: the stub makes the system call (slower, as right)


class Unpatchable(Exception):
    """Why this process's (or this machine's) clock cannot be changed."""


def base_of(pid: object) -> int:
    """Address of a process's vDSO (from its auxiliary vector: cheaper than its maps)."""
    with open(f"/proc/{pid}/auxv", "rb") as file:
        vector = file.read()
    for index in range(0, len(vector) - 15, 16):
        key, value = struct.unpack_from("<QQ", vector, index)
        if key == SYSINFO_EHDR:
            return int(value)
    raise Unpatchable(f"process {pid} has no vDSO that we know (a 32-bit program?)")


@lru_cache(maxsize=1)
def image() -> Image:
    """Read our own vDSO and plan the patch. Raises Unpatchable with the reason."""
    stub = native()
    if stub is None:
        raise Unpatchable(f"there is no clock stub for {os.uname().machine}")
    start, end = _own_range()
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        pristine = os.pread(memory.fileno(), end - start, start)
    names, loaded = _symbols(pristine)
    at = _room(pristine, loaded, len(stub.code) + 64)
    targets = [("clock_gettime", stub.clock_gettime), ("gettimeofday", stub.gettimeofday)] + ([("time", stub.time)] if stub.time else [])
    entries = {name: names.get("__vdso_" + name, names.get("__kernel_" + name)) for name, _ in targets}
    if not entries["clock_gettime"]:
        raise Unpatchable("the vDSO has no clock_gettime")
    hooks = []
    for name, target in targets:
        where = entries[name]
        if where:
            code = jump(where, at + target)
            hooks.append(Hook(where, pristine[where : where + len(code)], code))
    first = entries["clock_gettime"]
    prologue = moved_prologue(pristine, first, at + stub.moved)
    code = stub.code[: stub.moved] + prologue if prologue else stub.code
    return Image(pristine, first, at, code, tuple(hooks), bool(prologue))


def _own_range() -> tuple[int, int]:
    with open("/proc/self/maps") as file:
        for line in file:
            if line.rstrip().endswith("[vdso]"):
                start, end = line.split()[0].split("-")
                return int(start, 16), int(end, 16)
    raise Unpatchable("this kernel gives processes no vDSO")


def _symbols(pristine: bytes) -> tuple[dict[str, int], int]:
    """Dynamic symbols (name -> offset) and the end of what is loaded, by the program headers."""
    (headers,) = struct.unpack_from("<Q", pristine, 32)
    size, count = struct.unpack_from("<HH", pristine, 54)
    bias, loaded, dynamic = 0, 0, (0, 0)
    for index in range(count):
        kind, _, offset, address, _, length = struct.unpack_from("<IIQQQQ", pristine, headers + index * size)
        if kind == 1:
            bias, loaded = address - offset, offset + length
        elif kind == 2:
            dynamic = (offset, length)
    table = dict(struct.unpack_from("<QQ", pristine, at) for at in range(dynamic[0], sum(dynamic), 16))
    symbols, strings = table[6] - bias, table[5] - bias
    found = {}
    for at in range(symbols + 24, strings, 24):
        name, _, _, _, value = struct.unpack_from("<IBBHQ", pristine, at)
        start = strings + name
        found[pristine[start : pristine.index(b"\0", start)].decode()] = value - bias
    return found, loaded


def _room(pristine: bytes, loaded: int, need: int) -> int:
    """Where the stub lies: the tail of zeros, else the part that no program header loads (section headers, which nobody reads)."""
    for at in ((len(pristine.rstrip(b"\0")) + 63) & ~63, (loaded + 15) & ~15):
        if len(pristine) - at >= need:
            return at
    raise Unpatchable(f"the vDSO has no {need} free bytes")


class Memory:
    """A process's vDSO, readable and writable."""

    def __init__(self, pid: int) -> None:
        self.pid, self.base = pid, base_of(pid)
        self._fd = os.open(f"/proc/{pid}/mem", os.O_RDWR | os.O_CLOEXEC)

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def read(self, at: int, size: int) -> bytes:
        """Bytes at an offset of the vDSO."""
        data = os.pread(self._fd, size, self.base + at)
        if len(data) != size:
            raise ProcessLookupError(errno.ESRCH, f"process {self.pid} is gone")
        return data

    def write(self, at: int, data: bytes, stopped: Stopped | None = None) -> None:
        """Write at an offset; where the kernel forbids that through /proc/PID/mem, through ptrace."""
        try:
            if os.pwrite(self._fd, data, self.base + at) == len(data):
                return
        except OSError as error:
            if error.errno not in (errno.EIO, errno.EPERM, errno.EACCES):
                raise
        if stopped is not None:
            stopped.poke(self.base + at, data)
        else:
            with Stopped(self.pid) as held:
                held.poke(self.base + at, data)


def apply(pid: int, params: Params, owner: int) -> None:
    """Make the process's wall clock run by `params`. Raises OSError or Unpatchable."""
    plan = image()
    with Memory(pid) as memory:
        if memory.read(0, 64) != plan.pristine[:64]:
            raise Unpatchable(f"the vDSO of process {pid} is not the one of this agent (a 32-bit program?)")
        if _hooked(memory, plan) and owner_of(memory, plan) == owner:
            live = struct.unpack("<I", memory.read(plan.stub_at + LIVE, 4))[0]
            memory.write(plan.stub_at + BANKS[1 - live], struct.pack(BANK, *params))
            memory.write(plan.stub_at + LIVE, struct.pack("<I", 1 - live))
            return
        code = bytearray(plan.code)
        struct.pack_into("<Q", code, OWNER, owner)
        struct.pack_into(BANK, code, BANKS[0], *params)
        writes = [(hook.at, hook.jump) for hook in plan.hooks]
        _with_entries_free(memory, plan, [(plan.stub_at, bytes(code)), *writes])


def remove(pid: int) -> bool:
    """Give the process its true clock back: the entries' own bytes. True if there was anything to undo. The stub stays, unreachable."""
    plan = image()
    with Memory(pid) as memory:
        if all(memory.read(hook.at, len(hook.own)) == hook.own for hook in plan.hooks):
            return False
        _with_entries_free(memory, plan, [(hook.at, hook.own) for hook in plan.hooks])
    return True


def _with_entries_free(memory: Memory, plan: Image, writes: list[tuple[int, bytes]]) -> None:
    """Write while every thread stands and none is between the bytes of an entry."""
    for _ in range(ENTRY_TRIES):
        with Stopped(memory.pid) as stopped:
            offsets = [counter - memory.base for counter in stopped.counters()]
            if not any(hook.at < offset < hook.at + len(hook.jump) for offset in offsets for hook in plan.hooks):
                for at, data in writes:
                    memory.write(at, data, stopped)
                return
    raise Unpatchable(f"a thread of process {memory.pid} never left the first bytes of a clock function")


def _hooked(memory: Memory, plan: Image) -> bool:
    return all(memory.read(hook.at, len(hook.jump)) == hook.jump for hook in plan.hooks)


def owner_of(memory: Memory, plan: Image) -> int:
    """Which run's stub lies in this vDSO; 0 if none does."""
    head = memory.read(plan.stub_at, OWNER + 8)
    return int(struct.unpack_from("<Q", head, OWNER)[0]) if head[MAGIC : MAGIC + 8] == plan.code[MAGIC : MAGIC + 8] else 0


def patched_by(pid: int) -> int:
    """The run (its tag) whose patch is in effect in this process; 0 if its clock is true."""
    plan = image()
    with Memory(pid) as memory:
        return owner_of(memory, plan) if _hooked(memory, plan) else 0


def read_params(pid: int) -> Params | None:
    """The live bank of a patched process; None if its clock is true."""
    plan = image()
    with Memory(pid) as memory:
        if not _hooked(memory, plan):
            return None
        live = struct.unpack("<I", memory.read(plan.stub_at + LIVE, 4))[0]
        return Params(*struct.unpack(BANK, memory.read(plan.stub_at + BANKS[live], 40)))


def read_whole(pid: int) -> bytes:
    """The process's whole vDSO as it is now."""
    with Memory(pid) as memory:
        return memory.read(0, len(image().pristine))
