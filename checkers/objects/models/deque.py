"""Deque: elements are pushed to, popped from and looked at on both ends; pop and peek give null where nothing is there.

Values may repeat.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from checkers.objects.model import Act
from checkers.objects.models.containers import Container
from checkers.objects.operations import UNKNOWN


class Deque(Container):
    """The state is the tuple of elements from front to back."""

    name: ClassVar[str] = "deque"
    puts: ClassVar[frozenset[str]] = frozenset({"push_front", "push_back"})
    takes: ClassVar[frozenset[str]] = frozenset({"pop_front", "pop_back"})
    peeks: ClassVar[frozenset[str]] = frozenset({"peek_front", "peek_back"})
    names: ClassVar[dict[str, str]] = {f"{verb}-{end}": f"{verb}_{end}" for verb in ("push", "pop", "peek") for end in ("front", "back")}
    one_end: ClassVar[bool] = False
    initial: Any = ()

    def step(self, state: Any, act: Act) -> Iterable[Any]:
        """One state or none."""
        if act.f == "push_front":
            return [(act.argument, *state)]
        if act.f == "push_back":
            return [(*state, act.argument)]
        if not act.answers(self.next(state, act)):
            return []
        if act.f in self.peeks:
            return [state]
        return [state[1:] if act.f == "pop_front" else state[:-1]]

    def next(self, state: Any, act: Act) -> Any:
        """The element at that end."""
        return state[0 if act.f.endswith("front") else -1] if state else None

    def commute(self, one: Act, other: Act) -> bool:
        """On different ends: pushes; a push, and getting another value; known values that are got, unless one is a peek at the other."""
        (what, end), (another, other_end) = one.f.split("_"), other.f.split("_")
        if end == other_end:
            return one == other and what == "pop" and one.result is not UNKNOWN
        if what == another == "push":
            return True
        values = [act.argument if act.f in self.puts else act.result for act in (one, other)]
        if None in values or UNKNOWN in values:
            return False
        return what == another == "pop" or values[0] != values[1]
