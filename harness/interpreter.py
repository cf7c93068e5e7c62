"""The interpreter: takes ops from a generator, hands them to workers, records what happens. One scheduler, one worker a thread.

Why it exists  time, processes and deadlines are decided in one place, so that a history means what it says: an invocation is in the file
               before its op is dispatched, a completion is recorded after its return, intervals may only widen.
Relies on      the loop's order (semantics of the field): completions first; then the generator is asked with the time of now; exhausted:
               wait for what is outstanding; pending: wait for a completion, at most 1 ms; an op in the future: its successor is thrown
               away and the *old* generator asked again; an op that is due goes out. The generator sees a completion under the *old*
               process.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from types import CoroutineType
from typing import Any

import msgspec

from harness.generators.basic import LOG, NOTHING, SLEEP, lift
from harness.generators.core import PENDING, Context, Generator, Thread
from harness.journal import Journal, NotJson
from harness.op import COMPLETIONS, FAIL, INFO, INVOKE, Op
from harness.worker import Worker

SECOND = 1_000_000_000
NEMESIS_TIMEOUT_S = 60.0
PENDING_WAIT_NS = 1_000_000
CLOSE_LIMIT_S = 2.0
BURST = 64  # ops in a row before the event loop gets its turn


class Summary(msgspec.Struct):
    """What it was like. Lag is how late due ops were dispatched: it widens intervals, so it can hide anomalies, never invent any."""

    invocations: int = 0
    abandoned: int = 0
    lag_max_ns: int = 0
    lag_p99_ns: int = 0
    stopped: bool = False
    out_of_time: bool = False


class _Flight:
    """An op that was dispatched and has not completed."""

    __slots__ = ("deadline", "op", "task", "thread")

    def __init__(self, op: Op, thread: Thread, deadline: int) -> None:
        self.op, self.thread, self.deadline = op, thread, deadline
        self.task: asyncio.Future[Op] | None = None


class Interpreter:
    """Runs generators over the same workers, journal and processes; `run` may be called again with the next generator."""

    def __init__(
        self,
        workers: Mapping[Thread, Worker],
        journal: Journal,
        *,
        clock: Callable[[], int],
        op_timeout_s: float,
        observe: Callable[[Op], None] | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.workers, self.journal, self.clock, self.observe, self.say = workers, journal, clock, observe, say
        self.timeout_ns = round(op_timeout_s * SECOND)
        clients = sum(isinstance(thread, int) for thread in workers)
        threads = tuple(workers)
        self.process_of: dict[Thread, int | str] = {thread: thread for thread in threads}
        self.ctx = Context(0, frozenset(threads), threads, self.process_of, clients)
        self.flights: dict[Thread, _Flight] = {}
        self.wheels: tuple[deque[_Flight], deque[_Flight]] = (deque(), deque())  # clients', nemeses': each in order of deadline
        self.done: deque[tuple[_Flight, Op]] = deque()
        self.wake = asyncio.Event()
        self.lags: deque[int] = deque(maxlen=100_000)
        self.totals = Summary()
        self.threads_of: dict[Thread, _BlockingThread] = {}
        self.loop: asyncio.AbstractEventLoop | None = None
        self.stop: asyncio.Event | None = None

    def summary(self) -> Summary:
        """Figures so far."""
        ordered = sorted(self.lags)
        if ordered:
            self.totals.lag_p99_ns = ordered[len(ordered) * 99 // 100]
        return self.totals

    async def run(self, generator: Any, deadline_s: float, stop: asyncio.Event | None = None) -> Summary:
        """Interpret until the generator is exhausted and nothing is outstanding, `stop` is set, or the time is over.

        Stopped or out of time, what is still outstanding is recorded as info: no stuck client holds the run.
        """
        self.loop, self.stop = asyncio.get_running_loop(), stop
        stopping = asyncio.ensure_future(stop.wait()) if stop is not None else None
        if stopping is not None:
            stopping.add_done_callback(lambda _: self.wake.set())
        before = gc.get_threshold()
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 50, 1000)
        try:
            await self._run(lift(generator), self.clock() + round(deadline_s * SECOND))
        finally:
            if stopping is not None:
                stopping.cancel()
            gc.set_threshold(*before)
            gc.unfreeze()
            self.journal.flush()
        return self.summary()

    async def _run(self, current: Generator, end: int) -> None:
        ctx, stop, burst, due = self.ctx, self.stop, 0, 0  # due: when the op that is waited for should go out
        while True:
            current = self._complete_all(current)
            now = ctx.time = self.clock()
            if now >= end or (stop is not None and stop.is_set()):
                self.totals.stopped = stop is not None and stop.is_set()
                self.totals.out_of_time = now >= end
                self._abandon_all(current)
                return
            op, following = current.op(ctx)
            if op is None:
                if not self.flights:
                    return
                due = 0
                await self._wait(self._next_deadline(end, now))
            elif op is PENDING:
                current, due = (following if following is not None else current), 0
                await self._wait(min(PENDING_WAIT_NS, self._next_deadline(end, now)))
            elif op.time > now:
                due = op.time
                await self._wait(min(op.time - now, self._next_deadline(end, now)))
            else:
                self._note_lag(now - (min(due, op.time) or op.time))
                current = self._dispatch(op, following if following is not None else NOTHING, now)
                due = 0
                burst += 1
                if burst >= BURST:
                    burst = 0
                    await asyncio.sleep(0)

    def _next_deadline(self, end: int, now: int) -> int:
        heads = [wheel[0].deadline for wheel in self.wheels if wheel]
        return max(0, min([end, *heads]) - now)

    async def _wait(self, ns: int) -> None:
        """Until something completes, at most so long."""
        self.journal.flush()
        if self.done:
            return
        self.wake.clear()
        assert self.loop is not None
        handle = self.loop.call_later(ns / SECOND, self.wake.set)
        await self.wake.wait()
        handle.cancel()

    def _note_lag(self, lag: int) -> None:
        self.lags.append(lag)
        if lag > self.totals.lag_max_ns:
            self.totals.lag_max_ns = lag

    def _dispatch(self, op: Op, current: Generator, now: int) -> Generator:
        ctx = self.ctx
        thread = ctx.thread_of(op)
        assert thread in ctx.free, f"{op} is for a thread that is busy"
        assert op.process == self.process_of[thread], f"{op} is for a process that is retired: {thread} runs {self.process_of[thread]}"
        at = ctx.free.index(thread)
        ctx.free = ctx.free[:at] + ctx.free[at + 1 :]
        if op.type in (SLEEP, LOG):
            self._idle(op, thread)
            return current
        assert op.type == INVOKE, f"{op} is no invocation"
        worker = self.workers[thread]
        if op.node is None:
            op.node = worker.node
        self.totals.invocations += 1
        self.journal.record(op)
        self.journal.flush()
        if self.observe is not None:
            self.observe(op)
        current = current.update(ctx, op)
        nemesis = isinstance(thread, str)
        limit_ns = round(getattr(worker, "limit_s", NEMESIS_TIMEOUT_S) * SECOND) if nemesis else self.timeout_ns
        flight = _Flight(op, thread, now + limit_ns)  # one that takes longer (the heal of all) is the last: the wheel keeps its order
        self.flights[thread] = flight
        if worker.blocking:
            self.wheels[nemesis].append(flight)
            self._thread_for(thread).put(flight)
            return current
        try:
            answer = worker.invoke(op)
        except Exception as error:  # a worker should raise nothing; nobody knows what happened
            answer = _unknown(worker, op, f"{type(error).__name__}: {error}")
        if isinstance(answer, Op):
            self.done.append((flight, answer))
        else:
            self.wheels[nemesis].append(flight)
            assert self.loop is not None
            flight.task = self.loop.create_task(answer) if isinstance(answer, CoroutineType) else asyncio.ensure_future(answer)
            flight.task.add_done_callback(partial(self._landed, flight))
        return current

    def _idle(self, op: Op, thread: Thread) -> None:
        """Sleep and log: executed, never recorded."""
        flight = _Flight(op, thread, 1 << 62)
        self.ctx.idled += 1
        self.flights[thread] = flight
        if op.type == LOG:
            if self.say is not None:
                self.say(str(op.value))
            self.done.append((flight, op))
            return
        assert self.loop is not None
        self.loop.call_later(float(op.value), self._finish, flight, op)

    def _landed(self, flight: _Flight, task: asyncio.Future[Op]) -> None:
        if task.cancelled():
            self._finish(flight, _unknown(self.workers[flight.thread], flight.op, "cancelled"))
        elif (error := task.exception()) is not None:
            self._finish(flight, _unknown(self.workers[flight.thread], flight.op, f"{type(error).__name__}: {error}"))
        else:
            self._finish(flight, task.result())

    def _finish(self, flight: _Flight, op: Op) -> None:
        self.done.append((flight, op))
        self.wake.set()

    def _complete_all(self, current: Generator) -> Generator:
        while self.done:
            flight, op = self.done.popleft()
            if self.flights.get(flight.thread) is flight:  # else it was abandoned: a late answer is dropped
                current = self._complete(flight, op, current)
        if self.wheels[0] or self.wheels[1]:
            current = self._expire(current)
        return current

    def _complete(self, flight: _Flight, op: Op, current: Generator) -> Generator:
        ctx, thread = self.ctx, flight.thread
        del self.flights[thread]
        ctx.free = (*ctx.free, thread)
        if flight.op.type in (SLEEP, LOG):
            ctx.idled += 1
            return current
        if op.type not in COMPLETIONS or op.f != flight.op.f:
            op = _unknown(self.workers[flight.thread], flight.op, f"the client's answer is no completion: type {op.type!r}, f {op.f!r}")
        ctx.time = op.time = self.clock()
        op.process = flight.op.process
        try:
            self.journal.record(op)
        except NotJson as error:
            op = _unknown(self.workers[flight.thread], flight.op, error.seen)
            op.time = ctx.time
            self.journal.record(op)
        if self.observe is not None:
            self.observe(op)
        current = current.update(ctx, op)
        if op.type == INFO and isinstance(thread, int):
            self.process_of[thread] = int(op.process) + ctx.clients
            self.workers[thread].retire()
        return current

    def _expire(self, current: Generator) -> Generator:
        """Ops past their deadline end now: `fail` if they change nothing, else `info`; their call is abandoned, not waited for."""
        now = self.clock()
        for wheel in self.wheels:
            while wheel and (wheel[0].deadline <= now or self.flights.get(wheel[0].thread) is not wheel[0]):
                flight = wheel.popleft()
                if self.flights.get(flight.thread) is flight:
                    self.totals.abandoned += 1
                    current = self._complete(flight, self._abandon(flight, "timeout"), current)
        return current

    def _abandon(self, flight: _Flight, why: str) -> Op:
        worker = self.workers[flight.thread]
        if flight.task is not None:
            flight.task.cancel()
        elif worker.blocking:
            self.threads_of.pop(flight.thread).abandon()
        if worker.retire():
            return _completion(flight.op, FAIL, f"no-client: {why}")
        return _unknown(self.workers[flight.thread], flight.op, why)

    def _abandon_all(self, current: Generator) -> None:
        for flight in list(self.flights.values()):
            if flight.op.type in (SLEEP, LOG):
                del self.flights[flight.thread]
                self.ctx.idled += 1
                self.ctx.free = (*self.ctx.free, flight.thread)
            else:
                current = self._complete(flight, self._abandon(flight, "the run was stopped"), current)

    def _thread_for(self, thread: Thread) -> _BlockingThread:
        found = self.threads_of.get(thread)
        if found is None:
            assert self.loop is not None
            found = self.threads_of[thread] = _BlockingThread(self.workers[thread], self.loop, self._finish)
        return found

    async def close(self) -> None:
        """Close all workers; nothing is waited for longer than two seconds."""
        for blocking in self.threads_of.values():
            blocking.abandon()
        closing = [worker.close() for worker in self.workers.values()]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*closing, return_exceptions=True), CLOSE_LIMIT_S)


def _completion(op: Op, type_: str, error: Any) -> Op:
    return Op(-1, 0, op.process, type_, op.f, op.value, error, op.node, op.ext)


def _unknown(worker: Worker, op: Op, why: str) -> Op:
    """Nobody knows what an op did: info; one that changes nothing fails."""
    return _completion(op, FAIL if op.f in worker.read_only else INFO, why)


class _BlockingThread:
    """A daemon thread for one blocking worker; abandoned, it ends after its call and its answer is dropped."""

    def __init__(self, worker: Worker, loop: asyncio.AbstractEventLoop, finish: Callable[[_Flight, Op], None]) -> None:
        self.worker, self.loop, self.finish = worker, loop, finish
        self.flight: _Flight | None = None
        self.ready = threading.Semaphore(0)
        self.abandoned = False
        threading.Thread(target=self._serve, daemon=True).start()

    def put(self, flight: _Flight) -> None:
        self.flight = flight
        self.ready.release()

    def abandon(self) -> None:
        self.abandoned = True
        self.flight = None
        self.ready.release()

    def _serve(self) -> None:
        while True:
            self.ready.acquire()
            flight = self.flight
            if self.abandoned or flight is None:
                return
            try:
                answer = self.worker.invoke(flight.op)
                if not isinstance(answer, Op):
                    raise TypeError(f"no completion but {answer!r}")
            except Exception as error:  # a client may raise anything; nobody knows what happened
                answer = _unknown(self.worker, flight.op, f"{type(error).__name__}: {error}")
            if self.abandoned:
                return
            try:
                self.loop.call_soon_threadsafe(self.finish, flight, answer)
            except RuntimeError:  # the loop is closed: the run is over
                return
