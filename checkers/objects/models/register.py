"""Register: holds one value; read gives it, write replaces it, cas replaces it where it is the old one.

Kept beside the register's own search (checkers/linearizable), which knows more about registers: this one is the definition that a user's
model begins with, and the second opinion in the tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from checkers.linearizable.operations import freeze, show
from checkers.objects.model import Act, Model
from harness.errors import HistoryError


class Register(Model):
    """read, write. Setting: initial."""

    name: ClassVar[str] = "register"
    fs: ClassVar[frozenset[str]] = frozenset({"read", "write"})
    silent: ClassVar[frozenset[str]] = frozenset({"write", "cas"})
    asks: ClassVar[frozenset[str]] = frozenset({"read"})
    refusals: ClassVar[frozenset[str]] = frozenset({"cas"})

    def __init__(self, initial: Any = None) -> None:
        self.initial = freeze(initial)

    def admit(self, act: Act, where: str) -> None:
        """A cas has two values."""
        if act.f == "cas" and not (isinstance(act.argument, tuple) and act.argument[0] == "[" and len(act.argument) == 3):
            raise HistoryError(f"{where}: cas of {show(act.argument)}", way_out="a cas has [old, new]")

    def step(self, state: Any, act: Act) -> Iterable[Any]:
        """One state or none."""
        if act.f == "read":
            return [state] if act.answers(state) else []
        if act.f == "write":
            return [act.argument]
        _, old, new = act.argument
        if act.failed:
            return [state] if state != old else []
        return [new] if state == old else []

    def reads(self, act: Act) -> bool:
        """Reads, and refused cas."""
        return act.f == "read" or act.failed

    def tells(self, act: Act) -> bool:
        """Reads and cas."""
        return act.f != "write"

    def observes(self, act: Act) -> Iterable[Any]:
        """The value that was read or compared; a refusal may owe itself to any."""
        if act.f == "read":
            return (act.result,)
        if act.failed:
            return (REFUSED,)
        return (act.argument[1],) if act.f == "cas" else ()

    def needless(self, crashed: Act, observed: frozenset[Any]) -> bool:
        """A write of what nobody asks for."""
        return REFUSED not in observed and (crashed.argument if crashed.f == "write" else crashed.argument[2]) not in observed

    def why_not(self, state: Any, act: Act) -> str:
        """What it needs."""
        if act.f == "read":
            return f"it read {show(act.result)}"
        return f"it {'was refused, though it found' if act.failed else 'needs'} {show(act.argument[1])}" if act.f == "cas" else ""


class CasRegister(Register):
    """read, write, cas [old, new]."""

    name: ClassVar[str] = "cas-register"
    fs: ClassVar[frozenset[str]] = frozenset({"read", "write", "cas"})


class _Refused:
    """Observed by a refused cas."""


REFUSED = _Refused()
