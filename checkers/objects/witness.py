"""Proving a witness again from the history and the model alone, by trying every order.

Why it exists  whatever found a violation, this small function must agree that the quoted operations have no order.
Relies on      the model's step, which is the definition, and its parts; nothing of the search.

Right  What may be left out of a history with an order, so that the rest still has one:
       - all that was called after the last return that is quoted; and a return may be forgotten, as if the op were still open;
       - reads; and all ops on all but some parts of the object (Model.part), if no op that is kept is about all of it;
       - all that had returned at position `begin`: every state that it may have left is tried, with each choice of the open ones that may
         have acted by then.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from checkers.linearizable.operations import LATER, freeze
from checkers.objects.calls import objects_of, vocabulary
from checkers.objects.machine import plain, stamp
from checkers.objects.model import ANY_PART, Act, Model, act_of
from checkers.objects.models import make_model
from checkers.objects.operations import Operation
from harness.history.history import History
from harness.verdict import Anomaly

MOST = 300_000  # pairs of what is left and the state, each looked at once


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted operations stand in the history, have no order, and nothing that was left out matters.

    Raises ValueError if trying all orders takes too long; up to 14 operations it does not.
    """
    witness = anomaly.witness
    model = make_model(witness["model"], witness["settings"])
    calls = {quote["call"] for quote in witness["operations"]}
    objects = objects_of(history, vocabulary(model), model, witness["keyed"], witness["failed_cas"])
    mine = next((ops for (key, _), ops in objects.items() if key == freeze(anomaly.key) and any(op.call in calls for op in ops)), [])
    recorded = {op.call: op for op in mine}
    quoted = [_quoted(recorded, quote) for quote in witness["operations"]]
    ops = [op for op in quoted if op is not None]
    if len(ops) < len(quoted) or len(calls) < len(ops) or not ops:
        return False
    begin, end, parts = witness["begin"], max((op.ret for op in ops if not op.crashed), default=-1), witness["parts"]
    views = {op.call: act_of(op, model) for op in mine}
    if not model.typed:
        views = {call: plain(act) for call, act in views.items()}
    for op in mine:
        model.admit(views[op.call], f"op {op.index}")
    if parts is not None and any(
        model.part(views[op.call]) is None and (op.call in calls or not model.reads(views[op.call])) for op in mine
    ):
        return False
    kept = [op for op in mine if parts is None or _on(model.part(views[op.call]), parts)]
    if any(op.ret > begin and op.call < end and op.call not in calls and not model.reads(views[op.call]) for op in kept):
        return False
    earlier = [op for op in kept if op.ret <= begin]
    if any(op.ret <= begin for op in ops):
        return False
    for state, acted in _reached([*earlier, *(op for op in ops if op.call < begin)], len(earlier), model.initial, views, model):
        left = [op for op in ops if op.call not in acted]
        if _reached(left, len(left), state, views, model, LATER):
            return False
    return True


def _on(part: Hashable, parts: Sequence[str]) -> bool:
    """Whether an op on this part is looked at where only some parts are."""
    return part is ANY_PART or repr(part) in parts


def _quoted(recorded: Mapping[int, Operation], quote: Mapping[str, Any]) -> Operation | None:
    """The operation as quoted, if that is the truth or less."""
    op = recorded.get(quote["call"])
    if op is None or quote["f"] != op.f or freeze(quote["argument"]) != op.argument or quote["ret"] not in (None, op.ret):
        return None
    return op._replace(ret=LATER) if quote["ret"] is None else op


def _reached(
    ops: Sequence[Operation], must: int, start: Any, views: Mapping[int, Act], model: Model, until: int = 0
) -> list[tuple[Any, frozenset[int]]]:
    """What trying all orders leads to: (state, calls of those that acted), each time that the first `must` ops (which return) have acted.

    until: those that return later than that need not. Raises ValueError.
    """
    mark = (lambda state: state) if model.typed else stamp
    seen, ends = set(), []
    waiting = [(frozenset(range(len(ops))), start)]
    while waiting:
        left, state = waiting.pop()
        if (left, mark(state)) in seen:
            continue
        seen.add((left, mark(state)))
        if len(seen) > MOST:
            raise ValueError(f"{len(ops)} operations have too many orders to try them all")
        if all(i >= must or (until and ops[i].ret >= until) for i in left):
            ends.append((state, frozenset(op.call for i, op in enumerate(ops) if i not in left)))
        first_return = min((ops[i].ret for i in left), default=LATER)
        for i in left:
            if ops[i].call < first_return:  # nothing that is left had returned before it was called
                waiting += [(left - {i}, after) for after in model.step(state, views[ops[i].call]) or ()]
    return ends
