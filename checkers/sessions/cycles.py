"""A circle of versions, each no newer than the next: then no order of the versions exists.

Why it exists  a guarantee is broken exactly if what it demands, with what is certain, has such a circle; the shortest one is the proof.
Relies on      edges between equal versions demanding nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from checkers.sessions.versions import Edge, Version


def circle(edges: Iterable[Edge]) -> list[Edge] | None:
    """A shortest circle of edges, each ending where the next begins; None (in linear time) if the versions can be ordered."""
    out: dict[Version, dict[Version, Edge]] = {}
    into: dict[Version, int] = {}
    for edge in edges:
        if edge.older != edge.newer and edge.newer not in out.setdefault(edge.older, {}):
            out[edge.older][edge.newer] = edge
            into[edge.newer] = into.get(edge.newer, 0) + 1
    ready = [version for version in out if not into.get(version)]
    while ready:
        for newer in out.get(ready.pop(), ()):
            into[newer] -= 1
            if not into[newer]:
                ready.append(newer)
    left = [version for version, count in into.items() if count]
    return _shortest(left, out) if left else None


def _shortest(left: list[Version], out: dict[Version, dict[Version, Edge]]) -> list[Edge]:
    best: list[Edge] = []
    inside = set(left)
    for start in left:
        came: dict[Version, Edge] = {}
        waiting = [start]
        while waiting and start not in came:
            following = []
            for version in waiting:
                for newer, edge in out.get(version, {}).items():
                    if newer in inside and newer not in came:
                        came[newer] = edge
                        following.append(newer)
            waiting = following
        if start not in came:
            continue  # it lies behind a circle, not on one
        path = [came[start]]
        while path[-1].older != start:
            path.append(came[path[-1].older])
        if not best or len(path) < len(best):
            best = path[::-1]
        if len(best) == 2:
            break
    return best
