"""What was done to each object of a history: adds, removes and looks, as intervals in positions of the history.

Why it exists  queues, stacks, priority queues and sets differ in the names of their operations only; what a value's shape means is
               decided here.
Relies on      positions being real-time order; an op that never completed, or completed `info`, never returns (INFINITY).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from checkers.linearizable.operations import INFINITY, freeze, keyed_by_tuples, show, split_key
from harness.errors import HistoryError
from harness.history.history import Call, History
from harness.op import FAIL, OK

if TYPE_CHECKING:
    from checkers.objects.operations import Operation

ADD, REMOVE, PEEK, EMPTY, MISSING = "add", "remove", "peek", "empty", "missing"
CONTAINS, ABSENT = "contains", "absent"
# object -> name of an operation -> what it is
NAMES: dict[str, dict[str, str]] = {
    "queue": {"enqueue": ADD, "enq": ADD, "offer": ADD, "dequeue": REMOVE, "deq": REMOVE, "poll": REMOVE, "peek": PEEK},
    "stack": {"push": ADD, "pop": REMOVE, "peek": PEEK},
    "priority-queue": {
        "insert": ADD,
        "add": ADD,
        "enqueue": ADD,
        "enq": ADD,
        "poll": REMOVE,
        "dequeue": REMOVE,
        "deq": REMOVE,
        "peek": PEEK,
    },
    "set-object": {"add": ADD, "insert": ADD, "remove": REMOVE, "contains": CONTAINS},
}
NOUN = {"queue": "queue", "stack": "stack", "priority-queue": "priority queue", "set-object": "set"}


class Act(NamedTuple):
    """One operation that counts.

    kind    ADD, REMOVE, PEEK (of `value`), EMPTY (a remove or a peek that found nothing), MISSING (a remove of unknown outcome: it may have
            removed anything), of a set also CONTAINS
    result  of a set: what was answered (True: it was added, removed, there; False: it was not), None if that is not known
    done    index of the completion, -1 if there is none
    """

    kind: str
    value: Any
    call: int
    ret: int
    f: str
    index: int  # type: ignore[assignment]
    done: int
    process: Any
    result: bool | None = None

    @property
    def crashed(self) -> bool:
        return self.ret == INFINITY

    def operation(self, names: Mapping[str, str]) -> Operation:
        """The act of a container as the complete search knows it; names: other names of f -> the search's."""
        from checkers.objects.operations import UNKNOWN, Operation

        argument = self.value if self.kind == ADD else None
        result = UNKNOWN if self.crashed else None if self.kind == EMPTY else self.value
        return Operation(names.get(self.f, self.f), argument, result, self.call, self.ret, self.index, self.done, self.process)

    def text(self) -> str:
        """In words: `process 3 dequeued 7 (#12-#15)`."""
        where = f"#{self.index}" + (f"-#{self.done}" if self.done >= 0 else "")
        what = f"{self.f} {show(self.value)}"
        if self.kind == EMPTY:
            what = f"{self.f}, which found nothing"
        elif self.kind == MISSING:
            what = self.f
        elif self.result is not None:
            what += f", answered {'true' if self.result else 'false'}"
        until = ", outcome unknown" if self.crashed else ""
        return f"process {self.process}: {what} ({where}{until})"


def acts_by_key(history: History, object_: str, keyed: str) -> dict[Any, list[Act]]:
    """What counts of each key in order of invocation; key None for a history without keys.

    Dropped: failed ops (they had no effect, and observe nothing) and looks that returned nothing.
    Raises HistoryError naming the op whose name or value has not the shape of the object's.
    """
    names = NAMES[object_]
    asking = {name for name, kind in names.items() if kind in (REMOVE, PEEK)}
    tuples = keyed == "tuple" or (keyed == "auto" and object_ != "set-object" and keyed_by_tuples(history, asking))
    keys: dict[Any, list[Act]] = {}
    for call in history.calls():
        kind = names.get(call.invoke.f)
        if kind is None:
            known = ", ".join(names)
            raise HistoryError(f"op {call.invoke.index}: a {NOUN[object_]} has no {call.invoke.f!r}", way_out=f"it has: {known}")
        key, act = (_member if object_ == "set-object" else _container)(call, kind, tuples)
        of_key = keys.setdefault(freeze(key), [])
        if act is not None:
            of_key.append(act)
    return keys


def _answer(call: Call, key: Any, tuples: bool) -> Any:
    """The completion's value without its key."""
    done = call.completion
    assert done is not None
    if not (tuples or (isinstance(done.value, dict) and "key" in done.value)):
        return done.value
    same, value = split_key(done, done.value, tuples)
    if freeze(same) != freeze(key):
        raise HistoryError(f"op {done.index}: it answers for key {same!r}, but {key!r} was asked for at op {call.invoke.index}")
    return value


def _container(call: Call, kind: str, tuples: bool) -> tuple[Any, Act | None]:
    """An op of a queue, stack or priority queue."""
    op, done, outcome = call.invoke, call.completion, call.outcome
    key, value = split_key(op, op.value, tuples)
    if outcome == FAIL or (outcome != OK and kind == PEEK):
        return key, None
    ret = done.index if outcome == OK and done is not None else INFINITY
    if kind == ADD:
        if value is None:
            raise HistoryError(
                f"op {op.index}: {op.f} of null", way_out="null is what an empty object answers: values that are put into it are others"
            )
    elif outcome == OK:
        value = _answer(call, key, tuples)
        if value is None:
            kind = EMPTY
    else:
        kind, value = MISSING, None
    return key, Act(kind, freeze(value), op.index, ret, op.f, op.index, done.index if done is not None else -1, _who(call))


def _member(call: Call, kind: str, tuples: bool) -> tuple[Any, Act | None]:
    """An op of a set; the element is the invocation's, the answer is true, false, [element, answer], or not told."""
    op, done, outcome = call.invoke, call.completion, call.outcome
    key, value = split_key(op, op.value, tuples)
    if outcome == FAIL or (outcome != OK and kind == CONTAINS):
        return key, None
    result = None
    ret = INFINITY
    if outcome == OK and done is not None:
        ret = done.index
        answer = _answer(call, key, tuples)
        if answer is not None and freeze(answer) != freeze(value):
            if isinstance(answer, list) and len(answer) == 2 and freeze(answer[0]) == freeze(value):
                answer = answer[1]
            if not isinstance(answer, bool):
                raise HistoryError(
                    f"op {done.index}: {op.f} of {value!r} answers {answer!r}", way_out="it answers true or false, or [element, true]"
                )
            result = answer
        elif kind == CONTAINS:
            way_out = "a contains answers true or false" if answer is None else "where elements are true or false, answer [element, true]"
            raise HistoryError(f"op {done.index}: contains of {value!r} answers {answer!r}", way_out=way_out)
    return key, Act(kind, freeze(value), op.index, ret, op.f, op.index, done.index if done is not None else -1, _who(call), result)


def _who(call: Call) -> Any:
    op = call.invoke
    return op.process if op.node is None else f"{op.process} on {op.node}"
