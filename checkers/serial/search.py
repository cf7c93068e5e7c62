"""Choices under clauses, with the order of events as a theory: clause learning from cycles.

Why it exists  what inference leaves open is a problem of satisfiability; each cycle that a choice closes is a clause that forbids it.
Right      every learned clause follows from cycles and given clauses (first unique implication point); so a contradiction without any
           decision proves that no choice has an order, and a complete assignment has one: the order that the graph is kept in.
Relies on  fixed order of decisions (most active first, then oldest) and no restarts: the same input takes the same steps. A choice is first
           tried the way that the present order agrees with.
Source     Marques-Silva & Sakallah 1999; Moskewicz et al. 2001 (watched literals, activity); Bayless et al., MonoSAT, AAAI 2015.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush

from checkers.serial.ordered import Ordered

DECAY = 1.05  # how much more a later conflict counts
HUGE = 1e100  # activities above are scaled down


class Cycle(list[int]):
    """A clause that a cycle proves: its literals; `edges`, those of the cycle, as (source, target, literal)."""

    edges: tuple[tuple[int, int, int], ...] = ()


def negated(literal: int) -> int:
    """The opposite of a literal: variable v has 2 v (it holds) and 2 v + 1 (it does not)."""
    return literal ^ 1


class Search:
    """Variables with edges, clauses, decisions. `conflicts` counts what was learned from."""

    def __init__(self, graph: Ordered, prefers: Callable[[int], bool]) -> None:
        """prefers: whether a variable should first be tried true, asked when it is decided."""
        self.graph, self._prefers = graph, prefers
        self.edges: list[list[tuple[int, int]]] = []  # by literal
        self.value: list[int] = []  # by variable: 1, 0, or -1 for open
        self._saved: list[int] = []
        self._level: list[int] = []
        self._reason: list[int] = []
        self._activity: list[float] = []
        self._weight = 1.0
        self._open: list[tuple[float, int]] = []
        self.clauses: list[list[int]] = []
        self.from_: list[tuple[int, ...]] = []  # by clause: those that it was learned from; () if it was given, or is a cycle's
        self._watches: list[list[int]] = []
        self._trail: list[int] = []
        self._marks: list[tuple[int, int]] = []  # by level: lengths of trail and graph before its decision
        self._next = 0
        self._base = len(graph.source)
        self.conflicts = 0
        self.failed: list[int] | None = None  # clauses that together contradict each other

    def variable(self, when_true: Sequence[tuple[int, int]] = (), when_false: Sequence[tuple[int, int]] = ()) -> int:
        """A new variable with the edges that it brings. Returns: its number."""
        number = len(self.value)
        self.edges += [list(when_true), list(when_false)]
        self.value.append(-1)
        self._saved.append(-1)
        self._level.append(0)
        self._reason.append(-1)
        self._activity.append(0.0)
        self._watches += [[], []]
        heappush(self._open, (0.0, number))
        return number

    def give(self, literals: Sequence[int]) -> None:
        """A clause that holds. All decisions are taken back first."""
        self._back_to(0)
        self._add(list(literals), ())

    def _add(self, literals: list[int], learned_from: tuple[int, ...]) -> int:
        number = len(self.clauses)
        self.clauses.append(literals)
        self.from_.append(learned_from)
        if len(literals) > 1:
            # Watched: two that are open, or the last to become false.
            literals.sort(key=self._watch_order)
            self._watches[literals[0]].append(number)
            self._watches[literals[1]].append(number)
        if all(self._is(literal, 0) for literal in literals):
            self._contradiction(number)
        elif self.value[literals[0] >> 1] < 0 and all(self._is(literal, 0) for literal in literals[1:]):
            self._assign(literals[0], number)
        return number

    def _watch_order(self, literal: int) -> tuple[int, int]:
        variable = literal >> 1
        return (-self._level[variable] if self._is(literal, 0) else -len(self._marks) - 1, literal)

    def _is(self, literal: int, value: int) -> bool:
        return self.value[literal >> 1] == value ^ (literal & 1) if self.value[literal >> 1] >= 0 else False

    def _assign(self, literal: int, reason: int) -> None:
        variable = literal >> 1
        self.value[variable] = 1 - (literal & 1)
        self._level[variable] = len(self._marks)
        self._reason[variable] = reason
        self._trail.append(literal)

    def run(self, budget: int | None) -> bool | None:
        """True: all variables are assigned, the graph is in order. False: `failed` says why not. None: the budget of conflicts is spent."""
        while self.failed is None:
            conflict = self._propagate()
            if conflict is not None:
                self.conflicts += 1
                if not self._marks:
                    self._contradiction(conflict)
                    break
                self._learn(conflict)
                if budget is not None and self.conflicts > budget:
                    return None
            elif not self._decide():
                return True
        return False

    def _decide(self) -> bool:
        while self._open:
            variable = heappop(self._open)[1]
            if self.value[variable] < 0:
                saved = self._saved[variable]
                positive = self._prefers(variable) if saved < 0 else bool(saved)
                self._marks.append((len(self._trail), len(self.graph.source)))
                self._assign(2 * variable + (not positive), -1)
                return True
        return False

    def _propagate(self) -> int | None:
        """Follow every assignment; the clause that it breaks, if any."""
        while self._next < len(self._trail):
            literal = self._trail[self._next]
            self._next += 1
            for source, target in self.edges[literal]:
                path = self.graph.add(source, target, literal)
                if path is not None:
                    return self._cycle(path, (source, target, literal))
            broken = self._follow(negated(literal))
            if broken is not None:
                return broken
        return None

    def _cycle(self, path: Sequence[int], closing: tuple[int, int, int]) -> int:
        graph = self.graph
        edges = (closing, *((graph.source[edge], graph.target[edge], graph.literal[edge]) for edge in path))
        clause = Cycle(sorted({negated(literal) for _, _, literal in edges if literal >= 0}))
        clause.edges = edges
        self.clauses.append(clause)
        self.from_.append(())
        return len(self.clauses) - 1

    def _follow(self, false: int) -> int | None:
        """Clauses that watch a literal which became false."""
        watching, kept = self._watches[false], []
        for at, number in enumerate(watching):
            clause = self.clauses[number]
            if clause[0] == false:
                clause[0], clause[1] = clause[1], clause[0]
            if self._is(clause[0], 1):
                kept.append(number)
                continue
            other = next((i for i in range(2, len(clause)) if not self._is(clause[i], 0)), None)
            if other is not None:
                clause[1], clause[other] = clause[other], clause[1]
                self._watches[clause[1]].append(number)
                continue
            kept.append(number)
            if self._is(clause[0], 0):
                self._watches[false] = kept + watching[at + 1 :]
                return number
            self._assign(clause[0], number)
        self._watches[false] = kept
        return None

    def _learn(self, conflict: int) -> None:
        """The clause of the first unique implication point; go back to where it decides something."""
        level, here = len(self._marks), 0
        seen: set[int] = set()
        learned: list[int] = []
        used: list[int] = []
        at, clause = len(self._trail), conflict
        while True:
            used.append(clause)
            for literal in self.clauses[clause]:
                variable = literal >> 1
                if variable in seen:
                    continue
                seen.add(variable)
                if self._level[variable] == level:
                    here += 1
                    self._bump(variable)
                elif self._level[variable]:
                    learned.append(literal)
                    self._bump(variable)
                else:
                    used.append(~variable)  # assigned for good: its reason counts, too
            while True:
                at -= 1
                if self._trail[at] >> 1 in seen and self._level[self._trail[at] >> 1] == level:
                    break
            here -= 1
            if not here:
                break
            clause = self._reason[self._trail[at] >> 1]
        self._weight *= DECAY
        point = negated(self._trail[at])
        back = max((self._level[literal >> 1] for literal in learned), default=0)
        self._back_to(back)
        self._add([point, *sorted(learned)], tuple(used))

    def _bump(self, variable: int) -> None:
        self._activity[variable] += self._weight
        if self._activity[variable] > HUGE:
            self._activity = [activity / HUGE for activity in self._activity]
            self._weight /= HUGE
            self._open = []
            for other, value in enumerate(self.value):
                if value < 0:
                    heappush(self._open, (-self._activity[other], other))

    def _back_to(self, level: int) -> None:
        if len(self._marks) <= level:
            return
        trail, edges = self._marks[level]
        for literal in self._trail[trail:]:
            variable = literal >> 1
            self._saved[variable] = self.value[variable]
            self.value[variable] = -1
            heappush(self._open, (-self._activity[variable], variable))
        del self._trail[trail:], self._marks[level:]
        self.graph.take_back(edges)
        self._next = trail

    def _contradiction(self, clause: int) -> None:
        """Gather the given clauses and cycles that the contradiction at level 0 rests on."""
        seen: set[int] = set()
        waiting, leaves = [clause], []
        for literal in self.clauses[clause]:
            waiting.append(~(literal >> 1))
        while waiting:
            item = waiting.pop()
            if item in seen:
                continue
            seen.add(item)
            if item < 0:
                reason = self._reason[~item]
                waiting.append(reason)
                waiting += [~(literal >> 1) for literal in self.clauses[reason] if literal >> 1 != ~item]
            elif self.from_[item]:
                waiting += self.from_[item]
            else:
                leaves.append(item)
        self.failed = sorted(leaves)
