"""Transactions: micro-ops of lists or registers, read from a history, with values that are compared by type and value.

Why it exists  every rule of the checkers speaks of transactions, their writes and their reads; this is the one place that reads ops.
Relies on      in Python 1 == True == 1.0; here these are three elements (DESIGN 3). `null` and `[]` are the same list.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from enum import Enum
from typing import Any, Final, NamedTuple

import msgspec

from harness.errors import HistoryError
from harness.history.history import Call, History
from harness.op import FAIL, INFO, OK

NEVER = 1 << 62  # the return of an op that nobody saw end
APPEND, READ, WRITE = "append", "r", "w"


class Unseen(Enum):
    """The type of UNSEEN."""

    UNSEEN = "?"


UNSEEN: Final = Unseen.UNSEEN  # in place of a register's value: nobody saw what the read returned
Micro = Callable[[int, list[Any], str], Iterable["Mop"]]


class Odd(NamedTuple):
    """A key or element that is neither a string nor a plain integer, by its type and its JSON."""

    type: str
    json: str


class Mop(NamedTuple):
    """A micro-op. Of lists, `value` is the element of an append, the elements of a read, None for a read that nobody saw; of registers
    the value written or read (None is null), UNSEEN for a read that nobody saw."""

    kind: str
    key: Hashable
    value: Any


class Txn(NamedTuple):
    """A transaction: positions of its invocation and completion in the history (NEVER if it did not end for certain)."""

    number: int
    process: int
    call: int
    ret: int
    done: int | None
    outcome: str
    mops: tuple[Mop, ...]

    @property
    def ops(self) -> list[int]:
        """Op indices: invocation, completion."""
        return [self.call] if self.done is None else [self.call, self.done]


def ident(value: Any) -> Hashable:
    """A key or element as something that equals only itself."""
    if type(value) is int or type(value) is str:
        return value
    return Odd(type(value).__name__, msgspec.json.encode(value, enc_hook=str, order="deterministic").decode())


def plain(value: Hashable) -> Any:
    """The JSON value that `ident` was given."""
    return msgspec.json.decode(value.json) if isinstance(value, Odd) else value


def show(value: Hashable) -> str:
    """A key or element in a sentence."""
    return value.json if isinstance(value, Odd) else str(value)


def read_txns(history: History) -> list[Txn]:
    """The client transactions of lists in order of invocation. Raises: HistoryError naming the op that is none."""
    return [_txn(number, call, _mops) for number, call in enumerate(history.calls())]


def read_register_txns(history: History) -> list[Txn]:
    """The client transactions of registers in order of invocation. Raises: HistoryError naming the op that is none."""
    return [_txn(number, call, _register_mops) for number, call in enumerate(history.calls())]


def _txn(number: int, call: Call, micro: Micro) -> Txn:
    outcome, done = call.outcome, call.completion
    seen = done is not None and (outcome == OK or (outcome == INFO and isinstance(done.value, list)))
    op = done if seen and done is not None else call.invoke
    if not isinstance(op.value, list):
        raise HistoryError(
            f"op {op.index}: a transaction's value is a list of micro-ops, not {str(op.value)[:60]!r}",
            way_out='each is [f, key, value], f being "r", "append" or "w"',
        )
    assert isinstance(call.invoke.process, int)
    mops = tuple(micro(op.index, op.value, outcome if seen else FAIL))  # what an invocation asks for was not seen
    ret = done.index if done is not None and outcome != INFO else NEVER
    return Txn(number, call.invoke.process, call.invoke.index, ret, None if done is None else done.index, outcome, mops)


def _mops(index: int, value: list[Any], outcome: str) -> Iterable[Mop]:
    for mop in value:
        if not isinstance(mop, list | tuple) or len(mop) != 3 or mop[0] not in (APPEND, READ):
            raise HistoryError(
                f"op {index}: {str(mop)[:60]!r} is no micro-op of a list",
                way_out='each is ["append", key, element] or ["r", key, [elements]]; registers are another model (--as)',
            )
        kind, key, held = mop
        if kind == APPEND:
            yield Mop(kind, ident(key), ident(held))
        elif held is None or outcome == FAIL:
            yield Mop(kind, ident(key), () if outcome == OK else None)
        elif isinstance(held, list):
            yield Mop(kind, ident(key), tuple(map(ident, held)))
        else:
            raise HistoryError(
                f"op {index}: a read of {str(key)[:30]!r} returned {str(held)[:60]!r}, not a list",
                way_out="a list-append read holds the elements in order, or null",
            )


def _register_mops(index: int, value: list[Any], outcome: str) -> Iterable[Mop]:
    """A failed transaction saw nothing; one of unknown outcome saw what it says, and a null of it says nothing."""
    for mop in value:
        if not isinstance(mop, list | tuple) or len(mop) != 3 or mop[0] not in (WRITE, READ):
            raise HistoryError(
                f"op {index}: {str(mop)[:60]!r} is no micro-op of a register",
                way_out='each is ["w", key, value] or ["r", key, value]; lists are another model (--as list-append)',
            )
        kind, key, held = mop
        if kind == READ and (outcome == FAIL or (outcome == INFO and held is None)):
            yield Mop(kind, ident(key), UNSEEN)
        else:
            yield Mop(kind, ident(key), None if held is None else ident(held))
