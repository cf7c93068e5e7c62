"""Phenomena without a cycle: what one transaction, or one key's reads, shows to be wrong.

internal            a transaction's reads do not follow from its own earlier reads and appends
future-read         a read holds an element that the same transaction appends later
garbage-read        a read holds an element that nobody ever tried to append
G1a                 a read holds an element of a failed transaction
G1b                 a read ends with an element that was not its writer's last append to that key
dirty-update        a failed transaction's element is followed, perhaps after unknown ones, by an acknowledged one
duplicate-elements  a read holds an element twice
incompatible-order  two reads of a key, neither a prefix of the other
lost-update         two transactions read the same version of a key and both appended to it
fractured-read      a transaction read an element of another one, and a key that this one appended to too without its element there

Why it exists  these are aborted reads, intermediate reads and their kin: they break read committed, or even less, without any cycle.
Relies on      versions.py; the rules are those of Elle (checkers.md 3.2), with `null` and `[]` the same list. A transaction of unknown
               outcome that was observed committed: what it reports to have read counts like that of an acknowledged one.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from checkers.list_append.versions import Elements, Key, Reading, Versions
from checkers.transactions.txns import APPEND, Txn
from harness.op import FAIL, INFO, OK


class Finding(NamedTuple):
    """A phenomenon: the transactions that show it, on which key, by which element, by which lists (expected and found, or two reads)."""

    type: str
    txns: tuple[Txn, ...]
    key: Hashable
    element: Hashable = None
    lists: tuple[Elements, ...] = ()


def phenomena(versions: Versions) -> list[Finding]:
    """All of them, by transaction and key in order of the history."""
    found = [finding for txn in versions.txns for finding in of_transaction(txn, committed=versions.committed[txn.number])]
    found += [finding for key in versions.keys.values() for finding in of_key(versions, key)]
    return found + list(fractured(versions))


def of_transaction(txn: Txn, *, committed: bool) -> list[Finding]:
    """Those that a transaction shows by itself."""
    own = [*_internal(txn), *_future_reads(txn)] if committed else []
    return own + list(_duplicates(txn))


def of_key(versions: Versions, key: Key) -> list[Finding]:
    """Those that the appends and reads of one key show."""
    found = [*_strange_elements(key), *_intermediate(key), *_dirty_updates(versions, key)]
    return [*found, *_incompatible(key), *_lost_updates(key)]


def _internal(txn: Txn) -> Iterator[Finding]:
    """Replay; the first mismatch of each key. Until a key is read, only the end of its list is known."""
    known: dict[Hashable, tuple[bool, Elements]] = {}  # key -> (the whole list is known, list or its end)
    told: set[Hashable] = set()
    for mop in txn.mops:
        whole, expected = known.get(mop.key, (False, ()))
        if mop.kind == APPEND:
            known[mop.key] = (whole, (*expected, mop.value))
            continue
        if mop.value is None:
            continue
        fits = mop.value == expected if whole else mop.value[len(mop.value) - len(expected) :] == expected
        if not fits and mop.key not in told:
            told.add(mop.key)
            yield Finding("internal", (txn,), mop.key, None, (expected, mop.value))
        known[mop.key] = (True, mop.value)


def _future_reads(txn: Txn) -> Iterator[Finding]:
    later: dict[Hashable, set[Hashable]] = {}
    told = set()
    for mop in reversed(txn.mops):
        if mop.kind == APPEND:
            later.setdefault(mop.key, set()).add(mop.value)
            continue
        for element in mop.value or ():
            if element in later.get(mop.key, ()) and (mop.key, element) not in told:
                told.add((mop.key, element))
                yield Finding("future-read", (txn,), mop.key, element, (mop.value,))


def _duplicates(txn: Txn) -> Iterator[Finding]:
    for mop in txn.mops:
        if mop.kind == APPEND or not mop.value or len(set(mop.value)) == len(mop.value):
            continue
        seen: set[Hashable] = set()
        for element in mop.value or ():
            if element in seen:
                yield Finding("duplicate-elements", (txn,), mop.key, element, (mop.value,))
                break
            seen.add(element)


def _strange_elements(key: Key) -> Iterator[Finding]:
    """garbage-read and G1a: for each element the first read that holds it proves it, each reading transaction counts."""
    failed = {element for element, append in key.appends.items() if append.txn.outcome == FAIL}
    strange: dict[Elements, list[Hashable]] = {}
    told: set[tuple[int, Hashable]] = set()
    for reading in key.readings:
        if reading.elements not in strange:
            strange[reading.elements] = [e for e in dict.fromkeys(reading.elements) if e in failed or e not in key.appends]
        for element in strange[reading.elements]:
            if (reading.txn.number, element) in told:
                continue
            told.add((reading.txn.number, element))
            if element in failed:
                yield Finding("G1a", (key.appends[element].txn, reading.txn), key.name, element, (reading.elements,))
            else:
                yield Finding("garbage-read", (reading.txn,), key.name, element, (reading.elements,))


def _intermediate(key: Key) -> Iterator[Finding]:
    told: set[tuple[int, Hashable]] = set()
    for reading in key.readings:
        if not reading.elements:
            continue
        element = reading.elements[-1]
        append = key.appends.get(element)
        if append is None or append.final or append.txn is reading.txn or append.txn.outcome == FAIL:
            continue
        if (reading.txn.number, element) not in told:
            told.add((reading.txn.number, element))
            yield Finding("G1b", (append.txn, reading.txn), key.name, element, (reading.elements,))


def _dirty_updates(versions: Versions, key: Key) -> Iterator[Finding]:
    dirty: Hashable = None
    for element in key.order:
        append = key.appends.get(element)
        if append is None:
            dirty = None
        elif append.txn.outcome == FAIL:
            dirty = element
        elif append.txn.outcome == OK and dirty is not None:
            assert key.longest is not None
            yield Finding(
                "dirty-update", (key.appends[dirty].txn, append.txn, key.longest.txn), key.name, element, ((dirty,), key.longest.elements)
            )
            dirty = None
        else:
            assert append.txn.outcome in (OK, INFO)


def _incompatible(key: Key) -> Iterator[Finding]:
    if key.compatible:
        return
    first: dict[Elements, Reading] = {}
    for reading in key.readings:
        first.setdefault(reading.elements, reading)
    distinct = sorted(first, key=len)  # stable: of one length, the first read first
    for less, more in pairwise(distinct):
        if more[: len(less)] != less:
            yield Finding("incompatible-order", (first[less].txn, first[more].txn), key.name, None, (less, more))


def _lost_updates(key: Key) -> Iterator[Finding]:
    updates: dict[Elements, list[Txn]] = {}
    told: set[int] = set()
    for reading in key.readings:
        txn = reading.txn
        if txn.number in told:
            continue
        told.add(txn.number)
        mops = [mop for mop in txn.mops if mop.key == key.name]
        if mops[0].kind != APPEND and mops[0].value is not None and any(mop.kind == APPEND for mop in mops):
            updates.setdefault(mops[0].value, []).append(txn)
    for elements, txns in updates.items():
        if len(txns) > 1:
            yield Finding("lost-update", tuple(txns), key.name, None, (elements,))


def fractured(versions: Versions, readers: Container[int] | None = None) -> Iterator[Finding]:
    """Once for each reader and writer: by the first key that shows the writer, and the first other one that misses an element of it."""
    reads: dict[int, list[tuple[Hashable, Reading]]] = {}
    for name, key in versions.keys.items():
        for reading in key.readings:
            reads.setdefault(reading.txn.number, []).append((name, reading))
    wide = {txn.number for txn in versions.txns if len({mop.key for mop in txn.mops if mop.kind == APPEND}) > 1}
    for number, readings in sorted(reads.items()):
        if (readers is not None and number not in readers) or all(name == readings[0][0] for name, _ in readings):
            continue
        seen: dict[int, dict[Hashable, Hashable]] = {}  # writer -> key -> the first element there that shows it
        for name, reading in readings:
            for element in reading.elements:
                append = versions.keys[name].appends.get(element)
                if append is not None and append.txn.number in wide and append.txn.number != number:
                    seen.setdefault(append.txn.number, {}).setdefault(name, element)
        for writer, shown in seen.items():
            missing = _missing(versions.numbered[writer], readings, shown) if versions.committed[writer] else None
            if missing is not None:
                yield missing


def _missing(writer: Txn, readings: Sequence[tuple[Hashable, Reading]], shown: dict[Hashable, Hashable]) -> Finding | None:
    for mop in writer.mops:
        other = next((key for key in shown if key != mop.key), None)
        if mop.kind != APPEND or other is None:
            continue
        for name, reading in readings:
            if name == mop.key and mop.value not in reading.elements:
                return Finding("fractured-read", (writer, reading.txn), name, mop.value, ((other, shown[other]), reading.elements))
    return None
