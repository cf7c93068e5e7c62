"""A likely order, found by letting the transactions run one after another as a careful scheduler would.

Why it exists  an order that explains every read is a proof, however it was found: most valid histories are settled here in linear time,
               and the search starts from what is nearly right.
Right      nothing is claimed: the order respects the certain edges, and whether it explains the reads is looked at afterwards.
Relies on  a hint of when each transaction took effect: its completion (real time), or how far its session had come (files of sessions).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from heapq import heapify, heappop, heappush

from checkers.serial.events import HELPER, Events
from checkers.serial.problem import START
from checkers.transactions.txns import NEVER

Urgency = tuple[float, int]


def cycle_free_order(count: int, source: list[int], target: list[int]) -> list[int]:
    """Nodes in topological order; fewer than all of them if the edges have a cycle. Cost: O(nodes + edges)."""
    out: list[list[int]] = [[] for _ in range(count)]
    missing = [0] * count
    for a, b in zip(source, target):
        out[a].append(b)
        missing[b] += 1
    order = [node for node in range(count) if not missing[node]]
    for node in order:
        for following in out[node]:
            missing[following] -= 1
            if not missing[following]:
                order.append(following)
    return order


def hints(events: Events, *, by_sessions: bool) -> list[float]:
    """When each node happened, by the clock of positions, or by the share of its session that was over."""
    txns, taken = events.problem.txns, events.problem.taken
    hint = [float(NEVER)] * len(events.txn)
    length = Counter(txns[number].process for number in taken)
    come: Counter[int] = Counter()
    for number in taken:
        txn = txns[number]
        come[txn.process] += 1
        progress = come[txn.process] / length[txn.process]
        begin, end = (progress, progress) if by_sessions else (float(txn.call), float(txn.ret))
        hint[events.start[number]] = begin
        hint[events.commit[number]] = end
    return hint


class Guess:
    """The scheduler. A node waits while it would overwrite what somebody has yet to read; if all wait, the most urgent goes."""

    def __init__(self, events: Events, order: Sequence[int], edges: Iterable[tuple[int, int]], hint: list[float]) -> None:
        """order: the nodes in an order that the edges agree with; hint: when each happened."""
        self.events, self.chains = events, events.chains
        count = len(order)
        self._out: list[list[int]] = [[] for _ in range(count)]
        self._missing = [0] * count
        for a, b in edges:
            self._out[a].append(b)
            self._missing[b] += 1
        self._urgent = list(hint)
        for node in reversed(order):  # what is waited for is as urgent as what waits
            for following in self._out[node]:
                self._urgent[node] = min(self._urgent[node], self._urgent[following])
        self._hint = hint
        self._heads: dict[int, list[int]] = {}
        self._unread = [len(chain.readers) for chain in self.chains.all]
        self._unplaced = [len(chain.members) for chain in self.chains.all]
        self._ends: dict[int, list[int]] = {}
        for chain in self.chains.all:
            if len(self.chains.by_key[chain.key]) > 1:
                self._heads.setdefault(chain.head, []).append(chain.number)
                for reader in chain.readers:
                    self._ends.setdefault(reader, []).append(chain.number)
        self._current: dict[Hashable, int] = {}  # key -> chain that is being written
        self._before: list[int] = [-1] * len(self.chains.all)
        self._value: dict[Hashable, int] = {}  # key -> writer of what is there
        self._parked: dict[Hashable, list[int]] = {}

    def order(self) -> list[int]:
        """All nodes in an order that the certain edges agree with."""
        ready = [self._entry(node) for node in range(len(self._missing)) if not self._missing[node]]
        heapify(ready)
        waiting: list[tuple[float, float, int]] = []
        placed = [False] * len(self._missing)
        found: list[int] = []
        while ready or waiting:
            forced = not ready
            _, _, node = heappop(waiting if forced else ready)
            if placed[node]:
                continue
            key = None if forced else self._obstacle(node)
            if key is not None:
                self._parked.setdefault(key[0], []).append(node)
                heappush(waiting, self._entry(node))
                continue
            placed[node] = True
            found.append(node)
            for changed in self._place(node):
                for parked in self._parked.pop(changed, ()):
                    heappush(ready, self._entry(parked))
            for following in self._out[node]:
                self._missing[following] -= 1
                if not self._missing[following]:
                    heappush(ready, self._entry(following))
        return found

    def _entry(self, node: int) -> tuple[float, float, int]:
        return (self._urgent[node], self._hint[node], node)

    def _obstacle(self, node: int) -> tuple[Hashable] | None:
        """The key on which something must happen first."""
        number = self.events.txn[node]
        if number == HELPER:
            return None
        if node == self.events.start[number]:
            for head in self._heads.get(number, ()):
                chain = self.chains.all[head]
                current = self._current.get(chain.key)
                if current is not None and self._unplaced[current]:
                    return (chain.key,)
            for place in self.chains.ambiguous.get(number, ()):
                read = self.events.problem.reads[number][place]
                if self._value.get(read.key, START) not in read.sources:
                    return (read.key,)
        if node == self.events.commit[number]:
            for head in self._heads.get(number, ()):
                chain = self.chains.all[head]
                before = self._current.get(chain.key, -1) if node == self.events.start[number] else self._before[head]
                if before >= 0 and before != head and self._unread[before]:
                    return (chain.key,)
        return None

    def _place(self, node: int) -> list[Hashable]:
        """Keys of which something changed."""
        number = self.events.txn[node]
        changed: list[Hashable] = []
        if number == HELPER:
            return changed
        if node == self.events.start[number]:
            for head in self._heads.get(number, ()):
                key = self.chains.all[head].key
                self._before[head] = self._current.get(key, -1)
                self._current[key] = head
            for end in self._ends.get(number, ()):
                self._unread[end] -= 1
                changed.append(self.chains.all[end].key)
        if node == self.events.commit[number]:
            for key in self.events.problem.bodies[number].writes:
                self._value[key] = number
                self._unplaced[self.chains.of[key, number].number] -= 1
                changed.append(key)
        return changed
