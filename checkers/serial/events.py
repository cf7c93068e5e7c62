"""The graph of events that every order must respect: nodes for transactions, edges for what is certain.

Why it exists  serializable and snapshot isolation are one question here: does a graph with some choices have an order? Under
               serializability a transaction is one event. Under snapshot isolation it starts and commits: what it read or overwrote was
               committed before its start; what overwrote its reads was committed after its start.
Right          (order ∪ wr ∪ ww) ; rw? has no cycle exactly if these starts and commits have an order: a cycle of events leaves a start
               by at most one rw, which ends at a commit, where only another kind goes on.
Relies on      helper nodes: one for each pause between completions and invocations (real time, O(n) edges), one for all readers of a
               version. A walk through a helper is one edge of the story.
Source         Viper, EuroSys 2023 (BC-polygraphs); Cerone & Gotsman 2018.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from checkers.serial.chains import Chain, Chains
from checkers.serial.problem import START
from checkers.transactions.edges import PROCESS, REALTIME, RW, WR, WW
from harness.op import OK

FIRST = len((WW, WR, RW, PROCESS, REALTIME))  # the file's first transaction precedes all
INSIDE = FIRST + 1  # from a transaction's start to its commit
HELPER = -1


class Why(NamedTuple):
    """What proves an edge. key: of ww, wr, rw; source: the version that an rw's reader saw (START, or its writer)."""

    kind: int
    key: Hashable = None
    source: int = START


class Order(NamedTuple):
    """What is known beside reads and writes. sessions, real_time: those orders count; first: a transaction before all others, or None;
    lag: how many positions after its completion a transaction is sure to come before those that begin."""

    sessions: bool = False
    real_time: bool = False
    first: int | None = None
    lag: int = 0


class Events:
    """Nodes and certain edges. start, commit: node of each taken transaction; txn: transaction of each node, or HELPER.

    source, target, why   edges by number
    pairs                 chain number -> node that stands for all sure readers of its last version, if there are any
    """

    def __init__(self, chains: Chains, order: Order, *, snapshots: bool) -> None:
        self.chains, self.problem = chains, chains.problem
        taken = self.problem.taken
        step = 2 if snapshots else 1
        self.start = {number: step * i for i, number in enumerate(taken)}
        self.commit = {number: node + step - 1 for number, node in self.start.items()}
        self.txn = [number for number in taken for _ in range(step)]
        self.source: list[int] = []
        self.target: list[int] = []
        self.why: list[Why] = []
        self.readers: dict[int, int] = {}
        if snapshots:
            for number in taken:
                self._edge(self.start[number], self.commit[number], Why(INSIDE))
        self._order(order)
        self._reads()
        for key, of_key in chains.by_key.items():
            self._chains(key, of_key)

    def helper(self) -> int:
        """A node that is no transaction's."""
        self.txn.append(HELPER)
        return len(self.txn) - 1

    def _edge(self, source: int, target: int, why: Why) -> None:
        self.source.append(source)
        self.target.append(target)
        self.why.append(why)

    def _order(self, order: Order) -> None:
        txns, taken = self.problem.txns, self.problem.taken
        if order.first is not None and order.first in self.start and txns[order.first].outcome == OK:
            for number in taken:
                if number != order.first:
                    self._edge(self.commit[order.first], self.start[number], Why(FIRST))
        if order.sessions:
            before: dict[int, int] = {}
            for number in taken:  # by invocation, as read_register_txns numbers them
                process = txns[number].process
                if process in before:
                    self._edge(self.commit[before[process]], self.start[number], Why(PROCESS))
                if txns[number].outcome == OK:
                    before[process] = number
        if order.real_time:
            self._real_time(order.lag)

    def _real_time(self, lag: int) -> None:
        """A chain of helpers: one for each batch of completions that no invocation interrupts."""
        txns = self.problem.txns
        moments = [(txns[n].call, n, True) for n in self.problem.taken]
        moments += [(txns[n].ret + lag, n, False) for n in self.problem.taken if txns[n].outcome == OK]
        batch: list[int] = []
        newest, why = HELPER, Why(REALTIME)
        for _, number, begins in sorted(moments):
            if not begins:
                batch.append(number)
                continue
            if batch:
                node = self.helper()
                if newest != HELPER:
                    self._edge(newest, node, why)
                for done in batch:
                    self._edge(self.commit[done], node, why)
                newest, batch = node, []
            if newest != HELPER:
                self._edge(newest, self.start[number], why)

    def _reads(self) -> None:
        """Sure reads: wr, and rw to the version that surely comes next."""
        start, commit = self.start, self.commit
        for (key, source), readers in self.chains.seen_by.items():
            following = self.chains.after.get((key, source))
            if source != START:
                self._edges([commit[source]] * len(readers), [start[reader] for reader in readers], Why(WR, key))
            if following is not None:
                self._edges([start[reader] for reader in readers], [commit[following]] * len(readers), Why(RW, key, source))
        for (key, source), update in self.chains.after.items():
            if source != START:
                self._edge(commit[source], start[update], Why(WR, key))

    def _edges(self, sources: list[int], targets: list[int], why: Why) -> None:
        self.source += sources
        self.target += targets
        self.why += [why] * len(sources)

    def _chains(self, key: Hashable, chains: Sequence[Chain]) -> None:
        """Nodes for the readers of last versions, where a chain may follow; the beginning, and what grew from it, come first."""
        if len(chains) > 1:
            for chain in chains:
                if chain.readers:
                    self.readers[chain.number] = self._gather(key, chain.last, chain.readers)
            if chains[0].initial:
                for chain in chains[1:]:
                    for edge in self.between(chains[0], chain):
                        self._edge(*edge)
        blind = self.chains.seen_by.get((key, START), ())
        if blind and not chains[0].initial:
            node = self._gather(key, START, blind)
            for chain in chains:
                self._edge(node, self.commit[chain.head], Why(RW, key, START))

    def _gather(self, key: Hashable, source: int, readers: Sequence[int]) -> int:
        if len(readers) == 1:
            return self.start[readers[0]]
        node = self.helper()
        for reader in readers:
            self._edge(self.start[reader], node, Why(RW, key, source))
        return node

    def between(self, first: Chain, second: Chain) -> list[tuple[int, int, Why]]:
        """The edges that hold if `first` comes before `second`."""
        edges = [(self.commit[first.last], self.start[second.head], Why(WW, first.key))]
        if first.number in self.readers:
            edges.append((self.readers[first.number], self.commit[second.head], Why(RW, first.key, first.last)))
        return edges
