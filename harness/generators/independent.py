"""Independent keys: one generator a key, several keys at a time, each on threads of its own.

Why it exists  linearizability is checked per key; short keys with few processes keep that check cheap, many keys at once keep the load up.
Relies on      groups of n client threads: threads 0..n-1 are the first group, and so on; each group works on one key until that key's
               generator is exhausted, then takes the next key nobody has used. Values become {"key": key, "value": value}.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from harness.generators.basic import LOG, NOTHING, SLEEP, lift
from harness.generators.core import PENDING, Answer, Context, Generator, Thread
from harness.generators.dice import mix64
from harness.op import Op

Key = Hashable
KeyOf = Callable[[int], Any]  # the n-th key, or None when there are no more
OfKey = Callable[[Any], Any]  # the generator of a key


def _plain(event: Op) -> Op:
    """An event as the key's own generator knows it."""
    return Op(event.index, event.time, event.process, event.type, event.f, event.value.get("value"), event.error, event.node, event.ext)


class Sequential(Generator):
    """One key after the other on all threads."""

    __slots__ = ("child", "key", "key_of", "n", "of_key")

    def __init__(self, key_of: KeyOf, of_key: OfKey, n: int = 0, key: Any = None, child: Generator | None = None) -> None:
        self.key_of, self.of_key, self.n, self.key, self.child = key_of, of_key, n, key, child

    def op(self, ctx: Context) -> Answer:
        n, key, child = self.n, self.key, self.child
        while True:
            if child is not None:
                op, following = child.op(ctx)
                if op is PENDING:
                    return PENDING, Sequential(self.key_of, self.of_key, n, key, child)
                if op is not None:
                    if op.type not in (SLEEP, LOG):
                        op.value = {"key": key, "value": op.value}
                    return op, Sequential(self.key_of, self.of_key, n, key, following)
            key = self.key_of(n)
            if key is None:
                return None, None
            n, child = n + 1, lift(self.of_key(key))

    def update(self, ctx: Context, event: Op) -> Generator:
        if self.child is None or not (isinstance(event.value, dict) and event.value.get("key") == self.key):
            return self
        updated = self.child.update(ctx, _plain(event))
        return self if updated is self.child else Sequential(self.key_of, self.of_key, self.n, self.key, updated)


class Group:
    """One group of threads with its key; `answer` is what its child said when ctx.idled was `idled`; no event has reached it since."""

    __slots__ = ("answer", "child", "idled", "key", "threads")

    def __init__(self, threads: frozenset[Thread], key: Any, child: Generator | None, answer: Answer | None = None, idled: int = 0) -> None:
        self.threads, self.key, self.child, self.answer, self.idled = threads, key, child, answer, idled


class Concurrent(Generator):
    """n threads a key. Children's answers are kept until an event of their group: asking all groups for each op is what costs most."""

    __slots__ = ("groups", "key_of", "n", "of_key", "of_thread", "per_key", "turn")

    def __init__(
        self, per_key: int, key_of: KeyOf, of_key: OfKey, n: int = 0, groups: tuple[Group, ...] = (), of_thread: Any = None, turn: int = 0
    ) -> None:
        self.per_key, self.key_of, self.of_key, self.n, self.groups = per_key, key_of, of_key, n, groups
        self.of_thread: dict[Thread, int] = of_thread
        self.turn = turn

    def _begin(self, ctx: Context) -> None:
        threads = sorted(t for t in ctx.threads if isinstance(t, int))
        assert len(threads) % self.per_key == 0, f"{len(threads)} threads cannot be split into groups of {self.per_key}"
        groups, n = [], 0
        for start in range(0, len(threads), self.per_key):
            key = self.key_of(n)
            n += key is not None
            groups.append(Group(frozenset(threads[start : start + self.per_key]), key, None if key is None else lift(self.of_key(key))))
        self.groups, self.n = tuple(groups), n  # fixed at the first question; the same for every asking
        self.of_thread = {thread: i for i, group in enumerate(groups) for thread in group.threads}

    def op(self, ctx: Context) -> Answer:
        if not self.groups:
            self._begin(ctx)
        n, taken, ties = self.n, -1, 0
        groups: list[Group] | None = None
        best: Any = None  # the soonest rule of choose.py, spelled out: this loop is what a keyed load costs
        for i, group in enumerate(self.groups):
            if group.child is None:
                continue
            answer = group.answer
            if answer is None or group.idled != ctx.idled:
                answer, group, n = self._ask(ctx, group, n)
                if groups is None:
                    groups = list(self.groups)
                groups[i] = group
            op = answer[0]
            if op is None or op is PENDING:
                continue
            if best is None or op.time < best.time:
                best, taken, ties = op, i, 1
            elif op.time == best.time:
                ties += 1
                if mix64(self.turn * 31 + op.time + ties) % ties == 0:
                    best, taken = op, i
        shown = self.groups if groups is None else tuple(groups)
        if best is None:
            busy = any(group.child is not None for group in shown)
            return (PENDING, self._with(shown, n, 0)) if busy else (None, None)
        group = shown[taken]
        assert group.answer is not None
        following = group.answer[1]
        after = (*shown[:taken], Group(group.threads, group.key, following if following is not None else NOTHING), *shown[taken + 1 :])
        time = best.time if best.time > ctx.time else ctx.time  # a copy: the answer may be kept, if this op is not taken
        value = best.value if best.type in (SLEEP, LOG) else {"key": group.key, "value": best.value}
        return Op(-1, time, best.process, best.type, best.f, value, None, best.node, best.ext), self._with(after, n, 1)

    def _ask(self, ctx: Context, group: Group, n: int) -> tuple[Answer, Group, int]:
        child, key = group.child, group.key
        own = ctx.only(group.threads)
        while child is not None:
            op, following = child.op(own)
            if op is not None:
                kept = (op, following)
                return kept, Group(group.threads, key, child, None if op is PENDING and own.free else kept, ctx.idled), n
            key = self.key_of(n)
            if key is None:
                child = None
            else:
                n, child = n + 1, lift(self.of_key(key))
        return (None, None), Group(group.threads, None, None), n

    def _with(self, groups: tuple[Group, ...], n: int, turns: int) -> Concurrent:
        return Concurrent(self.per_key, self.key_of, self.of_key, n, groups, self.of_thread, self.turn + turns)

    def update(self, ctx: Context, event: Op) -> Generator:
        i = self.of_thread.get(ctx.thread_of(event)) if self.groups else None
        if i is None:
            return self
        group = self.groups[i]
        if group.child is None:
            return self
        child = group.child
        if isinstance(event.value, dict) and event.value.get("key") == group.key:
            child = child.update(ctx.only(group.threads), _plain(event))
        after = (*self.groups[:i], Group(group.threads, group.key, child), *self.groups[i + 1 :])
        return self._with(after, self.n, 0)


def sequential_keys(key_of: KeyOf, of_key: OfKey) -> Generator:
    """One key after the other; key_of(n) is the n-th key (None: no more), of_key(key) its generator."""
    return Sequential(key_of, of_key)


def concurrent_keys(per_key: int, key_of: KeyOf, of_key: OfKey) -> Generator:
    """Groups of per_key client threads, a key each; the number of client threads must be a multiple of per_key."""
    return Concurrent(per_key, key_of, of_key)
