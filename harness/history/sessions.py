"""Histories of sessions: transactions of registers of which only the order within each session is known.

Why it exists  the formats of Cobra, Plume, dbcop and AWDIT differ in bytes and agree in this; each of them ends here.
Relies on      header {"order": "session"}: positions of different processes say nothing about time. {"first_txn": true}: the first
               transaction of the file writes the initial values and precedes all others.

A transaction is an invocation and its completion, session after session; process = session. Micro-ops are ["w", k, v] and
["r", k, v | null].
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from harness.history.history import History
from harness.op import INVOKE, OK, Op

Micro = list[Any]
ABORTED_ERROR = "aborted"  # why a transaction failed, where a file says no more
ZERO = 0  # what a register holds before its first write where the format has no null: Plume, dbcop


class SessionTxn(NamedTuple):
    """A transaction as a file has it: its session's number, ok | fail | info, its micro-ops with what reads returned, why it is no ok."""

    session: int
    outcome: str
    mops: list[Micro]
    error: str | None = None


def history_of(txns: Sequence[SessionTxn], first_txn: bool = False) -> History:
    """The history; transactions of one session must be together and in order."""
    ops: list[Op] = []
    for session, outcome, mops, error in txns:
        asked: list[Micro] = [[f, k, v if f == "w" else None] for f, k, v in mops]
        ops.append(Op(len(ops), 0, session, INVOKE, "txn", asked))
        ops.append(Op(len(ops), 0, session, outcome, "txn", mops if outcome == OK else asked, error))
    return History(ops, header_of(first_txn))


def header_of(first_txn: bool) -> dict[str, Any]:
    """The header of a history of sessions."""
    return {"order": "session", "first_txn": True} if first_txn else {"order": "session"}


def initial_zero(txns: Iterable[SessionTxn]) -> None:
    """A read of 0 saw the initial state, unless somebody wrote 0 to that key: of such a key it is a value like any other."""
    txns = list(txns)
    written = {k for txn in txns for f, k, v in txn.mops if f == "w" and v == ZERO}
    for txn in txns:
        for mop in txn.mops:
            if mop[0] == "r" and mop[2] == ZERO and mop[1] not in written:
                mop[2] = None


def is_first(txn: SessionTxn, txns: Sequence[SessionTxn]) -> bool:
    """Whether a transaction that is alone in its session writes the initial values: it only writes, each key of the file once."""
    keys = {k for other in txns for _, k, _ in other.mops}
    return len(txns) > 1 and all(f == "w" for f, _, _ in txn.mops) and len(txn.mops) == len(keys) == len({k for _, k, _ in txn.mops})
