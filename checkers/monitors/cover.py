"""Gaps that nothing covers: the moments at which an object may have been empty, and the fewest values that cover a stretch of them.

Why it exists  "empty" needs a moment at which no value is certainly inside; where there is none, few values prove it.
Relies on      plain loops over sequences of integers: the same functions run as Python on lists and compiled on arrays.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence


def next_free(inside: Sequence[int], leaving: Sequence[int], free: MutableSequence[int]) -> None:
    """Fill free[g] with the first gap from g on that no [inside, leaving) covers; the last entry, one past all gaps, stays itself.

    free: zeros, one more than there are gaps. Cost: O(gaps + values).
    """
    gaps = len(free) - 1
    for row in range(len(inside)):
        if inside[row] < leaving[row]:
            free[inside[row]] += 1
            free[leaving[row]] -= 1
    depth = 0
    for gap in range(gaps):
        depth += free[gap]
        free[gap] = depth
    after = gaps
    free[gaps] = gaps
    for gap in range(gaps - 1, -1, -1):
        if free[gap] == 0:
            after = gap
        free[gap] = after


def fewest(begin: int, end: int, rows: Sequence[int], inside: Sequence[int], leaving: Sequence[int]) -> list[int] | None:
    """The fewest of the rows whose [inside, leaving) cover the gaps [begin, end) together, from left to right; None if they do not.

    The one that is open at a gap and lasts longest is never worse than another. Cost: O(rows) for each one chosen.
    """
    chosen = []
    while begin < end:
        best = -1
        for row in rows:
            if inside[row] <= begin < leaving[row] and (best < 0 or leaving[row] > leaving[best]):
                best = row
        if best < 0:
            return None
        chosen.append(best)
        begin = leaving[best]
    return chosen
