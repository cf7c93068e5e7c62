"""A history's operations on objects, key by key: intervals in positions of the history, arguments, results.

Why it exists  every model wants the same records; which value is the argument and which the result is decided in this file alone.
Relies on      positions being real-time order; an op that never completed, or completed `info`, never returns (INFINITY).
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, NamedTuple

from checkers.linearizable.operations import INFINITY, LATER, freeze, keyed_by_tuples, show, split_key
from harness.errors import HistoryError
from harness.history.history import Call, History
from harness.op import FAIL, OK


class Unknown:
    """The result of an op of which nobody knows what it answered, or whether it happened."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


class Operation(NamedTuple):
    """One operation on one object. Argument and result are frozen; the result is UNKNOWN unless the op completed ok."""

    f: str
    argument: Any
    result: Any
    call: int
    ret: int
    index: int  # type: ignore[assignment]  # of the invocation
    done: int  # of the completion, -1 if there is none
    process: Any
    failed: bool = False
    ext: Any = None
    node: str | None = None

    @property
    def crashed(self) -> bool:
        """True if it need not have happened in the part of the history that is looked at."""
        return self.ret >= LATER

    def text(self) -> str:
        """In words: `process 3: enqueue 7 (#12-#15)`, `process 4: dequeue -> null (#13-#16)`."""
        where = f"#{self.index}" + (f"-#{self.done}" if self.done >= 0 else "")
        if self.ret == LATER:
            where += ", still open then"
        elif self.crashed:
            where += ", outcome unknown"
        argument = "" if self.argument is None else f" {show(self.argument)}"
        answer = "" if self.result is UNKNOWN or self.result == self.argument is not None else f" -> {show(self.result)}"
        on = "" if self.node is None else f" on {self.node}"
        return f"process {self.process}{on}: {self.f}{argument}{' refused' if self.failed else answer} ({where})"


class Vocabulary(NamedTuple):
    """How the ops of a history are called: other names -> the model's; all that there are (empty: any); those without an argument."""

    model: str
    names: Mapping[str, str]
    fs: Set[str]
    asks: Set[str]
    refusals: Set[str]


def by_key(history: History, words: Vocabulary, keyed: str = "auto", failed_cas: str = "nothing") -> dict[Any, list[Operation]]:
    """Operations of each key in order of invocation; key None for a history without keys.

    Dropped: failed ops (they had no effect, and observe nothing, unless they are `refusals` and failed_cas is "observes").
    Raises HistoryError naming the op that the model does not know, or whose key changed.
    """
    asking = words.asks | {other for other, name in words.names.items() if name in words.asks}
    tuples = keyed == "tuple" or (keyed == "auto" and keyed_by_tuples(history, asking))
    refusals = words.refusals if failed_cas == "observes" else frozenset()
    keys: dict[Any, list[Operation]] = {}
    for call in history.calls():
        found = _operation(call, words, tuples, refusals)
        if found is not None:
            keys.setdefault(found[0], []).append(found[1])
    return keys


def _operation(call: Call, words: Vocabulary, tuples: bool, refusals: Set[str]) -> tuple[Any, Operation] | None:
    op, done = call.invoke, call.completion
    f = words.names.get(op.f, op.f)
    if words.fs and f not in words.fs:
        there = ", ".join(sorted({*words.fs, *words.names}))
        raise HistoryError(f"op {op.index}: a {words.model} has no {op.f!r}", way_out=f"it has: {there}; or name another model with --as")
    failed = call.outcome == FAIL
    if failed and f not in refusals:
        return None
    key, argument = split_key(op, op.value, tuples)
    result: Any = UNKNOWN
    if call.outcome == OK and done is not None:
        result = freeze(done.value)
        if tuples or (isinstance(op.value, dict) and "key" in op.value and isinstance(done.value, dict) and "key" in done.value):
            same, answered = split_key(done, done.value, tuples)
            if freeze(same) != freeze(key):
                raise HistoryError(f"op {done.index}: it completes for key {same!r}, but {key!r} was asked for at op {op.index}")
            result = freeze(answered)
    ret = done.index if done is not None and call.outcome in (OK, FAIL) else INFINITY
    ext = freeze(done.ext if done is not None and done.ext is not None else op.ext)
    at = done.index if done is not None else -1
    return freeze(key), Operation(f, freeze(argument), result, op.index, ret, op.index, at, op.process, failed, ext, op.node)
