"""Final reads on every node: after heal and settle each node is asked by at least one thread, whatever the concurrency is.

Why it exists  one node that lost or never got a write shows only when that very node is read; so all final phases are built here.
Relies on      ops that name their node (the client worker goes there); a thread that sits on that node already asks, where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from harness.generators import Generator, Thread, any_of, lift, limit, on_threads, repeat, time_limit, until_ok

TRIES = 20  # a node that refuses is asked for about 15 s (the worker backs off to a second), then it has no final read
PHASE_S = 45.0  # below the run's own limit for its final phase: what was read until then is kept


def on_every_node(nodes: Sequence[str], concurrency: int, ops_of: Callable[[str], Sequence[Any]]) -> Generator:
    """The ops of each node, one after the other on one thread a node (with fewer threads than nodes: several nodes a thread)."""
    threads = min(len(nodes), concurrency)
    work: list[list[Any]] = [[] for _ in range(threads)]
    for i, node in enumerate(nodes):
        work[i % threads].extend(ops_of(node))
    return time_limit(PHASE_S, any_of(*(on_threads(_only(i), lift(ops)) for i, ops in enumerate(work))))


def insist(fields: dict[str, Any], tries: int = TRIES) -> Generator:
    """An op asked again until it is ok, so many times at most."""
    return until_ok(limit(tries, repeat(fields)))


def _only(thread: int) -> Callable[[Thread], bool]:
    return lambda other: other == thread
