"""Leaving out of histories of objects: registers, sets, queues and their like, and whatever only observes.

Right      Registers: a write or cas may go if all who read or compared its value go with it; a refusal that observes needs all of its key.
           Strings that are appended to: a read needs all whose text stands in it.
           Sets: all ops on one element are one part, and the element goes from all reads.
           Queues, stacks, priority queues: all ops on one value are one part; an op that found nothing is one by itself. What took a value
           that nobody knows stays, and so does what drained the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Any

import msgspec

from checkers.linearizable.operations import keyed_by_tuples, split_key
from checkers.shrink.parts import Parts, needs_of
from checkers.transactions.txns import ident
from harness.history.history import Call, History
from harness.op import OK, Op

ASK = frozenset(
    {"read", "dequeue", "deq", "pop", "poll", "peek", "drain", "pop_front", "pop_back", "peek_front", "peek_back"}
)  # ask for a value
MANY = frozenset({"read", "drain", "elements", "dump"})  # complete with a list of elements
Atom = tuple[Hashable, Hashable]
UNKNOWN: Atom = ("nobody knows", ())
ELEMENTS = frozenset(
    {"enqueue", "dequeue", "enq", "deq", "push", "pop", "insert", "poll", "peek", "push_front", "push_back", "pop_front", "pop_back"}
    | {"peek_front", "peek_back", "contains"}
)
OBSERVE = frozenset({"read", "get", "peek", "contains", "value", "generate", "elements", "dump", "watch", "peek_front", "peek_back"})


def keys_in_tuples(history: History) -> bool:
    """Jepsen's independent keys, in what is asked and in what is answered: who asks [k, nil] and gets a list of elements has none."""
    answers = [call.completion for call in history.calls() if call.invoke.f in ASK and call.outcome == OK]
    return keyed_by_tuples(history, ASK) and all(isinstance(op.value, list) and len(op.value) == 2 for op in answers if op is not None)


def of_registers(history: History, fine: bool) -> Parts:
    """Parts of reads, writes, cas, gets, puts and appends, with keys or without."""
    calls = list(history.calls())
    tuples = keys_in_tuples(history)
    by_key: dict[Hashable, list[tuple[int, str]]] = {}
    written: list[list[tuple[Hashable, Hashable]]] = []
    for number, call in enumerate(calls):
        key, value = _split(call.invoke, tuples)
        new = value[1] if call.invoke.f == "cas" and isinstance(value, list) and len(value) == 2 else value
        changes = call.invoke.f not in ("read", "get")
        written.append([(key, ident(new))] if changes else [])
        if changes and isinstance(new, str):
            by_key.setdefault(key, []).append((number, new))
    needs = needs_of([_compared(call, tuples) for call in calls], written)
    for number, call in enumerate(calls):
        if call.invoke.f == "get" and call.completion is not None and call.outcome == OK:
            key, text = _answer(call, call.completion, tuples)
            if isinstance(text, str):
                needs[number] = [other for other, part in by_key.get(key, ()) if other != number and (part in text)]
        if call.invoke.f == "cas" and call.outcome == "fail":
            key = _split(call.invoke, tuples)[0]
            needs[number] = [other for other, atoms in enumerate(written) if other != number and any(atom[0] == key for atom in atoms)]
    return Parts(history, [[number] for number in range(len(calls))], needs)


def _compared(call: Call, tuples: bool) -> list[tuple[Hashable, Hashable]]:
    if call.invoke.f == "cas":
        key, value = _split(call.invoke, tuples)
        return [(key, ident(value[0]))] if isinstance(value, list) and len(value) == 2 else []
    if call.invoke.f == "read" and call.outcome == OK and call.completion is not None:
        key, value = _answer(call, call.completion, tuples)
        return [(key, ident(value))]
    return []


def _split(op: Op, tuples: bool) -> tuple[Hashable, Any]:
    key, value = split_key(op, op.value, tuples)
    return ident(key), value


def _answer(call: Call, done: Op, tuples: bool) -> tuple[Hashable, Any]:
    """(key, what was found); a completion may leave the key to its invocation."""
    if tuples or (isinstance(done.value, dict) and "key" in done.value):
        return _split(done, tuples)
    return _split(call.invoke, tuples)[0], done.value


class _Elements(Parts):
    """Ops on one element of one key together; elements of parts that went are not in the lists that remain."""

    def __init__(
        self, history: History, members: list[list[int]], needs: dict[int, list[int]], elements: dict[int, Atom], tuples: bool
    ) -> None:
        super().__init__(history, members, needs)
        self.elements, self.tuples = elements, tuples
        self._gone: frozenset[Atom] = frozenset()

    def of(self, kept: Collection[int]) -> History:
        """The history that remains, its ops numbered anew."""
        there = set(kept)
        self._gone = frozenset(element for part, element in self.elements.items() if part not in there)
        return super().of(kept)

    def _op(self, number: int, op: Op, kept: Collection[int]) -> Op:
        key, value = _split(op, self.tuples)
        if not isinstance(value, list) or not self._gone or op.f not in MANY:
            return op
        value = [element for element in value if (key, ident(element)) not in self._gone]
        if isinstance(op.value, dict):
            return msgspec.structs.replace(op, value={**op.value, "value": value})
        return msgspec.structs.replace(op, value=[op.value[0], value] if self.tuples else value)


def of_elements(history: History, fine: bool) -> Parts:
    """Parts of a set, a queue, a stack, a bag: by value; ops that found nothing or many by themselves."""
    tuples = keys_in_tuples(history)
    parts: dict[Atom, list[int]] = {}
    alone: list[list[int]] = []
    for number, call in enumerate(history.calls()):
        element = _element(call, tuples)
        if element is None:
            alone.append([number])
        else:
            parts.setdefault(element, []).append(number)
    unknown = parts.pop(UNKNOWN, [])
    members = [*parts.values(), *alone, *([unknown] if unknown else [])]
    last = len(members) - 1
    needs = {part: [last] for part in range(last)} if unknown else {}
    return _Elements(history, members, needs, dict(enumerate(parts)), tuples)


def _element(call: Call, tuples: bool) -> Atom | None:
    """(key, value) that a call is about; None for one that found nothing, or sees many; UNKNOWN for one that took what nobody knows."""
    if call.invoke.f == "drain":
        return UNKNOWN
    key, asked = _split(call.invoke, tuples)
    if call.invoke.f not in ASK or (asked is not None and not isinstance(asked, list)):
        return (key, ident(asked))
    if call.completion is not None and call.outcome == OK:
        found = _answer(call, call.completion, tuples)[1]
        return None if found is None or isinstance(found, list) else (key, ident(found))
    return None if call.invoke.f in ("read", "peek") or call.outcome == "fail" else UNKNOWN
