"""The ops of a history as a set's: what may have been added and removed when, and what each read gave.

Why it exists  the rules need, per element, only a few moments (indices of ops); reading them out once keeps the rules short.
Relies on      an op that failed certainly had no effect; one without a known outcome may have it at any later moment.

An element is any JSON value. Ints and strings stand for themselves, all others for their JSON text as bytes: 1, true and 1.0 differ.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Hashable, Sequence
from typing import Any, NamedTuple

import msgspec

from harness.errors import HistoryError
from harness.history.history import Call, History
from harness.op import FAIL, OK

INFINITY = float("inf")
PLAIN = frozenset({int, str})


class Change(NamedTuple):
    """An add or a remove that may have happened; `ret` is infinite if nobody knows whether it did."""

    call: int
    ret: float


class Read(NamedTuple):
    """A read that succeeded."""

    call: int
    ret: int
    node: str | None
    elements: Sequence[Any]

    @property
    def place(self) -> str:
        """Where it was read, for a sentence."""
        return f" on {self.node}" if self.node else ""


class Calls:
    """One set's ops.

    adds, removes  element -> those that did not fail, by invocation
    failed         element -> invocation of an add of it that failed
    reads          by completion
    outcomes       outcome -> number of adds
    """

    def __init__(self) -> None:
        self.adds: dict[Hashable, list[Change]] = {}
        self.removes: dict[Hashable, list[Change]] = {}
        self.failed: dict[Hashable, int] = {}
        self.reads: list[Read] = []
        self.outcomes = {"ok": 0, "fail": 0, "info": 0}


def by_key(history: History) -> dict[Any, Calls]:
    """The sets of a history by key; the only set of a history without keys is at None.

    Raises: HistoryError for an op that is none of a set's, or a read that gave no collection.
    """
    sets: dict[Any, Calls] = defaultdict(Calls)
    for call in history.calls():
        invoke, done = call
        key, value = _keyed(invoke.value)
        if invoke.f in ("add", "remove"):
            _change(sets[key], call, key_of(value))
        elif invoke.f == "read":
            calls = sets[key]
            if done is not None and done.type == OK:
                calls.reads.append(Read(invoke.index, done.index, done.node or invoke.node, _elements(call)))
        elif call.outcome != FAIL:
            seen = f"op {invoke.index} is {invoke.f!r}, whose effect on a set is not known"
            raise HistoryError(seen, way_out="a set's ops are add, remove and read")
    for calls in sets.values():
        calls.reads.sort(key=lambda read: read.ret)
    return sets


def _change(calls: Calls, call: Call, element: Hashable) -> None:
    invoke, done = call
    outcome = call.outcome
    if invoke.f == "add":
        calls.outcomes[outcome] += 1
    if outcome == FAIL:
        if invoke.f == "add":
            calls.failed.setdefault(element, invoke.index)
        return
    table = calls.adds if invoke.f == "add" else calls.removes
    change = Change(invoke.index, done.index if done is not None and outcome == OK else INFINITY)
    if element in table:
        table[element].append(change)
    else:
        table[element] = [change]


def _keyed(value: Any) -> tuple[Any, Any]:
    if type(value) is dict and value.keys() == {"key", "value"}:
        return key_of(value["key"]), value["value"]
    return None, value


def _elements(call: Call) -> Sequence[Any]:
    assert call.completion is not None
    _, value = _keyed(call.completion.value)
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        seen = f"op {call.completion.index}: a read of a set gave {show(key_of(value))[:60]}"
        raise HistoryError(seen, way_out="a read gives the list of all elements")
    return keys_of(value)


def keys_of(values: Sequence[Any]) -> Sequence[Any]:
    """What stands for each of the elements."""
    return values if set(map(type, values)) <= PLAIN else [key_of(value) for value in values]


def key_of(value: Any) -> Hashable:
    """What stands for an element."""
    return value if type(value) is int or type(value) is str else msgspec.json.encode(value, order="deterministic")


def value_of(element: Hashable) -> Any:
    """The JSON value that `element` stands for."""
    return json.loads(element) if isinstance(element, bytes) else element


def show(element: Hashable) -> str:
    """An element in a sentence."""
    return element.decode() if isinstance(element, bytes) else json.dumps(element, ensure_ascii=False)


def last_reads(reads: Collection[Read]) -> list[Read]:
    """The read of each node that began last; of a history that names no nodes, the one that began last."""
    latest: dict[str | None, Read] = {}
    for read in sorted(reads, key=lambda read: read.call):
        latest[read.node] = read
    return list(latest.values())
