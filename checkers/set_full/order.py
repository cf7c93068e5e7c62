"""Two elements at once: reads that no order of the adds explains, although each element by itself is right.

Why it exists  with it the checker is complete for sets that are only added to: valid then means linearizable.
Relies on      being asked only when no element has a finding. Elements that may have been removed are left out (so with removes it is
               sound, not complete).

Rules
  order  a read has f and misses e, although e was known before the first add of f that may have happened was invoked
  fork   one read has a and misses b, another has b and misses a

Complete: if neither is found, reads by inclusion, then by invocation, are an order that respects real time; each add goes right before the
first read that has it, and whatever would forbid that is one of the rules, here or in sweep.py. bench/prove_set_full.py tries it against a
search of all orders.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable
from itertools import pairwise
from typing import NamedTuple

from checkers.set_full.calls import Calls, Read
from checkers.set_full.sweep import Sweep


class Contradiction(NamedTuple):
    """The reads and the two elements: of `order` e, f and the moment from which e was known, of `fork` a, b (and 0)."""

    rule: str
    reads: tuple[Read, ...]
    elements: tuple[Hashable, Hashable]
    known: int = 0


def contradiction(calls: Calls, sweep: Sweep) -> Contradiction | None:
    """The first one, or None."""
    return _order(calls, sweep) or _fork(calls, sweep)


def _order(calls: Calls, sweep: Sweep) -> Contradiction | None:
    """Only adds invoked while the read was open can show it, and only elements known meanwhile."""
    begun = sorted((adds[0].call, number, element) for number, (element, adds) in enumerate(calls.adds.items()))
    known = [(moment, element) for element, moment in sweep.known.items() if element not in calls.removes]
    known.sort(key=lambda pair: pair[0])
    calls_of, moments = [each[0] for each in begun], [each[0] for each in known]
    for read in calls.reads:
        during = begun[bisect_right(calls_of, read.call) : bisect_left(calls_of, read.ret)]
        if not during:
            continue
        there = frozenset(read.elements)
        newest = next(((call, element) for call, _, element in reversed(during) if element in there), None)
        if newest is None:
            continue
        call, shown = newest
        for moment, element in known[bisect_right(moments, read.call) : bisect_left(moments, call)]:
            if element not in there:
                return Contradiction("order", (read,), (element, shown), moment)
    return None


def _fork(calls: Calls, sweep: Sweep) -> Contradiction | None:
    """Sets that include each other form a chain: by size, each must include the one before."""
    removable = calls.removes.keys()
    stays = [(read, [e for e in read.elements if e not in removable] if removable else read.elements) for read in calls.reads]
    stays.sort(key=lambda pair: len(pair[1]))
    for (smaller, fewer), (larger, more) in pairwise(stays):
        if not frozenset(more).issuperset(fewer):
            first = _earliest(frozenset(fewer).difference(more), sweep)
            second = _earliest(frozenset(more).difference(fewer), sweep)
            return Contradiction("fork", (smaller, larger), (first, second))
    return None


def _earliest(elements: frozenset[Hashable], sweep: Sweep) -> Hashable:
    return min(elements, key=lambda element: sweep.known[element])
