"""Orders of chains that what is certain leaves only one way: found all at once, until no more follow.

Why it exists  a search would meet these pairs one by one; here a closure of the graph settles nine in ten of them in a tenth of a second.
Right      if the edges of "a before b" would close a cycle with certain edges, b comes before a, and its edges are certain, too. Who
           needs to know why asks `reasons`: the pairs that were settled before, on the path that forbade it.
Relies on  sets of nodes as the bits of integers, only for the nodes that a pair asks for; numpy where there are many pairs.
Source     Tan et al., Cobra, OSDI 2020 (pruning).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from checkers.serial.chains import Chain
from checkers.serial.events import Events
from checkers.serial.guess import cycle_free_order

if TYPE_CHECKING:
    import numpy as np

MOST_PAIRS = 4_000_000  # beyond, and beyond so many bits, pairs are left to the search
MOST_BITS = 1 << 31
FEW = 3_000  # pairs up to which plain Python is quicker than importing numpy
FRUITFUL = 20  # rounds go on while they settle one pair in so many of those left; among few pairs, any


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
        keys = [chains for chains in events.chains.by_key.values() if len(chains) > 1]
        asked = [chain for chains in keys for chain in chains]
        pairs = sum(len(chains) ** 2 // 2 for chains in keys)
        if pairs and pairs <= MOST_PAIRS and len(self.order) == len(events.txn) and 4 * len(asked) * len(events.txn) <= MOST_BITS:
            self._run(_few_pairs(keys) if pairs <= FEW else ManyPairs(events, asked), asked)

    def _run(self, pairs: FewPairs | ManyPairs, asked: Sequence[Chain]) -> None:
        """Rounds, as long as they are worth it."""
        count = 0
        while True:
            count += 1
            found = pairs.judge(Closure(self, asked))
            if found.dead is not None:
                self.dead = found.dead
                return
            for pair, edges in found.news:
                for source, target in edges:
                    self.source.append(source)
                    self.target.append(target)
                    self.tag.append(-2 - len(self.settled))
                self.settled.append(Settled(*pair, count))
            if not found.news:
                return
            self.order = cycle_free_order(len(self.events.txn), self.source, self.target)
            if len(self.order) < len(self.events.txn) or (found.left > FEW and len(found.news) * FRUITFUL < found.left):
                return

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
    """What the ends of chains reach, of the ends of chains: `reach`, by node, bits by `column`; `place`: their positions in the order."""

    def __init__(self, pruned: Pruned, chains: Iterable[Chain]) -> None:
        self.events = pruned.events
        self.column: dict[int, int] = {}
        for chain in chains:
            for node in ends(self.events, chain):
                self.column.setdefault(node, len(self.column))
        out: list[list[int]] = [[] for _ in range(len(self.events.txn))]
        for source, target in zip(pruned.source, pruned.target):
            out[source].append(target)
        self.reach = [0] * len(out)
        self.place = {node: place for place, node in enumerate(pruned.order) if node in self.column}
        for node in reversed(pruned.order):
            bits = 1 << self.column[node] if node in self.column else 0
            for following in out[node]:
                bits |= self.reach[following]
            self.reach[node] = bits

    def has(self, source: int, target: int) -> bool:
        """Whether one reaches another."""
        return bool(self.reach[source] >> self.column[target] & 1)


def ends(events: Events, chain: Chain) -> tuple[int, int, int, int]:
    """start and commit of its head, commit of its last, its readers (its last again, if it has none)."""
    last = events.commit[chain.last]
    return events.start[chain.head], events.commit[chain.head], last, events.readers.get(chain.number, last)


class Judged(NamedTuple):
    """news: settled pairs (the first comes first) with the edges that nothing implied yet; left: how many have both ways."""

    dead: tuple[Chain, Chain] | None
    news: list[tuple[tuple[Chain, Chain], list[tuple[int, int]]]]
    left: int


def _few_pairs(keys: Iterable[Sequence[Chain]]) -> FewPairs:
    return FewPairs([(a, b) for chains in keys for i, a in enumerate(chains) if not a.initial for b in chains[i + 1 :]])


class FewPairs:
    """Pairs in plain Python."""

    def __init__(self, pairs: list[tuple[Chain, Chain]]) -> None:
        self._pairs = pairs

    def judge(self, closure: Closure) -> Judged:
        """Look at all pairs that are left, once."""
        left: list[tuple[Chain, Chain]] = []
        news: list[tuple[tuple[Chain, Chain], list[tuple[int, int]]]] = []
        for pair in self._pairs:
            ways = [way for way in (pair, pair[::-1]) if not any(closure.has(t, s) for s, t, _ in closure.events.between(*way))]
            if not ways:
                return Judged(pair, [], 0)
            if len(ways) == 2:
                left.append(pair)
                continue
            edges = [(s, t) for s, t, _ in closure.events.between(*ways[0]) if not closure.has(s, t)]
            if edges:
                news.append((ways[0], edges))
        self._pairs = left
        return Judged(None, news, len(left))


class ManyPairs:
    """Pairs as arrays of places in `chains`; of each chain its ends as nodes, and whether it has readers; of each key what is settled."""

    def __init__(self, events: Events, chains: Sequence[Chain]) -> None:
        import numpy as np

        self._chains = chains
        self._ends = np.array([ends(events, chain) for chain in chains]).T
        self._read = np.array([chain.number in events.readers for chain in chains])
        firsts, seconds, at = [], [], 0
        self._starts: list[int] = []
        self._known: list[np.ndarray] = []
        while at < len(chains):
            count = len(events.chains.by_key[chains[at].key])
            a, b = np.triu_indices(count, 1)
            keep = a >= int(chains[at].initial)
            firsts.append(a[keep] + at)
            seconds.append(b[keep] + at)
            self._starts.append(at)
            self._known.append(np.zeros((count, count), np.bool_))
            at += count
        self._a, self._b = np.concatenate(firsts), np.concatenate(seconds)

    def judge(self, closure: Closure) -> Judged:
        """Look at all pairs that are left, once."""
        import numpy as np

        width = (len(closure.column) + 7) // 8
        joined = b"".join(closure.reach[node].to_bytes(width, "little") for node in closure.column)
        rows = np.frombuffer(joined, np.uint8).reshape(len(closure.column), width)
        column = np.zeros(int(self._ends.max()) + 1, np.int64)
        column[list(closure.column)] = list(closure.column.values())
        head_start, head_commit, last, readers = column[self._ends]

        def reach(source: np.ndarray, target: np.ndarray) -> np.ndarray:
            return np.asarray((rows[source, target >> 3] >> (target & 7).astype(np.uint8) & 1) != 0)

        a, b = self._a, self._b
        not_ab = reach(head_start[b], last[a]) | (self._read[a] & reach(head_commit[b], readers[a]))
        not_ba = reach(head_start[a], last[b]) | (self._read[b] & reach(head_commit[a], readers[b]))
        if (dead := np.flatnonzero(not_ab & not_ba)).size:
            return Judged((self._chains[a[dead[0]]], self._chains[b[dead[0]]]), [], 0)
        one = not_ab | not_ba
        first, second = np.where(not_ba, a, b)[one], np.where(not_ba, b, a)[one]
        lacks_last = ~reach(last[first], head_start[second])
        lacks_read = self._read[first] & ~reach(readers[first], head_commit[second])
        fresh = self._direct(first, second, closure) & (lacks_last | lacks_read)
        news = []
        for at in np.flatnonzero(fresh):
            x, y = int(first[at]), int(second[at])
            edges = [(int(self._ends[2, x]), int(self._ends[0, y]))] if lacks_last[at] else []
            edges += [(int(self._ends[3, x]), int(self._ends[1, y]))] if lacks_read[at] else []
            news.append(((self._chains[x], self._chains[y]), edges))
        self._a, self._b = a[~one], b[~one]
        return Judged(None, news, len(self._a))

    def _direct(self, first: np.ndarray, second: np.ndarray, closure: Closure) -> np.ndarray:
        """Which of the settled pairs do not follow from two others, by a chain that stands between them in the present order, too."""
        import numpy as np

        starts = np.array(self._starts)
        key = np.searchsorted(starts, first, side="right") - 1
        direct = np.ones(len(first), np.bool_)
        for number in np.unique(key):
            mine = np.flatnonzero(key == number)
            known, start = self._known[number], self._starts[number]
            known[first[mine] - start, second[mine] - start] = True
            places = np.array([closure.place[int(node)] for node in self._ends[0, start : start + len(known)]])
            by_place = np.argsort(places)
            rank = np.argsort(by_place)
            upward = np.triu(known[np.ix_(by_place, by_place)], 1).astype(np.float32)
            direct[mine] = (upward @ upward)[rank[first[mine] - start], rank[second[mine] - start]] == 0
        return direct
