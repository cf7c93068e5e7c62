"""A history's register operations, key by key: intervals in positions of the history, arguments, outcomes.

Why it exists  every criterion here wants the same small records; what a value's shape means is decided in this file alone.
Relies on      positions being real-time order; an op that never completed, or completed `info`, never returns (INFINITY).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from harness.errors import HistoryError
from harness.history.history import Call, History
from harness.op import FAIL, OK

INFINITY = 1 << 62
READ, WRITE, CAS, APPEND, NOT = "read", "write", "cas", "append", "not"
_NAMES = {"read": READ, "write": WRITE, "cas": CAS, "get": READ, "put": WRITE, "append": APPEND}


class Operation(NamedTuple):
    """One operation on one key: `a` is the value read or written, or cas's old value; `b` cas's new one. `not` read any value but `a`."""

    f: str
    a: Any
    b: Any
    call: int
    ret: int
    index: int  # of the invocation
    done: int  # of the completion, -1 if there is none
    process: Any

    @property
    def crashed(self) -> bool:
        return self.ret == INFINITY

    def text(self) -> str:
        """In words: `process 3 wrote 7 (#12-#15)`."""
        where = f"#{self.index}" + (f"-#{self.done}" if self.done >= 0 else "")
        what = {
            READ: f"read {show(self.a)}",
            WRITE: f"wrote {show(self.a)}",
            CAS: f"changed {show(self.a)} to {show(self.b)}",
            APPEND: f"appended {show(self.a)}",
            NOT: f"was refused to change {show(self.a)}",
        }[self.f]
        return f"process {self.process} {what} ({where}{', outcome unknown' if self.crashed else ''})"


def show(value: Any) -> str:
    """A value for people; long ones are cut in the middle."""
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:40]}…{text[-15:]} ({len(text)} characters)"


def freeze(value: Any) -> Any:
    """A hashable stand-in that keeps values of different types apart (1, True and 1.0 are three values)."""
    if isinstance(value, list):
        return ("[", *map(freeze, value))
    if isinstance(value, dict):
        return ("{", *sorted((str(key), freeze(item)) for key, item in value.items()))
    return (type(value).__name__, value) if isinstance(value, bool | float) else value


def by_key(history: History, keyed: str, failed_cas: str, model: str) -> dict[Any, list[Operation]]:
    """Operations of each key in order of invocation; key None for a history without keys.

    Dropped: failed ops (they had no effect, and observe nothing unless failed_cas is "observes"), reads that returned nothing.
    Raises HistoryError naming the op whose value has not the shape of its f.
    """
    keys: dict[Any, list[Operation]] = {}
    tuples = keyed == "tuple" or (keyed == "auto" and _keyed_by_tuples(history))
    for call in history.calls():
        operation = _operation(call, tuples, failed_cas, model)
        if operation is not None:
            keys.setdefault(operation[0], []).append(operation[1])
    return keys


def _keyed_by_tuples(history: History) -> bool:
    """Jepsen's independent keys: every read's invocation is [key, nil]."""
    found = False
    for op in history.ops:
        if op.is_client and op.f == "read" and op.type == "invoke":
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
    value = done.value if done is not None and done.type == OK and f == READ else op.value
    key: Any = None
    if isinstance(value, dict) and "key" in value:
        key, value = value["key"], value.get("value")
    elif tuples:
        if not (isinstance(value, list) and len(value) == 2):
            raise HistoryError(f"op {op.index}: {value!r} is not [key, value]", way_out="every value of a keyed history has its key")
        key, value = value
    if call.outcome != OK and f == READ:
        return None
    a, b = freeze(value), None
    if f in (CAS, NOT):
        if not (isinstance(value, list) and len(value) == 2):
            raise HistoryError(f"op {op.index}: cas of {value!r}", way_out="a cas has [old, new]")
        a, b = freeze(value[0]), freeze(value[1])
    ret = done.index if done is not None and call.outcome in (OK, FAIL) else INFINITY
    return freeze(key), Operation(f, a, b, op.index, ret, op.index, done.index if done is not None else -1, op.process)


def unique_values(operations: Iterable[Operation], initial: Any) -> bool:
    """True if no two writes (or cas) write one value, none writes the initial one, and nothing but read, write, cas is there."""
    seen = {initial}
    for op in operations:
        if op.f == READ:
            continue
        if op.f not in (WRITE, CAS):
            return False
        written = op.b if op.f == CAS else op.a
        if written in seen:
            return False
        seen.add(written)
    return True
