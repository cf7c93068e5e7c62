"""Versions of lists: who appended which element, who committed, and in which order each key's elements came.

Why it exists  dependencies and phenomena both rest on these facts. A list that was read shows all versions before it: that is why
               appends to lists are tested rather than writes to registers.
Relies on      no element being appended twice to a key (`repeated` names one that is; then nothing can be said).

A transaction committed if it is ok, or if its outcome is unknown and a committed transaction read one of its elements. Only what
committed transactions read counts: an aborted one may have seen anything. The version order of a key is the longest list read, without
repetitions; an element that was never read has no place in it, but it came after the last version that was read.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, MutableSequence, Sequence
from typing import NamedTuple

from checkers.transactions.txns import APPEND, Txn
from harness.op import INFO, OK

Elements = tuple[Hashable, ...]


class Append(NamedTuple):
    """Who appended an element, and whether it was the transaction's last append to that key."""

    txn: Txn
    final: bool


class Reading(NamedTuple):
    """A list that a committed transaction read from a key; `at` is the micro-op's position."""

    txn: Txn
    at: int
    elements: Elements


class Key:
    """What happened to one key."""

    def __init__(self, name: Hashable) -> None:
        self.name = name
        self.appends: dict[Hashable, Append] = {}
        self.readings: list[Reading] = []
        self.longest: Reading | None = None
        self.order: Elements = ()
        self.compatible = True

    def settle(self) -> None:
        """Find the version order, once all readings are in."""
        self.readings.sort(key=lambda reading: (reading.txn.number, reading.at))  # one order, however unknown writers were found
        self.longest = max(self.readings, key=lambda reading: len(reading.elements), default=None)
        if self.longest is not None:
            longest = self.longest.elements
            self.order = tuple(dict.fromkeys(longest))
            self.compatible = all(elements == longest[: len(elements)] for elements in {reading.elements for reading in self.readings})


class Versions:
    """All keys of a history, in order of first mention; or some of its keys, of the transactions that mention them.

    Args: keys: those that count; committed: who committed, by number, where that is known already.

    numbered  transactions by number
    repeated  (key, element, first op, second op) of an element appended twice, or None
    """

    def __init__(
        self, txns: Sequence[Txn], keys: Collection[Hashable] | None = None, committed: MutableSequence[bool] | None = None
    ) -> None:
        self.txns = txns
        self.numbered: Sequence[Txn] | Mapping[int, Txn] = txns if committed is None else {txn.number: txn for txn in txns}
        self.chosen = keys
        self.keys: dict[Hashable, Key] = {}
        self.repeated: tuple[Hashable, Hashable, int, int] | None = None
        for txn in txns:
            self._note_appends(txn)
        self.committed: MutableSequence[bool] = [txn.outcome == OK for txn in txns] if committed is None else committed
        self._note_readings(txn for txn in txns if self.committed[txn.number])
        for key in self.keys.values():
            key.settle()

    def _note_appends(self, txn: Txn) -> None:
        last: dict[Hashable, Hashable] = {}
        for mop in txn.mops:
            if self.chosen is not None and mop.key not in self.chosen:
                continue
            key = self.keys.get(mop.key)
            if key is None:
                key = self.keys[mop.key] = Key(mop.key)
            if mop.kind != APPEND:
                continue
            before = key.appends.get(mop.value)
            if before is not None and self.repeated is None:
                self.repeated = (mop.key, mop.value, before.txn.call, txn.call)
            if mop.key in last:
                key.appends[last[mop.key]] = Append(txn, False)
            last[mop.key] = mop.value
            key.appends[mop.value] = Append(txn, True)

    def _note_readings(self, txns: Iterable[Txn]) -> None:
        """Take these transactions' reads; each unknown writer that they prove committed adds its own."""
        seen: dict[Hashable, set[Elements]] = {}
        waiting = list(txns)
        while waiting:
            found: list[Txn] = []
            for txn in waiting:
                for at, mop in enumerate(txn.mops):
                    if mop.kind == APPEND or mop.value is None or (self.chosen is not None and mop.key not in self.chosen):
                        continue
                    key = self.keys[mop.key]
                    key.readings.append(Reading(txn, at, mop.value))
                    known = seen.setdefault(mop.key, set())
                    if mop.value not in known:
                        known.add(mop.value)
                        found += self._newly_committed(key, mop.value)
            waiting = found

    def _newly_committed(self, key: Key, elements: Elements) -> Iterable[Txn]:
        for element in elements:
            append = key.appends.get(element)
            if append is not None and append.txn.outcome == INFO and not self.committed[append.txn.number]:
                self.committed[append.txn.number] = True
                yield append.txn

    def unread(self, key: Key) -> list[tuple[Txn, Hashable]]:
        """Committed appends that no committed transaction read: they came after the last version. None if reads conflict."""
        if not key.compatible:
            return []
        placed = set(key.order)
        return [
            (append.txn, element) for element, append in key.appends.items() if self.committed[append.txn.number] and element not in placed
        ]
