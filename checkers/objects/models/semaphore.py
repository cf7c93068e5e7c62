"""Semaphore: acquire (decr) takes permits if there are enough, release (incr) gives some back; there may become more than at the start.

An acquire that completes ok with false or 0 was told that there are not enough. `acquire` and `release` are about as many permits as their
value says (null: one), and the setting `permits` says how many there are at the start; `decr` and `incr` are about one, counting from 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from checkers.linearizable.operations import freeze
from checkers.objects.model import Act, Model, whole_number
from checkers.objects.operations import UNKNOWN, Operation
from harness.errors import HistoryError, UsageError

NO = freeze(False)
ONES = frozenset({"decr", "incr"})


class Semaphore(Model):
    """The state is how many permits there are. Setting: permits."""

    name: ClassVar[str] = "semaphore"
    names: ClassVar[dict[str, str]] = {"DECR": "decr", "INCR": "incr", "down": "decr", "up": "incr"}
    fs: ClassVar[frozenset[str]] = frozenset({"acquire", "release", "decr", "incr"})
    silent: ClassVar[frozenset[str]] = frozenset({"release", "incr"})

    def __init__(self, permits: int | None = None) -> None:
        if permits is not None and (isinstance(permits, bool) or not isinstance(permits, int) or permits < 0):
            raise UsageError(f"permits = {permits!r}", way_out="give how many permits there are at the start, 0 or more")
        self.permits, self.initial = permits, permits or 0

    def result_of(self, op: Operation) -> Any:
        """Of an acquire: NO if it was told so, else UNKNOWN."""
        return NO if op.result in (NO, 0) else UNKNOWN

    def admit(self, act: Act, where: str) -> None:
        """A number of permits, and how many there are at the start."""
        if act.f in ONES:
            return
        if self.permits is None:
            raise HistoryError(f"{where}: nobody says how many permits there are", way_out="say it: -o permits=N")
        if act.argument is not None:
            whole_number(act.argument, where, "the number of permits")
            if act.argument < 1:
                raise HistoryError(f"{where}: {act.f} of {act.argument} permits", way_out="one or more, or null for one")

    def step(self, state: Any, act: Act) -> Iterable[Any]:
        """One state or none; a crashed acquire took them if it happened."""
        many = amount(act)
        if act.f in ("release", "incr"):
            return [state + many]
        if act.result == NO:
            return [state] if state < many else []
        return [state - many] if state >= many else []

    def reads(self, act: Act) -> bool:
        """An acquire that was told no."""
        return bool(act.result == NO)

    def tells(self, act: Act) -> bool:
        """Who got permits, or none."""
        return act.f in ("acquire", "decr")

    def commute(self, one: Act, other: Act) -> bool:
        """What gives back; what was granted."""
        if NO in (one.result, other.result):
            return False
        return (one.f in ("release", "incr")) == (other.f in ("release", "incr"))

    def helps(self, state: Any, crashed: Act, wanted: Act) -> bool:
        """More permits help who gets some; giving back needs no help."""
        if wanted.f in ("release", "incr"):
            return False
        return wanted.result == NO or crashed.f in ("release", "incr")

    def state_text(self, state: Any) -> str:
        """`has 2 permits`"""
        return f"has {state} permit{'' if state == 1 else 's'}"

    def why_not(self, state: Any, act: Act) -> str:
        """How many it needs."""
        return f"it was told that there are not {amount(act)}" if act.result == NO else f"it needs {amount(act)}"


def amount(act: Act) -> int:
    """How many permits an act is about."""
    return 1 if act.f in ONES or act.argument is None else int(act.argument)
