"""numba, for kernels: imported without scipy.

Why it exists  numba looks for scipy when its first function is compiled or loaded, which takes as long as all the rest of a
               large check's start; no kernel here multiplies matrices.
Relies on      numba taking a scipy that cannot be imported for one that is not there; it is hidden while numba looks, never afterwards.
"""

from __future__ import annotations

import sys
from importlib import import_module

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

__all__ = ["njit"]
