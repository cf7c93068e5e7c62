"""Proving a witness again, by brute force on the quoted operations alone.

Why it exists  whatever found a violation, this small function must agree that the operations quoted have no order.
Relies on      nothing of zones.py or search.py: it tries every order.
"""

from __future__ import annotations

from typing import Any

from harness.history.history import History
from harness.verdict import Anomaly


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted operations stand in the history and no order of them is legal. Cost: factorial in their number (about 10)."""
    ops = anomaly.witness["operations"]
    positions = {op.index: op for op in history.ops}
    if not all(op["call"] in positions and (op["ret"] is None or op["ret"] in positions) for op in ops):
        return False
    return not _some_order(ops, anomaly.witness["initial"])


def _some_order(ops: list[dict[str, Any]], state: Any) -> bool:
    if all(op["ret"] is None for op in ops):
        return True  # crashed ops need not act
    first_return = min(op["ret"] for op in ops if op["ret"] is not None)
    for i, op in enumerate(ops):
        if op["call"] < first_return:  # nothing that is left had returned before it was called
            legal, after = _step(state, op)
            if legal and _some_order(ops[:i] + ops[i + 1 :], after):
                return True
    return False


def _step(state: Any, op: dict[str, Any]) -> tuple[bool, Any]:
    if op["f"] == "read":
        return state == op["a"], state
    if op["f"] == "write":
        return True, op["a"]
    if op["f"] == "cas":
        return state == op["a"], op["b"]
    if op["f"] == "append":
        return True, state + op["a"]
    return state != op["a"], state
