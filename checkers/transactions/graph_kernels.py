"""Graphs of transactions, compiled: real time as a chain, a proof that there is no cycle, strongly connected components.

Why it exists  most histories are valid, and to show it takes one pass over their edges; of the others only the components matter.
Relies on      numba's cache. An edge whose source returned before its target was called says no more than real time does: callers leave it
               out. So a graph has no cycle together with real time exactly if it has none itself and no transaction comes after one that
               was called after it returned.
"""

from __future__ import annotations

import numpy as np

from harness.compiled import njit


@njit(cache=True, nogil=True)
def adjacency(count, source, target, offset, following):  # type: ignore[no-untyped-def]
    """Edges by source: those of vertex v are following[offset[v] : offset[v + 1]], in the order given. O(V + E)."""
    for e in range(len(source)):
        offset[source[e] + 1] += 1
    for v in range(count):
        offset[v + 1] += offset[v]
    at = offset[:-1].copy()
    for e in range(len(source)):
        following[at[source[e]]] = target[e]
        at[source[e]] += 1


@njit(cache=True, nogil=True)
def forward(count, offset, following, call, ret):  # type: ignore[no-untyped-def]
    """True if edges and real time have no cycle together. The first len(call) vertices are transactions. Kahn 1962, O(V + E)."""
    latest = np.full(count, -1, np.int64)
    latest[: len(call)] = call
    before = np.zeros(count, np.int32)
    for e in range(len(following)):
        before[following[e]] += 1
    ready = np.empty(count, np.int32)
    end = 0
    for v in range(count):
        if before[v] == 0:
            ready[end] = v
            end += 1
    at = 0
    while at < end:
        v = ready[at]
        at += 1
        if v < len(call) and latest[v] >= ret[v]:
            return False  # it comes after one that was called after it returned
        for e in range(offset[v], offset[v + 1]):
            w = following[e]
            latest[w] = max(latest[w], latest[v])
            before[w] -= 1
            if before[w] == 0:
                ready[end] = w
                end += 1
    return end == count


@njit(cache=True, nogil=True)
def chain(lines, call, ret, committed, never, first_helper, source, target):  # type: ignore[no-untyped-def]
    """Real time as a chain of helpers from vertex `first_helper` on (components.py says how). (edges, helpers)."""
    event = np.zeros(lines, np.int32)
    for t in range(len(call)):
        if committed[t]:
            event[call[t]] = t + 1
            if ret[t] != never:
                event[ret[t]] = -(t + 1)
    edges = helpers = 0
    sealed = True
    for at in range(lines):
        t = event[at]
        newest = first_helper + helpers - 1
        if t > 0 and helpers > 0:
            source[edges], target[edges] = newest, t - 1
            edges += 1
            sealed = True
        elif t < 0:
            if sealed:
                if helpers > 0:
                    source[edges], target[edges] = newest, newest + 1
                    edges += 1
                helpers += 1
                sealed = False
            source[edges], target[edges] = -t - 1, first_helper + helpers - 1
            edges += 1
    return edges, helpers


@njit(cache=True, nogil=True)
def components(count, offset, following, component):  # type: ignore[no-untyped-def]
    """Strongly connected component of each vertex, numbered so that an edge goes to the smaller number. Tarjan 1972, O(V + E)."""
    order, low = np.zeros(count, np.int32), np.zeros(count, np.int32)
    at = offset[:-1].copy()
    stack, path = np.empty(count, np.int32), np.empty(count, np.int32)
    component[:] = -1
    clock = found = stacked = deep = 0
    for root in range(count):
        if order[root]:
            continue
        clock += 1
        order[root] = low[root] = clock
        stack[stacked] = path[deep] = root
        stacked, deep = stacked + 1, deep + 1
        while deep:
            v = path[deep - 1]
            if at[v] < offset[v + 1]:
                w = following[at[v]]
                at[v] += 1
                if not order[w]:
                    clock += 1
                    order[w] = low[w] = clock
                    stack[stacked] = path[deep] = w
                    stacked, deep = stacked + 1, deep + 1
                elif component[w] < 0 and order[w] < low[v]:
                    low[v] = order[w]
                continue
            deep -= 1
            if deep and low[v] < low[path[deep - 1]]:
                low[path[deep - 1]] = low[v]
            if low[v] == order[v]:
                while True:
                    stacked -= 1
                    w = stack[stacked]
                    component[w] = found
                    if w == v:
                        break
                found += 1
    return found
