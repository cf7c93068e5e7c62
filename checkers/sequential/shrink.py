"""The smallest part: as few operations as still have no order, so that a person can check them by hand.

Why it exists  a cycle through forty operations convinces nobody; one through four does.
Relies on      what may be left out without making the rest wrong by that alone: reads and refusals; writes and cas whose value nobody who
               is left asks for; and a cas may count as a write, which asks for less. witness.py proves every part again by these rules.
"""

from __future__ import annotations

from checkers.linearizable.operations import APPEND, CAS, NOT, READ
from checkers.linearizable.search import OutOfBudget
from checkers.sequential.graph import Graph
from checkers.sequential.programs import Program, Sources
from checkers.sequential.search import has_order
from checkers.sequential.views import broken

SEQUENTIAL = "sequential"
TRIES = 600  # parts at most that are tried
EFFORT = 60_000  # states that all tries together may look at
LARGE = 400  # nodes of a part beyond which leaving out one by one takes too long


def forced_order(program: Program, sources: Sources) -> tuple[Graph, list[int] | None]:
    """The order that sequential consistency forces, closed, and the cycle if it has one."""
    graph = Graph(program, sources)
    graph.set_writes(sources.happened(program))
    known = sorted(sources.source)
    graph.read_from(known)
    return graph, graph.saturate(known, later=True)


def refuted(program: Program, model: str, budget: int) -> bool:
    """Whether the program certainly breaks the model."""
    sources = Sources(program)
    if sources.unwritten:
        return True
    if model != SEQUENTIAL:
        return broken(program, sources, model) is not None
    graph, cycle = forced_order(program, sources)
    if cycle is not None:
        return True
    try:
        return not has_order(program, graph, budget)
    except OutOfBudget:
        return False


def smallest(program: Program, model: str, start: set[int]) -> Program:
    """A part of the program that still breaks the model, which `start` does; cost bounded by TRIES and EFFORT."""
    kept = _with_writers(program, start)
    if not refuted(program.part(kept), model, EFFORT):
        kept = set(range(len(program.nodes)))
    tries, effort = TRIES, EFFORT
    as_writes: set[int] = set()

    def fails(part: set[int], plain: set[int]) -> bool:
        nonlocal tries, effort
        if tries <= 0 or effort <= 0:
            return False
        tries -= 1
        most = min(effort, 20 * len(part) + 500)
        effort -= len(part)
        return refuted(program.part(part, frozenset(plain)), model, most)

    chunk = max(1, len(kept) // 2)
    while True:
        changed = False
        loose = [place for place in sorted(kept) if _removable(program, place, kept - {place}, as_writes)]
        for first in range(0, len(loose), chunk):
            some = [p for p in loose[first : first + chunk] if p in kept]
            rest = kept - set(some)
            if some and all(_removable(program, p, rest, as_writes) for p in some) and fails(rest, as_writes):
                kept, changed = rest, True
        if changed:
            continue
        if chunk > 1:
            chunk = 1 if len(kept) <= LARGE else chunk // 2
            continue
        for place in sorted(kept):
            node = program.nodes[place]
            if node.op.f == CAS and place not in as_writes and fails(kept, as_writes | {place}):
                as_writes.add(place)
                changed = True
        if not changed:
            return program.part(kept, frozenset(as_writes))


def _with_writers(program: Program, start: set[int]) -> set[int]:
    """The nodes, with all writers of what they ask for; refusals, which all writers matter to, only where the start is everything."""
    makers: dict[object, list[int]] = {}
    appended = {node.key for node in program.nodes if node.op.f == APPEND}
    for place, node in enumerate(program.nodes):
        if node.op.f not in (READ, NOT):
            makers.setdefault(node.key if node.key in appended else (node.key, node.op.written), []).append(place)
    everything = len(start) == len(program.nodes)
    kept = {place for place in start if everything or program.nodes[place].op.f != NOT}
    waiting = sorted(kept)
    while waiting:
        node = program.nodes[waiting.pop()]
        if node.op.f in (READ, CAS):
            for maker in (*makers.get((node.key, node.op.a), ()), *makers.get(node.key, ())):
                if maker not in kept:
                    kept.add(maker)
                    waiting.append(maker)
    return kept


def _removable(program: Program, place: int, rest: set[int], as_writes: set[int]) -> bool:
    """Whether nobody in the rest could have seen what the node did."""
    node = program.nodes[place]
    if node.op.f in (READ, NOT):
        return True
    for other in rest:
        looker = program.nodes[other]
        if looker.key != node.key:
            continue
        if looker.op.f in (NOT, APPEND) or (node.op.f == APPEND and looker.op.f == READ):
            return False
        if looker.op.f in (READ, CAS) and other not in as_writes and looker.op.a == node.op.written:
            return False
    return True
