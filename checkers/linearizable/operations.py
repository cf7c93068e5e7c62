"""A history's register operations, key by key: intervals in positions of the history, arguments, outcomes.

Why it exists  every criterion here wants the same small records; what a value's shape means is decided in this file alone.
Relies on      positions being real-time order; an op that never completed, or completed `info`, never returns (INFINITY).
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Any, NamedTuple

from harness.errors import HistoryError
from harness.history.history import Call, History
from harness.op import FAIL, OK, Op

INFINITY = 1 << 62
LATER = INFINITY - 1  # it returned, but past the part of the history that is looked at
READ, WRITE, CAS, APPEND, NOT, HELD = "read", "write", "cas", "append", "not", "held"
_NAMES = {"read": READ, "write": WRITE, "cas": CAS, "get": READ, "put": WRITE, "append": APPEND}


class Operation(NamedTuple):
    """One operation on one key: `a` is the value read or written, or cas's old value; `b` cas's new one. `not` read any value but `a`."""

    f: str
    a: Any
    b: Any
    call: int
    ret: int
    index: int  # type: ignore[assignment]  # of the invocation
    done: int  # of the completion, -1 if there is none
    process: Any  # with its node, where that is known

    @property
    def crashed(self) -> bool:
        return self.ret >= LATER

    def text(self) -> str:
        """In words: `process 3 wrote 7 (#12-#15)`."""
        if self.call < 0:
            return f"the register started as {show(self.a)}"
        where = f"#{self.index}" + (f"-#{self.done}" if self.done >= 0 else "")
        what = {
            READ: f"read {show(self.a)}",
            WRITE: f"wrote {show(self.a)}",
            CAS: f"changed {show(self.a)} to {show(self.b)}",
            APPEND: f"appended {show(self.a)}",
            HELD: f"read {show(self.a)}",
            NOT: f"was refused to change {show(self.a)}",
        }[self.f]
        until = ", still open then" if self.ret == LATER else ", outcome unknown" if self.crashed else ""
        return f"process {self.process} {what} ({where}{until})"

    @property
    def written(self) -> Any:
        """The value that a write or cas leaves."""
        return self.b if self.f == CAS else self.a


def show(value: Any) -> str:
    """A value for people; long ones are cut in the middle."""
    text = "null" if value is None else repr(thaw(value))
    return text if len(text) <= 60 else f"{text[:40]}…{text[-15:]} ({len(text)} characters)"


def freeze(value: Any) -> Any:
    """A hashable stand-in that keeps values of different types apart (1, True and 1.0 are three values)."""
    if isinstance(value, list):
        return ("[", *map(freeze, value))
    if isinstance(value, dict):
        return ("{", *sorted((str(key), freeze(item)) for key, item in value.items()))
    return (type(value).__name__, value) if isinstance(value, bool | float) else value


def thaw(value: Any) -> Any:
    """The value that was frozen."""
    if not isinstance(value, tuple):
        return value
    kind, *items = value
    if kind == "[":
        return [thaw(item) for item in items]
    return {key: thaw(item) for key, item in items} if kind == "{" else items[0]


def by_key(history: History, keyed: str, failed_cas: str, model: str) -> dict[Any, list[Operation]]:
    """Operations of each key in order of invocation; key None for a history without keys.

    Dropped: failed ops (they had no effect, and observe nothing unless failed_cas is "observes"), reads that returned nothing.
    Raises HistoryError naming the op whose value has not the shape of its f.
    """
    keys: dict[Any, list[Operation]] = {}
    tuples = keyed == "tuple" or (keyed == "auto" and keyed_by_tuples(history, {"read"}))
    for call in history.calls():
        operation = _operation(call, tuples, failed_cas, model)
        if operation is not None:
            keys.setdefault(operation[0], []).append(operation[1])
    return keys


def keyed_by_tuples(history: History, asking: Set[str]) -> bool:
    """Jepsen's independent keys: every invocation of the f that ask for a value is [key, nil]."""
    found = False
    for op in history.ops:
        if op.is_client and op.f in asking and op.type == "invoke":
            if not (isinstance(op.value, list) and len(op.value) == 2 and op.value[1] is None):
                return False
            found = True
    return found


def _operation(call: Call, tuples: bool, failed_cas: str, model: str) -> tuple[Any, Operation] | None:
    op, done = call.invoke, call.completion
    f = _NAMES.get(op.f)
    if f is None or (f == APPEND and model != "kv"):
        raise HistoryError(
            f"op {op.index}: a register has no {op.f!r}", way_out="read, write and cas are known; or name the model with --as"
        )
    if call.outcome == FAIL:
        if f != CAS or failed_cas != "observes":
            return None
        f = NOT
    key, value = split_key(op, op.value, tuples)
    if call.outcome == OK and f == READ and done is not None:
        answered = done.value
        if tuples or (isinstance(answered, dict) and "key" in answered):
            same, value = split_key(done, answered, tuples)
            if freeze(same) != freeze(key):
                raise HistoryError(f"op {done.index}: it reads key {same!r}, but {key!r} was asked for at op {op.index}")
        else:
            value = answered
    if call.outcome != OK and f == READ:
        return None
    if model == "kv" and f != CAS and f != NOT:
        value = "" if value is None else value  # a key that is not there
        if not isinstance(value, str):
            raise HistoryError(f"op {op.index}: {value!r} is not a string", way_out="a kv holds strings; of anything else: --as register")
    a, b = freeze(value), None
    if f in (CAS, NOT):
        if not (isinstance(value, list) and len(value) == 2):
            raise HistoryError(f"op {op.index}: cas of {value!r}", way_out="a cas has [old, new]")
        a, b = ("" if one is None and model == "kv" else freeze(one) for one in value)
    ret = done.index if done is not None and call.outcome in (OK, FAIL) else INFINITY
    return freeze(key), Operation(f, a, b, op.index, ret, op.index, done.index if done is not None else -1, _who(op))


def split_key(op: Op, value: Any, tuples: bool) -> tuple[Any, Any]:
    """(key, the rest) of an op's value; key None for one without."""
    if isinstance(value, dict) and "key" in value:
        return value["key"], value.get("value")
    if not tuples:
        return None, value
    if not (isinstance(value, list) and len(value) == 2):
        raise HistoryError(f"op {op.index}: {value!r} is not [key, value]", way_out="every value of a keyed history has its key")
    return value[0], value[1]


def unique_values(operations: Iterable[Operation], initial: Any) -> bool:
    """True if no two writes (or cas) write one value, none writes the initial one, and nothing but read, write, cas is there."""
    seen = {initial}
    for op in operations:
        if op.f == READ:
            continue
        if op.f not in (WRITE, CAS) or (op.f == CAS and op.a == op.b):
            return False
        if op.written in seen:
            return False
        seen.add(op.written)
    return True


def _who(op: Op) -> Any:
    return op.process if op.node is None else f"{op.process} on {op.node}"
