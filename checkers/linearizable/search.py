"""Search: linearizability of one key whatever its values, complete, with crashed operations as counters.

Decides    whether the operations on one key have a linearization.
Right      just-in-time linearization keeps every configuration that some order allows; on a return only those remain in which the op has
           acted. A configuration is a state, the pending writes and cas that have acted where somebody looked, the pending ops that are
           content, and the crashed ops used. A read or refusal is content once it has been right; a cas (or an append) once it has acted; a
           write once it has acted or could have acted unseen: right before another write, or in a state that is its own value. So nobody
           decides early which writes went unseen: that is asked when a write returns, and until then it may still act.
           What is left out loses nothing:
           - a pending read that matches the state acts at once: it changes nothing, so acting earlier forbids nothing;
           - a write acts only right before somebody who looks at its value (a read, a cas, a refusal, an append), or at its return: if
             another write follows, it went unseen; and as long as nobody looks, it can wait. A crashed write or cas likewise;
           - of two configurations with one state, the one in which more ops are content, fewer have acted and no more crashed ops are used
             (crashed.py) can do all that the other can: a content write that has not acted may act once more;
           - of pending ops with equal f and arguments, equally content, the one that returns first acts first;
           - states that no op still to return reads or compares (nor, of strings, a longer one that begins so) are one state, LOST: only a
             write leads out of it, and every write does so from all of them alike.
           With many crashed ops quick tries come first, each of which may settle it: if not even a boundless supply of every crashed
           op helps, there is no order; if keeping a few configurations of each state leads to the end, there is one. What Python does not
           settle soon is given to compiled code that does the same (compiled.py).
Unknown    more configurations than the budget.
Source     Lowe, Testing for linearizability, CCPE 2017; subsumption and symmetry: reference derivation, checked against brute force.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple

from checkers.linearizable.crashed import Crashed, Uses
from checkers.linearizable.operations import APPEND, CAS, HELD, INFINITY, NOT, READ, WRITE, Operation

FEW = 6  # crashed ops with which the complete search is quick
QUICK = 40_000  # configurations that Python looks at before compiled code, which takes half a second to load, does
BEAMS = (8, 32)  # configurations kept of each state in further quick tries
WRITING = (WRITE, HELD)  # what may go unseen, and makes others go unseen
Config = tuple[Any, int, int, Uses]  # state, mask of pending ops that have acted, mask of those that are content, uses


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
    prepared = prepare(operations)
    if exact or budget <= QUICK:
        return _in_python(operations, prepared, initial, budget, exact)
    try:
        return _in_python(operations, prepared, initial, QUICK, exact)
    except OutOfBudget:
        from checkers.linearizable.compiled import compiled_search

        usable, stuck = compiled_search(operations, prepared, initial, budget)
        return stuck if usable else _in_python(operations, prepared, initial, budget, exact)


def _in_python(operations: Sequence[Operation], prepared: Prepared, initial: Any, budget: int, exact: bool) -> Stuck | None:
    _, kinds, events = prepared
    crashed = sum(at < 0 for _, _, at in events)
    strings = any(op.f == APPEND for op in operations)
    demand = None if exact else _Demand(operations)
    if crashed > FEW and not exact and not strings:
        boundless = _Search(Crashed(kinds, crashed, boundless=True), demand, strings, budget)
        stuck = _run(prepared, boundless, initial)
        if stuck is not None:
            return stuck
        budget = boundless.budget
        for beam in BEAMS:
            narrow = _Search(Crashed(kinds, crashed, beam=beam), demand, strings, budget)
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
    frontier: list[Config] = [(initial, 0, 0, 0)]
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


def prepare(operations: Sequence[Operation]) -> Prepared:
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


def last_asked(operations: Sequence[Operation]) -> dict[Any, int]:
    """Of each value the last position at which somebody who asks for it may act."""
    last: dict[Any, int] = {}
    for op in operations:
        if op.f in (READ, CAS, NOT):
            last[op.a] = max(last.get(op.a, -1), INFINITY if op.crashed else op.ret)
    return last


class _Demand:
    """Until which position of the history somebody may still ask for a state."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.appends = any(op.f == APPEND for op in operations)
        self.refusals = any(op.f == NOT for op in operations)
        self.last = last_asked(operations)
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

    def act(self, frontier: list[Config], bit: int, now: int) -> list[Config]:
        """All configurations in which the op of `bit` has acted (or went unseen), reached by letting pending ops act; its bit is freed."""
        self._sort()
        demand, crashed, target = self.demand, self.crashed, self.pending[bit]
        reached, arrived = crashed.table(), crashed.table()
        waiting: list[Config] = []

        def enter(state: Any, acted: int, content: int, used: Uses, was: bool) -> None:
            """Take a configuration in, unless one as good is there. was: the op of `bit` was content before the last step."""
            if demand is not None:
                state = demand.canonical(state, now)
            content |= self._pleased(state, acted)
            if content & bit:
                if not was or acted & bit:
                    arrived.keep((state, acted & ~bit, content & ~bit, used))
                if acted & bit or target.f not in WRITING:
                    return
            if reached.keep((state, acted, content, used)):
                waiting.append((state, acted, content, used))

        for config in frontier:
            enter(*config, False)
        for config in waiting:  # grows
            if not reached.holds(config):
                continue  # another as good came since
            self.budget -= 1
            if self.budget < 0:
                raise OutOfBudget
            was = bool(config[2] & bit)
            for after in self._following(config, bit):
                enter(*after, was)
        return arrived.all()

    def _sort(self) -> None:
        """What is pending, by what it does; writes and cas in order of return."""
        self.quiet = [(bit, op) for bit, op in self.pending.items() if op.f in (READ, NOT)]
        changing = sorted((op.ret, bit) for bit, op in self.pending.items() if op.f not in (READ, NOT))
        self.changing = [(bit, self.pending[bit]) for _, bit in changing]
        self.writes = sum(bit for bit, op in self.changing if op.f in WRITING)
        self.looking = [(bit, op) for bit, op in self.changing if op.f not in WRITING]
        self.pleased: dict[Any, tuple[int, int]] = {}

    def _pleased(self, state: Any, acted: int) -> int:
        """Who is content in a state: reads and refusals that are right, and writes of that very value that have not acted."""
        found = self.pleased.get(state)
        if found is None:
            right = sum(bit for bit, op in self.quiet if step(state, op)[0])
            found = self.pleased[state] = right, sum(bit for bit, op in self.changing if op.f in WRITING and op.a == state)
        return found[0] | (found[1] & ~acted)

    def _looked_at(self, state: Any, acted: int, content: int) -> bool:
        """Whether somebody pending looks at a state: a read or refusal that it makes content, a cas from it, an append."""
        self._pleased(state, 0)
        if self.pleased[state][0] & ~content:
            return True
        return any(not acted & bit and step(state, op)[0] for bit, op in self.looking)

    def _following(self, config: Config, bit: int) -> list[Config]:
        """What one more op, or several crashed ones in a row, lead to."""
        state, acted, content, used = config
        found: list[Config] = []
        tried: set[tuple[Any, ...]] = set()
        for mine, op in self.changing:
            if acted & mine:
                continue
            kind = (op.f, op.a, op.b, content & mine)
            if kind in tried:
                continue
            tried.add(kind)
            legal, after = step(state, op)
            if op.f not in WRITING:
                if legal:
                    found.append((after, acted | mine, content | mine, used))
            elif mine == bit or self._looked_at(after, acted, content) or self.crashed.leads(after, self.strings):
                found.append((after, acted | mine, content | self.writes, used))
        for after, using, wrote in self._crashed_steps(state, used, unseen=bool(self.writes & ~content)):
            if self.strings or self._looked_at(after, acted, content):
                found.append((after, acted, content | self.writes if wrote else content, using))
        return found

    def _crashed_steps(self, state: Any, used: Uses, *, unseen: bool) -> list[tuple[Any, Uses, bool]]:
        """(value, uses, whether a write was among them) after crashed ops. unseen: a write of the value that is there is of use as well."""
        if not self.crashed.kinds:
            return []
        if not self.strings:
            return self.crashed.chains(state, used, unseen)
        left = self.crashed.left(used)
        after = [(*step(state, op), used + self.crashed.one[kind], op.f) for kind, op in enumerate(self.crashed.kinds) if left[kind]]
        return [(value, using, f == WRITE) for legal, value, using, f in after if legal and (value != state or (unseen and f == WRITE))]
