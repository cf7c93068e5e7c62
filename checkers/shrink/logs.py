"""Leaving out of a Kafka-type log: a value goes from its key with its send, and from every poll that showed it.

Right      positions in a log are ranks among the offsets that hold a value, so a value that was never there leaves no gap; a poll that then
           shows nothing observed nothing. What moves a consumer (assign, subscribe, crash) stays.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Any

import msgspec

from checkers.log.ops import name_of
from checkers.shrink.parts import Parts
from checkers.transactions.txns import ident
from harness.history.history import History
from harness.op import Op

Value = tuple[Hashable, Hashable]


def of_log(history: History, fine: bool) -> Parts:
    """Parts by key and value; ops that neither send nor show any are one part that stays."""
    parts: dict[Value, set[int]] = {}
    others: list[int] = []
    for number, call in enumerate(history.calls()):
        values = {value for op in call if op is not None for value in _values(op.value)}
        for value in values:
            parts.setdefault(value, set()).add(number)
        if not values:
            others.append(number)
    return _Log(history, [*(sorted(numbers) for numbers in parts.values()), others], list(parts))


def _values(value: Any) -> list[Value]:
    """(key, value) of all sends and of all that polls showed."""
    found: list[Value] = []
    for mop in value if isinstance(value, list) else []:
        if isinstance(mop, list) and len(mop) == 3 and mop[0] == "send":
            found.append((name_of(mop[1]), ident(_sent(mop[2]))))
        elif isinstance(mop, list) and len(mop) == 2 and mop[0] == "poll" and isinstance(mop[1], dict):
            found += [(name_of(key), ident(pair[1])) for key, pairs in mop[1].items() for pair in pairs or () if len(pair) == 2]
    return found


def _sent(value: Any) -> Any:
    """What was sent, be it asked for or acknowledged with its offset."""
    return value[1] if isinstance(value, list) and len(value) == 2 else value


class _Log(Parts):
    def __init__(self, history: History, members: list[list[int]], values: list[Value]) -> None:
        super().__init__(history, members, {part: [len(values)] for part in range(len(values))})
        self.values = values

    def _op(self, number: int, op: Op, kept: Collection[int]) -> Op:
        stay = {self.values[part] for part in kept if part < len(self.values)}
        if not isinstance(op.value, list):
            return op
        return msgspec.structs.replace(op, value=[shown for mop in op.value if (shown := _stripped(mop, stay)) is not None])


def _stripped(mop: Any, stay: set[Value]) -> Any:
    """The micro-op without what went; None for a send that went."""
    if not isinstance(mop, list) or not mop:
        return mop
    if mop[0] == "send" and len(mop) == 3:
        return mop if (name_of(mop[1]), ident(_sent(mop[2]))) in stay else None
    if mop[0] == "poll" and len(mop) == 2 and isinstance(mop[1], dict):
        shown = {key: [pair for pair in pairs or () if (name_of(key), ident(pair[1])) in stay] for key, pairs in mop[1].items()}
        return [mop[0], {key: pairs for key, pairs in shown.items() if pairs}]
    return mop
