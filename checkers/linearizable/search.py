"""Search: linearizability of one key whatever its values, complete, with crashed operations as counters.

Decides    whether the operations on one key have a linearization.
Right      just-in-time linearization keeps every configuration (state, which pending ops have already acted) that some order allows;
           on a return only those remain in which the op has acted. What is left out loses nothing:
           - of two configurations equal but for the crashed ops used, only the better supplied one (crashed.py);
           - a pending read that matches the state acts at once: it changes nothing, so acting earlier forbids nothing;
           - states that no op still to return reads or compares (nor, of strings, a longer one that begins so) are one state, LOST: only a
             write leads out of it, and every write does so from all of them alike;
           - a pending write that leads to LOST acts at once where that changes nothing or is not seen: in LOST, or right before another
             write. It is of no use later. (Not where failed cas are observations, nor where strings are appended to.)
           - a crashed write or cas of a register acts only right before an op that observes what it did (a read, a cas, one that was
             refused for it): if a write follows, it need not act; and until an observer is called, it can wait.
           With many crashed ops two quick tries come first, each of which may settle it: if not even a boundless supply of every crashed
           op helps, there is no order; if keeping a few configurations alike but for the crashed ops used leads to the end, there is one.
Unknown    more configurations than the budget.
Source     Lowe, Testing for linearizability, CCPE 2017; subsumption and symmetry: reference derivation, checked against brute force.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple

from checkers.linearizable.crashed import Crashed, Table, Uses
from checkers.linearizable.operations import APPEND, CAS, HELD, INFINITY, NOT, READ, WRITE, Operation

FEW = 6  # crashed ops with which the complete search is quick
BEAM = 12  # uses kept for each state and mask in the second quick try
Config = tuple[Any, int, Uses]  # state, mask of live pending ops that have acted, uses


class _Lost:
    """The state of a register whose value nobody will ask for again."""

    def __repr__(self) -> str:
        return "a value that nobody asks for"


LOST = _Lost()


class Stuck(NamedTuple):
    """No order explains the return of `op`: the states that were possible before it, and the ops pending then."""

    op: Operation
    states: list[Any]
    pending: list[Operation]


class OutOfBudget(Exception):
    """More configurations than the budget allows."""


def step(state: Any, op: Operation) -> tuple[bool, Any]:
    """(whether the op may act in the state, the state afterwards)."""
    if op.f == READ:
        return state == op.a, state
    if op.f in (WRITE, HELD):
        return True, op.a
    if op.f == CAS:
        return state == op.a, op.b
    if op.f == NOT:
        return state != op.a, state
    assert op.f == APPEND
    return True, state if state is LOST else state + op.a


def search(operations: Sequence[Operation], initial: Any, budget: int = 2_000_000, *, exact: bool = False) -> Stuck | None:
    """None if there is a linearization, else where every order gets stuck. Raises OutOfBudget.

    exact: keep all states apart, so that `Stuck.states` are the real ones; for a few operations.
    """
    prepared = _prepare(operations)
    _, kinds, events = prepared
    crashed = sum(at < 0 for _, _, at in events)
    strings = any(op.f == APPEND for op in operations)
    demand = None if exact else _Demand(operations)
    if crashed > FEW and not exact and not strings:
        boundless = _Search(Crashed(kinds, crashed, boundless=True), demand, strings, budget)
        stuck = _run(prepared, boundless, initial)
        if stuck is not None:
            return stuck
        narrow = _Search(Crashed(kinds, crashed, beam=BEAM), demand, strings, boundless.budget)
        stuck = _run(prepared, narrow, initial)
        if stuck is None or not narrow.crashed.cut:
            return stuck
        budget = narrow.budget
    return _run(prepared, _Search(Crashed(kinds, crashed), demand, strings, budget), initial)


def _run(prepared: Prepared, searching: _Search, initial: Any) -> Stuck | None:
    live, kinds, events = prepared
    bit_of: dict[int, int] = {}
    free_bits: list[int] = []
    bits = 0
    frontier: set[Config] = {(initial, 0, 0)}
    for now, is_return, at in events:
        if at < 0:
            searching.crashed.available[-at - 1] += 1
            continue
        op = live[at]
        if not is_return:
            if free_bits:
                bit = free_bits.pop()
            else:
                bit, bits = 1 << bits, bits + 1
            searching.pending[bit], bit_of[at] = op, bit
            continue
        bit = bit_of.pop(at)
        before = frontier
        frontier = searching.act(frontier, bit, now)
        if not frontier:
            states = sorted({repr(config[0]): config[0] for config in before}.items())
            others = [other for other in searching.pending.values() if other is not op]
            others += [kind for kind, count in zip(kinds, searching.crashed.available, strict=True) if count]
            return Stuck(op, [state for _, state in states[:10]], others)
        del searching.pending[bit]
        free_bits.append(bit)
    return None


Prepared = tuple[list[Operation], list[Operation], list[tuple[int, bool, int]]]


def _prepare(operations: Sequence[Operation]) -> Prepared:
    """Live ops, kinds of crashed ops (one example each), and the events in order: (position, is a return, live op or -1 - kind)."""
    keep_all = any(op.f in (NOT, APPEND) for op in operations)
    crashed = [op for op in operations if op.crashed and op.f not in (READ, NOT) and not (op.f == CAS and op.a == op.b)]
    while not keep_all:
        asked = {op.a for op in operations if op.f in (READ, CAS) and not op.crashed} | {op.a for op in crashed if op.f == CAS}
        useful = [op for op in crashed if (op.b if op.f == CAS else op.a) in asked]
        if len(useful) == len(crashed):
            break
        crashed = useful
    live: list[Operation] = []
    kinds: dict[tuple[str, Any, Any], int] = {}
    examples: list[Operation] = []
    events: list[tuple[int, bool, int]] = []
    for op in crashed:
        kind = kinds.setdefault((op.f, op.a, op.b), len(kinds))
        if kind == len(examples):
            examples.append(op)
        events.append((op.call, False, -1 - kind))
    for op in operations:
        if not op.crashed:
            events += [(op.call, False, len(live)), (op.ret, True, len(live))]
            live.append(op)
    return live, examples, sorted(events)


class _Demand:
    """Until which position of the history somebody may still ask for a state."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.appends = any(op.f == APPEND for op in operations)
        self.refusals = any(op.f == NOT for op in operations)
        self.last: dict[Any, int] = {}
        for op in operations:
            if op.f in (READ, CAS, NOT):
                self.last[op.a] = max(self.last.get(op.a, -1), INFINITY if op.crashed else op.ret)
        self.texts = sorted(value for value in self.last if isinstance(value, str)) if self.appends else []
        self.known: dict[Any, int] = {} if self.appends else self.last

    def canonical(self, state: Any, now: int) -> Any:
        """The state, or LOST if nobody who has yet to return asks for it."""
        if state is LOST:
            return LOST
        until = self.known.get(state)
        if until is None:
            until = self.known[state] = self._until(state)
        return state if until >= now else LOST

    def _until(self, state: Any) -> int:
        until = self.last.get(state, -1)
        if self.appends and isinstance(state, str):
            at = bisect_left(self.texts, state)
            while at < len(self.texts) and self.texts[at].startswith(state):
                until = max(until, self.last[self.texts[at]])
                at += 1
        return until


class _Search:
    """What is pending and how configurations go on."""

    def __init__(self, crashed: Crashed, demand: _Demand | None, strings: bool, budget: int) -> None:
        self.crashed, self.demand, self.budget = crashed, demand, budget
        self.pending: dict[int, Operation] = {}  # slot bit -> op
        self.strings = strings

    def act(self, frontier: set[Config], bit: int, now: int) -> set[Config]:
        """All configurations in which the op of `bit` has acted, reached by letting pending ops act; its bit is freed."""
        quiet = [(other, op) for other, op in self.pending.items() if op.f in (READ, NOT)]
        changing = [(other, op) for other, op in self.pending.items() if op.f not in (READ, NOT)]
        observing = [(other, op) for other, op in self.pending.items() if op.f in (READ, NOT, CAS)]
        canonical = None if self.demand is None else self.demand.canonical
        keep = self.crashed.keep
        idle = 0  # pending writes that are of no use
        if canonical is not None and self.demand is not None and not self.strings and not self.demand.refusals:
            idle = sum(other for other, op in changing if op.f == WRITE and canonical(op.a, now) is LOST)
        reached: Table = {}
        arrived: Table = {}
        stack: list[Config] = []

        def enter(state: Any, mask: int, used: Uses) -> None:
            """Take a configuration in, unless one that used fewer crashed ops is there; reads that match act at once."""
            if canonical is not None:
                state = canonical(state, now)
                if state is LOST:
                    mask |= idle
            for other, op in quiet:
                if not mask & other and step(state, op)[0]:
                    mask |= other
            if mask & bit:
                keep(arrived, (state, mask & ~bit), used)
            elif keep(reached, (state, mask), used):
                stack.append((state, mask, used))

        for config in frontier:
            enter(*config)
        chains: dict[tuple[Any, Uses], list[tuple[Any, Uses]]] = {}
        while stack:
            state, mask, used = stack.pop()
            if used not in reached.get((state, mask), ()):
                continue  # subsumed since
            self.budget -= 1
            if self.budget < 0:
                raise OutOfBudget
            for other, op in changing:
                if not mask & other:
                    legal, after = step(state, op)
                    if legal:
                        enter(after, mask | other | (0 if op.f == CAS else idle), used)
            if not self.crashed.kinds:
                continue
            if (state, used) not in chains:
                chains[state, used] = self._steps(state, used)
            for after, using in chains[state, used]:
                if self.strings or any(not mask & other and step(after, op)[0] for other, op in observing):
                    enter(after, mask, using)
        return {(state, mask, used) for (state, mask), chain in arrived.items() for used in chain}

    def _steps(self, state: Any, used: Uses) -> list[tuple[Any, Uses]]:
        if not self.strings:
            return self.crashed.chains(state, used)
        left = self.crashed.left(used)
        after = [(*step(state, op), used + self.crashed.one[kind]) for kind, op in enumerate(self.crashed.kinds) if left[kind]]
        return [(value, using) for legal, value, using in after if legal and value != state]
