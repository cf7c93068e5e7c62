"""Watches and writes as they stand in a history.

Why it exists  the rules speak of events and writes; this is the one place that knows their shape in an op.
Relies on      what a client was delivered was delivered, also if the watch then ended without a known outcome.

A `watch` is asked {"from": r, "key"?, "prefix"?, "kinds"?} and gives deliveries in order: each a list of events, one event, or a mark,
{"progress": r}. An event is {"revision", "key", "kind": put | delete, "value", "prev"?, "create"?}. `put {key, value}`, `delete {key}` and
`txn [["put", k, v], ["delete", k]]` carry ext {"revision": r} when ok; r is null where nothing changed (a delete of an absent key).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from checkers.transactions.txns import NEVER, Odd, ident
from harness.errors import HistoryError
from harness.history.history import Call, History
from harness.op import FAIL, INFO

PUT, DELETE = "put", "delete"
ABSENT = Odd("absent", "nothing")  # the value of a key that is not there
NULL = ident(None)
WAY_OUT = "see docs/checkers.md for the shape of watches and their writes"


class Write(NamedTuple):
    """A put, delete or txn that may have happened; `revision` None where nobody knows it; changes: key -> (kind, value)."""

    f: str
    call: int
    ret: int
    revision: int | None
    changes: dict[Hashable, tuple[str, Hashable]]


class Event(NamedTuple):
    """What was delivered: `prev` None and `create` None where the event does not say; `at`: number of the delivery."""

    revision: int
    key: Hashable
    kind: str
    value: Hashable
    prev: Hashable | None
    create: bool | None
    at: int


class Mark(NamedTuple):
    """A progress mark."""

    revision: int
    at: int


class Stream(NamedTuple):
    """A watch that delivered something: invocation and completion, what it asked for, and what came."""

    call: int
    ret: int
    start: int
    key: Hashable | None
    prefix: str | None
    kinds: frozenset[str]
    items: list[Event | Mark]

    def wants(self, key: Hashable, kind: str) -> bool:
        """Does an event match its filter?"""
        if kind not in self.kinds or (self.key is not None and key != self.key):
            return False
        return self.prefix is None or (isinstance(key, str) and key.startswith(self.prefix))

    @property
    def events(self) -> list[Event]:
        """What came, without the marks."""
        return [item for item in self.items if isinstance(item, Event)]


def read(history: History) -> tuple[list[Write], list[Stream]]:
    """Writes and watches by invocation. Raises: HistoryError naming the op that is out of shape."""
    writes, streams = [], []
    for call in history.calls():
        if call.invoke.f == "watch":
            if call.completion is not None and isinstance(call.completion.value, list) and call.outcome != FAIL:
                streams.append(_stream(call))
        elif call.invoke.f in (PUT, DELETE, "txn"):
            changes = _changes(call)
            if call.outcome != FAIL and changes and (write := _write(call, changes)) is not None:
                writes.append(write)
        elif call.invoke.f not in ("get", "read", "range"):
            raise HistoryError(f"op {call.invoke.index}: {call.invoke.f!r} is none of watch, put, delete, txn, read", way_out=WAY_OUT)
    return writes, streams


def _write(call: Call, changes: dict[Hashable, tuple[str, Hashable]]) -> Write | None:
    """None for a write that is known to have changed nothing."""
    invoke, done = call
    if done is None or call.outcome == INFO:
        return Write(invoke.f, invoke.index, NEVER, None, changes)
    ext = done.ext if isinstance(done.ext, dict) else {}
    if "revision" not in ext:
        return Write(invoke.f, invoke.index, done.index, None, changes)
    if ext["revision"] is None:
        return None
    return Write(invoke.f, invoke.index, done.index, _number(done.index, ext["revision"], "revision"), changes)


def _changes(call: Call) -> dict[Hashable, tuple[str, Hashable]]:
    index, value = call.invoke.index, call.invoke.value
    if call.invoke.f == "txn":
        if not isinstance(value, list) or not all(isinstance(mop, list) and mop and mop[0] in (PUT, DELETE, "r") for mop in value):
            raise HistoryError(f"op {index}: {str(value)[:60]!r} is no list of puts and deletes", way_out=WAY_OUT)
        return {
            ident(mop[1]): (PUT, ident(mop[2])) if mop[0] == PUT else (DELETE, ABSENT)
            for mop in value
            if mop[0] != "r" and len(mop) == (3 if mop[0] == PUT else 2)
        }
    if not isinstance(value, dict) or "key" not in value:
        raise HistoryError(f"op {index}: a {call.invoke.f} of {str(value)[:60]!r} names no key", way_out=WAY_OUT)
    return {ident(value["key"]): (PUT, ident(value.get("value"))) if call.invoke.f == PUT else (DELETE, ABSENT)}


def _stream(call: Call) -> Stream:
    asked, done = call.invoke.value if isinstance(call.invoke.value, dict) else {}, call.completion
    assert done is not None, "checked by the caller"
    index = done.index
    items: list[Event | Mark] = []
    for at, delivery in enumerate(done.value):
        if isinstance(delivery, dict) and "progress" in delivery:
            items.append(Mark(_number(index, delivery["progress"], "progress mark"), at))
            continue
        items += [_event(index, event, at) for event in (delivery if isinstance(delivery, list) else [delivery])]
    prefix = asked.get("prefix")
    return Stream(
        call.invoke.index,
        index,
        _number(call.invoke.index, asked.get("from", 0), "start"),
        ident(asked["key"]) if asked.get("key") is not None else None,
        None if prefix is None else str(prefix),
        frozenset(asked.get("kinds") or (PUT, DELETE)),
        items,
    )


def _event(index: int, event: Any, at: int) -> Event:
    if not isinstance(event, dict) or not {"revision", "key", "kind"} <= event.keys() or event["kind"] not in (PUT, DELETE):
        raise HistoryError(f"op {index}: {str(event)[:80]!r} is no event of a watch", way_out=WAY_OUT)
    return Event(
        _number(index, event["revision"], "revision"),
        ident(event["key"]),
        event["kind"],
        ident(event.get("value")) if event["kind"] == PUT else ABSENT,
        ident(event["prev"]) if "prev" in event else None,
        bool(event["create"]) if event.get("create") is not None else None,
        at,
    )


def _number(index: int, value: Any, what: str) -> int:
    if type(value) is not int:
        raise HistoryError(f"op {index}: the {what} {str(value)[:40]!r} is no whole number", way_out=WAY_OUT)
    return value
