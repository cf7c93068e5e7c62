"""The plainest generators: values, sequences, functions, and how Python things lift into generators.

Why it exists  a mapping, a list or a function says what to do without any ceremony.
Relies on      lifting: None is exhausted; a mapping is that op once; an iterable is each element in turn; a function is called (with the
               context, if it takes one), its generator exhausted, and called again until it gives None.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from harness.generators.core import PENDING, Answer, Context, Generator
from harness.generators.dice import Dice
from harness.op import INVOKE, Op

SLEEP, LOG = "sleep", "log"  # types of ops that a worker executes and no history records


def make_op(ctx: Context, fields: Mapping[str, Any]) -> Any:
    """An op from a mapping: what it lacks (time, process) comes from the context; PENDING if no thread is free."""
    process = fields.get("process")
    if process is None:
        if not ctx.free:
            return PENDING
        process = ctx.process_of[ctx.free[0]]
    time = fields.get("time", ctx.time)
    return Op(-1, time, process, fields.get("type", INVOKE), fields["f"], fields.get("value"), None, fields.get("node"), fields.get("ext"))


class Once(Generator):
    """A mapping: that op, once."""

    __slots__ = ("fields",)

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields = fields

    def op(self, ctx: Context) -> Answer:
        op = make_op(ctx, self.fields)
        return (op, self) if op is PENDING else (op, None)


class Remembered:
    """The elements of an iterator, each drawn once and kept: a generator may be asked for the same one again, and it may have no end."""

    __slots__ = ("drawn", "source")

    def __init__(self, source: Iterable[Any]) -> None:
        self.source, self.drawn = iter(source), list[Any]()

    def from_(self, at: int) -> Any:
        """Element `at`, drawn if it is the next one; raises IndexError behind the last."""
        if at == len(self.drawn):
            try:
                self.drawn.append(next(self.source))
            except StopIteration:
                raise IndexError(at) from None
        return self.drawn[at]


class Chain(Generator):
    """Elements in turn, each until it is exhausted; updates go to the current one only."""

    __slots__ = ("at", "current", "element")

    def __init__(self, current: Generator | None, element: Callable[[int], Any], at: int = 0) -> None:
        self.current, self.element, self.at = current, element, at  # element(i) raises IndexError behind the last one

    def op(self, ctx: Context) -> Answer:
        current, at = self.current, self.at
        while True:
            if current is not None:
                op, following = current.op(ctx)
                if op is not None:
                    return op, Chain(following, self.element, at)
            try:
                current, at = lift(self.element(at)), at + 1
            except IndexError:
                return None, None

    def update(self, ctx: Context, event: Op) -> Generator:
        if self.current is None:
            return self
        updated = self.current.update(ctx, event)
        return self if updated is self.current else Chain(updated, self.element, self.at)


class Fn(Generator):
    """A function that gives generators: called anew whenever what it gave is exhausted; ends when it gives None, or what has no op."""

    __slots__ = ("call", "current")

    def __init__(self, call: Callable[[Context], Any], current: Generator | None = None) -> None:
        self.call, self.current = call, current

    def op(self, ctx: Context) -> Answer:
        current = self.current
        if current is not None:
            op, following = current.op(ctx)
            if op is not None:
                return op, Fn(self.call, following)
        if not ctx.free:
            return PENDING, self  # asked when its op can go out, not before
        made = self.call(ctx)
        if made is None:
            return None, None
        if type(made) is dict:  # by far the most frequent case
            return make_op(ctx, made), Fn(self.call)
        op, following = lift(made).op(ctx)
        return (op, Fn(self.call, following)) if op is not None else (None, None)

    def update(self, ctx: Context, event: Op) -> Generator:
        if self.current is None:
            return self
        updated = self.current.update(ctx, event)
        return self if updated is self.current else Fn(self.call, updated)


class Drawn(Generator):
    """Ops drawn one by one: `make(dice, n)` gives the n-th mapping (None: exhausted); PENDING uses up no n."""

    __slots__ = ("make", "n", "seed")

    def __init__(self, seed: int, make: Callable[[Dice, int], Mapping[str, Any] | None], n: int = 0) -> None:
        self.seed, self.make, self.n = seed, make, n

    def op(self, ctx: Context) -> Answer:
        if not ctx.free:
            return PENDING, self
        fields = self.make(Dice(self.seed, self.n), self.n)
        if fields is None:
            return None, None
        return make_op(ctx, fields), Drawn(self.seed, self.make, self.n + 1)


class Repeat(Generator):
    """The same unchanged generator asked again each time, for ever or n times."""

    __slots__ = ("generator", "n")

    def __init__(self, generator: Any, n: int = -1) -> None:
        self.generator, self.n = lift(generator), n

    def op(self, ctx: Context) -> Answer:
        if self.n == 0:
            return None, None
        op, _ = self.generator.op(ctx)
        if op is None or op is PENDING:
            return op, (self if op is PENDING else None)
        return op, (self if self.n < 0 else Repeat(self.generator, self.n - 1))

    def update(self, ctx: Context, event: Op) -> Generator:
        updated = self.generator.update(ctx, event)
        return self if updated is self.generator else Repeat(updated, self.n)


NOTHING = Chain(None, ().__getitem__)


def lift(thing: Any) -> Generator:
    """Any Python thing as a generator (see the opening of this file)."""
    if isinstance(thing, Generator):
        return thing
    if thing is None:
        return NOTHING
    if isinstance(thing, Mapping):
        return Once(thing)
    if callable(thing):
        takes = len(inspect.signature(thing).parameters)
        return Fn(thing if takes else lambda _: thing())
    if isinstance(thing, list | tuple):
        return Chain(None, tuple(thing).__getitem__)
    if isinstance(thing, Iterable) and not isinstance(thing, str | bytes):
        return Chain(None, Remembered(thing).from_)
    raise TypeError(f"{thing!r} is no generator: give a mapping, a function, an iterable or a generator")
