"""Gaps that nothing covers: the moments at which an object may have been empty, and the fewest values that cover a stretch of them.

Why it exists  "empty" needs a moment at which no value is certainly inside; where there is none, few values prove it.
Relies on      plain loops over sequences of integers: the same functions run as Python on lists and compiled on arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableSequence, Sequence
from typing import Any, Protocol


class Ends(Protocol):
    """Where each row's critical interval ends: a list or an array."""

    def __getitem__(self, row: int, /) -> Any: ...


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


def longest(at: int, rows: Sequence[int], inside: Sequence[int], leaving: Sequence[int]) -> int:
    """The row whose [inside, leaving) has the gap and lasts longest; -1 if none has it. Cost: O(rows)."""
    best = -1
    for row in rows:
        if inside[row] <= at < leaving[row] and (best < 0 or leaving[row] > leaving[best]):
            best = row
    return best


def fewest(begin: int, end: int, lasting: Callable[[int], int], leaving: Ends) -> list[int] | None:
    """The fewest rows whose critical intervals cover the gaps [begin, end) together, from left to right; None if none do.

    lasting: the row that covers a gap and lasts longest: none that covers it is ever better. Cost: one call of it for each row chosen.
    """
    chosen = []
    while begin < end:
        best = lasting(begin)
        if best < 0:
            return None
        chosen.append(best)
        begin = int(leaving[best])
    return chosen


def closed(
    start: int, windows: Callable[[int], Iterable[tuple[int, int]]], cover: Callable[[int, int, int], list[int] | None]
) -> list[int]:
    """Rows that are stuck by themselves, among them `start`: each has a window that others of them cover.

    windows: the gaps in which each act of a row must be; cover: the fewest other rows that cover gaps, if any do.
    """
    chosen = [start]
    for row in chosen:  # grows
        covers = (cover(begin, end, row) for begin, end in windows(row))
        found = next(found for found in covers if found is not None)
        chosen += [other for other in found if other not in chosen]
    return sorted(chosen)
