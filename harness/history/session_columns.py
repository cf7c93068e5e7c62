"""Columns of a large history of sessions, straight from the bytes of Plume's or AWDIT's text or of Cobra's logs.

Why it exists  a million transactions as Python objects take a minute before a checker has seen the first; as arrays they take a second.
Relies on      the compiled grammar (session_kernels.py): for a file with any line that is not of it there are no columns, and the format's
               own reader says what the file is. Both give the same history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.history.columns import TYPES, LazyOps
from harness.history.history import History
from harness.history.sessions import ABORTED_ERROR, header_of
from harness.op import FAIL, INVOKE, OK, Op

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]


class SessionColumns(NamedTuple):
    """Transactions session after session; each has two ops, 2 i its invocation and 2 i + 1 its completion.

    session      per transaction: its session's number; ok: it committed, else it failed
    start, size  per transaction: its micro-ops
    write, key, value, null   per micro-op; null: a read of the initial state, whatever `value` is
    unsigned     keys and values are the bits of unsigned numbers
    """

    session: Ints
    ok: Flags
    start: Ints
    size: Ints
    write: Flags
    key: Ints
    value: Ints
    null: Flags
    unsigned: bool = False

    @property
    def kind(self) -> NDArray[np.int8]:
        """Per op: its number in TYPES."""
        import numpy as np

        kinds = np.zeros(2 * len(self.ok), np.int8)
        kinds[1::2] = np.where(self.ok, TYPES.index(OK), TYPES.index(FAIL))
        return kinds

    def ops(self, numbers: Ints) -> list[Op]:
        """The ops at these positions."""
        return [self.op(number) for number in numbers.tolist()]

    def op(self, number: int) -> Op:
        """One op."""
        txn, completes = divmod(number, 2)
        ok = bool(self.ok[txn])
        mops: list[list[Any]] = [[f, key, value if f == "w" or (completes and ok) else None] for f, key, value in self.mops(txn)]
        type_ = (OK if ok else FAIL) if completes else INVOKE
        return Op(number, 0, int(self.session[txn]), type_, "txn", mops, ABORTED_ERROR if completes and not ok else None)

    def mops(self, txn: int) -> list[tuple[str, int, int | None]]:
        """A transaction's micro-ops: "w" or "r", key, value (None for a read of the initial state)."""
        begin = int(self.start[txn])
        here = slice(begin, begin + int(self.size[txn]))
        keys, values = self.key[here], self.value[here]
        if self.unsigned:
            keys, values = keys.view("uint64"), values.view("uint64")
        columns = (self.write[here].tolist(), keys.tolist(), values.tolist(), self.null[here].tolist())
        return [("w" if write else "r", key, None if null else value) for write, key, value, null in zip(*columns, strict=True)]


def session_columns(history: History) -> SessionColumns | None:
    """The columns of a history that has them."""
    columns = history.ops.columns if isinstance(history.ops, LazyOps) else None
    return columns if isinstance(columns, SessionColumns) else None


def read_plume(data: bytes, read: Callable[[], History]) -> History | None:
    """The history, or None if a line is unusual; `read` reads it the ordinary way. Cost: about 6 ns a byte."""
    return _read("plume", data, read)


def read_awdit(data: bytes, read: Callable[[], History]) -> History | None:
    """The history, or None if a line is unusual; `read` reads it the ordinary way."""
    return _read("awdit", data, read)


def read_cobra(logs: list[tuple[int, bytes]], read: Callable[[], History]) -> History | None:
    """The history of (session, records) by session, or None if a record is unusual; `read` reads it the ordinary way."""
    import numpy as np

    try:
        from harness.compiled import announce
        from harness.history import session_kernels as kernels
    except RuntimeError:  # numba finds no folder that it may keep compiled code in
        return None
    announce(kernels.cobra, "reading large logs of sessions")
    most = sum(len(data) for _, data in logs) // kernels.SHORTEST + 1
    write, null = np.empty(most, np.bool_), np.empty(most, np.bool_)
    key, value, claim = (np.empty(most, np.int64) for _ in range(3))
    start, size = np.empty(most, np.int64), np.empty(most, np.int64)
    sessions: list[int] = []
    counts = np.zeros(2, np.int64)  # micro-ops, transactions
    for session, data in logs:
        before = int(counts[1])
        if not kernels.cobra(np.frombuffer(data, np.uint8), counts, write, null, key, value, claim, start, size):
            return None
        sessions += [session] * (int(counts[1]) - before)
    mops, txns = counts.tolist()
    if not txns or not _claims_hold(write[:mops], null[:mops], value[:mops], claim[:mops]):
        return None
    columns = (write[:mops], key[:mops], value[:mops], null[:mops])
    made = SessionColumns(np.array(sessions), np.ones(txns, np.bool_), start[:txns], size[:txns], *columns, unsigned=True)
    return History(LazyOps(made, lambda: read().ops), header_of(False))


def _claims_hold(write: Flags, null: Flags, value: Ints, claim: Ints) -> bool:
    """Whether every read names the transaction that has the write whose id it names; `claim` of a write is its own transaction."""
    import numpy as np

    ids, first = np.unique(value[write], return_index=True)
    if len(ids) < int(write.sum()):
        return False
    read = np.flatnonzero(~write & ~null)
    if not len(read):
        return True
    at = np.minimum(np.searchsorted(ids, value[read]), max(len(ids) - 1, 0))
    known = ids[at] == value[read] if len(ids) else np.zeros(len(read), np.bool_)
    return bool((claim[write][first][at[known]] == claim[read[known]]).all())


def _read(format: str, data: bytes, read: Callable[[], History]) -> History | None:
    import numpy as np

    try:
        from harness.compiled import announce
        from harness.history import session_kernels as kernels
    except RuntimeError:  # numba finds no folder that it may keep compiled code in
        return None
    announce(kernels.bounds, "reading a large history of sessions")
    lines = data.count(b"\n") + 1
    write = np.empty(lines, np.bool_)
    key, value, session, txn = (np.empty(lines, np.int64) for _ in range(4))
    parse = kernels.plume if format == "plume" else kernels.awdit
    count = parse(np.frombuffer(data, np.uint8), write, key, value, session, txn)
    if count <= 0:
        return None
    made = _grouped(write[:count], key[:count], value[:count], session[:count], txn[:count], zero=format == "plume")
    first = format == "plume" and bool(session[0] == 0 and txn[0] == 0) and _is_first(made)
    return History(LazyOps(made, lambda: read().ops), header_of(first))


def _grouped(write: Flags, key: Ints, value: Ints, session: Ints, txn: Ints, zero: bool) -> SessionColumns:
    import numpy as np

    from harness.history.session_kernels import bounds, group

    of_op, sessions, ids = (np.empty(len(key), np.int64) for _ in range(3))
    count, together = group(session, txn, of_op, sessions, ids)
    if not together:
        by_txn = np.argsort(of_op, kind="stable")
        of_op, write, key, value = of_op[by_txn], write[by_txn], key[by_txn], value[by_txn]
    start, size = np.empty(count, np.int64), np.empty(count, np.int64)
    bounds(of_op, start, size)
    line = np.argsort(sessions[:count], kind="stable")
    null = np.zeros(len(key), np.bool_)
    if zero:  # sessions.initial_zero, on columns
        null = ~write & (value == 0)
        written = np.unique(key[write & (value == 0)])
        if len(written):
            null &= ~np.isin(key, written)
    return SessionColumns(sessions[line], ids[line] >= 0, start[line], size[line], write, key, value, null)


def _is_first(columns: SessionColumns) -> bool:
    """sessions.is_first, on columns."""
    import numpy as np

    if len(columns.ok) < 2 or not columns.ok[0] or columns.session[0] != 0 or columns.session[1] == 0:
        return False
    here = slice(columns.start[0], columns.start[0] + columns.size[0])
    keys = len(np.unique(columns.key))
    return bool(columns.write[here].all() and columns.size[0] == keys == len(np.unique(columns.key[here])))
