"""A history of registers as programs: the operations of all keys, each with the one that its process had completed before it.

Why it exists  sequential, causal and PRAM consistency speak of the order within each process and of all keys together; real time is no
               matter.
Relies on      linearizable/operations.py for what an operation is. A failed op had no effect; a read of unknown outcome saw nothing.

Program order: an op comes after all that its process had completed before. What has no known outcome comes before nothing: it may act at
any later time. A crashed write of a value that nobody asked for is left out: it need not have happened, and whoever came after it asked for
another write (not where refused cas observe, nor where strings are appended to).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from checkers.linearizable.operations import APPEND, CAS, NOT, READ, WRITE, Operation, by_key
from harness.history.history import History


class Node(NamedTuple):
    """One operation: its key, its process, and the place of the op that its process completed before it (-1: none)."""

    op: Operation
    key: Any
    process: Any
    after: int

    @property
    def reads(self) -> bool:
        """Whether it asks for one value: a read, or a cas whose outcome is known."""
        return self.op.f == READ or (self.op.f == CAS and not self.op.crashed)

    @property
    def writes(self) -> bool:
        """Whether it leaves a value that may differ from the one before."""
        return self.op.f in (WRITE, CAS)

    def text(self) -> str:
        """In words, with its key."""
        return self.op.text() if self.key is None else f"{self.op.text()[:-1]}, key {self.key!r})"


class Program(NamedTuple):
    """The nodes in order of invocation; `initial` is what every key holds at the start."""

    nodes: list[Node]
    initial: Any

    def part(self, kept: Iterable[int], as_writes: frozenset[int] = frozenset()) -> Program:
        """The program of some of its nodes alone; program order is kept across what is left out."""
        places = sorted(kept)
        new = {old: place for place, old in enumerate(places)}
        nodes = []
        for old in places:
            node = self.nodes[old]
            after = node.after
            while after >= 0 and after not in new:
                after = self.nodes[after].after
            op = node.op._replace(f=WRITE, a=node.op.b, b=None) if old in as_writes else node.op
            nodes.append(node._replace(op=op, after=new.get(after, -1)))
        return Program(nodes, self.initial)


def read_program(history: History, keyed: str, failed_cas: str, model: str, initial: Any) -> Program:
    """The program of a history; HistoryError naming the op whose value has not the shape of its f."""
    process = {call.invoke.index: call.invoke.process for call in history.calls()}
    found = [(op, key) for key, ops in by_key(history, keyed, failed_cas, model).items() for op in _useful(ops)]
    found.sort(key=lambda pair: pair[0].call)
    last: dict[Any, list[int]] = {}
    nodes: list[Node] = []
    for op, key in found:
        who = process[op.index]
        nodes.append(Node(op, key, who, last.get(who, [-1])[-1]))
        if not op.crashed:
            last.setdefault(who, [-1]).append(len(nodes) - 1)
    return Program(nodes, initial)


def _useful(operations: Sequence[Operation]) -> list[Operation]:
    """The operations on a key without the crashed ones that cannot matter."""
    operations = [op for op in operations if not (op.crashed and op.f in (READ, NOT))]
    while not any(op.f in (NOT, APPEND) for op in operations):
        asked = {op.a for op in operations if op.f in (READ, CAS)}
        useful = [op for op in operations if not op.crashed or op.written in asked]
        if len(useful) == len(operations):
            break
        operations = useful
    return operations


class Sources:
    """Who wrote what: for each key and value its writers, and for each node that asks for a value where that came from.

    source    node -> the one write that it read from; -1: the initial value, which nobody wrote again
    unwritten nodes that ask for a value that nobody wrote
    unsure    nodes whose value has several writers (or was written again), so that nobody knows which was read
    """

    def __init__(self, program: Program) -> None:
        self.writers: dict[tuple[Any, Any], list[int]] = {}
        self.source: dict[int, int] = {}
        self.unwritten: list[int] = []
        self.unsure: list[int] = []
        appended = {node.key for node in program.nodes if node.op.f == APPEND}
        for place, node in enumerate(program.nodes):
            if node.writes and node.key not in appended:
                self.writers.setdefault((node.key, node.op.written), []).append(place)
        for place, node in enumerate(program.nodes):
            if node.op.f == NOT or (node.reads and node.key in appended):
                self.unsure.append(place)
            elif node.reads:
                self._ask(place, node, program.initial)

    def _ask(self, place: int, node: Node, initial: Any) -> None:
        writers = self.writers.get((node.key, node.op.a), [])
        others = [writer for writer in writers if writer != place]
        if node.op.a == initial and not writers:
            self.source[place] = -1
        elif len(writers) == 1 and others and node.op.a != initial:
            self.source[place] = others[0]
        elif not others and node.op.a != initial:
            self.unwritten.append(place)
        else:
            self.unsure.append(place)

    def happened(self, program: Program) -> list[int]:
        """Writes that certainly took place: acknowledged, or the only ones whose value somebody saw."""
        seen = set(self.source.values())
        return [place for place, node in enumerate(program.nodes) if node.writes and (not node.op.crashed or place in seen)]
