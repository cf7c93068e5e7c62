"""A queue's search with the order of enqueues left open until a dequeue tells: values may repeat, many enqueues may overlap.

Decides    whether the operations on one first-in-first-out queue (enqueue, dequeue, peek) have a linearization.
Right      the general search has to say in which order enqueues that overlapped took effect, long before anybody can know. Here a
           configuration is: which enqueues were dequeued already; the one that a peek has shown to be the first of the rest; which pending
           ops have acted. Taken in the order in which they are dequeued, enqueues are in an order that real time allows exactly if none is
           taken while one that returned before its call is left. So a dequeue of v takes an enqueue of v that was called, and to which no
           enqueue that is left is previous. Of several, the one that returns first: whoever is left in its place returns later, so it
           forbids less, and can be taken whenever the other could.
           A null is possible while every enqueue that has returned was taken: those that are open can be later. It changes nothing, so it
           acts at once; when what is left returns, it becomes impossible, so at the return of an enqueue pending dequeues act as well, as
           far as that makes a null possible.
           A crashed dequeue may take any value's; equal ones are a count, and of two configurations equal but for it the lower can do all.
           Of equal pending dequeues or peeks the one that returns first acts first.
Unknown    more configurations than the budget.
Source     ours; Lowe 2017 for the frame. Checked against brute force.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple

from checkers.linearizable.operations import INFINITY
from checkers.objects.operations import UNKNOWN, Operation
from checkers.objects.search import Effort, Stuck

NONE = -1


class Config(NamedTuple):
    """Enqueues are numbered by their return.

    low    the first one that is left
    taken  bits of the later ones that were taken, from low on
    first  the one that a peek has shown to be the first of the rest, or NONE; it counts as taken
    mask   bits of pending dequeues and peeks that have acted
    """

    low: int
    taken: int
    first: int
    mask: int


def search_queue(operations: Sequence[Operation], effort: Effort) -> Stuck | None:
    """None if there is a linearization, else the op at which every order gets stuck. Raises OutOfBudget."""
    return _Queue(operations, effort).run()


class _Queue:
    def __init__(self, operations: Sequence[Operation], effort: Effort) -> None:
        self.effort = effort
        got = {op.result for op in operations if op.f != "enqueue"}
        puts = sorted(
            (op for op in operations if op.f == "enqueue" and (not op.crashed or op.argument in got)), key=lambda op: (op.ret, op.call)
        )
        self.call = [op.call for op in puts]
        self.ret = [op.ret for op in puts] + [INFINITY + 1]
        self.value = [op.argument for op in puts]
        self.of_value: dict[Any, list[int]] = {}
        for at, op in enumerate(puts):
            self.of_value.setdefault(op.argument, []).append(at)
        self.earliest = [INFINITY + 1] * (len(puts) + 1)  # the earliest call from here on
        for at in range(len(puts) - 1, -1, -1):
            self.earliest[at] = min(self.earliest[at + 1], self.call[at])
        self.puts, self.operations = puts, operations
        self.open: dict[int, Operation] = {}
        self.crashed = 0  # dequeues that crashed, so far

    def run(self) -> Stuck | None:
        """Through all events."""
        events: list[tuple[int, bool, Operation]] = []
        for op in self.operations:
            if op.crashed:
                if op.f == "dequeue" and op.result is not None:
                    events.append((op.call, False, op))
            else:
                events.append((op.ret, True, op))
                if op.f != "enqueue":
                    events.append((op.call, False, op))
        events.sort(key=lambda event: event[0])
        free: list[int] = []
        bit_of: dict[int, int] = {}
        frontier: dict[Config, int] = {Config(0, 0, NONE, 0): 0}
        for now, is_return, op in events:
            if not is_return:
                if op.result is UNKNOWN:
                    self.crashed += 1
                else:  # in a window, a dequeue that returned later is known, and need not act
                    bit = bit_of[op.call] = free.pop() if free else 1 << len(self.open)
                    self.open[bit] = op
                continue
            bit = bit_of.pop(op.call, 0)
            if not bit and not any(other.result is None for other in self.open.values()):
                continue
            after = _Round(self, now, bit).go(frontier)
            if not after:
                others = [other for other in self.open.values() if other is not op]
                return Stuck(op, [], [], others)
            frontier = after
            if bit:
                del self.open[bit]
                free.append(bit)
        return None

    def best(self, config: Config, value: Any, now: int) -> int:
        """The enqueue that a dequeue of the value takes, or NONE."""
        low, taken = config.low, config.taken
        limit = min(self.ret[low], now)
        where = self.of_value.get(value, [])
        for at in range(bisect_left(where, low), len(where)):
            put = where[at]
            if self.earliest[put] > limit:
                break
            if not taken >> put - low & 1 and self.call[put] < limit:
                return put
        return NONE

    def take(self, config: Config, put: int) -> tuple[int, int]:
        """(low, taken) without the enqueue."""
        low, taken = config.low, config.taken | 1 << put - config.low
        gone = (~taken & taken + 1).bit_length() - 1  # how many of the lowest bits are set
        return low + gone, taken >> gone

    def choices(self, config: Config, now: int) -> list[int]:
        """Of each value the enqueue that would be taken."""
        low, limit = config.low, min(self.ret[config.low], now)
        found: dict[Any, int] = {}
        put = low
        while put < len(self.puts) and self.earliest[put] <= limit:
            if not config.taken >> put - low & 1 and self.call[put] < limit:
                found.setdefault(self.value[put], put)
            put += 1
        return list(found.values())


class _Round:
    """One return: configurations go on until its op (if it is no enqueue) has acted."""

    def __init__(self, queue: _Queue, now: int, bit: int) -> None:
        self.queue, self.now, self.bit = queue, now, bit
        pending = sorted(queue.open.items(), key=lambda item: item[1].ret)
        self.nulls = sum(other for other, op in pending if op.result is None)
        self.changing: list[tuple[int, int, bool, Any]] = []  # bit, bits of equal ones that come first, takes it, value
        first: dict[tuple[str, Any], int] = {}
        for other, op in pending:
            if op.result is not None:
                kind = (op.f, op.result)
                self.changing.append((other, first.get(kind, 0), op.f == "dequeue", op.result))
                first[kind] = first.get(kind, 0) | other
        self.reached: dict[Config, int] = {}
        self.there: dict[Config, int] = {}
        self.stack: list[Config] = []

    def go(self, frontier: dict[Config, int]) -> dict[Config, int]:
        """All configurations in which the op has acted."""
        queue = self.queue
        for config, used in frontier.items():
            self.enter(config, used, begin=True)
        while self.stack:
            config = self.stack.pop()
            used = self.reached[config]
            queue.effort.spend()
            for other, before, takes, value in self.changing:
                if config.mask & other or before & ~config.mask:
                    continue
                if config.first != NONE:
                    if queue.value[config.first] != value:
                        continue
                    first = NONE if takes else config.first
                    self.enter(config._replace(first=first, mask=config.mask | other), used)
                    continue
                put = queue.best(config, value, self.now)
                if put != NONE:
                    low, taken = queue.take(config, put)
                    self.enter(Config(low, taken, NONE if takes else put, config.mask | other), used)
            if used < queue.crashed:
                self.by_crashed(config, used)
        return self.there

    def arrive(self, config: Config, used: int) -> None:
        """Keep a configuration for what comes after the return."""
        if self.there.get(config, INFINITY) > used:
            self.there[config] = used

    def enter(self, config: Config, used: int, *, begin: bool = False) -> None:
        """Take a configuration in, unless one that used fewer crashed dequeues is there; nulls that are possible act at once."""
        found = config.first == NONE and self.queue.ret[config.low] >= self.now and self.nulls & ~config.mask
        if found:
            config = config._replace(mask=config.mask | self.nulls)
        if config.mask & self.bit or (not self.bit and (found or begin)):
            self.arrive(config._replace(mask=config.mask & ~self.bit), used)
            if self.bit or not self.nulls & ~config.mask:
                return
        if self.reached.get(config, INFINITY) > used:
            self.reached[config] = used
            self.stack.append(config)

    def by_crashed(self, config: Config, used: int) -> None:
        """A crashed dequeue takes what comes first, whatever it is."""
        if config.first != NONE:
            self.enter(config._replace(first=NONE), used + 1)
            return
        for put in self.queue.choices(config, self.now):
            low, taken = self.queue.take(config, put)
            self.enter(Config(low, taken, NONE, config.mask), used + 1)
