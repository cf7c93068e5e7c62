"""What the ops of a file show: the name that `--as` would take.

Why it exists  most histories say by their f's what they are of; nobody should have to name it.
Relies on      the first ops being like the others. Where two models share their f's, nothing is guessed: the name is "".
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.history.history import History
from harness.op import Op


def infer_model(history: History) -> str:
    """What the ops show: the name that `--as` would take, or "" if nobody can tell."""
    if history.txns is not None and (model := _txn_model(op for op in history.ops[:100] if op.is_client)):
        return model
    clients = [op for op in history.ops[:5000] if op.is_client]
    fs = {op.f for op in clients}
    if fs & {"txn"} or (not fs - {"", "txn"}):
        return _txn_model(clients)
    if fs <= {"get", "put", "append"}:
        return "kv"
    if fs <= {"read", "write"}:
        return "register"
    if fs <= {"read", "write", "cas"}:
        return "cas-register"
    if fs <= {"add", "read", "remove"}:
        return _add_model(history)
    if fs <= {"transfer", "read"}:
        return "bank"
    if fs & {"enqueue", "dequeue"}:
        return "queue"
    return ""


def _txn_model(clients: Iterable[Op]) -> str:
    for op in clients:
        for mop in op.value if isinstance(op.value, list) else []:
            if isinstance(mop, list) and len(mop) == 3:
                if mop[0] == "append" or (mop[0] == "r" and isinstance(mop[2], list)):
                    return "list-append"
                if mop[0] == "w":
                    return "rw-register"
    return ""


def _add_model(history: History) -> str:
    """A set's reads give lists, a counter's numbers."""
    for op in history.ops:
        if op.is_client and op.f == "read" and op.type == "ok":
            value = op.value.get("value") if isinstance(op.value, dict) else op.value
            if value is not None:
                return "set-full" if isinstance(value, list) else "counter"
    return "set-full"
