"""What answers and exceptions of clients prove: the client worker under the interpreter, with async and blocking clients."""

import asyncio
import threading
import time

import pytest

from harness import generators as gen
from harness.capabilities import ErrorTable, Result
from harness.client_worker import ClientWorker
from harness.errors import Definite, Indefinite
from harness.history.read import read_history
from harness.interpreter import Interpreter
from harness.journal import Journal
from harness.op import FAIL, INVOKE, OK
from harness.workload import Completion, Workload


class Conflict(Exception):
    """A definite error of this system's."""


class Registers(Workload):
    name, read_only = "registers", frozenset({"read"})

    def apply(self, client, op):
        return client.do(op.f, op.value)

    def complete(self, op, answer):
        return Completion(FAIL, op.value, "differed") if answer is False else Completion(OK, answer)


class Client:
    """Does what `script` says, one entry a call: a value, an exception to raise, or a function to call."""

    errors = ErrorTable((ConnectionRefusedError, Conflict))
    script, made, lock = [], [], threading.Lock()
    blocking = False

    def __init__(self, node):
        self.node, self.opened, self.closed = node, 0, 0
        self.made.append(self)

    def _next(self):
        with self.lock:
            step = self.script.pop(0)
        if isinstance(step, BaseException):
            raise step
        return step


class Async(Client):
    async def open(self):
        self.opened += 1

    async def close(self):
        self.closed += 1

    async def do(self, f, value):
        step = self._next()
        return await step() if callable(step) else step


class Blocking(Client):
    blocking = True

    def open(self):
        self.opened += 1

    def close(self):
        self.closed += 1

    def do(self, f, value):
        step = self._next()
        return step() if callable(step) else step


def write(value=1):
    return {"f": "write", "value": value}


def read():
    return {"f": "read", "value": None}


def run(folder, cls, script, ops, timeout_s=5.0, threads=1):
    """(clients made, [(process, type, value, error)] of completions)."""
    kind = type("Kind", (cls,), {"script": list(script), "made": []})
    journal = Journal(folder / "history.jsonl", {"splitbrain": 1})
    start = time.monotonic_ns()
    workers = {i: ClientWorker(Registers(None), kind, f"n{i + 1}", kind.blocking) for i in range(threads)}

    async def whole():
        interpreter = Interpreter(workers, journal, clock=lambda: time.monotonic_ns() - start, op_timeout_s=timeout_s)
        await interpreter.run(ops, 20)
        await interpreter.close()

    asyncio.run(whole())
    journal.close()
    history = read_history(folder / "history.jsonl").ops
    return kind.made, [(op.process, op.type, op.value, op.error) for op in history if op.type != INVOKE]


BOTH = pytest.mark.parametrize("cls", [Async, Blocking])


@BOTH
@pytest.mark.parametrize(
    ("error", "type_", "says"),
    [
        (Definite("aborted"), "fail", "Definite: aborted"),
        (Conflict("lost the race"), "fail", "Conflict: lost the race"),
        (ConnectionRefusedError(111, "refused"), "fail", "ConnectionRefusedError: [Errno 111] refused"),
        (Indefinite("in doubt"), "info", "Indefinite: in doubt"),
        (TimeoutError(), "info", "TimeoutError"),
        (ConnectionResetError("reset"), "info", "ConnectionResetError: reset"),
        (RuntimeError("what?\nsecond line"), "info", "RuntimeError: what?"),
        (KeyError("k"), "info", "KeyError: 'k'"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_what_an_exception_proves(tmp_path, cls, error, type_, says):
    made, done = run(tmp_path, cls, [error, 5], [write(7), write(8)])
    assert done[0] == (0, type_, 7, says)  # the value is kept
    assert done[1] == (1 if type_ == "info" else 0, "ok", 5, None)
    kept = isinstance(error, Definite)  # the client said so itself: its connection is sound. Any other one is opened anew
    assert [client.opened for client in made] == ([1] if kept else [1, 1])
    assert all(client.closed == 1 for client in made)


@BOTH
@pytest.mark.parametrize("error", [Indefinite("in doubt"), TimeoutError(), RuntimeError("what?")], ids=lambda e: type(e).__name__)
def test_a_read_that_fails_retires_nobody(tmp_path, cls, error):
    _, done = run(tmp_path, cls, [error, 5], [read(), read()])
    assert [(process, type_) for process, type_, _, _ in done] == [(0, "fail"), (0, "ok")]


@BOTH
def test_indefinite_outweighs_the_table(tmp_path, cls):
    class Both(Indefinite, Conflict):
        pass

    _, done = run(tmp_path, cls, [Both("?")], write())
    assert done[0][1] == "info"


@BOTH
def test_answers(tmp_path, cls):
    _, done = run(tmp_path, cls, [3, False, Result(4, {"rev": 9})], [read(), write(7), read()])
    assert done == [(0, "ok", 3, None), (0, "fail", 7, "differed"), (0, "ok", 4, None)]
    assert [op.ext for op in read_history(tmp_path).ops][-1] == {"rev": 9}


@BOTH
def test_a_client_that_cannot_be_opened_fails_ops_and_backs_off(tmp_path, cls):
    class Dead(cls):
        def open(self):
            raise OSError("no route")

    began = time.monotonic()
    made, done = run(tmp_path, Dead, [], [write(1), write(2), write(3)])
    assert done == [(0, "fail", value, "no-client: OSError: no route") for value in (1, 2, 3)]
    assert time.monotonic() - began >= 0.15  # 50 ms, then 100 ms: a dead node is not asked thousands of times
    assert len(made) == 3


@BOTH
def test_refused_connections_back_off(tmp_path, cls):
    began = time.monotonic()
    _, done = run(tmp_path, cls, [ConnectionRefusedError("x"), 1], [write(1), write(2)])
    assert [type_ for _, type_, _, _ in done] == ["fail", "ok"] and time.monotonic() - began >= 0.05


@BOTH
def test_an_op_that_names_a_node_goes_there(tmp_path, cls):
    made, _ = run(tmp_path, cls, [1, 2, 3], [read(), {**read(), "node": "n2"}, {**read(), "node": "n2"}])
    assert [client.node for client in made] == ["n1", "n2"]
    assert [op.node for op in read_history(tmp_path).ops] == ["n1", "n1", "n2", "n2", "n2", "n2"]
    assert [client.closed for client in made] == [1, 1]


@BOTH
def test_a_call_past_its_deadline_is_abandoned_and_touches_nothing(tmp_path, cls):
    release = threading.Event()

    async def stubborn():  # an async library that swallows the cancellation, and fails late
        for _ in range(100):
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue
            if release.is_set():
                break
        raise RuntimeError("late")

    def stuck():
        release.wait(10)
        raise RuntimeError("late")

    async def on():
        release.set()
        await asyncio.sleep(0.05)
        return 2

    def on_blocking():
        release.set()
        time.sleep(0.05)
        return 2

    script = [stubborn, on, 3] if cls is Async else [stuck, on_blocking, 3]
    made, done = run(tmp_path, cls, script, [write(1), write(2), write(3)], timeout_s=0.15)
    assert [(p, type_, value) for p, type_, value, _ in done] == [(0, "info", 1), (1, "ok", 2), (1, "ok", 3)]
    assert [client.opened for client in made] == [1, 1]  # the late failure did not close the client that the next op uses
    assert [client.closed for client in made] == [1, 1]


@BOTH
def test_an_op_whose_client_never_opened_certainly_had_no_effect(tmp_path, cls):
    sent, opens = [], []

    class Hanging(cls):
        def open(self):
            opens.append(1)
            if len(opens) > 1:
                return None if self.blocking else asyncio.sleep(0)
            if self.blocking:
                return time.sleep(0.3)
            return asyncio.sleep(10)

        def do(self, f, value):
            sent.append(value)
            return value if self.blocking else asyncio.sleep(0, value)

    ops = [write(1), gen.sleep(0.3), write(2)]
    made, done = run(tmp_path, Hanging, [], ops, timeout_s=0.1)
    assert done == [(0, "fail", 1, "no-client: timeout"), (0, "ok", 2, None)]
    assert sent == [2]  # also when the connection stood, later
    assert [client.closed for client in made] == [1, 1]


def test_a_close_that_hangs_holds_nobody_up(tmp_path):
    class Hanging(Blocking):
        def close(self):
            time.sleep(60)

    began = time.monotonic()
    _, done = run(tmp_path, Hanging, [RuntimeError("x"), 2], [write(1), write(2)])
    assert [type_ for _, type_, _, _ in done] == ["info", "ok"]
    assert time.monotonic() - began < 4


def test_a_close_that_fails_is_nobodys_business(tmp_path):
    class Failing(Async):
        async def close(self):
            raise RuntimeError("no")

    _, done = run(tmp_path, Failing, [RuntimeError("x"), 2], [write(1), write(2)])
    assert [type_ for _, type_, _, _ in done] == ["info", "ok"]
