"""A strongly connected component as a small graph, and the search for shortest paths through it under an automaton.

Why it exists  each type of cycle is a rule on the kinds of its edges in order; a rule is a small automaton, and the shortest cycle that
               obeys it is a shortest path in the product of graph and automaton: O(V + E) a start, no enumeration, no clock.
Relies on      breadth first in fixed order (vertices by number): the same history gives the same witness.

Process edges join an acknowledged transaction with all later ones of its process; they are walked by position, so that a process costs
what its transactions are, not their pairs. Real time is never walked: in a cycle with several real-time steps, two of them, a -> b and
c -> d, give a -> d or c -> b as well (the interval order of calls), hence a shorter cycle with one of them less. One real-time step closes
each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from checkers.transactions.edges import PROCESS, RW, WR, WW
from checkers.transactions.txns import Txn
from harness.op import OK

Table = tuple[tuple[int, int, int, int], ...]  # state -> next state by kind ww, wr, rw, process; -1: not allowed
Path = list[tuple[int, int, int]]  # (from, kind, to)

APPENDS: Table = ((0, -1, -1, -1),)
READS: Table = ((0, 0, -1, -1),)
ANY: Table = ((0, 0, 0, -1),)


def with_process(table: Table) -> Table:
    """The same rule where a process edge is allowed wherever ww is."""
    return tuple((ww, wr, rw, ww) for ww, wr, rw, _ in table)


class Automaton(NamedTuple):
    """A rule on the kinds of edges along a path: transitions, first state, and the states in which the path obeys it."""

    table: Table
    start: int
    good: frozenset[int]


class Region:
    """A component's transactions by position in `members`, with their dependencies to each other."""

    def __init__(
        self, txns: Sequence[Txn], members: Sequence[int], following: Mapping[int, Sequence[tuple[int, int]]], rank: Sequence[int]
    ) -> None:
        self.members = members
        at = {number: i for i, number in enumerate(members)}
        self.following = [[(at[target], kind) for target, kind in following.get(number, ()) if target in at] for number in members]
        self.process = [txns[number].process for number in members]
        self.call = [txns[number].call for number in members]
        self.ret = [txns[number].ret for number in members]
        self.certain = [txns[number].outcome == OK for number in members]
        self.rank = [rank[number] for number in members]
        self.lines: dict[int, list[int]] = {}
        self.place = [0] * len(members)
        for vertex in sorted(range(len(members)), key=self.call.__getitem__):
            line = self.lines.setdefault(self.process[vertex], [])
            self.place[vertex] = len(line)
            line.append(vertex)

    def __len__(self) -> int:
        return len(self.members)

    def adjacency(self, kinds: frozenset[int]) -> list[list[int]]:
        """Plain lists of followers over these kinds; a process's transactions one after the other, but nothing
        after one whose outcome is unknown: it may act later."""
        lists = [[target for target, kind in edges if kind in kinds] for edges in self.following]
        if PROCESS in kinds:
            for line in self.lines.values():
                last = -1
                for vertex in line:
                    if last >= 0:
                        lists[last].append(vertex)
                    if self.certain[vertex]:
                        last = vertex
        return lists

    def rw_into(self) -> dict[int, list[int]]:
        """Vertex -> those from which an rw edge leads to it, both ascending."""
        into: dict[int, list[int]] = {}
        for vertex, edges in enumerate(self.following):
            for target, kind in edges:
                if kind == RW:
                    into.setdefault(target, []).append(vertex)
        return dict(sorted(into.items()))

    def closes(self, first: int, last: int) -> bool:
        """Real time leads from `last` to `first`, and not merely the process's order."""
        return self.ret[last] < self.call[first] and self.process[last] != self.process[first]

    def shortest(
        self,
        automaton: Automaton,
        start: int,
        accept: Callable[[int], bool],
        limit: int,
        floor: int = 0,
        rank: Sequence[int] | None = None,
        low: int = 0,
    ) -> Path | None:
        """A shortest simple path from `start` that obeys the rule and ends where `accept` says, of at most `limit` edges.

        Args: floor: only vertices from this number on; rank, low: only vertices whose rank is at least low.
        A shortest path that meets a vertex twice is passed over; the search goes on with longer ones.
        """
        table, states = automaton.table, len(automaton.table)
        good, lines, place, process = automaton.good, self.lines, self.place, self.process
        parent: dict[int, tuple[int, int]] = {start * states + automaton.start: (-1, 0)}
        walked: set[tuple[int, int]] = set()
        frontier = [start * states + automaton.start]
        depth = 0
        while frontier and depth < limit:
            depth += 1
            reached: list[int] = []
            for node in frontier:
                vertex, state = divmod(node, states)
                row = table[state]
                edges = self.following[vertex]
                if row[PROCESS] >= 0 and self.certain[vertex]:
                    edges = edges + self._later(lines[process[vertex]], place[vertex], row[PROCESS], walked)
                for target, kind in edges:
                    to = row[kind]
                    if to < 0 or target < floor or (rank is not None and rank[target] < low):
                        continue
                    following = target * states + to
                    if to in good and accept(target):
                        path = self._path(parent, node, states)
                        path.append((vertex, kind, target))
                        if _simple(path):
                            return path
                    if following not in parent:
                        parent[following] = (node, kind)
                        reached.append(following)
            frontier = reached
        return None

    def _later(self, line: list[int], at: int, state: int, walked: set[tuple[int, int]]) -> list[tuple[int, int]]:
        """Process edges from a transaction, up to the first one whose own later ones were all walked to in this state."""
        later = []
        for vertex in line[at + 1 :]:
            if (vertex, state) in walked:
                break
            walked.add((vertex, state))
            later.append((vertex, PROCESS))
        return later

    def _path(self, parent: dict[int, tuple[int, int]], node: int, states: int) -> Path:
        path: Path = []
        while True:
            before, kind = parent[node]
            if before < 0:
                return path[::-1]
            path.append((before // states, kind, node // states))
            node = before


def _simple(path: Path) -> bool:
    """No vertex twice, but the last may be the first."""
    return len({source for source, _, _ in path}) == len(path) and path[-1][2] not in {source for source, _, _ in path[1:]}


assert (WW, WR, RW, PROCESS) == (0, 1, 2, 3), "tables are written in this order of kinds"
