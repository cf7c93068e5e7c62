"""Node specs: "one", "minority", "primary", "role:db", ["n1", "n2"]: who is struck, resolved at the moment of the injection.

Why it exists  who is primary is known only then; and a schedule must read as its author meant it, not as names that change.
Relies on      the view: nodes, roles, who believes to be primary, randomness of this very op.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.errors import UsageError
from harness.fault import View
from nemeses.grudges import majority

ASK_LIMIT_S = 2.0  # a paused node answers nothing
SIZES: Mapping[str, Callable[[int], int]] = {
    "one": lambda n: min(1, n),
    "minority": lambda n: majority(n) - 1,
    "majority": majority,
    "minority-third": lambda n: (n - 1) // 3,
    "halves": lambda n: n // 2,
    "all": lambda n: n,
}
NAMES = (*SIZES, "any", "primary", "primary-or-one", "role:NAME", "a node's name", "a list of names")


class NoTarget(Exception):
    """The spec names nobody now; the text says why. Nothing is injected."""


def check(spec: Any, nodes: Sequence[str], where: str) -> None:
    """Raise UsageError if a spec can never name a node of these (empty `nodes`: not known yet, names are accepted)."""
    if isinstance(spec, str) and (spec in SIZES or spec in ("any", "primary", "primary-or-one", "") or spec.startswith("role:")):
        return
    names = [spec] if isinstance(spec, str) else spec
    if isinstance(names, list) and names and all(isinstance(name, str) and (not nodes or name in nodes) for name in names):
        return
    there = ", ".join(nodes) or "n1, n2, ..."
    raise UsageError(f"{where}: target {spec!r} names no node", way_out=f"nodes are {there}; specs: {', '.join(NAMES)}")


async def resolve(spec: Any, view: View) -> list[str]:
    """The nodes that a spec means now. NoTarget with the reason if it means none."""
    nodes = list(view.nodes)
    if not isinstance(spec, str):
        return [node for node in nodes if node in spec] or _nobody(f"none of {spec} is a node")
    if spec in SIZES:
        size = SIZES[spec](len(nodes))
        return _drawn(view, nodes, size) or _nobody(f"{spec} of {len(nodes)} nodes is no node")
    if spec == "any":
        return _drawn(view, nodes, view.rng.randint(1, len(nodes)))
    if spec in ("primary", "primary-or-one"):
        return await _primaries(spec, view)
    if spec.startswith("role:"):
        return [node for node in nodes if view.roles.get(node) == spec[5:]] or _nobody(f"no node has the role {spec[5:]}")
    return [spec] if spec in nodes else _nobody(f"{spec} is no node")


async def _primaries(spec: str, view: View) -> list[str]:
    try:
        found = await asyncio.wait_for(view.primaries(), ASK_LIMIT_S)
    except TimeoutError:
        found = []
    primaries = [node for node in view.nodes if node in found]
    if primaries:
        return primaries
    return _drawn(view, list(view.nodes), 1) if spec == "primary-or-one" else _nobody("no node says that it is primary")


def _drawn(view: View, nodes: list[str], size: int) -> list[str]:
    chosen = view.rng.sample(nodes, size)
    return [node for node in nodes if node in chosen]


def _nobody(why: str) -> list[str]:
    raise NoTarget(why)
