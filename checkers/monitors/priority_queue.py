"""Priority queue: is there one order in which each remove takes, and each look sees, the largest value that is inside?

Decides    linearizability of a priority queue whose values are unique numbers, in O(n log n).
Right      a remove or look of x is possible at a moment at which no larger value is certainly inside. Going from the largest value down,
           all that is larger has its order already; a moment that their critical intervals leave free is one at which they can all be
           outside, whatever the smaller ones do. An answer "empty" needs a moment that no critical interval covers.
Source     Lee & Mathur, OOPSLA 2025 (the sweep by priority); looks: ours, checked against brute force.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Any

from checkers.monitors.cover import fewest, reach_of
from checkers.monitors.deadlines import Front, holes_of
from checkers.monitors.queue import hollow
from checkers.monitors.table import Found, Table, found_in


def priority(value: Any) -> float | int | None:
    """The number that a (frozen) value stands for; None if it is no number."""
    if isinstance(value, tuple):
        return value[1] if value[0] == "float" else None
    return value if isinstance(value, int) else None


def comparable(values: Sequence[Any]) -> bool:
    """True if all are numbers and no two of them are equal (1 and 1.0 are)."""
    numbers = [priority(value) for value in values]
    return None not in numbers and len(set(numbers)) == len(numbers)


def conflict(table: Table, *, smallest: bool = False) -> Found | None:
    """None if there is an order. smallest: the smallest value goes first."""
    numbers: list[Any] = [priority(act.value) for act in table.adds]
    order = sorted(range(len(numbers)), key=lambda row: numbers[row], reverse=not smallest)
    chains, after = [-1] * len(order), [-1] * len(table.looks)
    for look, (row, _, _, _) in enumerate(table.looks):
        after[look], chains[row] = chains[row], look
    calls, rets = [look[1] for look in table.looks], [look[2] for look in table.looks]
    free = list(range(table.end + 1))
    row, look = blocked(order, table.inside, table.leaving, table.gone, chains, after, calls, rets, free)
    if row < 0:
        return hollow(table)
    begin, end = (calls[look], rets[look]) if look >= 0 else (table.leaving[row], table.gone[row])
    above = order[: order.index(row)]
    chosen = fewest(begin, end, reach_of(above, table.inside, table.leaving))
    assert chosen is not None
    return found_in(table, "order", "look" if look >= 0 else "order", [row, *chosen])


def fronts(table: Table, *, smallest: bool = False) -> tuple[list[int], list[Front]]:
    """(key of each value, what must come after it left): removes and looks of the values that go after it."""
    numbers: list[Any] = [priority(act.value) for act in table.adds]
    keys = [0] * len(numbers)
    for rank, row in enumerate(sorted(range(len(numbers)), key=lambda row: numbers[row], reverse=smallest)):
        keys[row] = rank
    removed = [Front(keys[row], table.leaving[row], table.gone[row], row) for row, act in enumerate(table.removes) if act is not None]
    looked = [Front(keys[row], call, ret, row) for row, call, ret, _ in table.looks]
    return keys, removed + looked + holes_of(table)


def blocked(
    order: Sequence[int],
    inside: Sequence[int],
    leaving: Sequence[int],
    gone: Sequence[int],
    chains: Sequence[int],
    after: Sequence[int],
    calls: Sequence[int],
    rets: Sequence[int],
    free: MutableSequence[int],
) -> tuple[int, int]:
    """(row, look) of a remove (look -1) or a look at each moment of which a value before it in the order was inside; else (-1, -1).

    order: rows, the one that goes first at first. free: 0, 1, 2, .. one more than there are gaps; each gap's way to one that is free.
    Cost: O(gaps + values), but for the inverse Ackermann function.
    """
    never = len(free) - 1
    for row in order:
        if leaving[row] < never and to_free(free, leaving[row]) >= gone[row]:
            return row, -1
        look = chains[row]
        while look >= 0:
            if to_free(free, calls[look]) >= rets[look]:
                return row, look
            look = after[look]
        gap = to_free(free, inside[row])
        while gap < leaving[row]:
            free[gap] = gap + 1
            gap = to_free(free, gap)
    return -1, -1


def to_free(free: MutableSequence[int], gap: int) -> int:
    """The first free gap from `gap` on; paths are halved on the way."""
    while free[gap] != gap:
        free[gap] = free[free[gap]]
        gap = free[gap]
    return gap
