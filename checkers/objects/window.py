"""The smallest window: as few operations as still have no linearization, and the states that were possible before them.

Why it exists  a violation in 10,000 operations convinces nobody; one in five does.
Relies on      what may be left out without making the rest non-linearizable by that alone: what was called after the last return that is
               looked at; reads; all ops on some parts of the object (Model.part); and what had returned before some moment, if all that may
               have been so then (the state, and which of the open ops had acted) is tried. witness.py proves every window again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from checkers.linearizable.operations import LATER
from checkers.objects.machine import Machine
from checkers.objects.model import ANY_PART, Model
from checkers.objects.operations import Operation
from checkers.objects.search import Effort, OutOfBudget, Start, Stuck, search_model, starts_at

TRIES = 300  # searches at most while leaving out
EFFORT = 60_000  # configurations that all of it may cost
MOMENTS = 200  # the last so many returns may be a beginning
STATES = 8  # more states at the beginning explain nothing
SMALL = 4


class Window(NamedTuple):
    """Operations that have no order from any of the starts.

    starts what may be so at position `begin` (-1: at the start); all of them return later
    parts  the parts of the object that are looked at (as repr shows them), None for all
    """

    operations: list[Operation]
    starts: list[Start]
    begin: int
    parts: list[str] | None
    stuck: Stuck


def smallest(operations: Sequence[Operation], stuck: Stuck, model: Model) -> Window:
    """The window of one object's operations; the search of all of them got stuck at `stuck`. Cost: bounded by EFFORT."""
    end = stuck.op.ret
    part = [op if op.ret <= end else op._replace(ret=LATER) for op in operations if op.call < end]
    shrinking = _Shrinking(part, stuck, model)
    if len(shrinking.kept) > SMALL:
        shrinking.leave_out_parts()
        shrinking.leave_out_reads()
    if len(shrinking.kept) > SMALL:
        shrinking.begin_later()
        shrinking.leave_out_reads()
    return Window(shrinking.kept, shrinking.starts, shrinking.begin, shrinking.parts, shrinking.told())


class _Shrinking:
    """What is kept so far: it has no order from any of the starts."""

    def __init__(self, operations: list[Operation], stuck: Stuck, model: Model) -> None:
        self.kept, self.stuck, self.model = operations, stuck, model
        self.starts, self.begin = [Start(model.initial)], -1
        self.parts: list[str] | None = None
        self.effort, self.tries = Effort(EFFORT), TRIES
        machine = Machine(model)
        acts = {op.call: machine.act(op) for op in operations}
        self.is_read = {call: machine.is_read[act] for call, act in acts.items()}
        self.part = {call: model.part(machine.seen[act]) for call, act in acts.items()}

    def fails(self, operations: Sequence[Operation], starts: Sequence[Start], begin: int) -> bool:
        """True if they certainly have no order."""
        cost = 20 * len(operations) + 500
        if not self.tries or self.effort.left < len(operations):
            return False
        self.tries -= 1
        some = Effort(min(cost, self.effort.left))
        before = some.left
        try:
            return search_model(operations, self.model, some, starts, begin) is not None
        except OutOfBudget:
            return False
        finally:
            self.effort.left -= before - max(some.left, 0) + len(operations) // 8

    def leave_out_parts(self) -> None:
        """All ops on some parts, chunk by chunk; only while all that is kept beside is possible without them."""
        if any(self.part[op.call] is None and not self.is_read[op.call] for op in self.kept):
            return
        before = len(self.kept)
        if any(self.part[op.call] is None for op in self.kept):
            without = [op for op in self.kept if self.part[op.call] is not None]
            if self.part[self.stuck.op.call] is None or not self.fails(without, self.starts, self.begin):
                return
            self.kept = without
        mine = self.part[self.stuck.op.call]
        there = [part for part in dict.fromkeys(self.part[op.call] for op in self.kept) if part is not ANY_PART and part != mine]

        def rest(without: Sequence[Hashable]) -> list[Operation]:
            gone = set(without)
            return [op for op in self.kept if self.part[op.call] not in gone]

        self._leave_out(there, rest)
        if len(self.kept) < before:
            self.parts = list(dict.fromkeys(repr(self.part[op.call]) for op in self.kept if self.part[op.call] is not ANY_PART))

    def leave_out_reads(self) -> None:
        """Reads, but the one at which the search got stuck."""
        loose = [op.call for op in self.kept if self.is_read[op.call] and op.call != self.stuck.op.call]

        def rest(without: Sequence[Hashable]) -> list[Operation]:
            gone = set(without)
            return [op for op in self.kept if op.call not in gone]

        self._leave_out(loose, rest)

    def _leave_out(self, items: Sequence[Hashable], rest: Callable[[Sequence[Hashable]], list[Operation]]) -> None:
        """In chunks that halve; items that a first try could not spare are tried once more, one by one."""
        chunk = max(1, len(items))
        while items and self.tries:
            left: list[Hashable] = []
            for start in range(0, len(items), chunk):
                some = items[start : start + chunk]
                without = rest(some)
                if self.fails(without, self.starts, self.begin):
                    self.kept = without
                else:
                    left += some
            if chunk == 1 and len(left) == len(items):
                return
            items, chunk = left, max(1, min(chunk // 2, len(left)))

    def begin_later(self) -> None:
        """From a later moment on, if few states were possible then."""
        some = Effort(min(20 * len(self.kept) + 500, self.effort.left))
        try:
            moments = starts_at(self.kept, self.model, some, self.stuck.op.call, MOMENTS)
        except OutOfBudget:
            return
        back = 1
        while back <= len(moments):
            now, starts = moments[-back]
            back += 1 + back // 3
            after = [op for op in self.kept if op.ret > now]
            if len(starts) <= STATES and len(after) < len(self.kept) and self.fails(after, starts, now):
                self.kept, self.starts, self.begin = after, starts, now
                return

    def told(self) -> Stuck:
        """Where the window gets stuck, with the real states if that is cheap to say."""
        for exact in (True, False):
            try:
                again = search_model(self.kept, self.model, EFFORT, self.starts, self.begin, exact=exact)
            except OutOfBudget:
                continue
            assert again is not None, "the window of a history that has no linearization has none"
            return again
        return self.stuck
