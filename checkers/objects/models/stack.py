"""Stack: last in, first out; pop takes the newest element, peek looks at it; both give null where nothing is there.

Values may repeat.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from checkers.objects.model import Act
from checkers.objects.models.containers import Container


class Stack(Container):
    """The state is the tuple of elements, the oldest first."""

    name: ClassVar[str] = "stack"
    names: ClassVar[dict[str, str]] = {"top": "peek"}
    puts: ClassVar[frozenset[str]] = frozenset({"push"})
    takes: ClassVar[frozenset[str]] = frozenset({"pop"})
    peeks: ClassVar[frozenset[str]] = frozenset({"peek"})
    initial: Any = ()

    def step(self, state: Any, act: Act) -> Iterable[Any]:
        """One state or none."""
        if act.f == "push":
            return [(*state, act.argument)]
        if not act.answers(self.next(state, act)):
            return []
        return [state[:-1] if act.f == "pop" else state]

    def next(self, state: Any, act: Act) -> Any:
        """The newest element."""
        return state[-1] if state else None
