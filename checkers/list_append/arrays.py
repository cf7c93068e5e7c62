"""A large history's transactions as arrays, straight from its ops.

Why it exists  the fast road (swift.py) works on arrays; making them must cost less than what they save: one pass over the ops.
Relies on      nothing being repaired here: for a history that is irregular in any way there are no arrays, and the exact road says what is
               wrong with it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from checkers.list_append.swift import Lists
from checkers.transactions.txns import APPEND, READ, ident
from harness.history.history import History
from harness.op import FAIL, INFO, INVOKE, OK

if TYPE_CHECKING:
    from checkers.list_append.swift import Ints

APPENDED, UNSEEN = -2, -1  # in place of a read's length


_shared: WeakKeyDictionary[History, Lists | None] = WeakKeyDictionary()


def share(history: History) -> None:
    """Make the arrays now: in a forked checker every op that is looked at costs the copy of a page of memory."""
    _shared[history] = _lists(history)


def lists_of(history: History) -> Lists | None:
    """The arrays, or None if an op is not as it should be. Cost: O(size of the history), about 1 us a micro-op and 0.1 us an element."""
    return _shared[history] if history in _shared else _lists(history)


def _lists(history: History) -> Lists | None:
    import numpy as np

    try:
        call, ret, outcome, values = _pair(history)
        count, key, start, length, flat, keys = _unfold(outcome, values)
    except (KeyError, TypeError, ValueError):
        return None
    element, distinct = _numbered(flat)
    if element is None:
        return None
    codes, starts = np.array(length, np.int64), np.array(start, np.int64)
    append = codes == APPENDED
    return Lists(
        call=np.array(call, np.int64),
        ret=np.array(ret, np.int64),
        ok=np.array([one is OK for one in outcome], bool),
        fail=np.array([one is FAIL for one in outcome], bool),
        txn=np.repeat(np.arange(len(count)), np.array(count, np.int64)),
        key=np.array(key, np.int64),
        append=append,
        element=np.where(append, np.append(element, 0)[starts], -1),
        start=starts,
        length=np.where(append, UNSEEN, codes),
        elements=element,
        keys=max(1, keys),
        values=max(1, distinct),
    )


def _pair(history: History) -> tuple[list[int], list[int], list[str], list[Any]]:
    """Per transaction: position of its call and return, outcome, value that counts. Raises KeyError, ValueError: ops do not pair."""
    call: list[int] = []
    ret: list[int] = []
    outcome: list[str] = []
    values: list[Any] = []
    open_: dict[int, int] = {}
    end = len(history.ops)
    for at, op in enumerate(history.ops):
        process = op.process
        if type(process) is not int:
            continue
        if op.type == INVOKE:
            if process in open_:
                raise ValueError(process)
            open_[process] = len(call)
            call.append(at)
            ret.append(end)
            outcome.append(INFO)
            values.append(op.value)
            continue
        txn = open_.pop(process)
        if op.type == OK:
            ret[txn], outcome[txn], values[txn] = at, OK, op.value
        elif op.type == FAIL:
            ret[txn], outcome[txn] = at, FAIL
        elif isinstance(op.value, list):
            values[txn] = op.value
    return call, ret, outcome, values


def _unfold(outcome: Sequence[str], values: Sequence[Any]) -> tuple[list[int], list[int], list[int], list[int], list[Any], int]:
    """Micro-ops per transaction; of each its key's number, where its elements begin, how many; all elements; how many keys."""
    count: list[int] = []
    key: list[int] = []
    start: list[int] = []
    length: list[int] = []
    flat: list[Any] = []
    keys: dict[Hashable, int] = {}
    for ended, mops in zip(outcome, values, strict=True):
        if type(mops) is not list:
            raise TypeError(mops)
        count.append(len(mops))
        for f, k, v in mops:
            name = k if type(k) is int or type(k) is str else ident(k)
            key.append(keys.setdefault(name, len(keys)))
            start.append(len(flat))
            if f == APPEND:
                flat.append(v)
                length.append(APPENDED)
            elif f != READ:
                raise ValueError(f)
            elif ended is FAIL or v is None:
                length.append(0 if ended is OK else UNSEEN)
            elif type(v) is list:
                flat += v
                length.append(len(v))
            else:
                raise TypeError(v)
    return count, key, start, length, flat, len(keys)


def _numbered(flat: list[Any]) -> tuple[Ints | None, int]:
    """Elements as numbers that are equal only for the same element, and a bound above all numbers."""
    import numpy as np

    if set(map(type, flat)) <= {int}:
        try:
            numbers = np.array(flat, np.int64)
        except OverflowError:
            return None, 0
        if not len(numbers) or (numbers.min() >= 0 and numbers.max() < 1 << 31):
            return numbers, int(numbers.max(initial=0)) + 1
        _, inverse = np.unique(numbers, return_inverse=True)
        return inverse.astype(np.int64), len(numbers)
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(ident(value), len(seen)) for value in flat], np.int64), len(seen)
