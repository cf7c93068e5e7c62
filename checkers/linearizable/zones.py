"""Zones: linearizability of a register whose written values are unique, in O(n log n).

Decides    whether the operations on one key have a linearization; if not, gives a few of them that have none by themselves.
Right      with unique values each read belongs to one write: its cluster. All of a cluster happens in one stretch of time, since another
           write in between would change the value for good. f = the earliest return in a cluster, s = the latest call. If f < s the
           value was certainly in the register throughout [f, s] (a forward zone); else all of the cluster can happen at one point of
           [s, f] (backward). A linearization exists exactly if no two forward zones overlap and no backward zone lies inside a forward one.
           A successful cas from v to v' glues the cluster of v before that of v': chains act as one cluster with a fixed inner order.
Crashed    a crashed write or cas whose value was observed happened (and never returned); one whose value nobody observed may be taken as
           never having happened: whatever follows it in an order is a write, and does not miss it.
Source     Gibbons & Korach, Testing shared memories, SIAM J. Comput. 1997; the gluing for cas is ours, checked against brute force.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from checkers.linearizable.operations import CAS, READ, WRITE, Operation

START = -1  # the initial value's write: called and returned before everything


class Conflict(NamedTuple):
    """Operations that have no linearization by themselves, and the rule that says so."""

    rule: str  # unwritten | early-read | two-cas | cycle | order | overlap | inside
    ops: list[Operation]
    first: Sequence[Operation] = ()  # the ops that make the first zone: [earliest return, latest call]
    second: Sequence[Operation] = ()


class _Zone(NamedTuple):
    low: int
    high: int
    ops: list[Operation]  # of the whole super-cluster, in chain order
    least: Operation  # with the earliest return
    most: Operation  # with the latest call


def conflict(operations: Sequence[Operation], initial: Any) -> Conflict | None:
    """None if the operations are linearizable, else why not. Requires `operations.unique_values`."""
    found = _conflict(operations, initial)
    return found and found._replace(ops=_with_evidence(found.ops, operations))


def _with_evidence(ops: list[Operation], operations: Sequence[Operation]) -> list[Operation]:
    """The ops, with a completed one that saw the value of each crashed one: without, nobody could say that it happened."""
    needed = list(ops)
    for op in needed:  # grows
        if op.crashed and op.f != READ and not any(other.f in (READ, CAS) and other.a == op.written for other in needed):
            seen = [other for other in operations if other.f in (READ, CAS) and other.a == op.written]
            if seen:
                needed.append(min(seen, key=lambda other: other.ret))
    return needed


def _conflict(operations: Sequence[Operation], initial: Any) -> Conflict | None:
    root = Operation(WRITE, initial, None, START, START, START, START, "initial")
    writer: dict[Any, Operation] = {initial: root}
    for op in operations:
        if op.f != READ:
            writer[op.written] = op
    observers: dict[Any, list[Operation]] = {}
    for op in operations:
        if op.f != WRITE:
            if op.a not in writer:
                if op.crashed:
                    continue  # a crashed cas of a value that never was: it did not happen
                return Conflict("unwritten", [op])
            observers.setdefault(op.a, []).append(op)
    observed = _really_observed(observers, writer)
    groups: dict[Any, list[Operation]] = {}
    following: dict[Any, Operation] = {}
    for value, write in writer.items():
        if write.crashed and value not in observed:
            continue
        if write.f == CAS and write.a not in writer:
            return Conflict("unwritten", [write])
        groups[value] = [write, *(op for op in observers.get(value, ()) if op.f == READ)]
        changes = [op for op in observers.get(value, ()) if op.f == CAS and not (op.crashed and op.b not in observed)]
        if len(changes) > 1:
            return Conflict("two-cas", [write, *changes[:2]])
        if changes:
            following[value] = changes[0]
    for value, group in groups.items():
        for op in (*group[1:], *([following[value]] if value in following else ())):
            if op.ret < group[0].call:
                return Conflict("early-read", [group[0], op])
    return _zones(groups, following, writer, initial)


def _really_observed(observers: dict[Any, list[Operation]], writer: dict[Any, Operation]) -> set[Any]:
    """Values seen by a read or by a cas that certainly happened (completed, or its own new value was seen)."""
    observed: set[Any] = set()
    waiting = [op for ops in observers.values() for op in ops if not op.crashed]
    while waiting:
        op = waiting.pop()
        if op.a not in observed:
            observed.add(op.a)
            source = writer[op.a]
            if source.f == CAS and source.crashed and source.a in writer:
                waiting.append(source)
    return observed


def _zones(
    groups: dict[Any, list[Operation]], following: dict[Any, Operation], writer: dict[Any, Operation], initial: Any
) -> Conflict | None:
    zones = []
    used = 0
    for value, group in groups.items():
        if group[0].f == CAS:
            continue  # inside somebody's chain
        chain = [group]
        link = following.get(value)
        while link is not None:
            chain.append(groups[link.b])
            link = following.get(link.b)
        used += len(chain)
        if wrong := _inner_order(chain):
            return wrong
        ops = [op for members in chain for op in members]
        least, most = min(ops, key=lambda op: op.ret), max(ops, key=lambda op: op.call)
        zones.append(_Zone(min(least.ret, most.call), max(least.ret, most.call), ops, least, most))
    if used < len(groups):
        return Conflict("cycle", _circle([group[0] for group in groups.values()], writer))
    return _compare(zones)


def _circle(writes: Sequence[Operation], writer: dict[Any, Operation]) -> list[Operation]:
    """Cas that follow each other in a circle, the earliest call first."""
    rooted: set[Any] = set()
    for op in writes:
        path: dict[Any, Operation] = {}
        while op.f == CAS and op.b not in path and op.b not in rooted:
            path[op.b] = op
            op = writer[op.a]
        if op.f == CAS and op.b not in rooted:
            values = list(path)
            members = [path[value] for value in values[values.index(op.b) :]][::-1]
            first = members.index(min(members, key=lambda member: member.call))
            return members[first:] + members[:first]
        rooted.update(path)
    raise AssertionError("every cas leads back to a write")


def _inner_order(chain: list[list[Operation]]) -> Conflict | None:
    """Within a chain the order is fixed: no op of a later group may return before an op of an earlier one is called."""
    if len(chain) == 1:
        return None
    latest: Operation | None = None
    for i, group in enumerate(chain):
        for op in group:
            if latest is not None and op.ret < latest.call:
                return Conflict("order", _links(chain[: i + 1], {latest, op}))
        for op in group:
            if latest is None or op.call > latest.call:
                latest = op
        if i and group[0].ret < max(member.call for member in chain[i - 1]):
            worst = max(chain[i - 1], key=lambda member: member.call)
            return Conflict("order", _links(chain[: i + 1], {worst, group[0]}))
    return None


def _links(chain: list[list[Operation]], wanted: set[Operation]) -> list[Operation]:
    """The wanted ops with all writes and cas of the chain between them, in chain order."""
    touched = [i for i, group in enumerate(chain) if wanted & set(group)]
    between = chain[touched[0] : touched[-1] + 1]
    return [op for group in between for op in group if op is group[0] or op in wanted]


def _compare(zones: list[_Zone]) -> Conflict | None:
    forward = sorted((zone for zone in zones if zone.least.ret < zone.most.call), key=lambda zone: zone.low)
    for before, after in pairwise(forward):
        if after.low < before.high:
            return Conflict("overlap", [*_prove(before), *_prove(after)], [before.least, before.most], [after.least, after.most])
    lows = [zone.low for zone in forward]
    for zone in zones:
        if zone.least.ret < zone.most.call:
            continue
        at = bisect_right(lows, zone.low) - 1
        if at >= 0 and zone.high < forward[at].high:
            outer = forward[at]
            return Conflict("inside", [*_prove(outer), *_prove(zone)], [outer.least, outer.most], [zone.least, zone.most])
    return None


def _prove(zone: _Zone) -> list[Operation]:
    """The fewest ops of a super-cluster that make the same zone: its extremes, and the writes and cas that tie them together."""
    if zone.ops[0] is not None and all(op.f != CAS for op in zone.ops):
        return list(dict.fromkeys([zone.ops[0], zone.least, zone.most]))
    chain: list[list[Operation]] = []
    for op in zone.ops:
        if op.f != READ:
            chain.append([])
        chain[-1].append(op)
    return _links(chain, {chain[0][0], zone.least, zone.most})
