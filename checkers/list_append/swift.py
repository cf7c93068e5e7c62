"""The fast road: large histories by arrays; whatever the arrays show to matter is judged by the exact rules, on those ops alone.

Why it exists  most histories are valid, and 100,000 transactions in plain Python take seconds; of an invalid one a few keys and components
               matter.
Relies on      the kernels saying the same as the rules that they stand for (versions.py, phenomena.py, dependencies.py) of good keys, those
               whose committed reads all begin one list, each element of it by one committed writer. The tests compare both roads.

Right  1. Rules about one transaction are judged by the exact rules wherever a kernel sees a deviation, rules about one key wherever the key
          is not good. Of good keys only intermediate reads and lost updates remain, which kernels count exactly.
       2. Real time and dependencies have no cycle together exactly if the dependencies that real time does not imply have none, and no
          transaction comes after one that was called after it returned (graph_kernels.py). Then no read is fractured, and no update lost
          unless a transaction read its own append before it made it: both close a cycle otherwise. So the history is valid.
       3. Otherwise cycles are searched as ever, in each component of the whole graph; fractured reads and lost updates lie within one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from checkers.list_append.arrays import Lists
from harness.history.txn_columns import NEVER

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Shorts = NDArray[np.int32]
    Flags = NDArray[np.bool_]

MOST_EDGES = 30_000_000  # inside components; more would not fit into memory as objects
Repeated = tuple[int, int]


class Orders(NamedTuple):
    """What the appends and reads show.

    owner, final     per micro-op: its transaction, -1 of one that does not count; it is the last append of its transaction to the key
    committed        per transaction
    best             per key: its longest read, -1 if there is none
    bad              per key: the exact rules must judge it
    offset, placed   a good key's appends in order: placed[offset[k] : offset[k + 1]]
    begin, listed    its committed appends that nobody read: listed[begin[k] : begin[k + 1]]
    place            per append: where it stands in its key's order; -2 - where it stands in `listed`; -1 neither
    observed         an acknowledged transaction read something
    """

    owner: Shorts
    final: Flags
    committed: Flags
    best: Ints
    bad: Flags
    offset: Ints
    placed: Shorts
    begin: Ints
    listed: Shorts
    place: Ints
    observed: bool


class Sifted(NamedTuple):
    """odd: transactions that the exact rules must judge; half: (writer, reader, key) of each intermediate read of a good key."""

    odd: Ints
    half: Ints


class Components(NamedTuple):
    """component, rank: numbers per transaction, of the whole graph and of the one without rw; cyclic: it is not alone in its component."""

    component: Shorts
    rank: Shorts
    cyclic: Flags


def facts_of(lists: Lists) -> dict[str, Any]:
    """The verdict's facts."""
    outcomes = Counter(lists.outcome.tolist())
    return {"txns": len(lists.call), "ok": outcomes[1], "fail": outcomes[2], "info": outcomes[3], "keys": int((lists.rank >= 0).sum())}


def orders_of(lists: Lists) -> Orders | Repeated:
    """The orders, or the first two appends of one element to one key."""
    import numpy as np

    from checkers.list_append import kernels

    count, keys = len(lists.f), lists.keys
    row = (lists.first, lists.size, lists.f, lists.key)
    owner, final = np.full(count, -1, np.int32), np.zeros(count, np.bool_)
    table = np.full(1 << max(4, int(2 * np.count_nonzero(lists.f)).bit_length()), -1, np.int32)
    first, second = kernels.note_appends(*row, lists.value, owner, final, table, np.full(keys, -1, np.int64))
    if first >= 0:
        return first, second
    committed = np.zeros(len(lists.call), np.bool_)
    reads = (lists.start, lists.length, lists.elements)
    kernels.commit(lists.outcome, *row, lists.value, *reads, owner, table, committed, keys)
    best, bad = np.full(keys, -1, np.int64), np.zeros(keys, np.bool_)
    observed = kernels.longest(lists.outcome, *row, lists.length, committed, best)
    kernels.agree(*row, *reads, committed, best, bad)
    offset = np.zeros(keys + 1, np.int64)
    np.cumsum(np.where(best >= 0, lists.length[best], 0), out=offset[1:])
    placed, place = np.empty(offset[-1], np.int32), np.full(count, -1, np.int64)
    kernels.order(lists.key, lists.value, *reads, owner, committed, table, best, bad, offset, placed, place)
    begin = np.zeros(keys + 1, np.int64)
    kernels.count_unread(*row, committed, bad, place, begin[1:])
    np.cumsum(begin, out=begin)
    listed = np.empty(begin[-1], np.int32)
    kernels.unread(*row, committed, bad, place, begin, listed)
    return Orders(owner, final, committed, best, bad, offset, placed, begin, listed, place, bool(observed))


def sift(lists: Lists, orders: Orders) -> Sifted:
    """What breaks a rule without any cycle, or may."""
    import numpy as np

    from checkers.list_append import kernels

    odd, half = np.zeros(len(lists.call), np.bool_), np.empty((len(lists.f), 3), np.int64)
    noted = kernels.sift(
        lists.outcome, orders.committed, lists.first, lists.size, lists.f, lists.key, lists.value, lists.start, lists.length,
        lists.elements, orders.owner, orders.final, orders.bad, orders.offset, orders.placed, orders.place, odd, half,
    )  # fmt: skip
    return Sifted(np.flatnonzero(odd), half[:noted])


class Graph(NamedTuple):
    """Edges that real time does not imply, between so many vertices: transactions, then helpers."""

    vertices: int
    source: Shorts
    target: Shorts
    kind: NDArray[np.int8]


def graph_of(lists: Lists, orders: Orders, others: Sequence[tuple[int, int, int]]) -> Graph:
    """The graph of dependencies. others: (from, to, kind) of those keys that are not good."""
    import numpy as np

    from checkers.list_append import edge_kernels

    most = len(orders.placed) + 3 * len(lists.f) + 2 * lists.keys + 4 * len(orders.listed) + len(others)
    source, target, kind = np.empty(most, np.int32), np.empty(most, np.int32), np.empty(most, np.int8)
    row = (lists.first, lists.size, lists.f, lists.key, orders.place)
    edges = edge_kernels.graph(
        lists.call, lists.ret, row, lists.length, orders.owner, orders.committed, orders.bad, orders.offset, orders.placed,
        orders.begin, orders.listed, source, target, kind,
    )  # fmt: skip
    for s, t, what in others:
        if s != t and lists.ret[s] >= lists.call[t]:
            source[edges], target[edges], kind[edges] = s, t, what
            edges += 1
    return Graph(len(lists.call) + 2 * len(orders.listed), source[:edges], target[:edges], kind[:edges])


def is_forward(lists: Lists, graph: Graph) -> bool:
    """True if dependencies and real time have no cycle together."""
    from checkers.transactions.graph_kernels import forward

    return bool(forward(graph.vertices, *_adjacency(graph.vertices, graph.source, graph.target), lists.call, lists.ret))


def _adjacency(count: int, source: Shorts, target: Shorts) -> tuple[Ints, Shorts]:
    import numpy as np

    from checkers.transactions.graph_kernels import adjacency

    offset, following = np.zeros(count + 1, np.int64), np.empty(len(source), np.int32)
    adjacency(count, source, target, offset, following)
    return offset, following


def components_of(lists: Lists, orders: Orders, graph: Graph) -> Components:
    """Components of dependencies and real time, with and without rw."""
    import numpy as np

    from checkers.transactions.graph_kernels import chain, components

    txns = len(lists.call)
    source, target = np.empty(3 * txns + 3, np.int32), np.empty(3 * txns + 3, np.int32)
    edges, helpers = chain(lists.lines, lists.call, lists.ret, orders.committed, NEVER, graph.vertices, source, target)
    source, target = source[:edges], target[:edges]
    found = []
    for keep in (slice(None), graph.kind != 2):
        count = graph.vertices + helpers
        sources, targets = np.concatenate((graph.source[keep], source)), np.concatenate((graph.target[keep], target))
        component = np.empty(count, np.int32)
        components(count, *_adjacency(count, sources, targets), component)
        found.append(component[:txns])
    return Components(found[0], found[1], np.bincount(found[0])[found[0]] > 1)


class Named(NamedTuple):
    """The edges inside components that count, one for each pair, by source and target: (from, to, kind, the append before or -1, the append
    that proves it). An edge of another key than a good one has -1 - its place among `others` as the last."""

    rows: Ints


def named_edges(
    lists: Lists, orders: Orders, parts: Components, others: Sequence[tuple[int, int, int]], ranks: Sequence[int]
) -> Named | None:
    """Of each pair of transactions the edge that names the step: the first kind, of the first key, the first there. None: too many.

    others, ranks: edges of keys that are not good, in the order of their key's rule, and the ranks of those keys.
    """
    import numpy as np

    from checkers.list_append.edge_kernels import named

    row = (lists.first, lists.size, lists.f, lists.key, orders.place)
    found, noted = np.empty((1 << 16, 6), np.int64), 1 << 62
    while noted > len(found):
        if noted != 1 << 62:
            found = np.empty((noted, 6), np.int64)
        noted = named(
            row, lists.length, orders.owner, orders.committed, orders.bad, orders.offset, orders.placed, orders.begin, orders.listed,
            parts.component, parts.cyclic, found,
        )  # fmt: skip
        if noted > MOST_EDGES:
            return None
    found = found[:noted]
    rank = lists.rank[lists.key[found[:, 4]]]
    if others:
        more = np.array([(s, t, kind, -1, -1 - i, i) for i, (s, t, kind) in enumerate(others)], np.int64)
        inside = (more[:, 0] != more[:, 1]) & (parts.component[more[:, 0]] == parts.component[more[:, 1]])
        found = np.concatenate((found, more[inside]))
        rank = np.concatenate((rank, np.array(ranks, np.int64)[inside]))
    by = np.lexsort((found[:, 5], rank, found[:, 2], found[:, 1], found[:, 0]))
    found = found[by, :5]
    fresh = np.ones(len(found), np.bool_)
    fresh[1:] = (found[1:, 0] != found[:-1, 0]) | (found[1:, 1] != found[:-1, 1])
    return Named(found[fresh])
