"""Leaving out of transactions: of registers and of lists.

Right      Registers: a transaction, or a micro-op of one, may go if all who read what it wrote go with it. In an order that explained the
           whole, whoever comes after it and reads the key reads a later write, or was left out.
           Lists: an append may go if its element goes from all lists that were read: an order that explained the whole still does.
Fine       first whole transactions are parts, then micro-ops.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from typing import Any

import msgspec

from checkers.shrink.parts import Parts, needs_of
from checkers.transactions.txns import APPEND, READ, ident
from harness.history.history import Call, History
from harness.op import Op

Atom = tuple[Hashable, Hashable]


def of_registers(history: History, fine: bool) -> Parts:
    """Parts of a history of ["w", k, v] and ["r", k, v]."""
    calls = list(history.calls())
    places = _places(calls, fine)
    written = [[_atom(mop) for mop in _mops(calls, place) if mop[0] != READ] for place in places]
    observed = [[_atom(mop) for mop in _mops(calls, place) if mop[0] == READ and mop[2] is not None] for place in places]
    return _MicroOps(history, places, needs_of(observed, written), frozenset())


def of_whole_registers(history: History, fine: bool) -> Parts:
    """The same, transactions never taken apart: a read of a group is one only as a whole."""
    return of_registers(history, False)


def of_lists(history: History, fine: bool) -> Parts:
    """Parts of a history of ["append", k, e] and ["r", k, [e, ...]]."""
    calls = list(history.calls())
    places = _places(calls, fine)
    return _MicroOps(history, places, {}, frozenset(_atom(mop) for place in places for mop in _mops(calls, place) if mop[0] == APPEND))


def _places(calls: list[Call], fine: bool) -> list[list[tuple[int, int]]]:
    """Of each part its micro-ops, as (number of the call, position)."""
    places = []
    for number, call in enumerate(calls):
        own = [(number, at) for at in range(len(_value(call)))]
        alike = call.completion is None or not isinstance(call.completion.value, list) or len(call.completion.value) == len(own)
        places += [[place] for place in own] if fine and alike else [own]
    return [place for place in places if place]


def _value(call: Call) -> list[Any]:
    """Micro-ops as they completed, where that is known."""
    done = call.completion
    value = done.value if done is not None and isinstance(done.value, list) else call.invoke.value
    return value if isinstance(value, list) and all(isinstance(mop, list) and len(mop) == 3 for mop in value) else []


def _mops(calls: list[Call], place: Iterable[tuple[int, int]]) -> list[Any]:
    return [_value(calls[number])[at] for number, at in place]


def _atom(mop: Any) -> Atom:
    return ident(mop[1]), ident(mop[2])


class _MicroOps(Parts):
    """Parts of micro-ops; `elements` of lists: those that go from all reads with their appends."""

    def __init__(
        self, history: History, places: list[list[tuple[int, int]]], needs: dict[int, list[int]], elements: frozenset[Atom]
    ) -> None:
        super().__init__(history, [sorted({number for number, _ in place}) for place in places], needs)
        self.places, self.elements = places, elements
        self._kept: Collection[int] = ()
        self._stay: dict[int, set[int]] = {}
        self._gone: frozenset[Atom] = frozenset()

    def of(self, kept: Collection[int]) -> History:
        """The history that remains, its ops numbered anew."""
        self._stay = {}
        for part in kept:
            for number, at in self.places[part]:
                self._stay.setdefault(number, set()).add(at)
        appended = {_atom(mop) for part in kept for mop in _mops(self.calls, self.places[part]) if mop[0] == APPEND}
        self._gone = self.elements - appended
        return super().of(kept)

    def _op(self, number: int, op: Op, kept: Collection[int]) -> Op:
        if not isinstance(op.value, list):
            return op
        stay = self._stay[number]
        return msgspec.structs.replace(op, value=[self._mop(mop) for at, mop in enumerate(op.value) if at in stay])

    def _mop(self, mop: Any) -> Any:
        if not self._gone or mop[0] != READ or not isinstance(mop[2], list):
            return mop
        key = ident(mop[1])
        return [mop[0], mop[1], [element for element in mop[2] if (key, ident(element)) not in self._gone]]
