"""Versions of registers: who wrote which value, who committed, who read what.

Why it exists  dependencies and phenomena both rest on these facts. A register that was read shows one version alone: which came before
               which must be inferred (orders.py).
Relies on      no value being written twice to a key, null counting as written at the start (`repeated` names one that is; then a read does
               not say which write it saw).

A transaction committed if it is ok, or if its outcome is unknown and a committed transaction read a value of it. Only what committed
transactions read counts: an aborted one may have seen anything. The versions of a key are the last writes of committed transactions.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from checkers.transactions.txns import UNSEEN, WRITE, Txn
from harness.op import INFO, OK


class Write(NamedTuple):
    """Who wrote a value, and whether it was the transaction's last write of that key."""

    txn: Txn
    final: bool


class Reading(NamedTuple):
    """A value of another transaction, or null, that a committed transaction read; `at` is the micro-op's position."""

    txn: Txn
    at: int
    value: Hashable


class Repeat(NamedTuple):
    """A value written twice to a key: by the transactions invoked at these ops (first None: null, the value at the start)."""

    key: Hashable
    value: Hashable
    first: int | None
    second: int


class Key:
    """What happened to one key.

    finals   committed versions in order of their writers' invocations: (value, writer)
    readers  value (None: null) -> committed transactions that read it from another one, each once, in order of invocation
    """

    def __init__(self, name: Hashable) -> None:
        self.name = name
        self.writes: dict[Hashable, Write] = {}
        self.readings: list[Reading] = []
        self.finals: list[tuple[Hashable, Txn]] = []
        self.readers: dict[Hashable, list[Txn]] = {}

    def settle(self, committed: Sequence[bool]) -> None:
        """Order what was noted, once all readings are in."""
        self.readings.sort(key=lambda reading: (reading.txn.number, reading.at))
        for reading in self.readings:
            known = self.readers.setdefault(reading.value, [])
            if not known or known[-1] is not reading.txn:
                known.append(reading.txn)
        self.finals = [(value, write.txn) for value, write in self.writes.items() if write.final and committed[write.txn.number]]

    def version(self, value: Hashable, committed: Sequence[bool]) -> Txn | None:
        """The committed transaction whose last write of the key this value is."""
        write = self.writes.get(value)
        return write.txn if write is not None and write.final and committed[write.txn.number] else None


class Versions:
    """All keys of a history, in order of first mention.

    committed  per transaction
    repeated   the first value that was written twice, or None
    """

    def __init__(self, txns: Sequence[Txn]) -> None:
        self.txns = txns
        self.keys: dict[Hashable, Key] = {}
        self.repeated: Repeat | None = None
        for txn in txns:
            self._note_writes(txn)
        self.committed = [txn.outcome == OK for txn in txns]
        self._note_readings(txn for txn in txns if txn.outcome == OK)
        for key in self.keys.values():
            key.settle(self.committed)

    def _note_writes(self, txn: Txn) -> None:
        last: dict[Hashable, Hashable] = {}
        for mop in txn.mops:
            key = self.keys.get(mop.key)
            if key is None:
                key = self.keys[mop.key] = Key(mop.key)
            if mop.kind != WRITE:
                continue
            before = key.writes.get(mop.value)
            if self.repeated is None and (before is not None or mop.value is None):
                self.repeated = Repeat(mop.key, mop.value, None if before is None else before.txn.call, txn.call)
            if mop.key in last:
                key.writes[last[mop.key]] = Write(txn, False)
            last[mop.key] = mop.value
            key.writes[mop.value] = Write(txn, True)

    def _note_readings(self, txns: Iterable[Txn]) -> None:
        """Take these transactions' reads; each unknown writer that they prove committed adds its own."""
        waiting = list(txns)
        while waiting:
            found: list[Txn] = []
            for txn in waiting:
                for at, mop in enumerate(txn.mops):
                    if mop.kind == WRITE or mop.value is UNSEEN:
                        continue
                    key = self.keys[mop.key]
                    write = key.writes.get(mop.value)
                    if write is not None and write.txn is txn:
                        continue
                    key.readings.append(Reading(txn, at, mop.value))
                    if write is not None and write.txn.outcome == INFO and not self.committed[write.txn.number]:
                        self.committed[write.txn.number] = True
                        found.append(write.txn)
            waiting = found


def external_read(txn: Txn, key: Hashable) -> Hashable:
    """What a transaction read in a key before it wrote there itself; UNSEEN if it did not read, or nobody saw it."""
    for mop in txn.mops:
        if mop.key == key:
            return UNSEEN if mop.kind == WRITE else mop.value
    return UNSEEN


def external_write(txn: Txn, key: Hashable) -> Hashable:
    """The last value that a transaction wrote to a key; UNSEEN if it wrote none."""
    written: Hashable = UNSEEN
    for mop in txn.mops:
        if mop.kind == WRITE and mop.key == key:
            written = mop.value
    return written
