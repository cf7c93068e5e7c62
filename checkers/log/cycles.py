"""Cycles of transactions through a log: who polled whose value, and who stands behind whom.

Why it exists  a value that flows in a circle was visible before its transaction had committed.
Relies on      wr: the writer of a polled value -> the poller; ww: the writers of neighbours in the log. Sends of two transactions may
               interleave in a log, so only cycles without ww are forbidden; those that need ww are shown.
"""

from __future__ import annotations

from collections.abc import Hashable
from itertools import pairwise
from typing import NamedTuple

from checkers.log.logs import Logs
from checkers.transactions.components import cyclic_components, strong_components, with_real_time
from checkers.transactions.cycles import Cycle, cycles
from checkers.transactions.edges import WR, WW, group
from checkers.transactions.region import Region
from checkers.transactions.txns import Txn


class Why(NamedTuple):
    """What proves an edge: of wr the value that was polled; of ww the value, and the one before it in the log."""

    kind: int
    key: Hashable
    value: Hashable
    before: Hashable = None


Edges = dict[tuple[int, int], Why]


def dependencies(logs: Logs) -> tuple[Edges, Edges]:
    """(wr edges, ww and wr edges): (from, to) in numbers of ops -> why. Of two reasons wr goes first in the first, ww in the second."""
    polled: Edges = {}
    for name, readers in logs.read.items():
        writer = logs.writer(name)
        for reader in readers:
            if writer is not None and writer.number != reader.number:
                polled.setdefault((writer.number, reader.number), Why(WR, *name))
    behind: Edges = {}
    for key, offsets in logs.at.items():
        for before, after in pairwise(sorted(offsets)):
            pair = [(key, value) for value in (*offsets[before], *offsets[after])]
            if len(pair) > 2 or any(len(logs.places[name]) > 1 for name in pair):  # nobody knows which of them is the one
                continue
            first, second = map(logs.writer, pair)
            known = first is not None and second is not None and logs.committed[first.number] and logs.committed[second.number]
            if known and first is not None and second is not None and first.number != second.number:
                behind.setdefault((first.number, second.number), Why(WW, key, offsets[after][0], offsets[before][0]))
    return polled, {**polled, **behind}


def find(logs: Logs, edges: Edges) -> list[Cycle]:
    """One shortest cycle of each type in each component."""
    txns = [Txn(op.number, op.process, op.call, op.ret, op.done, op.outcome, ()) for op in logs.ops]
    moves = [op.number for op in logs.ops if logs.committed[op.number] and (op.sends or op.polls)]
    graph = with_real_time(txns, moves, edges)
    groups = cyclic_components(graph, len(txns))
    if not groups:
        return []
    rank = strong_components(graph)
    following = group(edges)
    return [cycle for members in groups for cycle in cycles(Region(txns, members, following, rank))]
