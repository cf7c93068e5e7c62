"""Atomic registers by majorities: linearizable whatever is cut, paused, killed or skewed; without a majority it answers nothing.

Why it exists  the cure for last write wins: the same store, the same faults, no anomaly.
Relies on      Attiya, Bar-Noy & Dolev 1995; for several writers Lynch & Shvartsman 1997. Any two majorities share a replica, and a
               replica answers only from what is on its disk.

Why it is linearizable, in the order of tags:
write  asks a majority for their tags, then stores the value under a greater, unused one at a majority. A write that began after another
       ended sees that one's tag, or a greater one, and goes beyond it. Tags are unique (replica.py), so the order is total.
read   takes the greatest tag of a majority, and answers only when a majority holds it: those that said so (they answered from disk) and
       those that it was written back to. So a later read, and a later write, sees that tag or a greater one.
Requests that arrive late change nothing: a replica keeps the greatest tag. Tags are logical: no clock has a say.

A write that found no majority in its first phase stored nothing anywhere and says so; in its second phase it may still take effect.
"""

from __future__ import annotations

import json
from typing import Any

from .quorum import Failure, NoQuorum, Replicas, majority
from .replica import Replica


class Atomic:
    """Coordinates requests by majorities."""

    def __init__(self, replica: Replica, replicas: Replicas) -> None:
        self.replica, self.replicas = replica, replicas

    async def write(self, names: list[str], key: str, value: Any, deadline: float) -> None:
        """Return when a majority has the value, or one that overwrote it."""
        greatest, _, _ = await self._newest(names, key, deadline)
        tag = self.replica.new_tag(greatest[0] + 1)
        await self._store(names, 0, {"op": "put", "key": key, "tag": tag, "value": value}, deadline)

    async def read(self, names: list[str], key: str, deadline: float) -> Any:
        """The newest value, which a majority holds when this returns."""
        tag, value, holders = await self._newest(names, key, deadline)
        others = [name for name in names if name not in holders]
        try:
            await self._store(others, len(holders), {"op": "put", "key": key, "tag": tag, "value": value}, deadline, of=len(names))
        except Failure as failure:
            raise Failure(str(failure), definite=True) from None  # a read changes nothing that could be seen
        return value

    async def _newest(self, names: list[str], key: str, deadline: float) -> tuple[tuple[Any, ...], Any, set[str]]:
        """The greatest tag of a majority, its value, and who holds it. Nothing is stored: failing here is definite."""
        asking = self.replicas.ask(names, {"op": "get", "key": key}, deadline)
        try:
            answers = await asking.enough(majority(len(names)))
        except NoQuorum as error:
            raise Failure(f"no majority, nothing was stored: {error}", definite=True) from None
        finally:
            asking.stop()
        tags = {name: tuple(answer["tag"]) for name, answer in answers.items()}
        greatest = max(tags.values())
        holders = {name for name, tag in tags.items() if tag == greatest}
        return greatest, answers[min(holders)]["value"], holders

    async def _store(self, names: list[str], stored: int, message: dict[str, Any], deadline: float, of: int = 0) -> None:
        """Return when a majority holds it, counting those that do already."""
        need = majority(of or len(names)) - stored
        if need <= 0:
            return
        try:
            await self.replicas.ask(names, message, deadline).enough(need)
        except NoQuorum as error:
            raise Failure(f"timed out, it may still take effect: {error}, {stored} more had it", definite=False) from None

    async def add(self, names: list[str], name: str, element: Any, deadline: float) -> None:
        """Return when a majority has the element."""
        await self._store(names, 0, {"op": "merge", "name": name, "elements": [element]}, deadline)

    async def elements(self, names: list[str], name: str, deadline: float) -> list[Any]:
        """A set that a whole majority held, element for element: each replica's set only grows, so two such sets are never crosswise."""
        while True:
            asking = self.replicas.ask(names, {"op": "held", "name": name}, deadline)
            try:
                answers = await asking.enough(majority(len(names)))
            except NoQuorum as error:
                raise Failure(f"no majority: {error}", definite=True) from None
            finally:
                asking.stop()
            held = {who: {json.dumps(element): element for element in answer["elements"]} for who, answer in answers.items()}
            union = {text: element for elements in held.values() for text, element in elements.items()}
            if sum(len(elements) == len(union) for elements in held.values()) >= majority(len(names)):
                return list(union.values())
            try:
                await self._store(names, 0, {"op": "merge", "name": name, "elements": list(union.values())}, deadline)
            except Failure as failure:
                raise Failure(str(failure), definite=True) from None
