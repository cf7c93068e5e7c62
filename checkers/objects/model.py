"""What a model of an object is: its states, and what each op may do in them.

Why it exists  the search knows nothing of queues or locks; a model is the sequential definition of one object, small enough to be believed
               at once. Users write their own (examples/tickets.py).
Relies on      `step` alone being the definition. All else tells the search what it need not try, and may be left as it is.

A model has `initial` (the state at the start) and `step(state, act)`, which gives the states that the act may lead to: one, several
(nondeterminism), or none if it cannot have happened there. States and values are JSON or tuples, sets, anything hashable; a state is
never changed in place. An act's result is UNKNOWN if it never completed ok: then every result is possible; `act.answers(x)` is true if
its result may be x.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from checkers.linearizable.operations import freeze, show
from checkers.objects.operations import UNKNOWN, Operation
from harness.errors import HistoryError


class Act(NamedTuple):
    """An op as a model sees it.

    f         what was done, by the model's own name for it
    argument  value of the invocation
    result    value of the ok completion, or UNKNOWN
    process   who did it; None unless the model looks at it (`by_process`)
    failed    True for an op that was refused, and whose refusal is an observation
    ext       the completion's `ext`, or the invocation's
    compare   how values are made comparable by type and value
    """

    f: str
    argument: Any
    result: Any
    process: Any = None
    failed: bool = False
    ext: Any = None
    compare: Callable[[Any], Any] = freeze

    def answers(self, value: Any) -> bool:
        """True if the result is unknown, or is the value (1, 1.0 and true are three values)."""
        return self.result is UNKNOWN or bool(self.compare(self.result) == self.compare(value))


class Model:
    """An object's sequential definition.

    name        what it is called
    initial     the state at the start
    names       other names of an f -> the model's name; an f that is neither here nor in `fs` is an error (where `fs` is not empty)
    silent      f whose completion says nothing more than that they happened
    asks        f that have no argument: their invocations carry null
    refusals    f whose failure is an observation with `failed_cas = observes`
    by_process  whether step looks at who does it
    by_ext      whether step looks at the op's ext
    typed       values come as `freeze` makes them: hashable, and equal exactly if type and value are
    """

    name: ClassVar[str] = "model"
    names: ClassVar[Mapping[str, str]] = {}
    fs: ClassVar[frozenset[str]] = frozenset()
    silent: ClassVar[frozenset[str]] = frozenset()
    asks: ClassVar[frozenset[str]] = frozenset()
    refusals: ClassVar[frozenset[str]] = frozenset()
    by_process: ClassVar[bool] = False
    by_ext: ClassVar[bool] = False
    typed: ClassVar[bool] = True
    initial: Any = None
    own_search: ClassVar[Callable[..., Any] | None] = None  # (operations, effort) -> Stuck | None: a search that knows this object better

    def step(self, state: Any, act: Act) -> Iterable[Any] | None:
        """States after the act; none (or None) if it cannot have happened in the state."""
        raise NotImplementedError

    def admit(self, act: Act, where: str) -> None:
        """Raise HistoryError if the act has not the shape of its f; `where` begins the sentence (`op 7`)."""

    def result_of(self, op: Operation) -> Any:
        """What an op that completed ok answered; UNKNOWN if its value is no answer."""
        return op.result

    def canonical(self, act: Act) -> Act:
        """An act of unknown result that does the same in every state: the more are equal, the fewer have to be told apart."""
        return act

    def reads(self, act: Act) -> bool:
        """True if the act changes nothing in any state in which it is possible."""
        return False

    def tells(self, act: Act) -> bool:
        """True if the act, completed, tells something of the object: some state would have forbidden it."""
        return act.result is not UNKNOWN or act.failed

    def commute(self, one: Act, other: Act) -> bool:
        """True only if in every state, doing both in either order leads to the same states."""
        return False

    def helps(self, state: Any, crashed: Act, wanted: Act) -> bool:
        """False only if the crashed act need not come before `wanted` now: it can wait, or never happen, whatever else acts in between.

        That an act is not needed to make `wanted` possible is not enough: what comes later may see that it came before. Here no act has a
        known result but `wanted`.
        """
        return True

    def needless(self, crashed: Act, observed: frozenset[Any]) -> bool:
        """True only if a history has an order exactly if it has one without this crashed act. `observed`: see `observes`."""
        return False

    def observes(self, act: Act) -> Iterable[Any]:
        """What `needless` wants to know of an act: values that somebody got or asks for."""
        return ()

    def split(self, acts: Sequence[Act]) -> Sequence[Hashable] | None:
        """A label for each act such that the object is one independent object a label; None if it is a single one."""
        return None

    def part(self, act: Act) -> Hashable:
        """The part of the object that the act is about, where leaving out all acts on some parts leaves a legal series legal.

        None: about all of it; ANY_PART: it stays possible whatever parts are left out.
        """
        return None

    def state_text(self, state: Any) -> str:
        """A state in words: `holds [1, 2]`."""
        return f"is {show(state)}"

    def why_not(self, state: Any, act: Act) -> str:
        """Why the act cannot happen in the state; "" for the general sentence."""
        return ""


class AnyPart:
    """The part of an act that is possible whatever parts of the object are left out."""


ANY_PART = AnyPart()


def whole_number(value: Any, where: str, what: str) -> None:
    """Raise HistoryError unless the value is a whole number."""
    if not isinstance(value, int):  # a frozen bool is a tuple
        raise HistoryError(f"{where}: {what} is {show(value)}, not a whole number", way_out="mend the history, or name its model with --as")


def act_of(op: Operation, model: Model) -> Act:
    """The act that an operation is to the model: what it need not look at is left out, so that equal acts are equal."""
    result = UNKNOWN if op.result is UNKNOWN or op.f in model.silent or op.failed else model.result_of(op)
    act = Act(op.f, op.argument, result, op.process if model.by_process else None, op.failed, op.ext if model.by_ext else None)
    return model.canonical(act) if result is UNKNOWN else act
