"""Kinds of edges between transactions, and the shape of a graph of them.

Why it exists  lists and registers prove their edges in different ways; the search for cycles sees only kinds.
Relies on      the order of kinds: between two transactions the first of ww, wr, rw names the step.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

WW, WR, RW, PROCESS, REALTIME = range(5)
KINDS = ("ww", "wr", "rw", "process", "realtime")


class Proof(Protocol):
    """What proves an edge; the search asks for its kind alone."""

    @property
    def kind(self) -> int:
        """WW, WR or RW."""
        ...


Graph = Mapping[tuple[int, int], Proof]  # (from, to), numbers of transactions -> what proves it


def group(edges: Graph, inside: Collection[int] | None = None) -> dict[int, list[tuple[int, int]]]:
    """Edges by source as (target, kind), targets ascending; only those between transactions `inside`, if given."""
    pairs = edges if inside is None else [pair for pair in edges if pair[0] in inside and pair[1] in inside]
    following: dict[int, list[tuple[int, int]]] = {}
    for source, target in sorted(pairs):
        following.setdefault(source, []).append((target, edges[source, target].kind))
    return following
