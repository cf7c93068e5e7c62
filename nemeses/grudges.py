"""Grudges: which ordered pairs of nodes are cut, as pure functions of node names.

Why it exists  every partition is a list of ordered pairs (source, destination); the algebra of the field's shapes belongs in one place
               where it can be tested for every small cluster, without a network.
Relies on      randomness being the order in which nodes are given: shuffle them first.
Source         semantics.md 8 (Jepsen's grudge algebra); OSDI 2018 for which shapes matter. Ordered pairs, and one-way by name, are ours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

Pair = tuple[str, str]


def majority(n: int) -> int:
    """The smallest number of n nodes that any two groups of share a node."""
    return n // 2 + 1


def one_way(sources: Iterable[str], destinations: Collection[str]) -> list[Pair]:
    """No destination hears any source."""
    return sorted({(source, destination) for source in sources for destination in destinations if source != destination})


def split(side: Collection[str], nodes: Iterable[str]) -> list[Pair]:
    """`side` and all others do not hear each other."""
    others = [node for node in nodes if node not in side]
    return sorted(one_way(side, others) + one_way(others, side))


def alone(chosen: Collection[str], nodes: Sequence[str]) -> list[Pair]:
    """Each chosen node is alone: it hears nobody, not even another chosen one, and nobody hears it."""
    return sorted({pair for node in chosen for pair in split([node], nodes)})


def bridge(nodes: Sequence[str]) -> list[Pair]:
    """The first node hears everybody; the rest falls into two halves that hear only their own and it."""
    rest = nodes[1:]
    half = rest[: len(rest) // 2]
    return split(half, rest)


def majorities_ring(nodes: Sequence[str]) -> list[Pair]:
    """Every node hears a majority, and no two hear the same one.

    Up to 5 nodes: a ring, each node in the middle of its window of majority size (3 nodes: a window of 2, so every link is cut one way).
    More: nodes with the fewest links are linked until each has a majority.
    """
    n = len(nodes)
    if n > 5:
        return _unlinked(nodes)
    size = majority(n)
    heard = {node: {nodes[(i + k - (size - 1) // 2) % n] for k in range(size)} for i, node in enumerate(nodes)}
    return sorted((source, node) for node in nodes for source in nodes if source not in heard[node])


def _unlinked(nodes: Sequence[str]) -> list[Pair]:
    links = {node: {node} for node in nodes}
    while poorest := [node for node in nodes if len(links[node]) < majority(len(nodes))]:
        node = min(poorest, key=lambda each: len(links[each]))
        other = min((each for each in nodes if each not in links[node]), key=lambda each: len(links[each]))
        links[node].add(other)
        links[other].add(node)
    return sorted((a, b) for a in nodes for b in nodes if b not in links[a])
