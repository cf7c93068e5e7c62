"""Orders that must hold between operations: program order, who read from whom, and what follows, until nothing new follows.

Decides    whether the order that is forced has a cycle: then no order of the operations explains them.
Right      if r read what w wrote and another write w2 of that key comes before r, then w2 comes before w (else r had read w2, or later);
           if w2 comes after w, it comes after r. Each round adds these and looks again at what comes before what, until nothing is new.
           What comes before what is known from clocks: for each node and each chain (what one process completed) the last of the chain
           that comes before the node. So one round costs nodes x chains.
Unknown    no cycle proves nothing yet for sequential consistency: search.py goes on from the order found.
Source     Gibbons & Korach 1997 (forced orders); clocks as in Møldrup & Pavlogiannis 2025.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

from checkers.sequential.programs import Program, Sources

PROCESS, READS, BEFORE, AFTER = "process", "reads-from", "before", "after"


class Why(NamedTuple):
    """Why an edge holds: its rule; for what follows from a read the write that was read from, the read, and the round that found it."""

    rule: str
    write: int = -1
    read: int = -1
    round: int = 0


class Graph:
    """Nodes of a program in chains, edges with reasons, clocks."""

    def __init__(self, program: Program, sources: Sources, nodes: Iterable[int] | None = None) -> None:
        """nodes: those that take part (all by default); a chain is what a process completed of them, a crashed op one of its own."""
        self.program, self.sources = program, sources
        self.nodes = sorted(nodes) if nodes is not None else list(range(len(program.nodes)))
        self.chain: dict[int, int] = {}
        self.position: dict[int, int] = {}
        self.chains: list[list[int]] = []
        self.into: dict[int, dict[int, Why]] = {place: {} for place in self.nodes}
        self.clock: dict[int, list[int]] = {}
        self.round = 0
        of_process: dict[Any, int] = {}
        for place in self.nodes:
            node = program.nodes[place]
            chain = of_process.get(node.process)
            before = self._before(place)
            if node.op.crashed or chain is None:
                chain = len(self.chains)
                self.chains.append([])
                if not node.op.crashed:
                    of_process[node.process] = chain
            self.chain[place], self.position[place] = chain, len(self.chains[chain])
            self.chains[chain].append(place)
            if before >= 0:
                self.into[place][before] = Why(PROCESS)
        self.on_key: dict[tuple[Any, int], tuple[list[int], list[int]]] = {}  # (key, chain) -> positions of writes, writes

    def _before(self, place: int) -> int:
        before = self.program.nodes[place].after
        while before >= 0 and before not in self.position:
            before = self.program.nodes[before].after
        return before

    def set_writes(self, writes: Iterable[int]) -> None:
        """Which nodes certainly change their key: those that the rules speak of."""
        self.on_key = {}
        for place in sorted(writes):
            positions, places = self.on_key.setdefault((self.program.nodes[place].key, self.chain[place]), ([], []))
            positions.append(self.position[place])
            places.append(place)

    def read_from(self, reads: Iterable[int]) -> None:
        """An edge from the write that each of these reads saw; from a read of the initial value to the first writes of its key."""
        for read in reads:
            write = self.sources.source[read]
            if write >= 0:
                self.add(write, read, Why(READS))
                continue
            key = self.program.nodes[read].key
            for chain in range(len(self.chains)):
                for other in self.on_key.get((key, chain), ((), ()))[1]:
                    if other != read:
                        self.add(read, other, Why(AFTER, -1, read))
                        break

    def add(self, before: int, after: int, why: Why) -> bool:
        """True if the edge is new."""
        if before in self.into[after]:
            return False
        self.into[after][before] = why
        return True

    def close(self) -> list[int] | None:
        """Clocks of all nodes in an order that keeps the edges; else a shortest cycle, each node before the next."""
        out: dict[int, list[int]] = {place: [] for place in self.nodes}
        missing = {place: len(self.into[place]) for place in self.nodes}
        for place in self.nodes:
            for before in self.into[place]:
                out[before].append(place)
        ready = [place for place in self.nodes if not missing[place]]
        heapify(ready)
        self.clock = {}
        self.sorted: list[int] = []
        width = len(self.chains)
        while ready:
            place = heappop(ready)
            clock = [-1] * width
            for before in self.into[place]:
                other = self.clock[before]
                clock = list(map(max, clock, other))
                if clock[self.chain[before]] < self.position[before]:
                    clock[self.chain[before]] = self.position[before]
            self.clock[place] = clock
            self.sorted.append(place)
            for after in out[place]:
                missing[after] -= 1
                if not missing[after]:
                    heappush(ready, after)
        if len(self.sorted) == len(self.nodes):
            return None
        return self._cycle({place for place in self.nodes if missing[place]}, out)

    def _cycle(self, left: set[int], out: dict[int, list[int]]) -> list[int]:
        """A shortest cycle among the nodes left; of several the one with the earliest node."""
        best: list[int] = []
        for start in sorted(left)[:200]:
            parent = {start: -1}
            waiting = [start]
            found = -1
            while waiting and found < 0:
                following = []
                for place in waiting:
                    for after in out[place]:
                        if after == start:
                            found = place
                            break
                        if after in left and after not in parent:
                            parent[after] = place
                            following.append(after)
                    if found >= 0:
                        break
                waiting = following
            path = []
            while found >= 0:
                path.append(found)
                found = parent[found]
            if path and (not best or len(path) < len(best)):
                best = path[::-1]
            if len(best) == 2:
                break
        return best if best else self._any_cycle(left)

    def _any_cycle(self, left: set[int]) -> list[int]:
        place = min(left)
        seen: dict[int, int] = {}
        path: list[int] = []
        while place not in seen:
            seen[place] = len(path)
            path.append(place)
            place = min(before for before in self.into[place] if before in left)
        return path[seen[place] :][::-1]

    def precedes(self, before: int, after: int) -> bool:
        """Whether the edges lead from one node to the other; after `close`."""
        return self.clock[after][self.chain[before]] >= self.position[before]

    def derive(self, reads: Collection[int], *, later: bool) -> bool:
        """One round of the rules for these reads; True if an edge is new. later: also the rule on writes after w."""
        new = False
        self.round += 1
        for read in reads:
            write, key, clock = self.sources.source[read], self.program.nodes[read].key, self.clock[read]
            if write < 0:
                continue  # its edges were all made at the start
            for chain in range(len(self.chains)):
                there = self.on_key.get((key, chain))
                if there is None:
                    continue
                positions, places = there
                at = bisect_right(positions, clock[chain]) - 1
                while at >= 0 and places[at] == read:
                    at -= 1
                if at >= 0 and places[at] != write and not self.precedes(places[at], write):
                    new |= self.add(places[at], write, Why(BEFORE, write, read, self.round))
                if later:
                    new |= self._later(read, write, places)
        return new

    def _later(self, read: int, write: int, places: list[int]) -> bool:
        mine, position = self.chain[write], self.position[write]
        at = bisect_left(places, position, key=lambda place: self.clock[place][mine])
        while at < len(places) and places[at] in (read, write):
            at += 1
        if at < len(places) and not self.precedes(read, places[at]):
            return self.add(read, places[at], Why(AFTER, write, read, self.round))
        return False

    def saturate(self, reads: Collection[int], *, later: bool, rounds: int = 1 << 30) -> list[int] | None:
        """Rounds until nothing is new: None, or the cycle that closed."""
        while True:
            cycle = self.close()
            if cycle is not None or not rounds or not self.derive(reads, later=later):
                return cycle
            rounds -= 1

    def path(self, before: int, after: int, rounds: int) -> list[int]:
        """A shortest way from one node to another by edges that were found before this round; [] if there is none."""
        parent = {after: after}
        waiting = [after]
        while waiting and before not in parent:
            following = []
            for place in waiting:
                for other, why in self.into[place].items():
                    if why.round < rounds and other not in parent:
                        parent[other] = place
                        following.append(other)
            waiting = following
        if before not in parent:
            return []
        way = [before]
        while way[-1] != after:
            way.append(parent[way[-1]])
        return way

    def grounds(self, before: int, after: int) -> list[int]:
        """For an edge that follows from a read: the way that it rests on; [] for the others."""
        why = self.into[after][before]
        if why.rule == BEFORE:
            return self.path(before, why.read, why.round)
        if why.rule == AFTER and why.write >= 0:
            return self.path(why.write, after, why.round)
        return []

    def support(self, cycle: list[int]) -> set[int]:
        """All nodes that the edges of a cycle rest on."""
        nodes = set(cycle)
        waiting = list(zip(cycle, cycle[1:] + cycle[:1], strict=True))
        done = set(waiting)
        while waiting:
            before, after = waiting.pop()
            why = self.into[after][before]
            nodes.update(place for place in (before, after, why.write, why.read) if place >= 0)
            way = self.grounds(before, after)
            more = list(itertools.pairwise(way))
            if why.rule == BEFORE:
                more.append((after, why.read))
            if why.write >= 0 and why.rule == AFTER:
                more.append((why.write, before))
            for edge in more:
                if edge not in done and edge[0] in self.into[edge[1]]:
                    done.add(edge)
                    waiting.append(edge)
        return nodes
