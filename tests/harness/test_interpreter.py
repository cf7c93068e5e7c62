"""The interpreter on a real loop: what is recorded, in which order, and what a run does not wait for."""

import asyncio
import itertools
import threading
import time

import pytest

from harness import generators as gen
from harness.errors import SplitbrainError
from harness.history.read import read_history
from harness.interpreter import Interpreter
from harness.journal import Journal, NotJson
from harness.op import INVOKE, OK, Op


class Scripted:
    """A worker whose `act(op)` gives the completion, an awaitable of it, or raises."""

    read_only, node = frozenset({"read"}), "n1"

    def __init__(self, act, blocking=False):
        self.act, self.blocking, self.retired, self.closed = act, blocking, 0, False

    def invoke(self, op):
        return self.act(op)

    def retire(self):
        self.retired += 1

    async def close(self):
        self.closed = True


def ended(op, type_=OK, value=None):
    return Op(-1, 0, op.process, type_, op.f, op.value if value is None else value)


class Run:
    """An interpreter over a journal in a folder; `go` runs a generator to its end and gives the summary."""

    def __init__(self, folder, workers, **options):
        self.path, self.seen = folder / "history.jsonl", []
        start = time.monotonic_ns()
        self.journal = Journal(self.path, {"splitbrain": 1})
        options = {"op_timeout_s": 5.0, "observe": self.seen.append, **options}
        self.interpreter = Interpreter(workers, self.journal, clock=lambda: time.monotonic_ns() - start, **options)

    def go(self, generator, deadline_s=10.0, stop_after=None):
        async def whole():
            stop = asyncio.Event()
            if stop_after is not None:
                asyncio.get_running_loop().call_later(stop_after, stop.set)
            try:
                return await self.interpreter.run(generator, deadline_s, stop)
            finally:
                await self.interpreter.close()

        try:
            return asyncio.run(whole())
        finally:
            self.journal.close()

    def ops(self):
        return read_history(self.path).ops

    def short(self):
        return [(op.process, op.type, op.f) for op in self.ops()]


def x(f="x", value=None):
    return {"f": f, "value": value}


async def later(op, seconds=0.001):
    await asyncio.sleep(seconds)
    return ended(op)


def blocked(op):
    time.sleep(0.001)
    return ended(op)


@pytest.mark.parametrize(("act", "blocking"), [(ended, False), (later, False), (blocked, True)], ids=["inline", "async", "blocking"])
def test_all_kinds_of_clients(tmp_path, act, blocking):
    run = Run(tmp_path, {i: Scripted(act, blocking) for i in range(3)})
    summary = run.go(gen.limit(30, lambda: x()))
    ops = run.ops()
    assert summary.invocations == 30 and len(ops) == 60 and summary.abandoned == 0
    assert [op.index for op in ops] == list(range(60))
    assert {op.node for op in ops if op.type == INVOKE} == {"n1"}
    opened = set()
    for op in ops:
        opened ^= {op.process}
        assert (op.process in opened) == (op.type == INVOKE)
    assert {op.process for op in ops} == {0, 1, 2}
    assert run.seen[5].index == 5 and all(worker.closed for worker in run.interpreter.workers.values())


def test_the_invocation_is_in_the_file_before_the_op_is_dispatched(tmp_path):
    seen = []

    def act(op):
        seen.append((tmp_path / "history.jsonl").read_text().splitlines()[-1])
        return ended(op)

    Run(tmp_path, {0: Scripted(act)}).go([x(value=n) for n in range(5)])
    assert all('"type":"invoke"' in line and f'"value":{n},' in line for n, line in enumerate(seen)) and len(seen) == 5


def test_completions_are_taken_before_new_ops_are_asked_for(tmp_path):
    events = []

    class Asked(gen.Generator):
        def op(self, ctx):
            op, _ = gen.repeat(x()).op(ctx)
            if op is not gen.PENDING:
                events.append("ask")
            return op, self

        def update(self, ctx, event):
            events.append(event.type)
            return self

    Run(tmp_path, {0: Scripted(ended), 1: Scripted(ended)}).go(gen.limit(20, Asked()))
    # every inline op completes at once: its completion is told before the next question, so there is never a second op in flight
    assert events == ["ask", "invoke", "ok"] * 19 + ["ask"]


def test_info_retires_the_process_and_the_generator_sees_the_old_one(tmp_path):
    seen = []

    def note(child, ctx, event):
        seen.append((event.type, event.process, ctx.process_of[0]))
        return child

    worker = Scripted(lambda op: ended(op, "info"))
    run = Run(tmp_path, {0: worker, 1: Scripted(ended), "nemesis": Scripted(lambda op: ended(op, "info"))})
    run.go(gen.any_of(gen.on_threads(lambda t: t == 0, gen.OnUpdate(note, [x(), x()])), gen.nemesis([x("k"), x("k")])))
    assert seen == [("invoke", 0, 0), ("info", 0, 0), ("invoke", 2, 2), ("info", 2, 2)]
    assert worker.retired == 2
    assert [p for p, type_, f in run.short() if f == "k"] == ["nemesis"] * 4  # the nemesis goes on under its name


def test_ok_and_fail_keep_the_process(tmp_path):
    run = Run(tmp_path, {0: Scripted(lambda op: ended(op, op.value))})
    run.go([x(value="fail"), x(value="ok"), x(value="info"), x(value="ok")])
    assert [(op.process, op.type) for op in run.ops() if op.type != INVOKE] == [(0, "fail"), (0, "ok"), (0, "info"), (1, "ok")]


def test_a_call_that_outlives_its_deadline_is_info_at_once_and_keeps_its_value(tmp_path):
    release, late = threading.Event(), []

    def act(op):
        if op.value == "stuck":
            release.wait(10)
            late.append(op.value)
        return ended(op)

    run = Run(tmp_path, {0: Scripted(act, blocking=True)}, op_timeout_s=0.1)
    began = time.monotonic()
    summary = run.go([x("write", "stuck"), x("write", "next"), x("read", "stuck"), x("read", "next")])
    assert time.monotonic() - began < 3  # neither call was waited for
    release.set()
    done = [(op.process, op.type, op.value, op.error) for op in run.ops() if op.type != INVOKE]
    assert done == [
        (0, "info", "stuck", "timeout"),
        (1, "ok", "next", None),
        (1, "fail", "stuck", "timeout"),  # it changes nothing: it certainly had no effect, and retires nobody
        (1, "ok", "next", None),
    ]
    assert summary.abandoned == 2
    spans = [b.time - a.time for a, b in zip(run.ops()[::2], run.ops()[1::2], strict=True)]
    assert 0.1e9 <= spans[0] < 0.6e9 and 0.1e9 <= spans[2] < 0.6e9


def test_a_late_answer_of_an_abandoned_call_is_dropped(tmp_path):
    release = threading.Event()

    def act(op):
        if op.value == 0:
            release.wait(10)
        elif op.value == 1:
            release.set()  # the abandoned call answers while this op and the next ones run
            time.sleep(0.05)
        return ended(op)

    run = Run(tmp_path, {0: Scripted(act, blocking=True)}, op_timeout_s=0.2)
    run.go([x(value=n) for n in range(4)])
    assert [(op.type, op.value) for op in run.ops() if op.type != INVOKE] == [("info", 0), ("ok", 1), ("ok", 2), ("ok", 3)]


def test_an_async_call_is_cancelled_at_its_deadline(tmp_path):
    cancelled = []

    async def act(op):
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.append(op.value)
            raise

    run = Run(tmp_path, {0: Scripted(act)}, op_timeout_s=0.05)
    run.go([x("write", 1), x("read", 2)])
    assert cancelled == [1, 2]
    assert [(op.type, op.value) for op in run.ops() if op.type != INVOKE] == [("info", 1), ("fail", 2)]


def raising(op):
    raise ValueError("odd")


async def raising_later(op):
    raise ValueError("odd")


async def cancelling(op):
    raise asyncio.CancelledError


ODD = {
    "inline": (raising, False, "ValueError: odd"),
    "async": (raising_later, False, "ValueError: odd"),
    "blocking": (raising, True, "ValueError: odd"),
    "cancels itself": (cancelling, False, "cancelled"),
    "odd type": (lambda op: ended(op, "okay"), False, "no completion"),
    "odd f": (lambda op: Op(-1, 0, op.process, OK, "other"), False, "no completion"),
    "no op": (lambda op: x(), True, "no completion"),
    "not JSON": (lambda op: ended(op, OK, {1, object}), False, "not JSON"),
}


@pytest.mark.parametrize(("act", "blocking", "error"), ODD.values(), ids=ODD.keys())
def test_what_no_worker_should_do_is_info_and_the_run_goes_on(tmp_path, act, blocking, error):
    run = Run(tmp_path, {0: Scripted(act, blocking)})
    run.go([x("write", 7), x("read", 8)])
    done = [op for op in run.ops() if op.type != INVOKE]
    assert [(op.type, op.value) for op in done] == [("info", 7), ("fail", 8)]
    assert all(error in op.error for op in done), done


def test_an_op_that_is_not_json_ends_the_run_with_a_sentence(tmp_path):
    with pytest.raises(NotJson, match="x of process 0 has a value that is not JSON"):
        Run(tmp_path, {0: Scripted(ended)}).go(x(value=object()))


def test_stop_ends_the_run_at_once_and_what_is_open_is_info(tmp_path):
    async def act(op):
        await asyncio.sleep(60)

    run = Run(tmp_path, {0: Scripted(act), 1: Scripted(ended)}, op_timeout_s=60.0)
    began = time.monotonic()
    summary = run.go([x("stuck"), x("quick"), gen.sleep(50)], stop_after=0.1, deadline_s=60)
    assert time.monotonic() - began < 2
    assert summary.stopped and not summary.out_of_time
    assert run.short()[-1] == (0, "info", "stuck")
    assert run.ops()[-1].error == "the run was stopped"


def test_stop_before_an_op_that_is_due_much_later(tmp_path):
    began = time.monotonic()
    summary = Run(tmp_path, {0: Scripted(ended)}).go(gen.delay(50, [x(), x()]), stop_after=0.1, deadline_s=60)
    assert time.monotonic() - began < 2 and summary.stopped and summary.invocations == 1


def test_the_whole_run_has_a_deadline(tmp_path):
    async def act(op):
        await asyncio.sleep(60)

    run = Run(tmp_path, {0: Scripted(act), 1: Scripted(later)}, op_timeout_s=60.0)
    began = time.monotonic()
    summary = run.go(gen.any_of(gen.on_threads(lambda t: t == 0, x("stuck")), gen.repeat(x())), deadline_s=0.2)
    assert time.monotonic() - began < 2
    assert summary.out_of_time and not summary.stopped
    opened = {}
    for op in run.ops():  # every op that was begun has ended
        opened[op.process] = op.type == INVOKE
    assert not any(opened.values())


def test_runs_follow_each_other_over_the_same_processes(tmp_path):
    run = Run(tmp_path, {0: Scripted(lambda op: ended(op, "info"))})

    async def both():
        await run.interpreter.run(x("a"), 5)
        await run.interpreter.run(x("b"), 5)
        await run.interpreter.close()

    asyncio.run(both())
    run.journal.close()
    assert run.short() == [(0, "invoke", "a"), (0, "info", "a"), (1, "invoke", "b"), (1, "info", "b")]


def test_sleep_and_log_are_executed_and_not_recorded(tmp_path):
    said = []
    run = Run(tmp_path, {0: Scripted(ended)}, say=said.append)
    run.go([x("a"), gen.log("half-way"), gen.sleep(0.05), x("b")])
    assert said == ["half-way"]
    assert run.short() == [(0, "invoke", "a"), (0, "ok", "a"), (0, "invoke", "b"), (0, "ok", "b")]
    assert run.ops()[2].time - run.ops()[1].time >= 0.05e9


def test_rates_hold_in_real_time(tmp_path):
    run = Run(tmp_path, {i: Scripted(later) for i in range(4)})
    run.go(gen.time_limit(0.4, gen.delay(0.02, gen.repeat(x()))))
    times = [op.time for op in run.ops() if op.type == INVOKE]
    assert 10 <= len(times) <= 20 and min(b - a for a, b in itertools.pairwise(times)) >= 0.02e9


def hold_up():
    time.sleep(0.1)


def test_lag_is_what_a_busy_loop_makes_due_ops_wait(tmp_path):
    async def act(op):
        await asyncio.sleep(0.002)
        if op.value == 5:
            hold_up()  # while the next op is waited for
        return ended(op)

    summary = Run(tmp_path, {i: Scripted(act) for i in range(4)}).go(gen.delay(0.01, [x(value=n) for n in range(20)]))
    assert 0.05e9 < summary.lag_max_ns < 1e9
    assert 0 < summary.lag_p99_ns <= summary.lag_max_ns


def test_a_generator_that_fails_leaves_a_readable_history(tmp_path):
    asked = []

    def broken():
        asked.append(1)
        if len(asked) > 20:
            raise RuntimeError("a bug of the workload's")
        return x()

    run = Run(tmp_path, {0: Scripted(later)})
    with pytest.raises(RuntimeError, match="a bug"):
        run.go(broken)
    assert len(run.ops()) == 40


def test_a_journal_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(SplitbrainError, match="cannot be written: Is a directory"):
        Journal(tmp_path)
