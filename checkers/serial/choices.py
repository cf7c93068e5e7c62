"""What an order must choose, as variables: which of two chains comes first, which writer a read saw, which optional transactions committed.

Why it exists  choices are made only where an order was seen to go wrong: a history has millions of pairs, a search needs few.
Relies on      a read of writer w comes before every other writer that comes after w: the edge from the reader to such a writer is a
               variable of its own that two choices imply.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from checkers.serial.chains import Chain
from checkers.serial.events import Events
from checkers.serial.ordered import Ordered
from checkers.serial.problem import START, Read
from checkers.serial.search import Search, negated


class Before(NamedTuple):
    """Chain `first` comes before chain `second` (or after it, if it does not hold)."""

    first: int
    second: int


class Saw(NamedTuple):
    """The reader saw the writer's version of the key."""

    reader: int
    key: Hashable
    writer: int


class Committed(NamedTuple):
    """The optional transaction committed."""

    txn: int


class Overwritten(NamedTuple):
    """The reader's event comes before `writer` committed, since it saw what `writer` overwrote; follows from one or two other choices."""

    saw: Saw
    writer: int


Choice = Before | Saw | Committed | Overwritten


class Choices:
    """Choices and their variables, made when asked for."""

    def __init__(self, events: Events, graph: Ordered) -> None:
        self.events, self.graph = events, graph
        self.search = Search(graph, self._prefers)
        self.all: list[Choice] = []
        self.number: dict[Choice, int] = {}

    def _new(self, choice: Choice, when_true: list[tuple[int, int]], when_false: list[tuple[int, int]]) -> int:
        number = self.search.variable(when_true, when_false)
        self.all.append(choice)
        self.number[choice] = number
        return number

    def fate(self, txn: int) -> bool | None:
        """Whether an optional transaction committed; None if that is no choice yet."""
        number = self.number.get(Committed(txn))
        return None if number is None else self.search.value[number] == 1

    def before(self, a: Chain, b: Chain) -> int:
        """The literal of a before b."""
        first, second = (a, b) if a.number < b.number else (b, a)
        choice = Before(first.number, second.number)
        number = self.number.get(choice)
        if number is None:
            true = [edge[:2] for edge in self.events.between(first, second)]
            false = [edge[:2] for edge in self.events.between(second, first)]
            number = self._new(choice, true, false)
        return 2 * number + (first is not a)

    def committed(self, txn: int) -> int | None:
        """The literal of an optional transaction; None for one that committed for certain."""
        if txn not in self.events.problem.optional:
            return None
        number = self.number.get(Committed(txn))
        return 2 * (self._new(Committed(txn), [], []) if number is None else number)

    def read(self, read: Read) -> bool:
        """Have a read see one of its sources. False if it is there already."""
        if Saw(read.txn, read.key, read.sources[0]) in self.number:
            return False
        clause = []
        for writer in read.sources:
            events = self.events
            edges = [] if writer == START else [(events.commit[writer], events.start[read.txn])]
            literal = 2 * self._new(Saw(read.txn, read.key, writer), edges, [])
            clause.append(literal)
            committed = None if writer == START else self.committed(writer)
            if committed is not None:
                self.search.give([negated(literal), committed])
        needed = self.committed(read.txn)
        self.search.give(clause if needed is None else [negated(needed), *clause])
        return True

    def overwritten(self, saw: Saw, writer: int) -> bool:
        """Have the reader come before `writer`, if it saw `saw.writer` and that comes before `writer`. False if it is there already."""
        choice = Overwritten(saw, writer)
        if choice in self.number:
            return False
        implied = 2 * self._new(choice, [(self.events.start[saw.reader], self.events.commit[writer])], [])
        self.search.give([*map(negated, self.causes(choice)), implied])
        return True

    def needs(self, choice: Overwritten) -> Before | None:
        """The order of chains that it rests on beside what the reader saw; None if the writer surely follows."""
        saw, chains = choice.saw, self.events.chains
        if saw.writer == START:
            return None
        mine, other = chains.of[saw.key, saw.writer].number, chains.of[saw.key, choice.writer].number
        return None if mine == other else Before(min(mine, other), max(mine, other))

    def causes(self, choice: Overwritten) -> list[int]:
        """Literals that imply it."""
        saw, chains = choice.saw, self.events.chains
        causes = [2 * self.number[saw]]
        if self.needs(choice) is not None:
            causes.append(self.before(chains.of[saw.key, saw.writer], chains.of[saw.key, choice.writer]))
        return causes

    def grounds(self, literal: int) -> list[int]:
        """The literal itself, or those that imply it."""
        choice = self.all[literal >> 1]
        return self.causes(choice) if isinstance(choice, Overwritten) else [literal]

    def _prefers(self, variable: int) -> bool:
        """The way that moves the present order less."""
        choice, place = self.all[variable], self.graph.place
        if isinstance(choice, Saw):
            return self._nearest(choice)
        if not isinstance(choice, Before):
            return False
        moved = [max(place[a] - place[b] for a, b in self.search.edges[2 * variable + side]) for side in (0, 1)]
        return moved[0] <= moved[1]

    def _nearest(self, choice: Saw) -> bool:
        """Whether the writer is the last before the reader, of those that it may have seen."""
        events, place = self.events, self.graph.place
        read = next(read for read in events.problem.reads[choice.reader] if read.key == choice.key)
        here = place[events.start[choice.reader]]
        before = [(place[events.commit[w]], w) for w in read.sources if w != START and place[events.commit[w]] < here]
        return choice.writer == (max(before)[1] if before else read.sources[0])
