"""The compiled part of swift.py about dependencies: the edges of good keys, as a graph and one by one.

Why it exists  a history has three edges a micro-op; only those inside a component with a cycle are needed by name.
Relies on      the rules of dependencies.py, for keys whose reads agree. All that came last (unread appends) are followers of each last
               reader: a ladder of two helpers an unread append, one that leads to all up to it and one that leads to all from it on, keeps
               that linear, and leads no transaction to itself: its own unread appends of a key stand together.
"""

from __future__ import annotations

import numpy as np

from checkers.list_append.kernels import APPEND, READ
from harness.compiled import njit

WW, WR, RW = 0, 1, 2


@njit(cache=True, nogil=True, _nrt=False)
def _add(source, target, kind, edges, s, t, k, call, ret):  # type: ignore[no-untyped-def]
    """Note an edge between transactions that real time does not imply; how many there are now."""
    if s == t or ret[s] < call[t]:
        return edges
    source[edges], target[edges], kind[edges] = s, t, k
    return edges + 1


@njit(cache=True, nogil=True, _nrt=False)
def _own(t, k, first, size, f, key, place):  # type: ignore[no-untyped-def]
    """(first, last) of the transaction's own unread appends to the key, as places among the unread; (-1, -1) if it has none."""
    low = high = -1
    for m in range(first[t], first[t] + size[t]):
        if f[m] == APPEND and key[m] == k and place[m] <= -2:
            if low < 0:
                low = -2 - place[m]
            high = -2 - place[m]
    return low, high


@njit(cache=True, nogil=True, _nrt=False)
def _climb(t, k, what, row, edges, source, target, kind, up, down, begin):  # type: ignore[no-untyped-def]
    """Edges to all unread appends of the key but its own; how many edges there are now."""
    first, size, f, key, place = row
    if begin[k] == begin[k + 1]:
        return edges
    low, high = _own(t, k, first, size, f, key, place)
    if low < 0:
        source[edges], target[edges], kind[edges] = t, up + begin[k], what
        return edges + 1
    if low > begin[k]:
        source[edges], target[edges], kind[edges] = t, down + low - 1, what
        edges += 1
    if high + 1 < begin[k + 1]:
        source[edges], target[edges], kind[edges] = t, up + high + 1, what
        edges += 1
    return edges


@njit(cache=True, nogil=True)
def graph(call, ret, row, length, owner, committed, bad, offset, placed, begin, listed, source, target, kind):  # type: ignore[no-untyped-def]
    """The graph of good keys: transactions, then the ladders' helpers. Edges that real time implies are left out. How many edges."""
    first, size, f, key, _ = row
    count, edges = len(call), 0
    up, down = count, count + len(listed)
    for k in range(len(bad)):
        if bad[k]:
            continue
        for j in range(offset[k] + 1, offset[k + 1]):
            edges = _add(source, target, kind, edges, owner[placed[j - 1]], owner[placed[j]], WW, call, ret)
        if offset[k + 1] > offset[k]:
            edges = _climb(owner[placed[offset[k + 1] - 1]], k, WW, row, edges, source, target, kind, up, down, begin)
        for j in range(begin[k], begin[k + 1]):
            for helper in (up + j, down + j):
                source[edges], target[edges], kind[edges] = helper, owner[listed[j]], WW
                edges += 1
            if j > begin[k]:
                source[edges], target[edges], kind[edges] = up + j - 1, up + j, WW
                source[edges + 1], target[edges + 1], kind[edges + 1] = down + j, down + j - 1, WW
                edges += 2
    for t in range(count):
        if not committed[t]:
            continue
        for m in range(first[t], first[t] + size[t]):
            k = key[m]
            if f[m] != READ or length[m] < 0 or bad[k]:
                continue
            at = offset[k] + length[m]
            if length[m] > 0:
                edges = _add(source, target, kind, edges, owner[placed[at - 1]], t, WR, call, ret)
            if at < offset[k + 1]:
                edges = _add(source, target, kind, edges, t, owner[placed[at]], RW, call, ret)
            else:
                edges = _climb(t, k, RW, row, edges, source, target, kind, up, down, begin)
    return edges


@njit(cache=True, nogil=True, _nrt=False)
def _note(found, noted, component, s, t, kind, before, element, at):  # type: ignore[no-untyped-def]
    """Note an edge inside a component, if there is room; how many there are now."""
    if s == t or component[s] != component[t]:
        return noted
    if noted < len(found):
        found[noted, 0], found[noted, 1], found[noted, 2] = s, t, kind
        found[noted, 3], found[noted, 4], found[noted, 5] = before, element, at
    return noted + 1


@njit(cache=True, nogil=True)
def named(row, length, owner, committed, bad, offset, placed, begin, listed, component, cyclic, found):  # type: ignore[no-untyped-def]
    """Edges of good keys inside components: (from, to, kind, the append before or -1, the append that proves it, place within its kind and
    key). How many; more than `found` has room for: give it more."""
    first, size, f, key, _ = row
    noted = 0
    for k in range(len(bad)):
        if bad[k] or offset[k] == offset[k + 1]:
            continue
        for j in range(offset[k] + 1, offset[k + 1]):
            a, b = placed[j - 1], placed[j]
            noted = _note(found, noted, component, owner[a], owner[b], WW, a, b, j - offset[k])
        a = placed[offset[k + 1] - 1]
        for j in range(begin[k], begin[k + 1]):
            at = offset[k + 1] - offset[k] + j - begin[k]
            noted = _note(found, noted, component, owner[a], owner[listed[j]], WW, a, listed[j], at)
    for t in range(len(first)):
        if not cyclic[t] or not committed[t]:
            continue
        for m in range(first[t], first[t] + size[t]):
            k = key[m]
            if f[m] != READ or length[m] < 0 or bad[k]:
                continue
            at = offset[k] + length[m]
            a = placed[at - 1] if length[m] > 0 else np.int32(-1)
            if a >= 0:
                noted = _note(found, noted, component, owner[a], t, WR, -1, a, m)
            if at < offset[k + 1]:
                noted = _note(found, noted, component, t, owner[placed[at]], RW, a, placed[at], m)
            else:
                for j in range(begin[k], begin[k + 1]):
                    noted = _note(found, noted, component, t, owner[listed[j]], RW, a, listed[j], m)
    return noted
