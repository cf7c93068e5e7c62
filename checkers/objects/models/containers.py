"""What queues, stacks and their like have in common: values go in, come out, and null says that nothing is there.

Why it exists  which acts are only reads, which crashed ops can be of no use, and what may be left out is the same for all of them.
Relies on      no container ever asking for an element to be present before another one may be taken out, put in or looked at, beyond what
               it gives back itself: a legal series stays legal when all acts on some values are left out.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, ClassVar

from checkers.linearizable.operations import show
from checkers.objects.model import ANY_PART, Act, Model
from checkers.objects.operations import UNKNOWN
from harness.errors import HistoryError


class Container(Model):
    """`puts`, `takes` and `peeks` are f; take and peek give the value, or null where nothing is there."""

    puts: ClassVar[frozenset[str]]
    takes: ClassVar[frozenset[str]]
    peeks: ClassVar[frozenset[str]] = frozenset()
    one_end: ClassVar[bool] = True  # whether what is put in can be got at once, unless something that ranks before it is there

    def __init_subclass__(cls) -> None:
        cls.fs = cls.puts | cls.takes | cls.peeks
        cls.silent, cls.asks = cls.puts, cls.takes | cls.peeks

    def admit(self, act: Act, where: str) -> None:
        """A put has a value."""
        if act.f in self.puts and act.argument is None:
            raise HistoryError(f"{where}: {act.f} of null, which says that a {self.name} is empty", way_out="give each element a value")

    def reads(self, act: Act) -> bool:
        """A peek, and a take that found nothing."""
        return act.f in self.peeks or (act.f in self.takes and act.result is None)

    def observes(self, act: Act) -> Iterable[Any]:
        """The values that were got."""
        return () if act.f in self.puts or act.result is UNKNOWN else (act.result,)

    def needless(self, crashed: Act, observed: frozenset[Any]) -> bool:
        """A put of what nobody ever got: left out with the crashed take that may have removed it, all others stay legal."""
        return crashed.f in self.puts and crashed.argument not in observed

    def helps(self, state: Any, crashed: Act, wanted: Act) -> bool:
        """Where what is put in can be got at once: a put of what is wanted, or a take of what is there instead.

        Until somebody gets the element, a crashed put can wait; until somebody gets what is under the element, a crashed take can: it is
        the first one then, in whose way it is. An element too many forbids nothing else.
        """
        if not self.one_end:
            return True
        if wanted.f in self.puts or not self.in_the_way(state, wanted):
            return False
        return crashed.f in self.takes or bool(crashed.argument == wanted.result)

    def in_the_way(self, state: Any, wanted: Act) -> bool:
        """Whether something else than what is wanted comes first, or nothing does."""
        return not wanted.answers(self.next(state, wanted))

    def part(self, act: Act) -> Hashable:
        """The value; an empty container stays empty whatever was left out."""
        value = act.argument if act.f in self.puts else act.result
        return ANY_PART if value is None or value is UNKNOWN else ("value", value)

    def state_text(self, state: Any) -> str:
        """`holds [1, 2]`"""
        return f"holds {show(('[', *state))}" if state else "is empty"

    def why_not(self, state: Any, act: Act) -> str:
        """What is there instead of what was got."""
        if act.f in self.puts:
            return ""
        there = self.next(state, act)
        seen = "nothing" if act.result is None else show(act.result)
        return f"it got {seen}, and {'nothing is there' if there is None else f'{show(there)} comes first'}"

    def next(self, state: Any, act: Act) -> Any:
        """What a take or a peek gets in the state; null if nothing is there."""
        raise NotImplementedError
