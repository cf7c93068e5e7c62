"""Which version of a register came before which: what each source of order says, and whether that makes sense together.

Why it exists  a register shows one version at a time; ww and rw edges need to know what replaced what.
Relies on      a source's claim being true of every history that a model allows which the resulting anomaly rules out, or being assumed:

initial            null came before every version                                                        always true
read-before-write  a transaction read v and wrote v': v' came after v, else v' -> .. -> v -> v' would be a G1c. Its ww edge is that wr
                   edge itself; the readers of v are before the writer of v'                              true wherever G1c is forbidden
process            a process wrote v, later v': true wherever G0-process is forbidden; what follows is called -process
realtime           v' was written after the write of v had completed: the same with G0-realtime and -realtime
wfr-keys, sequential-keys, linearizable-keys       Elle's options, assumed: the same by read-before-write; by the order in which a process,
                   or real time, shows values of the key, read or written, a transaction's own order included; what follows has no suffix

Every model that forbids an X-process forbids G0-process, and every one that forbids an X-realtime forbids G0-realtime: so the unassumed
sources need no assumption. The assumed ones may contradict each other: then the versions are cyclic, and the source is dropped.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from checkers.rw_register.versions import Key, Versions, external_read, external_write
from checkers.transactions.components import strong_components
from checkers.transactions.txns import NEVER, UNSEEN, Txn
from harness.op import OK

WFR, SEQUENTIAL, LINEARIZABLE = "wfr-keys", "sequential-keys", "linearizable-keys"
ASSUMABLE = (WFR, SEQUENTIAL, LINEARIZABLE)
INITIAL, OWN, PROCESS_ORDER, REAL_TIME = "initial", "read-before-write", "process", "realtime"


class Before(NamedTuple):
    """`before` (None: null) came before `after`, says the source, by the transactions `first` and `second` that show it."""

    before: Hashable
    after: Hashable
    source: str
    first: Txn
    second: Txn


class CyclicVersions(NamedTuple):
    """Claims about one key that contradict each other, each beginning where the one before ended."""

    key: Hashable
    claims: list[Before]


def assumed_order(versions: Versions, key: Key, assumed: Sequence[str], cyclic: list[CyclicVersions]) -> list[Before]:
    """The claims of the assumed sources that do not contradict each other; for each one dropped its contradiction is added to `cyclic`."""
    sources: dict[str, Callable[[Versions, Key], Iterable[Before]]] = {
        WFR: _by_read_before_write,
        SEQUENTIAL: _by_process,
        LINEARIZABLE: _by_real_time,
    }
    kept: list[Before] = []
    for source in ASSUMABLE:
        if source not in assumed:
            continue
        known = {(claim.before, claim.after) for claim in kept}
        fresh: dict[tuple[Hashable, Hashable], Before] = {}
        for claim in sources[source](versions, key):
            if (claim.before, claim.after) not in known:
                fresh.setdefault((claim.before, claim.after), claim)
        together = [*kept, *fresh.values()]
        contradiction = _contradiction(key, together)
        if contradiction is None:
            kept = together
        else:
            cyclic.append(CyclicVersions(key.name, contradiction))
    return kept


def read_before_write(versions: Versions, key: Key) -> Iterator[Before]:
    """A version that a committed transaction read, and the one that it wrote then."""
    for _, txn in key.finals:
        read, written = external_read(txn, key.name), external_write(txn, key.name)
        if read is not UNSEEN and read is not None and read != written and key.version(read, versions.committed) is not None:
            yield Before(read, written, OWN, txn, txn)


def of_each_process(key: Key) -> Iterator[Before]:
    """Versions that one process wrote one after the other."""
    lines: dict[int, list[tuple[Hashable, Txn]]] = {}
    for value, txn in key.finals:
        lines.setdefault(txn.process, []).append((value, txn))
    for line in lines.values():
        line.sort(key=lambda version: version[1].call)
        for (before, first), (after, second) in _after_acknowledged(line):
            yield Before(before, after, PROCESS_ORDER, first, second)


def in_real_time(key: Key) -> Iterator[Before]:
    """Versions whose writers did not overlap, and belong to two processes; what follows from others is left out."""
    by_writer = {txn.number: value for value, txn in key.finals}
    for first, second in successive([txn for _, txn in key.finals]):
        if first.process != second.process:
            yield Before(by_writer[first.number], by_writer[second.number], REAL_TIME, first, second)


def successive(txns: Iterable[Txn]) -> Iterator[tuple[Txn, Txn]]:
    """Pairs of which the first completed before the second was invoked, with none between them. Cost: O(n concurrency)."""
    events = [(txn.call, txn) for txn in txns]
    events += [(txn.ret, txn) for _, txn in list(events) if txn.ret != NEVER]
    events.sort(key=lambda event: event[0])
    newest: list[Txn] = []
    for at, txn in events:
        if at == txn.call:
            for before in newest:
                yield before, txn
        else:
            newest = [before for before in newest if before.ret > txn.call]
            newest.append(txn)


def _after_acknowledged(line: Sequence[tuple[Hashable, Txn]]) -> Iterator[tuple[tuple[Hashable, Txn], tuple[Hashable, Txn]]]:
    """Neighbours in a process's line; one without a known outcome may act after what came later, so nothing follows it."""
    last: tuple[Hashable, Txn] | None = None
    for version in line:
        if last is not None:
            yield last, version
        if version[1].outcome == OK:
            last = version


def _by_read_before_write(versions: Versions, key: Key) -> Iterator[Before]:
    for claim in read_before_write(versions, key):
        yield claim._replace(source=WFR)


def _touching(versions: Versions, key: Key) -> list[Txn]:
    """Committed transactions that read or wrote the key, in order of invocation."""
    numbers = {txn.number for _, txn in key.finals} | {txn.number for readers in key.readers.values() for txn in readers}
    return [versions.txns[number] for number in sorted(numbers)]


def _by_process(versions: Versions, key: Key) -> Iterator[Before]:
    lines: dict[int, list[_Shown]] = {}
    for shown in _shown(versions, key):
        lines.setdefault(shown.txn.process, []).append(shown)
    for line in lines.values():
        yield from _in_turn(line, SEQUENTIAL)


def _by_real_time(versions: Versions, key: Key) -> Iterator[Before]:
    return _in_turn(_shown(versions, key), LINEARIZABLE)


class _Shown(NamedTuple):
    """A transaction that touched a key: the first and the last version that it shows; UNSEEN where that is none."""

    txn: Txn
    first: Hashable
    last: Hashable


def _shown(versions: Versions, key: Key) -> list[_Shown]:
    """In order of invocation."""

    def version(value: Hashable) -> Hashable:
        return value if value is None or key.version(value, versions.committed) is not None else UNSEEN

    shown = []
    for txn in _touching(versions, key):
        read, written = external_read(txn, key.name), external_write(txn, key.name)
        shown.append(_Shown(txn, version(written if read is UNSEEN else read), version(read if written is UNSEEN else written)))
    return shown


def _in_turn(shown: Sequence[_Shown], source: str) -> Iterator[Before]:
    """Within a transaction, and from it to those after it, up to those that another one stands between: what follows is left out."""

    def end(txn: Txn) -> int:
        return NEVER if txn.outcome != OK else txn.call if source == SEQUENTIAL else txn.ret  # one process: calls are in turn

    targets = [one for one in shown if one.first is not UNSEEN]
    calls = [one.txn.call for one in targets]
    for one in shown:
        if one.last is UNSEEN:
            continue
        if one.first is not UNSEEN and one.first is not None and one.first != one.last:
            yield Before(one.first, one.last, source, one.txn, one.txn)
        least = NEVER
        for at in range(bisect_right(calls, end(one.txn)), len(targets)):
            target = targets[at]
            if target.txn.call > least:
                break
            if target.first != one.last:
                yield Before(one.last, target.first, source, one.txn, target.txn)
            least = min(least, end(target.txn))  # who shows a first version shows a last one


def _contradiction(key: Key, claims: Sequence[Before]) -> list[Before] | None:
    """A shortest cycle of claims, null being before all; None if there is none."""
    values: dict[Hashable, int] = {None: 0}
    for claim in claims:
        values.setdefault(claim.before, len(values))
        values.setdefault(claim.after, len(values))
    for claim in claims:
        if claim.after is None:
            return [claim]
    following: list[list[int]] = [[] for _ in values]
    proof: dict[tuple[int, int], Before] = {}
    for claim in claims:
        pair = values[claim.before], values[claim.after]
        following[pair[0]].append(pair[1])
        proof.setdefault(pair, claim)
    component = strong_components(following)
    sizes: dict[int, int] = {}
    for number in component:
        sizes[number] = sizes.get(number, 0) + 1
    best: list[int] | None = None
    for start in range(len(values)):
        if sizes[component[start]] > 1:
            path = _round(following, component, start)
            best = path if best is None or len(path) < len(best) else best
    return None if best is None else [proof[pair] for pair in pairwise([*best, best[0]])]


def _round(following: Sequence[Sequence[int]], component: Sequence[int], start: int) -> list[int]:
    """A shortest way from a vertex back to it within its component, which has more than one."""
    parent: dict[int, int] = {}
    frontier = [start]
    while True:
        reached: list[int] = []
        for vertex in frontier:
            for target in following[vertex]:
                if target == start:
                    path = [vertex]
                    while path[-1] != start:
                        path.append(parent[path[-1]])
                    return path[::-1]
                if component[target] == component[start] and target not in parent:
                    parent[target] = vertex
                    reached.append(target)
        frontier = reached
