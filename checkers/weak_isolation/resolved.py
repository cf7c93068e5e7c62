"""The reads of a large history of sessions, resolved on arrays: whose write each one saw, and those that nobody explains.

Why it exists  the fast road's half of reading.py: the same rules, a million transactions in half a second.
Relies on      kernels.py. Reads without one explanation at once are few; they are looked at one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from checkers.transactions.txns import READ, WRITE, Mop, Txn
from checkers.weak_isolation.graph import Order
from checkers.weak_isolation.levels import SHOWN
from checkers.weak_isolation.reading import ABORTED, FUTURE, GARBAGE, INTERMEDIATE, INTERNAL, Finding, Reading, Unclear
from harness.history.session_columns import SessionColumns
from harness.op import FAIL, OK

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


class Reads(NamedTuple):
    """Per transaction its reads with one explanation (start: n + 1 entries): micro-op, key, writer; and the keys that it writes."""

    start: Ints
    op: Ints
    key: Ints
    writer: Ints
    w_start: Ints
    w_key: Ints
    keys: int


class Resolved:
    """Per micro-op: key (dense numbers), its transaction (`of`), whether it is a last write (`final`) or an external read. `reads`: those
    with one explanation."""

    def __init__(self, columns: SessionColumns) -> None:
        import numpy as np

        from checkers.weak_isolation import kernels

        self.columns = columns
        self.n = len(columns.ok)
        count = len(columns.key)
        self.key = np.empty(count, np.int64)
        keys = kernels.number_keys(columns.key, self.key)
        self.of = np.empty(count, np.int64)
        self.final, self.external, self.wrong = (np.zeros(count, np.bool_) for _ in range(3))
        txns = (columns.ok, columns.start, columns.size)
        kernels.roles(*txns, columns.write, self.key, keys, columns.value, columns.null, self.of, self.final, self.external, self.wrong)
        table = np.full(1 << max(4, (2 * int(self.final.sum())).bit_length()), -1, np.int64)
        twice = np.zeros(count, np.bool_)
        kernels.index_writes(self.final, self.key, columns.value, table, twice)
        reads = int(self.external.sum())
        start, w_start = np.empty(self.n + 1, np.int64), np.empty(self.n + 1, np.int64)
        op, writer, odd = (np.empty(reads, np.int64) for _ in range(3))
        others = kernels.resolve(*txns, self.key, columns.value, columns.null, self.of, self.external, table, twice, start, op, writer, odd)
        self.odd = odd[:others]
        self.written = self._writers_of_odd()
        op, writer, start = self._with_odd(op[: start[-1]], writer[: start[-1]], start)
        w_key = np.empty(int(self.final.sum()), np.int64)
        kernels.last_writes(*txns, self.key, self.final, w_start, w_key)
        self.reads = Reads(start, op, self.key[op], writer, w_start, w_key, max(1, keys))

    def _writers_of_odd(self) -> dict[tuple[int, int], list[int]]:
        """(key, value) of each read without one explanation at once -> the micro-ops that write it."""
        import numpy as np

        value = self.columns.value
        written: dict[tuple[int, int], list[int]] = {(int(self.key[i]), int(value[i])): [] for i in self.odd.tolist()}
        if written:
            asked = np.zeros(int(self.key.max()) + 1, np.bool_)
            asked[self.key[self.odd]] = True
            for i in np.flatnonzero(self.columns.write & asked[self.key]).tolist():
                pair = (int(self.key[i]), int(value[i]))
                if pair in written:
                    written[pair].append(i)
        return written

    def _with_odd(self, op: Ints, writer: Ints, start: Ints) -> tuple[Ints, Ints, Ints]:
        """The reads, with those that have one explanation because the other writer of the value is the reader itself."""
        import numpy as np

        more = [(i, writers[0]) for i in self.odd.tolist() for type_, writers in [self._explain(i)] if not type_ and len(writers) == 1]
        if not more:
            return op, writer, start
        op, writer = np.r_[op, [i for i, _ in more]], np.r_[writer, [t for _, t in more]]
        order = np.lexsort((op, self.of[op]))
        op, writer = op[order], writer[order]
        return op, writer, np.searchsorted(self.of[op], np.arange(self.n + 1))

    def odd_reads(self) -> tuple[list[tuple[Finding, Order]], Counter[str], tuple[Unclear, Sequence[Txn]] | None]:
        """The findings that are shown, how many there are of each type, and the first read with several explanations."""
        import numpy as np

        wrong = np.flatnonzero(self.wrong)
        found: dict[str, list[tuple[int, int | None]]] = {INTERNAL: [(i, None) for i in wrong.tolist()]} if len(wrong) else {}
        unclear: tuple[Unclear, Sequence[Txn]] | None = None
        for i in self.odd.tolist():
            type_, writers = self._explain(i)
            if type_:
                found.setdefault(type_, []).append((i, writers[0] if writers else None))
            elif len(writers) > 1 and unclear is None:
                unclear = self._unclear(i, writers)
        counts = Counter({type_: len(same) for type_, same in found.items()})
        return [self._finding(type_, i, writer) for type_, same in found.items() for i, writer in same[:SHOWN]], counts, unclear

    def _explain(self, i: int) -> tuple[str, list[int]]:
        """(type of the finding, "" if there is an explanation; transactions that wrote the value)."""
        reader = int(self.of[i])
        written = self.written[int(self.key[i]), int(self.columns.value[i])]
        explaining = sorted({int(self.of[w]) for w in written if self.final[w]} - {reader})
        if explaining:
            return "", explaining
        writers = sorted({int(self.of[w]) for w in written})
        alive = [t for t in writers if self.columns.ok[t]]
        if reader in writers:
            return FUTURE, [reader]
        return (INTERMEDIATE, alive) if alive else (ABORTED, writers) if writers else (GARBAGE, [])

    def _finding(self, type_: str, i: int, writer: int | None) -> tuple[Finding, Order]:
        reader = int(self.of[i])
        cast = sorted({reader} | ({writer} if writer is not None else set()))
        txns = [self.txn(number, t) for number, t in enumerate(cast)]
        at = i - int(self.columns.start[reader])
        *before, (_, key, _) = txns[cast.index(reader)].mops[: at + 1]
        own = next((mop.value for mop in reversed(before) if mop.kind == WRITE and mop.key == key), None)
        finding = Finding(type_, cast.index(reader), at, None if writer is None else cast.index(writer), own)
        return finding, Order(Reading(txns, lambda *_: False), True, False)

    def _unclear(self, i: int, writers: list[int]) -> tuple[Unclear, Sequence[Txn]]:
        reader = int(self.of[i])
        cast = sorted({reader, *writers})
        txns = [self.txn(number, t) for number, t in enumerate(cast)]
        return Unclear(cast.index(reader), i - int(self.columns.start[reader]), tuple(cast.index(t) for t in writers)), txns

    def txn(self, number: int, t: int) -> Txn:
        """A transaction under a number of its own."""
        columns = self.columns
        mops = tuple(Mop(WRITE if f == "w" else READ, key, value) for f, key, value in columns.mops(t))
        return Txn(number, int(columns.session[t]), 2 * t, 2 * t + 1, 2 * t + 1, OK if columns.ok[t] else FAIL, mops)
