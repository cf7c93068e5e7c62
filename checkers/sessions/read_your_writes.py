"""Read your writes: what a process reads is no older than what it wrote before.

Decides    for each process whether an order of each key's versions exists (the initial one first, each process's own writes in the order in
           which it made them) in which no read of it gives a version older than one that it had written before.
Right      its last write before a read demands: that version <= the version read. Earlier writes of it are older still.
Unknown    nobody read a key that it had written; a value with several writers, unless what is certain breaks it.
Rules out  read-your-writes and all that imply it.
Source     Terry et al., PDIS 1994 (see monotonic_reads.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from checkers.sessions.cycles import circle
from checkers.sessions.guarantee import Broken
from checkers.sessions.versions import KeyVersions

NAME = "read-your-writes"


def violations(one: KeyVersions, one_order: bool) -> Iterator[Broken]:
    """What breaks it on one key: a circle for each process (or one for all, if all must agree on the order)."""
    together = [edge for edges in one.own.values() for edge in edges]
    if (found := circle([*one.given, *together])) is None:
        return
    if one_order:
        yield Broken(NAME, None, one.key, found)
        return
    for process, edges in one.own.items():
        if (found := circle([*one.given, *edges])) is not None:
            yield Broken(NAME, process, one.key, found)


def pairs(one: KeyVersions) -> int:
    """How many pairs of a write and a later read of one process were looked at."""
    return sum(map(len, one.own.values()))
