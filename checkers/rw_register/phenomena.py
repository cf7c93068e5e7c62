"""Phenomena without a cycle: what one transaction, or one key's reads, shows to be wrong.

internal      a transaction's read is not what it itself wrote or read there before
future-read   a transaction read a value that it wrote only later
garbage-read  a read of a value that nobody ever tried to write
G1a           a read of a value of a failed transaction
G1b           a read of a value that was not its writer's last one in that key
dirty-update  a transaction read a failed one's value and wrote the key: it built on a write that never happened
lost-update   two transactions read the same version of a key and both wrote it

Why it exists  these are aborted reads, intermediate reads and their kin: they break read committed, or even less, without any cycle.
Relies on      versions.py; the rules are those of Elle, future-read and dirty-update carried over from lists. A transaction of unknown
               outcome that was observed committed: what it reports to have read counts like that of an acknowledged one.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import NamedTuple

from checkers.rw_register.versions import Key, Versions, external_read, external_write
from checkers.transactions.txns import UNSEEN, WRITE, Txn
from harness.op import FAIL


class Finding(NamedTuple):
    """A phenomenon: the transactions that show it, on which key, by which value; `expected` is what an internal read had to find."""

    type: str
    txns: tuple[Txn, ...]
    key: Hashable
    value: Hashable
    expected: Hashable = None


def phenomena(versions: Versions) -> list[Finding]:
    """All of them, by transaction and key in order of the history."""
    found: list[Finding] = []
    for txn in versions.txns:
        if versions.committed[txn.number]:
            found += _internal(txn)
            found += _future_reads(txn)
    for key in versions.keys.values():
        found += _strange_values(key)
        found += _dirty_updates(key)
        found += _lost_updates(key)
    return found


def _internal(txn: Txn) -> Iterator[Finding]:
    """Replay; the first mismatch of each key."""
    known: dict[Hashable, Hashable] = {}
    told: set[Hashable] = set()
    for mop in txn.mops:
        if mop.kind != WRITE and mop.value is UNSEEN:
            continue
        if mop.kind != WRITE and known.get(mop.key, mop.value) != mop.value and mop.key not in told:
            told.add(mop.key)
            yield Finding("internal", (txn,), mop.key, mop.value, known[mop.key])
        known[mop.key] = mop.value


def _future_reads(txn: Txn) -> Iterator[Finding]:
    later: set[tuple[Hashable, Hashable]] = set()
    told: set[tuple[Hashable, Hashable]] = set()
    for mop in reversed(txn.mops):
        if mop.kind == WRITE:
            later.add((mop.key, mop.value))
        elif (mop.key, mop.value) in later and (mop.key, mop.value) not in told:
            told.add((mop.key, mop.value))
            yield Finding("future-read", (txn,), mop.key, mop.value)


def _strange_values(key: Key) -> Iterator[Finding]:
    """garbage-read, G1a, G1b: each reading transaction counts once."""
    for value, readers in key.readers.items():
        write = key.writes.get(value)
        if value is None or (write is not None and write.txn.outcome != FAIL and write.final):
            continue
        for reader in readers:
            if write is None:
                yield Finding("garbage-read", (reader,), key.name, value)
            elif write.txn.outcome == FAIL:
                yield Finding("G1a", (write.txn, reader), key.name, value)
            else:
                yield Finding("G1b", (write.txn, reader), key.name, value)


def _updates(key: Key, value: Hashable) -> list[Txn]:
    """Transactions that read this version before they wrote the key."""
    return [txn for txn in key.readers[value] if external_read(txn, key.name) == value and external_write(txn, key.name) is not UNSEEN]


def _dirty_updates(key: Key) -> Iterator[Finding]:
    for value in key.readers:
        write = key.writes.get(value)
        if write is not None and write.txn.outcome == FAIL:
            for txn in _updates(key, value):
                yield Finding("dirty-update", (write.txn, txn), key.name, value)


def _lost_updates(key: Key) -> Iterator[Finding]:
    for value in key.readers:
        updates = _updates(key, value)
        if len(updates) > 1:
            yield Finding("lost-update", tuple(updates), key.name, value)
