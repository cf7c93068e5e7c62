"""Priority queue: poll takes the largest element (or the smallest), peek looks at it; both give null where nothing is there.

Values may repeat; all are numbers, or all are strings.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from itertools import takewhile
from typing import Any, ClassVar

from checkers.linearizable.operations import show, thaw
from checkers.objects.model import Act
from checkers.objects.models.containers import Container
from checkers.objects.operations import UNKNOWN
from harness.errors import HistoryError


class PriorityQueue(Container):
    """The state is the sorted tuple of (rank, value). Setting: smallest_first."""

    name: ClassVar[str] = "priority-queue"
    names: ClassVar[dict[str, str]] = {"enqueue": "insert", "enq": "insert", "add": "insert", "dequeue": "poll", "deq": "poll"}
    puts: ClassVar[frozenset[str]] = frozenset({"insert"})
    takes: ClassVar[frozenset[str]] = frozenset({"poll"})
    peeks: ClassVar[frozenset[str]] = frozenset({"peek"})
    initial: Any = ()

    def __init__(self, smallest_first: bool = False) -> None:
        self.end = 0 if smallest_first else -1
        self.kind: type | None = None

    def admit(self, act: Act, where: str) -> None:
        """Inserted values can be compared."""
        super().admit(act, where)
        if act.f != "insert":
            return
        kind = _kind(act.argument)
        if kind is None or self.kind not in (None, kind):
            raise HistoryError(
                f"{where}: {show(act.argument)} has no rank among the others", way_out="insert numbers alone, or strings alone"
            )
        self.kind = kind

    def step(self, state: Any, act: Act) -> Iterable[Any]:
        """One state or none."""
        if act.f == "insert":
            values = list(state)
            insort(values, (thaw(act.argument), str(act.argument), act.argument), key=lambda item: item[:2])
            return [tuple(values)]
        best = self._best(state)
        if act.result is None or not state:
            return [state] if not state and act.answers(None) else []
        return [state if act.f == "peek" else state[:chosen] + state[chosen + 1 :] for chosen in best if act.answers(state[chosen][2])]

    def _best(self, state: Any) -> list[int]:
        """Where the elements of the first rank stand: 1 and 1.0 are two values of one rank."""
        if not state:
            return []
        first = state[self.end][0]
        places = range(len(state)) if self.end == 0 else range(len(state) - 1, -1, -1)
        return [*takewhile(lambda at: state[at][0] == first, places)]

    def next(self, state: Any, act: Act) -> Any:
        """An element of the first rank."""
        return state[self.end][2] if state else None

    def in_the_way(self, state: Any, wanted: Act) -> bool:
        """1 and 1.0 are of one rank: either may come first."""
        return not any(wanted.answers(state[at][2]) for at in self._best(state)) if state else wanted.result is not None

    def state_text(self, state: Any) -> str:
        """`holds [1, 2]`"""
        return super().state_text(tuple(item[2] for item in state))

    def commute(self, one: Act, other: Act) -> bool:
        """Inserts; equal polls; and what is put in behind what is got."""
        if one.f == other.f:
            return one.f == "insert" or one.result == other.result is not UNKNOWN
        put, got = (one, other) if one.f == "insert" else (other, one)
        if put.f != "insert" or got.result is UNKNOWN or got.result is None:
            return False
        low, high = (got.result, put.argument) if self.end == 0 else (put.argument, got.result)
        return _kind(low) == _kind(high) is not None and bool(thaw(low) < thaw(high))


def _kind(value: Any) -> type | None:
    """What it can be compared with: float for numbers, str; None if it has no rank."""
    plain = thaw(value)
    return str if isinstance(plain, str) else float if isinstance(plain, int | float) and not isinstance(plain, bool) else None
