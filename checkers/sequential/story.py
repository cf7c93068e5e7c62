"""The story of a violation: each step of the order that is forced, with its reason, up to the circle that it closes.

Why it exists  "not sequentially consistent" is no explanation; that this read had to come before that write, and why, is.
Relies on      the edges' own reasons (graph.py), worked out again on the smallest part alone.
"""

from __future__ import annotations

import itertools

from checkers.linearizable.operations import show
from checkers.sequential.graph import AFTER, BEFORE, PROCESS, READS, Graph
from checkers.sequential.programs import Program, Sources
from checkers.sequential.shrink import SEQUENTIAL, forced_order
from checkers.sequential.views import CAUSAL, CONVERGENT, PRAM, broken

TOLD = 14
MEANING = {
    SEQUENTIAL: "no order of all operations keeps each process's order and explains every answer",
    CAUSAL: "no view of the writes that keeps what caused what explains what {who} read",
    PRAM: "no view of the writes that keeps each process's order explains what {who} read",
    CONVERGENT: "no one order of the writes agrees with what caused what and explains what was read",
}


def tell(program: Program, model: str) -> str:
    """The sentence for a smallest part."""
    sources = Sources(program)
    if sources.unwritten:
        node = program.nodes[sources.unwritten[0]]
        return f"{node.text()}, but nobody ever wrote {show(node.op.a)} (or only a write that certainly failed)."
    who = ""
    if model == SEQUENTIAL:
        graph, cycle = forced_order(program, sources)
    else:
        found = broken(program, sources, model)
        assert found is not None, "the smallest part of a history that breaks a model breaks it"
        graph, cycle = found.graph, found.cycle
        who = f"process {found.process}" if found.process is not None else "anybody"
    head = MEANING[model].format(who=who)
    if cycle is None:
        told = [node.text() for node in program.nodes]
        if len(told) > TOLD:
            told = [*told[:TOLD], f"… {len(told) - TOLD} more"]
        return f"{head}; each way to order these fails: {'; '.join(told)}."
    return f"{head}: {'; '.join(_Teller(graph).circle(cycle))}."


class _Teller:
    """Names each operation in full when it is first mentioned, by its number afterwards; tells what an edge rests on before the edge."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.named, self.told = graph, set[int](), set[tuple[int, int]]()
        self.lines: list[str] = []

    def circle(self, cycle: list[int]) -> list[str]:
        for before, after in zip(cycle, cycle[1:] + cycle[:1], strict=True):
            self._edge(before, after)
        around = " < ".join(self._number(place) for place in [*cycle, cycle[0]])
        return [*self.lines, f"a circle: {around}"]

    def _number(self, place: int) -> str:
        return f"#{self.graph.program.nodes[place].op.index}"

    def _name(self, place: int) -> str:
        if place in self.named:
            return self._number(place)
        self.named.add(place)
        return self.graph.program.nodes[place].text()

    def _edge(self, before: int, after: int) -> None:
        if (before, after) in self.told:
            return
        self.told.add((before, after))
        why, way = self.graph.into[after][before], self.graph.grounds(before, after)
        for one, two in itertools.pairwise(way):
            self._edge(one, two)
        steps = " < ".join(map(self._number, way))
        if why.rule == PROCESS:
            first = self._name(before)
            self.lines.append(f"{first}, then {self._name(after)} (same process)")
        elif why.rule == READS:
            first = self._name(before)
            self.lines.append(f"{first}, then {self._name(after)}, which saw that value")
        elif why.rule == BEFORE:
            read, first = self._name(why.read), self._name(before)
            self.lines.append(
                f"so {first} is before {self._name(after)}: it is before {read} ({steps}), which saw the value of {self._number(after)}"
            )
        elif why.rule == AFTER and why.write >= 0:
            read, write = self._name(before), self._name(why.write)
            self.lines.append(f"{read}, which saw the value of {write}, comes before {self._name(after)}, which comes after that ({steps})")
        else:
            read = self._name(before)
            self.lines.append(f"{read}, which saw the initial value, comes before {self._name(after)}")
