"""Which threads run what: filters, copies for each thread or process, reservations, barriers.

Why it exists  clients and faults share one schedule; each part of it must see only its own threads.
Relies on      updates reaching every child whose threads include the event's, with the context filtered for it (or barriers deadlock).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.generators.basic import lift
from harness.generators.choose import Candidate, soonest
from harness.generators.core import PENDING, Answer, Context, Generator, Thread
from harness.op import NEMESIS, Op


class OnThreads(Generator):
    """The child, seeing only the threads that pass."""

    __slots__ = ("child", "passes", "seen", "threads")

    def __init__(self, passes: Callable[[Thread], bool], child: Any, seen: Any = None, threads: Any = None) -> None:
        self.passes, self.child, self.seen, self.threads = passes, lift(child), seen, threads

    def _own(self, ctx: Context) -> frozenset[Thread]:
        if ctx.threads is not self.seen:  # filtered once for each set of threads
            self.seen, self.threads = ctx.threads, frozenset(filter(self.passes, ctx.threads))
        own: frozenset[Thread] = self.threads
        return own

    def op(self, ctx: Context) -> Answer:
        op, following = self.child.op(ctx.only(self._own(ctx)))
        return op, (None if following is None else OnThreads(self.passes, following, self.seen, self.threads))

    def update(self, ctx: Context, event: Op) -> Generator:
        if ctx.thread_of(event) not in self._own(ctx):
            return self
        updated = self.child.update(ctx.only(self._own(ctx)), event)
        return self if updated is self.child else OnThreads(self.passes, updated, self.seen, self.threads)


def is_client(thread: Thread) -> bool:
    """True for a client's thread."""
    return isinstance(thread, int)


def is_nemesis(thread: Thread) -> bool:
    """True for "nemesis" and "nemesis:<line>"."""
    return isinstance(thread, str) and thread.split(":")[0] == NEMESIS


def on_threads(passes: Callable[[Thread], bool], child: Any) -> Generator:
    """The child on the threads that pass."""
    return OnThreads(passes, child)


def clients(child: Any) -> Generator:
    """The child on client threads only."""
    return OnThreads(is_client, child)


def nemesis(child: Any, thread: str = "") -> Generator:
    """The child on nemesis threads only, or on the one named."""
    return OnThreads(is_nemesis if not thread else lambda t: t == thread, child)


class EachThread(Generator):
    """An independent copy for each thread, seeing only that thread; PENDING while some thread is busy; ends when all copies have."""

    __slots__ = ("copies", "original")

    def __init__(self, original: Any, copies: Mapping[Thread, Generator | None] | None = None) -> None:
        self.original, self.copies = lift(original), copies or {}

    def _key(self, ctx: Context, thread: Thread) -> int | str:
        return thread

    def op(self, ctx: Context) -> Answer:
        best: Candidate | None = None
        for thread in ctx.free:
            key = self._key(ctx, thread)
            copy = self.copies.get(key, self.original)
            if copy is None:
                continue
            op, following = copy.op(ctx.only(frozenset((thread,))))
            if op is None:
                following = None
            best = soonest(best, Candidate(op, (key, following)))
        if best is not None and best.op is not None:
            key, following = best.tag
            return best.op, (self if best.op is PENDING else type(self)(self.original, {**self.copies, key: following}))
        return (None, None) if ctx.all_free else (PENDING, self)

    def update(self, ctx: Context, event: Op) -> Generator:
        thread = ctx.thread_of(event)
        key = self._key(ctx, thread)
        copy = self.copies.get(key, self.original)
        if copy is None:
            return self
        updated = copy.update(ctx.only(frozenset((thread,))), event)
        return self if updated is copy else type(self)(self.original, {**self.copies, key: updated})


class EachProcess(EachThread):
    """The same for each process: a crash yields a fresh copy, so with a crashing client it never ends."""

    __slots__ = ()

    def _key(self, ctx: Context, thread: Thread) -> int | str:
        return ctx.process_of[thread]


def each_thread(child: Any) -> Generator:
    """An independent copy of the child for each thread."""
    return EachThread(child)


def each_process(child: Any) -> Generator:
    """An independent copy of the child for each process."""
    return EachProcess(child)


class Synchronize(Generator):
    """PENDING until every thread of its context is free; then the child."""

    __slots__ = ("child",)

    def __init__(self, child: Any) -> None:
        self.child = lift(child)

    def op(self, ctx: Context) -> Answer:
        return self.child.op(ctx) if ctx.all_free else (PENDING, self)

    def update(self, ctx: Context, event: Op) -> Generator:
        updated = self.child.update(ctx, event)
        return self if updated is self.child else Synchronize(updated)


def synchronize(child: Any) -> Generator:
    """A barrier before the child."""
    return Synchronize(child)


def phases(*children: Any) -> Generator:
    """Each child after a barrier."""
    return lift([Synchronize(child) for child in children])


class Reserve(Generator):
    """Threads 0..n-1 run the first child, the next m the second, and so on; the rest run the default. Soonest wins, weighted by threads."""

    __slots__ = ("children", "counts", "seen", "sets", "turn")

    def __init__(
        self, counts: tuple[int, ...], children: tuple[Generator | None, ...], turn: int = 0, seen: Any = None, sets: Any = None
    ) -> None:
        self.counts, self.children, self.turn, self.seen, self.sets = counts, children, turn, seen, sets

    def _sets(self, ctx: Context) -> tuple[frozenset[Thread], ...]:
        if ctx.threads is not self.seen:
            ordered = sorted(t for t in ctx.threads if isinstance(t, int))
            assert sum(self.counts) <= len(ordered), f"{len(ordered)} client threads are too few to reserve {self.counts} of them"
            sets, start = [], 0
            for count in self.counts:
                sets.append(frozenset(ordered[start : start + count]))
                start += count
            rest = frozenset(ordered[start:]) | frozenset(t for t in ctx.threads if isinstance(t, str))
            self.seen, self.sets = ctx.threads, (*sets, rest)
        own: tuple[frozenset[Thread], ...] = self.sets
        return own

    def op(self, ctx: Context) -> Answer:
        best: Candidate | None = None
        for i, (threads, child) in enumerate(zip(self._sets(ctx), self.children, strict=True)):
            if child is not None:
                op, following = child.op(ctx.only(threads))
                best = soonest(best, Candidate(op, (i, following), len(threads), self.turn))
        if best is None or best.op is None:
            return None, None
        if best.op is PENDING:
            return PENDING, self
        i, following = best.tag
        children = (*self.children[:i], following, *self.children[i + 1 :])
        return best.op, Reserve(self.counts, children, self.turn + 1, self.seen, self.sets)

    def update(self, ctx: Context, event: Op) -> Generator:
        thread = ctx.thread_of(event)
        for i, threads in enumerate(self._sets(ctx)):
            child = self.children[i]
            if thread in threads and child is not None:
                updated = child.update(ctx.only(threads), event)
                if updated is not child:
                    return Reserve(self.counts, (*self.children[:i], updated, *self.children[i + 1 :]), self.turn, self.seen, self.sets)
        return self


def reserve(*args: Any) -> Generator:
    """reserve(5, reads, 2, writes, rest): the first 5 threads read, the next 2 write, the others run `rest`."""
    assert len(args) % 2 == 1, "reserve takes pairs of (count, generator) and a default"
    counts, children = tuple(args[:-1:2]), tuple(lift(child) for child in (*args[1:-1:2], args[-1]))
    return Reserve(counts, children)
