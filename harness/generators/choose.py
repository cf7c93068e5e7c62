"""Choosing between children: the soonest rule, mixes, alternation, rotation by the clock.

Why it exists  overlapping workloads and faults are several generators of which the earliest next op wins.
Relies on      the soonest rule: an exhausted child loses to anything, PENDING loses to an op, the lower time wins; equal times are decided
               at random in proportion to weights, and the winner carries the sum, so that a fold over n children is uniform. Without the
               last clause the first child starves the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.generators.basic import lift
from harness.generators.core import PENDING, Answer, Context, Generator
from harness.generators.dice import mix64
from harness.op import Op


class Candidate:
    """An answer with what must be remembered about it."""

    __slots__ = ("op", "seed", "tag", "weight")

    def __init__(self, op: Any, tag: Any, weight: int = 1, seed: int = 0) -> None:
        self.op, self.tag, self.weight, self.seed = op, tag, weight, seed


def soonest(a: Candidate | None, b: Candidate) -> Candidate:
    """The earlier of two by the soonest rule."""
    if a is None or a.op is None:
        return b
    if b.op is None:
        return a
    if a.op is PENDING:
        return b
    if b.op is PENDING:
        return a
    if a.op.time != b.op.time:
        return a if a.op.time < b.op.time else b
    total = a.weight + b.weight
    winner = a if mix64(b.seed * 31 + a.op.time + total) % total < a.weight else b
    return Candidate(winner.op, winner.tag, total, b.seed)


class Any_(Generator):
    """Asks all, takes the soonest; only the taken child advances; updates go to all. Ends when all (or, `shortest`, one) have ended."""

    __slots__ = ("children", "shortest", "turn")

    def __init__(self, children: tuple[Generator, ...], shortest: bool = False, turn: int = 0) -> None:
        self.children, self.shortest, self.turn = children, shortest, turn

    def op(self, ctx: Context) -> Answer:
        best: Candidate | None = None
        for i, child in enumerate(self.children):
            op, following = child.op(ctx)
            if op is None and self.shortest:
                return None, None
            best = soonest(best, Candidate(op, (i, following), 1, self.turn))
        if best is None or best.op is None:
            return None, None
        if best.op is PENDING:
            return PENDING, self
        i, following = best.tag
        if following is None and self.shortest:
            following = lift(None)
        rest = (following,) if following is not None else ()
        return best.op, Any_((*self.children[:i], *rest, *self.children[i + 1 :]), self.shortest, self.turn + 1)

    def update(self, ctx: Context, event: Op) -> Generator:
        updated = tuple([child.update(ctx, event) for child in self.children])
        same = all(a is b for a, b in zip(updated, self.children, strict=True))
        return self if same else Any_(updated, self.shortest, self.turn)


def any_of(*children: Any) -> Generator:
    """The soonest of the children; ends when all have ended."""
    return Any_(tuple(map(lift, children)))


def shortest_any(*children: Any) -> Generator:
    """The soonest of the children; ends as soon as one has ended."""
    return Any_(tuple(map(lift, children)), shortest=True)


class Mix(Generator):
    """The next child drawn in proportion to weights, again after each op; on PENDING the others are tried; exhausted ones drop out."""

    __slots__ = ("children", "seed", "weights")

    def __init__(self, children: tuple[Generator, ...], weights: tuple[int, ...], seed: int) -> None:
        self.children, self.weights, self.seed = children, weights, seed

    def op(self, ctx: Context) -> Answer:
        order = self._order()
        pending = False
        ended: set[int] = set()
        for i in order:
            op, following = self.children[i].op(ctx)
            if op is None:
                ended.add(i)
            elif op is PENDING:
                pending = True
            else:
                return op, self._without(ended, i, following)
        return (PENDING, self) if pending else (None, None)

    def _order(self) -> list[int]:
        """The drawn child first, the others behind it in a ring."""
        n = len(self.children)
        if n == 0:
            return []
        at = mix64(self.seed) % sum(self.weights)
        first = 0
        while at >= self.weights[first]:
            at -= self.weights[first]
            first += 1
        return [(first + k) % n for k in range(n)]

    def _without(self, ended: set[int], taken: int, following: Generator | None) -> Generator:
        if not ended and following is not None:
            children = (*self.children[:taken], following, *self.children[taken + 1 :])
            return Mix(children, self.weights, self.seed + 1)
        kept = [
            (following if i == taken else child, weight)
            for i, (child, weight) in enumerate(zip(self.children, self.weights, strict=True))
            if i not in ended
        ]
        kept = [(child, weight) for child, weight in kept if child is not None]
        return Mix(tuple(child for child, _ in kept), tuple(weight for _, weight in kept), self.seed + 1)  # type: ignore[misc]

    def update(self, ctx: Context, event: Op) -> Generator:
        updated = tuple([child.update(ctx, event) for child in self.children])
        same = all(a is b for a, b in zip(updated, self.children, strict=True))
        return self if same else Mix(updated, self.weights, self.seed)


def mix(*children: Any, seed: int = 0) -> Generator:
    """The next child drawn uniformly, again after each op."""
    return Mix(tuple(map(lift, children)), (1,) * len(children), seed << 20)


def weighted(*pairs: tuple[int, Any], seed: int = 0) -> Generator:
    """`mix` with weights: weighted((3, reads), (1, writes))."""
    return Mix(tuple(lift(child) for _, child in pairs), tuple(weight for weight, _ in pairs), seed << 20)


class FlipFlop(Generator):
    """a, b, a, b, ..; ends when the one that is due is exhausted."""

    __slots__ = ("children", "due")

    def __init__(self, children: tuple[Generator | None, ...], due: int = 0) -> None:
        self.children, self.due = children, due

    def op(self, ctx: Context) -> Answer:
        child = self.children[self.due]
        if child is None:
            return None, None
        op, following = child.op(ctx)
        if op is None or op is PENDING:
            return op, (self if op is PENDING else None)
        children = (*self.children[: self.due], following, *self.children[self.due + 1 :])
        return op, FlipFlop(children, (self.due + 1) % len(children))

    def update(self, ctx: Context, event: Op) -> Generator:
        updated = tuple([None if child is None else child.update(ctx, event) for child in self.children])
        same = all(a is b for a, b in zip(updated, self.children, strict=True))
        return self if same else FlipFlop(updated, self.due)


def flip_flop(*children: Any) -> Generator:
    """The children in turn, an op each."""
    return FlipFlop(tuple(map(lift, children)))


class Mapped(Generator):
    """Ops changed by a function; PENDING and the end pass through, updates too."""

    __slots__ = ("change", "child")

    def __init__(self, change: Callable[[Op], Op], child: Any) -> None:
        self.change, self.child = change, lift(child)

    def op(self, ctx: Context) -> Answer:
        op, following = self.child.op(ctx)
        wrapped = None if following is None else Mapped(self.change, following)
        return (op if op is None or op is PENDING else self.change(op)), wrapped

    def update(self, ctx: Context, event: Op) -> Generator:
        updated = self.child.update(ctx, event)
        return self if updated is self.child else Mapped(self.change, updated)


def map_ops(change: Callable[[Op], Op], child: Any) -> Generator:
    """Ops changed by a function."""
    return Mapped(change, child)


def f_map(names: Mapping[str, str], child: Any) -> Generator:
    """Ops with their f renamed."""

    def rename(op: Op) -> Op:
        op.f = names.get(op.f, op.f)
        return op

    return Mapped(rename, child)
