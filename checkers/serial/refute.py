"""Why there is no order: cycles, one at least in every way to choose.

Why it exists  a verdict of invalid names the transactions and the reason of every edge; choices that are not needed only confuse.
Right      a cycle holds under the choices that brought its edges; cycles whose choices exclude each other leave nothing to choose.
           Taking a choice away and finding the rest still contradictory shows that it was not needed; this ends with a set from which
           none can be taken.
Relies on  each cycle being found with the fewest choices and then the fewest edges (ordered.path).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from checkers.serial.chains import Chain
from checkers.serial.choices import Before, Choices, Committed, Overwritten, Saw
from checkers.serial.events import HELPER, INSIDE, Events, Why
from checkers.serial.guess import cycle_free_order
from checkers.serial.ordered import SURE, Ordered
from checkers.serial.problem import Read
from checkers.serial.prune import Pruned
from checkers.serial.search import Cycle, Search
from checkers.transactions.edges import RW, WR

TRIES, TRY_BUDGET = 200, 2_000  # attempts to leave a choice out, conflicts of each: beyond, a witness may be larger than it must be
NEAR = 4_000  # nodes of a component up to which the shortest of all its cycles is looked for, else one through its first nodes


Item = Before | Read | Overwritten


class Step(NamedTuple):
    """An edge between transactions. kind: ww, wr, rw, process, realtime, FIRST; key, source: as in Why."""

    first: int
    kind: int
    second: int
    key: Hashable
    source: int


class Ring(NamedTuple):
    """A cycle of steps that exists if all of `when` do: (choice, whether it holds)."""

    steps: tuple[Step, ...]
    when: tuple[tuple[Before | Saw | Committed, bool], ...]


class Refutation(NamedTuple):
    """rings: cycles, of which no way to choose avoids all; reads: those whose source had to be chosen; chains: by number, of `Before`."""

    rings: tuple[Ring, ...]
    reads: tuple[Read, ...]
    chains: dict[int, Chain]


def _shortest(source: Sequence[int], target: Sequence[int], tag: Sequence[int], outside: frozenset[int]) -> list[tuple[int, int, int]]:
    """The edges (source, target, tag) of the shortest cycle; `outside`: nodes that are on none."""
    out: dict[int, list[int]] = {}
    tags: dict[tuple[int, int], int] = {}
    for a, b, mark in zip(source, target, tag):
        if a not in outside and b not in outside:
            out.setdefault(a, []).append(b)
            tags[a, b] = max(mark, tags.get((a, b), mark))
    best: list[int] | None = None
    for start in _core(out)[:NEAR]:
        ring = _ring_through(out, start, None if best is None else len(best))
        if ring is not None:
            best = ring
    assert best is not None, "what is left after all that can be ordered has a cycle"
    return [(a, b, tags[a, b]) for a, b in zip(best, [*best[1:], best[0]])]


def _core(out: dict[int, list[int]]) -> list[int]:
    """Nodes that may be on a cycle, ascending: those that lead nowhere are taken away until none does."""
    into: dict[int, list[int]] = {}
    left = {node: len(following) for node, following in out.items()}
    for node, following in out.items():
        for other in following:
            into.setdefault(other, []).append(node)
    waiting = [node for node in into if node not in out]
    while waiting:
        for before in into.get(waiting.pop(), ()):
            left[before] -= 1
            if not left[before]:
                waiting.append(before)
    return sorted(node for node, count in left.items() if count)


def _ring_through(out: dict[int, list[int]], start: int, shorter_than: int | None) -> list[int] | None:
    """The shortest cycle through a node, if it has fewer nodes than that."""
    came: dict[int, int] = {}
    layer, length = [start], 1
    while layer and (shorter_than is None or length < shorter_than):
        following: list[int] = []
        for node in layer:
            for other in out.get(node, ()):
                if other == start:
                    ring = [node]
                    while ring[-1] != start:
                        ring.append(came[ring[-1]])
                    return ring[::-1]
                if other not in came:
                    came[other] = node
                    following.append(other)
        layer, length = following, length + 1
    return None


def refute_settled(pruned: Pruned) -> Refutation:
    """Of certain edges that have a cycle, or a pair that has no way left."""
    events = pruned.events
    if pruned.dead is not None:
        a, b = pruned.dead
        last = pruned.settled[-1].round + 1 if pruned.settled else 1
        tags = [tag for pair in ((a, b), (b, a)) for tag in pruned.forbids(*pair, last)]
        return _minimal(events, [_before(a, b), *_settled(pruned, tags)])
    edges = _shortest(pruned.source, pruned.target, pruned.tag, frozenset(pruned.order))
    tags = [tag for _, _, tag in edges]
    if all(tag == SURE for tag in tags):
        return Refutation((Ring(tuple(_steps(events, edges, None)), ()),), (), {})
    return _minimal(events, _settled(pruned, tags))


def refute(choices: Choices, pruned: Pruned) -> Refutation:
    """Of choices that contradict each other."""
    assert choices.search.failed is not None
    cycles = [clause for clause in map(choices.search.clauses.__getitem__, choices.search.failed) if isinstance(clause, Cycle)]
    tags = [literal for cycle in cycles for _, _, literal in cycle.edges if literal < 0]
    return _minimal(choices.events, list(dict.fromkeys([*_settled(pruned, tags), *_items(choices)])))


def _settled(pruned: Pruned, tags: Iterable[int]) -> list[Item]:
    return [_before(one.first, one.second) for one in pruned.reasons(tags)]


def _before(a: Chain, b: Chain) -> Before:
    return Before(min(a.number, b.number), max(a.number, b.number))


def _minimal(events: Events, items: list[Item]) -> Refutation:
    """Reduce what contradicts itself to what is needed, and tell it by transactions."""
    order = cycle_free_order(len(events.txn), events.source, events.target)
    graph = Ordered(order, events.source, events.target, [SURE] * len(events.source))
    choices = _again(events, graph, items, None)
    assert choices is not None, "what contradicted itself contradicts itself again"
    items, tries = _items(choices), 0
    for item in list(items):
        if tries == TRIES:
            break
        if item in items:
            tries += 1
            smaller = _again(events, graph, [other for other in items if other != item], TRY_BUDGET)
            if smaller is not None:
                choices, items = smaller, _items(smaller)
    return _told(choices)


def _items(choices: Choices) -> list[Item]:
    """What the contradiction rests on, in the order in which it was chosen."""
    assert choices.search.failed is not None
    used: set[int] = set()
    for clause in choices.search.failed:
        used.update(literal >> 1 for literal in choices.search.clauses[clause])
    items: dict[Item, None] = {}
    for number in sorted(used):
        choice = choices.all[number]
        if isinstance(choice, Saw):
            items[_read(choices, choice)] = None
        elif not isinstance(choice, Committed):
            items[choice] = None
    return list(items)


def _read(choices: Choices, saw: Saw) -> Read:
    return next(read for read in choices.events.problem.reads[saw.reader] if read.key == saw.key)


def _again(events: Events, graph: Ordered, items: Sequence[Item], budget: int | None) -> Choices | None:
    """The contradiction from these items alone; None if they have an order, or none was found within the budget."""
    graph.take_back(graph.sure)
    fresh, chains = Choices(events, graph), events.chains.all
    for item in items:
        if isinstance(item, Read):
            fresh.read(item)
    for item in items:
        if isinstance(item, Before):
            fresh.before(chains[item.first], chains[item.second])
    for item in items:
        if isinstance(item, Overwritten) and item.saw in fresh.number and _caused(fresh, item):
            fresh.overwritten(item.saw, item.writer)
    return fresh if fresh.search.run(budget) is False else None


def _caused(choices: Choices, item: Overwritten) -> bool:
    """Whether the choice of chains that it needs, if any, is there."""
    before = choices.needs(item)
    return before is None or before in choices.number


def _told(choices: Choices) -> Refutation:
    rings: list[Ring] = []
    chains: dict[int, Chain] = {}
    for clause in _needed(choices):
        when: dict[tuple[Before | Saw | Committed, bool], None] = {}
        for literal in sorted({literal for _, _, literal in clause.edges if literal != SURE}):
            for cause in choices.grounds(literal):
                choice = choices.all[cause >> 1]
                assert not isinstance(choice, Overwritten)
                when[choice, not cause & 1] = None
                if isinstance(choice, Before):
                    chains |= {chain: choices.events.chains.all[chain] for chain in choice}
        rings.append(Ring(tuple(_steps(choices.events, clause.edges, choices)), tuple(when)))
    reads = dict.fromkeys(_read(choices, choice) for choice in choices.all if isinstance(choice, Saw))
    return Refutation(tuple(rings), tuple(reads), chains)


def _needed(choices: Choices) -> list[Cycle]:
    """Cycles of which none can be left out."""
    search = choices.search
    assert search.failed is not None
    given = [clause for clause, learned in zip(search.clauses, search.from_) if not learned and not isinstance(clause, Cycle)]
    cycles = [clause for clause in map(search.clauses.__getitem__, search.failed) if isinstance(clause, Cycle)]
    for cycle in list(cycles):
        less = [other for other in cycles if other is not cycle]
        words = Search(Ordered([], [], [], []), lambda _: False)
        for _ in search.value:
            words.variable()
        for clause in [*given, *less]:
            words.give(list(clause))
        if words.run(TRY_BUDGET) is False:
            cycles = less
    return cycles


def _steps(events: Events, edges: Sequence[tuple[int, int, int]], choices: Choices | None) -> list[Step]:
    """Edges of events as steps of transactions: a walk through helpers is one step, and from start to commit is none."""
    sure: dict[tuple[int, int], Why] = {}
    wanted = {edge[:2] for edge in edges if edge[2] == SURE}
    for source, target, why in zip(events.source, events.target, events.why):
        if (source, target) in wanted and ((source, target) not in sure or why.kind < sure[source, target].kind):
            sure[source, target] = why
    at = next(i for i, edge in enumerate(edges) if events.txn[edge[0]] != HELPER)
    steps: list[Step] = []
    first = events.txn[edges[at][0]]
    for source, target, literal in [*edges[at:], *edges[:at]]:
        second = events.txn[target]
        why = sure[source, target] if literal == SURE else _why(choices, source, target, literal)
        if second != HELPER:
            if why.kind != INSIDE:
                steps.append(Step(first, why.kind, second, why.key, why.source))
            first = second
    lowest = min(range(len(steps)), key=lambda i: steps[i].first)
    return steps[lowest:] + steps[:lowest]


def _why(choices: Choices | None, source: int, target: int, literal: int) -> Why:
    assert choices is not None
    choice = choices.all[literal >> 1]
    if isinstance(choice, Before):
        a, b = (choices.events.chains.all[chain] for chain in choice)
        pair = (b, a) if literal & 1 else (a, b)
        return next(why for s, t, why in choices.events.between(*pair) if (s, t) == (source, target))
    if isinstance(choice, Saw):
        return Why(WR, choice.key, choice.writer)
    assert isinstance(choice, Overwritten)
    return Why(RW, choice.saw.key, choice.saw.writer)
