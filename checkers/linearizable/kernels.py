"""The compiled part of swift.py: gathering the ops that count, and each written value's cluster.

Why it exists  both are loops with a memory, which numpy cannot express.
Relies on      numba's cache: compiled once (`splitbrain prepare --kernels`), loaded in a tenth of a second afterwards.
"""

from __future__ import annotations

import numpy as np
from numba import njit

NEVER = 1 << 40  # the return of an op that never returned: past all positions


@njit(cache=True, nogil=True, _nrt=False)
def gather(kind, f, writes, key, value, null, partner, call, ret, keys, values, nulls, write):  # type: ignore[no-untyped-def]
    """The ops that count in order of invocation: call, return (NEVER: unknown), key, value written or read; how many.

    writes: the number of f that writes.
    """
    count = 0
    for i in range(len(kind)):
        if kind[i] != 0:
            continue
        done, writing = partner[i], f[i] == writes
        outcome = kind[done] if done >= 0 else 3
        if outcome == 2 or (outcome == 3 and not writing):
            continue
        seen = i if writing else done
        call[count], keys[count], values[count], nulls[count], write[count] = i, key[i], value[seen], null[seen], writing
        ret[count] = done if outcome == 1 else NEVER
        count += 1
    return count


@njit(cache=True, nogil=True)
def slot(table, key, value, of_key, of_value):  # type: ignore[no-untyped-def]
    """Where (key, value) is, or the free place for it."""
    mask = len(table) - 1
    hashed = (np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) ^ (np.uint64(value) * np.uint64(0xC2B2AE3D27D4EB4F))
    slot = np.int64((hashed ^ (hashed >> np.uint64(29))) & np.uint64(mask))
    while table[slot] >= 0 and (of_key[table[slot]] != key or of_value[table[slot]] != value):
        slot = (slot + 1) & mask
    return slot


@njit(cache=True, nogil=True)
def clusters(call, ret, key, value, null, write, writes, table, bad, low, high, forward, zone_key):  # type: ignore[no-untyped-def]
    """Zones of all values that were observed or acknowledged; how many, -1: unusual. Keys with an impossible read are marked bad."""
    keys = len(bad)
    least, most = np.full(writes + keys, NEVER, np.int64), np.full(writes + keys, -1, np.int64)
    begin = np.full(writes + keys, -1, np.int64)
    of_key, of_value = np.empty(writes + keys, np.int64), np.zeros(writes + keys, np.int64)
    for k in range(keys):  # the initial value's cluster: written before everything
        of_key[writes + k], least[writes + k] = k, -1
    c = 0
    for i in range(len(call)):
        if write[i]:
            of_key[c], of_value[c] = key[i], value[i]
            place = slot(table, key[i], value[i], of_key, of_value)
            if null[i] or table[place] >= 0:
                return -1
            table[place] = c
            begin[c], least[c], most[c] = call[i], ret[i], call[i]
            c += 1
    for i in range(len(call)):
        if not write[i]:
            c = writes + key[i]
            if not null[i]:
                c = table[slot(table, key[i], value[i], of_key, of_value)]
            if c < 0 or ret[i] < begin[c]:
                bad[key[i]] = True
                continue
            least[c] = min(least[c], ret[i])
            most[c] = max(most[c], call[i])
    count = 0
    for c in range(writes + keys):
        if least[c] < NEVER:  # else a write of unknown outcome that nobody saw: it need not have happened
            low[count], high[count] = min(least[c], most[c]), max(least[c], most[c])
            forward[count], zone_key[count] = least[c] < most[c], of_key[c]
            count += 1
    return count
