"""A model at work: states and acts as small integers, each step of the model asked for once.

Why it exists  the search takes the same steps over and over; here they cost one look into a table.
Relies on      a model's step depending on nothing but its two arguments.
"""

from __future__ import annotations

import copy
import traceback
from collections.abc import Callable, Hashable
from typing import Any

from checkers.linearizable.operations import freeze, thaw
from checkers.objects.model import Act, Model, act_of
from checkers.objects.operations import UNKNOWN, Operation
from harness.errors import SplitbrainError, UsageError


class Machine:
    """Interned states and acts, and the table of steps; `steps[state]` maps an act to the states after it."""

    def __init__(self, model: Model) -> None:
        self.model = model = copy.copy(model)  # one may remember what kind of values it has seen
        self.states: list[Any] = []
        self.acts: list[Act] = []  # typed
        self.seen: list[Act] = []  # as the model sees them
        self.examples: list[Operation] = []
        self.steps: list[dict[int, tuple[int, ...]]] = []
        self.is_read: list[bool] = []
        self._state_ids: dict[Hashable, int] = {}
        self._act_ids: dict[Act, int] = {}
        self._commuting: dict[tuple[int, int], bool] = {}
        self._helping: dict[tuple[int, int, int], bool] = {}
        self._stamp: Callable[[Any], Hashable] = (lambda state: state) if model.typed else stamp

    def act(self, op: Operation) -> int:
        """The number of an operation's act: equal acts have equal numbers."""
        act = act_of(op, self.model)
        number = self._act_ids.get(act)
        if number is None:
            number = self._act_ids[act] = len(self.acts)
            self.acts.append(act)
            self.examples.append(op)
            self.seen.append(act if self.model.typed else plain(act))
            self.model.admit(self.seen[-1], f"op {op.done if op.done >= 0 else op.index}")
            self.is_read.append(bool(self._ask(number, "reads", self.model.reads, self.seen[-1])))
        return number

    def seen_as(self, op: Operation) -> Act:
        """An operation as the model sees it."""
        return self.seen[self.act(op)]

    def state(self, value: Any, number: int = -1) -> int:
        """The number of a state."""
        try:
            mark = self._stamp(value)
            found = self._state_ids.get(mark)
        except TypeError as error:
            raise self._wrong(number, f"a state cannot be told from others: {error} ({value!r})") from error
        if found is None:
            found = self._state_ids[mark] = len(self.states)
            self.states.append(value)
            self.steps.append({})
        return found

    def step(self, state: int, number: int) -> tuple[int, ...]:
        """The states after an act, asked of the model and kept."""
        value = self.states[state]
        before = None if self.model.typed else self._stamp(value)
        after = self._ask(number, "step", self.model.step, value, self.seen[number])
        if after is None:
            after = ()
        if isinstance(after, str | bytes | dict) or not hasattr(after, "__iter__"):
            raise self._wrong(number, f"step gave {after!r}, not a list of states (or None)")
        found = tuple(dict.fromkeys(self.state(one, number) for one in after))
        if not self.model.typed and self._stamp(value) != before:
            raise self._wrong(number, "step changed the state that it was given; it has to make a new one")
        if self.is_read[number] and any(one != state for one in found):
            raise self._wrong(number, f"reads says that it changes nothing, step makes {self.states[found[0]]!r} of {value!r}")
        self.steps[state][number] = found
        return found

    def commute(self, one: int, other: int) -> bool:
        """Whether the order of two acts never matters."""
        key = (one, other) if one <= other else (other, one)
        found = self._commuting.get(key)
        if found is None:
            both = self.is_read[one] and self.is_read[other]
            found = both or bool(self._ask(one, "commute", self.model.commute, self.seen[one], self.seen[other]))
            self._commuting[key] = found
        return found

    def helps(self, state: int, crashed: int, wanted: int) -> bool:
        """Whether a crashed act may be of use to one that is wanted."""
        key = (state, crashed, wanted)
        found = self._helping.get(key)
        if found is None:
            asked = self._ask(crashed, "helps", self.model.helps, self.states[state], self.seen[crashed], self.seen[wanted])
            found = self._helping[key] = bool(asked)
        return found

    def _ask(self, number: int, method: str, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            answer = call(*arguments)
            return list(answer) if method == "step" and hasattr(answer, "__next__") else answer  # a generator raises when it is run
        except SplitbrainError:
            raise
        except (Exception, SystemExit) as error:  # a user's model may fail in any way
            if self.model.typed and type(self.model).__module__.startswith("checkers.objects.models"):
                raise
            line = next((f" (line {frame.lineno})" for frame in reversed(traceback.extract_tb(error.__traceback__))), "")
            raise self._wrong(number, f"{method} raised {type(error).__name__}: {error}{line}") from error

    def _wrong(self, number: int, what: str) -> UsageError:
        at = f" on {self.examples[number].text()}" if number >= 0 else ""
        return UsageError(f"the model {self.model.name}{at}: {what}", way_out="mend the model; docs/checkers.md shows one")


def plain(act: Act) -> Act:
    """The act with JSON values, for a model of a user's."""
    result = act.result if act.result is UNKNOWN else thaw(act.result)
    return act._replace(argument=thaw(act.argument), result=result, ext=thaw(act.ext), compare=_comparable)


def _comparable(value: Any) -> Any:
    """JSON by type and value; a tuple is a list."""
    if isinstance(value, list | tuple):
        return ("[", *map(_comparable, value))
    return freeze(value)


def stamp(state: Any) -> Hashable:
    """A hashable stand-in of any state, that keeps values of different types apart. Raises TypeError if there is none."""
    if isinstance(state, bool | float | int):
        return type(state).__name__, state
    if isinstance(state, list | tuple):
        return type(state).__name__, tuple(map(stamp, state))
    if isinstance(state, dict):
        return "dict", frozenset((stamp(key), stamp(value)) for key, value in state.items())
    if isinstance(state, set | frozenset):
        return "set", frozenset(map(stamp, state))
    hash(state)
    return type(state).__name__, state
