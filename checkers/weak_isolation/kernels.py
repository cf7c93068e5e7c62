"""The compiled part of resolved.py: whose write each read saw.

Why it exists  a million transactions have some millions of reads: in plain Python half a minute, compiled half a second.
Relies on      numba's cache; the same rules as reading.py. Transactions are numbered session after session; all are ok or failed. A writer
               INITIAL is the initial state.
"""

from __future__ import annotations

import numpy as np

from harness.compiled import njit

INITIAL, UNCLEAR, UNEXPLAINED = -1, -2, -3


@njit(cache=True, nogil=True)
def _mix(one, other, mask):  # type: ignore[no-untyped-def]
    mixed = (np.uint64(one) * np.uint64(0x9E3779B97F4A7C15)) ^ (np.uint64(other) * np.uint64(0xC2B2AE3D27D4EB4F))
    return np.int64((mixed ^ (mixed >> np.uint64(31))) & np.uint64(mask))


@njit(cache=True, nogil=True)
def number_keys(key, number):  # type: ignore[no-untyped-def]
    """Keys by first appearance; how many there are."""
    table = np.full(1 << 12, -1, np.int64)
    known = np.empty(1 << 11, np.int64)
    count = 0
    for i in range(len(key)):
        slot = _mix(key[i], 0, len(table) - 1)
        while table[slot] >= 0 and known[table[slot]] != key[i]:
            slot = (slot + 1) & (len(table) - 1)
        if table[slot] < 0:
            table[slot] = count
            known[count] = key[i]
            count += 1
            number[i] = count - 1
            if 2 * count >= len(table):
                known = np.append(known, np.empty(len(known), np.int64))
                table = np.full(2 * len(table), -1, np.int64)
                for k in range(count):
                    slot = _mix(known[k], 0, len(table) - 1)
                    while table[slot] >= 0:
                        slot = (slot + 1) & (len(table) - 1)
                    table[slot] = k
        else:
            number[i] = table[slot]
    return count


@njit(cache=True, nogil=True)
def roles(ok, start, size, write, key, keys, value, null, of, final, external, wrong):  # type: ignore[no-untyped-def]
    """Per micro-op: its transaction, whether it is the last write of its key there, an external read, or an internal read of a wrong value.
    Failed transactions have neither reads nor last writes."""
    by = np.full(keys, -1, np.int64)
    last = np.empty(keys, np.int64)
    for t in range(len(ok)):
        for i in range(start[t], start[t] + size[t]):
            of[i] = t
            if not ok[t]:
                continue
            k = key[i]
            if write[i]:
                if by[k] == t:
                    final[last[k]] = False
                by[k], last[k] = t, i
                final[i] = True
            elif by[k] != t:
                external[i] = True
            elif null[i] or value[last[k]] != value[i]:
                wrong[i] = True


@njit(cache=True, nogil=True)
def index_writes(final, key, value, table, twice):  # type: ignore[no-untyped-def]
    """Put the last writes into the table by key and value; `twice` marks those that another one equals."""
    for i in range(len(final)):
        if final[i]:
            slot = _mix(key[i], value[i], len(table) - 1)
            while table[slot] >= 0 and (key[table[slot]] != key[i] or value[table[slot]] != value[i]):
                slot = (slot + 1) & (len(table) - 1)
            if table[slot] >= 0:
                twice[table[slot]] = True
            else:
                table[slot] = i


@njit(cache=True, nogil=True)
def resolve(ok, start, size, key, value, null, of, external, table, twice, r_start, r_op, r_writer, odd):  # type: ignore[no-untyped-def]
    """Per transaction its reads that have one explanation, as places of `r_op` and `r_writer`; the others into `odd`, how many of them."""
    count = others = 0
    for t in range(len(ok)):
        r_start[t] = count
        if not ok[t]:
            continue
        for i in range(start[t], start[t] + size[t]):
            if not external[i]:
                continue
            writer = INITIAL
            if not null[i]:
                slot = _mix(key[i], value[i], len(table) - 1)
                while table[slot] >= 0 and (key[table[slot]] != key[i] or value[table[slot]] != value[i]):
                    slot = (slot + 1) & (len(table) - 1)
                found = table[slot]
                writer = UNEXPLAINED if found < 0 else UNCLEAR if twice[found] else of[found]
                if writer == t:
                    writer = UNEXPLAINED
            if writer <= UNCLEAR:
                odd[others] = i
                others += 1
            else:
                r_op[count], r_writer[count] = i, writer
                count += 1
    r_start[len(ok)] = count
    return others


@njit(cache=True, nogil=True)
def last_writes(ok, start, size, key, final, w_start, w_key):  # type: ignore[no-untyped-def]
    """Per transaction the keys that it writes, ascending."""
    count = 0
    for t in range(len(ok)):
        w_start[t] = count
        for i in range(start[t], start[t] + size[t]):
            if final[i]:
                w_key[count] = key[i]
                count += 1
        if count - w_start[t] > 1:
            w_key[w_start[t] : count] = np.sort(w_key[w_start[t] : count])
    w_start[len(ok)] = count
