"""Counter: add a number, increment, decrement, read; linearizable (bounds for eventually consistent ones are another checker).

add, increment and decrement say nothing; add-and-get answers the new value, get-and-add the old one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from checkers.linearizable.operations import show
from checkers.objects.model import Act, Model, whole_number
from checkers.objects.operations import UNKNOWN
from harness.errors import UsageError


class Counter(Model):
    """The state is the count. Setting: initial."""

    name: ClassVar[str] = "counter"
    names: ClassVar[dict[str, str]] = {"inc": "increment", "incr": "increment", "dec": "decrement", "decr": "decrement", "sub": "subtract"}
    fs: ClassVar[frozenset[str]] = frozenset({"add", "subtract", "increment", "decrement", "add-and-get", "get-and-add", "read"})
    silent: ClassVar[frozenset[str]] = frozenset({"add", "subtract", "increment", "decrement"})
    asks: ClassVar[frozenset[str]] = frozenset({"read"})

    def __init__(self, initial: int = 0) -> None:
        if type(initial) is not int:
            raise UsageError(f"initial is {initial!r}", way_out="give the number that the counter starts with: -o initial=0")
        self.initial = initial

    def admit(self, act: Act, where: str) -> None:
        """Whole numbers."""
        if act.f != "read" and not (act.argument is None and act.f in ("increment", "decrement")):
            whole_number(act.argument, where, f"what {act.f} adds")
        if act.result is not UNKNOWN:
            whole_number(act.result, where, f"what {act.f} answered")

    def step(self, state: Any, act: Act) -> Iterable[Any]:
        """One state or none."""
        after = state + amount(act)
        if act.f in ("add-and-get", "get-and-add", "read"):
            return [after] if act.answers(after if act.f == "add-and-get" else state) else []
        return [after]

    def canonical(self, act: Act) -> Act:
        """All that says nothing adds."""
        known = act.f != "read" and (isinstance(act.argument, int) or (act.argument is None and act.f in ("increment", "decrement")))
        return act._replace(f="add", argument=amount(act)) if known else act

    def reads(self, act: Act) -> bool:
        """read, and adding nothing."""
        return amount(act) == 0

    def commute(self, one: Act, other: Act) -> bool:
        """Those that say nothing."""
        return one.result is UNKNOWN is other.result and "read" not in (one.f, other.f)

    def helps(self, state: Any, crashed: Act, wanted: Act) -> bool:
        """What moves the count towards where it is wanted: of several, one that does can come first."""
        if wanted.result is UNKNOWN:
            return False
        distance = wanted.result - state - (amount(wanted) if wanted.f == "add-and-get" else 0)
        return bool(distance * amount(crashed) > 0)

    def why_not(self, state: Any, act: Act) -> str:
        """What it needs."""
        return f"it answered {show(act.result)}"


def amount(act: Act) -> int:
    """What an act adds."""
    if act.f == "read":
        return 0
    number = 1 if act.argument is None else int(act.argument)
    return -number if act.f in ("decrement", "subtract") else number
