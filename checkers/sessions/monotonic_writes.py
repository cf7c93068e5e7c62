"""Monotonic writes: everybody sees the writes of a process in the order in which it made them.

Decides    for each process whether what it read of a key, in the order in which it read, can be versions in an order in which every
           process's own writes stand as it made them.
Right      reads alone may contradict each other (a, b, a): that is no matter of writes. If they do not, but do so together with the order
           in which processes wrote, the reader saw the writes of somebody in another order.
Unknown    nobody wrote a key twice, or nobody read it twice; a value with several writers, unless what is certain breaks it.
Limits     from outside, a reader that went back to an older version looks the same: then monotonic reads is reported as broken too.
Rules out  monotonic-writes and all that imply it.
Source     Terry et al., PDIS 1994 (see monotonic_reads.py); "all processes observe w1 before w2".
"""

from __future__ import annotations

from collections.abc import Iterator

from checkers.sessions.cycles import circle
from checkers.sessions.guarantee import Broken
from checkers.sessions.versions import REVISION, KeyVersions

NAME = "monotonic-writes"


def violations(one: KeyVersions, one_order: bool) -> Iterator[Broken]:
    """What breaks it on one key: a circle for each reader (or one for all, if all must agree on the order)."""
    groups = {None: [edge for edges in one.reads.values() for edge in edges]}
    made = [*one.order, *one.session]
    if circle([*made, *groups[None]]) is None:
        return
    if (found := circle(made)) is not None:  # against the revisions that the target gave
        yield Broken(NAME, None, one.key, found)
        return
    for process, edges in (groups if one_order else one.reads).items():
        if circle([*one.order, *edges]) is None and (found := circle([*made, *edges])) is not None:
            yield Broken(NAME, process, one.key, found)


def pairs(one: KeyVersions) -> int:
    """How many pairs of writes of one process could have been seen out of order."""
    return len(one.session) if any(one.reads.values()) or any(edge.rule == REVISION for edge in one.order) else 0
