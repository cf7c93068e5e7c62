"""A client's worker: opens the client, calls the workload's method, and says what an answer or an exception proves.

Why it exists  fail and info are where most harnesses lie; both are decided here once, from one table of each client.
Relies on      `fail` being certain: Definite, or an exception in the client's table. A failed open is `fail` (nothing was sent), backed
               off, so that a dead node is not asked thousands of times. Everything else is `info`, and keeps the op's value. An f that
               the workload declares read-only may always fail.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
import time
from collections.abc import Callable
from typing import Any

from harness.capabilities import Result
from harness.errors import Definite, Indefinite
from harness.op import FAIL, INFO, Op
from harness.workload import Workload

BACK_OFF_S, BACK_OFF_MAX_S = 0.05, 1.0
CLOSE_LIMIT_S = 1.0


def short(error: BaseException) -> str:
    """An exception in a few stable words."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:160]}" if text else type(error).__name__


class ClientWorker:
    """Worker of one client thread. `open_client(node)` makes a client that is not yet open.

    A call that was abandoned may still run beside the next one: it belongs to an older generation, and touches nothing any more.
    """

    def __init__(self, workload: Workload, open_client: Callable[[str], Any], node: str, blocking: bool = False) -> None:
        self.workload, self.open_client, self.node, self.blocking = workload, open_client, node, blocking
        self.read_only = workload.read_only
        self.client: Any = None
        self.at = node  # the node that the client is connected to
        self.wait_s = 0.0
        self.not_before = 0.0
        self.lock = threading.Lock()  # over the next two and `client`: a blocking call runs in a thread of its own
        self.generation = 0  # counts retirements
        self.opening = False  # the call in progress has no client yet, so it has sent nothing
        self.closing: set[asyncio.Task[None] | threading.Thread] = set()

    def invoke(self, op: Op) -> Any:
        """The completion: an awaitable, or (blocking clients) the op itself."""
        return self._invoke_blocking(op, self.generation) if self.blocking else self._invoke(op, self.generation)

    async def _invoke(self, op: Op, generation: int) -> Op:
        node, client = op.node or self.node, self.client
        if client is None or self.at != node:
            client = None
            try:
                self._begin_open()
                await asyncio.sleep(max(0.0, self.not_before - time.monotonic()))
                client = self.open_client(node)
                opening = client.open()
                if inspect.isawaitable(opening):
                    await opening
            except asyncio.CancelledError:
                self._close_soon(client)
                raise
            except Exception as error:
                return self._no_client(op, error, client, generation)
            if not self._opened(client, node, generation):
                return self._ended(op, FAIL, "no-client: given up")
        try:
            answer = self.workload.apply(client, op)
            if inspect.isawaitable(answer):
                answer = await answer
        except asyncio.CancelledError:
            raise
        except Exception as error:  # any client, any failure: the table decides what it proves
            return self._failed(op, error, client, generation)
        return self._completed(op, answer)

    def _invoke_blocking(self, op: Op, generation: int) -> Op:
        node, client = op.node or self.node, self.client
        if client is None or self.at != node:
            client = None
            try:
                self._begin_open()
                time.sleep(max(0.0, self.not_before - time.monotonic()))
                client = self.open_client(node)
                client.open()
            except Exception as error:
                return self._no_client(op, error, client, generation)
            if not self._opened(client, node, generation):
                return self._ended(op, FAIL, "no-client: given up")
        try:
            answer = self.workload.apply(client, op)
        except Exception as error:
            return self._failed(op, error, client, generation)
        return self._completed(op, answer)

    def _begin_open(self) -> None:
        with self.lock:
            self.opening = True
            client, self.client = self.client, None
        self._close_soon(client)

    def _opened(self, client: Any, node: str, generation: int) -> bool:
        """Take the client; False if the call was given up while it opened, so that nothing may be sent any more."""
        with self.lock:
            if self.generation == generation:
                self.client, self.at, self.wait_s, self.not_before, self.opening = client, node, 0.0, 0.0, False
                return True
        self._close_soon(client)
        return False

    def _no_client(self, op: Op, error: BaseException, client: Any, generation: int) -> Op:
        self._close_soon(client)
        with self.lock:
            if self.generation == generation:
                self.opening = False
                self._back_off()
        return self._ended(op, FAIL, f"no-client: {short(error)}")

    def _back_off(self) -> None:
        self.wait_s = min(BACK_OFF_MAX_S, self.wait_s * 2 or BACK_OFF_S)
        self.not_before = time.monotonic() + self.wait_s

    def _failed(self, op: Op, error: BaseException, client: Any, generation: int) -> Op:
        table = getattr(client, "errors", None)
        definite = table.definite if table is not None else ()
        certain = isinstance(error, Definite) or (not isinstance(error, Indefinite) and isinstance(error, definite))
        if not isinstance(error, Definite) and self.generation == generation:
            self.retire()  # whatever state the connection is in, nobody relies on it
            if isinstance(error, ConnectionRefusedError):
                self._back_off()
        return self._ended(op, FAIL if certain or op.f in self.read_only else INFO, short(error))

    def _completed(self, op: Op, answer: Any) -> Op:
        ext = op.ext
        if isinstance(answer, Result):
            answer, ext = answer
        done = self.workload.complete(op, answer)
        return Op(-1, 0, op.process, done.type, op.f, done.value, done.error, op.node, done.ext if done.ext is not None else ext)

    def _ended(self, op: Op, type_: str, error: str) -> Op:
        return Op(-1, 0, op.process, type_, op.f, op.value, error, op.node, op.ext)

    def retire(self) -> bool:
        """Close the client in the background; the next op opens a new one. True if a call in progress had not even opened one."""
        with self.lock:
            self.generation += 1
            unsent, self.opening = self.opening, False
            client, self.client = self.client, None
        self._close_soon(client)
        return unsent

    def _close_soon(self, client: Any) -> None:
        if client is None:
            return
        if self.blocking:  # a close may wait for the very call that is stuck
            thread = threading.Thread(target=_close_blocking, args=(client,), daemon=True)
            self.closing.add(thread)
            thread.start()
            self.closing -= {old for old in self.closing if isinstance(old, threading.Thread) and not old.is_alive()}
            return
        task = asyncio.ensure_future(_close(client))
        self.closing.add(task)
        task.add_done_callback(self.closing.discard)

    async def close(self) -> None:
        """The run is over: close the client, and wait for those that are closing, not longer than a second."""
        self.retire()
        until = time.monotonic() + CLOSE_LIMIT_S
        tasks = {closing for closing in self.closing if isinstance(closing, asyncio.Task)}
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_LIMIT_S)
        while time.monotonic() < until and any(isinstance(old, threading.Thread) and old.is_alive() for old in self.closing):
            await asyncio.sleep(0.01)


def _close_blocking(client: Any) -> None:
    with contextlib.suppress(Exception):  # close never fails
        client.close()


async def _close(client: Any) -> None:
    try:
        closing = client.close()
        if inspect.isawaitable(closing):
            await asyncio.wait_for(closing, CLOSE_LIMIT_S)
    except Exception:  # close never fails
        return
