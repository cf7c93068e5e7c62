"""A large history's transactions as arrays: from the columns that its file was read into, or from its ops.

Why it exists  the fast road (swift.py) works on arrays; making them must cost less than what they save.
Relies on      nothing being repaired here: for a history that is irregular in any way there are no arrays, and the exact road says what is
               wrong with it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from checkers.transactions.txns import APPEND, READ, ident
from harness.history.history import History
from harness.history.txn_columns import NEVER, STRING, TxnColumns
from harness.op import FAIL, INFO, INVOKE, OK

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Shorts = NDArray[np.int32]

UNSEEN = -1  # in place of a read's length
_OUTCOMES = (INVOKE, OK, FAIL, INFO)


class Lists(NamedTuple):
    """A history's transactions as arrays.

    call, ret, done  per transaction, positions; ret is NEVER unless it certainly ended, done is -1 if nobody saw it end
    outcome          per transaction: 1 ok, 2 fail, 3 info; process
    first, size      per transaction: its micro-ops
    f, key           per micro-op: 0 a read, 1 an append; keys are numbers below `keys`
    value            of an append: its element
    start, length    of a read: its elements in `elements`; length -1: nobody saw them. Reads may share elements
    rank             per key: its place in the order of first mention, -1 of one that nobody mentions
    lines            how many ops there are
    """

    call: Ints
    ret: Ints
    done: Ints
    outcome: NDArray[np.int8]
    process: Ints
    first: Ints
    size: Ints
    f: NDArray[np.int8]
    key: Shorts
    value: Ints
    start: Ints
    length: Shorts
    elements: Ints
    rank: Ints
    lines: int
    names: Names

    @property
    def keys(self) -> int:
        """How many keys have a number."""
        return len(self.rank)


class Names(NamedTuple):
    """What numbers stand for: those of a file's columns, or lists by number (elements None: they are integers themselves)."""

    columns: TxnColumns | None
    keys: Sequence[Hashable] = ()
    elements: Sequence[Hashable] | None = None

    def key(self, number: int) -> Hashable:
        """A key."""
        return self.keys[number] if self.columns is None else self.columns.key_name(number)

    def element(self, value: int) -> Hashable:
        """An element."""
        if self.columns is not None:
            return self.columns.element(value)
        return int(value) if self.elements is None else self.elements[value]

    def several(self, values: list[int]) -> tuple[Hashable, ...]:
        """Elements."""
        if self.elements is None if self.columns is None else max(values, default=0) < STRING:
            return tuple(values)
        return tuple(map(self.element, values))


def lists_of(history: History) -> Lists | None:
    """The arrays, or None if an op is not as it should be. Cost: from columns a few ns a micro-op; from ops 1 us, and 0.1 us an element."""
    import numpy as np

    from checkers.list_append.kernels import settle

    if history.txns is not None:
        columns = history.txns
        process = columns.process[columns.call]
        row = (columns.call, columns.ret, columns.done, columns.outcome, process, columns.first, columns.size, columns.f, columns.key)
        length, names, keys = columns.length.copy(), Names(columns), len(columns.key_texts[0])
        held = (columns.value, columns.start, length, columns.elements)
    else:
        try:
            paired = _pair(history)
            row, held, names = _unfold(*paired)
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        length, keys = held[2], len(names.keys)
    rank = np.full(keys, -1, np.int64)
    if not settle(row[3], row[5], row[6], row[7], row[8], length, rank):
        return None
    return Lists(*row, *held, rank, len(history), names)


def _pair(history: History) -> tuple[list[int], list[int], list[int], list[str], list[int], list[bool], list[Any]]:
    """Per transaction: call, return, completion, outcome, process, whether its reads were seen, value that counts. Raises KeyError,
    ValueError: ops do not pair."""
    call: list[int] = []
    ret: list[int] = []
    ends: list[int] = []
    outcome: list[str] = []
    processes: list[int] = []
    seen: list[bool] = []
    values: list[Any] = []
    open_: dict[int, int] = {}
    for at, op in enumerate(history.ops):
        process = op.process
        if type(process) is not int:
            continue
        if op.type == INVOKE:
            if process in open_:
                raise ValueError(process)
            open_[process] = len(call)
            call.append(at)
            ret.append(NEVER)
            ends.append(-1)
            outcome.append(INFO)
            processes.append(process)
            seen.append(False)  # whatever an invocation says of reads
            values.append(op.value)
            continue
        txn = open_.pop(process)
        outcome[txn], ends[txn] = op.type, at
        if op.type == OK:
            ret[txn], seen[txn], values[txn] = at, True, op.value
        elif op.type == FAIL:
            ret[txn] = at
        elif isinstance(op.value, list):
            seen[txn], values[txn] = True, op.value
    return call, ret, ends, outcome, processes, seen, values


def _unfold(
    call: list[int], ret: list[int], ends: list[int], outcome: list[str], processes: list[int], seen: list[bool], values: list[Any]
) -> tuple[tuple[Any, ...], tuple[Any, ...], Names]:
    """Arrays per transaction and micro-op; a null read has length -1 still. Raises TypeError, ValueError, OverflowError."""
    import numpy as np

    size: list[int] = []
    fs: list[int] = []
    key: list[int] = []
    value: list[Any] = []
    length: list[int] = []
    flat: list[Any] = []
    keys: dict[Hashable, int] = {}
    for observed, mops in zip(seen, values, strict=True):
        if type(mops) is not list:
            raise TypeError(mops)
        size.append(len(mops))
        for f, k, v in mops:
            name = k if type(k) is int or type(k) is str else ident(k)
            key.append(keys.setdefault(name, len(keys)))
            fs.append(f == APPEND)
            if f == APPEND:
                value.append(v)
                length.append(UNSEEN)
                continue
            value.append(0)
            if f != READ or not (v is None or not observed or type(v) is list):
                raise ValueError(f)
            unseen = v is None or not observed
            length.append(UNSEEN if unseen else len(v))
            flat += () if unseen else v
    codes, elements = _numbered(value, flat)
    sizes, lengths = np.array(size, np.int64), np.array(length, np.int32)
    stored = np.maximum(lengths, 0).astype(np.int64)
    columns = [np.array(column, np.int64) for column in (call, ret, ends, processes)]
    numbers = np.array([_OUTCOMES.index(one) for one in outcome], np.int8)
    row = (*columns[:3], numbers, columns[3], np.cumsum(sizes) - sizes, sizes, np.array(fs, np.int8), np.array(key, np.int32))
    held = (codes[: len(value)], np.cumsum(stored) - stored, lengths, codes[len(value) :])
    return row, held, Names(None, list(keys), elements)


def _numbered(value: list[Any], flat: list[Any]) -> tuple[Ints, list[Hashable] | None]:
    """All elements as numbers that are equal only for the same element, and what they stand for (None: themselves)."""
    import numpy as np

    if set(map(type, value)) | set(map(type, flat)) <= {int}:
        return np.array(value + flat, np.int64), None
    seen: dict[Hashable, int] = {}
    numbers = [seen.setdefault(ident(one), len(seen)) for one in value]
    numbers += [seen.setdefault(ident(one), len(seen)) for one in flat]
    return np.array(numbers, np.int64), list(seen)
