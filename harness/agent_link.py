"""The connection to one fault agent: commands and their answers, the loop's signs of life, and the news that the agent is gone.

Why it exists  the plane (harness.agent_plane) speaks of nodes and faults; this speaks of processes, pipes and lines.
Relies on      harness/beats.py between us and the agent. Both run in a session of their own: Ctrl-C reaches the harness alone, and the
               faults end in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

ALIVE_EVERY_S, ALIVE_FOR_S = 0.5, 9.0
COMMAND_LIMIT_S = 20.0
END_LIMIT_S = 10.0
LINE_LIMIT = 1 << 24
BEATS = Path(__file__).with_name("beats.py")


class AgentGone(Exception):
    """The agent ended or does not answer; the text says what is known."""


class Refused(Exception):
    """The agent could not do it; the text is why."""


class AgentLink:
    """One agent process."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self.says: deque[str] = deque(maxlen=20)
        self._process: asyncio.subprocess.Process | None = None
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._number = 0

    async def start(self, argv: Sequence[str]) -> None:
        """Start the agent behind its beats. Raises OSError."""
        pipe = asyncio.subprocess.PIPE
        command = [sys.executable, "-I", "-u", str(BEATS), "--", *argv]
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True, limit=LINE_LIMIT
        )
        self._tasks = [asyncio.create_task(each) for each in (self._read(), self._read_says(), self._live())]

    async def call(self, do: str, **fields: Any) -> dict[str, Any]:
        """One command and its answer. Raises Refused, AgentGone."""
        if self.gone.is_set():
            raise AgentGone(self.last_words())
        self._number += 1
        number = self._number
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._write({"id": number, "do": do, **fields})
        try:
            reply = await asyncio.wait_for(answer, COMMAND_LIMIT_S)
        except TimeoutError:
            self.hang_up()  # it heals, and so will its watchdog if it cannot
            raise AgentGone(f"the fault agent did not answer {do} within {COMMAND_LIMIT_S:g} s") from None
        finally:
            self._waiting.pop(number, None)
        if "error" in reply:
            raise Refused(reply["error"])
        done: dict[str, Any] = reply["ok"]
        return done

    def hang_up(self) -> None:
        """No more words: the agent heals everything and ends."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    async def close(self) -> None:
        """Hang up and wait until the agent has healed and ended."""
        self.hang_up()
        if self._process is not None:
            try:
                await asyncio.wait_for(self._process.wait(), END_LIMIT_S)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()  # the agent sees its stdin end all the same
                    await self._process.wait()
        self._end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def last_words(self) -> str:
        """What the agent wrote to its stderr last."""
        return f"the fault agent is gone: {'; '.join(list(self.says)[-3:]) or 'it said nothing'}"

    def _write(self, line: dict[str, Any]) -> None:
        assert self._process is not None and self._process.stdin is not None
        with contextlib.suppress(OSError, RuntimeError):  # its end is noticed by the reader
            self._process.stdin.write(msgspec.json.encode(line) + b"\n")

    async def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        while line := await self._process.stdout.readline():
            reply = msgspec.json.decode(line)
            future = self._waiting.get(reply["id"])
            if future is not None and not future.done():
                future.set_result(reply)
        await asyncio.sleep(0.05)  # its last words come through the other pipe
        self._end()

    async def _read_says(self) -> None:
        assert self._process is not None and self._process.stderr is not None
        while line := await self._process.stderr.readline():
            self.says.append(line.decode(errors="replace").strip())

    async def _live(self) -> None:
        while not self.gone.is_set():
            self._write({"alive_until": time.monotonic() + ALIVE_FOR_S})
            await asyncio.sleep(ALIVE_EVERY_S)

    def _end(self) -> None:
        self.gone.set()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(AgentGone(self.last_words()))
