"""Gaps that nothing covers: the moments at which an object may have been empty, and the fewest values that cover a stretch of them.

Why it exists  "empty" needs a moment at which no value is certainly inside; where there is none, few values prove it.
Relies on      plain loops over sequences of integers: the same functions run as Python on lists and compiled on arrays.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, MutableSequence, Sequence
from typing import Any, NamedTuple, Protocol


class Ends(Protocol):
    """Integers by number: a list or an array."""

    def __getitem__(self, at: int, /) -> Any: ...

    def __len__(self) -> int: ...


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


class Reach(NamedTuple):
    """Of some rows, the one that covers a gap and lasts longest.

    begins  where their critical intervals begin, in order; best: of all up to each, the row that lasts longest
    """

    begins: Ends
    best: Ends
    leaving: Ends

    def at(self, gap: int) -> int:
        """The row; -1 if none covers the gap. Cost: O(log rows)."""
        place = bisect_right(self.begins, gap) - 1
        if place < 0 or self.leaving[self.best[place]] <= gap:
            return -1
        return int(self.best[place])


def reach_of(rows: Iterable[int], inside: Sequence[int], leaving: Sequence[int]) -> Reach:
    """Cost: O(rows log rows)."""
    ordered = sorted(rows, key=lambda row: inside[row])
    best: list[int] = []
    for row in ordered:
        best.append(row if not best or leaving[row] > leaving[best[-1]] else best[-1])
    return Reach([inside[row] for row in ordered], best, leaving)


def fewest(begin: int, end: int, reach: Reach) -> list[int] | None:
    """The fewest rows whose critical intervals cover the gaps [begin, end) together, from left to right; None if none do.

    The one that covers a gap and lasts longest: none that covers it is ever better.
    """
    chosen = []
    while begin < end:
        best = reach.at(begin)
        if best < 0:
            return None
        chosen.append(best)
        begin = int(reach.leaving[best])
    return chosen


def closed(
    start: int, windows: Callable[[int], Iterable[tuple[int, int]]], cover: Callable[[int, int, int], list[int] | None]
) -> list[int]:
    """Rows that are stuck by themselves, among them `start`: each has a window that others of them cover.

    windows: the gaps in which each act of a row must be; cover: the fewest other rows that cover gaps, if any do.
    """
    chosen = {start: None}
    waiting = [start]
    for row in waiting:  # grows
        covers = (cover(begin, end, row) for begin, end in windows(row))
        found = next(found for found in covers if found is not None)
        waiting += [other for other in found if other not in chosen]
        chosen.update(dict.fromkeys(found))
    return sorted(chosen)
