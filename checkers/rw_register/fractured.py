"""Fractured reads: a transaction that sees some of what another one wrote, and something older in place of the rest.

Decides    whether an order of all transactions exists that has each before those that read from it and in which, for every t3 that reads
           x from t1, every other writer t2 of x that t3 reads anything from comes before t1.
Right      the rule does not mention the order itself, so what it demands is a set of edges; with the edges wr, and those ww that are known,
           the order exists exactly if they have no cycle (Biswas & Enea). Null is written before everything: to read it beside a value of a
           transaction that wrote there too is a contradiction at once.
Rules out  read atomic; and repeatable read and consistent view, since with any order of versions t3 -> t2 -> t3 is a G-single: were t2's
           version of x before t1's whenever t3 sees t2, those ww edges and wr would be acyclic.
Source     Bailis et al., Scalable atomic visibility, 2014; Biswas, Enea: On the complexity of checking transactional consistency, 2019.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from checkers.rw_register.dependencies import Edges, Why
from checkers.rw_register.versions import Versions
from checkers.transactions.components import cyclic_components
from checkers.transactions.cycles import shortest_loop
from checkers.transactions.edges import RW, WR, WW, group
from checkers.transactions.region import Region
from checkers.transactions.txns import READ, UNSEEN, Txn


class Demand(NamedTuple):
    """Why t2 comes before t1: `reader` (t3) read `shown` of key `seen` from t2, and `value` of `key`, which t2 wrote too, from t1."""

    kind: int
    key: Hashable
    value: Hashable
    reader: Txn
    seen: Hashable
    shown: Hashable


class Fracture(NamedTuple):
    """A cycle (from, why, to) of wr, ww and demands, at least one; or a wr edge and the rw edge of the same two over null."""

    steps: list[tuple[Txn, Why | Demand, Txn]]


class _Sight(NamedTuple):
    writer: Txn
    key: Hashable
    value: Hashable


def fractures(versions: Versions, always: Edges) -> list[Fracture]:
    """Those over null, once for each reader; then a shortest one for each component."""
    wrote = _written(versions)
    found: list[Fracture] = []
    order: dict[tuple[int, int], Why | Demand] = {pair: why for pair, why in always.items() if why.kind != RW}
    for number, seen in _sights(versions).items():
        reader = versions.txns[number]
        read = _reads(versions, reader)
        over_null: Fracture | None = None
        for sight in seen if len(read) > 1 else ():
            own = wrote.get(sight.writer.number, {})
            for key, value in read:
                if key not in own:
                    continue
                if value is None:
                    over_null = over_null or _over_null(sight, reader, key, own[key])
                    continue
                write = versions.keys[key].writes.get(value)
                if write is not None and write.txn is not sight.writer and versions.committed[write.txn.number]:
                    demand = Demand(WW, key, value, reader, sight.key, sight.value)
                    order.setdefault((sight.writer.number, write.txn.number), demand)
        if over_null is not None:
            found.append(over_null)
    return found + _cycles(versions.txns, order)


def _sights(versions: Versions) -> dict[int, list[_Sight]]:
    """Reader -> the committed transactions that it read from, each by its first read."""
    sights: dict[int, dict[int, _Sight]] = {}
    for key in versions.keys.values():
        for reading in key.readings:
            write = key.writes.get(reading.value) if reading.value is not None else None
            if write is not None and versions.committed[write.txn.number]:
                seen = sights.setdefault(reading.txn.number, {})
                seen.setdefault(write.txn.number, _Sight(write.txn, key.name, reading.value))
    return {reader: [seen[writer] for writer in sorted(seen)] for reader, seen in sorted(sights.items())}


def _written(versions: Versions) -> dict[int, dict[Hashable, Hashable]]:
    """Committed transaction -> key -> its version there."""
    wrote: dict[int, dict[Hashable, Hashable]] = {}
    for key in versions.keys.values():
        for value, txn in key.finals:
            wrote.setdefault(txn.number, {})[key.name] = value
    return wrote


def _reads(versions: Versions, reader: Txn) -> list[tuple[Hashable, Hashable]]:
    """Keys and values that a transaction read there from others, or null."""
    found: list[tuple[Hashable, Hashable]] = []
    for mop in reader.mops:
        if mop.kind == READ and mop.value is not UNSEEN:
            write = versions.keys[mop.key].writes.get(mop.value)
            if write is None or write.txn is not reader:
                found.append((mop.key, mop.value))
    return list(dict.fromkeys(found))


def _over_null(sight: _Sight, reader: Txn, key: Hashable, value: Hashable) -> Fracture:
    return Fracture(
        [
            (sight.writer, Why(WR, sight.key, sight.value), reader),
            (reader, Why(RW, key, value), sight.writer),
        ]
    )


def _cycles(txns: Sequence[Txn], order: dict[tuple[int, int], Why | Demand]) -> list[Fracture]:
    following: list[list[int]] = [[] for _ in txns]
    for source, target in order:
        following[source].append(target)
    found: list[Fracture] = []
    groups = cyclic_components(following, len(txns))
    grouped = group(order, {member for members in groups for member in members})
    for members in groups:
        path = shortest_loop(Region(txns, members, grouped, range(len(txns))))
        assert path is not None
        first = path.index(min(path))
        steps = [(members[source], members[target]) for source, _, target in path[first:] + path[:first]]
        proved = [(txns[source], order[source, target], txns[target]) for source, target in steps]
        if any(isinstance(why, Demand) for _, why, _ in proved):
            found.append(Fracture(proved))
    return found
