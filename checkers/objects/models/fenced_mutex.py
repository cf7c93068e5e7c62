"""Fenced mutex: as a mutex, and each acquire gives a fencing token that is greater than all before.

The token is the value of acquire's completion: a whole number, or an object that has it as `token` or `fence`; or the completion's `ext`
has it so. Setting: holder, as of a mutex.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, ClassVar

from checkers.linearizable.operations import freeze, show, thaw
from checkers.objects.model import Act
from checkers.objects.models.mutex import NO, Mutex
from checkers.objects.operations import UNKNOWN, Operation
from harness.errors import HistoryError


class FencedMutex(Mutex):
    """The state is (holder or None, the last token or None)."""

    name: ClassVar[str] = "fenced-mutex"
    initial: Any = (None, None)

    def result_of(self, op: Operation) -> Any:
        """The token, or false."""
        return op.result if op.result == NO else freeze(_token(op.result) if _token(op.result) is not None else _token(op.ext))

    def admit(self, act: Act, where: str) -> None:
        """Each acquire that was granted has its token."""
        if act.f == "acquire" and act.result is not UNKNOWN and act.result != NO and not isinstance(act.result, int):
            raise HistoryError(f"{where}: acquire without a token", way_out="its value (or ext.token) is a whole number; else --as mutex")

    def step(self, state: Any, act: Act) -> Iterable[Any]:
        """One state or none; of a crashed acquire the smallest token that it may have got: it forbids the least."""
        holder, last = state
        after = [*super().step(holder, act)]
        if not after or act.f == "release" or act.result == NO:
            return [(one, last) for one in after]
        if act.result is UNKNOWN:
            return [(after[0], last if last is None else last + 1)]
        return [(after[0], act.result)] if last is None or act.result > last else []

    def part(self, act: Act) -> Hashable:
        """The process, as of a mutex: fewer tokens are rising as well."""
        return super().part(act)

    def state_text(self, state: Any) -> str:
        """`is free, last token 7`"""
        return super().state_text(state[0]) + ("" if state[1] is None else f", last token {state[1]}")

    def why_not(self, state: Any, act: Act) -> str:
        """Who has it, or which token came before."""
        if state[0] is None and act.f == "acquire" and act.result != NO:
            return f"it got token {show(act.result)}, which is not greater than the last one"
        return super().why_not(state[0], act)


def _token(value: Any) -> Any:
    plain = thaw(value) if value is not UNKNOWN else None
    return next((plain[name] for name in ("token", "fence") if name in plain), None) if isinstance(plain, dict) else plain
