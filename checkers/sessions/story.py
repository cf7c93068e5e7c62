"""A broken guarantee in words: each step of the circle of versions, with the ops that prove it.

Why it exists  "reads are not monotonic" is no explanation; who read what after what is.
Relies on      the edges' own rules (versions.py).
"""

from __future__ import annotations

from typing import Any

from checkers.linearizable.operations import CAS, show, thaw
from checkers.models import table
from checkers.sequential.programs import Node, Program
from checkers.sessions.guarantee import Broken
from checkers.sessions.versions import FIRST, FOLLOWS, OWN, READS, REALTIME, SESSION, Edge
from harness.verdict import Anomaly

MEANING = {
    "monotonic-reads": "a process read an older version after a newer one",
    "monotonic-writes": "somebody saw the writes of a process in another order than it made them",
    "read-your-writes": "a process read an older version than the one that it had written",
    "writes-follow-reads": "a write is older than what its process had read before",
}


def tell(program: Program, broken: Broken) -> Anomaly:
    """The anomaly of a broken guarantee."""
    steps = "; ".join(_step(program, edge) for edge in broken.circle)
    message = f"{MEANING[broken.guarantee]}: {steps}. So no order of the versions explains this"
    if broken.guarantee in ("monotonic-reads", "monotonic-writes") and any(edge.rule == SESSION for edge in broken.circle):
        message += (
            " (unless the writes took effect in another order than their process made them, or the reader went back: both look alike)"
        )
    nodes = [program.nodes[place] for edge in broken.circle for place in edge.ops]
    ops = sorted({index for node in nodes for index in (node.op.index, node.op.done) if index >= 0})
    names = sorted(model for model, implied in table().implies.items() if broken.guarantee in implied)
    quoted = [
        {
            "rule": edge.rule,
            "older": _version(program, edge, older=True),
            "newer": _version(program, edge, older=False),
            "ops": [program.nodes[place].op.index for place in edge.ops],
        }
        for edge in broken.circle
    ]
    witness: dict[str, Any] = {"circle": quoted, "process": broken.process}
    key = None if broken.key is None else thaw(broken.key)
    return Anomaly(broken.guarantee, message + ".", ops, key=key, rules_out=names, witness=witness)


def _version(program: Program, edge: Edge, *, older: bool) -> Any:
    """The value of a version: what the initial one holds, what its write wrote, or (by revision) the revision itself."""
    version = edge.older if older else edge.newer
    if isinstance(version, tuple):
        return {"revision": version[1]}
    return {"value": thaw(program.initial if version < 0 else program.nodes[version].op.written)}


def _step(program: Program, edge: Edge) -> str:
    nodes = [program.nodes[place] for place in edge.ops]
    first, last = nodes[0], nodes[-1]
    if edge.rule == FIRST:
        return f"{show(program.initial)} was there before {_text(last)}"
    if edge.rule == SESSION:
        return f"{_text(first)} and later {_text(last)}"
    if edge.rule == READS:
        return f"{_text(first)} and later {_text(last)}"
    if edge.rule == OWN:
        return f"{_text(first)} and later {_text(last)}"
    if edge.rule == FOLLOWS:
        return _text(first) if first is last else f"{_text(first)} and later {_text(last)}"
    if edge.rule == REALTIME:
        return f"{_text(first)} was acknowledged before {_text(last)} was invoked"
    return f"the target gives {_text(first)} an older revision than {_text(last)}"


def _text(node: Node) -> str:
    return node.text() if node.op.f != CAS or not node.op.crashed else f"{node.text()} (somebody saw it)"
