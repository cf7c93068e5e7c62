"""Mutex: acquire takes it if nobody has it, release gives it back; who holds it may not acquire it again.

An acquire that completes ok with false was told that somebody has it. Setting: holder = process (only who holds it may release it) or
anyone (whoever releases it, it is free).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, ClassVar

from checkers.linearizable.operations import freeze
from checkers.objects.model import Act, Model
from checkers.objects.operations import UNKNOWN, Operation
from harness.errors import UsageError

NO = freeze(False)


class Mutex(Model):
    """The state is who holds it: None, or the process (True where anyone may release it)."""

    name: ClassVar[str] = "mutex"
    names: ClassVar[dict[str, str]] = {"lock": "acquire", "unlock": "release"}
    fs: ClassVar[frozenset[str]] = frozenset({"acquire", "release"})
    silent: ClassVar[frozenset[str]] = frozenset({"release"})
    asks: ClassVar[frozenset[str]] = frozenset({"acquire", "release"})
    initial: Any = None

    def __init__(self, holder: str = "process") -> None:
        if holder not in ("process", "anyone"):
            raise UsageError(f"holder = {holder!r}", way_out="process: only who holds it may release it; or anyone")
        self.by_process = holder == "process"  # type: ignore[misc]

    def result_of(self, op: Operation) -> Any:
        """Only false is an answer."""
        return NO if op.result == NO else UNKNOWN

    def step(self, state: Any, act: Act) -> Iterable[Any]:
        """One state or none."""
        who = act.process if self.by_process else True
        if act.f == "release":
            return [None] if state == who else []
        if act.result == NO:
            return [state] if state is not None else []
        return [who] if state is None else []

    def reads(self, act: Act) -> bool:
        """An acquire that was told no."""
        return bool(act.result == NO)

    def tells(self, act: Act) -> bool:
        """Each of them depends on who has it."""
        return True

    def part(self, act: Act) -> Hashable:
        """The process: in a legal series nobody acts between its acquire and its release."""
        return ("process", act.process) if self.by_process and act.result != NO else None

    def state_text(self, state: Any) -> str:
        """`is free`"""
        return "is free" if state is None else f"is held by process {state}" if self.by_process else "is held"

    def why_not(self, state: Any, act: Act) -> str:
        """Who has it."""
        if act.f == "release":
            return "it is not held" if state is None else "another one holds it"
        return "it was told that somebody has it" if act.result == NO else "it must be free"
