"""Crashed operations in the search: how many of each kind a configuration has used, and which of two configurations is better supplied.

Why it exists  a crashed op may act at any later time or never, so each doubles what is possible, unless most of it is seen to be no better
               than the rest.
Relies on      crashed ops never having to act: a configuration that has more of them left can do all that one with fewer can.

Right  - Symmetry: crashed ops with equal f and arguments are one kind with a count.
       - Subsumption: used counts U are no worse than V if what U has left can do all that what V has left can. A write of b can stand for
         a cas from any a to b, so that is so exactly if for each b and each set A of old values, U used no more writes of b and cas from
         A to b together than V did (Hall's theorem). Those sums are kept as fields of one integer, compared by one subtraction.
       - A chain of crashed ops with nobody looking in between is of no use where one op does the same: whoever needs that op later can
         use the chain then. (A write does more than a cas: pending writes can go unseen right before it.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from checkers.linearizable.operations import CAS, WRITE, Operation

Uses = int  # crashed ops used: fields of `Crashed.width` bits, first those to compare, then the count of each kind
EXACT = 6  # with more kinds of cas to one value, a write counts as another kind: fewer configurations are seen to be worse


class Crashed:
    """The kinds, the chains of them that lead from a state to a value, and antichains of uses."""

    def __init__(self, kinds: Sequence[Operation], most: int, *, boundless: bool = False, beam: int = 0) -> None:
        """most: how many crashed ops there are, of all kinds. boundless: using one leaves as many. beam: keep no longer antichains."""
        self.beam, self.cut = beam, False
        self.kinds, self.available = kinds, [0] * len(kinds)
        self.writes = [(op.a, kind) for kind, op in enumerate(kinds) if op.f == WRITE]
        self.cas: dict[Any, list[tuple[Any, int]]] = {}
        for kind, op in enumerate(kinds):
            if op.f == CAS:
                self.cas.setdefault(op.a, []).append((op.b, kind))
        self.write_of, self.cas_of = dict(self.writes), {(op.a, op.b): kind for kind, op in enumerate(kinds) if op.f == CAS}
        self.width = most.bit_length() + 1
        compared = self._compared()
        self.counts = len(compared) * self.width
        self.one = [1 << self.counts + kind * self.width for kind in range(len(kinds))]
        for field, members in enumerate(compared):
            for kind in members:
                self.one[kind] += 1 << field * self.width
        if boundless:
            self.one = [0] * len(kinds)
        self.guard = sum(1 << field * self.width + self.width - 1 for field in range(len(compared)))

    def _compared(self) -> list[tuple[int, ...]]:
        """The sets of kinds whose sums are compared."""
        sets: list[tuple[int, ...]] = []
        grouped: set[int] = set()
        for value, write in self.writes:
            cas = [kind for (_, new), kind in self.cas_of.items() if new == value]
            if cas and len(cas) <= EXACT:
                sets += [(write, *some) for size in range(len(cas) + 1) for some in combinations(cas, size)]
                grouped.update([write, *cas])
        return sets + [(kind,) for kind in range(len(self.kinds)) if kind not in grouped]

    def left(self, used: Uses) -> list[bool]:
        """Of each kind, whether there is one more."""
        counts, field = used >> self.counts, (1 << self.width) - 1
        return [(counts >> kind * self.width) & field < count for kind, count in enumerate(self.available)]

    def table(self) -> Table:
        """An empty table of configurations."""
        return Table(self)

    def leads(self, value: Any, strings: bool) -> bool:
        """Whether a crashed op may look at a value."""
        return value in self.cas or (strings and bool(self.kinds))

    def chains(self, state: Any, used: Uses, unseen: bool) -> list[tuple[Any, Uses, bool]]:
        """(value, uses afterwards, whether a write was among them): a cas, a write, or several in a row, that lead from the state to it.

        unseen: some pending write may go unseen right before a write, so that even what leads back to the state is of use.
        """
        left = self.left(used)

        def free(kind: int | None) -> bool:
            return kind is not None and left[kind]

        found: list[tuple[Any, Uses, bool]] = []
        paths: deque[tuple[tuple[Any, ...], Uses, bool]] = deque()  # short chains first
        for value, kind in self.cas.get(state, ()):
            if value != state and left[kind]:
                paths.append(((state, value), used + self.one[kind], False))
        for value, kind in self.writes:
            if (unseen or value != state) and left[kind]:
                paths.append(((state, value), used + self.one[kind], True))
        while paths:
            path, after, wrote = paths.popleft()
            found.append((path[-1], after, wrote))
            for value, kind in self.cas.get(path[-1], ()):
                if value in path[wrote and unseen :] or not left[kind] or (wrote and free(self.write_of.get(value))):
                    continue
                if not any(free(self.cas_of.get((earlier, value))) for earlier in path[wrote:-1]):
                    paths.append(((*path, value), after + self.one[kind], wrote))
        return found


class Table:
    """Configurations, of each state those that no other one is as good as: (state, acted, content, used)."""

    def __init__(self, crashed: Crashed) -> None:
        self.crashed = crashed
        self.of_state: dict[Any, list[tuple[Any, int, int, Uses]]] = {}

    def keep(self, config: tuple[Any, int, int, Uses]) -> bool:
        """Add one; False if one as good is there: more ops content, fewer acted, no more crashed ops used."""
        _, acted, content, used = config
        chain = self.of_state.setdefault(config[0], [])
        guard = self.crashed.guard
        guarded = used | guard  # a field's guard survives the subtraction exactly if nothing was borrowed: it was no less
        for _, did, there, spent in chain:
            if not content & ~there and not did & ~acted and (guarded - spent) & guard == guard:
                return False
        if self.crashed.beam and len(chain) >= self.crashed.beam:
            self.crashed.cut = True
            return False
        chain[:] = [other for other in chain if other[2] & ~content or acted & ~other[1] or ((other[3] | guard) - used) & guard != guard]
        chain.append(config)
        return True

    def holds(self, config: tuple[Any, int, int, Uses]) -> bool:
        """Whether one is still there."""
        return config in self.of_state[config[0]]

    def all(self) -> list[tuple[Any, int, int, Uses]]:
        """All of them."""
        return [config for chain in self.of_state.values() for config in chain]
