"""numba, for kernels: imported without scipy.

Why it exists  numba looks for scipy when its first function is compiled or loaded, which takes as long as all the rest of a
               large check's start; no kernel here multiplies matrices.
               What was not compiled before (`splitbrain prepare --kernels`) takes seconds at its first need: that is said.
Relies on      numba taking a scipy that cannot be imported for one that is not there; it is hidden while numba looks, never afterwards.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

_HIDDEN = "scipy"

if _HIDDEN in sys.modules:
    from numba import njit
else:
    sys.modules[_HIDDEN] = None  # type: ignore[assignment]
    try:
        import_module("numba.np.arraymath")
        from numba import njit
    finally:
        del sys.modules[_HIDDEN]

__all__ = ["announce", "is_cold", "njit"]


def is_cold(kernel: Any) -> bool:
    """True if the kernel was never compiled: neither in this process nor, as far as numba's cache shows, in another one."""
    if getattr(kernel, "signatures", True):  # a plain function where numba is told to compile nothing
        return False
    index = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    try:
        return index is None or not index._load_index()
    except Exception:  # a cache that cannot be read is none
        return True


def announce(kernel: Any, what: str) -> bool:
    """Say on stderr, in one line, that the kernels of which this is the last are compiled first, if so; True if so."""
    cold = is_cold(kernel)
    if cold:
        print(f"compiling what {what} needs, once; `splitbrain prepare --kernels` does it beforehand", file=sys.stderr, flush=True)
    return cold
