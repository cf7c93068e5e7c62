"""A serial order of register transactions that keeps real time: the proof, in linear time, that nothing is wrong.

Why it exists  most histories are valid, and an order of all transactions, each at a moment between its invocation and its completion, in
               which every read finds what was written last, shows that all models hold and that there is no anomaly at all.
Right          an order is only said to exist when it was executed, step by step. That none was found says nothing.
Relies on      being lazy: a transaction is executed when it completes, or when one that must come after it is. Before it come the writers
               of what it reads; for each key that it writes, all that read what is there now, and all versions that real time puts
               first (some transaction that had to do with them completed before one that had to do with the new version was invoked).
               What is forced is all that is decided, so that little goes wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from checkers.rw_register import executing, windows
from checkers.transactions.txns import NEVER, UNSEEN, WRITE, Txn
from harness.op import FAIL, INFO, OK

ROUNDS, NARROWINGS = 5, 20  # both end by themselves, mostly after two or three


class Steps(NamedTuple):
    """What is to be put in order. Versions are numbers: that of each last write of a committed transaction, then one for each key's start.

    call, ret            per transaction; NEVER for those of unknown outcome
    due                  acknowledged transactions in order of completion
    read_at, read        per transaction, one more entry: where its external reads begin in `read`, versions
    write_at, write      the same of its last writes
    reader_at, reader    per version the same of those that read it, transactions
    key, writer          per version; the start has writer -1
    rank_at, rank        per key: where its versions begin in `rank`, by their earliest completion
    first, last          per version: earliest completion, latest invocation of its writer and readers
    """

    call: Any
    ret: Any
    due: Any
    read_at: Any
    read: Any
    write_at: Any
    write: Any
    reader_at: Any
    reader: Any
    key: Any
    writer: Any
    chain: Any
    rank_at: Any
    rank: Any
    first: Any
    last: Any


def steps_of(txns: Sequence[Txn]) -> Steps | None:
    """The steps, or None if a read has no explanation (or several) that a serial order may have."""
    numbers: dict[tuple[Hashable, Hashable], int] = {}
    keys: dict[Hashable, int] = {}
    writers: list[Txn] = []
    final: list[bool] = []
    for txn in txns:
        last: dict[Hashable, int] = {}
        for mop in txn.mops:
            keys.setdefault(mop.key, len(keys))
            if mop.kind == WRITE:
                if mop.value is None or (mop.key, mop.value) in numbers:
                    return None
                if mop.key in last:
                    final[last[mop.key]] = False
                last[mop.key] = numbers[mop.key, mop.value] = len(writers)
                writers.append(txn)
                final.append(True)
    committed = [txn.outcome == OK for txn in txns]
    reads: list[list[int]] = [[] for _ in txns]
    for txn in txns:
        if txn.outcome == OK:
            found = _external(txn, numbers, keys, writers, final)
            if found is None:
                return None
            reads[txn.number] = found
            for version in found:
                if version < len(writers):
                    committed[writers[version].number] = True
    for txn in txns:
        if committed[txn.number] and txn.outcome == INFO and any(m.kind != WRITE and m.value is not UNSEEN for m in txn.mops):
            return None
    return _arranged(txns, numbers, keys, [final[v] and committed[writer.number] for v, writer in enumerate(writers)], writers, reads)


def _external(
    txn: Txn, numbers: dict[tuple[Hashable, Hashable], int], keys: dict[Hashable, int], writers: Sequence[Txn], final: Sequence[bool]
) -> list[int] | None:
    """Versions that an acknowledged transaction reads from outside; None if one is none, or if it contradicts itself."""
    state: dict[Hashable, Hashable] = {}
    found: list[int] = []
    for mop in txn.mops:
        if mop.kind != WRITE:
            if mop.key in state:
                if state[mop.key] != mop.value:
                    return None
                continue
            version = len(writers) + keys[mop.key] if mop.value is None else numbers.get((mop.key, mop.value), -1)
            if version < 0:
                return None
            if version < len(writers) and (not final[version] or writers[version] is txn or writers[version].outcome == FAIL):
                return None
            found.append(version)
        state[mop.key] = mop.value
    return found


def _arranged(
    txns: Sequence[Txn],
    numbers: dict[tuple[Hashable, Hashable], int],
    keys: dict[Hashable, int],
    kept: Sequence[bool],
    writers: Sequence[Txn],
    reads: Sequence[Sequence[int]],
) -> Steps:
    count = len(writers) + len(keys)
    key, writer = [0] * count, [-1] * count
    writes: list[list[int]] = [[] for _ in txns]
    readers: list[list[int]] = [[] for _ in range(count)]
    first, last = [NEVER] * count, [-1] * count
    ranked: list[list[int]] = [[] for _ in keys]
    for number in range(len(keys)):
        key[len(writers) + number] = number
    for (name, _), version in numbers.items():
        key[version] = keys[name]
        if kept[version]:
            txn = writers[version]
            writer[version] = txn.number
            writes[txn.number].append(version)
            ranked[keys[name]].append(version)
            first[version], last[version] = txn.ret, txn.call
    for number, versions in enumerate(reads):
        for version in versions:
            readers[version].append(number)
            first[version] = min(first[version], txns[number].ret)
            last[version] = max(last[version], txns[number].call)
    chain = _chains(reads, writes, key)
    for version, head in enumerate(chain):
        first[head], last[head] = min(first[head], first[version]), max(last[head], last[version])
    for version, head in enumerate(chain):
        first[version], last[version] = first[head], last[head]
    for versions in ranked:
        versions.sort(key=first.__getitem__)
    due = sorted((txn.number for txn in txns if txn.outcome == OK), key=lambda number: txns[number].ret)
    return Steps(
        [txn.call for txn in txns], [txn.ret if txn.outcome == OK else NEVER for txn in txns], due,
        *_packed(reads), *_packed(writes), *_packed(readers), key, writer, chain, *_packed(ranked), first, last,
    )  # fmt: skip


def _chains(reads: Sequence[Sequence[int]], writes: Sequence[Sequence[int]], key: Sequence[int]) -> list[int]:
    """Version -> one that stands for its chain: a transaction that reads a version and writes the key writes the next one."""
    chain = list(range(len(key)))

    def head(version: int) -> int:
        while chain[version] != version:
            chain[version] = chain[chain[version]]
            version = chain[version]
        return version

    for txn, versions in enumerate(writes):
        for written in versions:
            for read in reads[txn]:
                if key[read] == key[written]:
                    chain[head(written)] = head(read)
    return [head(version) for version in range(len(key))]


def _packed(lists: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    at: list[int] = [0]
    flat: list[int] = []
    for one in lists:
        flat += one
        at.append(len(flat))
    return at, flat


class Loops(NamedTuple):
    """The loops of windows.py and executing.py, plain or compiled, and what they work on: filled(count, value) makes a list or an array;
    sort(due, high) gives acknowledged transactions by `high`."""

    tighten: Callable[..., Any]
    infer: Callable[..., Any]
    by_first: Callable[..., Any]
    places: Callable[..., Any]
    execute: Callable[..., Any]
    replay: Callable[..., Any]
    filled: Callable[[int, int], Any]
    sort: Callable[[Any, Any], Any]


PLAIN = Loops(
    windows.tighten,
    windows.infer,
    windows.by_first,
    executing.places,
    executing.execute,
    executing.replay,
    lambda count, value: [value] * count,
    lambda due, high: sorted(due, key=high.__getitem__),
)


def serial_order(steps: Steps, loops: Loops = PLAIN) -> Any:
    """Transactions in the order found, or None. Cost: near linear."""
    txns, versions, keys = len(steps.call), len(steps.key), len(steps.rank_at) - 1
    starts, most, filled = versions - keys, 8 * txns + 100, loops.filled
    low, high = steps.call.copy(), steps.ret.copy()
    of_reads, of_writes, of_readers = (steps.read_at, steps.read), (steps.write_at, steps.write), (steps.reader_at, steps.reader)
    ranked = (steps.chain, steps.rank_at, steps.rank, steps.first, steps.last, starts)
    note, noted, of, following = filled(txns, -1), filled(most, 0), filled(most, 0), filled(most, 0)
    notes = known = 0
    for _ in range(ROUNDS):
        loops.tighten(low, high, *of_reads, *of_readers, steps.writer, *ranked, noted, of, notes, NARROWINGS)
        notes = loops.infer(
            low, high, *of_reads, *of_writes, *of_readers, steps.key, steps.writer, *ranked, note, noted, of, following, notes
        )
        if notes == known:
            break
        known = notes
    loops.by_first(steps.rank, steps.rank_at, steps.first)
    steps = steps._replace(ret=high, due=loops.sort(steps.due, high))
    due_place, rank_place, now = filled(txns, NEVER), filled(versions, 0), filled(keys, 0)
    loops.places(steps.due, steps.rank, starts, due_place, rank_place, now)
    found = filled(txns, 0)
    count = loops.execute(
        *steps, starts, due_place, rank_place, found, filled(txns, 0), now, steps.reader_at[:versions].copy(), steps.rank_at[:keys].copy(),
        filled(txns + 1, 0), filled(txns + 1, 0), filled(txns, 0), filled(len(steps.write), 0), note, noted, of, following, notes,
        filled(200, 0),
    )  # fmt: skip
    return None if count < 0 else found[:count]


def explains(steps: Steps, order: Any, loops: Loops = PLAIN) -> bool:
    """The order has every transaction that must have committed once, each at a moment within its interval, and every read finds what was
    written last. Cost: O(n), apart from how the order was found."""
    keys = len(steps.rank_at) - 1
    starts = len(steps.key) - keys
    now, done = loops.filled(keys, 0), loops.filled(len(steps.call), 0)
    loops.places(steps.due[:0], steps.rank[:0], starts, now, now, now)
    of_txns = (steps.call, steps.ret, steps.due, steps.read_at, steps.read, steps.write_at, steps.write)
    return bool(loops.replay(order, *of_txns, steps.key, now, done))
