"""Causes: for each read, the writers of its key that reach the reader by session order and reads-from.

Why it exists  the premise of causal consistency is reachability; pairs of transactions are too many to ask one by one.
Relies on      a topological order of the base. Writers of a batch of keys are bits of one integer, in that order; a pass over the part of
               the order where these keys live gives every reader its set. Of a set only the members that reach no other member are needed:
               the highest bit is one, and what reaches it is dropped. Cost: a pass over that part for each WIDTH writers.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING

from checkers.weak_isolation.reading import INITIAL, Read

if TYPE_CHECKING:
    from checkers.weak_isolation.graph import Order

WIDTH = 4096  # bits of a pass


def topological(order: Order) -> list[int] | None:
    """The committed transactions so that session order and reads-from go forward; None if they have a cycle."""
    following: list[list[int]] = [[] for _ in order.reading.txns]
    waiting = [0] * len(order.reading.txns)
    for source, target in order.base():
        following[source].append(target)
        waiting[target] += 1
    ready = [txn.number for txn in reversed(order.members) if not waiting[txn.number]]
    sorted_: list[int] = []
    while ready:
        number = ready.pop()
        sorted_.append(number)
        for target in following[number]:
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return sorted_ if len(sorted_) == len(order.members) else None


def newest_causes(order: Order) -> Iterator[tuple[int, Read, int]]:
    """(reader, read, cause): the causes of each read, other than what it read, of which none reaches another."""
    line = topological(order)
    assert line is not None, "the base has no cycle: asked before"
    place = {number: at for at, number in enumerate(line)}
    readers: dict[Hashable, list[tuple[int, Read]]] = {}
    writers: dict[Hashable, list[int]] = {}
    for number in line:
        for key in order.reading.last[number]:
            writers.setdefault(key, []).append(number)
        for read in order.reading.reads[number]:
            readers.setdefault(read.key, []).append((number, read))
    for keys in _batches(writers, readers):
        chosen = sorted({number for key in keys for number in writers[key]}, key=place.__getitem__)
        bit = {number: at for at, number in enumerate(chosen)}
        last = max(place[readers[key][-1][0]] for key in keys)
        reaching = _reaching(order, line[place[chosen[0]] : last + 1], bit)
        for key in keys:
            mask = sum(1 << bit[number] for number in writers[key])
            for reader, read in readers[key]:
                own = 1 << bit[read.writer] if read.writer != INITIAL else 0
                left = reaching.get(reader, 0) & mask & ~own
                while left:
                    top = chosen[left.bit_length() - 1]
                    yield reader, read, top
                    left &= ~(reaching[top] | 1 << bit[top])


def _batches(writers: dict[Hashable, list[int]], readers: dict[Hashable, list[tuple[int, Read]]]) -> Iterator[list[Hashable]]:
    """Keys that are written and read, by their first writer, so that the keys of a batch live at the same time."""
    batch: list[Hashable] = []
    size = 0
    for key, numbers in writers.items():
        if key in readers:
            batch.append(key)
            size += len(numbers)
            if size >= WIDTH:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _reaching(order: Order, line: Sequence[int], bit: dict[int, int]) -> dict[int, int]:
    """Per transaction of a part of the order: the bits of the writers that reach it."""
    reaching: dict[int, int] = {}
    for number in line:
        found = 0
        for source in (order.before[number], *(read.writer for read in order.reading.reads[number])):
            if source in reaching:
                found |= reaching[source]
                if source in bit:
                    found |= 1 << bit[source]
        reaching[number] = found
    return reaching


def reaching_bits(order: Order, bit: dict[int, int]) -> dict[int, int]:
    """Per transaction: the bits of those of `bit` that reach it."""
    line = topological(order)
    assert line is not None, "the base has no cycle: asked before"
    return _reaching(order, line, bit)


def path(order: Order, source: int, target: int) -> list[int]:
    """A shortest way from a cause to its effect by session order (any number of places is one step) and reads-from, both ends included."""
    came: dict[int, int] = {target: target}
    waiting = [target]
    for number in waiting:
        if number == source:
            break
        steps = [read.writer for read in order.reading.reads[number]]
        if order.sessions and order.precedes(source, number):
            steps.insert(0, source)
        elif order.before[number] != INITIAL:
            steps.append(order.before[number])
        for step in steps:
            if step not in came and step != INITIAL:
                came[step] = number
                waiting.append(step)
    found = [source]
    while found[-1] != target:
        found.append(came[found[-1]])
    return _shortcut(order, found)


def _shortcut(order: Order, way: list[int]) -> list[int]:
    """Steps along one session become one."""
    kept = [way[0]]
    for at, number in enumerate(way[1:], 1):
        if at + 1 < len(way) and order.precedes(kept[-1], way[at + 1]) and order.precedes(number, way[at + 1]):
            continue
        kept.append(number)
    return kept
