"""Queue: first in, first out; dequeue takes the oldest element, peek looks at it; both give null where nothing is there.

Values may repeat.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from checkers.objects.fifo import search_queue
from checkers.objects.model import Act
from checkers.objects.models.containers import Container
from checkers.objects.operations import UNKNOWN


class Queue(Container):
    """The state is the tuple of elements, the oldest first."""

    name: ClassVar[str] = "queue"
    names: ClassVar[dict[str, str]] = {"enq": "enqueue", "offer": "enqueue", "deq": "dequeue", "poll": "dequeue"}
    puts: ClassVar[frozenset[str]] = frozenset({"enqueue"})
    takes: ClassVar[frozenset[str]] = frozenset({"dequeue"})
    peeks: ClassVar[frozenset[str]] = frozenset({"peek"})
    one_end: ClassVar[bool] = False
    initial: Any = ()
    own_search: ClassVar[Any] = staticmethod(search_queue)

    def step(self, state: Any, act: Act) -> Iterable[Any]:
        """One state or none."""
        if act.f == "enqueue":
            return [(*state, act.argument)]
        if not act.answers(self.next(state, act)):
            return []
        return [state[1:] if act.f == "dequeue" else state]

    def next(self, state: Any, act: Act) -> Any:
        """The oldest element."""
        return state[0] if state else None

    def commute(self, one: Act, other: Act) -> bool:
        """An enqueue, and getting another value; two equal dequeues."""
        if one.f == other.f:
            return one.f == "dequeue" and one.result == other.result is not UNKNOWN
        put, got = (one, other) if one.f == "enqueue" else (other, one)
        return put.f == "enqueue" and got.result not in (UNKNOWN, None, put.argument)
