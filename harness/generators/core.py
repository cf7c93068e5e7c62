"""What a generator is: a value that says which op comes next, and a new value for afterwards.

Why it exists  schedules must replay from a seed and be tested without threads or sleeping, so generators are pure: `op` and `update` give
               successors and change nothing. `op` may be asked and its successor thrown away; draws in discarded calls disturb nothing,
               because random state is part of the value.
Relies on      the caller: completions are given to `update` before new ops are asked for, an op in the future is asked for again later.

Times are ns since the run's start. Threads are ints for clients, "nemesis" or "nemesis:<line>" for faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from harness.op import Op

Thread = int | str


class Pending:
    """The answer "not now": something must happen first."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "PENDING"


PENDING: Final = Pending()


class Context:
    """What a generator may know: the time, its threads, which are free, and which process each one runs.

    `free` is in order of a fair rotation: the thread that has been free for longest comes first. `idled` counts changes of `free` that
    no `update` tells of (a sleep or log op began or ended): a generator that keeps answers must drop them when it changes.
    """

    __slots__ = ("_all", "_free", "clients", "idled", "process_of", "threads", "time")

    def __init__(
        self,
        time: int,
        threads: frozenset[Thread],
        free: tuple[Thread, ...],
        process_of: Mapping[Thread, int | str],
        clients: int,
        idled: int = 0,
    ) -> None:
        self.time, self.threads, self.process_of, self.clients, self.idled = time, threads, process_of, clients, idled
        self._all = free
        self._free: tuple[Thread, ...] | None = free

    @property
    def free(self) -> tuple[Thread, ...]:
        """The threads that have nothing to do."""
        if self._free is None:  # filtered when somebody asks: most generators that are updated never do
            own = self.threads
            self._free = tuple([t for t in self._all if t in own])
        return self._free

    @free.setter
    def free(self, free: tuple[Thread, ...]) -> None:
        self._all = self._free = free

    def only(self, threads: frozenset[Thread]) -> Context:
        """The same, as those threads (of its own) see it."""
        seen = Context(self.time, threads, self._all, self.process_of, self.clients, self.idled)
        seen._free = None
        return seen

    def at(self, time: int) -> Context:
        """The same at another time."""
        return Context(time, self.threads, self.free, self.process_of, self.clients, self.idled)

    def thread_of(self, event: Op) -> Thread:
        """The thread that runs an event's process (process = thread + k * clients)."""
        process = event.process
        return process if isinstance(process, str) else process % self.clients

    @property
    def all_free(self) -> bool:
        return len(self.free) == len(self.threads)


Answer = tuple[Any, Any]  # (Op | PENDING | None, next generator)


class Generator:
    """Base of all generators. Sub-classes keep their state in slots and never change themselves."""

    __slots__ = ()

    def op(self, ctx: Context) -> Answer:
        """(op, next) | (PENDING, next) | (None, None) when exhausted."""
        raise NotImplementedError(type(self).__name__)

    def update(self, ctx: Context, event: Op) -> Generator:
        """The generator after an invocation or completion of a thread of its own."""
        return self
