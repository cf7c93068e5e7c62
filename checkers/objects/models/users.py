"""A user's model: any class with `initial` and `step(state, act)`, from a file of theirs.

Why it exists  `splitbrain check FILE --as ./my_model.py:Class` judges objects that we know nothing of.
Relies on      nothing but these two; `reads` is used if it is there.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from checkers.linearizable.operations import show
from checkers.objects.model import Act, Model
from harness.errors import UsageError


class UsersModel(Model):
    """Values come as plain JSON: lists are lists. Class attributes of Model (`names`, `fs`, `silent`, ...) are taken over."""

    typed: ClassVar[bool] = False

    def __init__(self, name: str, made: type, settings: Mapping[str, Any]) -> None:
        try:
            theirs = made(**settings)
        except Exception as error:  # a user's class may fail in any way
            line = next((frame.lineno for frame in reversed(traceback.extract_tb(error.__traceback__))), 0)
            raise UsageError(
                f"the model {name} cannot be made: {type(error).__name__}: {error} (line {line})", way_out="mend the model"
            ) from error
        if not hasattr(theirs, "initial"):
            raise UsageError(f"the model {name} has no `initial`", way_out="give the state that the object has at the start")
        self.theirs, self.initial = theirs, theirs.initial
        self.by_process = bool(getattr(theirs, "by_process", False))  # type: ignore[misc]
        self.by_ext = True  # type: ignore[misc]
        self.name = name  # type: ignore[misc]
        for attribute in ("fs", "silent", "asks", "refusals"):
            setattr(self, attribute, frozenset(getattr(theirs, attribute, ())))
        self.names = dict(getattr(theirs, "names", {}))  # type: ignore[misc]

    def step(self, state: Any, act: Act) -> Iterable[Any] | None:
        """Theirs."""
        after: Iterable[Any] | None = self.theirs.step(state, act)
        return after

    def reads(self, act: Act) -> bool:
        """Theirs, if there is one."""
        return bool(getattr(self.theirs, "reads", super().reads)(act))

    def state_text(self, state: Any) -> str:
        """The state as Python shows it."""
        text = repr(state)
        return f"is {text if len(text) <= 200 else text[:150] + '… ' + show(len(text)) + ' characters'}"
