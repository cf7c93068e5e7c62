"""Larger histories of the general models: valid ones, ones with a planted violation, and ones with many crashed ops.

Clients overlap; each op takes effect at one moment within its interval; a crashed one at that moment, later, or never.
"""

from __future__ import annotations

import random
from typing import Any

import msgspec

from harness.history.history import History
from harness.op import Op
from tests.checkers.oracle_objects import REFUSED, THINGS

SETTINGS: dict[str, dict[str, Any]] = {}
# model -> the f whose answer is falsified, and how
PLANTED = {
    "queue": ("dequeue", "nobody"),
    "stack": ("pop", "nobody"),
    "deque": ("pop_front", "nobody"),
    "priority-queue": ("poll", 0.5),
    "unordered-queue": ("dequeue", "nobody"),
    "set": ("read", ["nobody"]),
    "counter": ("read", 10_000),
    "mutex": ("acquire", None),
    "fenced-mutex": ("acquire", 0),
    "semaphore": ("decr", 1),
    "cas-register": ("read", "nobody"),
    "multi-register": ("read", None),
}


class _Source:
    """Clients of an object that is as it should be."""

    def __init__(self, model: str, clients: int, seed: int) -> None:
        self.thing = next(thing for thing, name, _ in THINGS.values() if name == model)
        self.rng, self.clients = random.Random(f"{model} {seed}"), clients
        self.state, self.ops = self.thing.start, []
        self.late: list[tuple[Any, ...]] = []

    def run(self, count: int, crashing: frozenset[int]) -> History:
        rng = self.rng
        processes, open_, started = list(range(self.clients)), {}, 0
        while started < count or open_:
            if self.late and rng.random() < 0.05:
                self.act(*self.late.pop(rng.randrange(len(self.late))))
            c = rng.randrange(self.clients)
            if c not in open_:
                if started < count:
                    f, argument = self.ask(processes[c])
                    self.emit(processes[c], "invoke", f, argument)
                    open_[c] = [f, argument, processes[c], started in crashing, False, None]
                    started += 1
                continue
            f, argument, process, crashes, acted, answer = open_[c]
            if not acted and not crashes and rng.random() < 0.6:
                open_[c][4:] = [True, self.act(f, argument, process)]
            elif rng.random() < 0.5 and (acted or crashes):
                del open_[c]
                if crashes:
                    self.emit(process, "info", f, argument)
                    self.late.append((f, argument, process))
                    processes[c] = max(processes) + 1
                else:
                    self.emit(process, "fail" if answer is REFUSED else "ok", f, argument if answer is REFUSED else answer)
        return History(self.ops)

    def ask(self, process: int) -> tuple[str, Any]:
        """Takes as often as puts, so that nothing grows."""
        f, argument = self.thing.ask(self.rng, self.state, process)
        if isinstance(self.state, tuple) and len(self.state) > 4 and hasattr(self.thing, "puts"):
            f, argument = self.rng.choice(sorted(self.thing.takes)), None
        return f, argument

    def act(self, f: str, argument: Any, process: int) -> Any:
        answer, self.state = self.thing.do(self.rng, self.state, f, argument, process)
        return answer

    def emit(self, process: int, type_: str, f: str, value: Any) -> None:
        self.ops.append(Op(len(self.ops), len(self.ops) * 1000, process, type_, f, value))


def valid(model: str, count: int, clients: int, seed: int) -> History:
    """`count` ops, all completed."""
    return _Source(model, clients, seed).run(count, frozenset())


def crashed(model: str, count: int, crashing: int, seed: int, clients: int = 5) -> History:
    """`count` ops of which `crashing` crash, spread over all of it."""
    source = _Source(model, clients, seed)
    return source.run(count, frozenset(source.rng.sample(range(count), crashing)))


def plant(model: str, history: History) -> tuple[History, int]:
    """The history with one answer falsified, near its end; where."""
    if model == "semaphore":
        return _more_than_there_are(history)
    f, false = PLANTED[model]
    at = next(at for at in range(len(history.ops) - 1, -1, -1) if _can(history.ops[at], f, model))
    ops = list(history.ops)
    value = ops[at].value
    if model == "multi-register":
        false = dict.fromkeys(value, "nobody")
    ops[at] = msgspec.structs.replace(ops[at], type="ok", value=false)
    return History(ops), at


def _more_than_there_are(history: History) -> tuple[History, int]:
    """One decr too many, after all others."""
    net = sum((op.f == "incr") - (op.f == "decr" and op.value == 1) for op in history.ops if op.type == "ok")
    net += sum(op.f == "incr" for op in history.ops if op.type == "info")
    ops = list(history.ops)
    for _ in range(net + 1):
        for type_, value in (("invoke", None), ("ok", 1)):
            ops.append(Op(len(ops), len(ops) * 1000, 1000, type_, "decr", value))
    return History(ops), len(ops) - 1


def _can(op: Op, f: str, model: str) -> bool:
    if op.f != f:
        return False
    if model == "mutex":
        return op.type == "fail"  # it was refused, and now says that it was granted
    return op.type == "ok" and op.value is not False
