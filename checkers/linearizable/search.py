"""Search: linearizability of one key whatever its values, complete, with crashed operations as counters.

Decides    whether the operations on one key have a linearization.
Right      just-in-time linearization keeps every configuration (state, which pending ops have already acted) that some order allows;
           on a return only those remain in which the op has acted. What is left out loses nothing:
           - subsumption: crashed ops never have to act, so of two configurations equal but for the crashed ops used, the one that used
             fewer of each kind can do all that the other can;
           - symmetry: crashed ops with equal f and arguments are one kind with a count;
           - a pending read that matches the state acts at once: it changes nothing, so acting earlier forbids nothing;
           - a crashed write or cas whose new value nobody reads or compares can be left out: what follows it in an order is a write.
             (Not where failed cas are observations: such a write may be what made the cas fail.)
Unknown    more configurations than the budget.
Source     Lowe, Testing for linearizability, CCPE 2017; subsumption and symmetry: reference derivation, checked against brute force.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from checkers.linearizable.operations import APPEND, CAS, INFINITY, NOT, READ, WRITE, Operation

Config = tuple[Any, int, tuple[int, ...]]  # state, mask of live pending ops that have acted, crashed ops used of each kind


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
    if op.f == WRITE:
        return True, op.a
    if op.f == CAS:
        return state == op.a, op.b
    if op.f == NOT:
        return state != op.a, state
    assert op.f == APPEND
    return True, (state or "") + op.a


def search(operations: Sequence[Operation], initial: Any, budget: int = 2_000_000) -> Stuck | None:
    """None if there is a linearization, else where every order gets stuck. Raises OutOfBudget."""
    live, kinds, events = _prepare(operations)
    frontier: set[Config] = {(initial, 0, (0,) * len(kinds))}
    pending: dict[int, Operation] = {}  # slot bit -> op
    bit_of: dict[int, int] = {}
    available = [0] * len(kinds)
    free_bits: list[int] = []
    bits = 0
    for _, is_return, at in events:
        if at < 0:
            available[-at - 1] += 1
            continue
        op = live[at]
        if not is_return:
            if free_bits:
                bit = free_bits.pop()
            else:
                bit, bits = 1 << bits, bits + 1
            pending[bit], bit_of[at] = op, bit
            continue
        bit = bit_of.pop(at)
        before = frontier
        frontier, budget = _act(frontier, bit, pending, kinds, available, budget)
        if not frontier:
            states = sorted({repr(config[0]): config[0] for config in before}.items())
            others = [other for other in pending.values() if other is not op]
            others += [kind for kind, count in zip(kinds, available, strict=True) if count]
            return Stuck(op, [state for _, state in states[:10]], others)
        del pending[bit]
        free_bits.append(bit)
    return None


def _prepare(operations: Sequence[Operation]) -> tuple[list[Operation], list[Operation], list[tuple[int, bool, int]]]:
    """Live ops, kinds of crashed ops (one example each), and the events in order: (position, is a return, live op or -1 - kind)."""
    observed = {op.a for op in operations if op.f in (READ, CAS)}
    keep_all = any(op.f in (NOT, APPEND) for op in operations)
    live: list[Operation] = []
    kinds: dict[tuple[str, Any, Any], int] = {}
    examples: list[Operation] = []
    events: list[tuple[int, bool, int]] = []
    for op in operations:
        if op.ret == INFINITY:
            new = op.b if op.f == CAS else op.a
            if not keep_all and new not in observed:
                continue
            kind = kinds.setdefault((op.f, op.a, op.b), len(kinds))
            if kind == len(examples):
                examples.append(op)
            events.append((op.call, False, -1 - kind))
        else:
            events += [(op.call, False, len(live)), (op.ret, True, len(live))]
            live.append(op)
    return live, examples, sorted(events)


def _act(
    frontier: set[Config], bit: int, pending: dict[int, Operation], kinds: list[Operation], available: list[int], budget: int
) -> tuple[set[Config], int]:
    """All configurations in which the op of `bit` has acted, reached from the frontier by letting pending ops act; its bit is freed."""
    reached: dict[tuple[Any, int], list[tuple[int, ...]]] = {}
    arrived: dict[tuple[Any, int], list[tuple[int, ...]]] = {}
    stack: list[Config] = []
    for config in sorted(frontier, key=lambda c: sum(c[2])):
        _enter(config, bit, pending, reached, arrived, stack)
    while stack:
        state, mask, used = stack.pop()
        if used not in reached.get((state, mask), ()):
            continue  # subsumed since
        budget -= 1
        if budget < 0:
            raise OutOfBudget
        for other, op in pending.items():
            if not mask & other:
                legal, after = step(state, op)
                if legal:
                    _enter((after, mask | other, used), bit, pending, reached, arrived, stack)
        for kind, op in enumerate(kinds):
            if used[kind] < available[kind]:
                legal, after = step(state, op)
                if legal and after != state:
                    _enter((after, mask, (*used[:kind], used[kind] + 1, *used[kind + 1 :])), bit, pending, reached, arrived, stack)
    return {(state, mask, used) for (state, mask), chain in arrived.items() for used in chain}, budget


def _enter(
    config: Config,
    bit: int,
    pending: dict[int, Operation],
    reached: dict[tuple[Any, int], list[tuple[int, ...]]],
    arrived: dict[tuple[Any, int], list[tuple[int, ...]]],
    stack: list[Config],
) -> None:
    """Take a configuration in, unless one that used fewer crashed ops is there; reads that match act at once."""
    state, mask, used = config
    for other, op in pending.items():
        if not mask & other and op.f in (READ, NOT) and step(state, op)[0]:
            mask |= other
    if mask & bit:
        _keep(arrived, (state, mask & ~bit), used)
    elif _keep(reached, (state, mask), used):
        stack.append((state, mask, used))


def _keep(table: dict[tuple[Any, int], list[tuple[int, ...]]], key: tuple[Any, int], used: tuple[int, ...]) -> bool:
    """Add to an antichain of minimal uses; False if something there uses no more of anything."""
    chain = table.get(key)
    if chain is None:
        table[key] = [used]
        return True
    for other in chain:
        if all(a <= b for a, b in zip(other, used, strict=True)):
            return False
    chain[:] = [other for other in chain if not all(a <= b for a, b in zip(used, other, strict=True))]
    chain.append(used)
    return True
