"""Proving a witness again, by the definitions alone: every order of the quoted acts is tried, and the rest cannot matter.

Why it exists  a verdict convinces if a person, or forty lines that know nothing of the monitors, can check it.
Relies on      the reader of acts only: what each operation of the history means.

Right  What may be left out of a history with an order, so that the rest still has one: all acts of one value or element; acts that change
       nothing (looks, answers "empty", of a set answers false); all that was called after `until`; and a return after `until` may be
       forgotten, as if the op were still open. Nothing else is left out: of each quoted value all adds and removes are quoted. If a
       remove of unknown outcome is not quoted, any value may vanish at any moment from its call on: that allows more than it does.
       `due`: each value alone has no order with what it had to leave before unless a remove of unknown outcome took it before that; and
       there are more such values than such removes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from checkers.linearizable.operations import INFINITY, freeze
from checkers.monitors.acts import ADD, CONTAINS, EMPTY, MISSING, PEEK, REMOVE, Act, acts_by_key
from checkers.monitors.priority_queue import priority
from harness.history.history import History
from harness.verdict import Anomaly

MOST = 400_000  # pairs of what is left and the state, each looked at once


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted acts stand in the history, have no order, and nothing that was left out matters.

    Raises ValueError if trying all orders takes too long; up to 14 acts it does not.
    """
    witness = anomaly.witness
    if "acts" not in witness:  # found by the complete search, which has a verifier of its own
        from checkers.objects import verify_witness as verify_searched

        return verify_searched(history, anomaly)
    object_ = witness["object"]
    recorded = acts_by_key(history, object_, witness["keyed"]).get(freeze(anomaly.key), [])
    by_index = {act.index: act for act in recorded}
    smallest, until = bool(witness.get("smallest")), witness["until"]
    if "due" not in witness:
        return _impossible(recorded, by_index, witness["acts"], until, object_, smallest)
    values = {repr(freeze(due["value"])) for due in witness["due"]}
    removes = sum(act.kind == MISSING and act.call < until for act in recorded)
    return len(values) > removes and all(
        due["until"] <= until and _impossible(recorded, by_index, due["acts"], due["until"], object_, smallest, kept=freeze(due["value"]))
        for due in witness["due"]
    )


def _impossible(
    recorded: Sequence[Act], by_index: Mapping[int, Act], quoted: Sequence[int], until: int, object_: str, smallest: bool, kept: Any = None
) -> bool:
    """Whether the quoted acts have no order, and nothing that was left out matters; kept: a value that no unquoted remove took."""
    if not all(index in by_index for index in quoted):
        return False
    acts = [_known(by_index[index], until) for index in quoted]
    values = {act.value for act in acts if act.kind != EMPTY and act.kind != MISSING}
    chosen, vanish = set(quoted), INFINITY
    for act in recorded:
        if act.index in chosen or act.call > until:
            continue
        if act.kind == MISSING:
            vanish = min(vanish, act.call)
        elif act.kind in (ADD, REMOVE) and act.value in values and act.result is not False:
            return False
    return not _some_order(acts, object_, smallest, vanish, kept)


def _known(act: Act, until: int) -> Act:
    """The act as it was known at a position."""
    if act.ret <= until or act.crashed:
        return act
    return act._replace(ret=INFINITY)


def _some_order(acts: Sequence[Act], object_: str, smallest: bool, vanish: int, kept: Any) -> bool:
    """Whether any order of the acts is legal; open ones need not act; from `vanish` on any value may be gone at any moment."""
    dead: set[tuple[frozenset[int], tuple[Any, ...]]] = set()

    def complete(left: frozenset[int], state: tuple[Any, ...]) -> bool:
        first_return = min((acts[i].ret for i in left), default=INFINITY)
        if first_return == INFINITY:
            return True
        if (left, state) in dead:
            return False
        for i in left:
            if acts[i].call < first_return:  # nothing that is left had returned before it was called
                for after in _states(acts[i], state, object_, smallest):
                    if complete(left - {i}, after):
                        return True
        loose = [at for at, value in enumerate(state) if value != kept] if vanish < first_return else []
        if any(complete(left, state[:at] + state[at + 1 :]) for at in loose):
            return True
        dead.add((left, state))
        if len(dead) > MOST:
            raise ValueError(f"{len(acts)} acts have too many orders to try them all")
        return False

    return complete(frozenset(range(len(acts))), ())


def _states(act: Act, state: tuple[Any, ...], object_: str, smallest: bool) -> list[tuple[Any, ...]]:
    """The states after the act; none if it is not possible."""
    if object_ == "set-object":
        there = act.value in state
        if act.kind == CONTAINS:
            return [state] if act.result is there else []
        if act.result is not None and act.result is not (there is (act.kind == REMOVE)):
            return []
        rest = tuple(value for value in state if value != act.value)
        return [(*rest, act.value)] if act.kind == ADD else [rest]
    if act.kind == ADD:
        return [(*state, act.value)]
    if act.kind == EMPTY:
        return [] if state else [state]
    if not state:
        return [state] if act.kind == MISSING else []
    front = 0 if object_ == "queue" else len(state) - 1
    if object_ == "priority-queue":
        numbers = [priority(value) for value in state]
        front = numbers.index((min if smallest else max)(number for number in numbers if number is not None))
    if act.kind in (PEEK, REMOVE) and state[front] != act.value:
        return []
    return [state] if act.kind == PEEK else [state[:front] + state[front + 1 :]]
