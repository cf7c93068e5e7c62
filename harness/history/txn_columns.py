"""Columns of a large history of transactions, of lists or of registers, straight from the bytes of JSON lines or Elle's EDN.

Why it exists  a million transactions as Python objects take a minute before a checker has seen the first; as arrays they take a second.
Relies on      the grammar of txn_kernels.py. Lines that are not of it are decoded one by one: those of the nemesis are kept, others mean
               that there are no columns, and the ordinary reader says what the history is. Nothing is repaired or guessed here.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from harness.errors import HistoryError
from harness.history.columns import TYPES
from harness.history.edn import EdnError, forms
from harness.history.formats.raw import STRICT, Raw, ops_of
from harness.op import INFO, INVOKE, Op

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

LARGE = 2_000_000  # bytes; below, the ordinary reader takes less than loading the kernels does
MOST_ODD = 20_000  # lines that are decoded one by one
STRING, NULL = 1 << 61, -(1 << 62)  # values: integers are themselves, strings STRING + number
NEVER = 1 << 62  # the return of a transaction that nobody saw end
_USUAL = re.compile(rb"""[^\n]{0,400}?(?:"value":\[(?:\]|\["(?:append|r|w)",)|:value \[(?:\]|\[:(?:append|r|w) ))""")


class TxnColumns(NamedTuple):
    """A history's lines, its transactions in order of invocation, and their micro-ops.

    kind, process   per line: number in TYPES; -1 for a line of the nemesis
    line            where each line begins in `data`; one more entry: the end
    errors          (line, begin, end in `data`) of each client's error that is not null
    odd             the nemesis's ops by line
    call, ret, done, outcome   per transaction: lines (ret NEVER, done -1 where there is none), its number in TYPES
    first, size     per transaction: its micro-ops, of the line whose value counts (of a fail, and of an info without value: the call's,
                    whose reads are null)
    f, key          per micro-op: 0 "r", 1 "append", 2 "w"; number of the key
    value           of an append, a write, a read of a register: integers themselves, STRING + number of a string, NULL
    start, length   of a read: its elements in `elements`; length -1: null, -2: not a list
    """

    data: bytes
    edn: bool
    kind: NDArray[np.int8]
    process: Ints
    line: Ints
    errors: Ints
    odd: dict[int, Op]
    call: Ints
    ret: Ints
    done: Ints
    outcome: NDArray[np.int8]
    first: Ints
    size: Ints
    f: NDArray[np.int8]
    key: NDArray[np.int32]
    value: Ints
    start: Ints
    length: NDArray[np.int32]
    elements: Ints
    key_texts: tuple[Ints, Ints]
    string_texts: tuple[Ints, Ints]

    def ops(self, numbers: Ints) -> list[Op]:
        """The ops at these positions. Cost: about 3 us an op of JSON, 30 us of EDN."""
        begins, ends = self.line[numbers].tolist(), self.line[numbers + 1].tolist()
        places = zip(numbers.tolist(), begins, ends, strict=True)
        if not self.edn:
            return [self.odd[at] if at in self.odd else STRICT.decode(self.data[begin:end]) for at, begin, end in places]
        return [self.odd[at] if at in self.odd else _edn_op(self.data[begin:end], at) for at, begin, end in places]

    def key_name(self, number: int) -> int | str:
        """A key by its number."""
        name: int | str = msgspec.json.decode(self.data[self.key_texts[0][number] : self.key_texts[1][number]])
        return name

    def element(self, value: int) -> int | str | None:
        """A value as it stands in the history."""
        if value < STRING:
            return None if value == NULL else int(value)
        begins, ends = self.string_texts
        name: str = msgspec.json.decode(self.data[begins[value - STRING] : ends[value - STRING]])
        return name

    def error_texts(self) -> Counter[tuple[str, str]]:
        """(type, error in Python's words) of clients' completions -> how many."""
        texts = Counter((TYPES[self.kind[op]], self.data[begin:end]) for op, begin, end in self.errors.tolist())
        told: Counter[tuple[str, str]] = Counter()
        for (type_, text), count in texts.items():
            if type_ != INVOKE:
                told[type_, str(forms(text)[0][1] if self.edn else msgspec.json.decode(text))] += count
        return told


def _edn_op(text: bytes, at: int) -> Op:
    """The op of one line. Raises: HistoryError, EdnError, msgspec.ValidationError."""
    found = forms(text)
    if len(found) != 1:
        raise HistoryError(f"line {at + 1} is not one operation")
    (op,) = ops_of(Path(), [raw := msgspec.convert(found[0][1], Raw, strict=False)], 0)
    if raw.index != at:
        raise HistoryError(f"operation {at} has index {raw.index}")
    op.index = at
    return op


def read_txn_columns(data: bytes, begin: int, *, edn: bool, ours: bool) -> TxnColumns | None:
    """Columns of the lines from `begin` on, or None if anything is unusual. Cost: about 2 ns a byte, 30 bytes a micro-op.

    ours: the file has our header, so that an unknown outcome without a value stays without one.
    """
    if not data.endswith(b"\n") or _USUAL.match(data, begin) is None:
        return None
    import numpy as np

    try:
        from harness.compiled import announce
        from harness.history.txn_kernels import parse
    except RuntimeError:  # numba finds no folder that it may keep compiled code in
        return None
    announce(parse, "reading a large history of transactions")
    lines = data.count(b"\n", begin)
    most = (len(data) - begin) // 8  # a micro-op takes eight bytes at least; memory that is not written costs nothing
    kind, process = np.empty(lines, np.int8), np.empty(lines, np.int64)
    first, count = np.empty(lines, np.int64), np.empty(lines, np.int64)
    line, errors, odd = np.empty(lines + 1, np.int64), np.empty((lines, 3), np.int64), np.empty(MOST_ODD, np.int64)
    mops: tuple[Any, ...] = (
        np.empty(most, np.int8), np.empty(most, np.int32), np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int32),
    )  # fmt: skip
    counts, elements = np.zeros(4, np.int64), np.empty((len(data) - begin) // 2, np.int64)  # an element takes two bytes at least
    key_begins, key_ends, starts, string_begins, string_ends, failed, strange = parse(
        np.frombuffer(data, np.uint8), begin, edn, kind, process, first, count, line, errors, odd, counts, mops, elements, 1024
    )
    if strange < 0 or line[lines] != len(data) or (not ours and ((kind == 3) & (count < 0) & (process >= 0)).any()):
        return None
    odd_ops = _odd_ops(data, line, odd[:strange].tolist(), edn, ours)
    if odd_ops is None:
        return None
    for at, op in odd_ops.items():
        kind[at] = TYPES.index(op.type)
    paired = _pair(kind, process, count)
    if paired is None:
        return None
    call, ret, done, outcome, source = paired
    f, key, value, start, length = (column[: counts[0]] for column in mops)
    shared = np.flatnonzero(start < 0)
    start[shared] = starts[key[shared]]
    _unsee(np.flatnonzero(source == call), first[call], count[call], f, value, length)
    texts = (key_begins[: counts[2]], key_ends[: counts[2]]), (string_begins[: counts[3]], string_ends[: counts[3]])
    return TxnColumns(
        data, edn, kind, process, line, errors[:failed], odd_ops, call, ret, done, outcome, first[source], count[source],
        f, key, value, start, length, elements[: counts[1]], *texts,
    )  # fmt: skip


def _unsee(txns: Ints, first: Ints, size: Ints, f: NDArray[np.int8], value: Ints, length: NDArray[np.int32]) -> None:
    """Make the reads of these transactions null: what an invocation says of reads nobody saw."""
    import numpy as np

    begin, sizes = first[txns], size[txns]
    mops = np.repeat(begin - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
    reads = mops[f[mops] == 0]
    value[reads], length[reads] = NULL, -1


def _odd_ops(data: bytes, line: Ints, odd: list[int], edn: bool, ours: bool) -> dict[int, Op] | None:
    """The nemesis's ops; None if another line is unusual."""
    found: dict[int, Op] = {}
    for at in odd:
        text = data[line[at] : line[at + 1]]
        try:
            op = _edn_op(text, at) if edn else STRICT.decode(text)
        except (HistoryError, EdnError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if op.is_client or op.index != at or op.type not in TYPES or (not ours and op.type == INFO and op.value is None):
            return None
        found[at] = op
    return found


def _pair(kind: NDArray[np.int8], process: Ints, count: Ints) -> tuple[Any, ...] | None:
    """call, ret, done, outcome, source per transaction (kernel `pair`), or None if lines do not pair."""
    import numpy as np

    from harness.history.txn_kernels import pair

    clients = int(((kind == 0) & (process >= 0)).sum())
    if not clients:
        return None
    numbered = process
    if process.max() >= 4 * len(kind) + 1024:
        numbered = np.full(len(process), -1, np.int64)
        _, numbered[process >= 0] = np.unique(process[process >= 0], return_inverse=True)
    columns = [np.empty(clients, np.int64) for _ in range(5)]
    columns[3] = np.empty(clients, np.int8)
    taken = pair(kind, numbered, count, np.full(numbered.max() + 1, -1, np.int64), *columns, NEVER)
    return tuple(columns) if taken == clients else None


def compile_kernels() -> TxnColumns:
    """Compile what this file runs, by reading a small history, whose columns are given back."""
    line = '{"index":%d,"time":0,"process":0,"type":"%s","f":"txn","value":[["%s",1,%s],["r",1,%s]]}\n'
    ops = [("invoke", "append", 1, "null"), ("ok", "append", 1, [1])]
    columns = read_txn_columns("".join(line % (i, *op) for i, op in enumerate(ops)).encode(), 0, edn=False, ours=False)
    assert columns is not None, "the small history is of the usual kind"
    return columns
