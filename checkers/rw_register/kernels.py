"""The compiled part of arrays.py: who wrote what each read saw.

Why it exists  serial_order.py wants versions by number; finding them is a table of all writes, which numpy cannot express.
Relies on      the same rules as serial_order.steps_of, line by line: what has no explanation has no steps.
"""

from __future__ import annotations

import numpy as np

from harness.compiled import njit

READ, WRITE = 0, 2  # kinds of micro-ops
OK, FAIL, INFO = 1, 2, 3
NULL_LENGTH, SCALAR = -1, -2  # of a register's read: null; a value


@njit(cache=True, nogil=True)
def slot(table, key, value, of_key, of_value):  # type: ignore[no-untyped-def]
    """Where (key, value) is, or the free place for it."""
    mask = len(table) - 1
    hashed = (np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) ^ (np.uint64(value) * np.uint64(0xC2B2AE3D27D4EB4F))
    at = np.int64((hashed >> np.uint64(20)) & np.uint64(mask))
    while table[at] >= 0 and (of_key[table[at]] != key or of_value[table[at]] != value):
        at = (at + 1) & mask
    return at


@njit(cache=True, nogil=True)
def note_writes(outcome, first, size, f, key, value, null, table, of_key, of_value, of_txn, final, last, stamp):  # type: ignore[no-untyped-def]
    """Number all writes; False if a value is written twice, or null."""
    count = 0
    for txn in range(len(outcome)):
        for at in range(first[txn], first[txn] + size[txn]):
            if f[at] != WRITE:
                continue
            place = slot(table, key[at], value[at], of_key, of_value)
            if table[place] >= 0 or value[at] == null:
                return False
            name = key[at]
            if stamp[name] == txn:
                final[last[name]] = False
            stamp[name], last[name] = txn, count
            table[place] = count
            of_key[count], of_value[count], of_txn[count], final[count] = name, value[at], txn, True
            count += 1
    return True


@njit(cache=True, nogil=True)
def note_reads(  # type: ignore[no-untyped-def]
    outcome, first, size, f, key, value, length, null, table, of_key, of_value, of_txn, final, state, stamp, committed, read_at, read,
):  # fmt: skip
    """External reads of acknowledged transactions as versions; False if one has no explanation, or contradicts the transaction itself."""
    writes, count = len(of_txn), 0
    for txn in range(len(outcome)):
        read_at[txn] = count
        if outcome[txn] != OK:
            continue
        committed[txn] = True
        for at in range(first[txn], first[txn] + size[txn]):
            name = key[at]
            held = value[at]
            if f[at] != WRITE:
                if length[at] == NULL_LENGTH:
                    held = null
                elif length[at] != SCALAR:
                    return False
                if stamp[name] == txn:
                    if state[name] != held:
                        return False
                    continue
                version = writes + name
                if held != null:
                    version = table[slot(table, name, held, of_key, of_value)]
                    if version < 0 or not final[version] or of_txn[version] == txn or outcome[of_txn[version]] == FAIL:
                        return False
                    committed[of_txn[version]] = True
                read[count] = version
                count += 1
            stamp[name], state[name] = txn, held
    read_at[len(outcome)] = count
    for txn in range(len(outcome)):
        if committed[txn] and outcome[txn] == INFO:
            for at in range(first[txn], first[txn] + size[txn]):
                if f[at] != WRITE and length[at] != NULL_LENGTH:
                    return False
    return True


@njit(cache=True, nogil=True)
def arrange(call, ret, of_key, of_txn, kept, read_at, read, key, writer, reader_at, reader, write_at, write, first, last, chain, never):  # type: ignore[no-untyped-def]
    """Fill the rest of the steps but `rank`."""
    writes = len(of_txn)
    for version in range(len(key)):
        key[version] = of_key[version] if version < writes else version - writes
        writer[version], first[version], last[version], chain[version] = -1, never, -1, version
    count = 0
    at = 0
    for txn in range(len(call)):
        write_at[txn] = count
        while at < writes and of_txn[at] == txn:
            if kept[at]:
                writer[at], write[count], first[at], last[at] = txn, at, ret[txn], call[txn]
                count += 1
            at += 1
        for place in range(read_at[txn], read_at[txn + 1]):
            reader_at[read[place] + 1] += 1
    write_at[len(call)] = count
    for version in range(len(key)):
        reader_at[version + 1] += reader_at[version]
    filled = reader_at[:-1].copy()
    for txn in range(len(call)):
        for place in range(read_at[txn], read_at[txn + 1]):
            version = read[place]
            reader[filled[version]] = txn
            filled[version] += 1
            first[version], last[version] = min(first[version], ret[txn]), max(last[version], call[txn])
            for w in range(write_at[txn], write_at[txn + 1]):
                if key[write[w]] == key[version]:
                    chain[head(chain, write[w])] = head(chain, version)
    for version in range(len(key)):
        one = head(chain, version)
        chain[version] = one
        first[one], last[one] = min(first[one], first[version]), max(last[one], last[version])
    for version in range(len(key)):
        first[version], last[version] = first[chain[version]], last[chain[version]]
    return count


@njit(cache=True, nogil=True)
def head(chain, version):  # type: ignore[no-untyped-def]
    """The version that stands for a chain; ways to it are shortened."""
    while chain[version] != version:
        chain[version] = chain[chain[version]]
        version = chain[version]
    return version
