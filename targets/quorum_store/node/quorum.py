"""Asking several replicas at once, until enough have answered or the time is over.

Why it exists  both modes are made of this one step; what they ask, and how many answers they want, is all that tells them apart.
Relies on      replicas' requests being idempotent: a replica that gives no answer is asked again until the deadline.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

from .peer import Peer, Unreachable

TRY_S = 0.4  # one question to one replica; then again, on a new connection if it was silent
PAUSE_S = 0.05

Answers = dict[str, Any]  # name of a replica -> its answer


class NoQuorum(Exception):
    """Too few replicas answered in time."""


class Failure(Exception):
    """A request that ends without a result. `definite`: it certainly had no effect."""

    def __init__(self, says: str, definite: bool) -> None:
        super().__init__(says)
        self.definite = definite


class Asking:
    """A question that is under way to several replicas. It goes on after enough have answered, until the deadline."""

    def __init__(self, tasks: dict[str, asyncio.Task[Any]], deadline: float) -> None:
        self.tasks, self.deadline = tasks, deadline

    async def enough(self, need: int) -> Answers:
        """The answers, as soon as `need` are there. Raises: NoQuorum."""
        while True:
            answers = self.answers()
            if len(answers) >= need:
                return answers
            waiting = [task for task in self.tasks.values() if not task.done()]
            left = self.deadline - time.monotonic()
            if len(answers) + len(waiting) < need or left <= 0:  # a disk may hang as well as a peer
                raise NoQuorum(f"{len(answers)} of the {need} replicas needed answered")
            await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)

    async def all(self) -> Answers:
        """Every answer that came before the deadline."""
        await asyncio.wait(list(self.tasks.values()), timeout=max(0.0, self.deadline - time.monotonic()))
        return self.answers()

    def answers(self) -> Answers:
        """Those that are there now."""
        return {name: task.result() for name, task in self.tasks.items() if task.done() and task.result() is not None}

    def stop(self) -> None:
        """Nobody wants the rest."""
        for task in self.tasks.values():
            task.cancel()


class Replicas:
    """This node's own replica and its peers', by name; the own one is asked without a connection."""

    def __init__(self, me: str, local: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]], peers: dict[str, Peer]) -> None:
        self.me, self.local, self.peers = me, local, peers
        self.under_way: set[asyncio.Task[Any]] = set()  # the loop itself holds tasks only weakly

    def ask(self, names: list[str], message: dict[str, Any], deadline: float) -> Asking:
        """Put a question to these replicas, all at once."""
        return Asking({name: self.start(self._until_answered(name, message, deadline)) for name in names}, deadline)

    def start(self, work: Any) -> asyncio.Task[Any]:
        """A task that is kept until it ends."""
        task: asyncio.Task[Any] = asyncio.ensure_future(work)
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)
        return task

    async def _until_answered(self, name: str, message: dict[str, Any], deadline: float) -> dict[str, Any] | None:
        """One replica's answer, or None at the deadline."""
        if name == self.me:
            return await self.local(message)
        while (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(Unreachable):
                answer = await self.peers[name].ask(message, min(TRY_S, left))
                if "error" not in answer:
                    return answer
            await asyncio.sleep(min(PAUSE_S, max(0.0, deadline - time.monotonic())))
        return None


def majority(count: int) -> int:
    """The smallest number such that any two sets of so many have a member in common."""
    return count // 2 + 1
