"""The versions of a key and what is certain about their order: who wrote which, who saw which, and which came first.

Why it exists  every session guarantee speaks of older and newer versions; what makes one newer is decided in this file alone.
Relies on      sequential/programs.py for who read from whom. A version is the write that made it (-1: the initial one); with
               `versions` = "ext" it is the revision that the target gave, in `ext` of the completion, as {"revision": n}.

The order of versions (edges, each with the two ops that prove it):
    first      the initial version is the oldest
    session    a process's writes of a key, in the order in which it made them (an op of unknown outcome comes before nothing)
    real-time  only with `versions` = "realtime": one write was acknowledged before the other was invoked
    revision   only with `versions` = "ext": the target says so
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

from checkers.linearizable.operations import CAS
from checkers.sequential.programs import Program, Sources

FIRST, SESSION, REALTIME, REVISION = "first", "session", "real-time", "revision"
READS, OWN, FOLLOWS = "reads", "own-write", "follows"
INITIAL = -1
Version = Any  # place of the write in the program, INITIAL, or ("revision", n)


class Edge(NamedTuple):
    """`older` is no newer than `newer`: by which rule, and the ops (places in the program) that prove it."""

    older: Version
    newer: Version
    rule: str
    ops: tuple[int, ...]


class KeyVersions(NamedTuple):
    """The edges of one key: `order` is certain; `session` as well, unless the target's revisions say otherwise; `given` both, or
    revisions alone.

    Then what is demanded: by the reads of each process, by its reads after own writes, and by writes that follow reads.
    """

    key: Any
    order: list[Edge]
    session: list[Edge]
    given: list[Edge]
    reads: dict[Any, list[Edge]]
    own: dict[Any, list[Edge]]
    follows: list[Edge]


class Seen(NamedTuple):
    """What each node read and wrote, as versions; a node whose version nobody can tell is in neither."""

    read: dict[int, Version]
    wrote: dict[int, Version]


def versions_seen(program: Program, sources: Sources, revisions: Mapping[int, int] | None) -> Seen:
    """The versions by who read from whom, or by the revisions that the target gave (node -> revision)."""
    happened = set(sources.happened(program))
    if revisions is None:
        return Seen(dict(sources.source.items()), {place: place for place in happened})
    read: dict[int, Version] = {}
    wrote: dict[int, Version] = {}
    for place, node in enumerate(program.nodes):
        revision = revisions.get(place)
        if node.writes:
            if revision is not None:
                wrote[place] = ("revision", revision)
            if node.op.f == CAS and (source := sources.source.get(place)) is not None:
                read[place] = INITIAL if source < 0 else ("revision", revisions[source]) if source in revisions else None
        elif node.reads:
            if revision is not None and (node.op.a != program.initial or sources.source.get(place) != -1):
                read[place] = ("revision", revision)
            elif sources.source.get(place) == -1:
                read[place] = INITIAL
    return Seen({place: version for place, version in read.items() if version is not None}, wrote)


def by_key(program: Program, seen: Seen, versions: str) -> list[KeyVersions]:
    """All keys, in order of their first operation; edges in order of the ops that prove them.

    Of what a process wrote before a read the last counts, since its writes are in order; of what it read before a write all that it read
    since its write before. Where revisions order the versions, the newest counts.
    """
    keys: dict[Any, KeyVersions] = {}
    last_read: dict[tuple[Any, Any], int] = {}
    last_write: dict[tuple[Any, Any], int] = {}
    own: dict[tuple[Any, Any], int] = {}
    since: dict[tuple[Any, Any], list[int]] = {}
    for place, node in enumerate(program.nodes):
        one = keys.setdefault(node.key, KeyVersions(node.key, [], [], [], {}, {}, []))
        at = (node.key, node.process)
        if place in seen.read:
            version = seen.read[place]
            if (before := last_read.get(at)) is not None:
                one.reads.setdefault(node.process, []).append(Edge(seen.read[before], version, READS, (before, place)))
            if (wrote := own.get(at)) is not None:
                one.own.setdefault(node.process, []).append(Edge(seen.wrote[wrote], version, OWN, (wrote, place)))
            last_read[at] = place
            since[at] = _newest([*since.get(at, []), place], seen.read, versions)
        if place in seen.wrote:
            version = seen.wrote[place]
            one.order.append(Edge(INITIAL, version, FIRST, (place,)))
            if (wrote := last_write.get(at)) is not None:
                one.session.append(Edge(seen.wrote[wrote], version, SESSION, (wrote, place)))
            one.follows.extend(Edge(seen.read[before], version, FOLLOWS, (before, place)) for before in since.get(at, ()))
            if not node.op.crashed:
                last_write[at] = place
                own[at] = _newest([own.get(at, place), place], seen.wrote, versions)[-1]
                if versions != "ext":
                    since[at] = []
    for one in keys.values():
        if versions == "ext":
            one.order.extend(_by_revision(one, seen))
        elif versions == "realtime":
            one.order.extend(_by_time(program, sorted({edge.newer for edge in one.order})))
        one.given.extend([*one.order, *(one.session if versions != "ext" else ())])
    return list(keys.values())


def _newest(places: list[int], table: Mapping[int, Version], versions: str) -> list[int]:
    """By revisions the node with the newest version alone, else all of them."""
    if versions != "ext":
        return places
    return [max(places, key=lambda place: -1 if table[place] == INITIAL else table[place][1])]


def _by_revision(one: KeyVersions, seen: Seen) -> list[Edge]:
    """The revisions that somebody wrote or saw on the key, one after the other."""
    groups = [one.order, one.follows, *one.reads.values(), *one.own.values()]
    of_key = {op for edges in groups for edge in edges for op in edge.ops}
    example: dict[int, int] = {}
    for table in (seen.wrote, seen.read):
        for place in sorted(of_key & table.keys()):
            if table[place] != INITIAL:
                example.setdefault(table[place][1], place)
    order = sorted(example)
    found = [Edge(INITIAL, ("revision", order[0]), FIRST, (example[order[0]],))] if order else []
    for older, newer in itertools.pairwise(order):
        found.append(Edge(("revision", older), ("revision", newer), REVISION, (example[older], example[newer])))
    return found


def _by_time(program: Program, writes: list[int]) -> list[Edge]:
    """Acknowledged before invoked. Enough edges: from a write to those invoked after its return and before any of these returned."""
    found: list[Edge] = []
    by_return = sorted((write for write in writes if not program.nodes[write].op.crashed), key=lambda write: program.nodes[write].op.ret)
    recent: list[int] = []  # those that returned and have not yet been followed by one that returned
    at = 0
    for write in writes:
        op = program.nodes[write].op
        while at < len(by_return) and program.nodes[by_return[at]].op.ret < op.call:
            done = by_return[at]
            recent = [other for other in recent if program.nodes[other].op.ret > program.nodes[done].op.call]
            recent.append(done)
            at += 1
        found += [Edge(other, write, REALTIME, (other, write)) for other in recent]
    return found
