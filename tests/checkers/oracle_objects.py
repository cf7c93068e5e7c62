"""The slow oracle of the general models: each object's definition once more, and linearizability straight from its own.

Nothing here is imported from the checker. An object is a class with `start`, `after` (which states may an op with this answer lead to; the
answer MISSING: any) and what a simulated client asks of it. A history is linearizable if all completed ops and some of the open ones can be
put into one order that keeps real time and that the object explains; all keys and elements together.
"""

from __future__ import annotations

import random
from typing import Any, ClassVar, NamedTuple

from harness.history.history import History
from harness.op import Op

MISSING = "<nobody knows>"


def same(a: Any, b: Any) -> bool:
    """By type and value."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


class Done(NamedTuple):
    call: int
    ret: float
    f: str
    argument: Any
    answer: Any
    process: int
    failed: bool


def operations(history: History, refusals: tuple[str, ...] = ()) -> list[Done]:
    """All that takes part: what failed had no effect and saw nothing, unless its refusal is an observation."""
    found = []
    for invoke, done in history.calls():
        outcome = done.type if done else "info"
        if outcome == "fail" and invoke.f not in refusals:
            continue
        answer = done.value if outcome == "ok" else MISSING
        ret = float("inf") if outcome == "info" else done.index
        found.append(Done(invoke.index, ret, invoke.f, invoke.value, answer, invoke.process, outcome == "fail"))
    return found


def linearizable(ops: list[Done], thing: Any) -> bool:
    """Whether some order explains the ops, by trying all (an order's rest depends only on what is left and on the state)."""
    dead: set[tuple[frozenset[int], str]] = set()

    def complete(left: frozenset[int], state: Any) -> bool:
        if all(ops[i].ret == float("inf") for i in left):
            return True  # open ops need not have happened
        if (left, repr(state)) in dead:
            return False
        for i in left:
            if any(ops[j].ret < ops[i].call for j in left):
                continue  # something else has to come first
            for after in thing.after(state, ops[i]):
                if complete(left - {i}, after):
                    return True
        dead.add((left, repr(state)))  # not by value: 1 == True
        return False

    return complete(frozenset(range(len(ops))), thing.start)


class Values:
    """What clients put in: few values, some of which are equal to others in Python."""

    pool: tuple[Any, ...] = (1, 1, True, 2, 2, "1")

    def value(self, rng: random.Random) -> Any:
        return rng.choice(self.pool)


class Register(Values):
    faults = (0.0, 0.3, 0.6)
    start: Any = None
    fs = ("read", "read", "write", "cas", "cas")

    def ask(self, rng, state, process):
        f = rng.choice(self.fs)
        return f, None if f == "read" else self.value(rng) if f == "write" else [rng.choice([state, self.value(rng)]), self.value(rng)]

    def after(self, state, op):
        if op.f == "read":
            return [state] if op.answer is MISSING or same(op.answer, state) else []
        if op.f == "write":
            return [op.argument]
        old, new = op.argument
        if op.failed:
            return [] if same(old, state) else [state]
        return [new] if same(old, state) else []

    def do(self, rng, state, f, argument, process):
        if f == "cas":
            return (argument, argument[1]) if same(argument[0], state) else (REFUSED, state)
        return (state, state) if f == "read" else (argument, argument)


REFUSED = "<refused>"


class MultiRegister:
    start: Any = ()
    keys = ("x", "y", "z")

    def ask(self, rng, state, process):
        keys = rng.sample(self.keys, rng.choice([1, 2, 2]))
        kind = rng.choice(["txn", "txn", "read", "write"])
        if kind == "read":
            return "read", dict.fromkeys(keys)
        if kind == "write":
            return "write", {key: rng.choice([1, 2, True, None]) for key in keys}
        return "txn", [rng.choice([["r", key, None], ["w", key, rng.choice([1, 2, True])]]) for key in [*keys, rng.choice(keys)]]

    def run(self, state, f, argument):
        values, answer = dict(state), []
        if f == "write":
            values.update(argument)
            return argument, tuple(sorted(values.items()))
        if f == "read":
            return {key: values.get(key) for key in argument}, state
        for kind, key, value in argument:
            if kind == "w":
                values[key] = value
            answer.append([kind, key, values.get(key) if kind == "r" else value])
        return answer, tuple(sorted(values.items()))

    def after(self, state, op):
        answer, after = self.run(state, op.f, op.argument)
        return [after] if op.answer is MISSING or same(answer, op.answer) else []

    def do(self, rng, state, f, argument, process):
        return self.run(state, f, argument)


class Mutex:
    """acquire completes with nothing, or false where somebody has it."""

    start: Any = None
    tokens = False
    owned = True

    def ask(self, rng, state, process):
        mine = self.holder(state) == (process if self.owned else 0)
        return ("release" if rng.random() < (0.85 if mine else 0.1) else "acquire"), None

    def holder(self, state):
        return state

    def after(self, state, op):
        who = op.process if self.owned else 0
        if op.f == "release":
            return [None] if state == who else []
        if op.answer is False:
            return [] if state is None else [state]
        return [who] if state is None else []

    def do(self, rng, state, f, argument, process):
        who = process if self.owned else 0
        if f == "release":
            return (None, None) if state == who else (REFUSED, state)
        return (None, who) if state is None else (rng.choice([False, REFUSED, REFUSED]), state)


class AnyonesMutex(Mutex):
    owned = False
    faults = (0.0, 0.4, 0.8)


class FencedMutex(Mutex):
    """The state: who has it, and all tokens given so far."""

    start: Any = (None, ())
    tokens = True

    def holder(self, state):
        return state[0]

    def after(self, state, op):
        holder, given = state
        after = super().after(holder, op)
        if op.f == "acquire" and after and op.answer is MISSING:
            return [(after[0], (*given, token)) for token in range(12) if all(token > other for other in given)]
        if op.f == "acquire" and after and op.answer is not False:
            return [(after[0], (*given, op.answer))] if all(op.answer > other for other in given) else []
        return [(one, given) for one in after]

    def do(self, rng, state, f, argument, process):
        answer, holder = super().do(rng, state[0], f, argument, process)
        if f == "acquire" and answer is None:
            answer = max(state[1], default=0) + rng.choice([1, 1, 2])
            return answer, (holder, (*state[1], answer))
        return answer, (holder, state[1])


class Semaphore:
    start: Any = 0
    fs = ("decr", "decr", "incr")
    faults = (0.0, 0.4, 0.8)

    def ask(self, rng, state, process):
        return rng.choice(self.fs), None

    def many(self, argument):
        return 1 if argument is None else argument

    def after(self, state, op):
        many = self.many(op.argument)
        if op.f in ("incr", "release"):
            return [state + many]
        if op.answer is False or (op.answer is not MISSING and same(op.answer, 0)):
            return [state] if state < many else []
        return [state - many] if state >= many else []

    def do(self, rng, state, f, argument, process):
        many = self.many(argument)
        if f in ("incr", "release"):
            return argument, state + many
        return (1, state - many) if state >= many else (rng.choice([0, False]), state)


class Permits(Semaphore):
    """Two permits at the start, one or two at a time."""

    start = 2

    def ask(self, rng, state, process):
        return rng.choice(["acquire", "acquire", "release"]), rng.choice([None, 1, 2])


class Counter:
    start: Any = 0

    def ask(self, rng, state, process):
        f = rng.choice(["read", "read", "add", "increment", "decrement", "subtract", "add-and-get", "get-and-add"])
        return f, None if f in ("read", "increment", "decrement") else rng.choice([1, 2, 3, -1])

    def run(self, state, f, argument):
        number = 0 if f == "read" else 1 if argument is None else argument
        after = state - number if f in ("decrement", "subtract") else state + number
        return (after if f == "add-and-get" else state), after

    def after(self, state, op):
        answer, after = self.run(state, op.f, op.argument)
        told = op.f in ("read", "add-and-get", "get-and-add") and op.answer is not MISSING
        return [after] if not told or same(answer, op.answer) else []

    def do(self, rng, state, f, argument, process):
        return self.run(state, f, argument)


class Line(Values):
    """Queue, stack, deque: ends of a list."""

    start: Any = ()
    puts: ClassVar[dict[str, int]] = {}  # f -> end
    takes: ClassVar[dict[str, int]] = {}
    peeks: ClassVar[dict[str, int]] = {}

    def ask(self, rng, state, process):
        if rng.random() < 0.45:
            return rng.choice(sorted(self.puts)), self.value(rng)
        return rng.choice([*sorted(self.takes) * 3, *sorted(self.peeks)]), None

    def run(self, state, f, argument):
        items = list(state)
        if f in self.puts:
            items.insert(0 if self.puts[f] == 0 else len(items), argument)
            return argument, tuple(items)
        at = self.takes[f] if f in self.takes else self.peeks[f]
        if not items:
            return None, state
        return (items.pop(at) if f in self.takes else items[at]), tuple(items)

    def after(self, state, op):
        answer, after = self.run(state, op.f, op.argument)
        return [after] if op.f in self.puts or op.answer is MISSING or same(answer, op.answer) else []

    def do(self, rng, state, f, argument, process):
        return self.run(state, f, argument)


class Queue(Line):
    puts, takes, peeks = {"enqueue": -1}, {"dequeue": 0}, {"peek": 0}


class Stack(Line):
    puts, takes, peeks = {"push": -1}, {"pop": -1}, {"peek": -1}


class Deque(Line):
    puts: ClassVar = {"push_front": 0, "push_back": -1}
    takes: ClassVar = {"pop_front": 0, "pop_back": -1}
    peeks: ClassVar = {"peek_front": 0, "peek_back": -1}


class PriorityQueue(Line):
    faults = (0.0, 0.3, 0.6)
    puts, takes, peeks = {"insert": -1}, {"poll": -1}, {"peek": -1}
    pool = (1, 1, 2, 3, 1.0, 2.5)
    largest = True

    def options(self, state, f, argument):
        if f == "insert":
            return [(argument, (*state, argument))]
        if not state:
            return [(None, state)]
        best = max(state) if self.largest else min(state)
        return [(item, state if f == "peek" else state[:at] + state[at + 1 :]) for at, item in enumerate(state) if item == best]

    def after(self, state, op):
        free = op.f in self.puts or op.answer is MISSING
        options = self.options(state, op.f, op.argument)
        return [tuple(sorted(after, key=repr)) for answer, after in options if free or same(answer, op.answer)]

    def do(self, rng, state, f, argument, process):
        return rng.choice(self.options(state, f, argument))


class SmallestFirst(PriorityQueue):
    largest = False


class UnorderedQueue(Line):
    puts, takes, peeks = {"enqueue": -1}, {"dequeue": 0}, {}

    def options(self, state, f, argument):
        if f == "enqueue":
            return [(argument, (*state, argument))]
        return [(item, state[:at] + state[at + 1 :]) for at, item in enumerate(state)] or [(None, state)]

    after, do = PriorityQueue.after, PriorityQueue.do


class Set:
    start: Any = ()
    pool = (1, True, 2, "1")
    fs = ("add", "add", "remove", "contains", "read", "read")
    talks = True

    def ask(self, rng, state, process):
        f = rng.choice(self.fs)
        return f, None if f == "read" else rng.choice(self.pool)

    def run(self, state, f, argument):
        there = any(same(argument, item) for item in state)
        if f == "read":
            return list(state), state
        if f == "contains":
            return there, state
        rest = tuple(item for item in state if not same(item, argument))
        after = tuple(sorted((*rest, argument), key=repr)) if f == "add" else rest
        return there == (f == "remove"), after

    def after(self, state, op):
        answer, after = self.run(state, op.f, op.argument)
        if op.answer is MISSING or (op.f in ("add", "remove") and not isinstance(op.answer, bool)):
            return [after]
        if op.f == "read":
            return [after] if same(sorted(answer, key=repr), sorted(op.answer, key=repr)) else []
        return [after] if same(answer, op.answer) else []

    def do(self, rng, state, f, argument, process):
        answer, after = self.run(state, f, argument)
        return (rng.choice([answer, argument]) if f in ("add", "remove") and not isinstance(argument, bool) else answer), after


class SetWithoutReads(Set):
    fs = ("add", "remove", "contains", "contains")


# name -> (the object, the checker's model and its settings)
THINGS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "register": (Register(), "cas-register", {}),
    "observing-register": (Register(), "cas-register", {"failed_cas": "observes"}),
    "multi-register": (MultiRegister(), "multi-register", {}),
    "mutex": (Mutex(), "mutex", {}),
    "anyones-mutex": (AnyonesMutex(), "mutex", {"holder": "anyone"}),
    "fenced-mutex": (FencedMutex(), "fenced-mutex", {}),
    "semaphore": (Semaphore(), "semaphore", {}),
    "permits": (Permits(), "semaphore", {"permits": 2}),
    "counter": (Counter(), "counter", {}),
    "queue": (Queue(), "queue", {}),
    "unordered-queue": (UnorderedQueue(), "unordered-queue", {}),
    "stack": (Stack(), "stack", {}),
    "priority-queue": (PriorityQueue(), "priority-queue", {}),
    "smallest-first": (SmallestFirst(), "priority-queue", {"smallest_first": True}),
    "deque": (Deque(), "deque", {}),
    "set": (Set(), "set", {}),
    "set-elements": (SetWithoutReads(), "set", {}),
}


def random_history(rng: random.Random, name: str) -> History:
    """A few clients against an object that is broken in ways drawn for the history, or not at all."""
    return Clients(rng, THINGS[name][0]).run()


class Clients:
    """Each op takes effect at a drawn moment between its call and its return (a crashed one also after), on the last state or an older."""

    def __init__(self, rng: random.Random, thing: Any) -> None:
        self.rng, self.thing = rng, thing
        self.fault = {name: rng.choice(getattr(thing, "faults", [0.0, 0.0, 0.3, 0.6])) for name in ("stale", "lost", "junk", "dirty")}
        self.crash, self.fail = rng.choice([0.0, 0.0, 0.2, 0.5]), rng.choice([0.0, 0.1, 0.25])
        self.log, self.answers, self.ops = [thing.start], [None], []

    def run(self) -> History:
        rng = self.rng
        clients, target = rng.randint(2, 5), rng.randint(6, 10)
        processes, open_, started = list(range(clients)), {}, 0
        late: list[list[Any]] = []
        while started < target or open_:
            if late and rng.random() < 0.2:
                self.act(late.pop(rng.randrange(len(late))))
            c = rng.randrange(clients)
            if c not in open_:
                if started < target:
                    f, argument = self.thing.ask(rng, self.log[-1], processes[c])
                    self.emit(processes[c], "invoke", f, argument)
                    open_[c] = [f, argument, processes[c], False, None]
                    started += 1
            elif not open_[c][3] and rng.random() < 0.7:
                self.act(open_[c])
            elif rng.random() < 0.4:
                processes[c] = self.end(open_.pop(c), processes, late)
        return History(self.ops)

    def end(self, running: list[Any], processes: list[int], late: list[list[Any]]) -> int:
        """Complete an op, or let it crash; who goes on."""
        f, argument, process, acted, answer = running
        drawn = self.rng.random()
        if drawn < self.crash:
            if self.rng.random() < 0.7:
                self.emit(process, "info", f, argument)
            if not acted:
                late.append(running)
            return max(processes) + 1
        if not acted or answer is REFUSED or (drawn > 1 - self.fail and self.strikes("dirty")):
            self.emit(process, "fail", f, argument)
        else:
            self.emit(process, "ok", f, answer)
        return process

    def act(self, running: list[Any]) -> None:
        f, argument, process, _, _ = running
        state = self.rng.choice(self.log[-3:]) if self.strikes("stale") else self.log[-1]
        answer, after = self.thing.do(self.rng, state, f, argument, process)
        if answer is not REFUSED:
            if self.strikes("junk"):
                answer = self.junk(f, argument, answer)
            if not self.strikes("lost"):
                self.log.append(after)
            self.answers.append((f, argument, answer))
        running[3:] = [True, answer]

    def junk(self, f: str, argument: Any, answer: Any) -> Any:
        """Another answer that such an op had, with the same argument; or one a little off."""
        others = [other for one, asked, other in self.answers[1:] if one == f and same(asked, argument) and not same(other, answer)]
        if others and self.rng.random() < 0.8:
            return self.rng.choice(others)
        if isinstance(answer, bool):
            return answer if f == "acquire" else not answer
        if isinstance(answer, int):
            return answer + self.rng.choice([-1, 1, 2])
        if isinstance(answer, list) and answer and isinstance(answer[0], list):
            return [[kind, key, self.rng.choice([1, 2, None]) if kind == "r" else value] for kind, key, value in answer]
        if isinstance(answer, list):
            return answer[1:] if answer and f == "read" else answer
        return answer

    def emit(self, process: int, type_: str, f: str, value: Any) -> None:
        self.ops.append(Op(len(self.ops), len(self.ops), process, type_, f, value))

    def strikes(self, name: str) -> bool:
        return self.rng.random() < self.fault[name]
