"""The story of a violation, in sentences that a person can check against the history.

Why it exists  "not linearizable" is no explanation; who read what, and what had been acknowledged before, is.
Relies on      the conflict's own rule: each has its sentence, and the sentence names every operation that it needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from checkers.linearizable.operations import CAS, READ, Operation, show
from checkers.linearizable.search import Stuck, step
from checkers.linearizable.zones import Conflict


def tell_conflict(found: Conflict, operations: Sequence[Operation]) -> tuple[str, str | None]:
    """(message, kind) of a conflict of zones."""
    ops = found.ops
    if found.rule == "unwritten":
        return f"{ops[0].text()}, but nobody ever wrote {show(ops[0].a)} (or only a write that certainly failed).", "unwritten-value"
    if found.rule == "early-read":
        return f"{ops[1].text()} before the write of that value was even invoked: {ops[0].text()}.", "future-read"
    if found.rule == "two-cas":
        return (
            f"{ops[1].text()} and {ops[2].text()}: both found {show(ops[1].a)}, which was written once; only one can have.",
            "lost-update",
        )
    if found.rule == "cycle":
        return "these changes follow each other in a circle: " + "; ".join(op.text() for op in ops) + ".", None
    if found.rule == "order":
        told = "; ".join(op.text() for op in ops if op.call >= 0)
        return (
            f"the changes fix the order of these values, but an operation on a later value had returned before one on an earlier value began: {told}.",
            _kind(ops),
        )
    return _tell_zones(found), _kind([op for op in ops if op.call >= 0])


def _tell_zones(found: Conflict) -> str:
    stale = _stale_story(found)
    if stale is not None:
        return stale
    first, second = found.first, found.second
    one, two = _value(first[0]), _value(second[0])
    if found.rule == "inside":
        return (
            f"the register held {one} from the return of {first[0].text()} at least until the call of {first[1].text()}; but all of {two} lies within: "
            f"{second[1].text()} and {second[0].text()}. No order puts {two} between without losing {one} for good."
        )
    return (
        f"the register held {one} from the return of {first[0].text()} at least until the call of {first[1].text()}, and {two} from the return of "
        f"{second[0].text()} at least until the call of {second[1].text()}. These spans overlap, and a register holds one value at a time."
    )


def _stale_story(found: Conflict) -> str | None:
    """The commonest case told shortly: a newer value was seen or acknowledged, then a read that began later gave an older one."""
    reads = [op for op in found.ops if op.f == READ]
    writes: dict[Any, Operation] = {_written(op): op for op in found.ops if op.f != READ}
    for read in sorted(reads, key=lambda op: op.call):
        old = writes.get(read.a)
        if old is None:
            continue
        for newer in sorted(found.ops, key=lambda op: op.ret):
            value = newer.a if newer.f == READ else _written(newer)
            new = writes.get(value)
            if value == read.a or new is None or newer.ret >= read.call:
                continue
            if old.ret < new.call:
                known = (
                    "was there from the start"
                    if old.call < 0
                    else f"had been acknowledged (#{old.done}) before the write of {show(value)} was invoked (#{new.index})"
                )
                seen = newer.text() if newer is not new else f"{newer.text()}, acknowledged"
                return f"{seen}; after that {read.text()}, though {show(read.a)} {known}: no order brings {show(read.a)} back after {show(value)}."
    return None


def _kind(ops: Sequence[Operation]) -> str | None:
    """stale-read where a read returned a value that had certainly been replaced before it began."""
    writes = {_written(op): op for op in ops if op.f != READ}
    for read in ops:
        if read.f != READ:
            continue
        old = writes.get(read.a)
        for other in ops:
            value = other.a if other.f == READ else _written(other)
            new = writes.get(value)
            if value != read.a and new is not None and other.ret < read.call and (old is None or old.ret < new.call):
                return "stale-read"
    return None


def _written(op: Operation) -> Any:
    return op.b if op.f == CAS else op.a


def _value(op: Operation) -> str:
    return show(op.a if op.f == READ else _written(op))


def tell_stuck(stuck: Stuck, window: Sequence[Operation], initial: Any) -> tuple[str, str | None]:
    """(message, kind) of a search that got stuck, on the smallest window."""
    told = "; ".join(op.text() for op in window)
    states = " or ".join(show(state) for state in stuck.states)
    why = [f"{op.text()} needs {show(op.a)}" for op in [stuck.op, *stuck.pending] if not any(step(state, op)[0] for state in stuck.states)]
    because = f" ({'; '.join(why[:3])})" if why else ""
    message = (
        f"these operations have no order: {told}. The register starts as {show(initial)}; when {stuck.op.text()} returns, every order of what came "
        f"before leaves {states}, and none of them lets it act{because}."
    )
    unique = len({_written(op) for op in window if op.f != READ}) == sum(op.f != READ for op in window)
    return message, _kind(window) if unique else None
