"""A schedule as a generator: each line on a nemesis thread of its own, so that faults overlap.

Why it exists  what breaks and what the clients do are one schedule (docs/design.md), in simulated time as well as in real time.
Relies on      `update` seeing its own invocations: the index of an injection's invocation is what its heal names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from harness.generators.core import PENDING, Answer, Context, Generator
from harness.op import FAIL, INVOKE, NEMESIS, Op
from nemeses.schedule import Line

WAITING, INJECTING, HOLDING, HEALING = range(4)


def thread_of(number: int) -> str:
    """The thread (and process) of a line."""
    return f"{NEMESIS}:{number}"


class _State(NamedTuple):
    """Where a line is: its next moment, what it does, the injection that it holds."""

    due: int
    mode: int = WAITING
    turn: int = 0
    of: int = -1


class ScheduleGenerator(Generator):
    """All lines of a schedule."""

    __slots__ = ("answer", "end", "head", "instant", "lines", "start", "states")

    def __init__(self, lines: Sequence[Line], instant: frozenset[str], start: int, end: int, states: tuple[_State | None, ...]) -> None:
        self.lines, self.instant, self.start, self.end, self.states = lines, instant, start, end, states
        waiting = [(state.due, number) for number, state in enumerate(states) if state is not None and state.mode in (WAITING, HOLDING)]
        self.head = min(waiting, default=None)
        self.answer: Answer | None = None  # asked beside every client op: made once, as long as its moment lies ahead

    def op(self, ctx: Context) -> Answer:
        if self.head is None:
            return (PENDING, self) if any(state is not None for state in self.states) else (None, None)
        due, number = self.head
        if self.answer is not None and ctx.time <= due:
            return self.answer
        time = max(due, ctx.time)
        if time >= self.end:  # what is still held is healed with all the rest
            return None, None
        if thread_of(number) not in ctx.free:  # a heal of all may have taken it
            return PENDING, self
        self.answer = self._next(number, time)
        return self.answer

    def _next(self, number: int, time: int) -> Answer:
        state, line = self.states[number], self.lines[number]
        assert state is not None
        if state.mode == HOLDING:
            op = Op(-1, time, thread_of(number), INVOKE, "heal", {"of": state.of})
            return op, self._with(number, state._replace(mode=HEALING))
        value = {"line": number, "target": line.target, "params": dict(line.params)}
        return Op(-1, time, thread_of(number), INVOKE, line.fault, value), self._with(number, state._replace(mode=INJECTING))

    def update(self, ctx: Context, event: Op) -> Generator:
        if isinstance(event.process, int) or not event.process.startswith(NEMESIS + ":"):
            return self
        number = int(event.process.partition(":")[2])
        if not 0 <= number < len(self.states) or (state := self.states[number]) is None:
            return self
        line = self.lines[number]
        if event.type == INVOKE:
            if state.mode != INJECTING:
                return self
            lasts = line.lasts if line.lasts is not None else float("inf")
            due = self.end if lasts == float("inf") else event.time + round(lasts * 1e9)
            return self._with(number, state._replace(of=event.index, due=due))
        if state.mode == INJECTING and event.type != FAIL and line.fault not in self.instant:
            return self._with(number, state._replace(mode=HOLDING))
        turn = state.turn + 1
        following = _State(self.start + round(line.at[turn] * 1e9), WAITING, turn) if turn < len(line.at) else None
        return self._with(number, following)

    def _with(self, number: int, state: _State | None) -> ScheduleGenerator:
        states = (*self.states[:number], state, *self.states[number + 1 :])
        return ScheduleGenerator(self.lines, self.instant, self.start, self.end, states)


def schedule_generator(lines: Sequence[Line], instant: frozenset[str], start_ns: int, end_ns: int) -> Any:
    """The schedule's ops: injections from start_ns on, each ended by a heal of its own; nothing is begun from end_ns on.

    instant: faults that are over within their own op.
    """
    states = tuple(_State(start_ns + round(line.at[0] * 1e9)) if line.at else None for line in lines)
    return ScheduleGenerator(tuple(lines), instant, start_ns, end_ns, states)
