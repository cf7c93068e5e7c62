"""Set: add and remove an element, ask whether it is there (contains), read all elements.

add and remove may say whether they changed anything (completion value true or false, or [element, true or false]); any other value is no
answer (often the element).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, ClassVar

from checkers.linearizable.operations import freeze, show
from checkers.objects.model import Act, Model
from checkers.objects.operations import UNKNOWN, Operation
from harness.errors import HistoryError

YES, NO = freeze(True), freeze(False)
ALL = "all"  # observed by a read of all elements: which are not there


class Set(Model):
    """The state is the set of elements."""

    name: ClassVar[str] = "set"
    names: ClassVar[dict[str, str]] = {"insert": "add", "delete": "remove", "member": "contains"}
    fs: ClassVar[frozenset[str]] = frozenset({"add", "remove", "contains", "read"})
    asks: ClassVar[frozenset[str]] = frozenset({"read"})
    initial: Any = frozenset()

    def result_of(self, op: Operation) -> Any:
        """Of add and remove only true and false are answers; with the element beside it, as text files have it, or alone."""
        result = op.result
        if op.f != "read" and isinstance(result, tuple) and result[:1] == ("[",) and result[1:] in ((op.argument, YES), (op.argument, NO)):
            return result[2]
        return result if op.f in ("contains", "read") or result in (YES, NO) else UNKNOWN

    def admit(self, act: Act, where: str) -> None:
        """contains answers true or false, read gives a list."""
        if act.result is UNKNOWN:
            return
        if act.f == "contains" and act.result not in (YES, NO):
            raise HistoryError(f"{where}: contains answered {show(act.result)}", way_out="its completion's value is true or false")
        if act.f == "read" and not (isinstance(act.result, tuple) and act.result[0] == "["):
            raise HistoryError(f"{where}: read gave {show(act.result)}", way_out="its completion's value is the list of all elements")

    def step(self, state: Any, act: Act) -> Iterable[Any]:
        """One state or none."""
        if act.f == "read":
            return [state] if act.result is UNKNOWN or (len(act.result) - 1 == len(state) and state == {*act.result[1:]}) else []
        there = act.argument in state
        if act.f == "contains":
            return [state] if act.answers(YES if there else NO) else []
        if not act.answers(YES if there == (act.f == "remove") else NO):
            return []
        return [state | {act.argument} if act.f == "add" else state - {act.argument}]

    def reads(self, act: Act) -> bool:
        """contains, read, and what says that it changed nothing."""
        return act.f in ("contains", "read") or act.result == NO

    def commute(self, one: Act, other: Act) -> bool:
        """Of different elements; and two that say nothing of the same kind."""
        if "read" in (one.f, other.f):
            return False
        return one.argument != other.argument or (one.f == other.f and one.result is UNKNOWN is other.result)

    def observes(self, act: Act) -> Iterable[Any]:
        """Elements of which somebody may tell whether they were there."""
        if act.f == "read":
            return () if act.result is UNKNOWN else (ALL, *((element,) for element in act.result[1:]))
        return () if act.result is UNKNOWN else ((act.argument,),)

    def needless(self, crashed: Act, observed: frozenset[Any]) -> bool:
        """Of an element that nobody tells of: for an add, nobody who saw it; for a remove, nobody who could have missed it."""
        return (crashed.argument,) not in observed and (crashed.f == "add" or ALL not in observed)

    def helps(self, state: Any, crashed: Act, wanted: Act) -> bool:
        """What brings the element to where it is wanted."""
        if wanted.result is UNKNOWN:
            return False
        if wanted.f != "read":
            return bool(crashed.argument == wanted.argument)
        there = crashed.argument in wanted.result[1:]
        return there == (crashed.f == "add") and there != (crashed.argument in state)

    def split(self, acts: Sequence[Act]) -> Sequence[Hashable] | None:
        """Each element is an object of its own, unless somebody read them all."""
        return None if any(act.f == "read" for act in acts) else [("element", act.argument) for act in acts]

    def part(self, act: Act) -> Hashable:
        """The element."""
        return None if act.f == "read" else ("element", act.argument)

    def state_text(self, state: Any) -> str:
        """`holds [1, 2]`"""
        return f"holds {show(('[', *sorted(state, key=repr)))}" if state else "is empty"

    def why_not(self, state: Any, act: Act) -> str:
        """What is there, or is not."""
        if act.f == "read":
            missing = sorted(state - {*act.result[1:]}, key=repr)
            extra = [element for element in act.result[1:] if element not in state]
            twice = len(act.result) - 1 > len({*act.result[1:]})
            wrong = [f"it misses {', '.join(map(show, missing[:5]))}"] if missing else []
            wrong += [f"it has {', '.join(map(show, extra[:5]))}, which is not there"] if extra else []
            return " and ".join([*wrong, *(["it has an element twice"] if twice else [])])
        return f"it answered {show(act.result)}, but {show(act.argument)} {'is' if act.argument in state else 'is not'} there"
