"""What one node holds: registers, each value under a tag, and grow-only sets. The same for every mode.

Why it exists  a replica decides nothing: it keeps the value with the greatest tag and every element, and answers from what is on disk.
Relies on      tags being totally ordered and never used twice: (number, node, epoch, serial). `epoch` counts the node's starts, on disk
               before anything is served; `serial` counts within one. So two writes that one node coordinates at the same time, or
               before and after a crash, can never carry the same tag, whatever their numbers are.
"""

from __future__ import annotations

import json
import os
from typing import Any

from .durable import Log

Tag = tuple[int, str, int, int]  # (number, node, epoch, serial)
ZERO: Tag = (0, "", 0, 0)


class Replica:
    """Registers and sets of one node, behind its log."""

    def __init__(self, node: str, folder: str) -> None:
        self.node = node
        self.registers: dict[str, tuple[Tag, Any]] = {}
        self.sets: dict[str, dict[str, Any]] = {}  # set -> JSON text -> element: 1, 1.0 and true are three elements
        self.epoch = self.serial = 0
        self.log = Log(os.path.join(folder, "log"), self._apply)

    def recover(self) -> str:
        """Read the log, begin a new epoch; what was found, in words."""
        entries, torn = self.log.recover()
        self.log.append_now(["epoch", self.epoch + 1])
        cut = f", a torn tail of {torn} bytes cut off" if torn else ""
        return f"{entries} entries recovered{cut}, epoch {self.epoch}"

    def new_tag(self, number: int) -> Tag:
        """A tag that was never used before."""
        self.serial += 1
        return number, self.node, self.epoch, self.serial

    def get(self, key: str) -> tuple[Tag, Any]:
        """A register's tag and value; (ZERO, None) if it was never written."""
        return self.registers.get(key, (ZERO, None))

    async def put(self, key: str, tag: Tag, value: Any) -> None:
        """Return when a value with this tag, or a greater one, is on disk."""
        if tag > self.get(key)[0]:
            await self.log.append(["put", key, tag, value])

    def elements(self, name: str) -> list[Any]:
        """The elements of a set."""
        return list(self.sets.get(name, {}).values())

    async def add(self, name: str, elements: list[Any]) -> None:
        """Return when all of these elements are on disk."""
        held = self.sets.get(name, {})
        missing = [element for element in elements if json.dumps(element) not in held]
        if missing:
            await self.log.append(["add", name, missing])

    def dump(self, prefix: str) -> dict[str, Any]:
        """Everything under a prefix: register -> value, set -> elements."""
        held = {key: value for key, (_, value) in self.registers.items() if key.startswith(prefix)}
        held.update({name: list(elements.values()) for name, elements in self.sets.items() if name.startswith(prefix)})
        return held

    def _apply(self, entry: list[Any]) -> None:
        if entry[0] == "put":
            _, key, tag, value = entry
            if tuple(tag) > self.get(key)[0]:
                self.registers[key] = (tuple(tag), value)
        elif entry[0] == "add":
            self.sets.setdefault(entry[1], {}).update({json.dumps(element): element for element in entry[2]})
        else:
            self.epoch = entry[1]
