"""A client's worker: opens the client, calls the workload's method, and says what an answer or an exception proves.

Why it exists  fail and info are where most harnesses lie; both are decided here once, from one table of each client.
Relies on      `fail` being certain: Definite, or an exception in the client's table. A failed open is `fail` (nothing was sent), backed off,
               so that a dead node is not asked thousands of times. Everything else is `info`, and keeps the op's value. An f that the
               workload declares read-only may always fail.
"""

from __future__ import annotations

import asyncio
import inspect
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
    """Worker of one client thread. `open_client(node)` makes a client that is not yet open."""

    def __init__(self, workload: Workload, open_client: Callable[[str], Any], node: str, blocking: bool = False) -> None:
        self.workload, self.open_client, self.node, self.blocking = workload, open_client, node, blocking
        self.read_only = workload.read_only
        self.client: Any = None
        self.at = node  # the node that the client is connected to
        self.wait_s = 0.0
        self.not_before = 0.0
        self.closing: set[asyncio.Task[None]] = set()

    def invoke(self, op: Op) -> Any:
        """The completion: an awaitable, or (blocking clients) the op itself."""
        return self._invoke_blocking(op) if self.blocking else self._invoke(op)

    async def _invoke(self, op: Op) -> Op:
        node = op.node or self.node
        if self.client is None or self.at != node:
            failed = await self._open(node, op)
            if failed is not None:
                return failed
        try:
            answer = self.workload.apply(self.client, op)
            if inspect.isawaitable(answer):
                answer = await answer
        except asyncio.CancelledError:
            raise
        except Exception as error:  # any client, any failure: the table decides what it proves
            return self._failed(op, error)
        return self._completed(op, answer)

    def _invoke_blocking(self, op: Op) -> Op:
        node = op.node or self.node
        if self.client is None or self.at != node:
            time.sleep(max(0.0, self.not_before - time.monotonic()))
            try:
                client = self.open_client(node)
                client.open()
            except Exception as error:
                return self._no_client(op, error)
            self._opened(client, node)
        try:
            answer = self.workload.apply(self.client, op)
        except Exception as error:
            return self._failed(op, error)
        return self._completed(op, answer)

    async def _open(self, node: str, op: Op) -> Op | None:
        self.retire()
        await asyncio.sleep(max(0.0, self.not_before - time.monotonic()))
        client = None
        try:
            client = self.open_client(node)
            opening = client.open()
            if inspect.isawaitable(opening):
                await opening
        except asyncio.CancelledError:
            if client is not None:
                self._close_soon(client)
            raise
        except Exception as error:
            return self._no_client(op, error)
        self._opened(client, node)
        return None

    def _opened(self, client: Any, node: str) -> None:
        self.client, self.at, self.wait_s, self.not_before = client, node, 0.0, 0.0

    def _no_client(self, op: Op, error: BaseException) -> Op:
        self.wait_s = min(BACK_OFF_MAX_S, self.wait_s * 2 or BACK_OFF_S)
        self.not_before = time.monotonic() + self.wait_s
        return self._ended(op, FAIL, f"no-client: {short(error)}")

    def _failed(self, op: Op, error: BaseException) -> Op:
        certain = isinstance(error, Definite) or (
            not isinstance(error, Indefinite) and isinstance(error, self.client.errors.definite if self.client is not None else ())
        )
        if not isinstance(error, Definite):
            self.retire()  # whatever state the connection is in, nobody relies on it
        if isinstance(error, ConnectionRefusedError):
            self.wait_s = min(BACK_OFF_MAX_S, self.wait_s * 2 or BACK_OFF_S)
            self.not_before = time.monotonic() + self.wait_s
        return self._ended(op, FAIL if certain or op.f in self.read_only else INFO, short(error))

    def _completed(self, op: Op, answer: Any) -> Op:
        ext = op.ext
        if isinstance(answer, Result):
            answer, ext = answer
        done = self.workload.complete(op, answer)
        return Op(-1, 0, op.process, done.type, op.f, done.value, done.error, op.node, done.ext if done.ext is not None else ext)

    def _ended(self, op: Op, type_: str, error: str) -> Op:
        return Op(-1, 0, op.process, type_, op.f, op.value, error, op.node, op.ext)

    def retire(self) -> None:
        """Close the client in the background; the next op opens a new one."""
        client, self.client = self.client, None
        if client is not None:
            self._close_soon(client)

    def _close_soon(self, client: Any) -> None:
        if self.blocking:
            try:
                client.close()
            except Exception:
                return
            return
        task = asyncio.ensure_future(_close(client))
        self.closing.add(task)
        task.add_done_callback(self.closing.discard)

    async def close(self) -> None:
        """The run is over: close the client, and wait for those that are closing, not longer than a second."""
        self.retire()
        if self.closing:
            await asyncio.wait(self.closing, timeout=CLOSE_LIMIT_S)


async def _close(client: Any) -> None:
    try:
        closing = client.close()
        if inspect.isawaitable(closing):
            await asyncio.wait_for(closing, CLOSE_LIMIT_S)
    except Exception:  # close never fails
        return
