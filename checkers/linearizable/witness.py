"""Proving a witness again, by brute force on the quoted operations alone.

Why it exists  whatever found a violation, this small function must agree: the operations quoted are in the history, they have no order, and
               nothing that was left out could give them one.
Relies on      nothing of zones.py, search.py or window.py: it tries every order. Operations are read as operations.py reads them.

Right  What may be left out of a history with an order, so that the rest still has one:
       - all that was called after the last return that is quoted; and a return may be forgotten, as if the op were still open;
       - reads and refused cas; if no refusal is quoted, writes and cas whose value no quoted op reads or compares;
       - of strings that are appended to, if neither a cas nor a refusal is quoted: an append of what stands in no quoted read, a write of
         what no quoted read begins with: between it and the next write there is no quoted read. Where all appends were left out so, what
         is left is a register;
       - all that returned before one completed read was called, if that read is quoted as `held` (at a moment within it the register had
         that value, whoever wrote it) and all other quoted reads, cas and refusals were called after it had returned.
       A cas may be quoted as a write of its new value: that demands less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from checkers.linearizable.operations import APPEND, CAS, HELD, INFINITY, NOT, READ, WRITE, Operation, by_key, freeze
from harness.history.history import History
from harness.verdict import Anomaly

MOST = 500_000  # pairs of what is left and the state, each looked at once


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted operations stand in the history, have no order, and nothing that was left out matters.

    Raises ValueError if trying all orders takes too long; up to 14 operations it does not.
    """
    witness = anomaly.witness
    keys = by_key(history, witness["keyed"], witness["failed_cas"], witness["model"])
    recorded = {op.call: op for op in keys.get(freeze(anomaly.key), [])}
    quoted = [_quoted(recorded, quote) for quote in witness["operations"]]
    ops = [op for op in quoted if op is not None]
    if len(ops) < len(quoted) or len({op.call for op in ops}) < len(ops):
        return False
    return _rest_does_not_matter(list(recorded.values()), ops) and not _some_order(ops, freeze(witness["initial"]))


def _quoted(recorded: Mapping[int, Operation], quote: Mapping[str, Any]) -> Operation | None:
    """The operation as quoted, if that is the truth or less."""
    op = recorded.get(quote["call"])
    if op is None:
        return None
    same = (quote["f"], freeze(quote["a"]), freeze(quote["b"])) == (op.f, op.a, op.b)
    as_held = quote["f"] == HELD and op.f == READ and freeze(quote["a"]) == op.a
    as_write = quote["f"] == WRITE and op.f == CAS and freeze(quote["a"]) == op.b
    if not (same or as_held or as_write) or quote["ret"] not in (None, op.ret):
        return None
    ret = INFINITY if quote["ret"] is None else op.ret
    return op._replace(f=quote["f"], a=freeze(quote["a"]), b=freeze(quote["b"]), ret=ret)


def _rest_does_not_matter(recorded: Sequence[Operation], quoted: Sequence[Operation]) -> bool:
    held = [op for op in quoted if op.f == HELD]
    begin = held[0].call if held else -1
    if len(held) > 1 or (held and any(op.f in (READ, CAS, NOT) and op.call < held[0].ret for op in quoted)):
        return False
    end = max((op.ret for op in quoted if not op.crashed), default=-1)
    calls = {op.call for op in quoted}
    asked = {op.a for op in quoted if op.f in (READ, CAS)}
    texts = [op.a for op in quoted if op.f == READ]
    appended = any(op.f == APPEND for op in quoted)
    strings = any(op.f == APPEND and op.call <= end and op.ret >= begin for op in recorded)
    strict = any(op.f == NOT or (strings and op.f == CAS) for op in quoted)
    for op in recorded:
        if op.call in calls or op.call > end or op.ret < begin or op.f in (READ, NOT):
            continue
        if strict or (op.f == APPEND and any(op.written in text for text in texts)):
            return False
        if op.f != APPEND and (any(text.startswith(op.written) for text in texts) if appended else op.written in asked):
            return False
    return True


def _some_order(ops: Sequence[Operation], initial: Any) -> bool:
    """Whether any order of the ops is legal; open ones need not act."""
    dead: set[tuple[frozenset[int], Any]] = set()

    def complete(left: frozenset[int], state: Any) -> bool:
        first_return = min((ops[i].ret for i in left if not ops[i].crashed), default=None)
        if first_return is None:
            return True
        if (left, state) in dead:
            return False
        for i in left:
            if ops[i].call < first_return:  # nothing that is left had returned before it was called
                legal, after = _step(state, ops[i])
                if legal and complete(left - {i}, after):
                    return True
        dead.add((left, state))
        if len(dead) > MOST:
            raise ValueError(f"{len(ops)} operations have too many orders to try them all")
        return False

    return complete(frozenset(range(len(ops))), initial)


def _step(state: Any, op: Operation) -> tuple[bool, Any]:
    if op.f == READ:
        return state == op.a, state
    if op.f in (WRITE, HELD):
        return True, op.a
    if op.f == CAS:
        return state == op.a, op.b
    if op.f == APPEND:
        return True, state + op.a
    return state != op.a, state
