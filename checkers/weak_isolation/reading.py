"""Read consistency: whose write each read of a committed transaction saw, and the reads that no level explains.

Why it exists  every axiom of the levels speaks of "t3 reads x from t1"; what is wrong before that is wrong under all of them.
Relies on      registers whose values tell their writer. Of a value with several possible writers nothing is assumed: the read is left out,
               which can only hide an anomaly, so the verdict is then `unknown` unless something else is wrong.

A read that finds what its own transaction wrote before is internal. Any other is explained by a transaction that did not fail, is not
the reader, and whose last write of the key is the value; of null also by the initial state. No explanation: garbage-read, G1a, G1b or
future-read, by what there is instead.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from checkers.transactions.txns import UNSEEN, WRITE, Txn
from harness.op import FAIL, OK

INITIAL = -1  # in place of a transaction's number: the state before all of them
INTERNAL, GARBAGE, ABORTED, INTERMEDIATE, FUTURE = "internal", "garbage-read", "G1a", "G1b", "future-read"
FINDINGS = (GARBAGE, ABORTED, INTERMEDIATE, FUTURE, INTERNAL)


class Read(NamedTuple):
    """An external read: its place among the transaction's micro-ops, its key, the number of the transaction that it saw."""

    at: int
    key: Hashable
    writer: int


class Finding(NamedTuple):
    """A read without an explanation. `writer`: who wrote the value all the same; `own`: what an internal read had to find."""

    type: str
    reader: int
    at: int
    writer: int | None = None
    own: Any = None


class Unclear(NamedTuple):
    """A read of a value that several transactions may have written."""

    reader: int
    at: int
    writers: tuple[int, ...]


class Reading:
    """What the reads say.

    committed   per transaction: it is ok, or of unknown outcome and somebody saw a write of it
    last        per transaction: key -> the value that it wrote last
    reads       per transaction: the external reads that have one explanation; none unless it is ok
    findings    reads that no level explains; unclear: reads with several explanations
    seen        how many reads of ok transactions returned something
    """

    def __init__(self, txns: Sequence[Txn], counts: Callable[[int, int], bool] | None = None) -> None:
        """`counts(number, place)`: whether a read is looked at; all are, unless the transactions are only some of a history's."""
        self.txns = txns
        self._counts = counts
        self.findings: list[Finding] = []
        self.unclear: list[Unclear] = []
        self.seen = 0
        self.last: list[dict[Hashable, Any]] = [{mop.key: mop.value for mop in txn.mops if mop.kind == WRITE} for txn in txns]
        self._written: dict[tuple[Hashable, Any], list[int]] = {}
        for txn in txns:
            for key, value in dict.fromkeys((mop.key, mop.value) for mop in txn.mops if mop.kind == WRITE):
                self._written.setdefault((key, value), []).append(txn.number)
        self.committed = [txn.outcome == OK for txn in txns]
        self.reads = [self._reads_of(txn) if txn.outcome == OK else [] for txn in txns]

    def _reads_of(self, txn: Txn) -> list[Read]:
        own: dict[Hashable, Any] = {}
        reads: list[Read] = []
        for at, mop in enumerate(txn.mops):
            if mop.kind == WRITE:
                own[mop.key] = mop.value
            elif mop.value is UNSEEN or (self._counts is not None and not self._counts(txn.number, at)):
                continue
            elif mop.key in own:
                self.seen += 1
                if own[mop.key] != mop.value:
                    self.findings.append(Finding(INTERNAL, txn.number, at, own=own[mop.key]))
            else:
                self.seen += 1
                writer = self._writer(txn.number, at, mop.key, mop.value)
                if writer is not None:
                    reads.append(Read(at, mop.key, writer))
        return reads

    def _writer(self, reader: int, at: int, key: Hashable, value: Any) -> int | None:
        """The one transaction that explains the read, or None: then it is noted why."""
        written = self._written.get((key, value), ())
        explaining = [
            number for number in written if number != reader and self.txns[number].outcome != FAIL and self.last[number][key] == value
        ]
        if value is None:
            explaining.insert(0, INITIAL)
        if len(explaining) == 1:
            if explaining[0] != INITIAL:
                self.committed[explaining[0]] = True
            return explaining[0]
        if explaining:
            self.unclear.append(Unclear(reader, at, tuple(explaining)))
            return None
        others = [number for number in written if number != reader]
        alive = [number for number in others if self.txns[number].outcome != FAIL]
        if reader in written:
            self.findings.append(Finding(FUTURE, reader, at, reader))
        elif alive:
            self.findings.append(Finding(INTERMEDIATE, reader, at, alive[0]))
        elif others:
            self.findings.append(Finding(ABORTED, reader, at, others[0]))
        else:
            self.findings.append(Finding(GARBAGE, reader, at))
        return None
