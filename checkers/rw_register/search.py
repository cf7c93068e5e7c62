"""Cycles among register transactions, in the three graphs at once.

Why it exists  what a history shows without any assumption has three degrees: always, by the order of processes, by real time; each has
               names of its own.
Relies on      the last graph having every edge of the others: its components, real time included, hold every cycle.
"""

from __future__ import annotations

from collections.abc import Sequence

from checkers.rw_register.dependencies import Dependencies
from checkers.transactions.components import cyclic_components, strong_components, with_real_time
from checkers.transactions.cycles import Cycle, cycles
from checkers.transactions.edges import RW, group
from checkers.transactions.region import Region
from checkers.transactions.txns import Txn
from harness.op import OK


def find_cycles(txns: Sequence[Txn], committed: Sequence[bool], found: Dependencies) -> list[Cycle]:
    """All cycles to report, by component."""
    nodes = [txn.number for txn in txns if committed[txn.number]]
    lines = _process_edges(txns, nodes)
    groups = cyclic_components(with_real_time(txns, nodes, [*found.realtime, *lines]), len(txns))
    if not groups:
        return []
    rank = strong_components(with_real_time(txns, nodes, [*(pair for pair, why in found.realtime.items() if why.kind != RW), *lines]))
    inside = {member for members in groups for member in members}
    always = group(found.always, inside)
    process = always if found.process is found.always else group(found.process, inside)
    realtime = process if found.realtime is found.process else group(found.realtime, inside)
    reported: list[Cycle] = []
    for members in groups:
        plain = Region(txns, members, always, rank)
        widened = plain if process is always else Region(txns, members, process, rank)
        reported += cycles(plain, widened, widened if realtime is process else Region(txns, members, realtime, rank))
    return reported


def _process_edges(txns: Sequence[Txn], nodes: Sequence[int]) -> list[tuple[int, int]]:
    """From each to the next in its process, for histories whose order is known within processes alone; elsewhere real time has them."""
    last: dict[int, int] = {}
    pairs: list[tuple[int, int]] = []
    for node in nodes:
        process = txns[node].process
        if process in last:
            pairs.append((last[process], node))
        if txns[node].outcome == OK:
            last[process] = node
    return pairs
