"""By when values must have left that nobody is known to have removed, if the history has an order at all.

Why it exists  removes of unknown outcome may have taken them; how many must have been called by when decides most histories with crashes.
Relies on      necessary conditions alone: x left before y did something, if x was certainly inside and in front of y then.
               - Queue: y was added after x was inside: x left before the first remove or look of y returned.
               - Priority queue: y goes after x, and all of a remove or look of y came after x was inside: x left before that returned.
               - Stack: y was inside before x's push was called, and all of the pop or a look of y came after x was inside: likewise.
               - An answer "empty" whose op was called after x was inside: x left before it returned.
               So if more values have a deadline up to some moment than removes of unknown outcome were called before it, there is no order.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import NamedTuple

from checkers.monitors.table import Table


def earliest(
    keys: Sequence[int],
    inside: Sequence[int],
    before: Sequence[int],
    at: Sequence[int],
    until: Sequence[int],
    tree: MutableSequence[int],
    found: MutableSequence[int],
) -> None:
    """Fill found with the deadline of each x.

    keys, inside       of x, in order of keys: from when it is certainly inside
    before, at, until  of what y did, in order of `before`: each x with a greater key that was inside at `at` left before `until`
    tree, found        all `never`; the tree has one more entry than there are gaps
    Cost: O((x + y) log gaps).
    """
    size, y = len(tree), 0
    for x in range(len(keys)):
        while y < len(before) and before[y] < keys[x]:
            place = size - at[y]
            while place < size:
                tree[place] = min(tree[place], until[y])
                place += place & -place
            y += 1
        place = size - inside[x]
        while place > 0:
            found[x] = min(found[x], tree[place])
            place -= place & -place


def matching(deadlines: Sequence[int], calls: Sequence[int]) -> tuple[list[int], int]:
    """(x in order of their deadlines, how many of them the removes serve in that order); less than all: the next x comes too late.

    deadlines: of all that have one; calls: of the removes of unknown outcome, in order. The k-th to leave gets the k-th remove: if that one
    was called too late, the first k values have to share k - 1 removes.
    """
    order = sorted(range(len(deadlines)), key=lambda x: (deadlines[x], x))
    for served, x in enumerate(order):
        if served == len(calls) or calls[served] >= deadlines[x]:
            return order, served
    return order, len(order)


class Front(NamedTuple):
    """What y did, or an answer "empty" (row -1): each x with a key greater than `before`, inside at `at`, has left before `until`."""

    before: int
    at: int
    until: int
    row: int
    hole: int = -1


def overdue(table: Table, keys: Sequence[int], fronts: Sequence[Front]) -> tuple[dict[int, int], list[int]]:
    """({row: number of the remove of unknown outcome that may have taken it}, rows that come too late: with too few removes for them).

    Of the values that nobody is known to have removed, and that must have left.
    """
    rows = sorted((row for row, remove in enumerate(table.removes) if remove is None), key=lambda row: (keys[row], row))
    fronts = sorted(fronts)
    found, never = [table.end] * len(rows), table.end
    columns = ([front.before for front in fronts], [front.at for front in fronts], [front.until for front in fronts])
    earliest([keys[row] for row in rows], [table.inside[row] for row in rows], *columns, [never] * (never + 1), found)
    due = [at for at, deadline in enumerate(found) if deadline < never]
    order, served = matching([found[at] for at in due], [call for call, _ in table.missing])
    chosen = [rows[due[at]] for at in order]
    return (dict(zip(chosen, range(served), strict=False)), []) if served == len(order) else ({}, chosen[: served + 1])


def pressing(table: Table, keys: Sequence[int], fronts: Sequence[Front], rows: Sequence[int]) -> list[Front]:
    """Of each row the front that sets its deadline."""
    found = []
    for row in rows:
        mine = [front for front in fronts if front.before < keys[row] and front.at >= table.inside[row]]
        found.append(min(mine, key=lambda front: (front.until, front)))
    return found


def holes_of(table: Table) -> list[Front]:
    """The answers "empty": nothing may be inside."""
    return [Front(-1, call, ret, -1, hole) for hole, (call, ret, _) in enumerate(table.holes)]
