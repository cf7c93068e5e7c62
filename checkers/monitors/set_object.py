"""Set: is there one order of adds, removes and looks at elements in which every answer is what the set held?

Decides    linearizability of a set with add, remove and contains; element by element, since linearizability is local. An answer true of add
           or remove says that it changed the set, false that it did not, none that nobody knows.
Right      an element that is added once and removed once, both with the answer true (or never, or without a known outcome), is inside from
           a moment of its add to one of its remove. Of these moments, as far apart as the looks that saw it demand ([inside, leaving)), a
           look that missed it must not lie wholly between; nor may one that saw it lie before the add or after the remove. Cost: O(n).
           Any other element: just-in-time linearization over (is it there, which pending ops have acted). An op acts only right before some
           return; what changes nothing acts as soon as it is right; of two pending ops alike the one that returns first acts first (if
           the other did, exchange them: both were called before, and both are moved within their intervals).
Unknown    an element that needs more than its budget of configurations.
Source     Lee & Mathur, OOPSLA 2025 (unambiguous sets); the frontier: Lowe 2017, the exchange ours. Checked against brute force.
"""

from __future__ import annotations

from collections.abc import Sequence

from checkers.linearizable.operations import INFINITY
from checkers.monitors.acts import ADD, CONTAINS, REMOVE, Act
from checkers.monitors.table import Found


class OutOfBudget(Exception):
    """More configurations than the budget allows."""


def conflict(acts: Sequence[Act], budget: int) -> Found | None:
    """None if the acts of one element have an order. Raises OutOfBudget."""
    return _plain(acts) if _once(acts) else _frontier(acts, budget)


def _once(acts: Sequence[Act]) -> bool:
    """Whether the element was added and removed at most once, with answers."""
    changing = [act for act in acts if act.kind in (ADD, REMOVE) and act.result is not False]
    adds = sum(act.kind == ADD for act in changing)
    return adds <= 1 and len(changing) - adds <= 1 and all(act.result is not None or act.crashed for act in changing)


def _plain(acts: Sequence[Act]) -> Found | None:
    """What is wrong with an element that was added and removed at most once."""
    adds, removes = ([act for act in acts if act.kind == kind and act.result is not False] for kind in (ADD, REMOVE))
    saw = [act for act in acts if act.result is (act.kind != ADD) and act.kind in (CONTAINS, ADD)]
    missed = [act for act in acts if act.result is False and act.kind != ADD]
    if any(act.crashed for act in removes) and not adds:
        removes = []  # whatever it did, it had nothing to remove
    if adds and adds[0].crashed and not saw and not [act for act in removes if not act.crashed]:
        return None  # it need not have happened
    if not adds:
        return Found("fresh", "nobody", [*saw[:1], *removes[:1]][:1]) if saw or removes else None
    add, remove = adds[0], removes[0] if removes else None
    inside = min((act for act in (add, *saw, *removes)), key=lambda act: act.ret)
    for act in (*saw, *removes):
        if act.ret < add.call:
            return Found("fresh", "early", [add, act], until=act.ret)
        if remove is not None and remove.ret < act.call:
            return Found("repeat", "after", [add, remove, act], until=act.ret)
    leaving = max((act for act in (add, *saw, *removes)), key=lambda act: act.call) if remove is not None else None
    for act in missed:
        if act.call > inside.ret and (leaving is None or act.ret < leaving.call):
            proof = {one.index: one for one in (add, inside, *removes, *([leaving] if leaving is not None else []), act)}
            return Found("lost", "inside", sorted(proof.values(), key=lambda one: one.call))
    return None


def _frontier(acts: Sequence[Act], budget: int) -> Found | None:
    """The search: configurations (there, acts that are pending and have acted), step by step at returns."""
    events = sorted([(act.call, 0, number) for number, act in enumerate(acts)] + [(act.ret, 1, number) for number, act in enumerate(acts)])
    pending: list[int] = []
    frontier: set[tuple[bool, frozenset[int]]] = {(False, frozenset())}
    for at, returns, number in events:
        if at == INFINITY:
            break
        if not returns:
            pending.append(number)
            continue
        reached, waiting = set(frontier), sorted(frontier, key=lambda config: (config[0], sorted(config[1])))
        frontier = set()
        while waiting:
            there, done = waiting.pop()
            budget -= 1
            if budget < 0:
                raise OutOfBudget
            done = done.union(other for other in pending if quiet(acts[other]) and _after(there, acts[other]) is there)
            if number in done:
                frontier.add((there, done - {number}))
                continue
            first: dict[tuple[str, bool | None], int] = {}
            for other in pending:
                act = acts[other]
                if other not in done and not quiet(act) and _after(there, act) is not None:
                    alike = (act.kind, act.result)
                    if alike not in first or act.ret < acts[first[alike]].ret:
                        first[alike] = other
            for other in first.values():
                config = (acts[other].kind == ADD, done | {other})
                if config not in reached:
                    reached.add(config)
                    waiting.append(config)
        if not frontier:
            return Found("order", "search", [act for act in acts if act.call < at], until=at)
        pending.remove(number)
    return None


def quiet(act: Act) -> bool:
    """True of an op that changes nothing whenever it acts."""
    return act.kind == CONTAINS or act.result is False


def _after(there: bool, act: Act) -> bool | None:
    """Whether the element is there after the act; None if its answer is wrong then."""
    if act.kind == CONTAINS:
        return there if act.result is there else None
    if act.result is not None and act.result is not (there is (act.kind == REMOVE)):
        return None
    return act.kind == ADD
