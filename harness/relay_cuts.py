"""Cuts by a cluster's own relays, by token: where namespaces are forbidden, each node's relay drops what comes from a cut caller.

Why it exists  tokens overlap, the relays take the whole set of cut pairs at once; and a relay's cut is proved like any other, by a probe.
Relies on      harness.cluster.Links. Relays die with the harness, and every cut with them: no agent is needed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from harness.cluster import Links, Status
from harness.plane import Evidence, Pair


class _Cut(NamedTuple):
    pairs: tuple[Pair, ...]
    since: float
    base: Mapping[Pair, int]


class RelayCuts:
    """All cuts of one run in relay mode."""

    def __init__(self, links: Links, status: Callable[[str], Awaitable[Status]]) -> None:
        self._links, self._status, self.mechanism = links, status, links.mechanism
        self._tokens: dict[str, _Cut] = {}

    @property
    def tokens(self) -> list[str]:
        """Tokens whose cuts are in effect."""
        return list(self._tokens)

    def holds(self, token: str) -> bool:
        """True while the token's cut is in effect."""
        return token in self._tokens

    def traces(self) -> list[str]:
        """Pairs that are cut, in words."""
        return [f"the relays cut {source} from {destination}" for source, destination in sorted(self._wanted())]

    def _wanted(self) -> set[Pair]:
        return {pair for cut in self._tokens.values() for pair in cut.pairs}

    async def cut(self, token: str, pairs: Sequence[Pair]) -> Evidence:
        """Cut the pairs, and see that a probe does not get through."""
        start = time.monotonic()
        self._tokens[token] = _Cut(tuple(pairs), start, dict(await self._links.dropped()))
        await self._links.set_cut(sorted(self._wanted()))
        took_ms = (time.monotonic() - start) * 1e3
        through = await asyncio.gather(*(self._links.probe(*pair) for pair in pairs))
        shown: list[dict[str, Any]] = [
            {"src": source, "dst": destination, "in_place": not arrived, "proof": "probe"}
            for (source, destination), arrived in zip(pairs, through, strict=True)
        ]
        leaks = [f"{pair['src']} to {pair['dst']}: the probes still got through" for pair in shown if not pair["in_place"]]
        evidence: Evidence = {"mechanism": self.mechanism, "in_place": not leaks, "pairs": shown, "took_ms": round(took_ms, 2)}
        return {**evidence, "why": "; ".join(leaks)} if leaks else evidence

    async def undo(self, token: str) -> Evidence:
        """End the token's cut. A count that began anew (a renewed cut) is taken as it stands."""
        cut = self._tokens.pop(token)
        counts = await self._links.dropped()
        await self._links.set_cut(sorted(self._wanted()))
        shown = []
        for pair in cut.pairs:
            count, base = counts.get(pair, 0), cut.base.get(pair, 0)
            shown.append({"src": pair[0], "dst": pair[1], "dropped": count - base if count >= base else count})
        whole = [pair for pair in cut.pairs if pair not in self._wanted()]
        through = await asyncio.gather(*(self._links.probe(*pair) for pair in whole))
        down = {node for pair in whole for node in pair if not (await self._status(node)).running}  # a dead node answers no probe
        silent = [pair for pair, arrived in zip(whole, through, strict=True) if not arrived and not down & set(pair)]
        idle = [[pair["src"], pair["dst"]] for pair in shown if not pair["dropped"]]
        evidence: Evidence = {
            "exercised": len(idle) < len(shown),
            "in_place": not silent,
            "pairs": shown,
            "idle": idle,
            "lasted_s": round(time.monotonic() - cut.since, 3),
        }
        return {**evidence, "why": f"a probe from {silent[0][0]} still does not reach {silent[0][1]}"} if silent else evidence
