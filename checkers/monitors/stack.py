"""Stack: is there one order in which each pop takes, and each look sees, what was pushed last of all that is inside?

Decides    linearizability of a stack whose values are unique, in O(n log n) (looks may cost a round over those that wait).
Right      the lowest value of a stack is pushed, seen and popped at moments at which nothing else is inside. So a value can be the lowest
           if each of its acts has a moment that no *other* value's critical interval covers. Such a value is taken out, which uncovers
           moments, and so on: taking one out forbids nothing, so the order does not matter. If all can be taken out there is an order:
           each value around those taken out after it. If not, those that are left have none.
           An answer "empty" needs a moment that nothing covers.
Source     the idea of Lee & Mathur, OOPSLA 2025; criterion and looks: ours, checked against brute force.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from checkers.monitors.cover import closed, fewest, reach_of
from checkers.monitors.deadlines import Front, holes_of
from checkers.monitors.peel import peel, segments
from checkers.monitors.queue import hollow
from checkers.monitors.table import Found, Table, found_in

STARTS = 8  # stuck values from which a small set that is stuck by itself is looked for


def conflict(table: Table) -> Found | None:
    """None if there is an order."""
    rows = len(table.adds)
    segment, count = segments(table.inside, table.leaving, [0] * (table.end + 1))
    size = 1
    while size < count:
        size *= 2
    looks = [(row, segment[call], segment[ret - 1] + 1) for row, call, ret, _ in table.looks]
    head, after = [-1] * rows, [-1] * len(looks)
    for look, (row, _, _) in enumerate(looks):
        after[look], head[row] = head[row], look
    out = [False] * rows
    depths, met, work = ([0] * (2 * size), [0] * (2 * size)), [False] * len(looks), ([0] * rows, [0] * rows)
    bounds = (table.called, table.inside, table.leaving, table.gone)
    most = 2 * rows + 2 * len(looks)
    windows = ([0] * most, [0] * most, [0] * most)
    froms, tos = [look[1] for look in looks], [look[2] for look in looks]
    left = peel(*bounds, segment, count, head, after, froms, tos, *windows, *depths, met, *work, out)
    if not left:
        return hollow(table)
    stuck = [row for row in range(rows) if not out[row]]

    reach = reach_of(stuck, table.inside, table.leaving)

    def cover(begin: int, end: int, row: int) -> list[int] | None:
        found = fewest(begin, end, reach)
        if found is not None and row in found:  # a look within its own value's critical interval
            return fewest(begin, end, reach_of((other for other in stuck if other != row), table.inside, table.leaving))
        return found

    chosen = min((closed(start, partial(windows_of, table), cover) for start in stuck[:STARTS]), key=len)
    return found_in(table, "order", "order", chosen)


def fronts(table: Table) -> tuple[list[int], list[Front]]:
    """(key of each value, what must come after it left): removes and looks of the values below it."""
    removed = [
        Front(table.inside[row], table.leaving[row], table.gone[row], row) for row, act in enumerate(table.removes) if act is not None
    ]
    looked = [Front(table.inside[row], call, ret, row) for row, call, ret, _ in table.looks]
    return list(table.called), removed + looked + holes_of(table)


def windows_of(table: Table, row: int) -> Iterator[tuple[int, int]]:
    """The gaps [begin, end) in which each act of a value must be."""
    yield table.called[row], table.inside[row]
    if table.leaving[row] < table.end:
        yield table.leaving[row], table.gone[row]
    for of, call, ret, _ in table.looks:
        if of == row:
            yield call, ret
