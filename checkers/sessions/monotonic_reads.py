"""Monotonic reads: once a process has read a version, it reads no older one.

Decides    for each process whether an order of each key's versions exists (the initial one first, each process's own writes in the order in
           which it made them) in which its reads of that key never go back.
Right      the reads demand: version of one <= version of the next. An order exists exactly if these and what is certain have no circle.
Unknown    nobody read a key twice; a value with several writers, unless what is certain breaks it.
Rules out  monotonic-reads and all that imply it.
Source     Terry, Demers, Petersen, Spreitzer, Theimer, Welch: Session guarantees for weakly consistent replicated data, PDIS 1994; each
           process has an order of its own, as in Brzezinski, Sobaniec, Wawrzyniak: From session causality to causal consistency, 2004.
"""

from __future__ import annotations

from collections.abc import Iterator

from checkers.sessions.cycles import circle
from checkers.sessions.guarantee import Broken
from checkers.sessions.versions import KeyVersions

NAME = "monotonic-reads"


def violations(one: KeyVersions, one_order: bool) -> Iterator[Broken]:
    """What breaks it on one key: a circle for each process (or one for all, if all must agree on the order)."""
    together = [edge for edges in one.reads.values() for edge in edges]
    if (found := circle([*one.given, *together])) is None:
        return
    if one_order:
        yield Broken(NAME, None, one.key, found)
        return
    for process, edges in one.reads.items():
        if (found := circle([*one.given, *edges])) is not None:
            yield Broken(NAME, process, one.key, found)


def pairs(one: KeyVersions) -> int:
    """How many pairs of reads of one process were looked at."""
    return sum(map(len, one.reads.values()))
