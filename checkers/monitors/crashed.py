"""Removes of unknown outcome: each may have removed any value that nobody else removed, at any later time, or never acted.

Why it exists  a monitor of unique values must know which remove took which value; of these it does not.
Right      - If there is an order without them, there is one: they need not have acted.
           - If there is none although every value that nobody removed may go from the call of the first of them on, there is none: that
             allows more than they do.
           - If more values must have left by some moment than of them were called before it (deadlines.py), there is no order.
           - If giving them to the values that must have left, by their deadlines, makes an order, there is one.
           - Else values in the way are given to them one by one; then all choices are tried, where they are few. Only then is it left to
             the complete search.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from checkers.linearizable.operations import INFINITY
from checkers.monitors.acts import ADD, EMPTY, PEEK, REMOVE, Act
from checkers.monitors.deadlines import Front, overdue, pressing
from checkers.monitors.table import Found, Table, found_in, tabulate

CHOICES = 3000  # ways to give values to removes that are all tried
EFFORT = 3_000_000  # acts that giving values one by one may look at


class Rule(Protocol):
    """An object's rule."""

    def __call__(self, table: Table, /) -> Found | None: ...

    def fronts(self, table: Table, /) -> tuple[list[int], list[Front]]:
        """What sets deadlines to values; see deadlines.py."""
        ...


class Undecided(Exception):
    """Which values the removes of unknown outcome took is not decided here."""


def decide(acts: Sequence[Act], rule: Rule) -> Found | None:
    """None if the acts (unique values) have an order, else why not. Raises Undecided."""
    table = tabulate(acts)
    found = table if isinstance(table, Found) else rule(table)
    if found is None or isinstance(table, Found) or not table.missing:
        return found
    missing, loose = [act for _, act in table.missing], _loose(table)
    relaxed = whatever(acts, missing[0], rule)
    if relaxed is not None:
        return relaxed
    keys, fronts = rule.fronts(table)
    served, late = overdue(table, keys, fronts)
    if late:
        return _crowded(table, late, pressing(table, keys, fronts, late))
    if _with(acts, {table.adds[row].value: missing[number] for row, number in served.items()}, rule) is None:
        return None
    if _given(acts, missing, rule):
        return None
    if (len(loose) + 1) ** len(missing) > CHOICES:
        raise Undecided
    if any(_with(acts, chosen, rule) is None for chosen in _choices(loose, missing)):
        return None
    return Found("order", "choices", list(acts))


def _crowded(table: Table, late: Sequence[int], pressed: Sequence[Front]) -> Found:
    """The values that had to share too few removes, and what they had to leave before."""
    due = []
    for row, front in zip(late, pressed, strict=True):
        pair = found_in(table, "", "", [row] if front.row < 0 else [row, front.row], [front.hole] if front.hole >= 0 else [])
        due.append((table.adds[row].value, pair.acts, table.points[front.until]))
    acts = {act.index: act for _, pair_acts, _ in due for act in pair_acts}
    until = max(at for _, _, at in due)
    acts |= {act.index: act for _, act in table.missing if act.call < until}
    ordered = sorted(acts.values(), key=lambda act: act.call)
    return Found("order", "crowded", ordered, [value for value, _, _ in due], due, until)


def whatever(acts: Sequence[Act], missing: Act | None, rule: Rule) -> Found | None:
    """Why the acts have no order even if any value may have been removed from the call of `missing` on (None: if none may)."""
    table = tabulate(acts)
    if isinstance(table, Found) or missing is None:
        return table if isinstance(table, Found) else rule(table)
    found = _with(acts, dict.fromkeys(_loose(table), missing), rule)
    return found and _real(found, acts)


def _loose(table: Table) -> list[Any]:
    """The values that nobody is known to have removed."""
    return [add.value for add, remove in zip(table.adds, table.removes, strict=True) if remove is None]


def _with(acts: Sequence[Act], chosen: dict[Any, Act], rule: Rule) -> Found | None:
    removed = {value: act._replace(kind=REMOVE, value=value) for value, act in chosen.items()}
    table = tabulate(acts, removed)
    return table if isinstance(table, Found) else rule(table)


def _real(found: Found, acts: Sequence[Act]) -> Found:
    """The conflict with the acts as they stand in the history."""
    values = {act.value for act in found.acts if act.kind == ADD}
    holes = {act.index for act in found.acts if act.kind == EMPTY}
    kinds = (ADD, REMOVE, PEEK)
    return found._replace(acts=[act for act in acts if act.index in holes or (act.kind in kinds and act.value in values)])


def _given(acts: Sequence[Act], missing: Sequence[Act], rule: Rule) -> bool:
    """Whether giving the values in the way to the removes, the latest that is early enough first, leads to an order."""
    chosen: dict[Any, Act] = {}
    for _ in range(min(4 * len(missing), EFFORT // len(acts))):
        found = _with(acts, chosen, rule)
        if found is None:
            return True
        until = max(act.ret for act in found.acts if act.ret < INFINITY)
        removed = {act.value for act in acts if act.kind == REMOVE}
        used = {act.index for act in chosen.values()}
        for value in dict.fromkeys(act.value for act in found.acts if act.kind == ADD and act.value not in removed):
            before = chosen[value].call if value in chosen else until
            fit = [act for act in missing if act.call < before and act.index not in used]
            if fit:
                chosen[value] = fit[-1]
                break
        else:
            return False
    return False


def _choices(values: Sequence[Any], missing: Sequence[Act]) -> Iterator[dict[Any, Act]]:
    """Every way to give each remove one of the values or none, no value to two."""
    if not missing:
        yield {}
        return
    for rest in _choices(values, missing[1:]):
        yield rest
        for value in values:
            if value not in rest:
                yield {**rest, value: missing[0]}
