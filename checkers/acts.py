"""A client op as purpose-made checkers see it: what was asked, what came back, and between which two positions it acted.

Why it exists  each of those checkers needs the same few facts of an op; a history with independent keys is one object per key.
Relies on      an op that failed had no effect and observed nothing; one without a known outcome may act at any later moment, or never.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from checkers.linearizable.operations import keyed_by_tuples
from checkers.transactions.txns import NEVER, ident, show
from harness.errors import HistoryError
from harness.history.history import Call, History
from harness.op import FAIL, INFO, OK, Op

ASKING = frozenset({"read", "read-init", "generate", "dequeue", "drain", "inc"})


class Act(NamedTuple):
    """One op. Positions in the history: `call`, and `ret`, NEVER where the outcome is not known; times in ns.

    asked   the invocation's value
    given   the completion's value of an ok op; of all others None
    ext     the completion's `ext` of an ok op
    """

    f: str
    process: int | str
    node: str | None
    outcome: str
    call: int
    ret: int
    asked: Any
    given: Any
    ext: Any
    began: int
    ended: int

    @property
    def ok(self) -> bool:
        """It certainly happened."""
        return self.outcome == OK

    @property
    def ops(self) -> list[int]:
        """Op indices: the invocation, and the completion of an op whose end is known."""
        return [self.call] if self.ret == NEVER else [self.call, self.ret]

    @property
    def place(self) -> str:
        """Where it went, for a sentence."""
        return f" on {self.node}" if self.node else ""


def acts_by_key(history: History) -> dict[Hashable, list[Act]]:
    """The ops of each key by invocation; the only object of a history without keys is at None. Cost: O(n).

    Keys stand in values {"key": k, "value": v}, or, as Jepsen's independent keys, [k, v], if all ops that ask for a value have [k, null].
    """
    tuples = keyed_by_tuples(history, ASKING)
    objects: dict[Hashable, list[Act]] = {}
    for call in history.calls():
        key, asked = _keyed(call.invoke, tuples)
        given = _keyed(call.completion, tuples)[1] if call.completion is not None and call.outcome == OK else None
        objects.setdefault(key, []).append(_act(call, asked, given))
    return objects


def acts(history: History) -> list[Act]:
    """All ops by invocation, with their values as they stand: for histories that are of one object."""
    return [
        _act(call, call.invoke.value, call.completion.value if call.completion is not None and call.outcome == OK else None)
        for call in history.calls()
    ]


def _act(call: Call, asked: Any, given: Any) -> Act:
    invoke, done = call
    outcome = INFO if done is None else done.type
    known = done is not None and outcome in (OK, FAIL)
    return Act(
        invoke.f,
        invoke.process,
        (done.node if done is not None else None) or invoke.node,
        outcome,
        invoke.index,
        done.index if known and done is not None else NEVER,
        asked,
        given,
        done.ext if done is not None and outcome == OK else None,
        invoke.time,
        done.time if done is not None else invoke.time,
    )


def _keyed(op: Op, tuples: bool) -> tuple[Hashable, Any]:
    value = op.value
    if type(value) is dict and value.keys() == {"key", "value"}:
        return ident(value["key"]), value["value"]
    if not tuples:
        return None, value
    if not isinstance(value, list) or len(value) != 2:
        raise HistoryError(f"op {op.index}: {str(value)[:60]!r} is not [key, value]", way_out="every op of a keyed history has its key")
    return ident(value[0]), value[1]


def strange(act: Act, what: str) -> HistoryError:
    """The error for an op that is none of the checker's."""
    at = act.ret if act.ok else act.call
    return HistoryError(f"op {at}: {what}", way_out="mend or leave out that op, or name another model with --as")


def whole(act: Act, value: Any) -> int:
    """A value that must be a whole number. Raises: HistoryError naming the op."""
    if type(value) is not int:
        raise strange(act, f"{act.f} has {str(value)[:60]!r} where a whole number must stand")
    return value


def of_key(history: History, plain_key: Any) -> list[Act]:
    """The ops of the object that an anomaly names by its key, for those who prove a witness again."""
    return acts_by_key(history).get(None if plain_key is None else ident(plain_key), [])


def in_key(key: Hashable) -> str:
    """Where there are keys, the beginning of a sentence: which one."""
    return "" if key is None else f"{show(key)}: "
