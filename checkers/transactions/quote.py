"""Transactions in plain words: quoted by name, process, ops and micro-ops, and the anomaly that they make.

Why it exists  all findings on transactions quote them alike, so that whoever reads one reads the others.
Relies on      the caller knowing how a read is said and stored: a list and a register's value differ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from checkers.models import ruled_out, weakest
from checkers.transactions.edges import PROCESS, REALTIME
from checkers.transactions.txns import Mop, Txn, plain
from harness.verdict import Anomaly


def quoted(name: str, txn: Txn, say: Callable[[Mop], str]) -> str:
    """A transaction: its name, micro-ops, process, ops."""
    ops = "–".join(f"#{index}" for index in txn.ops)
    unsure = "" if txn.outcome == "ok" else f", {txn.outcome}"
    return f"{name} = ({'; '.join(map(say, txn.mops))}) by process {txn.process}, {ops}{unsure}"


def ordered(kind: int, first: Txn, second: Txn, name: str, other: str) -> str:
    """An edge by the process's order or by real time."""
    if kind == PROCESS:
        return f"process {first.process} executed {name} (#{first.call}) before {other} (#{second.call})"
    assert kind == REALTIME
    return f"{name} had completed (#{first.ret}) before {other} was invoked (#{second.call})"


def rules_out(type_: str) -> list[str]:
    """Models that a type rules out, the weakest first."""
    models = ruled_out([type_])
    first = weakest(models)
    return first + sorted(models - set(first))


def anomaly(
    type_: str, message: str, txns: dict[str, Txn], value: Callable[[Mop], Any], witness: dict[str, Any], key: Any = None
) -> Anomaly:
    """An anomaly whose witness quotes these transactions by name; `value` gives what a micro-op wrote or read as JSON."""
    ops = sorted({index for txn in txns.values() for index in txn.ops})
    cast = [
        {
            "name": name,
            "process": txn.process,
            "ops": txn.ops,
            "outcome": txn.outcome,
            "value": [[mop.kind, plain(mop.key), value(mop)] for mop in txn.mops],
        }
        for name, txn in txns.items()
    ]
    return Anomaly(type_, message, ops, key=key, rules_out=rules_out(type_), witness={"txns": cast, **witness})
