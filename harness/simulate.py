"""Generators in simulated time: whole schedules without threads and without sleeping.

Why it exists  a schedule is tested by asserting all of it, under a fixed seed, in microseconds.
Relies on      the same rules as the interpreter: completions first, a completion is seen under its old process, info retires the process.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import Any

from harness.generators.basic import LOG, SLEEP, lift
from harness.generators.core import PENDING, Context, Generator, Thread
from harness.op import FAIL, INFO, NEMESIS, OK, Op

Complete = Callable[[Op], Op]
SECOND = 1_000_000_000


def _ended(op: Op, type_: str, after: int) -> Op:
    return Op(-1, op.time + after, op.process, type_, op.f, op.value, None, op.node, op.ext)


def quick(op: Op) -> Op:
    """Every op completes ok at once."""
    return _ended(op, OK, 0)


def perfect(op: Op) -> Op:
    """Every op completes ok after 10 ns."""
    return _ended(op, OK, 10)


def perfect_info(op: Op) -> Op:
    """Every op crashes after 10 ns."""
    return _ended(op, INFO, 10)


def imperfect(clients: int = 2) -> Complete:
    """Each thread's ops go fail, info, ok in turn, 10 ns each."""
    turns: dict[Thread, int] = {}

    def complete(op: Op) -> Op:
        thread = op.process % clients if isinstance(op.process, int) else op.process
        turn = turns[thread] = turns.get(thread, -1) + 1
        return _ended(op, (FAIL, INFO, OK)[turn % 3], 10)

    return complete


def simulate(
    generator: Any, complete: Complete = perfect, clients: int = 2, nemeses: Sequence[str] = (NEMESIS,), limit: int = 10_000
) -> list[Op]:
    """All ops, invocations and completions in order, that the generator makes; it is left off after `limit` invocations.

    Raises AssertionError if the generator is pending with nothing in flight.
    """
    threads: tuple[Thread, ...] = (*range(clients), *nemeses)
    process_of: dict[Thread, int | str] = {thread: thread for thread in threads}
    ctx = Context(0, frozenset(threads), threads, process_of, clients)
    current = lift(generator)
    flying: list[tuple[int, int, Op, Thread]] = []
    history: list[Op] = []
    taken = 0
    while True:
        op, following = current.op(ctx) if taken < limit else (None, None)
        if op is not None and op is not PENDING and (not flying or op.time <= flying[0][0]):
            taken += 1
            current = _take(op, following, ctx, history, complete, flying, taken)
            continue
        if not flying:
            assert op is None, "the generator is pending, and nothing is in flight that could change its mind"
            return history
        if op is PENDING and following is not None:
            current = following
        time, _, done, thread = heapq.heappop(flying)
        ctx.time = max(ctx.time, time)
        ctx.free = (*ctx.free, thread)
        if done.type in (SLEEP, LOG):
            ctx.idled += 1
            continue
        done.index = len(history)
        history.append(done)
        current = current.update(ctx, done)
        if done.type == INFO and isinstance(done.process, int):
            process_of[thread] = done.process + clients


def _take(
    op: Op, following: Any, ctx: Context, history: list[Op], complete: Complete, flying: list[tuple[int, int, Op, Thread]], taken: int
) -> Generator:
    """Put an op that is due in flight; the generator after it."""
    ctx.time = op.time = max(ctx.time, op.time)
    thread = ctx.thread_of(op)
    assert thread in ctx.free, f"{op} is for a thread that is busy"
    assert op.process == ctx.process_of[thread], f"{op} is for a process that is retired: {thread} runs {ctx.process_of[thread]}"
    ctx.free = tuple(t for t in ctx.free if t != thread)
    current = lift(following)
    if op.type in (SLEEP, LOG):
        ctx.idled += 1
        heapq.heappush(flying, (op.time + (round(op.value * SECOND) if op.type == SLEEP else 0), taken, op, thread))
        return current
    op.index = len(history)
    history.append(op)
    current = current.update(ctx, op)
    done = complete(op)
    heapq.heappush(flying, (done.time, taken, done, thread))
    return current
