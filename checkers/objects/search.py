"""Search: linearizability of one object of any model, complete, with crashed operations as counters.

Decides    whether the operations on one object have a linearization.
Right      just-in-time linearization keeps every configuration (state, which pending ops have already acted, how many crashed ops of each
           kind) that some order allows; on a return only those remain in which the op has acted. What is left out loses nothing:
           - of two configurations equal but for the crashed ops used, one that used fewer of each kind can do all that the other can;
           - a pending op that is only a read, and that fits the state, acts at once: acting earlier forbids nothing;
           - of equal pending ops the one that returns first acts first, and a crashed one last: exchanged, they leave the same states;
           - before the op that returns only those act that do not commute with it, or with another one of these: the others can act
             after it as well (they are still pending);
           - a crashed op that leaves the state as it is, or that the model calls needless or of no help, need not act.
           Where crashed ops make many configurations, quick tries come first, each of which may settle it: if keeping a few
           configurations alike but for the crashed ops used leads to the end, there is an order; if not even a boundless supply of every
           crashed op helps, there is none.
Unknown    more configurations than the budget.
Source     Lowe, Testing for linearizability, CCPE 2017; the reasons above are ours, checked against brute force.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from checkers.objects.machine import Machine
from checkers.objects.model import Model
from checkers.objects.operations import UNKNOWN, Operation
from checkers.objects.supply import Supply

BUDGET = 2_000_000
FIRST = 60_000  # configurations after which the complete search is left for the quick tries, where ops crashed
MANY = 17  # configurations remembered of one moment: more explain nothing
NARROW = 60_000  # configurations that a quick try may cost, times the uses that it keeps
BEAMS = (2, 12)  # uses kept for each state and mask in the quick tries
QUICK = 200_000  # configurations that the boundless try may cost ...
STATES = 3_000  # ... and states that it may meet: a boundless supply may lead to ever new ones
Config = tuple[int, int, int]  # state, mask of pending ops that have acted, uses
Event = tuple[int, bool, int]  # position, is a return, live op (or -1 - kind of crashed op)


class Stuck(NamedTuple):
    """No order explains the return of `op`.

    before   states that were possible when it was about to return, before the pending ops acted on its behalf
    reached  those, and all states that pending ops can lead to while it has not acted
    pending  the other ops that were open then, and one example of each kind of crashed op that was there
    """

    op: Operation
    before: list[Any]
    reached: list[Any]
    pending: list[Operation]


class OutOfBudget(Exception):
    """More configurations than the budget allows."""


class Effort:
    """What may still be spent: one for each configuration whose next steps are tried."""

    def __init__(self, budget: int) -> None:
        self.left = budget

    def spend(self) -> None:
        """Raise OutOfBudget when nothing is left."""
        self.left -= 1
        if self.left < 0:
            raise OutOfBudget


class Start(NamedTuple):
    """A state, and the calls of the open ops that have acted already."""

    state: Any
    acted: frozenset[int] = frozenset()


def search_model(
    operations: Sequence[Operation],
    model: Model,
    budget: int | Effort = BUDGET,
    starts: Sequence[Start] | None = None,
    begin: int = -1,
    *,
    exact: bool = False,
) -> Stuck | None:
    """None if the operations on one object have a linearization, else where every order gets stuck.

    Args:    operations: in order of invocation; budget: how many configurations may be tried; starts: what may be so at position `begin`,
             instead of the model's initial state (all operations return later); exact: no quick tries, so that the states in `Stuck` are
             the real ones.
    Raises:  OutOfBudget. HistoryError or UsageError naming the op, where it has not the model's shape, or the model fails.
    Cost:    ops × (states × 2^pending × antichains of crashed ops), at worst; a budget of 1,000,000 lasts some seconds.
    """
    effort = budget if isinstance(budget, Effort) else Effort(budget)
    if model.own_search is not None and starts is None and not exact:
        stuck: Stuck | None = model.own_search(operations, effort)
        return stuck
    task = _Task(operations, Machine(model))
    if starts is None:
        starts = [Start(model.initial)]
    crashed = sum(at < 0 for _, _, at in task.events)

    def tried(supply: Supply, most: int) -> Stuck | None:
        some = Effort(min(most, effort.left))
        effort.left -= some.left
        try:
            return _Search(task, supply, some).run(starts, begin)
        finally:
            effort.left += max(some.left, 0)

    if crashed and not exact:
        with suppress(OutOfBudget):
            return tried(Supply(len(task.kinds), crashed), FIRST)
        for beam in BEAMS:
            with suppress(OutOfBudget):
                narrow = Supply(len(task.kinds), crashed, beam=beam)
                stuck = tried(narrow, NARROW * beam)
                if stuck is None or not narrow.cut:
                    return stuck
            if beam == BEAMS[0]:
                with suppress(OutOfBudget):
                    stuck = tried(Supply(len(task.kinds), crashed, boundless=True), QUICK)
                    if stuck is not None:
                        return stuck
    return tried(Supply(len(task.kinds), crashed), effort.left)


def starts_at(operations: Sequence[Operation], model: Model, effort: Effort, until: int, most: int) -> list[tuple[int, list[Start]]]:
    """(position of a return, what may be so right after it) of the last `most` returns up to position `until`. Raises OutOfBudget.

    The operations need not have an order: up to where they get stuck.
    """
    task = _Task(operations, Machine(model))
    crashed = sum(at < 0 for _, _, at in task.events)
    search = _Search(task, Supply(len(task.kinds), crashed), effort)
    search.remember, search.until = deque(maxlen=most), until
    search.run([Start(model.initial)], -1)
    return list(search.remember)


class _Task:
    """The ops to search: live ones with their acts, kinds of crashed ones, and the events in order."""

    def __init__(self, operations: Sequence[Operation], machine: Machine) -> None:
        self.machine = machine
        self.live: list[Operation] = []
        self.act: list[int] = []
        self.kinds: list[int] = []  # acts of crashed ops
        self.examples: list[Operation] = []
        self.events: list[Event] = []
        acts = [machine.act(op) for op in operations]
        crashed = {at for at, op in enumerate(operations) if op.crashed and not machine.is_read[acts[at]]}
        crashed = _needed(crashed, operations, acts, machine)
        kind_of: dict[int, int] = {}
        for at, op in enumerate(operations):
            if at in crashed:
                kind = kind_of.setdefault(acts[at], len(self.kinds))
                if kind == len(self.kinds):
                    self.kinds.append(acts[at])
                    self.examples.append(op)
                self.events.append((op.call, False, -1 - kind))
            elif not op.crashed:
                self.events += [(op.call, False, len(self.live)), (op.ret, True, len(self.live))]
                self.live.append(op)
                self.act.append(acts[at])
        self.events.sort()
        self.told = any(op.result is not UNKNOWN for op in self.examples)  # in a window: what returned later, and is known


def _needed(crashed: set[int], operations: Sequence[Operation], acts: Sequence[int], machine: Machine) -> set[int]:
    """The crashed ops without those that the model calls needless, given what all others observe."""
    model = machine.model
    while True:
        observed = frozenset(
            value for at, op in enumerate(operations) if not op.crashed or at in crashed for value in model.observes(machine.seen[acts[at]])
        )
        useful = {at for at in crashed if not model.needless(machine.seen[acts[at]], observed)}
        if useful == crashed:
            return crashed
        crashed = useful


class _Pending(NamedTuple):
    """A live op that is open: its bit, its act, and the bits of equal ops that have to act first."""

    bit: int
    act: int
    first: int


class _Search:
    """What is pending, and how configurations go on."""

    def __init__(self, task: _Task, supply: Supply, effort: Effort) -> None:
        self.task, self.supply, self.effort = task, supply, effort
        self.machine = task.machine
        self.open: dict[int, int] = {}  # bit -> live op
        self.bit_of: dict[int, int] = {}
        self.pending: list[_Pending] = []
        self.round: _Round
        self.frontier: list[Config] = []
        self.free: list[int] = []
        self.remember: deque[tuple[int, list[Start]]] | None = None
        self.until = -1
        self.related = self.machine.model.__class__.commute is not Model.commute

    def run(self, starts: Sequence[Start], begin: int) -> Stuck | None:
        """Through all events."""
        events, first = self.task.events, 0
        while first < len(events) and events[first][0] <= begin:
            self._call(events[first][2])
            first += 1
        self.frontier = list(dict.fromkeys(self._config(start) for start in starts))
        for now, is_return, at in events[first:]:
            if not is_return:
                self._call(at)
                continue
            bit = self.bit_of.pop(at)
            after = self._act(self.frontier, bit)
            if not after:
                return self._stuck(self.frontier, at)
            self.frontier = after
            del self.open[bit]
            self.free.append(bit)
            self._list()
            if self.remember is not None and now <= self.until:
                some = dict.fromkeys((state, mask) for state, mask, _ in self.frontier)  # what crashed may act again: less is said
                self.remember.append((now, [self._start(state, mask) for state, mask in [*some][:MANY]]))
        return None

    def _call(self, at: int) -> None:
        if at < 0:
            self.supply.available[-at - 1] += 1
            return
        bit = self.free.pop() if self.free else 1 << len(self.open)
        self.open[bit], self.bit_of[at] = at, bit
        self._list()

    def _config(self, start: Start) -> Config:
        mask = sum(bit for bit, at in self.open.items() if self.task.live[at].call in start.acted)
        return self.machine.state(start.state), mask, 0

    def _start(self, state: int, mask: int) -> Start:
        return Start(self.machine.states[state], frozenset(self.task.live[at].call for bit, at in self.open.items() if mask & bit))

    def _list(self) -> None:
        """The open ops, by their return."""
        live, act = self.task.live, self.task.act
        earlier: dict[int, int] = {}
        self.pending = []
        for bit, at in sorted(self.open.items(), key=lambda item: live[item[1]].ret):
            kind = act[at]
            self.pending.append(_Pending(bit, kind, earlier.get(kind, 0)))
            earlier[kind] = earlier.get(kind, 0) | bit

    def _act(self, frontier: list[Config], bit: int) -> list[Config]:
        """All configurations in which the op of `bit` has acted, reached by letting others act before it; its bit is freed."""
        if all(mask & bit for _, mask, _ in frontier):
            return [(state, mask ^ bit, used) for state, mask, used in frontier]
        self.round = _Round(self, bit)
        self.round.go(frontier)
        return self.round.arrived()

    def _stuck(self, frontier: list[Config], at: int) -> Stuck:
        states = self.machine.states
        before = [states[state] for state in dict.fromkeys(config[0] for config in frontier)]
        reached = [states[state] for state in dict.fromkeys(state for state, _ in self.round.reached)]
        others = [self.task.live[other] for other in self.open.values() if other != at]
        kinds = [op for op, count in zip(self.task.examples, self.supply.available, strict=True) if count]
        return Stuck(self.task.live[at], before, reached, sorted(others, key=lambda op: op.call) + kinds)


class _Round:
    """One return: configurations go on until its op has acted."""

    def __init__(self, search: _Search, bit: int) -> None:
        self.machine, self.supply, self.effort = search.machine, search.supply, search.effort
        self.bit = bit
        is_read = self.machine.is_read
        self.kinds = [kind for kind, count in enumerate(self.supply.available) if count]
        self.crashed = search.task.kinds
        self.told = search.task.told
        chosen = self._related(search) if search.related else search.pending
        self.changing = [op for op in chosen if not is_read[op.act]]
        self.wanted = [(op.bit, op.act) for op in chosen]
        self.reads = [(op.bit, op.act) for op in search.pending if is_read[op.act]]
        self.equal = {kind: sum(op.bit for op in search.pending if op.act == self.crashed[kind]) for kind in self.kinds}
        self.quiet: dict[int, int] = {}  # state -> bits of the reads that fit it
        self.reached: dict[tuple[int, int], list[int]] = {}
        self.there: dict[tuple[int, int], list[int]] = {}
        self.stack: list[Config] = []

    def _related(self, search: _Search) -> list[_Pending]:
        """The op that returns and those that do not commute with it, or with one of these; crashed kinds alike."""
        commute, acts = self.machine.commute, self.crashed
        ours = [op for op in search.pending if op.bit == self.bit]
        others = [op for op in search.pending if op.bit != self.bit]
        kinds, waiting, chosen = self.kinds, [op.act for op in ours], []
        while waiting:
            act = waiting.pop()
            near = [op for op in others if not commute(act, op.act)]
            if near:
                others = [op for op in others if commute(act, op.act)]
                ours += near
                waiting += dict.fromkeys(op.act for op in near)
            found = [kind for kind in kinds if not commute(act, acts[kind])]
            if found:
                kinds = [kind for kind in kinds if kind not in found]
                chosen += found
                waiting += [acts[kind] for kind in found]
        self.kinds = sorted(chosen)
        return ours

    def go(self, frontier: list[Config]) -> None:
        """Let pending and crashed ops act, in every order that matters."""
        for config in frontier:
            self._enter(*config)
        steps, step, effort, stack = self.machine.steps, self.machine.step, self.effort, self.stack
        boundless = self.supply.boundless
        reached = self.reached
        while stack:
            state, mask, used = stack.pop()
            if used not in reached[state, mask]:
                continue  # one that used fewer has come since
            effort.spend()
            if boundless and len(steps) > STATES:
                raise OutOfBudget
            row = steps[state]
            for other, act, first in self.changing:
                if mask & other or first & ~mask:
                    continue
                after = row.get(act)
                if after is None:
                    after = step(state, act)
                for next_ in after:
                    self._enter(next_, mask | other, used)
            if self.kinds:
                self._crashed(state, mask, used)

    def _enter(self, state: int, mask: int, used: int) -> None:
        """Take a configuration in, unless one that used fewer crashed ops is there; reads that fit act at once."""
        fitting = self.quiet.get(state)
        if fitting is None:
            fitting = 0
            row = self.machine.steps[state]
            for other, act in self.reads:
                after = row.get(act)
                if after is None:
                    after = self.machine.step(state, act)
                if after:
                    fitting |= other
            self.quiet[state] = fitting
        mask |= fitting
        if mask & self.bit:
            self.supply.keep(self.there, (state, mask ^ self.bit), used)
        elif self.supply.keep(self.reached, (state, mask), used):
            self.stack.append((state, mask, used))

    def _crashed(self, state: int, mask: int, used: int) -> None:
        """Crashed ops that may be of use to a pending one."""
        left, helps = self.supply.left(used), self.machine.helps
        wanted = [act for other, act in self.wanted if not mask & other]
        for kind in self.kinds:
            if not left[kind] or self.equal[kind] & ~mask:
                continue
            act = self.crashed[kind]
            after = self.machine.steps[state].get(act)
            if after is None:
                after = self.machine.step(state, act)
            after = tuple(next_ for next_ in after if next_ != state)
            if after and (self.told or any(helps(state, act, want) for want in wanted)):
                for next_ in after:
                    self._enter(next_, mask, used + self.supply.one[kind])

    def arrived(self) -> list[Config]:
        """What was reached."""
        return [(state, mask, used) for (state, mask), chain in self.there.items() for used in chain]
