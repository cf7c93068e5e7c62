"""Orders of chains that what is certain leaves only one way: found all at once, until no more follow.

Why it exists  a search would meet these pairs one by one; here a closure of the graph settles nine in ten of them in a tenth of a second.
Right      if the edges of "a before b" would close a cycle with certain edges, b comes before a, and its edges are certain, too. Who
           needs to know why asks `reasons`: the pairs that were settled before, on the path that forbade it.
Relies on  sets of nodes as the bits of integers, only for the nodes that a pair asks for; numpy where there are many pairs.
Source     Tan et al., Cobra, OSDI 2020 (pruning).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from checkers.serial.chains import Chain
from checkers.serial.events import Events
from checkers.serial.guess import cycle_free_order

MOST_PAIRS = 4_000_000  # beyond, and beyond so many bits, pairs are left to the search
MOST_BITS = 1 << 31
FEW = 3_000  # pairs up to which plain Python is quicker than importing numpy
FRUITFUL = 20  # a round goes on if it settled one pair in so many; among few pairs, if it settled any


class Settled(NamedTuple):
    """`first` comes before `second`, as was found in that round."""

    first: Chain
    second: Chain
    round: int


class Pruned:
    """The certain edges of `events` and those of settled pairs.

    source, target, tag   edges; tag: SURE of an edge of `events`, else -2 - (number of the settled pair)
    order                 nodes in topological order; fewer than all if the edges have a cycle
    dead                  a pair of which neither way is left
    """

    def __init__(self, events: Events) -> None:
        self.events = events
        self.source, self.target = list(events.source), list(events.target)
        self.tag = [-1] * len(self.source)
        self.settled: list[Settled] = []
        self.dead: tuple[Chain, Chain] | None = None
        self.order = cycle_free_order(len(events.txn), self.source, self.target)
        pairs = self._pairs()
        few, count = len(pairs) <= FEW, 0
        while pairs and self.dead is None and len(self.order) == len(events.txn):
            count += 1
            settled, pairs = self._round(pairs, few)
            for first, second in settled:
                self._settle(first, second, count)
            if settled:
                self.order = cycle_free_order(len(events.txn), self.source, self.target)
            if len(settled) * FRUITFUL < len(pairs) and not (few and settled):
                break

    def _pairs(self) -> list[tuple[Chain, Chain]]:
        keys = [chains for chains in self.events.chains.by_key.values() if len(chains) > 1]
        count = sum(len(chains) ** 2 // 2 for chains in keys)
        asked = 4 * sum(map(len, keys))
        if count > MOST_PAIRS or asked * len(self.events.txn) > MOST_BITS:
            return []
        return [(a, b) for chains in keys for i, a in enumerate(chains) if not a.initial for b in chains[i + 1 :]]

    def _settle(self, first: Chain, second: Chain, count: int) -> None:
        for source, target, _ in self.events.between(first, second):
            if not self._closure.has(source, target):
                self.source.append(source)
                self.target.append(target)
                self.tag.append(-2 - len(self.settled))
        self.settled.append(Settled(first, second, count))

    def _round(self, pairs: list[tuple[Chain, Chain]], few: bool) -> tuple[list[tuple[Chain, Chain]], list[tuple[Chain, Chain]]]:
        """Pairs in the order that is left to them, and pairs that have both."""
        chains = dict.fromkeys(chain for pair in pairs for chain in pair)
        self._closure = Closure(self, chains)
        judge = self._closure.judge_few if few else self._closure.judge_many
        settled: list[tuple[Chain, Chain]] = []
        open_: list[tuple[Chain, Chain]] = []
        for pair, forward, backward in zip(pairs, *judge(pairs)):
            if forward and backward:
                open_.append(pair)
            elif forward or backward:
                settled.append(pair if forward else pair[::-1])
            else:
                self.dead = pair
                return settled, []
        return settled, open_

    def reasons(self, tags: Iterable[int]) -> list[Settled]:
        """The settled pairs of some edges, and all that they rest on, in the order in which they were settled."""
        numbers = {-2 - tag for tag in tags if tag < -1}
        waiting = sorted(numbers)
        while waiting:
            one = self.settled[waiting.pop()]
            for tag in self.forbids(one.second, one.first, one.round):
                if tag < -1 and -2 - tag not in numbers:
                    numbers.add(-2 - tag)
                    waiting.append(-2 - tag)
        return [self.settled[number] for number in sorted(numbers)]

    def forbids(self, first: Chain, second: Chain, before: int) -> list[int]:
        """Tags of the edges of a path that forbids `first` before `second`, of those that were there before a round; the shortest."""
        out: dict[int, list[tuple[int, int]]] = {}
        for source, target, tag in zip(self.source, self.target, self.tag):
            if tag == -1 or self.settled[-2 - tag].round < before:
                out.setdefault(source, []).append((target, tag))
        paths = [_path(out, target, source) for source, target, _ in self.events.between(first, second)]
        return min((path for path in paths if path is not None), key=len)


def _path(out: dict[int, list[tuple[int, int]]], start: int, end: int) -> list[int] | None:
    """Tags of the edges of a shortest path; [] from a node to itself."""
    came: dict[int, tuple[int, int]] = {}
    layer = [start]
    while layer and end != start and end not in came:
        following = []
        for node in layer:
            for other, tag in out.get(node, ()):
                if other not in came:
                    came[other] = (node, tag)
                    following.append(other)
        layer = following
    if end != start and end not in came:
        return None
    tags = []
    while end != start:
        end, tag = came[end]
        tags.append(tag)
    return tags


class Closure:
    """What the ends of chains reach, of the ends of chains."""

    def __init__(self, pruned: Pruned, chains: Iterable[Chain]) -> None:
        self.events = pruned.events
        self._column: dict[int, int] = {}
        for chain in chains:
            for node in self._ends(chain):
                self._column.setdefault(node, len(self._column))
        out: list[list[int]] = [[] for _ in range(len(self.events.txn))]
        for source, target in zip(pruned.source, pruned.target):
            out[source].append(target)
        self._reach = [0] * len(out)
        for node in reversed(pruned.order):
            bits = 1 << self._column[node] if node in self._column else 0
            for following in out[node]:
                bits |= self._reach[following]
            self._reach[node] = bits

    def _ends(self, chain: Chain) -> tuple[int, int, int, int]:
        """start and commit of its head, commit of its last, its readers (its last again, if it has none)."""
        events, last = self.events, self.events.commit[chain.last]
        return events.start[chain.head], events.commit[chain.head], last, events.readers.get(chain.number, last)

    def has(self, source: int, target: int) -> bool:
        """Whether one reaches another."""
        return bool(self._reach[source] >> self._column[target] & 1)

    def judge_few(self, pairs: Sequence[tuple[Chain, Chain]]) -> tuple[list[bool], list[bool]]:
        """For each pair whether each way is left."""
        return [self._left(a, b) for a, b in pairs], [self._left(b, a) for a, b in pairs]

    def _left(self, first: Chain, second: Chain) -> bool:
        return not any(self.has(target, source) for source, target, _ in self.events.between(first, second))

    def judge_many(self, pairs: Sequence[tuple[Chain, Chain]]) -> tuple[list[bool], list[bool]]:
        """The same with numpy."""
        import numpy as np

        width = (len(self._column) + 7) // 8
        rows = np.frombuffer(b"".join(self._reach[node].to_bytes(width, "little") for node in self._column), np.uint8)
        rows = rows.reshape(len(self._column), width)
        ends = {chain.number: self._ends(chain) for chain in dict.fromkeys(chain for pair in pairs for chain in pair)}
        a = np.array([[self._column[node] for node in ends[pair[0].number]] for pair in pairs]).T
        b = np.array([[self._column[node] for node in ends[pair[1].number]] for pair in pairs]).T

        def left(first: np.ndarray, second: np.ndarray) -> list[bool]:
            forbidden = rows[second[0], first[2] >> 3] >> (first[2] & 7) & 1
            forbidden |= (rows[second[1], first[3] >> 3] >> (first[3] & 7) & 1) & (first[3] != first[2])
            return list(forbidden == 0)

        return left(a, b), left(b, a)
