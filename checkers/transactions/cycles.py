"""Types of cycles in a component: which exist, and the shortest of each.

Types  G0 ww only; G1c ww, wr with a wr; G-single-item one rw; G-nonadjacent-item two or more rw, never next to each other;
       G2-item two rw next to each other. With -process: at least one process edge more; with -realtime: one real-time edge more.

Why it exists  the type says which consistency models a cycle rules out.
Relies on      each type is asked for only if none that implies it was found in the component. So every walk that obeys its rule is of
               that very type, and existence is reachability: G-single-item is an rw edge u -> v with a path v => u free of rw;
               G-nonadjacent-item lives where ww, wr, and rw after those, have a cycle; then any rw edge in a cycle is a G2-item.
               A process variant does not hide the real-time variant: it would hide every one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from checkers.transactions.components import strong_components
from checkers.transactions.edges import PROCESS, REALTIME, RW, WR, WW
from checkers.transactions.region import ANY, APPENDS, READS, Automaton, Path, Region, Table, with_process

FAR = 1 << 30
FIRST = frozenset({0})
# States of an rw-counting path whose cycle starts or ends outside it: 0 none; 1, 2 one rw, just now or before; 3, 4 more, none adjacent.
APART: Table = ((0, 0, 1, -1), (2, 2, -1, -1), (2, 2, 3, -1), (4, 4, -1, -1), (4, 4, 3, -1))
ONE: Table = ((0, 0, 1, -1), (1, 1, -1, -1))
TOUCHING: Table = ((0, 0, 1, -1), (0, 0, 2, -1), (2, 2, 2, -1))  # 1: just now an rw; 2: two were adjacent
BASES = ("G0", "G1c", "G-single-item", "G-nonadjacent-item", "G2-item")
FAMILY = {"G0": ("G0",), "G1c": ("G0", "G1c"), "G-single-item": BASES[2:3], "G-nonadjacent-item": BASES[2:4], "G2-item": BASES[2:5]}
CYCLE_TYPES = tuple(base + suffix for suffix in ("", "-process", "-realtime") for base in BASES)


class Cycle(NamedTuple):
    """A cycle by its type; steps (from, kind, to) in numbers of transactions, from the smallest."""

    type: str
    steps: Path


def cycles(plain: Region, process: Region | None = None, realtime: Region | None = None) -> Iterator[Cycle]:
    """One shortest cycle for each type that exists in the component and is not implied by another.

    Args: process, realtime: the same component with also what is only known where the -process, or -realtime, anomalies are forbidden;
    without them the same as `plain`. A cycle that is known by real time alone needs no real-time step of its own.
    """
    process = process or plain
    realtime = realtime or process
    found: set[str] = set()
    for suffix, region in (("", plain), ("-process", process), ("-realtime", realtime)):
        for base in BASES:
            if any(other + hidden in found for other in FAMILY[base] for hidden in ("", suffix)):
                continue
            path = _FINDERS[suffix][base](region)
            if suffix == "-realtime" and realtime is not process and not any(other + "-process" in found for other in FAMILY[base]):
                known = _FINDERS["-process"][base](region)
                path = known if path is None or (known is not None and len(known) < len(path)) else path
            if path is not None:
                found.add(base + suffix)
                first = path.index(min(path))
                members = region.members
                steps = [(members[source], kind, members[target]) for source, kind, target in path[first:] + path[:first]]
                yield Cycle(base + suffix, steps)


def _loop(table: Table) -> Callable[[Region], Path | None]:
    """The shortest cycle over the kinds that a one-state rule allows."""
    kinds = frozenset(kind for kind in (WW, WR, RW, PROCESS) if table[0][kind] == 0)
    automaton = Automaton(table, 0, FIRST)

    def find(region: Region) -> Path | None:
        component = strong_components(region.adjacency(kinds))
        sizes: dict[int, int] = {}
        for number in component:
            sizes[number] = sizes.get(number, 0) + 1
        best: Path | None = None
        for start in range(len(region)):
            if sizes[component[start]] > 1:
                limit = FAR if best is None else len(best) - 1
                path = region.shortest(automaton, start, start.__eq__, limit, floor=start, rank=component, low=component[start])
                best = path or best
                if best is not None and len(best) == 2:
                    break
        return best

    return find


def shortest_loop(region: Region) -> Path | None:
    """The shortest cycle of ww and wr edges."""
    return _loop(READS)(region)


def _through_rw(automaton: Automaton, windowed: bool, where: Callable[[Region], Iterable[int] | None]) -> Callable[[Region], Path | None]:
    """The shortest cycle of an rw edge u -> v and a path v => u that obeys the rule."""

    def find(region: Region) -> Path | None:
        allowed = where(region)
        if allowed is not None:
            inside = [0] * len(region)
            for vertex in allowed:
                inside[vertex] = 1
            if not any(inside):
                return None
        best: Path | None = None
        for target, sources in region.rw_into().items():
            if allowed is not None and not inside[target]:
                continue
            rank, low = (region.rank, min(region.rank[source] for source in sources)) if windowed else (None, 0)
            if allowed is not None:
                rank, low = inside, 1
            limit = FAR if best is None else len(best) - 2
            path = region.shortest(automaton, target, frozenset(sources).__contains__, limit, rank=rank, low=low)
            if path is not None:
                best = [*path, (path[-1][2], RW, target)]
                if len(best) == 2:
                    break
        return best

    return find


def _apart(process: bool) -> Callable[[Region], Iterable[int]]:
    """Vertices on closed walks without adjacent rw that have an rw: cyclic components of (vertex, came by rw) with an rw edge inside."""
    kinds = frozenset({WW, WR, PROCESS} if process else {WW, WR})

    def where(region: Region) -> Iterable[int]:
        product: list[list[int]] = []
        calm = region.adjacency(kinds)
        for vertex, edges in enumerate(region.following):
            plain = [target * 2 for target in calm[vertex]]
            product.append(plain + [target * 2 + 1 for target, kind in edges if kind == RW])
            product.append(plain)
        component = strong_components(product)
        cyclic = {
            component[vertex * 2]
            for vertex, edges in enumerate(region.following)
            for target, kind in edges
            if kind == RW and component[vertex * 2] == component[target * 2 + 1]
        }
        return [vertex for vertex in range(len(region)) if component[vertex * 2] in cyclic or component[vertex * 2 + 1] in cyclic]

    return where


def _cyclic(process: bool) -> Callable[[Region], Iterable[int]]:
    """Vertices on cycles of dependencies (and process edges)."""
    kinds = frozenset({WW, WR, RW, PROCESS} if process else {WW, WR, RW})

    def where(region: Region) -> Iterable[int]:
        component = strong_components(region.adjacency(kinds))
        sizes: dict[int, int] = {}
        for number in component:
            sizes[number] = sizes.get(number, 0) + 1
        return [vertex for vertex in range(len(region)) if sizes[component[vertex]] > 1]

    return where


def _closed_by_time(automaton: Automaton) -> Callable[[Region], Path | None]:
    """The shortest cycle of one real-time step a -> b and a path b => a that obeys the rule."""

    def find(region: Region) -> Path | None:
        seed = _latest_start(region, automaton)
        if seed is None:
            return None
        best: Path | None = None
        for start in (seed, *range(len(region))):
            limit = FAR if best is None else len(best) - 2
            path = region.shortest(automaton, start, partial(region.closes, start), limit)
            if path is not None:
                best = [*path, (path[-1][2], REALTIME, start)]
                if len(best) == 2:
                    break
        return best

    return find


def _latest_start(region: Region, automaton: Automaton) -> int | None:
    """A vertex from which a path that obeys the rule leads to one that completed before it was invoked; None if there is none.

    Walks from the latest invocations first. What a vertex needs to know is only the latest invocation that reaches it, and the latest of
    another process (the process's own order is no real-time step): each vertex and state is met twice at most.
    """
    table, states = automaton.table, len(automaton.table)
    met: list[int] = [-1] * (len(region) * states)
    full = bytearray(len(region) * states)
    for start in sorted(range(len(region)), key=region.call.__getitem__, reverse=True):
        process = region.process[start]
        waiting = [start * states + automaton.start]
        while waiting:
            node = waiting.pop()
            if full[node] or (met[node] >= 0 and region.process[met[node]] == process):
                continue
            if met[node] < 0:
                met[node] = start
            else:
                full[node] = 1
            vertex, state = divmod(node, states)
            if state in automaton.good and region.closes(start, vertex):
                return start
            row = table[state]
            waiting += [target * states + row[kind] for target, kind in region.following[vertex] if row[kind] >= 0]
    return None


def _everywhere(region: Region) -> None:
    return None


def _finders(process: bool) -> dict[str, Callable[[Region], Path | None]]:
    widen = with_process if process else tuple
    return {
        "G0": _loop(widen(APPENDS)),
        "G1c": _loop(widen(READS)),
        "G-single-item": _through_rw(Automaton(widen(READS), 0, FIRST), True, _everywhere),
        "G-nonadjacent-item": _through_rw(Automaton(widen(APART), 1, frozenset({4})), False, _apart(process)),
        "G2-item": _through_rw(Automaton(widen(ANY), 0, FIRST), False, _cyclic(process)),
    }


_FINDERS: dict[str, dict[str, Callable[[Region], Path | None]]] = {
    "": _finders(False),
    "-process": _finders(True),
    "-realtime": {
        "G0": _closed_by_time(Automaton(APPENDS, 0, FIRST)),
        "G1c": _closed_by_time(Automaton(READS, 0, FIRST)),
        "G-single-item": _closed_by_time(Automaton(ONE, 0, frozenset({1}))),
        "G-nonadjacent-item": _closed_by_time(Automaton(APART, 0, frozenset({3, 4}))),
        "G2-item": _closed_by_time(Automaton(TOUCHING, 0, frozenset({2}))),
    },
}
