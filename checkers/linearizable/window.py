"""The smallest window: as few operations as still have no linearization, so that a person can check them by hand.

Why it exists  a violation in 10,000 operations convinces nobody; one in five does.
Relies on      leaving out a read, or a write whose value nobody in the window observes, never making a linearizable part
               non-linearizable: what is left over is a consequence of the whole history.
"""

from __future__ import annotations

from checkers.linearizable.operations import APPEND, CAS, READ, Operation
from checkers.linearizable.search import OutOfBudget, search

TRIES = 400


def removable(op: Operation, window: list[Operation]) -> bool:
    """True if nobody in the window could have observed what the op did."""
    if op.f == APPEND:
        return False
    if op.f not in ("write", CAS):
        return True
    written = op.b if op.f == CAS else op.a
    return not any(other.f in (READ, CAS) and other.a == written for other in window if other is not op)


def smallest(window: list[Operation], keep: Operation, initial: object, budget: int) -> list[Operation]:
    """Leave out what can be, in chunks that halve, then one by one; `keep` (where the search got stuck) stays."""
    chunk = max(1, len(window) // 2)
    tries = 0
    while tries < TRIES:
        changed = False
        start = 0
        while start < len(window) and tries < TRIES:
            part = window[start : start + chunk]
            rest = window[:start] + window[start + chunk :]
            if any(op.index == keep.index for op in part) or not all(removable(op, rest + [op]) for op in part):
                start += chunk
                continue
            tries += 1
            try:
                fails = search(rest, initial, budget) is not None
            except OutOfBudget:
                fails = False
            if fails:
                window, changed = rest, True
            else:
                start += chunk
        if chunk == 1 and not changed:
            break
        chunk = max(1, chunk // 2)
    return window
