"""The slow oracle of the session guarantees: all orders of a key's versions are tried, straight from the definitions.

Nothing here is imported from the checkers. A version is the write that made it; -1 is the initial one, the oldest.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from typing import Any

from harness.history.history import History
from tests.checkers.oracle_memory import Event, events, program_order, sources, worlds, write_value

GUARANTEES = ("monotonic-reads", "monotonic-writes", "read-your-writes", "writes-follow-reads")


class Key:
    """One key of one world: its writes, and pairs of versions (older, newer) that each guarantee speaks of."""

    def __init__(self, ops: list[Event], source: dict[int, int], key: Any, realtime: bool) -> None:
        before = program_order(ops)
        mine = [i for i, op in enumerate(ops) if op.key == key]
        self.writes = [i for i in mine if ops[i].f in ("write", "cas")]
        reads = [i for i in mine if i in source]
        self.session = [(a, b) for a, b in product(self.writes, self.writes) if (a, b) in before]
        self.realtime = [(a, b) for a, b in product(self.writes, self.writes) if realtime and ops[a].ret < ops[b].call]
        self.readers = sorted({ops[i].process for i in reads})
        self.reads = {
            p: [(source[a], source[b]) for a, b in product(reads, reads) if (a, b) in before and ops[a].process == p] for p in self.readers
        }
        self.own = {
            p: [(a, source[b]) for a, b in product(self.writes, reads) if (a, b) in before and ops[a].process == p] for p in self.readers
        }
        self.follows = [(source[a], b) for a, b in product(reads, self.writes) if (a, b) in before or (a == b and a in source)]

    def orders(self) -> Iterator[dict[int, int]]:
        """All orders of the versions, as places; the initial one first, and real time where that counts."""
        for order in permutations(self.writes):
            place = {-1: 0, **{write: at for at, write in enumerate(order, 1)}}
            if keeps(place, self.realtime):
                yield place

    def exists(self, *pairs: list[tuple[int, int]]) -> bool:
        return any(all(keeps(place, some) for some in pairs) for place in self.orders())


def keeps(place: dict[int, int], pairs: list[tuple[int, int]]) -> bool:
    return all(place[older] <= place[newer] for older, newer in pairs)


def key_keeps(one: Key, guarantee: str, one_order: bool) -> bool:
    together = [pair for pairs in one.reads.values() for pair in pairs]
    readers = [together] if one_order else list(one.reads.values())
    if guarantee == "monotonic-reads":
        return all(one.exists(one.session, pairs) for pairs in readers)
    if guarantee == "read-your-writes":
        own = [[pair for pairs in one.own.values() for pair in pairs]] if one_order else list(one.own.values())
        return all(one.exists(one.session, pairs) for pairs in own)
    if guarantee == "monotonic-writes":
        return all(one.exists(one.session, pairs) for pairs in readers if one.exists(pairs))
    return one.exists(one.session, one.follows) and all(
        one.exists(one.session, one.follows, pairs) for pairs in readers if one.exists(one.session, pairs)
    )


def keeps_guarantee(history: History, guarantee: str, one_order: bool = False, realtime: bool = False) -> bool:
    """Whether for some choice of crashed operations and of where answers came from the guarantee is kept on every key."""
    for ops in worlds(events(history, False)):
        for source in sources(ops):
            if all(key_keeps(Key(ops, source, key, realtime), guarantee, one_order) for key in {op.key for op in ops}):
                return True
    return False


def told_apart(history: History) -> bool:
    """Whether each value that was written was written once, and not null."""
    written = [(op.key, repr(write_value(op))) for op in events(history, False) if op.f in ("write", "cas")]
    return len(set(written)) == len(written) and all(value != "None" for _, value in written)
