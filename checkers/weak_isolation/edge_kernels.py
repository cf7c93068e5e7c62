"""The compiled part of swift.py: the edges that a level demands, and whether they have a cycle.

Why it exists  a million transactions have some ten million edges: in plain Python a minute, compiled a second or two.
Relies on      numba's cache; the same rules as graph.py and causes.py, which say why each edge suffices. Transactions are numbered session
               after session; all are ok or failed. A writer below 0 is the initial state.
"""

from __future__ import annotations

import numpy as np

from harness.compiled import njit


@njit(cache=True, nogil=True)
def writes(w_start, w_key, t, k):  # type: ignore[no-untyped-def]
    """Whether a transaction writes a key."""
    low, high = w_start[t], w_start[t + 1]
    while low < high:
        middle = (low + high) >> 1
        if w_key[middle] < k:
            low = middle + 1
        else:
            high = middle
    return low < w_start[t + 1] and w_key[low] == k


@njit(cache=True, nogil=True)
def _room(edges, count):  # type: ignore[no-untyped-def]
    """The edges, twice as many places if none is left."""
    if count < len(edges):
        return edges
    more = np.empty((2 * len(edges), 4), np.int32)
    more[:count] = edges
    return more


@njit(cache=True, nogil=True)
def read_committed(r_start, r_key, r_writer, w_start, w_key, keys):  # type: ignore[no-untyped-def]
    """Edges (before, after, place of the read, place of the premise) that RC forces; how many."""
    edges, count = np.empty((1 << 16, 4), np.int32), 0
    n = len(r_start) - 1
    by = np.full(keys, -1, np.int64)
    following = np.empty(keys, np.int64)  # the next read of a key, from where the pass backwards stands
    first = np.full(n, -1, np.int64)
    distinct = np.empty(len(r_key), np.int64)
    for t in range(n):
        begin, end = r_start[t], r_start[t + 1]
        if end - begin < 2:
            continue
        for r in range(end - 1, begin - 1, -1):
            if r_writer[r] >= 0:
                first[r_writer[r]] = r
        found = 0
        for r in range(end - 1, begin - 1, -1):
            k, writer = r_key[r], r_writer[r]
            seen = by[k] == t
            if writer >= 0 and seen and r_writer[following[k]] != writer:
                edges = _room(edges, count)
                edges[count] = writer, r_writer[following[k]], following[k], r
                count += 1
            if writer >= 0 and first[writer] == r:
                if w_start[writer + 1] - w_start[writer] <= found:
                    for w in range(w_start[writer], w_start[writer + 1]):
                        x = w_key[w]
                        if by[x] == t and r_writer[following[x]] != writer:
                            edges = _room(edges, count)
                            edges[count] = writer, r_writer[following[x]], following[x], r
                            count += 1
                else:
                    for j in range(found):
                        x = distinct[j]
                        if r_writer[following[x]] != writer and writes(w_start, w_key, writer, x):
                            edges = _room(edges, count)
                            edges[count] = writer, r_writer[following[x]], following[x], r
                            count += 1
            if not seen:
                by[k] = t
                distinct[found] = k
                found += 1
            following[k] = r
    return edges[:count]


@njit(cache=True, nogil=True)
def read_atomic(chain, r_start, r_key, r_writer, w_start, w_key, keys, sessions):  # type: ignore[no-untyped-def]
    """Edges that RA forces; the place of the premise is -1 where session order is. `chain`: per transaction its session, ascending.

    Of a key that was read from several writers all others come before the first and the first before them: a cycle, whatever else is so.
    """
    edges, count = np.empty((1 << 16, 4), np.int32), 0
    n = len(r_start) - 1
    owner = np.full(keys, -1, np.int64)
    newest = np.empty(keys, np.int64)
    by = np.full(keys, -1, np.int64)
    at = np.empty(keys, np.int64)
    done = np.full(n, -1, np.int64)
    distinct = np.empty(len(r_key), np.int64)
    for t in range(n):
        begin, end = r_start[t], r_start[t + 1]
        found = 0
        for r in range(begin, end):
            k, writer = r_key[r], r_writer[r]
            if sessions and owner[k] == chain[t] and newest[k] != writer:
                edges = _room(edges, count)
                edges[count] = newest[k], writer, r, -1
                count += 1
            if by[k] != t:
                by[k], at[k] = t, r
                distinct[found] = k
                found += 1
            elif r_writer[at[k]] != writer:
                for one, other in ((r, at[k]), (at[k], r)):
                    if r_writer[one] >= 0:
                        edges = _room(edges, count)
                        edges[count] = r_writer[one], r_writer[other], other, one
                        count += 1
        if end - begin > 1:
            for r in range(begin, end):
                writer = r_writer[r]
                if writer < 0 or done[writer] == t:
                    continue
                done[writer] = t
                few = w_start[writer + 1] - w_start[writer] <= found
                for j in range(w_start[writer + 1] - w_start[writer] if few else found):
                    x = w_key[w_start[writer] + j] if few else distinct[j]
                    if by[x] == t and r_writer[at[x]] != writer and (few or writes(w_start, w_key, writer, x)):
                        edges = _room(edges, count)
                        edges[count] = writer, r_writer[at[x]], at[x], r
                        count += 1
        for w in range(w_start[t], w_start[t + 1]):
            owner[w_key[w]], newest[w_key[w]] = chain[t], t
    return edges[:count]


@njit(cache=True, nogil=True)
def adjacency(n, source, target):  # type: ignore[no-untyped-def]
    """The targets of each vertex below n: where they begin in the second array (n + 1 entries), and they."""
    head = np.zeros(n + 2, np.int64)
    for e in range(len(source)):
        head[source[e] + 2] += 1
    for v in range(n):
        head[v + 1] += head[v]
    beside = np.empty(len(source), np.int32)
    for e in range(len(source)):
        beside[head[source[e] + 1]] = target[e]
        head[source[e] + 1] += 1
    return head[: n + 1], beside


@njit(cache=True, nogil=True)
def sort(n, source, target, line):  # type: ignore[no-untyped-def]
    """A topological order of the vertices below n into `line`; how many have a place in it (n: no cycle)."""
    waiting = np.zeros(n, np.int32)
    for e in range(len(source)):
        waiting[target[e]] += 1
    head, beside = adjacency(n, source, target)
    done = count = 0
    for v in range(n):
        if waiting[v] == 0:
            line[count] = v
            count += 1
    while done < count:
        v = line[done]
        done += 1
        for e in range(head[v], head[v + 1]):
            waiting[beside[e]] -= 1
            if waiting[beside[e]] == 0:
                line[count] = beside[e]
                count += 1
    return count


@njit(cache=True, nogil=True)
def clocks(line, chain, place, before, r_start, r_writer, clock):  # type: ignore[no-untyped-def]
    """Per transaction and session: how many of its transactions reach this one (they are the first of it)."""
    for t in line:
        row = clock[t]
        if before[t] >= 0:
            row[:] = clock[before[t]]
            row[chain[t]] = place[t]
        for r in range(r_start[t], r_start[t + 1]):
            writer = r_writer[r]
            if writer >= 0 and row[chain[writer]] <= place[writer]:
                other = clock[writer]
                for s in range(len(row)):
                    if other[s] > row[s]:
                        row[s] = other[s]
                row[chain[writer]] = place[writer] + 1


@njit(cache=True, nogil=True)
def writers_of(w_start, w_key, keys, k_start, k_writer):  # type: ignore[no-untyped-def]
    """Per key its writers, ascending."""
    for w in range(len(w_key)):
        k_start[w_key[w] + 2] += 1
    for k in range(keys):
        k_start[k + 1] += k_start[k]
    for t in range(len(w_start) - 1):
        for w in range(w_start[t], w_start[t + 1]):
            k_writer[k_start[w_key[w] + 1]] = t
            k_start[w_key[w] + 1] += 1


@njit(cache=True, nogil=True)
def causal(chain, place, session_end, r_start, r_key, r_writer, k_start, k_writer, clock):  # type: ignore[no-untyped-def]
    """Edges that CC forces, less those that the base implies. `session_end`: past the last transaction of a session."""
    edges, count = np.empty((1 << 16, 4), np.int32), 0
    for t in range(len(r_start) - 1):
        row = clock[t]
        for r in range(r_start[t], r_start[t + 1]):
            writer, at, end = r_writer[r], k_start[r_key[r]], k_start[r_key[r] + 1]
            while at < end:
                s = chain[k_writer[at]]
                low, high, past = at, end, session_end[s]
                if k_writer[end - 1] >= past:  # the end of this session's writers
                    while low < high:
                        middle = (low + high) >> 1
                        if k_writer[middle] < past:
                            low = middle + 1
                        else:
                            high = middle
                    high = low
                low, after = at, high
                while low < high:  # the first of them that does not reach t
                    middle = (low + high) >> 1
                    if place[k_writer[middle]] < row[s]:
                        low = middle + 1
                    else:
                        high = middle
                if low > at:
                    cause = k_writer[low - 1]
                    if cause != writer and (writer < 0 or clock[writer, s] <= place[cause]):
                        edges = _room(edges, count)
                        edges[count] = cause, writer, r, -1
                        count += 1
                at = after
    return edges[:count]


@njit(cache=True, nogil=True)
def batches(rank, r_start, r_key, k_start, k_writer, width, batch, spans):  # type: ignore[no-untyped-def]
    """Number the keys that are written and read so that those of a batch have about `width` writers and live at the same time.

    rank: per transaction its place in a topological order. batch: per key, -1 where it does not matter. spans: per batch the first and last
    rank that matter, and its writers. Returns how many batches.
    """
    keys = len(batch)
    first, last = np.full(keys, len(rank), np.int64), np.full(keys, -1, np.int64)
    for k in range(keys):
        for w in range(k_start[k], k_start[k + 1]):
            first[k] = min(first[k], rank[k_writer[w]])
    for t in range(len(r_start) - 1):
        for r in range(r_start[t], r_start[t + 1]):
            last[r_key[r]] = max(last[r_key[r]], rank[t])
    count = -1
    for k in np.argsort(first):
        batch[k] = -1
        if last[k] < first[k]:  # not written, not read, or read only before it is written
            continue
        if count < 0 or spans[count, 2] >= width:
            count += 1
            spans[count, 0], spans[count, 1], spans[count, 2] = first[k], last[k], 0
        batch[k] = count
        spans[count, 1] = max(spans[count, 1], last[k])
        spans[count, 2] += k_start[k + 1] - k_start[k]
    return count + 1


@njit(cache=True, nogil=True)
def _pass(line, rank, before, sessions, r_start, r_key, r_writer, w_start, w_key, batch, here, low, high, words, edges, count):  # type: ignore[no-untyped-def]
    """The edges of one batch: per transaction the bits of the batch's writers that reach it, in topological order."""
    reach = np.zeros((high - low + 1, words), np.uint64)
    bit = np.full(high - low + 1, -1, np.int64)
    writer_at = np.empty(64 * words, np.int64)
    bits = 0
    one = np.uint64(1)
    for at in range(low, high + 1):
        t = line[at]
        for w in range(w_start[t], w_start[t + 1]):
            if batch[w_key[w]] == here:
                bit[at - low], writer_at[bits] = bits, t
                bits += 1
                break
    left = np.empty(words, np.uint64)
    for at in range(low, high + 1):
        t = line[at]
        row = reach[at - low]
        for r in range(r_start[t] - 1, r_start[t + 1]):
            step = r_writer[r] if r >= r_start[t] else before[t] if sessions else -1
            if step >= 0 and rank[step] >= low:
                source = rank[step] - low
                for j in range(words):
                    row[j] |= reach[source, j]
                if bit[source] >= 0:
                    row[bit[source] >> 6] |= one << np.uint64(bit[source] & 63)
        for r in range(r_start[t], r_start[t + 1]):
            k, writer = r_key[r], r_writer[r]
            if batch[k] != here:
                continue
            left[:] = row
            for j in range(words - 1, -1, -1):
                while left[j]:
                    high_bit = 63
                    while not (left[j] >> np.uint64(high_bit)) & one:
                        high_bit -= 1
                    left[j] &= ~(one << np.uint64(high_bit))
                    cause = writer_at[64 * j + high_bit]
                    if cause == writer or not writes(w_start, w_key, cause, k):
                        continue
                    source = rank[cause] - low
                    for i in range(j + 1):
                        left[i] &= ~reach[source, i]
                    edges = _room(edges, count)
                    edges[count] = cause, writer, r, -1
                    count += 1
    return edges, count


@njit(cache=True, nogil=True)
def causal_by_passes(line, rank, before, sessions, r_start, r_key, r_writer, w_start, w_key, batch, spans):  # type: ignore[no-untyped-def]
    """Edges that CC forces: writers that reach a reader (with `sessions`, by session order too), less those that reach another of them."""
    edges, count = np.empty((1 << 12, 4), np.int32), 0
    for here in range(len(spans)):
        low, high, words = spans[here, 0], spans[here, 1], (spans[here, 2] + 63) >> 6
        edges, count = _pass(
            line, rank, before, sessions, r_start, r_key, r_writer, w_start, w_key, batch, here, low, high, words, edges, count
        )
    return edges[:count]


@njit(cache=True, nogil=True)
def shortest_way(source, goal, head, beside, inside, jumps, chain, session_end, lowest, came, waiting):  # type: ignore[no-untyped-def]
    """A way of the least number of steps over vertices `inside`; with `jumps` any number of places in a session is one step.

    came (all -1) leads back from the goal; lowest: per session, all from there on are reached (at first its end).
    """
    came[source] = source
    waiting[0] = source
    done, count = 0, 1
    while done < count:
        v = waiting[done]
        done += 1
        for e in range(head[v], head[v + 1]):
            step = beside[e]
            if inside[step] and came[step] < 0:
                came[step] = v
                waiting[count] = step
                count += 1
        if jumps and v < len(chain):
            s = chain[v]
            for step in range(v + 1, min(lowest[s], session_end[s])):
                if inside[step] and came[step] < 0:
                    came[step] = v
                    waiting[count] = step
                    count += 1
            lowest[s] = min(lowest[s], v + 1)
        if came[goal] >= 0:
            return
