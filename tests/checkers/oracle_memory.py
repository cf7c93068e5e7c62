"""The slow oracle of the checkers of weaker registers: sequential, causal and PRAM consistency by their definitions; and histories.

Nothing here is imported from the checkers. All orders are tried; which crashed operations took place is tried too.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from harness.history.history import History
from harness.op import Op

KINDS = ("unique", "cas", "duplicates", "observing-cas", "crashing")


class Event(NamedTuple):
    process: Any
    call: int
    ret: float
    f: str
    key: Any
    argument: Any
    result: Any

    @property
    def crashed(self) -> bool:
        return self.ret == float("inf")


def same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and a == b


def events(history: History, observes: bool) -> list[Event]:
    """All that may have taken place; failed ops did not, unless a failed cas observes. A read of unknown outcome changed nothing."""
    found = []
    for invoke, done in history.calls():
        outcome = done.type if done else "info"
        f = {"get": "read", "put": "write"}.get(invoke.f, invoke.f)
        if outcome == "fail" and f == "cas" and observes:
            f = "failed-cas"
        elif outcome == "fail" or (outcome == "info" and f == "read"):
            continue
        ret = float("inf") if outcome == "info" else done.index
        result = done.value["value"] if outcome == "ok" else None
        found.append(Event(invoke.process, invoke.index, ret, f, invoke.value["key"], invoke.value["value"], result))
    return found


def program_order(ops: list[Event]) -> set[tuple[int, int]]:
    return {(i, j) for i, a in enumerate(ops) for j, b in enumerate(ops) if a.process == b.process and a.ret < b.call}


def act(op: Event, value: Any, answers: bool) -> tuple[bool, Any]:
    """(whether it may be so, the value afterwards); what does not answer is a write or nothing."""
    if op.f == "read":
        return not answers or same(value, op.result), value
    if op.f == "write":
        return True, op.argument
    if op.f == "append":
        return True, value + op.argument
    if op.f == "cas":
        return not answers or same(value, op.argument[0]), op.argument[1]
    return not answers or not same(value, op.argument[0]), value


def some_order(ops: list[Event], order: set[tuple[int, int]], answering: set[int], initial: Any = None) -> bool:
    dead = set()

    def complete(left: frozenset[int], held: dict[Any, Any]) -> bool:
        if not left:
            return True
        state = (left, repr(sorted(held.items())))
        if state in dead:
            return False
        for i in left:
            if not any((j, i) in order for j in left):
                fits, after = act(ops[i], held.get(ops[i].key, initial), i in answering)
                if fits and complete(left - {i}, {**held, ops[i].key: after}):
                    return True
        dead.add(state)
        return False

    return complete(frozenset(range(len(ops))), {})


def worlds(ops: list[Event]) -> Iterator[list[Event]]:
    """Each choice of crashed operations that took place."""
    open_ = [i for i, op in enumerate(ops) if op.crashed]
    for chosen in product((False, True), repeat=len(open_)):
        gone = {i for i, there in zip(open_, chosen) if not there}
        yield [op for i, op in enumerate(ops) if i not in gone]


def sequential(history: History, observes: bool = False, initial: Any = None) -> bool:
    return any(some_order(ops, program_order(ops), set(range(len(ops))), initial) for ops in worlds(events(history, observes)))


def write_value(op: Event) -> Any:
    return op.argument[1] if op.f == "cas" else op.argument


def sources(ops: list[Event]) -> Iterator[dict[int, int] | None]:
    """Each way in which the answers may have come from writes; -1: from nobody."""
    choices: list[list[tuple[int, int]]] = []
    for i, op in enumerate(ops):
        if op.f == "read" or (op.f == "cas" and not op.crashed):
            seen = op.result if op.f == "read" else op.argument[0]
            writers = [
                j
                for j, other in enumerate(ops)
                if j != i and other.f in ("write", "cas") and other.key == op.key and same(write_value(other), seen)
            ]
            choices.append([(i, j) for j in writers] + ([(i, -1)] if seen is None else []))
    for chosen in product(*choices):
        yield dict(chosen)


def closed(order: set[tuple[int, int]]) -> set[tuple[int, int]]:
    order = set(order)
    while more := {(i, k) for i, j in order for j2, k in order if j == j2} - order:
        order |= more
    return order


def reads_right(ops: list[Event], order: list[int], source: dict[int, int], who: Any) -> bool:
    """Whether in this order each answer of a process comes from the write that it is said to come from."""
    last: dict[Any, int] = {}
    for i in order:
        if i in source and ops[i].process == who and source[i] != last.get(ops[i].key, -1):
            return False
        if ops[i].f in ("write", "cas"):
            last[ops[i].key] = i
    return True


def extensions(nodes: list[int], order: set[tuple[int, int]]) -> Iterator[list[int]]:
    if not nodes:
        yield []
    for i in nodes:
        if not any((j, i) in order for j in nodes):
            for rest in extensions([j for j in nodes if j != i], order):
                yield [i, *rest]


def views(history: History, causal: bool) -> bool:
    """PRAM or causal memory: for some source of each answer every process has an order of all writes and its own answers."""
    for ops in worlds(events(history, False)):
        base = program_order(ops)
        for source in sources(ops):
            order = closed(base | {(j, i) for i, j in source.items() if j >= 0}) if causal else base
            if any((i, i) in order for i in range(len(ops))):
                continue
            if all(_has_view(ops, order, source, who) for who in dict.fromkeys(op.process for op in ops)):
                return True
    return False


def _has_view(ops: list[Event], order: set[tuple[int, int]], source: dict[int, int], who: Any) -> bool:
    nodes = [i for i, op in enumerate(ops) if op.f in ("write", "cas") or op.process == who]
    return any(reads_right(ops, line, source, who) for line in extensions(nodes, order))


def converges(history: History) -> bool:
    """One order of the writes that keeps causality, such that each answer is the last of the writes causally before it."""
    for ops in worlds(events(history, False)):
        base = program_order(ops)
        for source in sources(ops):
            order = closed(base | {(j, i) for i, j in source.items() if j >= 0})
            if any((i, i) in order for i in range(len(ops))):
                continue
            writes = [i for i, op in enumerate(ops) if op.f in ("write", "cas")]
            if any(_last_seen(ops, line, order, source) for line in extensions(writes, order)):
                return True
    return False


def _last_seen(ops: list[Event], line: list[int], order: set[tuple[int, int]], source: dict[int, int]) -> bool:
    for read, writer in source.items():
        seen = [i for i in line if (i, read) in order and ops[i].key == ops[read].key]
        if (seen[-1] if seen else -1) != writer:
            return False
    return True


def random_history(rng: random.Random, kind: str) -> History:
    """A few clients, each at a replica of its own that takes others' writes late, or in another order, or never."""
    return _Replicas(rng, kind).run()


class _Replicas:
    def __init__(self, rng: random.Random, kind: str) -> None:
        self.rng, self.kind = rng, kind
        self.clients, self.target = rng.randint(2, 4), rng.randint(8, 11)
        self.keys = rng.choice([1, 1, 2])
        self.lag, self.swap, self.junk = rng.choice([0.5, 0.8, 0.95]), rng.choice([0.0, 0.3, 0.8]), rng.choice([0.0, 0.0, 0.0, 0.15])
        self.roam, self.old = rng.choice([0.2, 0.6, 0.9]), rng.choice([0.0, 0.6, 0.9, 0.9])
        self.crash, self.fail = rng.choice([0.0, 0.0, 0.1, 0.25] if kind != "crashing" else [0.3]), rng.choice([0.0, 0.1, 0.2])
        self.held: list[dict[int, Any]] = [{} for _ in range(self.clients)]
        self.queues: list[list[tuple[int, int, Any]]] = [[] for _ in range(self.clients)]
        self.written, self.ops = 0, list[Op]()
        self.log: dict[int, list[Any]] = {}

    def run(self) -> History:
        rng = self.rng
        processes, open_, started = list(range(self.clients)), {}, 0
        while started < self.target or open_:
            self.deliver()
            c = rng.randrange(self.clients)
            if c not in open_:
                if started < self.target:
                    open_[c] = self.invoke(c, processes[c])
                    started += 1
                continue
            if rng.random() < 0.3:
                continue
            f, key, argument = open_.pop(c)
            drawn = rng.random()
            if drawn < self.crash and (self.kind != "crashing" or f != "read"):
                if rng.random() < 0.6:
                    self.act(c, f, key, argument)
                if rng.random() < 0.7:
                    self.emit(processes[c], "info", f, key, argument)
                processes[c] = max(processes) + 1
            elif drawn > 1 - self.fail:
                if rng.random() < 0.1:
                    self.act(c, f, key, argument)
                self.emit(processes[c], "fail", f, key, argument)
            else:
                answer = self.act(c, f, key, argument)
                self.emit(processes[c], "fail" if answer is False else "ok", f, key, answer if f == "read" else argument)
        return History(self.ops)

    def emit(self, process: int, type_: str, f: str, key: int, value: Any) -> None:
        self.ops.append(Op(len(self.ops), len(self.ops) * 1000, process, type_, f, {"key": key, "value": value}))

    def invoke(self, c: int, process: int) -> tuple[str, int, Any]:
        rng, key = self.rng, self.rng.randrange(self.keys)
        self.written += 1
        value: Any = self.written if self.kind in ("unique", "cas") else rng.choice([1, True, 2, 3])
        f = rng.choice(["read", "read", "write"] if self.kind in ("unique", "duplicates") else ["read", "read", "read", "write", "cas"])
        argument = None if f == "read" else [self.held[c].get(key), value] if f == "cas" else value
        self.emit(process, "invoke", f, key, argument)
        return f, key, argument

    def act(self, c: int, f: str, key: int, argument: Any) -> Any:
        if self.rng.random() < self.roam:
            c = self.rng.randrange(self.clients)
        held = self.held[c].get(key)
        if f == "read":
            if self.rng.random() < self.old:
                return self.rng.choice([None, *self.log.get(key, [])])
            return self.rng.randint(1, self.written) if self.rng.random() < self.junk else held
        if f == "cas":
            if not same(held, argument[0]):
                return False
            argument = argument[1]
        self.held[c][key] = argument
        self.log.setdefault(key, []).append(argument)
        for other, queue in enumerate(self.queues):
            if other != c:
                queue.append((c, key, argument))
        return True

    def deliver(self) -> None:
        rng = self.rng
        for c, queue in enumerate(self.queues):
            while queue and rng.random() >= self.lag:
                at = rng.randrange(len(queue)) if rng.random() < self.swap else 0
                _, key, value = queue.pop(at)
                self.held[c][key] = value
