"""FIFO queue: is there one order of adds, removes and looks at the front in which what came in first goes out first?

Decides    linearizability of a queue whose values are unique, in O(n) after sorting.
Right      a history has no order exactly if one of these is there (Henzinger, Sezgin & Vafeiadis 2013, theorem for dequeues):
           - fresh: a value is seen that nobody added, or before its add was called; repeat: it is removed twice, or seen after its removal;
           - order: x was added before y was called, yet y was at the front before x's last remove or look was called (or x never left);
           - two values were each certainly at the front at one moment (looks only);
           - empty: at each moment of an answer "empty" some value was certainly inside.
           A look is to its value what a remove is, but that the value stays. So "x before y" follows from the adds (x's returned before y's
           was called) or from the front (some remove or look of x returned before some of y's was called); both have no two pairs a before
           b, c before d without a before d or c before b, so a circle of such steps has one of two, which the rules above find.
Source     Henzinger, Sezgin, Vafeiadis: Aspect-oriented linearizability proofs, CONCUR 2013; Lee & Mathur, OOPSLA 2025. Looks and removes
           of unknown outcome: ours, checked against brute force.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

from checkers.monitors.cover import fewest, next_free, reach_of
from checkers.monitors.deadlines import Front, holes_of
from checkers.monitors.table import Found, Table, found_in


def conflict(table: Table) -> Found | None:
    """None if there is an order."""
    size = table.end + 1
    pair = overtaken(table.called, table.inside, table.leaving, table.first, [-1] * size, [-1] * size)
    rule = "order"
    if pair[0] < 0 and table.looks:
        pair, rule = both_in_front(table.first, table.leaving, [-1] * size), "front"
    if pair[0] >= 0:
        return found_in(table, "order", rule, pair)
    return hollow(table)


def fronts(table: Table) -> tuple[list[int], list[Front]]:
    """(key of each value, what must come after it left): the first remove or look of each value that was added after it."""
    seen = [Front(0, table.called[row], first, row) for row, first in enumerate(table.first) if first < table.end]
    return [1] * len(table.adds), seen + holes_of(table)


def hollow(table: Table) -> Found | None:
    """An answer "empty" at no moment of which the object may have been empty."""
    if not table.holes:
        return None
    free, rows = [0] * (table.end + 1), range(len(table.adds))
    next_free(table.inside, table.leaving, free)
    for hole, (call, ret, _) in enumerate(table.holes):
        if free[call] >= ret:
            chosen = fewest(call, ret, reach_of(rows, table.inside, table.leaving))
            assert chosen is not None
            return found_in(table, "empty", "empty", chosen, [hole])
    return None


def overtaken(
    called: Sequence[int],
    inside: Sequence[int],
    leaving: Sequence[int],
    first: Sequence[int],
    calls: MutableSequence[int],
    entries: MutableSequence[int],
) -> tuple[int, int]:
    """(x, y): x was inside before y's add was called, and y at the front before x's last remove or look was called; else (-1, -1).

    calls, entries: -1, one more than there are gaps. Cost: O(gaps + values).
    """
    for row in range(len(called)):
        calls[called[row]] = row
        entries[inside[row]] = row
    latest = -1  # of those inside before here, the one that leaves last
    for at in range(len(calls)):
        row = entries[at]
        if row >= 0 and (latest < 0 or leaving[row] > leaving[latest]):
            latest = row
        row = calls[at]
        if row >= 0 and latest >= 0 and first[row] < leaving[latest]:
            return latest, row
    return -1, -1


def both_in_front(first: Sequence[int], leaving: Sequence[int], owner: MutableSequence[int]) -> tuple[int, int]:
    """Two values such that each was at the front before the other's last remove or look was called; else (-1, -1).

    owner: -1, one more than there are gaps. Cost: O(gaps + values).
    """
    never = len(owner) - 1
    for row in range(len(first)):  # from its first look on; for good, if it never leaves
        for gap in range(first[row], leaving[row]):
            if owner[gap] >= 0:
                return owner[gap], row
            owner[gap] = row
    for row in range(len(first)):
        begin, end = leaving[row], first[row]
        if 0 < begin <= end < never and 0 <= owner[begin - 1] == owner[end]:
            return owner[end], row
    return -1, -1
