"""One walk over the reads in real-time order: which of them misses what it must have, and has what it must not.

Why it exists  a read of 100,000 elements is compared as a whole, by set operations; only elements with a finding are looked at one by one.
Relies on      an element is *known* from the completion of its first ok add, or of the first ok read that has it, whichever comes first.

Rules, for an ok read r of a set that elements are only added to:
  missing      known before r was invoked, not in r, and no remove of it that may have happened was invoked before r completed
  phantom      in r, and no add of it that may have happened was invoked before r completed
  duplicate    more than once in r
  resurrected  in r, an ok remove of it completed before r was invoked, and every add of it that may have happened and was invoked before
               r completed had completed before that remove was invoked
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from operator import itemgetter
from typing import NamedTuple

from checkers.set_full.calls import INFINITY, Calls, Change, Read


class Miss(NamedTuple):
    """A known element and the reads that miss it: the one invoked first, the one invoked last, and how many."""

    first: Read
    last: Read
    times: int


class Sweep:
    """What the walk found, by element.

    known        the moment from which the element must be there
    missing      the reads that miss it
    phantoms, duplicates   the first read that shows it
    resurrected  the read that shows it and was invoked last
    seen         known, and in some read
    gone         removed, and missing from some read that began later
    first_remove invocation of the first remove that may have happened
    """

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.known: dict[Hashable, int] = {}
        self.missing: dict[Hashable, Miss] = {}
        self.phantoms: dict[Hashable, Read] = {}
        self.duplicates: dict[Hashable, Read] = {}
        self.resurrected: dict[Hashable, Read] = {}
        self.seen: set[Hashable] = set()
        self.gone: set[Hashable] = set()
        self._unseen: set[Hashable] = set()
        self._missed: list[tuple[Read, list[Hashable]]] = []
        self._order: list[Hashable] = []  # known elements, the one known first at the front
        self._first_call = {element: adds[0].call for element, adds in calls.adds.items()}
        self.first_remove = {element: removes[0].call for element, removes in calls.removes.items()}
        self._removed = {element: done for element, changes in calls.removes.items() if (done := _done(changes))}
        self._walk()

    def _walk(self) -> None:
        acks = [(int(change.ret), element) for element, changes in self.calls.adds.items() for change in _done(changes)]
        acks.sort(key=itemgetter(0))
        reads = self.calls.reads
        begins = [(read.call, number, True) for number, read in enumerate(reads)]
        ends = [(read.ret, number, False) for number, read in enumerate(reads)]
        known_before: dict[int, int] = {}
        at = 0
        for moment, number, begin in sorted(begins + ends):
            while at < len(acks) and acks[at][0] < moment:
                self._acknowledge(acks[at][1], acks[at][0])
                at += 1
            if begin:
                known_before[number] = len(self._order)
            else:
                self._look(reads[number], known_before.pop(number))
        for ret, element in acks[at:]:
            self._acknowledge(element, ret)
        self._gather()

    def _acknowledge(self, element: Hashable, ret: int) -> None:
        if element not in self.known:
            self.known[element] = ret
            self._order.append(element)
            self._unseen.add(element)

    def _look(self, read: Read, known_before: int) -> None:
        """Judge one read when it completes; it must have the elements known before it was invoked."""
        there = frozenset(read.elements)
        must = self._order[:known_before]
        if not there.issuperset(must):
            missed = [element for element in must if element not in there]
            if self.first_remove:
                missed = [element for element in missed if self.first_remove.get(element, INFINITY) > read.ret]
            self._missed.append((read, missed))
        for element in there.difference(self.known):
            if self._first_call.get(element, INFINITY) < read.ret:
                self.known[element] = read.ret
                self._order.append(element)
                self.seen.add(element)
            else:
                self.phantoms.setdefault(element, read)
        if self._unseen:
            newly = self._unseen & there
            self._unseen -= newly
            self.seen |= newly
        if len(there) < len(read.elements):
            for element, count in Counter(read.elements).items():
                if count > 1:
                    self.duplicates.setdefault(element, read)
        if self._removed:
            self._look_for_removed(there, read)

    def _gather(self) -> None:
        """Misses by element, from misses by read: all elements at once, since a store that lost everything misses it in every read."""
        self._missed.sort(key=lambda pair: pair[0].call)
        first: dict[Hashable, Read] = {}
        last: dict[Hashable, Read] = {}
        times: Counter[Hashable] = Counter()
        for read, elements in self._missed:
            last.update(dict.fromkeys(elements, read))
            times.update(elements)
        for read, elements in reversed(self._missed):
            first.update(dict.fromkeys(elements, read))
        self.missing = {element: Miss(first[element], last[element], times[element]) for element in self._order if element in times}

    def _look_for_removed(self, there: frozenset[Hashable], read: Read) -> None:
        for element, removes in self._removed.items():
            before = [remove for remove in removes if remove.ret < read.call]
            if not before:
                continue
            if element not in there:
                self.gone.add(element)
                continue
            newest = max(remove.call for remove in before)
            adds = [add for add in self.calls.adds.get(element, ()) if add.call < read.ret]
            shown = self.resurrected.get(element)
            if adds and all(add.ret < newest for add in adds) and (shown is None or read.call > shown.call):
                self.resurrected[element] = read

    def last_seen(self, elements: frozenset[Hashable]) -> dict[Hashable, int]:
        """Of each of the elements that some read has, the latest completion of such a read."""
        found: dict[Hashable, int] = {}
        for read in self.calls.reads:
            found.update(dict.fromkeys(elements.intersection(read.elements), read.ret))
        return found


def _done(changes: list[Change]) -> list[Change]:
    return [change for change in changes if change.ret < INFINITY]
