"""A graph kept in topological order while edges come and go; an edge that would close a cycle is refused, and the cycle given.

Why it exists  the search adds the edges of one choice at a time and must know at once what contradicts it.
Right      a new edge that agrees with the order costs nothing; for another only the nodes between its ends are looked at and moved.
           Taking edges away leaves the order right.
Relies on  edges being taken away in the reverse of the order in which they came.
Source     Pearce & Kelly, A dynamic topological sort algorithm for directed acyclic graphs, JEA 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

SURE = -1  # the literal of an edge that holds whatever is chosen


class Ordered:
    """A graph of events in order. place: position of each node.

    source, target, literal   edges by number; the literal is the choice that brought it, SURE for none, less for a settled pair (prune.py)
    """

    def __init__(self, nodes: Sequence[int], source: Sequence[int], target: Sequence[int], literal: Sequence[int]) -> None:
        """nodes: all nodes in an order that the sure edges (source[i], target[i]) agree with; their literals are below 0."""
        count = len(nodes)
        self.place = [0] * count
        for place, node in enumerate(nodes):
            self.place[node] = place
        self.source, self.target = list(source), list(target)
        self.literal = list(literal)
        self.out: list[list[int]] = [[] for _ in range(count)]
        self.into: list[list[int]] = [[] for _ in range(count)]
        for number, (a, b) in enumerate(zip(source, target)):
            self.out[a].append(number)
            self.into[b].append(number)
        self.sure = len(self.source)
        self.visited = 0  # nodes looked at, a measure of work

    def add(self, source: int, target: int, literal: int) -> list[int] | None:
        """Add an edge, or give the path of edges from target to source that forbids it, the fewest choices first, then the shortest."""
        if self.place[source] > self.place[target]:
            ahead = self._ahead(target, self.place[source])
            if source in ahead:
                return self.path(target, source)
            self._move(ahead, self._behind(source, self.place[target]))
        number = len(self.source)
        self.source.append(source)
        self.target.append(target)
        self.literal.append(literal)
        self.out[source].append(number)
        self.into[target].append(number)
        return None

    def take_back(self, count: int) -> None:
        """Leave the first `count` edges."""
        while len(self.source) > count:
            self.out[self.source.pop()].pop()
            self.into[self.target.pop()].pop()
            self.literal.pop()

    def _ahead(self, start: int, limit: int) -> set[int]:
        """What start reaches, up to a position."""
        place, target, out = self.place, self.target, self.out
        found, waiting = {start}, [start]
        while waiting:
            for edge in out[waiting.pop()]:
                node = target[edge]
                if place[node] <= limit and node not in found:
                    found.add(node)
                    waiting.append(node)
        self.visited += len(found)
        return found

    def _behind(self, start: int, limit: int) -> set[int]:
        """What reaches start, down to a position."""
        place, source, into = self.place, self.source, self.into
        found, waiting = {start}, [start]
        while waiting:
            for edge in into[waiting.pop()]:
                node = source[edge]
                if place[node] >= limit and node not in found:
                    found.add(node)
                    waiting.append(node)
        self.visited += len(found)
        return found

    def _move(self, ahead: set[int], behind: set[int]) -> None:
        """Share the places of both anew: what leads to the source first, then what follows the target, each in its own order."""
        place = self.place
        nodes = sorted(behind, key=place.__getitem__) + sorted(ahead, key=place.__getitem__)
        places = sorted(place[node] for node in nodes)
        for node, free in zip(nodes, places):
            place[node] = free

    def path(self, start: int, end: int) -> list[int]:
        """Edges of a path that uses the fewest choices, and of those the shortest. Cost: linear in the nodes between the two ends."""
        place, limit = self.place, self.place[end]
        best = {start: (0, 0)}
        came: dict[int, int] = {}
        waiting = [(0, 0, start)]
        while waiting:
            choices, length, node = heappop(waiting)
            if node == end:
                break
            if best[node] < (choices, length):
                continue
            for edge in self.out[node]:
                following = self.target[edge]
                cost = (choices + (self.literal[edge] != SURE), length + 1)
                if place[following] <= limit and (following not in best or cost < best[following]):
                    best[following] = cost
                    came[following] = edge
                    heappush(waiting, (*cost, following))
        edges: list[int] = []
        while end != start:
            edges.append(came[end])
            end = self.source[edges[-1]]
        return edges[::-1]
