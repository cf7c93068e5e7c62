"""A container's history as a table: of each value when it came in and went out at the latest and at the earliest.

Why it exists  with unique values each remove and look belongs to one add; what the rules of queue, stack and priority queue ask for is
               these bounds.
Relies on      what may be left out: an add of unknown outcome whose value nobody saw (it may as well not have happened: what it pushed back
               or covered was never seen either).

Bounds, in ranks of the calls and returns that count (gap g lies between ranks g and g + 1; the last one after the end):
  entered   an add acts between its call (`called`) and `inside`, the least return of the add and of all that saw the value
  left      a remove acts between `leaving`, the greatest call of it and of all that saw the value, and its return (`gone`)
  certainly inside: the gaps from `inside` up to `leaving`, if there are any (the value's critical interval)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from checkers.monitors.acts import ADD, EMPTY, MISSING, PEEK, REMOVE, Act


class Found(NamedTuple):
    """Why the acts have no order.

    kind   fresh | repeat | order | empty | lost; rule: the rule that says so
    names  the values that the sentence is about
    due    of the rule `crowded`: (value that must have left, the acts that say so, the position before which it left)
    until  the position by which it is wrong: what returned later may be as if open, what was called later does not matter; -1: all returned
    """

    kind: str
    rule: str
    acts: list[Act]
    names: Sequence[Any] = ()
    due: Sequence[tuple[Any, list[Act], int]] = ()
    until: int = -1


class Table(NamedTuple):
    """One row a value: see the opening. `end` is the rank after all others: never.

    first   the least return of a remove or a look; `end` if there is none
    looks   (row, from, to, act) of each peek; holes: (from, to, act) of each answer "empty"
    missing (call, act) of each remove of unknown outcome
    points  the position of each rank
    """

    end: int
    called: list[int]
    inside: list[int]
    leaving: list[int]
    gone: list[int]
    first: list[int]
    adds: list[Act]
    removes: list[Act | None]
    looks: list[tuple[int, int, int, Act]]
    holes: list[tuple[int, int, Act]]
    missing: list[tuple[int, Act]]
    points: list[int]


def unique(acts: Sequence[Act]) -> bool:
    """True if no value is added twice."""
    seen = set()
    for act in acts:
        if act.kind == ADD:
            if act.value in seen:
                return False
            seen.add(act.value)
    return True


def tabulate(acts: Sequence[Act], removed: dict[Any, Act] | None = None) -> Table | Found:
    """The table of acts with unique values, or what is wrong with one value alone.

    removed: values that are taken to be removed by removes of unknown outcome.
    """
    adds = {act.value: act for act in acts if act.kind == ADD}
    removes: dict[Any, Act] = dict(removed or {})
    used = {act.index for act in removes.values()}
    seen = {act.value for act in acts if act.kind in (REMOVE, PEEK)}
    for act in acts:
        if act.kind not in (REMOVE, PEEK):
            continue
        add = adds.get(act.value)
        if add is None:
            return Found("fresh", "nobody", [act], until=act.ret)
        if act.ret < add.call:
            return Found("fresh", "early", [add, act], until=act.ret)
        if act.kind == REMOVE:
            if (other := removes.get(act.value)) is not None:
                return Found("repeat", "twice", [add, other, act], until=max(other.ret, act.ret))
            removes[act.value] = act
    for act in acts:
        if act.kind == PEEK and (remove := removes.get(act.value)) is not None and remove.ret < act.call:
            return Found("repeat", "after", [adds[act.value], remove, act], until=act.ret)
    rows = [act for act in adds.values() if not act.crashed or act.value in seen]
    looks = [act for act in acts if act.kind == PEEK]
    holes = [act for act in acts if act.kind == EMPTY and not act.crashed]
    missing = [act for act in acts if act.kind == MISSING and act.index not in used]
    return _fill(rows, [removes.get(act.value) for act in rows], looks, holes, missing)


def _fill(rows: list[Act], removes: list[Act | None], looks: list[Act], holes: list[Act], missing: list[Act]) -> Table:
    everything = [*rows, *(act for act in removes if act is not None), *looks, *holes, *missing]
    points = sorted({at for act in everything for at in ((act.call,) if act.crashed else (act.call, act.ret))})
    rank = {at: number for number, at in enumerate(points)}
    end = len(points)
    row_of = {act.value: row for row, act in enumerate(rows)}
    called = [rank[act.call] for act in rows]
    inside = [rank.get(act.ret, end) for act in rows]
    leaving, gone, first = [end] * len(rows), [end] * len(rows), [end] * len(rows)
    for row, act in enumerate(removes):
        if act is not None:
            leaving[row], gone[row] = max(rank[act.call], called[row]), rank.get(act.ret, end)
            first[row] = gone[row]
    looked = []
    for act in looks:
        row = row_of[act.value]
        call, ret = max(rank[act.call], called[row]), min(rank[act.ret], gone[row])
        looked.append((row, call, ret, act))
        first[row] = min(first[row], rank[act.ret])
        if removes[row] is not None:
            leaving[row] = max(leaving[row], call)
    inside = [min(pair) for pair in zip(inside, first, strict=True)]
    empty = [(rank[act.call], rank[act.ret], act) for act in holes]
    waiting = [(rank[act.call], act) for act in missing]
    return Table(end, called, inside, leaving, gone, first, rows, removes, looked, empty, waiting, points)


def found_in(table: Table, kind: str, rule: str, rows: Sequence[int], holes: Sequence[int] = ()) -> Found:
    """A conflict of these values and answers "empty", with all acts of the values, in order."""
    chosen = set(rows)
    removes = [table.removes[row] for row in rows]
    found = [*(table.adds[row] for row in rows), *(act for act in removes if act is not None)]
    found += [look[3] for look in table.looks if look[0] in chosen]
    found += [table.holes[hole][2] for hole in holes]
    acts = sorted({act.index: act for act in found}.values(), key=lambda act: act.call)
    return Found(kind, rule, acts, [table.adds[row].value for row in rows])
