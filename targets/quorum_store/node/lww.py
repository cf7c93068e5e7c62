"""Last write wins: as many replicas as the request says, stamps of the coordinator's wall clock.

Why it exists  the pattern of Dynamo and its children, with the anomalies that it has: with R + W <= N a read may miss a write that was
               acknowledged; and whatever N, R, W are, a write is lost when the clock of an earlier one's coordinator was ahead.
Relies on      time.time(), on purpose. Replicas that answered a read with something old are repaired behind it; nothing else brings
               replicas together, so what is never read again may stay different.
"""

from __future__ import annotations

import json
import time
from typing import Any

from .quorum import Asking, Failure, NoQuorum, Replicas
from .replica import Replica

REPAIR_S = 1.0


class LastWriteWins:
    """Coordinates requests by N, R and W."""

    def __init__(self, replica: Replica, replicas: Replicas) -> None:
        self.replica, self.replicas = replica, replicas

    async def write(self, names: list[str], key: str, value: Any, w: int, deadline: float) -> None:
        """Return when w replicas have the value, or a newer one."""
        tag = self.replica.new_tag(int(time.time() * 1_000_000))
        await self._acknowledged(self.replicas.ask(names, {"op": "put", "key": key, "tag": tag, "value": value}, deadline), w)

    async def read(self, names: list[str], key: str, r: int, deadline: float) -> Any:
        """The newest value of the first r replicas that answer."""
        asking = self.replicas.ask(names, {"op": "get", "key": key}, deadline)
        newest = max((await self._answers(asking, r)).values(), key=_tag)
        self.replicas.start(self._repair(asking, key))
        return newest["value"]

    async def add(self, names: list[str], name: str, element: Any, w: int, deadline: float) -> None:
        """Return when w replicas have the element."""
        await self._acknowledged(self.replicas.ask(names, {"op": "merge", "name": name, "elements": [element]}, deadline), w)

    async def elements(self, names: list[str], name: str, r: int, deadline: float) -> list[Any]:
        """The union of what the first r replicas hold."""
        asking = self.replicas.ask(names, {"op": "held", "name": name}, deadline)
        answers = await self._answers(asking, r)
        asking.stop()
        return list({json.dumps(element): element for answer in answers.values() for element in answer["elements"]}.values())

    async def _acknowledged(self, asking: Asking, w: int) -> None:
        """The others go on in the background until the deadline."""
        try:
            await asking.enough(w)
        except NoQuorum as error:
            raise Failure(f"timed out, it may still take effect: {error}", definite=False) from None

    async def _answers(self, asking: Asking, r: int) -> dict[str, Any]:
        try:
            return await asking.enough(r)
        except NoQuorum as error:
            raise Failure(f"timed out: {error}", definite=True) from None

    async def _repair(self, asking: Asking, key: str) -> None:
        """Give the newest value of all answers to those that answered with an older one."""
        answers = await asking.all()
        if not answers:
            return
        newest = max(answers.values(), key=_tag)
        stale = [name for name, answer in answers.items() if _tag(answer) < _tag(newest)]
        if stale:
            message = {"op": "put", "key": key, "tag": newest["tag"], "value": newest["value"]}
            self.replicas.ask(stale, message, time.monotonic() + REPAIR_S)


def _tag(answer: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(answer["tag"])
