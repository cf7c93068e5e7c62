"""The loops of windows.py and executing.py, compiled, on arrays.

Why it exists  a million transactions are put in order in a second; the same lines in plain Python take minutes.
Relies on      numba compiling these very functions: the modules are loaded a second time, with each function compiled in place of the plain
               one, so that there is one text for both. numba's cache keeps them from one process to the next.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np

from checkers.rw_register.serial_order import Loops, Steps
from harness.compiled import njit


@cache
def compiled() -> Loops:
    """The loops. Raises: RuntimeError where numba finds no folder that it may keep compiled code in."""
    windows, executing = _loaded("checkers.rw_register.windows"), _loaded("checkers.rw_register.executing")
    return Loops(
        windows.tighten,
        windows.infer,
        windows.by_first,
        executing.places,
        executing.execute,
        executing.replay,
        lambda count, value: np.full(count, value, np.int64),
        lambda due, high: due[np.argsort(high[due], kind="stable")],
    )


def as_arrays(steps: Steps) -> Steps:
    """Lists as arrays."""
    return Steps(*(np.array(column, np.int64) for column in steps))


def _loaded(name: str) -> Any:
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for attribute, value in list(vars(module).items()):
        if isinstance(value, FunctionType):
            setattr(module, attribute, njit(cache=True, nogil=True)(value))
    return module
