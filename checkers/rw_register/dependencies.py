"""Dependencies between committed transactions: ww, wr, rw, each with the claim about versions that proves it.

Why it exists  consistency models of transactions are defined by cycles of these edges (Adya 1999).
Relies on      orders.py. Three graphs, each with what the one before has: what always holds; also what follows from the order of each
               process's writes; also what follows from real time. A cycle that needs the second is an X-process, the third an X-realtime.

wr: the writer of a value -> its readers. For a claim that v came before v': ww: writer of v -> writer of v'; rw: readers of v -> writer of
v'. An rw edge to a version that is not the very next one stands for one rw edge and ww edges from there, which every model that forbids the
one counts alike. Null came before every version: its readers have an edge to those that no other claim puts after something.
Between two transactions only the first of ww, wr, rw counts: an anomaly that allows rw allows the others.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple

from checkers.rw_register.orders import (
    INITIAL,
    Before,
    CyclicVersions,
    assumed_order,
    in_real_time,
    of_each_process,
    read_before_write,
)
from checkers.rw_register.versions import Key, Versions
from checkers.transactions.edges import RW, WR, WW
from checkers.transactions.txns import Txn

MOST_PAIRS, NEAR = 100_000, 16  # of a key: readers of null times writers


class Why(NamedTuple):
    """What proves an edge: `value` of `key`; of ww and rw also the version `before` it (None: null), and the claim that it was so
    (None: nothing comes before null)."""

    kind: int
    key: Hashable
    value: Hashable
    before: Hashable = None
    claim: Before | None = None

    @property
    def source(self) -> str:
        """The source of the order of versions."""
        return self.claim.source if self.claim is not None else INITIAL


Edges = dict[tuple[int, int], Why]


class Dependencies(NamedTuple):
    """(from, to), numbers of transactions -> why: what always holds; with what processes' writes show; with what real time shows."""

    always: Edges
    process: Edges
    realtime: Edges
    cyclic: list[CyclicVersions]


def dependencies(versions: Versions, assumed: Sequence[str] = ()) -> Dependencies:
    """The graphs. assumed: sources of order that are taken to be true. No edge leads from a transaction to itself."""
    always: Edges = {}
    process: Edges = {}
    realtime: Edges = {}
    cyclic: list[CyclicVersions] = []
    for key in versions.keys.values():
        claims = assumed_order(versions, key, assumed, cyclic)
        own = list(read_before_write(versions, key))
        _add(always, _reads_from(versions, key))
        _add(always, _replaced(versions, key, claims))
        _add(always, (edge for edge in _replaced(versions, key, own) if edge[2].kind == RW))
        _add(always, _ended_the_start(key, {claim.after for claim in (*claims, *own)}))
        _add(process, _replaced(versions, key, of_each_process(key)))
        _add(realtime, _replaced(versions, key, in_real_time(key)))
    process = _together(always, process)
    return Dependencies(always, process, _together(process, realtime), cyclic)


Edge = tuple[Txn, Txn, Why]


def _add(edges: Edges, found: Iterable[Edge]) -> None:
    for first, second, why in found:
        if first.number != second.number:
            known = edges.get((first.number, second.number))
            if known is None or why.kind < known.kind:
                edges[first.number, second.number] = why


def _together(edges: Edges, more: Edges) -> Edges:
    """Both; the same object if there is nothing more."""
    if not more:
        return edges
    both = dict(edges)
    for pair, why in more.items():
        known = both.get(pair)
        if known is None or why.kind < known.kind:
            both[pair] = why
    return both


def _reads_from(versions: Versions, key: Key) -> Iterator[Edge]:
    for value, readers in key.readers.items():
        write = key.writes.get(value)
        if write is not None and versions.committed[write.txn.number]:
            for reader in readers:
                yield write.txn, reader, Why(WR, key.name, value)


def _replaced(versions: Versions, key: Key, claims: Iterable[Before]) -> Iterator[Edge]:
    for claim in claims:
        following = key.version(claim.after, versions.committed)
        assert following is not None
        writer = key.version(claim.before, versions.committed)
        if writer is not None:
            yield writer, following, Why(WW, key.name, claim.after, claim.before, claim)
        for reader in key.readers.get(claim.before, ()):
            yield reader, following, Why(RW, key.name, claim.after, claim.before, claim)


def _ended_the_start(key: Key, later: set[Hashable]) -> Iterator[Edge]:
    """Where there are very many pairs, each reader has edges to the earliest writers, and to those about its own time: what goes
    unnoticed then is left to the complete searches."""
    versions = [(value, writer) for value, writer in key.finals if value not in later]
    readers = key.readers.get(None, [])
    calls = [writer.call for _, writer in versions]
    for reader in readers:
        chosen = versions
        if len(versions) * len(readers) > MOST_PAIRS:
            at = bisect_left(calls, reader.call)
            chosen = [*versions[:NEAR], *versions[max(NEAR, at - NEAR) : at + NEAR]]
        for value, writer in chosen:
            yield reader, writer, Why(RW, key.name, value)
