"""Leaving out where little can be said: ops that only observe, whole keys, ops that stand for themselves, locks that were taken and freed.

Right      An op that only observes changes nothing for others. Objects of different keys have nothing to do with each other. Each op of
           unique ids, of a growing value, of inserts by a predicate is judged in pairs: with one left out, the other pairs stay. Before an
           acquire and after the release that ended it the lock was free.
"""

from __future__ import annotations

from collections.abc import Hashable

from checkers.linearizable.operations import split_key
from checkers.shrink.objects import ELEMENTS, OBSERVE, keys_in_tuples, of_elements, of_registers
from checkers.shrink.parts import Parts
from checkers.transactions.txns import ident
from harness.history.history import History
from harness.op import OK


def of_each(history: History, fine: bool) -> Parts:
    """Each op by itself."""
    return Parts(history, [[number] for number, _ in enumerate(history.calls())], {})


def of_keys(history: History, fine: bool) -> Parts:
    """All ops of a key together."""
    tuples = keys_in_tuples(history)
    keys: dict[Hashable, list[int]] = {}
    for number, call in enumerate(history.calls()):
        keys.setdefault(ident(split_key(call.invoke, call.invoke.value, tuples)[0]), []).append(number)
    return Parts(history, list(keys.values()), {})


def of_observations(history: History, fine: bool) -> Parts:
    """Parts where only what observes may go; all others are one part that stays as long as anything does."""
    calls = list(history.calls())
    observing = [[number] for number, call in enumerate(calls) if call.invoke.f in OBSERVE]
    others = [number for number, call in enumerate(calls) if call.invoke.f not in OBSERVE]
    return Parts(history, [*observing, others], {part: [len(observing)] for part in range(len(observing))})


def of_locks(history: History, fine: bool) -> Parts:
    """Parts of a lock: what a process acquired and released again, both ok; all else stays."""
    pairs: list[list[int]] = []
    others: list[int] = []
    held: dict[object, int] = {}
    for number, call in enumerate(history.calls()):
        process = call.invoke.process
        if call.outcome == OK and call.invoke.f == "acquire" and process not in held:
            held[process] = number
        elif call.outcome == OK and call.invoke.f == "release" and process in held:
            pairs.append([held.pop(process), number])
        else:
            others.append(number)
    others = sorted([*others, *held.values()])
    return Parts(history, [*pairs, others], {part: [len(pairs)] for part in range(len(pairs))})


def of_model(history: History, fine: bool) -> Parts:
    """Parts of a history that was judged by a model: by its names of operations; of a model that nobody here knows, by what observes."""
    fs = {op.f for op in history.ops if op.is_client}
    if fs <= {"read", "write", "cas", "get", "put", "append"}:
        return of_registers(history, fine)
    if fs <= {"acquire", "release"}:
        return of_locks(history, fine)
    if fs <= ELEMENTS:
        return of_elements(history, fine)
    return of_observations(history, fine)
