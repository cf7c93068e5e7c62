"""Proving cycles again: that the edges of a witness make one cycle, and what such a cycle is called.

Why it exists  the small verifiers of lists and of registers prove edges by their own definitions; these parts are the same for both.
Relies on      nothing that finds cycles.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec


def same(a: Any, b: Any) -> bool:
    """Equal by type and value, as JSON."""
    return type(a) is type(b) and bool(msgspec.json.encode(a, order="deterministic") == msgspec.json.encode(b, order="deterministic"))


def has(elements: Sequence[Any], element: Any) -> bool:
    """One of them is the same."""
    return any(same(element, other) for other in elements)


def one_cycle(edges: Sequence[dict[str, Any]]) -> bool:
    """Each edge begins where the one before ended, and no transaction is met twice."""
    joined = all(edge["to"] == after["from"] for edge, after in zip(edges, [*edges[1:], edges[0]], strict=True))
    visited = [edge["from"] for edge in edges]
    return joined and len(set(visited)) == len(visited)


def cycle_type(edges: Sequence[dict[str, Any]]) -> str:
    """The name of a cycle with these kinds of edges; an edge that holds "by" an order of time or process counts as one of that kind too."""
    kinds = [edge["kind"] for edge in edges]
    rw = kinds.count("rw")
    if rw == 0:
        base = "G1c" if "wr" in kinds else "G0"
    elif rw == 1:
        base = "G-single-item"
    else:
        touching = any(a == b == "rw" for a, b in pairwise([*kinds, kinds[0]]))
        base = "G2-item" if touching else "G-nonadjacent-item"
    orders = {*kinds, *(edge.get("by") for edge in edges)}
    return base + ("-realtime" if "realtime" in orders else "-process" if "process" in orders else "")
