"""Taking values out of a stack's history from the outside in: those whose every act has a moment that no other value covers.

Why it exists  taking one out uncovers moments, which frees others: two trees say quickly which moments and which acts those are.
Relies on      plain loops over sequences of integers: the same functions run as Python on lists and compiled on arrays. A moment's cover
               only sinks, so each moment comes free once and each act is freed once: O((values + looks) log) in all.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

FREED = 1 << 40  # the depth of a segment whose cover has sunk to nothing, and that was dealt with
Ints = Sequence[int]
Work = MutableSequence[int]


def segments(inside: Ints, leaving: Ints, segment: Work) -> tuple[Work, int]:
    """(gap -> its segment, how many): the cover changes only where a critical interval begins or ends. segment: zeros."""
    for row in range(len(inside)):
        if inside[row] < leaving[row]:
            segment[inside[row]] = 1
            segment[leaving[row]] = 1
    segment[len(segment) - 1] = 1  # never: a segment of its own
    number = 0
    for gap in range(len(segment)):
        if gap > 0:
            number += segment[gap]
        segment[gap] = number
    return segment, number + 1


def peel(
    called: Ints, inside: Ints, leaving: Ints, gone: Ints, segment: Ints, count: int, head: Ints, after: Ints, look_from: Ints,
    look_to: Ints, begins: Work, ends: Work, owners: Work, low: Work, add: Work, met: MutableSequence[bool], need: Work, todo: Work,
    out: MutableSequence[bool],
) -> int:  # fmt: skip
    """Mark the values that come out; how many stay.

    head, after  the looks of each value as chains; look_from, look_to: their segments
    begins, ends, owners  room for all windows; low, add: room for the tree of depths; met: by look; need, todo: room by value
    """
    rows = len(called)
    never = len(segment) - 1
    windows = 0
    for row in range(rows):
        begins[windows], ends[windows], owners[windows] = segment[called[row]], segment[inside[row] - 1] + 1, row
        windows, need[row] = windows + 1, 1
        if leaving[row] < never:
            begins[windows], ends[windows], owners[windows] = segment[leaving[row]], segment[gone[row] - 1] + 1, row
            windows, need[row] = windows + 1, 2
        look = head[row]
        while look >= 0:  # outside of its value's critical interval a look is a window like others
            enter, leave = look_to[look], look_to[look]
            if inside[row] < leaving[row]:
                enter, leave = min(enter, segment[inside[row]]), max(look_from[look], segment[leaving[row]])
            if look_from[look] < enter:
                begins[windows], ends[windows], owners[windows] = look_from[look], enter, rows + look
                windows += 1
            if leave < look_to[look]:
                begins[windows], ends[windows], owners[windows] = leave, look_to[look], rows + look
                windows += 1
            look = after[look]
    size = len(low) // 2
    _plant(inside, leaving, segment, count, low, add, size)
    order, until = _sorted(begins, windows, count)
    latest = _latest(ends, order, windows)
    filled = 0  # values in todo: each push and pop has its moment
    left = rows
    while True:
        while low[1] == 0:
            freed = _take_free(low, add, size)
            while True:
                window = _take_window(latest, until[freed], freed)
                if window < 0:
                    break
                owner = owners[order[window]]
                if owner >= rows:
                    met[owner - rows] = True
                else:
                    need[owner] -= 1
                    if need[owner] == 0:
                        todo[filled] = owner
                        filled += 1
        kept, before = 0, left
        for at in range(filled):
            row = todo[at]
            if _seen(row, inside, leaving, segment, head, after, look_from, look_to, met, low, add, size):
                out[row] = True
                left -= 1
                if inside[row] < leaving[row]:
                    _sink(low, add, size, segment[inside[row]], segment[leaving[row]])
            else:
                todo[kept] = row
                kept += 1
        filled = kept
        if left == before:
            return left


def _plant(inside: Ints, leaving: Ints, segment: Ints, count: int, low: Work, add: Work, size: int) -> None:
    """The tree of depths: how many critical intervals cover each segment."""
    for row in range(len(inside)):
        if inside[row] < leaving[row]:
            low[size + segment[inside[row]]] += 1
            if segment[leaving[row]] < size:
                low[size + segment[leaving[row]]] -= 1
    depth = 0
    for at in range(size):
        depth += low[size + at]
        low[size + at] = depth if at < count - 1 else FREED  # the last one is `never`
    for node in range(size - 1, 0, -1):
        low[node] = min(low[2 * node], low[2 * node + 1])
        add[node] = 0


def _sink(low: Work, add: Work, size: int, begin: int, end: int) -> None:
    """One cover less on the segments [begin, end)."""
    a, b = begin + size, end + size
    first, last = a, b - 1
    while a < b:
        if a & 1:
            low[a] -= 1
            add[a] -= 1
            a += 1
        if b & 1:
            b -= 1
            low[b] -= 1
            add[b] -= 1
        a >>= 1
        b >>= 1
    _mend(low, add, first)
    _mend(low, add, last)


def _mend(low: Work, add: Work, node: int) -> None:
    node >>= 1
    while node > 0:
        low[node] = min(low[2 * node], low[2 * node + 1]) + add[node]
        node >>= 1


def _take_free(low: Work, add: Work, size: int) -> int:
    """A segment that nothing covers, which then counts as dealt with; the root says that there is one."""
    node, want = 1, 0
    while node < size:
        want -= add[node]
        node *= 2
        if low[node] != want:
            node += 1
    low[node] = FREED
    _mend(low, add, node)
    return node - size


def _least(low: Work, add: Work, size: int, begin: int, end: int) -> int:
    """The least depth of the segments [begin, end)."""
    least = FREED
    for leaf in range(begin + size, end + size):
        depth, node = low[leaf], leaf >> 1
        while node > 0:
            depth += add[node]
            node >>= 1
        least = min(least, depth)
    return least


def _seen(
    row: int, inside: Ints, leaving: Ints, segment: Ints, head: Ints, after: Ints, look_from: Ints, look_to: Ints,
    met: MutableSequence[bool], low: Work, add: Work, size: int,
) -> bool:  # fmt: skip
    """Whether each look of a value has a moment that no other value covers."""
    look = head[row]
    while look >= 0:
        if not met[look]:
            if inside[row] >= leaving[row]:
                return False
            begin, end = max(look_from[look], segment[inside[row]]), min(look_to[look], segment[leaving[row]])
            if _least(low, add, size, begin, end) > 1:
                return False
            met[look] = True
        look = after[look]
    return True


def _sorted(begins: Ints, windows: int, count: int) -> tuple[list[int], list[int]]:
    """(windows by their begin, segment -> how many begin there or before)."""
    until = [0] * (count + 1)
    for window in range(windows):
        until[begins[window]] += 1
    for at in range(1, count + 1):
        until[at] += until[at - 1]
    order = [0] * windows
    for window in range(windows - 1, -1, -1):
        begin = begins[window]
        until[begin] -= 1
        order[until[begin]] = window
    for window in range(windows):
        until[begins[window]] += 1
    return order, until


def _latest(ends: Ints, order: Ints, windows: int) -> list[int]:
    """A tree of windows in order of their begin: the greatest end below each node."""
    size = 1
    while size < windows:
        size *= 2
    latest = [-1] * (2 * size)
    for at in range(windows):
        latest[size + at] = ends[order[at]]
    for node in range(size - 1, 0, -1):
        latest[node] = max(latest[2 * node], latest[2 * node + 1])
    return latest


def _take_window(latest: Work, before: int, segment: int) -> int:
    """The first of the `before` first windows that reaches beyond the segment, which then counts as freed; -1 if there is none."""
    if latest[1] <= segment or before == 0:
        return -1
    size, node = len(latest) // 2, 1
    while node < size:
        node *= 2
        if latest[node] <= segment:
            node += 1
    window = node - size
    if window >= before:
        return -1
    latest[node] = -1
    node >>= 1
    while node > 0:
        latest[node] = max(latest[2 * node], latest[2 * node + 1])
        node >>= 1
    return window


HELPERS = (_plant, _sink, _mend, _take_free, _least, _seen, _sorted, _latest, _take_window)  # of the functions that kernels.py compiles
