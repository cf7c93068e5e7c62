"""Snapshot models where nobody read who appended first: an order of these appends that keeps the model, or an honest "not known".

Why it exists  two appends to a key that nobody read came in some order, and under snapshot isolation their transactions were not at work at
               once. Most models keep any order that fits their other edges; those that allow rw edges side by side in a cycle may be
               broken by each of the two.
Relies on      such transactions being in one component: those of two are ordered as their components are, which closes no cycle.

Right  (ww ∪ wr ∪ order) ; rw? has no cycle exactly if starts and commits have an order (checkers/serial/events.py). A model is said to hold
       only if an order of these events was found that has every two such transactions one after the other. Where none is found, nothing is
       said of the model, and of consistent view, which it implies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import combinations, pairwise
from typing import NamedTuple

from checkers.list_append.versions import Versions
from checkers.models import implied
from checkers.transactions.edges import RW
from checkers.transactions.txns import NEVER, Txn
from harness.op import OK

# Strongest first: which order between transactions counts beside their dependencies.
SNAPSHOTS = {"strong-snapshot-isolation": "realtime", "strong-session-snapshot-isolation": "process", "snapshot-isolation": ""}
FAMILY = frozenset({*SNAPSHOTS, "consistent-view"})
WORK = 20_000_000  # edges that may be walked to find which order of two appends is forced

Following = Mapping[int, Sequence[tuple[int, int]]]


class Unsettled(NamedTuple):
    """Models of which nothing can be said, and two transactions whose order they hang on."""

    models: frozenset[str]
    first: Txn
    second: Txn

    @property
    def reason(self) -> str:
        """Why, in a sentence."""
        ops = f"#{self.first.call} and #{self.second.call}"
        return f"{ops} appended to one key, where nobody read which came first, and with rw edges each order may close a forbidden cycle"


def ties(versions: Versions) -> list[list[int]]:
    """Per key the committed transactions whose appends there nobody read, where they are several."""
    same = [sorted({txn.number for txn, _ in versions.unread(key)}) for key in versions.keys.values()]
    return [numbers for numbers in same if len(numbers) > 1]


def unsettled(
    txns: Sequence[Txn], groups: Sequence[Sequence[int]], following: Following, ties: Iterable[Sequence[int]], violated: frozenset[str]
) -> Unsettled | None:
    """Which models nobody has shown to hold or not.

    Args:    groups: components by number; following: dependencies in them; ties: per key the transactions, ascending, that committed
             appends there which nobody read; violated: models that are ruled out anyway.
    """
    component = {number: place for place, members in enumerate(groups) for number in members}
    tied: dict[int, list[list[int]]] = {}
    for tie in ties:
        inside: dict[int, list[int]] = {}
        for number in tie:
            if number in component:
                inside.setdefault(component[number], []).append(number)
        for place, numbers in inside.items():
            if len(numbers) > 1:
                tied.setdefault(place, []).append(numbers)
    if not tied:
        return None
    for model, order in SNAPSHOTS.items():
        if model in violated:
            continue
        stuck = [place for place, same in sorted(tied.items()) if not _Events(txns, groups[place], following, order).serves(same)]
        if not stuck:
            return _rest(txns, FAMILY - violated - implied([model]), min(tied.items())[1])
    return _rest(txns, FAMILY - violated, min(tied.items())[1])


def _rest(txns: Sequence[Txn], models: frozenset[str], ties: Sequence[Sequence[int]]) -> Unsettled | None:
    return Unsettled(models, txns[ties[0][0]], txns[ties[0][1]]) if models else None


class _Events:
    """Starts (2 i) and commits (2 i + 1) of a component's transactions, and what certainly comes before what."""

    def __init__(self, txns: Sequence[Txn], members: Sequence[int], following: Following, order: str) -> None:
        self.at = {number: i for i, number in enumerate(members)}
        self.out: list[list[int]] = [[event + 1] if event % 2 == 0 else [] for event in range(2 * len(members))]
        self.early = [2 * txns[number].call + commits for number in members for commits in (0, 1)]
        for number in members:
            source = 2 * self.at[number]
            for target, kind in following.get(number, ()):
                if target in self.at and kind == RW:
                    self.out[source].append(2 * self.at[target] + 1)
                elif target in self.at:
                    self.out[source + 1].append(2 * self.at[target])
        if order:
            self._in_time([txns[number] for number in members], by_process=order == "process")

    def _in_time(self, txns: Sequence[Txn], *, by_process: bool) -> None:
        """A chain of helpers, or one for each process: who completed comes before who is invoked later."""
        events = [(txn.call, True, txn) for txn in txns]
        events += [(txn.ret, False, txn) for txn in txns if txn.outcome == OK and txn.ret != NEVER]
        newest: dict[int, int] = {}
        for _, begins, txn in sorted(events, key=lambda event: event[0]):
            line, place = txn.process if by_process else 0, 2 * self.at[txn.number]
            if begins and line in newest:
                self.out[newest[line]].append(place)
            elif not begins:
                helper = len(self.out)
                self.out.append([])
                self.early.append(-1)
                self.out[place + 1].append(helper)
                if line in newest:
                    self.out[newest[line]].append(helper)
                newest[line] = helper

    def serves(self, ties: Sequence[Sequence[int]]) -> bool:
        """Whether an order was found that has all of a tie one after the other; False says nothing."""
        same = [[self.at[number] for number in tie] for tie in ties]
        return self._fits(same) or (self._force(same) and self._fits(same))

    def _fits(self, ties: Sequence[Sequence[int]]) -> bool:
        """In the order in which they commit, given what is certain."""
        place = self._order(self.out)
        if place is None:
            return False
        out = [list(targets) for targets in self.out]
        for tie in ties:
            for first, second in pairwise(sorted(tie, key=lambda one: place[2 * one + 1])):
                out[2 * first + 1].append(2 * second)
        return self._order(out) is not None

    def _force(self, ties: Sequence[Sequence[int]]) -> bool:
        """Add the order of each two that only one order is left for. False if none is, or it takes too long."""
        pairs = sorted({pair for tie in ties for pair in combinations(sorted(tie), 2)})
        edges = sum(map(len, self.out))
        changed, work = True, 0
        while changed:
            changed = False
            for pair in list(pairs):
                work += 2 * edges
                if work > WORK:
                    return False
                ways = [(a, b) for a, b in (pair, pair[::-1]) if not self._reaches(2 * b, 2 * a + 1)]
                if not ways:
                    return False
                if len(ways) == 1:
                    self.out[2 * ways[0][0] + 1].append(2 * ways[0][1])
                    pairs.remove(pair)
                    changed = True
        return True

    def _reaches(self, start: int, goal: int) -> bool:
        seen, waiting = {start}, [start]
        while waiting:
            for event in self.out[waiting.pop()]:
                if event == goal:
                    return True
                if event not in seen:
                    seen.add(event)
                    waiting.append(event)
        return False

    def _order(self, out: Sequence[Sequence[int]]) -> list[int] | None:
        """Place of each event, invoked first come first where nothing else counts; None if there is a cycle."""
        before = [0] * len(out)
        for targets in out:
            for event in targets:
                before[event] += 1
        ready = [(self.early[event], event) for event, count in enumerate(before) if not count]
        heapify(ready)
        place, count = [0] * len(out), 0
        while ready:
            _, event = heappop(ready)
            place[event] = count
            count += 1
            for target in out[event]:
                before[target] -= 1
                if not before[target]:
                    heappush(ready, (self.early[target], target))
        return place if count == len(out) else None
