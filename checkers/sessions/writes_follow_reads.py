"""Writes follow reads: a write of a process is newer than what it had read before, for everybody.

Decides    whether an order of each key's versions exists (the initial one first, each process's own writes in the order in which it made
           them) in which each write is newer than what its process had read of that key before; and whether each process's reads fit such
           an order.
Right      a read followed by a write demands: version read <= version written. A cas that succeeded read its old value. A reader whose
           reads contradict each other or the order of writes without these demands is no matter of this guarantee.
Unknown    nobody wrote a key after reading it; a value with several writers, unless what is certain breaks it.
Rules out  writes-follow-reads and all that imply it.
Source     Terry et al., PDIS 1994 (see monotonic_reads.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from checkers.sessions.cycles import circle
from checkers.sessions.guarantee import Broken
from checkers.sessions.versions import KeyVersions

NAME = "writes-follow-reads"


def violations(one: KeyVersions, one_order: bool) -> Iterator[Broken]:
    """What breaks it on one key: a circle of the writes alone, or for each reader (or one for all)."""
    groups = {None: [edge for edges in one.reads.values() for edge in edges]}
    demanded = [*one.given, *one.follows]
    if circle([*demanded, *groups[None]]) is None:
        return
    if (found := circle(demanded)) is not None:
        yield Broken(NAME, None, one.key, found)
        return
    for process, edges in (groups if one_order else one.reads).items():
        if circle([*one.given, *edges]) is None and (found := circle([*demanded, *edges])) is not None:
            yield Broken(NAME, process, one.key, found)


def pairs(one: KeyVersions) -> int:
    """How many pairs of a read and a later write of one process were looked at."""
    return len(one.follows)
