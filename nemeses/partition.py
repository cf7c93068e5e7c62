"""Partitions: ordered pairs of nodes no longer hear each other.

Breaks        elections, replication, failover, requests routed to the wrong side; and, when it ends, the merging of two histories.
Kinds         split (targets | rest), one, halves, majority, minority, minority-third, primary, alone (each target for itself),
              majorities-ring, bridge, one-way, custom (pairs).
Mechanism     packets are dropped on the bridge or at the receiver, all addresses of both nodes, v4 and v6; no reset, no sender's error.
Proof         packets of the agent's own do not arrive; exercised: packets of the nodes' own were dropped (idle pairs are listed).
Undone by     heal, the run's end, the harness's death, the lease. Established TCP resumes at its next retransmission only.
Cannot reach  networks without a bridge here (macvlan, overlay); clients on the host stay connected. A one-way cut stalls TCP both ways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, ClassVar

from harness.fault import Outcome, View
from harness.plane import FaultPlane
from nemeses import grudges
from nemeses.outcomes import proved, undone
from nemeses.targets_spec import NoTarget, resolve

SIDES = ("one", "halves", "majority", "minority", "minority-third", "primary")  # shapes that are node specs: they draw the one side
SHAPES = ("split", *SIDES, "alone", "majorities-ring", "bridge", "one-way", "custom")


class Partition:
    """Cut links."""

    name: ClassVar[str] = "partition"
    effect: ClassVar[str] = "links"
    title: ClassVar[str] = "nodes do not hear each other: split, one-way, bridge, ring, ..."
    params: ClassVar[Mapping[str, Any]] = {"shape": "split", "pairs": [], "direction": "out"}
    choices: ClassVar[Mapping[str, Sequence[str]]] = {"shape": SHAPES, "direction": ("out", "in")}

    def draw(self, rng: Random, nodes: Sequence[str], failover_s: float) -> tuple[Any, dict[str, Any]]:
        """Mostly one node alone: 88 % of known failures need no more (OSDI 2018), half of the time the primary."""
        odd = [("one", {"shape": "bridge"}), ("", {"shape": "majorities-ring"})] if len(nodes) > 3 else []
        drawn: list[tuple[Any, dict[str, Any]]] = [
            ("one", {"shape": "split"}),
            ("one", {"shape": "split"}),
            ("primary-or-one", {"shape": "split"}),
            ("primary-or-one", {"shape": "split"}),
            ("", {"shape": "halves"}),
            ("primary-or-one", {"shape": "one-way", "direction": rng.choice(["out", "in"])}),
            *odd,
        ]
        return rng.choice(drawn)

    async def inject(self, plane: FaultPlane, token: str, targets: Sequence[str], params: Mapping[str, Any], view: View) -> Outcome:
        """Cut the pairs that the shape makes of the targets."""
        pairs = await self._pairs(targets, params, view)
        if not pairs:
            return Outcome("skipped", f"{params['shape']} of {len(view.nodes)} nodes cuts no pair")
        return await proved(plane, token, await plane.cut(token, pairs))

    async def _pairs(self, targets: Sequence[str], params: Mapping[str, Any], view: View) -> list[grudges.Pair]:
        nodes, shape = list(view.nodes), params["shape"]
        if shape == "custom":
            return sorted({(source, destination) for source, destination in params["pairs"] if {source, destination} <= set(nodes)})
        if shape in ("majorities-ring", "bridge"):
            first = list(targets[:1])
            rest = view.rng.sample([node for node in nodes if node not in first], len(nodes) - len(first))
            return grudges.majorities_ring(first + rest) if shape == "majorities-ring" else grudges.bridge(first + rest)
        side = list(targets) or await resolve(shape if shape in SIDES else "one", view)
        if len(side) == len(nodes) and shape != "alone":
            raise NoTarget("all nodes are on one side: nothing is cut")
        if shape == "alone":
            return grudges.alone(side, nodes)
        if shape == "one-way":
            others = [node for node in nodes if node not in side]
            return grudges.one_way(side, others) if params["direction"] == "out" else grudges.one_way(others, side)
        return grudges.split(side, nodes)

    async def heal(self, plane: FaultPlane, token: str) -> Outcome:
        """Links are whole again, as far as no other token cuts them."""
        return await undone(plane, token)
