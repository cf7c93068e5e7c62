"""The shortest cycle of a strongly connected part: the witness that a level is broken.

Why it exists  the few edges that decide a level are not the ones that a person wants to follow: a session may be walked in one step, and an
               axiom may be applied to any writer, not only to the newest.
Relies on      a part being the same for the few edges and for all edges, which they imply. A part with more than WHOLE transactions keeps
               the few edges, and its witness is the shortest of those through one of its first STARTS members.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import combinations

from checkers.transactions.components import cyclic_components
from checkers.weak_isolation.causes import reaching_bits
from checkers.weak_isolation.graph import FIRST, FORCED, SESSION, WR, Edges, Level, Order, Why
from checkers.weak_isolation.reading import INITIAL

WHOLE, STARTS = 200, 16
Step = tuple[int, int, Why]


def parts(edges: Edges, count: int) -> list[list[int]]:
    """Strongly connected parts that have a cycle, the smallest first; members in order, the initial state as INITIAL."""
    following: list[list[int]] = [[] for _ in range(count + 1)]
    for source, target in edges:
        following[source + 1].append(target + 1)
    found = [[vertex - 1 for vertex in part] for part in cyclic_components(following, count + 1)]
    return sorted(found, key=lambda part: (len(part), part))


def shortest(order: Order, level: Level, part: Sequence[int], few: Edges) -> list[Step]:
    """A cycle of the least number of steps within a part; of several the one that begins at the earliest transaction."""
    members = set(part)
    edges: Edges = {}
    if len(part) <= WHOLE:
        for source, target, why in _all(order, level, part):
            if source != target:
                edges.setdefault((source, target), why)
    else:
        edges = {pair: why for pair, why in few.items() if members.issuperset(pair)}
    following: dict[int, list[int]] = {number: [] for number in part}
    for source, target in edges:
        following[source].append(target)
    best: list[int] = []
    for start in part if len(part) <= WHOLE else part[:STARTS]:
        way = _around(start, following, len(best) - 1 if best else len(part))
        if way:
            best = way
        if len(best) == 2:
            break
    assert best, "a strongly connected part has a cycle"
    return [(source, target, edges[source, target]) for source, target in zip(best, [*best[1:], best[0]], strict=True)]


def _around(start: int, following: dict[int, list[int]], longest: int) -> list[int]:
    """The vertices of a shortest cycle through `start` with at most `longest` steps, else nothing."""
    came: dict[int, int] = {}
    waiting, steps = [start], 0
    while waiting and steps < longest:
        steps += 1
        reached = []
        for source in waiting:
            for target in following[source]:
                if target == start:
                    way = [source]
                    while way[-1] != start:
                        way.append(came[way[-1]])
                    return way[::-1]
                if target not in came:
                    came[target] = source
                    reached.append(target)
        waiting = reached
    return []


def _all(order: Order, level: Level, part: Sequence[int]) -> Iterator[Step]:
    """Every edge between members of a part: reads-from first, then session order, then what the axiom forces."""
    members = set(part)
    reads = order.reading.reads
    for number in part:
        for read in reads[number] if number != INITIAL else ():
            if read.writer in members:
                yield read.writer, number, Why(WR, number, read.at)
    for source in part:
        for target in part:
            if source != target and order.precedes(source, target):
                yield source, target, Why(FIRST if source in (INITIAL, order.first) else SESSION)
    if level == Level.READ_COMMITTED:
        yield from _read_committed(order, members)
    elif level == Level.READ_ATOMIC:
        yield from _read_atomic(order, members)
    elif level == Level.CAUSAL:
        yield from _causal(order, part)


def _read_committed(order: Order, members: set[int]) -> Iterator[Step]:
    for txn in order.members:
        for earlier, later in combinations(order.reading.reads[txn.number], 2):
            if earlier.writer in members and later.writer in members and order.writes(earlier.writer, later.key):
                yield earlier.writer, later.writer, Why(FORCED, txn.number, later.at, earlier.at)


def _read_atomic(order: Order, members: set[int]) -> Iterator[Step]:
    writers = _writers(order, sorted(members))
    for txn in order.members:
        reads = order.reading.reads[txn.number]
        for read in reads:
            if read.writer in members:
                for other in reads:
                    if other.writer in members and order.writes(other.writer, read.key):
                        yield other.writer, read.writer, Why(FORCED, txn.number, read.at, other.at)
                for writer in writers.get(read.key, ()):
                    if order.precedes(writer, txn.number):
                        yield writer, read.writer, Why(FORCED, txn.number, read.at)


def _causal(order: Order, part: Sequence[int]) -> Iterator[Step]:
    writers = _writers(order, part)
    bit = {number: at for at, number in enumerate(number for number in part if number != INITIAL)}
    reaching = reaching_bits(order, bit)
    members = set(part)
    for txn in order.members:
        for read in order.reading.reads[txn.number]:
            if read.writer in members:
                for writer in writers.get(read.key, ()):
                    if reaching[txn.number] >> bit[writer] & 1 or order.precedes(writer, txn.number):
                        yield writer, read.writer, Why(FORCED, txn.number, read.at)


def _writers(order: Order, part: Sequence[int]) -> dict[Hashable, list[int]]:
    writers: dict[Hashable, list[int]] = {}
    for number in part:
        for key in order.reading.last[number] if number != INITIAL else ():
            writers.setdefault(key, []).append(number)
    return writers
