"""Unordered queue (a bag): dequeue takes any element; null says that nothing is there. Values may repeat."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, ClassVar

from checkers.objects.model import Act
from checkers.objects.models.containers import Container
from checkers.objects.operations import UNKNOWN


class UnorderedQueue(Container):
    """The state is the set of (value, how many)."""

    name: ClassVar[str] = "unordered-queue"
    names: ClassVar[dict[str, str]] = {"enq": "enqueue", "deq": "dequeue", "add": "enqueue", "remove": "dequeue"}
    puts: ClassVar[frozenset[str]] = frozenset({"enqueue"})
    takes: ClassVar[frozenset[str]] = frozenset({"dequeue"})
    initial: Any = frozenset()

    def step(self, state: Any, act: Act) -> Iterable[Any]:
        """As many states as there are different values, for a dequeue of unknown result; else one or none."""
        counts = dict(state)
        if act.f == "enqueue":
            counts[act.argument] = counts.get(act.argument, 0) + 1
            return [frozenset(counts.items())]
        if not counts:
            return [state] if act.answers(None) else []
        if act.result is UNKNOWN:
            return [_without(counts, value) for value in counts]
        return [_without(counts, act.result)] if act.result in counts else []

    def commute(self, one: Act, other: Act) -> bool:
        """Unless one may take what the other puts in, or sees whether anything is there."""
        if one.f == other.f == "enqueue":
            return True
        values = [act.argument if act.f == "enqueue" else act.result for act in (one, other)]
        return None not in values and UNKNOWN not in values and (values[0] != values[1] or one.f == other.f)

    def needless(self, crashed: Act, observed: frozenset[Any]) -> bool:
        """Also a dequeue, if nobody ever found nothing: an element too many forbids nothing else."""
        return super().needless(crashed, observed) or (crashed.f == "dequeue" and None not in observed)

    def in_the_way(self, state: Any, wanted: Act) -> bool:
        """Anything, where nothing is wanted; else what is wanted is there or not."""
        return bool(state) if wanted.result is None else wanted.result not in dict(state)

    def split(self, acts: Sequence[Act]) -> Sequence[Hashable] | None:
        """Each value is an object of its own, if nobody found nothing and no element of unknown value was taken out for it."""
        if any(act.f == "dequeue" and act.result is None for act in acts):
            return None
        return [("value", act.argument if act.f == "enqueue" else act.result) for act in acts]

    def why_not(self, state: Any, act: Act) -> str:
        """What is there instead."""
        if act.f == "enqueue":
            return ""
        return f"it got {'nothing, but something is there' if act.result is None else 'an element that is not there'}"

    def state_text(self, state: Any) -> str:
        """`holds [1, 1, 2]`"""
        return super().state_text(tuple(value for value, count in sorted(state, key=repr) for _ in range(count)))


def _without(counts: dict[Any, int], value: Any) -> frozenset[tuple[Any, int]]:
    return frozenset((other, count - (other == value)) for other, count in counts.items() if count > (other == value))
