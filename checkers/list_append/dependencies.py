"""Dependencies between committed transactions: ww, wr, rw, each with the append that proves it.

Why it exists  consistency models of transactions are defined by cycles of these edges (Adya 1999).
Relies on      the version order of versions.py. A writer that failed, and an element that nobody appended, have no place among committed
               versions and are stepped over.

wr: the writer of the last element of a read -> the reader. ww: the writer of a version -> the writer of the next. rw: the reader of a
version -> the writer of the next. After the last version that was read come all committed appends that were never read: the next version
is one of them, and the others follow it, so an edge to each of them stands for one rw (or ww) edge and ww edges from there.
Between two transactions only the first of ww, wr, rw counts: an anomaly that allows rw allows the others.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import pairwise
from typing import NamedTuple

from checkers.list_append.versions import Key, Reading, Versions
from checkers.transactions.edges import RW, WR, WW
from checkers.transactions.txns import Txn


class Why(NamedTuple):
    """What proves an edge: `before` and `element` of `key` (before: None for the empty list); unread: the element is in no read."""

    kind: int
    key: Hashable
    before: Hashable
    element: Hashable
    unread: bool = False


Edges = dict[tuple[int, int], Why]


def dependencies(versions: Versions) -> Edges:
    """(from, to), numbers of transactions -> why; no edge from a transaction to itself."""
    edges: Edges = {}
    for key in versions.keys.values():
        for first, second, why in edges_of_key(versions, key):
            if first.number != second.number:
                known = edges.get((first.number, second.number))
                if known is None or why.kind < known.kind:
                    edges[first.number, second.number] = why
    return edges


def edges_of_key(versions: Versions, key: Key) -> Iterator[tuple[Txn, Txn, Why]]:
    """(from, to, why) in the order in which the first of a kind counts; a transaction may lead to itself."""
    name = key.name
    placed = [(element, key.appends[element].txn) for element in key.order if element in key.appends]
    placed = [(element, writer) for element, writer in placed if versions.committed[writer.number]]
    unread = versions.unread(key)
    for (before, writer), (element, following) in pairwise(placed):
        yield writer, following, Why(WW, name, before, element)
    if placed:
        before, writer = placed[-1]
        for following, element in unread:
            yield writer, following, Why(WW, name, before, element, unread=True)
    follower = _followers(key, {element for element, _ in placed})
    for reading in key.readings:
        before = reading.elements[-1] if reading.elements else None
        if reading.elements:
            append = key.appends.get(before)
            if append is not None and versions.committed[append.txn.number]:
                yield append.txn, reading.txn, Why(WR, name, None, before)
        yield from _overwritten(key, reading, before, follower, unread)


def _followers(key: Key, committed: set[Hashable]) -> dict[Hashable, Hashable]:
    """Element of the order -> the next committed element; the last ones have none. The empty list is the key None."""
    follower: dict[Hashable, Hashable] = {}
    following: Hashable = None
    for element in reversed(key.order):
        follower[element] = following
        if element in committed:
            following = element
    follower[None] = following
    return follower


def _overwritten(
    key: Key, reading: Reading, before: Hashable, follower: dict[Hashable, Hashable], unread: list[tuple[Txn, Hashable]]
) -> Iterator[tuple[Txn, Txn, Why]]:
    if before not in follower:
        return
    following = follower[before]
    if following is not None:
        yield reading.txn, key.appends[following].txn, Why(RW, key.name, before, following)
    else:
        for writer, element in unread:
            yield reading.txn, writer, Why(RW, key.name, before, element, unread=True)
