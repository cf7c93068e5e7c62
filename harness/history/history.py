"""A history: ops in index order, and the pairing of invocations with completions.

Why it exists  checkers want either the ops (small histories, plain Python) or columns (large ones, numpy); both views come from here.
Relies on      index order is the truth; nothing here sorts, repairs or drops an op.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.errors import HistoryError
from harness.op import INVOKE, Op

if TYPE_CHECKING:
    from harness.history.columns import Columns
    from harness.history.txn_columns import TxnColumns


class Call(NamedTuple):
    """An invocation with its completion; `completion` is None if the op was still open at the end."""

    invoke: Op
    completion: Op | None

    @property
    def outcome(self) -> str:
        """ok | fail | info; an op still open is info."""
        return "info" if self.completion is None else self.completion.type


class History:
    """Ops in index order, with the file's header and what was noticed while reading; of a large history of registers also columns."""

    def __init__(
        self, ops: Sequence[Op], header: dict[str, Any] | None = None, notes: Sequence[str] = (), columns: Columns | None = None
    ) -> None:
        self.ops = ops
        self.header = header or {}
        self.notes = list(notes)
        self.columns = columns
        self.txns: TxnColumns | None = None  # of a large history of transactions
        self.shared: dict[str, Any] = {}  # by checker: what its `warm` made before the fork

    def __len__(self) -> int:
        return len(self.ops)

    @property
    def by_sessions(self) -> bool:
        """True if only the order within each process is known: positions of ops of different processes say nothing about real time."""
        return self.header.get("order") == "session"

    def calls(self, *, nemesis: bool = False) -> Iterator[Call]:
        """Pair client ops (or the nemesis's) by process, in order of invocation.

        Raises: HistoryError naming the index, if a completion has no invocation or a process has two ops open.
        """
        pending: dict[int | str, int] = {}
        calls: list[Call] = []
        # Columns keep the nemesis's ops apart: nobody should have to decode a million others to find them.
        ops = self.ops if self.txns is None or not nemesis else [op for _, op in sorted(self.txns.odd.items())]
        for op in ops:
            if op.is_client == nemesis:
                continue
            if op.type == INVOKE:
                if op.process in pending:
                    raise HistoryError(f"op {op.index}: process {op.process} invokes {op.f} while its op before is still open")
                pending[op.process] = len(calls)
                calls.append(Call(op, None))
            else:
                at = pending.pop(op.process, None)
                if at is None:
                    raise HistoryError(f"op {op.index}: process {op.process} completes {op.f} that it never invoked")
                calls[at] = Call(calls[at].invoke, op)
        return iter(calls)
