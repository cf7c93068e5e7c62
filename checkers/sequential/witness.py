"""Proving a witness again, by brute force on the quoted operations alone.

Why it exists  whatever found a violation, this small function must agree: the operations quoted are in the history, no order (or view)
               explains them, and nothing that was left out could.
Relies on      nothing of graph.py, views.py, search.py or shrink.py: it tries every order. Operations are read as operations.py reads them.

Right  A good order of a history is still one when some of it is left out, if what is left out are reads and refusals, and writes and cas
       whose value no quoted op asks for, on keys of which no refusal is quoted (and no append, unless nothing quoted looks at the key).
       A cas may be quoted as a write of its new value: that asks for less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from checkers.linearizable.operations import APPEND, CAS, NOT, READ, WRITE, Operation, by_key, freeze
from harness.history.history import History
from harness.verdict import Anomaly

MOST = 500_000  # pairs of what is left and what the keys hold, each looked at once


class _Quoted(NamedTuple):
    op: Operation
    key: Any
    process: Any


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted operations stand in the history, have no order, and nothing that was left out matters.

    Raises ValueError if trying all orders takes too long.
    """
    witness = anomaly.witness
    process = {call.invoke.index: call.invoke.process for call in history.calls()}
    keys = by_key(history, witness["keyed"], witness["failed_cas"], witness["register"])
    recorded = {op.index: _Quoted(op, key, process[op.index]) for key, ops in keys.items() for op in ops}
    quoted = [_as_quoted(recorded, quote) for quote in witness["operations"]]
    ops = [one for one in quoted if one is not None]
    if not ops or len(ops) < len(quoted) or len({one.op.index for one in ops}) < len(ops) or not _rest_does_not_matter(recorded, ops):
        return False
    initial, model = freeze(witness["initial"]), anomaly.kind
    if model == "sequential":
        return not _some_order(ops, _program_order(ops), initial, set(range(len(ops))))
    if model == "convergent":
        return not _one_order(ops, initial)
    return any(not _some_view(ops, who, model == "causal", initial) for who in dict.fromkeys(one.process for one in ops))


def _as_quoted(recorded: Mapping[int, _Quoted], quote: Mapping[str, Any]) -> _Quoted | None:
    """The operation as quoted, if that is the truth or less."""
    one = recorded.get(quote["index"])
    if one is None or one.process != quote["process"] or freeze(quote["key"]) != one.key:
        return None
    same = (quote["f"], freeze(quote["a"]), freeze(quote["b"])) == (one.op.f, one.op.a, one.op.b)
    as_write = quote["f"] == WRITE and one.op.f == CAS and freeze(quote["a"]) == one.op.b
    if not (same or as_write):
        return None
    return one._replace(op=one.op._replace(f=quote["f"], a=freeze(quote["a"]), b=freeze(quote["b"])))


def _rest_does_not_matter(recorded: Mapping[int, _Quoted], quoted: Sequence[_Quoted]) -> bool:
    there = {one.op.index for one in quoted}
    asked = {(one.key, one.op.a) for one in quoted if one.op.f in (READ, CAS)}
    looked = {one.key for one in quoted if one.op.f in (READ, CAS, NOT)}
    strict = {one.key for one in quoted if one.op.f == NOT}
    strings = {one.key for one in recorded.values() if one.op.f == APPEND}
    for index, one in recorded.items():
        if index in there or one.op.f in (READ, NOT):
            continue
        if one.key in strict or (one.key in strings and one.key in looked) or (one.key, one.op.written) in asked:
            return False
    return True


def _program_order(ops: Sequence[_Quoted]) -> set[tuple[int, int]]:
    return {
        (i, j) for i, a in enumerate(ops) for j, b in enumerate(ops) if a.process == b.process and not a.op.crashed and a.op.ret < b.op.call
    }


def _some_order(ops: Sequence[_Quoted], order: set[tuple[int, int]], initial: Any, answering: set[int]) -> bool:
    """Whether one order keeps `order` and explains what those answering saw; crashed ops need not act."""
    dead: set[tuple[frozenset[int], tuple[tuple[str, Any], ...]]] = set()

    def complete(left: frozenset[int], held: dict[Any, Any]) -> bool:
        if all(ops[i].op.crashed for i in left):
            return True
        state = (left, tuple((repr(key), held[key]) for key in sorted(held, key=repr)))
        if state in dead:
            return False
        for i in left:
            if any((j, i) in order for j in left):
                continue
            legal, after = _step(held.get(ops[i].key, initial), ops[i].op, i in answering)
            if legal and complete(left - {i}, {**held, ops[i].key: after}):
                return True
        dead.add(state)
        if len(dead) > MOST:
            raise ValueError(f"{len(ops)} operations have too many orders to try them all")
        return False

    return complete(frozenset(range(len(ops))), {})


def _step(state: Any, op: Operation, answers: bool) -> tuple[bool, Any]:
    if op.f == READ:
        return not answers or state == op.a, state
    if op.f == WRITE:
        return True, op.a
    if op.f == CAS:
        return not answers or state == op.a, op.b
    if op.f == NOT:
        return not answers or state != op.a, state
    return True, state + op.a


def _causality(ops: Sequence[_Quoted], order: set[tuple[int, int]]) -> set[tuple[int, int]] | None:
    """Program order and who read from whom, closed; None if some read's writer is not the only one (then this says nothing)."""
    found = set(order)
    for i, one in enumerate(ops):
        if one.op.f == READ or (one.op.f == CAS and not one.op.crashed):
            writers = [
                j
                for j, other in enumerate(ops)
                if j != i and other.key == one.key and other.op.f in (WRITE, CAS) and other.op.written == one.op.a
            ]
            if len(writers) > 1:
                return None
            found |= {(j, i) for j in writers}
    while more := {(i, k) for i, j in found for j2, k in found if j == j2} - found:
        found |= more
    return found


def _some_view(ops: Sequence[_Quoted], who: Any, causal: bool, initial: Any) -> bool:
    """Whether a process has an order of all writes and what it read itself."""
    order = _program_order(ops)
    closed = _causality(ops, order) if causal else order
    if closed is None or any((i, i) in closed for i in range(len(ops))):
        return closed is None
    mine = [i for i, one in enumerate(ops) if one.op.f in (WRITE, CAS) or one.process == who]
    answering = {n for n, i in enumerate(mine) if ops[i].process == who and not ops[i].op.crashed}
    seen = {(ops[i].key, ops[i].op.a) for i in range(len(ops)) if ops[i].op.f in (READ, CAS)}
    part = []
    for i in mine:  # a crashed write whose value was seen took place
        op = ops[i].op
        part.append(ops[i]._replace(op=op._replace(ret=-1)) if op.crashed and (ops[i].key, op.written) in seen else ops[i])
    return _some_order(part, {(mine.index(i), mine.index(j)) for i, j in closed if i in mine and j in mine}, initial, answering)


def _one_order(ops: Sequence[_Quoted], initial: Any) -> bool:
    """Whether some order of the writes gives each read the last of those that came causally before it."""
    closed = _causality(ops, _program_order(ops))
    if closed is None:
        return True
    if any((i, i) in closed for i in range(len(ops))):
        return False
    reads = [i for i, one in enumerate(ops) if one.op.f == READ or (one.op.f == CAS and not one.op.crashed)]

    def explains(placed: list[int]) -> bool:
        for read in reads:
            before = [i for i in placed if (i, read) in closed and ops[i].key == ops[read].key]
            if (ops[before[-1]].op.written if before else initial) != ops[read].op.a:
                return False
        return True

    def place(left: list[int], placed: list[int]) -> bool:
        if not left:
            return explains(placed)
        return any(place([j for j in left if j != i], [*placed, i]) for i in left if not any((j, i) in closed for j in left))

    return place([i for i, one in enumerate(ops) if one.op.f in (WRITE, CAS)], [])
