"""The fast road: zones of all keys at once, on columns, for a large history of unique integers.

Why it exists  a million ops are judged in a fraction of a second; plain Python takes half a minute.
Relies on      the same rules as zones.py, without cas. It only says which keys break them; what is wrong with such a key, and every history
               that is unusual (a value written twice, ops that do not pair), the rest of the package says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.history.columns import Columns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST = 1 << 31  # positions and keys fit into one integer together


class Sifted(NamedTuple):
    """keys: how many have ops that count; bad: numbers of those that are not linearizable."""

    keys: int
    bad: NDArray[np.int64]


def sift(columns: Columns) -> Sifted | None:
    """Which keys are not linearizable, or None if the rest of the package must say. Registers start as null."""
    import numpy as np

    from checkers.linearizable.kernels import clusters, pair

    count = len(columns.kind)
    if count >= MOST or columns.process.max() >= 4 * count + 1024:
        return None
    call, ret = np.empty(count, np.int64), np.empty(count, np.int64)
    value, null = np.empty(count, np.int64), np.empty(count, np.bool_)
    key, write = np.empty(count, np.int64), np.empty(count, np.bool_)
    open_ = np.full(columns.process.max() + 1, -1, np.int64)
    columns_of = (columns.kind, columns.f, columns.process, columns.key, columns.value, columns.null)
    taken = pair(*columns_of, open_, call, ret, key, value, null, write)
    if taken < 0:
        return None
    keep = ret[:taken] >= 0
    call, ret, key, value = call[:taken][keep], ret[:taken][keep], key[:taken][keep], value[:taken][keep]
    null, write = null[:taken][keep], write[:taken][keep]
    writes = int(write.sum())
    bad = np.zeros(columns.keys, np.bool_)
    most = writes + columns.keys
    low, high, of_key = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    forward = np.empty(most, np.bool_)
    table = np.full(1 << max(4, (2 * writes).bit_length()), -1, np.int64)
    zones = clusters(call, ret, key, value, null, write, writes, table, bad, low, high, forward, of_key)
    if zones < 0:
        return None
    _compare(low[:zones], high[:zones], forward[:zones], of_key[:zones], bad)
    there = np.zeros(columns.keys, np.bool_)
    there[key] = True
    return Sifted(int(there.sum()), np.flatnonzero(bad))


def _compare(
    low: NDArray[np.int64], high: NDArray[np.int64], forward: NDArray[np.bool_], key: NDArray[np.int64], bad: NDArray[np.bool_]
) -> None:
    """Mark keys in which two forward zones overlap, or a backward zone lies inside a forward one."""
    import numpy as np

    at = (key << 32) + low + 1
    first = np.flatnonzero(forward)
    first = first[np.argsort(at[first])]
    starts, ends, keys = at[first], high[first], key[first]
    overlap = (keys[1:] == keys[:-1]) & (low[first][1:] < ends[:-1])
    bad[keys[1:][overlap]] = True
    back = np.flatnonzero(~forward)
    outer = np.searchsorted(starts, at[back], side="right") - 1
    back, outer = back[outer >= 0], outer[outer >= 0]
    inside = (keys[outer] == key[back]) & (high[back] < ends[outer])
    bad[key[back][inside]] = True
