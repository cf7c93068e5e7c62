"""Search: is there one order of all operations that keeps each process's order and explains every answer? Complete, within a budget.

Decides    sequential consistency of registers (read, write, cas, refused cas, string append), all keys together.
Right      a state is how far each process is, which crashed ops have acted, and what the keys hold: what can follow depends on nothing
           else, so no state is looked at twice. What is left out loses nothing:
           - a read (or refused cas) that is next in its process and fits acts at once: it changes nothing, and whatever could follow
             still can;
           - a value that somebody has yet to ask for is not overwritten if nobody is left to write it again;
           - where the order that is forced (graph.py) says that all other writes of a key come later, and nobody is left to ask for the
             value that is there, a write acts at once: what would have come before it touches other keys only;
           - nothing acts before what the forced order puts before it;
           - a crashed op acts only right before an op that asks for what it leaves; of equal ones the first; and a state reached with fewer
             crashed ops used than before is the better one.
Unknown    more states than the budget.
Source     Gibbons & Korach, Testing shared memories, SIAM J. Comput. 1997 (the problem is NP-complete); the reasons above are ours.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from checkers.linearizable.operations import APPEND, CAS, NOT, READ
from checkers.linearizable.search import OutOfBudget, step
from checkers.sequential.graph import Graph
from checkers.sequential.programs import Program

State = tuple[tuple[int, ...], int, tuple[Any, ...]]  # position in each line, mask of crashed ops used, what the keys hold


def has_order(program: Program, graph: Graph | None, budget: int) -> bool:
    """Whether there is an order. graph: the forced order, closed, if it is known. Raises OutOfBudget."""
    searching = _Search(program, graph)
    start: State = (tuple(0 for _ in searching.lines), 0, tuple(program.initial for _ in searching.keys))
    seen: dict[tuple[Any, ...], list[int]] = {}
    stack = [start]
    while stack:
        state = searching.advance(stack.pop())
        if searching.over(state):
            return True
        lines, used, held = state
        masks = seen.setdefault((lines, held), [])
        if any(not mask & ~used for mask in masks):
            continue
        masks.append(used)
        budget -= 1
        if budget < 0:
            raise OutOfBudget
        stack += reversed(searching.following(state))
    return False


class _Search:
    """Lines (what each process completed, in order), crashed ops, keys; and what can act in a state."""

    def __init__(self, program: Program, graph: Graph | None) -> None:
        self.nodes, self.graph = program.nodes, graph
        keys = dict.fromkeys(node.key for node in self.nodes)
        self.keys = {key: at for at, key in enumerate(keys)}
        self.lines: list[list[int]] = []
        self.crashed = [place for place, node in enumerate(self.nodes) if node.op.crashed]
        self.bit = {place: 1 << at for at, place in enumerate(self.crashed)}
        line_of: dict[Any, int] = {}
        self.place: dict[int, tuple[int, int]] = {}  # node -> line, position in it
        for place, node in enumerate(self.nodes):
            if node.op.crashed:
                continue
            line = line_of.setdefault(node.process, len(self.lines))
            if line == len(self.lines):
                self.lines.append([])
            self.place[place] = line, len(self.lines[line])
            self.lines[line].append(place)
        self._count()
        self.forced = {} if graph is None else {place: self._needs(place, graph) for place in range(len(self.nodes))}

    def _count(self) -> None:
        """Where in each line somebody asks for a value, writes it, or changes a key at all."""
        self.asks: dict[tuple[Any, Any], dict[int, list[int]]] = {}
        self.makes: dict[tuple[Any, Any], dict[int, list[int]]] = {}
        self.may_make: dict[tuple[Any, Any], int] = {}
        self.changes: dict[Any, dict[int, list[int]]] = {}
        self.strings = {node.key for node in self.nodes if node.op.f == APPEND}
        self.refused = {node.key for node in self.nodes if node.op.f == NOT}
        for place, node in enumerate(self.nodes):
            if node.op.crashed:
                if node.writes:
                    value = (node.key, node.op.written)
                    self.may_make[value] = self.may_make.get(value, 0) | self.bit[place]
                continue
            line, position = self.place[place]
            if node.reads:
                self.asks.setdefault((node.key, node.op.a), {}).setdefault(line, []).append(position)
            if node.writes:
                self.makes.setdefault((node.key, node.op.written), {}).setdefault(line, []).append(position)
            if node.op.f not in (READ, NOT):
                self.changes.setdefault(node.key, {}).setdefault(line, []).append(position)

    def _needs(self, place: int, graph: Graph) -> list[tuple[int, int]]:
        """(line, how far it must be, or -1 and a mask of crashed ops) before the node may act, beyond its own line."""
        needs = []
        for before, why in graph.into[place].items():
            if before in self.bit:
                needs.append((-1, self.bit[before]))
            elif why.rule != "process" or self.nodes[place].op.crashed:
                line, position = self.place[before]
                needs.append((line, position + 1))
        return needs

    def over(self, state: State) -> bool:
        return all(at == len(line) for at, line in zip(state[0], self.lines, strict=True))

    def advance(self, state: State) -> State:
        """Let act what may act at once."""
        lines, used, held = list(state[0]), state[1], list(state[2])
        moved = True
        while moved:
            moved = False
            for line, ops in enumerate(self.lines):
                while lines[line] < len(ops) and self._at_once(ops[lines[line]], line, lines, used, held):
                    node = self.nodes[ops[lines[line]]]
                    held[self.keys[node.key]] = step(held[self.keys[node.key]], node.op)[1]
                    lines[line] += 1
                    moved = True
        return tuple(lines), used, tuple(held)

    def _at_once(self, place: int, line: int, lines: list[int], used: int, held: list[Any]) -> bool:
        node = self.nodes[place]
        legal, _after = step(held[self.keys[node.key]], node.op)
        if not legal or not self._allowed(place, lines, used):
            return False
        if node.op.f in (READ, NOT) or (node.op.f == CAS and node.op.a == node.op.b):
            return True
        return self._safe(place, line, lines, used, held)

    def _allowed(self, place: int, lines: list[int] | tuple[int, ...], used: int) -> bool:
        return all((used & far) if line < 0 else lines[line] >= far for line, far in self.forced.get(place, ()))

    def _safe(self, place: int, line: int, lines: list[int], used: int, held: list[Any]) -> bool:
        """Whether all other writes of the key come later by force, and nobody is left to ask for what is there."""
        graph, key = self.graph, self.nodes[place].key
        if graph is None or key in self.strings or key in self.refused:
            return False
        if self._left(self.asks, (key, held[self.keys[key]]), lines, place):
            return False
        for other, positions in self.changes[key].items():
            at = bisect_left(positions, lines[other])
            if at < len(positions) and other != line and not graph.precedes(place, self.lines[other][positions[at]]):
                return False
        return all(
            used & bit or other == place or self.nodes[other].key != key or graph.precedes(place, other) for other, bit in self.bit.items()
        )

    def _left(self, table: dict[tuple[Any, Any], dict[int, list[int]]], value: tuple[Any, Any], lines: list[int], but: int = -1) -> bool:
        """Whether somebody has yet to ask for (or make) a value."""
        for line, positions in table.get(value, {}).items():
            at = bisect_left(positions, lines[line])
            while at < len(positions) and self.lines[line][positions[at]] == but:
                at += 1
            if at < len(positions):
                return True
        return False

    def following(self, state: State) -> list[State]:
        """States after one more write, cas or append: first those that an op that is next waits for, then what was invoked first."""
        lines, used, held = list(state[0]), state[1], state[2]
        fronts = [ops[at] for at, ops in zip(lines, self.lines, strict=True) if at < len(ops)]
        found: list[tuple[int, State]] = []
        wanted = {(self.nodes[place].key, self.nodes[place].op.a) for place in fronts if self.nodes[place].op.f in (READ, CAS)}
        for place in fronts:
            node = self.nodes[place]
            key = self.keys[node.key]
            legal, after = step(held[key], node.op)
            if not legal or node.op.f in (READ, NOT) or not self._allowed(place, lines, used):
                continue
            line = self.place[place][0]
            lines[line] += 1
            if not self._lost(node.key, held[key], after, lines, used):
                rank = place if (node.key, after) in wanted else place + len(self.nodes)
                found.append((rank, (tuple(lines), used, (*held[:key], after, *held[key + 1 :]))))
            lines[line] -= 1
        found += self._crashed(lines, used, held, fronts)
        return [state for _, state in sorted(found, key=lambda pair: pair[0])]

    def _crashed(self, lines: list[int], used: int, held: tuple[Any, ...], fronts: list[int]) -> list[tuple[int, State]]:
        found: list[tuple[int, State]] = []
        tried: set[tuple[Any, ...]] = set()
        for place in self.crashed:
            node = self.nodes[place]
            kind = (node.key, node.op.f, node.op.a, node.op.b)
            if used & self.bit[place] or kind in tried or not self._called(node.after, lines) or not self._allowed(place, lines, used):
                continue
            key = self.keys[node.key]
            legal, after = step(held[key], node.op)
            if not legal or after == held[key] or not self._asked(node.key, after, fronts, used):
                continue
            tried.add(kind)
            using = used | self.bit[place]
            if not self._lost(node.key, held[key], after, lines, using):
                found.append((place, (tuple(lines), using, (*held[:key], after, *held[key + 1 :]))))
        return found

    def _called(self, after: int, lines: list[int]) -> bool:
        if after < 0:
            return True
        line, position = self.place[after]
        return lines[line] > position

    def _asked(self, key: Any, value: Any, fronts: list[int], used: int) -> bool:
        """Whether an op that may be next looks at the value."""
        if key in self.strings:
            return True
        near = [*fronts, *(place for place in self.crashed if not used & self.bit[place])]
        return any(
            node.key == key and ((node.op.f in (READ, CAS) and node.op.a == value) or (node.op.f == NOT and node.op.a != value))
            for node in (self.nodes[place] for place in near)
        )

    def _lost(self, key: Any, before: Any, after: Any, lines: list[int], used: int) -> bool:
        """Whether somebody asks later for the value that is overwritten, and nobody can write it again."""
        if key in self.strings or before == after or not self._left(self.asks, (key, before), lines):
            return False
        return not (self._left(self.makes, (key, before), lines) or self.may_make.get((key, before), 0) & ~used)
