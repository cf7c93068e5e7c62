"""The smallest window: as few acts as still have no order, so that a person can check them by hand.

Why it exists  a violation among a million acts convinces nobody; one among four does.
Relies on      what may be left out of a history with an order, so that the rest still has one: all acts of one value (whatever else went in
               and out did so in the same order without it), and any act that changes nothing. witness.py proves every window again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from checkers.linearizable.operations import INFINITY
from checkers.monitors.acts import ADD, EMPTY, PEEK, REMOVE, Act
from checkers.monitors.table import Found

TRIES, EFFORT = 600, 3_000_000  # how often it is tried to leave something out; how many acts that may look at
Decide = Callable[[Sequence[Act]], Found | None]


def smallest(found: Found, acts: Sequence[Act], decide: Decide) -> list[Act]:
    """Of all acts of a container those of a conflict that still conflict; without any one value, look or empty answer they do not."""
    return _whole(found, acts) if found.until >= 0 else _without_units(found.acts, lambda some: decide(some) is not None)


def _whole(found: Found, acts: Sequence[Act]) -> list[Act]:
    """A conflict about one value with all adds and removes of it that may matter."""
    of = {act.value for act in found.acts}
    kept = {act.index for act in found.acts}
    return [act for act in acts if act.index in kept or (act.value in of and act.kind in (ADD, REMOVE) and act.call < found.until)]


def _without_units(acts: Sequence[Act], fails: Callable[[Sequence[Act]], bool]) -> list[Act]:
    acts, tries = list(acts), min(TRIES, EFFORT // len(acts))
    units: list[Callable[[Act], bool]] = [_is_value(value) for value in dict.fromkeys(act.value for act in acts if act.kind == ADD)]
    units += [_is_act(act.index) for act in acts if act.kind in (PEEK, EMPTY)]
    chunk = max(1, len(units) // 2)
    while units and tries:
        changed, at = False, 0
        while at < len(units) and tries:
            some = units[at : at + chunk]
            rest = [act for act in acts if not any(unit(act) for unit in some)]
            tries -= 1
            if len(rest) < len(acts) and fails(rest):
                acts, changed = rest, True
                del units[at : at + chunk]
            else:
                at += chunk
        if chunk == 1 and not changed:
            break
        chunk = max(1, chunk // 2)
    last = max(act.ret for act in acts if act.ret < INFINITY)
    before = [act for act in acts if act.call < last]  # a value whose remove is left out may then be taken by one of unknown outcome
    return before if fails(before) else acts


def _is_value(value: Any) -> Callable[[Act], bool]:
    return lambda act: act.kind in (ADD, REMOVE, PEEK) and act.value == value


def _is_act(index: int) -> Callable[[Act], bool]:
    return lambda act: act.index == index


def smallest_of_element(found: Found, acts: Sequence[Act], decide: Decide, quiet: Callable[[Act], bool]) -> list[Act]:
    """Of all acts of one element of a set those that conflict still, without the looks that are not needed."""
    until = found.until if found.until >= 0 else max(act.ret for act in found.acts if act.ret < INFINITY)
    kept = {act.index for act in found.acts}
    chosen = [act for act in acts if act.index in kept or (not quiet(act) and act.call < until)]
    for act in [act for act in chosen if quiet(act)][: min(TRIES, EFFORT // len(chosen))]:
        rest = [other for other in chosen if other is not act]
        if decide(_until(rest, until, quiet)) is not None:
            chosen = rest
    return chosen


def _until(acts: Sequence[Act], until: int, quiet: Callable[[Act], bool]) -> list[Act]:
    """The acts as they were known then: what returned later was open."""
    known = [act if act.ret <= until else act._replace(ret=INFINITY) for act in acts if act.call < until]
    return [act for act in known if act.ret <= until or not quiet(act)]
