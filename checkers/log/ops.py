"""The ops of a log's history: what was sent where, what polls showed, which keys a consumer has.

Why it exists  this is the one place that knows the shape of micro-ops; the rules see sends and polls alone.
Relies on      `send`, `poll` and `txn` have lists of ["send", k, v] (completed: ["send", k, [offset, v]]) and ["poll"] (completed:
               ["poll", {k: [[offset, v], ..]}]); `assign` and `subscribe` have lists of keys. JSON names of a map's keys are strings, so
               the key 1 and the key "1" are one.

ext of a completion: {"rebalanced": [keys]} for keys that were taken or given while the op ran; of assign: {"seek_to_beginning": true}.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple

from checkers.transactions.txns import NEVER, ident
from harness.errors import HistoryError
from harness.history.history import Call, History
from harness.op import FAIL, INFO, OK

MOVES = frozenset({"send", "poll", "txn"})
CONSUMES = frozenset({"assign", "subscribe"})
OTHERS = frozenset({"crash", "debug-partitions", "debug-topic-partitions"})
WAY_OUT = 'micro-ops are ["send", key, value] and ["poll"]; see docs/checkers.md'


class Sent(NamedTuple):
    """A value sent to a key; its offset where the completion says it."""

    key: Hashable
    value: Hashable
    offset: int | None


class Polled(NamedTuple):
    """A value that a poll showed at a key, in order; its offset where the poll says it."""

    key: Hashable
    value: Hashable
    offset: int | None


class LogOp(NamedTuple):
    """An op. `done`: position of its completion, None while open; `ret`: the same if its outcome is known, else NEVER; times in ns.

    asks   it polls, whatever came
    keys   of assign and subscribe; rebalanced: while it ran; seeks: an assign that starts from the beginning
    """

    number: int
    f: str
    process: int
    call: int
    ret: int
    done: int | None
    outcome: str
    sends: list[Sent]
    polls: list[Polled]
    asks: bool
    keys: list[Hashable]
    rebalanced: frozenset[Hashable]
    seeks: bool
    began: int
    ended: int

    @property
    def ok(self) -> bool:
        """It certainly happened."""
        return self.outcome == OK

    @property
    def ops(self) -> list[int]:
        """Op indices."""
        return [self.call] if self.done is None else [self.call, self.done]


def name_of(key: Any) -> Hashable:
    """What stands for a key: a whole number is its JSON name."""
    return str(key) if type(key) is int else ident(key)


def read(history: History) -> list[LogOp]:
    """The ops by invocation. Raises: HistoryError naming the op that is out of shape."""
    return [_op(number, call) for number, call in enumerate(history.calls())]


def _op(number: int, call: Call) -> LogOp:
    invoke, done = call
    outcome = call.outcome
    if invoke.f not in MOVES | CONSUMES | OTHERS:
        known = ", ".join(sorted(MOVES | CONSUMES))
        raise HistoryError(f"op {invoke.index}: {invoke.f!r} is none of a log's ops ({known})", way_out=WAY_OUT)
    sends: list[Sent] = []
    polls: list[Polled] = []
    keys: list[Hashable] = []
    if invoke.f in MOVES:
        sends, polls = _moves(call)
    elif invoke.f in CONSUMES:
        if not isinstance(invoke.value, list):
            raise HistoryError(f"op {invoke.index}: {invoke.f} of {str(invoke.value)[:60]!r}, not a list of keys", way_out=WAY_OUT)
        keys = [name_of(key) for key in invoke.value]
    ext = _ext(invoke.ext) | _ext(done.ext if done is not None else None)
    assert isinstance(invoke.process, int)
    return LogOp(
        number,
        invoke.f,
        invoke.process,
        invoke.index,
        done.index if done is not None and outcome != INFO else NEVER,
        None if done is None else done.index,
        outcome,
        sends,
        polls,
        invoke.f in MOVES and any(mop[0] == "poll" for mop in invoke.value),
        keys,
        frozenset(map(name_of, _rebalanced(ext))),
        bool(ext.get("seek_to_beginning") or ext.get("seek-to-beginning?") or ext.get("seek-to-beginning")),
        invoke.time,
        done.time if done is not None else invoke.time,
    )


def _ext(ext: Any) -> dict[str, Any]:
    return ext if isinstance(ext, dict) else {}


def _rebalanced(ext: dict[str, Any]) -> Iterable[Any]:
    yield from ext.get("rebalanced") or ()
    for entry in ext.get("rebalance-log") or ():
        yield from entry.get("keys") or ()


def _moves(call: Call) -> tuple[list[Sent], list[Polled]]:
    invoke, done = call
    asked = _mops(invoke.index, invoke.value)
    shown = _mops(done.index, done.value) if done is not None and isinstance(done.value, list) else asked
    if len(shown) != len(asked):
        raise HistoryError(f"op {invoke.index}: it asked for {len(asked)} micro-ops and completed {len(shown)}", way_out=WAY_OUT)
    index = done.index if done is not None else invoke.index
    sends: list[Sent] = []
    polls: list[Polled] = []
    for mop, result in zip(asked, shown, strict=True):
        if mop[0] == "send":
            sends.append(_sent(index, mop, result))
        elif len(result) > 1 and result[1] is not None:
            polls += _polled(index, result[1])
    return sends, polls


def _mops(index: int, value: Any) -> list[list[Any]]:
    if not isinstance(value, list):
        raise HistoryError(f"op {index}: its value is {str(value)[:60]!r}, not a list of micro-ops", way_out=WAY_OUT)
    for mop in value:
        right = isinstance(mop, list) and ((len(mop) == 3 and mop[0] == "send") or (len(mop) in (1, 2) and mop[0] == "poll"))
        if not right:
            raise HistoryError(f"op {index}: {str(mop)[:60]!r} is no micro-op of a log", way_out=WAY_OUT)
    return value


def _sent(index: int, mop: list[Any], result: list[Any]) -> Sent:
    value, given = ident(mop[2]), result[2] if result[0] == "send" else None
    if isinstance(given, list) and len(given) == 2 and ident(given[1]) == value:
        return Sent(name_of(mop[1]), value, _offset(index, given[0]))
    if ident(given) != value:
        raise HistoryError(f"op {index}: it sent {str(mop[2])[:40]!r} and completed {str(given)[:40]!r}", way_out=WAY_OUT)
    return Sent(name_of(mop[1]), value, None)


def _polled(index: int, shown: Any) -> Iterable[Polled]:
    if not isinstance(shown, dict):
        raise HistoryError(f"op {index}: a poll gave {str(shown)[:60]!r}, not a map from key to [offset, value] pairs", way_out=WAY_OUT)
    for key, pairs in shown.items():
        for pair in pairs or ():
            if not isinstance(pair, list) or len(pair) != 2:
                raise HistoryError(f"op {index}: a poll gave {str(pair)[:60]!r} at {key}, not [offset, value]", way_out=WAY_OUT)
            yield Polled(name_of(key), ident(pair[1]), _offset(index, pair[0]))


def _offset(index: int, offset: Any) -> int | None:
    if offset is not None and type(offset) is not int:
        raise HistoryError(f"op {index}: the offset {str(offset)[:40]!r} is no whole number", way_out=WAY_OUT)
    return offset


def failed(op: LogOp) -> bool:
    """It certainly had no effect."""
    return op.outcome == FAIL
