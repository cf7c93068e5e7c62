"""The slow oracle of the monitors: linearizability straight from its definition, and random small histories to try them on.

Nothing here is imported from the checkers. A history is linearizable if all completed operations and some of the open ones can be put into
one order that keeps real time and that sequential objects, one a key, explain; all keys together, so that judging them one by one is tried.
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from harness.history.history import History
from harness.op import Op

KINDS = ("queue", "stack", "priority-queue", "set-object")
WORDS = {
    "queue": ("enqueue", "dequeue", "peek"),
    "stack": ("push", "pop", "peek"),
    "priority-queue": ("insert", "poll", "peek"),
    "set-object": ("add", "remove", "contains"),
}


class Done(NamedTuple):
    call: int
    ret: float
    f: str
    key: Any
    argument: Any
    result: Any


def operations(history: History) -> list[Done]:
    """All that takes part: what failed had no effect and saw nothing; what is unknown has no result."""
    found = []
    for invoke, done in history.calls():
        outcome = done.type if done else "info"
        if outcome == "fail":
            continue
        ret = float("inf") if outcome == "info" else done.index
        result = done.value["value"] if outcome == "ok" else None
        found.append(Done(invoke.index, ret, invoke.f, invoke.value["key"], invoke.value["value"], result))
    return found


def linearizable(history: History, kind: str, smallest: bool = False) -> bool:
    """Whether some order explains it, by trying all (an order's rest depends only on what is left and on the objects)."""
    ops = operations(history)
    dead: set[tuple[frozenset[int], tuple[Any, ...]]] = set()

    def complete(left: frozenset[int], objects: tuple[Any, ...]) -> bool:
        if all(ops[i].ret == float("inf") for i in left):
            return True  # open ops need not have happened
        if (left, objects) in dead:
            return False
        for i in left:
            if any(ops[j].ret < ops[i].call for j in left):
                continue  # something else has to come first
            held = dict(objects)
            items, answer = act(kind, ops[i].f, held.get(ops[i].key, ()), ops[i].argument, smallest)
            if ops[i].ret < float("inf") and not fits(kind, ops[i], answer):
                continue
            held[ops[i].key] = items
            if complete(left - {i}, tuple(sorted(held.items()))):
                return True
        dead.add((left, objects))
        return False

    return complete(frozenset(range(len(ops))), ())


def act(kind: str, f: str, items: tuple[int, ...], argument: Any, smallest: bool) -> tuple[tuple[int, ...], Any]:
    """(what is in the object afterwards, the answer)."""
    add, remove, _ = WORDS[kind]
    if kind == "set-object":
        rest = tuple(item for item in items if item != argument)
        there = len(rest) < len(items)
        if f == add:
            return tuple(sorted((*rest, argument))), not there
        return (rest if f == remove else items), there
    if f == add:
        return (*items, argument), None
    if not items:
        return items, None
    out = items[0] if kind == "queue" else items[-1] if kind == "stack" else min(items) if smallest else max(items)
    at = items.index(out)
    return (items[:at] + items[at + 1 :] if f == remove else items), out


def fits(kind: str, op: Done, answer: Any) -> bool:
    """Whether an answer is the one recorded; a set's add or remove that echoes its element tells nothing."""
    if kind != "set-object":
        return op.f == WORDS[kind][0] or op.result == answer
    told = op.result[1] if isinstance(op.result, list) else op.result
    return not isinstance(told, bool) or told is answer


def random_history(rng: random.Random, kind: str, smallest: bool = False) -> History:
    """A few clients against an object that is broken in ways drawn for the history, or not at all."""
    return _Object(rng, kind, smallest).run()


class _Object:
    """Each op takes effect at a drawn moment between its call and its return; a crashed one also after, or never."""

    def __init__(self, rng: random.Random, kind: str, smallest: bool) -> None:
        self.rng, self.kind, self.smallest = rng, kind, smallest
        often = {"other": 0.85, "blind": 0.35, "lost": 0.15, "again": 0.07, "early": 0.1, "junk": 0.05}
        self.fault = {name: 0.2 + rng.random() * 0.7 if rng.random() < share else 0.0 for name, share in often.items()}
        self.crash, self.fail = rng.choice([0.0, 0.0, 0.15, 0.3]), rng.choice([0.0, 0.15])
        self.keys = rng.choice([1, 1, 1, 1, 2])
        self.items: dict[int, list[int]] = {key: [] for key in range(self.keys)}
        self.gone: dict[int, list[int]] = {key: [] for key in range(self.keys)}
        self.added, self.looks = 0, rng.choice([0.0, 0.0, 0.15, 0.4])
        self.adding = rng.choice([0.4, 0.5, 0.6])
        self.values = list(range(1, 30))
        rng.shuffle(self.values)
        self.few, self.told = rng.choice([1, 2, 3]), rng.choice([True, True, False])
        self.ops: list[Op] = []

    def run(self) -> History:
        rng = self.rng
        clients, target = rng.randint(1, 4), rng.randint(6, 11)
        processes, open_, started = list(range(clients)), {}, 0
        late: list[list[Any]] = []
        hurry = rng.choice([0.3, 0.6, 0.9])
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
            elif open_[c][3] and rng.random() < hurry:
                f, key, argument, _, answer = open_.pop(c)
                self.complete(processes, c, f, key, argument, answer, acted=True, late=late)
            elif rng.random() < 0.1:
                f, key, argument, acted, answer = open_.pop(c)
                self.complete(processes, c, f, key, argument, answer, acted=acted, late=late)
        return History(self.ops)

    def complete(
        self, processes: list[int], c: int, f: str, key: int, argument: Any, answer: Any, *, acted: bool, late: list[list[Any]]
    ) -> None:
        add, _, look = WORDS[self.kind]
        drawn = self.rng.random()
        if drawn < self.crash:
            if self.rng.random() < 0.7:
                self.emit(processes[c], "info", f, key, argument)
            processes[c] = max(processes) + 1
            if not acted:
                late.append([f, key, argument, False, None])
        elif not acted or (drawn > 1 - self.fail and (f == look or self.strikes("lost"))):
            self.emit(processes[c], "fail", f, key, argument)
        else:
            self.emit(processes[c], "ok", f, key, argument if self.kind != "set-object" and f == add else answer)

    def emit(self, process: int, type_: str, f: str, key: int, value: Any) -> None:
        self.ops.append(Op(len(self.ops), len(self.ops), process, type_, f, {"key": key, "value": value}))

    def strikes(self, name: str) -> bool:
        return self.rng.random() < self.fault[name]

    def invoke(self, process: int) -> list[Any]:
        add, remove, look = WORDS[self.kind]
        adding = 0.85 if self.added < 3 else self.adding
        f = self.rng.choices([add, remove, look], [adding, 1 - adding, self.looks])[0]
        key, argument = self.rng.randrange(self.keys), None
        if self.kind == "set-object":
            argument = self.rng.randint(1, self.few)
        elif f == add:
            argument = self.values[self.added]
            self.added += 1
            if self.strikes("early"):
                self.items[key].append(argument)
        self.emit(process, "invoke", f, key, argument)
        return [f, key, argument, False, None]

    def act(self, running: list[Any]) -> None:
        f, key, argument = running[:3]
        add, remove, _ = WORDS[self.kind]
        running[3] = True
        before = tuple(self.items[key])
        items, answer = act(self.kind, f, before, argument, self.smallest)
        if f == add and (self.strikes("lost") or argument in before):
            items = before
        if self.kind == "set-object":
            if self.strikes("other"):
                answer = not answer
            if not self.told and f != "contains":
                answer = argument
            elif self.rng.random() < 0.2:
                answer = [argument, answer]
        elif f != add:
            if before and self.strikes("other"):
                answer = self.rng.choice(before)
                items = tuple(item for item in before if item != answer) if f == remove else before
            elif self.gone[key] and self.strikes("again"):
                answer, items = self.rng.choice(self.gone[key]), before
            elif self.strikes("blind"):
                answer, items = None, before
            elif self.strikes("junk"):
                answer, items = self.values[self.added], before
            if f == remove and answer is not None:
                self.gone[key].append(answer)
        self.items[key] = list(items)
        running[4] = answer
