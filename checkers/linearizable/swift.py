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
    """keys: how many have ops that count; bad: numbers of those that are not linearizable; observed: whether any read succeeded."""

    keys: int
    bad: NDArray[np.int64]
    observed: bool


def sift(columns: Columns, keyed: str = "auto") -> Sifted | None:
    """Which keys are not linearizable, or None if the rest of the package must say. Registers start as null."""
    import numpy as np

    from checkers.linearizable.kernels import clusters, gather

    count = len(columns.kind)
    if count >= MOST or not set(columns.fs) <= {"read", "write"} or columns.result.any() or not _keys_are_plain(columns, keyed):
        return None
    partner = columns.pair()
    if partner is None:
        return None
    most = count // 2 + count % 2 + int((partner < 0).sum())
    call, ret = np.empty(most, np.int64), np.empty(most, np.int64)
    value, null = np.empty(most, np.int64), np.empty(most, np.bool_)
    key, write = np.empty(most, np.int64), np.empty(most, np.bool_)
    columns_of = (columns.key, columns.value, columns.null, partner)
    writing = columns.fs.index("write") if "write" in columns.fs else -1
    taken = gather(columns.kind, columns.f, writing, *columns_of, call, ret, key, value, null, write)
    call, ret, key = call[:taken], ret[:taken], key[:taken]
    value, null, write = value[:taken], null[:taken], write[:taken]
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
    return Sifted(int(there.sum()), np.flatnonzero(bad), writes < taken)


def _keys_are_plain(columns: Columns, keyed: str) -> bool:
    """Whether the keys of the columns are those that the ordinary reader would find."""
    if not columns.pairs:
        return keyed == "auto"
    reads = columns.fs.index("read") if "read" in columns.fs else -1
    asking = (columns.kind == 0) & (columns.f == reads)
    return bool(asking.any() and columns.null[asking].all())


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
