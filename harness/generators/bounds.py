"""Limits and timing: how many, until when, how fast, until what.

Why it exists  load has a rate, phases have an end, and both must hold over all threads together.
Relies on      PENDING changing no counter; an op in the future being asked for again: its successor is thrown away until it is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.generators.basic import LOG, SLEEP, Once, lift
from harness.generators.core import PENDING, Answer, Context, Generator
from harness.generators.dice import mix64
from harness.op import INVOKE, OK, Op

SECOND = 1_000_000_000
MAX_WINDOWS = 10_000  # that cycle_times looks ahead for one in which the child has something to do


class Limit(Generator):
    """At most n ops."""

    __slots__ = ("child", "n")

    def __init__(self, n: int, child: Any) -> None:
        self.n, self.child = n, lift(child)

    def op(self, ctx: Context) -> Answer:
        if self.n <= 0:
            return None, None
        op, following = self.child.op(ctx)
        if op is None or op is PENDING:
            return op, (Limit(self.n, following) if following is not None else None)
        return op, (Limit(self.n - 1, following) if following is not None and self.n > 1 else None)

    def update(self, ctx: Context, event: Op) -> Generator:
        updated = self.child.update(ctx, event)
        return self if updated is self.child else Limit(self.n, updated)


def limit(n: int, child: Any) -> Generator:
    """At most n ops of the child."""
    return Limit(n, child)


def once(child: Any) -> Generator:
    """One op of the child."""
    return Limit(1, child)


class TimeLimit(Generator):
    """Ops until `span` after the first op that it emits; ops in flight finish.

    An op beyond the end ends it at once only if no thread is busy: a completion may still make an earlier op possible.
    """

    __slots__ = ("child", "cutoff", "span")

    def __init__(self, span: int, child: Any, cutoff: int | None = None) -> None:
        self.span, self.child, self.cutoff = span, lift(child), cutoff

    def op(self, ctx: Context) -> Answer:
        op, following = self.child.op(ctx)
        if op is None:
            return None, None
        if op is PENDING:
            return (None, None) if self.cutoff is not None and ctx.time >= self.cutoff else (PENDING, self._with(following, self.cutoff))
        cutoff = self.cutoff if self.cutoff is not None else op.time + self.span
        if op.time >= cutoff:
            return (None, None) if ctx.time >= cutoff or ctx.all_free else (PENDING, self)
        return op, (TimeLimit(self.span, following, cutoff) if following is not None else None)

    def _with(self, child: Generator, cutoff: int | None) -> Generator:
        return self if child is self.child else TimeLimit(self.span, child, cutoff)

    def update(self, ctx: Context, event: Op) -> Generator:
        updated = self.child.update(ctx, event)
        return self if updated is self.child else TimeLimit(self.span, updated, self.cutoff)


def time_limit(seconds: float, child: Any) -> Generator:
    """New ops of the child for so many seconds from its first."""
    return TimeLimit(round(seconds * SECOND), child)


class ProcessLimit(Generator):
    """Ends when the union of all processes that it could have used exceeds n (so it does not trickle out)."""

    __slots__ = ("child", "n", "seen")

    def __init__(self, n: int, child: Any, seen: frozenset[int | str] = frozenset()) -> None:
        self.n, self.child, self.seen = n, lift(child), seen

    def op(self, ctx: Context) -> Answer:
        seen = self.seen.union([ctx.process_of[t] for t in ctx.threads])
        if len(seen) > self.n:
            return None, None
        op, following = self.child.op(ctx)
        return op, (ProcessLimit(self.n, following, seen) if following is not None else None)

    def update(self, ctx: Context, event: Op) -> Generator:
        updated = self.child.update(ctx, event)
        return self if updated is self.child else ProcessLimit(self.n, updated, self.seen)


def process_limit(n: int, child: Any) -> Generator:
    """The child until more than n processes could have taken part."""
    return ProcessLimit(n, child)


class Stagger(Generator):
    """Ops at a total rate: the next one is due uniformly within [0, 2 dt) after this one's time; one that is late goes out at once."""

    __slots__ = ("child", "dt", "due", "seed")

    def __init__(self, dt: int, child: Any, seed: int = 0, due: int | None = None) -> None:
        self.dt, self.child, self.seed, self.due = dt, lift(child), seed, due

    def op(self, ctx: Context) -> Answer:
        op, following = self.child.op(ctx)
        if op is None:
            return None, None
        if op is PENDING:
            return PENDING, (self if following is self.child else Stagger(self.dt, following, self.seed, self.due))
        due = self.due if self.due is not None else ctx.time
        if op.time < due:
            op.time = due
        if following is None:
            return op, None
        return op, Stagger(self.dt, following, self.seed + 1, op.time + mix64(self.seed) % max(1, 2 * self.dt))

    def update(self, ctx: Context, event: Op) -> Generator:
        updated = self.child.update(ctx, event)
        return self if updated is self.child else Stagger(self.dt, updated, self.seed, self.due)


def stagger(seconds: float, child: Any, seed: int = 0) -> Generator:
    """The child's ops at random, so many seconds apart on average, in all."""
    return Stagger(round(seconds * SECOND), child, seed << 20)


class Delay(Generator):
    """Each op at least dt after the one before; lost time is not caught up."""

    __slots__ = ("child", "dt", "due")

    def __init__(self, dt: int, child: Any, due: int = 0) -> None:
        self.dt, self.child, self.due = dt, lift(child), due

    def op(self, ctx: Context) -> Answer:
        op, following = self.child.op(ctx)
        if op is None:
            return None, None
        if op is PENDING:
            return PENDING, self
        op.time = max(op.time, self.due)
        return op, (Delay(self.dt, following, op.time + self.dt) if following is not None else None)

    def update(self, ctx: Context, event: Op) -> Generator:
        updated = self.child.update(ctx, event)
        return self if updated is self.child else Delay(self.dt, updated, self.due)


def delay(seconds: float, child: Any) -> Generator:
    """The child's ops at least so many seconds apart."""
    return Delay(round(seconds * SECOND), child)


def sleep(seconds: float) -> Generator:
    """One thread does nothing for so many seconds; not in the history."""
    return Once({"f": SLEEP, "type": SLEEP, "value": seconds})


def log(message: str) -> Generator:
    """A line for the person who watches; not in the history."""
    return Once({"f": LOG, "type": LOG, "value": message})


class Until(Generator):
    """The child's ops until one of them completes ok (tracked by process)."""

    __slots__ = ("child", "done", "mine")

    def __init__(self, child: Any, mine: frozenset[int | str] = frozenset(), done: bool = False) -> None:
        self.child, self.mine, self.done = lift(child), mine, done

    def op(self, ctx: Context) -> Answer:
        if self.done:
            return None, None
        op, following = self.child.op(ctx)
        if op is None:
            return None, None
        if op is PENDING:
            return PENDING, (self if following is self.child else Until(following, self.mine))
        mine = self.mine if op.type in (SLEEP, LOG) else self.mine | {op.process}  # those two have no completion to wait for
        return op, Until(following, mine)

    def update(self, ctx: Context, event: Op) -> Generator:
        updated = self.child.update(ctx, event)
        if event.type == INVOKE or event.process not in self.mine:
            return self if updated is self.child else Until(updated, self.mine, self.done)
        return Until(updated, self.mine - {event.process}, self.done or event.type == OK)


def until_ok(child: Any) -> Generator:
    """The child's ops until one of them completes ok."""
    return Until(child)


class Cycle(Generator):
    """The original anew whenever it is exhausted, for ever or n times."""

    __slots__ = ("current", "n", "original")

    def __init__(self, original: Generator, n: int, current: Generator | None) -> None:
        self.original, self.n, self.current = original, n, current

    def op(self, ctx: Context) -> Answer:
        if self.current is not None:
            op, following = self.current.op(ctx)
            if op is not None:
                return op, Cycle(self.original, self.n, following)
        if self.n == 0:
            return None, None
        op, following = self.original.op(ctx)
        return (None, None) if op is None else (op, Cycle(self.original, self.n - 1, following))

    def update(self, ctx: Context, event: Op) -> Generator:
        if self.current is None:
            return self
        updated = self.current.update(ctx, event)
        return self if updated is self.current else Cycle(self.original, self.n, updated)


def cycle(child: Any, n: int = -1) -> Generator:
    """The child again and again, n times in all (for ever by default)."""
    original = lift(child)
    return Cycle(original, n, None)


class Filter(Generator):
    """Only ops that pass; the child is asked again until one does."""

    __slots__ = ("child", "passes")

    def __init__(self, passes: Callable[[Op], bool], child: Any) -> None:
        self.passes, self.child = passes, lift(child)

    def op(self, ctx: Context) -> Answer:
        child: Generator | None = self.child
        while child is not None:
            op, following = child.op(ctx)
            if op is None or op is PENDING or self.passes(op):
                return op, (Filter(self.passes, following) if following is not None else None)
            child = following
        return None, None

    def update(self, ctx: Context, event: Op) -> Generator:
        updated = self.child.update(ctx, event)
        return self if updated is self.child else Filter(self.passes, updated)


def filter_ops(passes: Callable[[Op], bool], child: Any) -> Generator:
    """The child's ops that pass."""
    return Filter(passes, child)


class CycleTimes(Generator):
    """Children in turn by the clock: each for its own span, with its state kept; ends when the one that is due is exhausted."""

    __slots__ = ("children", "spans", "start")

    def __init__(self, spans: tuple[int, ...], children: tuple[Generator, ...], start: int | None = None) -> None:
        self.spans, self.children, self.start = spans, children, start

    def op(self, ctx: Context) -> Answer:
        start = self.start if self.start is not None else ctx.time
        total = sum(self.spans)
        into = (ctx.time - start) % total
        opens = ctx.time - into
        i = 0
        while into >= self.spans[i]:
            into -= self.spans[i]
            opens += self.spans[i]
            i += 1
        now = ctx
        for _ in range(MAX_WINDOWS):  # a later child is asked with the time at which its window opens
            op, following = self.children[i].op(now)
            if op is None:
                return None, None
            if op is PENDING:
                return PENDING, CycleTimes(self.spans, self.children, start)
            if op.time < opens + self.spans[i]:
                if following is None:
                    following = lift(None)
                return op, CycleTimes(self.spans, (*self.children[:i], following, *self.children[i + 1 :]), start)
            opens += self.spans[i]
            now = ctx.at(opens)
            i = (i + 1) % len(self.children)
        return PENDING, CycleTimes(self.spans, self.children, start)

    def update(self, ctx: Context, event: Op) -> Generator:
        updated = tuple([child.update(ctx, event) for child in self.children])
        same = all(a is b for a, b in zip(updated, self.children, strict=True))
        return self if same else CycleTimes(self.spans, updated, self.start)


def cycle_times(*args: Any) -> Generator:
    """cycle_times(5, a, 10, b): a for five seconds, b for ten, and again."""
    spans = tuple(round(seconds * SECOND) for seconds in args[::2])
    assert args and len(args) % 2 == 0 and min(spans) > 0, "cycle_times takes pairs of (seconds, generator)"
    return CycleTimes(spans, tuple(map(lift, args[1::2])))


class OnUpdate(Generator):
    """The child, changed by a function at each event of its threads: handle(generator, ctx, event) -> generator."""

    __slots__ = ("child", "handle")

    def __init__(self, handle: Callable[[Generator, Context, Op], Generator], child: Any) -> None:
        self.handle, self.child = handle, lift(child)

    def op(self, ctx: Context) -> Answer:
        op, following = self.child.op(ctx)
        return op, (OnUpdate(self.handle, following) if following is not None else None)

    def update(self, ctx: Context, event: Op) -> Generator:
        updated = self.handle(self.child.update(ctx, event), ctx, event)
        return self if updated is self.child else OnUpdate(self.handle, updated)
