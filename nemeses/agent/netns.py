"""Sockets that live in a node's network namespace while the agent stays in its own.

Why it exists  a probe must leave from where the node's own packets leave; a socket belongs to the namespace that it was made in.
Relies on      setns (CAP_SYS_ADMIN over the namespace). If the way back fails the agent ends at once, and its watchdog heals.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def inside(path: str) -> Iterator[None]:
    """Run a block in another network namespace; "" is our own. Raises OSError if it cannot be entered."""
    if not path:
        yield
        return
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        there = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            try:
                _enter(home)
            except OSError:
                os._exit(70)  # in a stranger's namespace every further act would strike the wrong place
    finally:
        os.close(home)


def _enter(fd: int) -> None:
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"setns: {os.strerror(code)}")
