"""Multi-register: several registers; an op reads and writes some of them at one moment.

`txn` has micro-ops ["r", k, null] and ["w", k, v], one after the other, completed with what was read; `read` and `write` have an object of
keys and values ({"x": null} or a list of keys to read). Each register starts as null, unless the setting `initial` has it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, ClassVar, NamedTuple

from checkers.linearizable.operations import freeze, show
from checkers.objects.model import Act, Model
from checkers.objects.operations import UNKNOWN
from harness.errors import HistoryError, UsageError

READS, WRITES = frozenset({"r", "read"}), frozenset({"w", "write"})


class Effect(NamedTuple):
    """What an act reads from before itself, and what it leaves; `possible` is False if it contradicts itself."""

    reads: dict[Any, Any]
    writes: dict[Any, Any]
    keys: frozenset[Any]
    possible: bool = True


class MultiRegister(Model):
    """The state is the set of (key, value) of what is not null. Setting: initial, an object."""

    name: ClassVar[str] = "multi-register"
    fs: ClassVar[frozenset[str]] = frozenset({"txn", "read", "write"})
    silent: ClassVar[frozenset[str]] = frozenset({"write"})

    def __init__(self, initial: dict[str, Any] | None = None) -> None:
        if initial is not None and not isinstance(initial, dict):
            raise UsageError(f"initial = {initial!r}", way_out='give an object of keys and values: {"x": 0}')
        self.initial = frozenset((freeze(key), freeze(value)) for key, value in (initial or {}).items() if value is not None)
        self.known: dict[Act, Effect] = {}

    def admit(self, act: Act, where: str) -> None:
        """The shapes of the opening."""
        self.known[act] = _effect(act, where)

    def step(self, state: Any, act: Act) -> Iterable[Any]:
        """One state or none."""
        effect, values = self._of(act), dict(state)
        if not effect.possible or any(values.get(key) != value for key, value in effect.reads.items()):
            return []
        values.update(effect.writes)
        return [frozenset((key, value) for key, value in values.items() if value is not None)]

    def _of(self, act: Act) -> Effect:
        found = self.known.get(act)
        if found is None:
            found = self.known[act] = _effect(act, "op")
        return found

    def reads(self, act: Act) -> bool:
        """What writes nothing."""
        return not self._of(act).writes

    def commute(self, one: Act, other: Act) -> bool:
        """Where neither writes what the other one touches."""
        first, second = self._of(one), self._of(other)
        return not (first.writes.keys() & second.keys or second.writes.keys() & first.keys)

    def observes(self, act: Act) -> Iterable[Any]:
        """What was read, key by key."""
        return self._of(act).reads.items()

    def needless(self, crashed: Act, observed: frozenset[Any]) -> bool:
        """It wrote nothing that anybody read."""
        return observed.isdisjoint(self._of(crashed).writes.items())

    def split(self, acts: Sequence[Act]) -> Sequence[Hashable] | None:
        """Registers that no op binds together, directly or through others, are objects of their own."""
        leader: dict[Any, Any] = {}

        def find(key: Any) -> Any:
            while (above := leader.setdefault(key, key)) != key:
                key = above
            return key

        touched = [sorted(self._of(act).keys, key=repr) for act in acts]
        for keys in touched:
            for key in keys[1:]:
                leader[find(key)] = find(keys[0])
        return [("registers", find(keys[0])) if keys else ("registers",) for keys in touched]

    def state_text(self, state: Any) -> str:
        """`is {x: 1, y: null}`"""
        return "is " + (
            "{" + ", ".join(f"{show(key)}: {show(value)}" for key, value in sorted(state, key=repr)) + "}" if state else "all null"
        )

    def why_not(self, state: Any, act: Act) -> str:
        """What it read that is not there."""
        effect, values = self._of(act), dict(state)
        if not effect.possible:
            return "it does not read what it wrote itself"
        wrong = [f"{show(key)} as {show(value)}" for key, value in effect.reads.items() if values.get(key) != value]
        return f"it read {', '.join(wrong)}"


def _effect(act: Act, where: str) -> Effect:
    if act.f == "txn":
        asked, got = _micro(act.argument, where), None if act.result is UNKNOWN else _micro(act.result, where)
        if got is not None and [one[:2] for one in got] != [one[:2] for one in asked]:
            raise HistoryError(f"{where}: it completes other micro-ops than were asked for", way_out="the same, with the values read")
        return _replay(asked if got is None else got, got is not None)
    if act.f == "write":
        return _replay([("w", key, value) for key, value in _object(act.argument, where)], True)
    if act.result is UNKNOWN:
        return Effect({}, {}, frozenset(key for key, _ in _object(act.argument, where, keys=True)))
    return _replay([("r", key, value) for key, value in _object(act.result, where)], True)


def _replay(micro: Sequence[tuple[str, Any, Any]], seen: bool) -> Effect:
    """One after the other: what must have been there before, what is there after."""
    reads: dict[Any, Any] = {}
    writes: dict[Any, Any] = {}
    possible = True
    for kind, key, value in micro:
        if kind == "w":
            writes[key] = value
        elif seen and key in writes:
            possible = possible and writes[key] == value
        elif seen:
            possible = possible and reads.setdefault(key, value) == value
    return Effect(reads, writes, frozenset(key for _, key, _ in micro), possible)


def _micro(value: Any, where: str) -> list[tuple[str, Any, Any]]:
    """[(r or w, key, value)] of frozen micro-ops."""
    items = value[1:] if isinstance(value, tuple) and value[0] == "[" else None
    if items is None or not all(isinstance(one, tuple) and one[0] == "[" and len(one) == 4 and one[1] in READS | WRITES for one in items):
        raise HistoryError(f"{where}: {show(value)} is no list of micro-ops", way_out='["r", key, null] and ["w", key, value] are known')
    return [("r" if one[1] in READS else "w", one[2], one[3]) for one in items]


def _object(value: Any, where: str, *, keys: bool = False) -> list[tuple[Any, Any]]:
    """[(key, value)] of a frozen object; a list of keys will do where only they are asked for."""
    if keys and value is None:
        return []
    if keys and isinstance(value, tuple) and value[0] == "[":
        return [(key, None) for key in value[1:]]
    if not (isinstance(value, tuple) and value[0] == "{"):
        raise HistoryError(f"{where}: {show(value)} is no object of keys and values", way_out='as {"x": 1, "y": null}')
    return list(value[1:])
