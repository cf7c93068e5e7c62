"""The fault plane: the one protocol between nemeses and clusters.

Why it exists  a fault says what to break; how depends on where the nodes are. Every cluster implements this protocol or says why not.
Relies on      a fault agent beside the nodes that holds each effect under a lease and undoes all when its beats stop.

Each effect belongs to a `token` (any text; the schedule uses the index of the nemesis op's invocation). Effects of several tokens may
overlap on the same pair or process: one is undone when its last token is. Every method returns evidence (JSON): what was really done, by
which mechanism, and whether it was *in place* by the agent's own probe; `undo` returns the same effect's *exercised* figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

Evidence = dict[str, Any]
Pair = tuple[str, str]  # (source, destination): the destination no longer receives what the source sends


class Mechanism(msgspec.Struct):
    """How a kind of effect is made here: `name` of the mechanism, or why not and how to mend it."""

    effect: str  # links | process | pause | clock | shape | limit | disk
    name: str = ""
    works: bool = True
    why: str = ""
    mend: str = ""


class ClockChange(msgspec.Struct):
    """A wall clock as it shall run from now on: shifted by offset_ns, at `rate`, plus a square wave of strobe_ns every period."""

    offset_ns: int = 0
    rate: float = 1.0
    strobe_ns: int = 0
    strobe_period_ns: int = 0


class FaultPlane(Protocol):
    """What faults may ask of a cluster. Raises Unsupported (with why and mend) where a kind cannot be made here."""

    async def mechanisms(self) -> Mapping[str, Mechanism]:
        """effect -> mechanism, probed at the cluster's start."""
        ...

    async def cut(self, token: str, pairs: Sequence[Pair]) -> Evidence:
        """Drop what goes along these ordered pairs, on every address of both, in one transaction.

        Evidence: {"mechanism", "in_place": bool, "pairs": [{"src", "dst", "in_place"}], "why"?, "took_ms"}.
        """
        ...

    async def pause(self, token: str, nodes: Sequence[str]) -> Evidence:
        """Stop every process of the nodes until none runs.

        Evidence: {"mechanism", "in_place", "nodes": {n: {"pids": [...], "in_place"}}}.
        """
        ...

    async def kill(self, token: str, nodes: Sequence[str]) -> Evidence:
        """SIGKILL every process of the nodes at once; they stay down until `start`. Evidence as for pause."""
        ...

    async def start(self, nodes: Sequence[str]) -> Evidence:
        """Start services that are down; running ones are left. Evidence: {"nodes": {n: {"pids", "started": bool}}}."""
        ...

    async def skew(self, token: str, clocks: Mapping[str, ClockChange]) -> Evidence:
        """Make the nodes' wall clocks run as given; re-applied when a node restarts while the token lives.

        Evidence: {"mechanism", "in_place", "nodes": {n: {"pids", "offset_ns" (read back), "in_place"}}}.
        """
        ...

    async def shape(self, token: str, pairs: Sequence[Pair], **quality: Any) -> Evidence: ...

    async def limit(self, token: str, nodes: Sequence[str], **limits: Any) -> Evidence: ...

    async def disk(self, token: str, nodes: Sequence[str], **what: Any) -> Evidence: ...

    async def undo(self, token: str) -> Evidence:
        """Undo one token's effects (twice is once). Evidence: {"exercised": bool, "in_place": bool (undone, by probe), ...figures}."""
        ...

    async def heal(self, closing: bool = False) -> Evidence:
        """Undo everything, resume and start all nodes, verify. Idempotent; `closing`: nothing is injected afterwards.

        Evidence: {"healed": bool, "left": [...], "tokens": {token: what `undo` of it would have given}}.
        """
        ...

    async def traces(self) -> list[str]:
        """What of ours is still in effect, in words; empty when nothing is."""
        ...
