"""From what the walk found to findings: which missing elements are lost and which only came late, and what nobody ever read.

Why it exists  the same misses mean different things: no later read has the element (lost), a later one has it (stale), or a node still
               lacks it when the run reads every node at the end (lost, whatever other nodes return).
Relies on      `sweep.py`; a read that may have taken place later counts as later, so a loss is never claimed on a tie.

Rules, for a known element:
  lost-write   a final read misses it; or some read misses it, and every read that has it had completed before that one was invoked
  stale-read   some read misses it, and it is not lost
  never-read   acknowledged, no remove of it that may have happened, in no read, and no read was invoked after it was acknowledged
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import NamedTuple

from checkers.set_full.calls import INFINITY, Calls, Read
from checkers.set_full.sweep import Sweep

LOST, PHANTOM, RESURRECTED, DUPLICATE, STALE, NEVER = (
    "lost-write", "phantom-element", "resurrected", "duplicate-element", "stale-read", "never-read",
)  # fmt: skip
SEVERITY = (LOST, PHANTOM, RESURRECTED, DUPLICATE, STALE, NEVER)


class Finding(NamedTuple):
    """What is wrong with one element.

    known   the moment from which it had to be there (0 where that plays no part)
    reads   those that show it, by invocation; of many that miss it, the first and the last
    times   how many reads show it
    first   of a loss that a final read shows: the read that was the first to miss it
    lasts   not only for a while: of a removed element, it is in a final read, or in the read that began last; a stale read never lasts
    """

    type: str
    element: Hashable
    known: int
    reads: tuple[Read, ...]
    times: int = 1
    lasts: bool = True
    first: Read | None = None


def findings(calls: Calls, sweep: Sweep, final: Collection[Read]) -> list[Finding]:
    """All findings, elements known first at the front. `final`: the reads of every node at the end of a run."""
    last = max((read.call for read in calls.reads), default=-1)
    at_end = {read.call for read in final} or {last}
    found = [*_lost_or_stale(sweep, final)]
    found += [Finding(PHANTOM, element, 0, (read,)) for element, read in sweep.phantoms.items()]
    found += [Finding(RESURRECTED, element, 0, (read,), lasts=read.call in at_end) for element, read in sweep.resurrected.items()]
    found += [Finding(DUPLICATE, element, 0, (read,)) for element, read in sweep.duplicates.items()]
    found += [
        Finding(NEVER, element, known, (), 0)
        for element, known in sweep.known.items()
        if known > last and element not in sweep.seen and element not in calls.removes
    ]
    return found


def _lost_or_stale(sweep: Sweep, final: Collection[Read]) -> list[Finding]:
    last_seen = sweep.last_seen(frozenset(sweep.missing))
    lacking = _lacking(sweep, final)
    found = []
    for element, miss in sweep.missing.items():
        known = sweep.known[element]
        if element in lacking:
            found.append(Finding(LOST, element, known, tuple(lacking[element]), miss.times, first=miss.first))
            continue
        lost = last_seen.get(element, -1) < miss.last.call
        reads = (miss.last,) if lost or miss.times == 1 else (miss.first, miss.last)
        found.append(Finding(LOST if lost else STALE, element, known, reads, miss.times, lasts=lost))
    return found


def _lacking(sweep: Sweep, final: Collection[Read]) -> dict[Hashable, list[Read]]:
    """Elements that had to be in a final read and are not -> those final reads."""
    found: dict[Hashable, list[Read]] = {}
    for read in sorted(final, key=lambda read: read.call):
        for element in frozenset(sweep.missing).difference(read.elements):
            if sweep.known[element] < read.call and sweep.first_remove.get(element, INFINITY) > read.ret:
                found.setdefault(element, []).append(read)
    return found
