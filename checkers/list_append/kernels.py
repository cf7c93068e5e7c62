"""The compiled part of swift.py about versions: who appended what, who committed, each key's order, what breaks a rule without a cycle.

Why it exists  a million transactions have some ten million facts of this kind; plain Python takes a second for each half a million.
Relies on      numba's cache. A key is `bad` here if its reads do not agree, or hold an element twice, of nobody or of a writer that did not
               commit: the exact rules in plain Python judge such a key. Of all others every read is a beginning of one list.
"""

from __future__ import annotations

import numpy as np

from harness.compiled import njit

READ, APPEND = 0, 1
OK, FAIL, INFO = 1, 2, 3
SCALAR = -2
WIDE = 64  # micro-ops of a transaction beyond which its pairs are left to the exact rules


@njit(cache=True, nogil=True, _nrt=False)
def _slot(table, key, value):  # type: ignore[no-untyped-def]
    """Where to look for an append first: elements that follow each other stand together."""
    block = (np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) ^ (np.uint64(value >> 5) * np.uint64(0xC2B2AE3D27D4EB4F))
    block = (block ^ (block >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return np.int64(((block >> np.uint64(20)) + np.uint64(value & 31)) & np.uint64(len(table) - 1))


@njit(cache=True, nogil=True, _nrt=False)
def _find(table, keys, values, key, value):  # type: ignore[no-untyped-def]
    """The append of the element to the key, or -1."""
    slot = _slot(table, key, value)
    while table[slot] >= 0:
        a = table[slot]
        if keys[a] == key and values[a] == value:
            return a
        slot = (slot + 1) & (len(table) - 1)
    return -1


@njit(cache=True, nogil=True)
def settle(outcome, first, size, f, key, length, rank):  # type: ignore[no-untyped-def]
    """Make lengths mean what their outcome makes of them (null of an ok is the empty list, a fail saw nothing), and rank keys by first
    mention. False if a micro-op is not of lists."""
    ranked = 0
    for t in range(len(first)):
        for m in range(first[t], first[t] + size[t]):
            if f[m] > APPEND or (f[m] == READ and length[m] == SCALAR and outcome[t] != FAIL):
                return False
            if rank[key[m]] < 0:
                rank[key[m]] = ranked
                ranked += 1
            if f[m] == READ and (outcome[t] == FAIL or length[m] < 0):
                length[m] = 0 if outcome[t] == OK else -1
    return True


@njit(cache=True, nogil=True)
def note_appends(first, size, f, key, value, owner, final, table, last):  # type: ignore[no-untyped-def]
    """Fill owner and final per micro-op and the table of appends. (-1, -1), or the first two appends of one element to one key."""
    for t in range(len(first)):
        for m in range(first[t], first[t] + size[t]):
            owner[m] = t
            if f[m] != APPEND:
                continue
            k = key[m]
            slot = _slot(table, k, value[m])
            while table[slot] >= 0:
                a = table[slot]
                if key[a] == k and value[a] == value[m]:
                    return a, m
                slot = (slot + 1) & (len(table) - 1)
            table[slot] = m
            if last[k] >= 0 and owner[last[k]] == t:
                final[last[k]] = False
            final[m] = True
            last[k] = m
    return -1, -1


@njit(cache=True, nogil=True)
def commit(outcome, first, size, f, key, value, start, length, elements, owner, table, committed, keys):  # type: ignore[no-untyped-def]
    """Mark who committed: ok, or unknown and read by one who did."""
    seen_start, seen_length = np.full(keys, -1, np.int64), np.zeros(keys, np.int64)
    waiting = np.empty(len(first), np.int64)
    count = 0
    for t in range(len(first)):
        if outcome[t] == OK:
            committed[t] = True
            waiting[count] = t
            count += 1
    if count == len(first):
        return
    at = 0
    while at < count:
        t = waiting[at]
        at += 1
        for m in range(first[t], first[t] + size[t]):
            if f[m] != READ or length[m] <= 0:
                continue
            k = key[m]
            begin = seen_length[k] if seen_start[k] == start[m] else 0
            for j in range(begin, length[m]):
                a = _find(table, key, value, k, elements[start[m] + j])
                if a >= 0 and outcome[owner[a]] == INFO and not committed[owner[a]]:
                    committed[owner[a]] = True
                    waiting[count] = owner[a]
                    count += 1
            if length[m] > seen_length[k]:
                seen_start[k], seen_length[k] = start[m], length[m]


@njit(cache=True, nogil=True)
def longest(outcome, first, size, f, key, length, committed, best):  # type: ignore[no-untyped-def]
    """Each key's longest read of a committed transaction, the first of several, in `best`. True if an ok transaction read anything."""
    observed = False
    for t in range(len(first)):
        if not committed[t]:
            continue
        for m in range(first[t], first[t] + size[t]):
            if f[m] == READ and length[m] >= 0:
                observed = observed or outcome[t] == OK
                if best[key[m]] < 0 or length[m] > length[best[key[m]]]:
                    best[key[m]] = m
    return observed


@njit(cache=True, nogil=True)
def agree(first, size, f, key, start, length, elements, committed, best, bad):  # type: ignore[no-untyped-def]
    """Mark keys bad of which a committed read is no beginning of the longest."""
    for t in range(len(first)):
        if not committed[t]:
            continue
        for m in range(first[t], first[t] + size[t]):
            if f[m] != READ or length[m] <= 0 or bad[key[m]]:
                continue
            whole, mine = start[best[key[m]]], start[m]
            if whole != mine:
                for j in range(length[m]):
                    if elements[whole + j] != elements[mine + j]:
                        bad[key[m]] = True
                        break


@njit(cache=True, nogil=True)
def order(key, value, start, length, elements, owner, committed, table, best, bad, offset, placed, place):  # type: ignore[no-untyped-def]
    """Each key's appends in order: `placed` from its offset on; `place` per append. Keys whose elements are not all committed are bad."""
    for k in range(len(best)):
        m = best[k]
        if m < 0:
            continue
        for j in range(length[m]):
            a = _find(table, key, value, k, elements[start[m] + j])
            if a < 0 or not committed[owner[a]] or place[a] >= 0:
                bad[k] = True
                break
            place[a] = j
            placed[offset[k] + j] = a


@njit(cache=True, nogil=True)
def unread(first, size, f, key, committed, bad, place, begin, listed):  # type: ignore[no-untyped-def]
    """Committed appends of good keys that nobody read, by key in order of the history: `listed` from begin[key] on; `place` gets -2 - where
    it stands in `listed`."""
    at = begin[:-1].copy()
    for t in range(len(first)):
        if not committed[t]:
            continue
        for m in range(first[t], first[t] + size[t]):
            if f[m] == APPEND and place[m] == -1 and not bad[key[m]]:
                listed[at[key[m]]] = m
                place[m] = -2 - at[key[m]]
                at[key[m]] += 1


@njit(cache=True, nogil=True)
def count_unread(first, size, f, key, committed, bad, place, count):  # type: ignore[no-untyped-def]
    """How many of those each key has."""
    for t in range(len(first)):
        if committed[t]:
            for m in range(first[t], first[t] + size[t]):
                if f[m] == APPEND and place[m] == -1 and not bad[key[m]]:
                    count[key[m]] += 1


@njit(cache=True, nogil=True, _nrt=False)
def _follows(begin, m, f, key, value, start, length, elements):  # type: ignore[no-untyped-def]
    """A read follows from the transaction's own micro-ops before it: its last read of the key and the appends since."""
    own, before = 0, -1
    for i in range(m - 1, begin - 1, -1):
        if key[i] == key[m]:
            if f[i] == READ:
                before = i
                break
            own += 1
            if own > length[m] or elements[start[m] + length[m] - own] != value[i]:
                return False
    if before < 0:
        return True
    if length[before] + own != length[m]:
        return False
    if start[before] != start[m]:
        for j in range(length[before]):
            if elements[start[before] + j] != elements[start[m] + j]:
                return False
    return True


@njit(cache=True, nogil=True)
def sift(outcome, committed, first, size, f, key, value, start, length, elements, owner, final, bad, offset, placed, place, odd, half):  # type: ignore[no-untyped-def]
    """Mark in `odd` the transactions whose own rules (internal, future-read, duplicates) the exact rules must judge; note in `half`
    (writer, reader, key) of each intermediate read of a good key. How many of those."""
    noted = 0
    for t in range(len(first)):
        begin, end = first[t], first[t] + size[t]
        for m in range(begin, end):
            if outcome[t] == FAIL or f[m] != READ or length[m] < 0:
                continue
            if outcome[t] == INFO or bad[key[m]] or size[t] > WIDE:
                odd[t] = True
            elif not odd[t]:
                odd[t] = not _follows(begin, m, f, key, value, start, length, elements)
                for i in range(m + 1, end):
                    if f[i] == APPEND and key[i] == key[m] and 0 <= place[i] < length[m]:
                        odd[t] = True
            if not committed[t] or bad[key[m]] or length[m] == 0:
                continue
            a = placed[offset[key[m]] + length[m] - 1]
            if final[a] or owner[a] == t:
                continue
            told = False
            for i in range(begin, m):
                told = told or (f[i] == READ and key[i] == key[m] and length[i] == length[m])
            if not told:
                half[noted, 0], half[noted, 1], half[noted, 2] = owner[a], t, key[m]
                noted += 1
    return noted


@njit(cache=True, nogil=True)
def lost(first, size, f, key, length, committed, bad, cyclic, found):  # type: ignore[no-untyped-def]
    """(key, length read, transaction) of each committed one that first read a good key and appended to it, of those marked. How many."""
    noted = 0
    for t in range(len(first)):
        if not cyclic[t] or not committed[t]:
            continue
        begin, end = first[t], first[t] + size[t]
        for m in range(begin, end):
            if f[m] != READ or length[m] < 0 or bad[key[m]]:
                continue
            fresh, updates = True, False
            for i in range(begin, m):
                fresh = fresh and key[i] != key[m]
            for i in range(m + 1, end):
                updates = updates or (f[i] == APPEND and key[i] == key[m])
            if fresh and updates:
                found[noted, 0], found[noted, 1], found[noted, 2] = key[m], length[m], t
                noted += 1
    return noted


@njit(cache=True, nogil=True, _nrt=False)
def _misses(reader, w, shown, first, size, f, key, length, place):  # type: ignore[no-untyped-def]
    """The reader read a key, not the shown one, that the writer appended to, without one of its elements there."""
    for b in range(first[w], first[w] + size[w]):
        if f[b] != APPEND or key[b] == shown:
            continue
        for m in range(first[reader], first[reader] + size[reader]):
            if f[m] == READ and key[m] == key[b] and length[m] >= 0 and not 0 <= place[b] < length[m]:
                return True
    return False


@njit(cache=True, nogil=True)
def fractured(first, size, f, key, length, owner, bad, committed, cyclic, offset, placed, place, mixed, found):  # type: ignore[no-untyped-def]
    """(writer, reader) of each fractured read of a marked reader whose keys are all good. Readers of several keys, one of them bad, are
    marked in `mixed` instead, whether marked before or not. How many; -1 if `found` is full."""
    noted = 0
    examined = np.full(len(first), -1, np.int64)
    for t in range(len(first)):
        if not committed[t]:
            continue
        several, rotten, one = False, False, -1
        for m in range(first[t], first[t] + size[t]):
            if f[m] == READ and length[m] >= 0:
                several = several or (one >= 0 and one != key[m])
                rotten = rotten or bad[key[m]]
                one = key[m]
        if not several:
            continue
        if rotten:
            mixed[t] = True
            continue
        if not cyclic[t]:
            continue
        for m in range(first[t], first[t] + size[t]):
            if f[m] != READ:
                continue
            for j in range(length[m]):
                w = owner[placed[offset[key[m]] + j]]
                if w == t or size[w] < 2 or examined[w] == t:
                    continue
                if _misses(t, w, key[m], first, size, f, key, length, place):
                    examined[w] = t
                    if noted == len(found):
                        return -1
                    found[noted, 0], found[noted, 1] = w, t
                    noted += 1
    return noted
