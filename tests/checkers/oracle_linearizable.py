"""The slow oracle of the register checker: linearizability straight from its definition, and random small histories to try it on.

Nothing here is imported from the checker. A history is linearizable if all completed operations and some of the open ones can be put into
one order that keeps real time and that a sequential store explains; all keys together, so that judging them one by one is tried too.
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from harness.history.history import History
from harness.op import Op

KINDS = ("unique", "duplicates", "cas", "observing-cas", "crashing-cas", "kv")


class Done(NamedTuple):
    call: int
    ret: float
    f: str
    key: Any
    argument: Any
    result: Any


def operations(history: History, observes: bool) -> list[Done]:
    """All that takes part: what failed had no effect and saw nothing, unless a failed cas observes."""
    found = []
    for invoke, done in history.calls():
        outcome = done.type if done else "info"
        result = done.value["value"] if outcome == "ok" else None
        f, ret = invoke.f, float("inf") if outcome == "info" else done.index
        if outcome == "fail" and f == "cas" and observes:
            f = "failed-cas"
        elif outcome == "fail":
            continue
        found.append(Done(invoke.index, ret, f, invoke.value["key"], invoke.value["value"], result))
    return found


def linearizable(history: History, initial: Any, observes: bool = False) -> bool:
    """Whether some order explains it, by trying all (an order's rest depends only on what is left and on the store)."""
    ops = operations(history, observes)
    dead: set[tuple[frozenset[int], str]] = set()

    def complete(left: frozenset[int], store: tuple[Any, ...]) -> bool:
        if all(ops[i].ret == float("inf") for i in left):
            return True  # open ops need not have happened
        if (left, repr(store)) in dead:
            return False
        for i in left:
            if any(ops[j].ret < ops[i].call for j in left):
                continue  # something else has to come first
            values = dict(store)
            answer, values[ops[i].key] = apply(ops[i].f, values.get(ops[i].key, initial), ops[i].argument)
            right = ops[i].f in ("read", "get") and ops[i].ret < float("inf")
            if (not right and answer is not False) or (right and same(answer, ops[i].result)):
                after = tuple(sorted(values.items(), key=lambda item: str(item[0])))
                if complete(left - {i}, after):
                    return True
        dead.add((left, repr(store)))  # not by value: 1 == True
        return False

    return complete(frozenset(range(len(ops))), ())


def same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and a == b


def apply(f: str, value: Any, argument: Any) -> tuple[Any, Any]:
    """(answer, new value); the answer False: not possible here."""
    if f in ("read", "get"):
        return value, value
    if f in ("write", "put"):
        return None, argument
    if f == "append":
        return None, value + argument
    old, new = argument
    if f == "cas":
        return (None, new) if same(old, value) else (False, value)
    return (None, value) if not same(old, value) else (False, value)


def random_history(rng: random.Random, kind: str) -> History:
    """A few clients against a store that is broken in ways drawn for the history, or not at all."""
    return _Store(rng, kind).run()


class _Store:
    """Each op takes effect at a drawn moment between its call and its return (a crashed one also after), on the last value or an older."""

    def __init__(self, rng: random.Random, kind: str) -> None:
        self.rng, self.kind = rng, kind
        faults = ("stale", "lost", "dirty", "junk", "blind", "wrong")
        self.fault = {name: 0.2 + rng.random() * 0.6 if rng.random() < 0.4 else 0.0 for name in faults}
        self.crash, self.fail = rng.choice([0.0, 0.15, 0.4]), rng.choice([0.0, 0.1, 0.25])
        self.keys = rng.choice([1, 1, 1, 2])
        if kind == "crashing-cas":  # where the search has to choose between crashed ops
            self.fault, self.crash, self.keys = dict.fromkeys(faults, rng.choice([0.0, 0.4, 0.6])), 0.45, 1
        self.log: dict[int, list[Any]] = {k: ["" if kind == "kv" else None] for k in range(self.keys)}
        self.written = 0
        self.narrow = kind == "crashing-cas" and rng.random() < 0.5
        self.ops: list[Op] = []

    def run(self) -> History:
        rng = self.rng
        clients, target = (rng.randint(2, 5), rng.randint(8, 12)) if self.kind == "crashing-cas" else (rng.randint(1, 5), rng.randint(5, 9))
        processes, open_, started = list(range(clients)), {}, 0
        late: list[list[Any]] = []
        while started < target or open_:
            if late and rng.random() < 0.2:
                self.act(late.pop())
            c = rng.randrange(clients)
            if c not in open_:
                if started < target:
                    open_[c] = self.invoke(processes[c])
                    started += 1
            elif not open_[c][3] and rng.random() < 0.7:
                self.act(open_[c])
            elif rng.random() < 0.4:
                f, key, argument, acted, answer = running = open_.pop(c)
                drawn = rng.random()
                if drawn < self.crash:
                    if rng.random() < 0.7:
                        self.emit(processes[c], "info", f, key, argument)
                    processes[c] = max(processes) + 1
                    if not acted:
                        late.append(running)
                elif not acted or answer is False or (drawn > 1 - self.fail and (f in ("read", "get") or self.strikes("dirty"))):
                    self.emit(processes[c], "fail", f, key, argument)
                else:
                    self.emit(processes[c], "ok", f, key, answer if f in ("read", "get") else argument)
        return History(self.ops)

    def emit(self, process: int, type_: str, f: str, key: int, value: Any) -> None:
        self.ops.append(Op(len(self.ops), len(self.ops), process, type_, f, {"key": key, "value": value}))

    def strikes(self, name: str) -> bool:
        return self.rng.random() < self.fault[name]

    def value(self) -> Any:
        """A value to write: unique, or one of a few of which some are equal to others in Python."""
        self.written += 1
        if self.kind == "unique" or (self.kind == "cas" and self.fault["junk"] < 0.2 and self.rng.random() < 0.9):
            return self.written
        if self.kind == "kv":
            return self.rng.choice("abc")
        return self.rng.choice([1, 2] if self.narrow else [1, True, 2, None, 3])

    def invoke(self, process: int) -> list[Any]:
        rng, key = self.rng, self.rng.randrange(self.keys)
        choices = {"kv": ["get", "get", "put", "append"], "unique": ["read", "read", "write"], "duplicates": ["read", "read", "write"]}
        f = rng.choice(choices.get(self.kind, ["read", "read", "write", "cas", "cas"]))
        argument: Any = None
        if f == "cas":
            argument = [rng.choice(self.log[key][-2:]), self.value()]
        elif f not in ("read", "get"):
            argument = self.value()
        self.emit(process, "invoke", f, key, argument)
        return [f, key, argument, False, None]

    def act(self, running: list[Any]) -> None:
        f, key, argument, _, _ = running
        log = self.log[key]
        now = self.rng.choice(log[-3:]) if self.strikes("stale") else log[-1]
        answer, after = apply(f, now, argument)
        if f == "cas" and answer is False and self.strikes("blind"):
            answer, after = None, argument[1]
        if f == "cas" and answer is None and self.strikes("wrong"):
            answer = False  # refused although it matched
        elif f in ("read", "get"):
            if self.strikes("junk"):
                answer = self.rng.choice("zab") if f == "get" else self.rng.choice([*range(1, self.written + 2), 77])
        elif answer is not False and not self.strikes("lost"):
            log.append(after)
        running[3:] = [True, answer]
