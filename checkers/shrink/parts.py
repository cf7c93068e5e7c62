"""A history in parts: calls that can only be left out together, and parts that need others.

Why it exists  what the families of histories have in common: who holds an op, who must go with whom, the history that remains.
Relies on      ops of faults proving nothing about data: they are left out from the start.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

import msgspec

from harness.history.history import Call, History
from harness.op import Op


class Parts:
    """Calls of a history by part.

    calls   the client calls in order of invocation
    members calls (their numbers) of each part
    """

    def __init__(self, history: History, members: Sequence[Collection[int]], needs: Mapping[int, Collection[int]]) -> None:
        """needs: part -> parts without which it may not stand."""
        self.history, self.members = history, members
        self.calls: list[Call] = list(history.calls())
        self._needs = needs
        self._needed_by: dict[int, list[int]] = {}
        for part, others in needs.items():
            for other in others:
                self._needed_by.setdefault(other, []).append(part)

    def __len__(self) -> int:
        return len(self.members)

    def holding(self, ops: Collection[int]) -> set[int]:
        """The parts that hold at least one op with such an index."""
        wanted = set(ops)
        numbers = {number for number, call in enumerate(self.calls) if wanted & {op.index for op in call if op is not None}}
        return {part for part, members in enumerate(self.members) if not numbers.isdisjoint(self._call_numbers(members))}

    def with_needed(self, parts: Iterable[int]) -> set[int]:
        """These and all that they need."""
        return _closed(parts, self._needs)

    def with_needing(self, parts: Iterable[int]) -> set[int]:
        """These and all that cannot stand without them."""
        return _closed(parts, self._needed_by)

    def of(self, kept: Collection[int]) -> History:
        """The history that remains, its ops numbered anew."""
        numbers = {number for part in kept for number in self._call_numbers(self.members[part])}
        ops: list[Op] = []
        for number in sorted(numbers):
            ops += [self._op(number, op, kept) for op in self.calls[number] if op is not None]
        ops.sort(key=lambda op: op.index)
        ops = [msgspec.structs.replace(op, index=index) for index, op in enumerate(ops)]
        header = {name: value for name, value in self.history.header.items() if name != "first_txn" or 0 in numbers}
        return History(ops, header)  # without the transaction that preceded all, no other does

    def _call_numbers(self, members: Collection[int]) -> Collection[int]:
        return members

    def _op(self, number: int, op: Op, kept: Collection[int]) -> Op:
        """The op as it stands in what remains."""
        return op


def _closed(parts: Iterable[int], edges: Mapping[int, Collection[int]]) -> set[int]:
    found = set(parts)
    waiting = sorted(found)
    while waiting:
        for other in edges.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def needs_of(observed: Sequence[Iterable[Hashable]], written: Sequence[Iterable[Hashable]]) -> dict[int, list[int]]:
    """Whoever observes something needs all who wrote it: with one of two writers gone, the other might not be the one that was seen."""
    writers: dict[Hashable, list[int]] = {}
    for part, atoms in enumerate(written):
        for atom in atoms:
            writers.setdefault(atom, []).append(part)
    needs = {}
    for part, atoms in enumerate(observed):
        found = sorted({writer for atom in atoms for writer in writers.get(atom, ())} - {part})
        if found:
            needs[part] = found
    return needs
