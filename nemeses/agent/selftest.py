"""Does this machine let us stop processes and shift clocks? Tried on a child of our own, before any node is touched.

Why it exists  capabilities, ptrace policies and kernels differ; a run must know at its start what it can break, and the report which way.
Relies on      the child being what the nodes' processes are, except that it is ours: what fails here fails there.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import vdso
from .observe import observe
from .procs import stopped

SHIFT_NS = 3_600_000_000_000
LIMIT_S = 1.0


@contextmanager
def _child() -> Iterator[int]:
    pid = os.fork()
    if pid == 0:
        while True:
            time.sleep(0.01)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def pause_mechanism() -> dict[str, Any]:
    """SIGSTOP, seen to stop."""
    with _child() as pid:
        os.kill(pid, signal.SIGSTOP)
        deadline = time.monotonic() + LIMIT_S
        while not stopped(pid):
            if time.monotonic() > deadline:
                return {"name": "SIGSTOP", "works": False, "why": "a process that was sent SIGSTOP goes on", "mend": ""}
            time.sleep(0.001)
    return {"name": "SIGSTOP", "works": True}


def clock_mechanism(tag: int) -> dict[str, Any]:
    """A child's clock is shifted by an hour, read through its own code, and restored."""
    try:
        plan = vdso.image()
        with _child() as pid:
            vdso.apply(pid, vdso.Params(offset=SHIFT_NS), tag)
            seen = observe({pid: vdso.read_whole(pid)})[pid]
            shown = seen.shown - seen.before
            vdso.remove(pid)
            if abs(shown - SHIFT_NS) > SHIFT_NS // 1000:
                return {"works": False, "why": f"a clock shifted by 3600 s shows {shown / 1e9:.3f} s", "mend": ""}
    except (OSError, vdso.Unpatchable) as error:
        mend = "give it CAP_SYS_PTRACE (as root, or Docker's --cap-add SYS_PTRACE)" if isinstance(error, PermissionError) else ""
        return {"works": False, "why": f"the vDSO of a process cannot be patched: {error}", "mend": mend}
    return {"name": "vDSO patch" if plan.moved else "vDSO patch (by system call)", "works": True}
