"""The story of a violation, in sentences that a person can check against the history.

Why it exists  "not linearizable" is no explanation; who read what, and what had been acknowledged before, is.
Relies on      the conflict's own rule: each has its sentence, and the sentence names every operation that it needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from checkers.linearizable.operations import APPEND, CAS, HELD, NOT, READ, WRITE, Operation, show
from checkers.linearizable.search import Stuck, step
from checkers.linearizable.zones import Conflict

TOLD = 14  # operations named in a sentence; the witness has them all


def tell_conflict(found: Conflict, operations: Sequence[Operation]) -> tuple[str, str | None]:
    """(message, kind) of a conflict of zones."""
    ops = found.ops
    if found.rule == "unwritten":
        never = f"nobody ever wrote {show(ops[0].a)} (or only a write that certainly failed)"
        return f"{ops[0].text()}, but {never}{_evidence(ops, 1)}.", "unwritten-value"
    if found.rule == "early-read":
        return f"{ops[1].text()} before the write of that value was even invoked: {ops[0].text()}.", "future-read"
    if found.rule == "two-cas":
        return (
            f"{ops[1].text()} and {ops[2].text()}: both found {show(ops[1].a)}, which was written once; "
            f"only one can have{_evidence(ops, 3)}.",
            "lost-update",
        )
    if found.rule == "cycle":
        return "these changes follow each other in a circle: " + "; ".join(op.text() for op in ops) + ".", None
    if found.rule == "order":
        told = "; ".join(op.text() for op in ops if op.call >= 0)
        return (
            "the changes fix the order of these values, but an operation on a later value had returned before one on an earlier value "
            f"began: {told}.",
            _kind(ops),
        )
    return _tell_zones(found), _kind([op for op in ops if op.call >= 0])


def _evidence(ops: Sequence[Operation], start: int) -> str:
    """What shows that the crashed ops among them happened."""
    return "".join(f"; {op.text()}, so that change did happen" for op in ops[start:])


def _tell_zones(found: Conflict) -> str:
    stale = _stale_story(found)
    if stale is not None:
        return stale
    first, second = found.first, found.second
    one, two = _value(first[0]), _value(second[0])
    if found.rule == "inside":
        return (
            f"the register held {one} from the return of {first[0].text()} at least until the call of {first[1].text()}; but all of {two} "
            f"lies within: {second[1].text()} and {second[0].text()}. No order puts {two} between without losing {one} for good."
        )
    return (
        f"the register held {one} from the return of {first[0].text()} at least until the call of {first[1].text()}, and {two} from the "
        f"return of {second[0].text()} at least until the call of {second[1].text()}. "
        f"These spans overlap, and a register holds one value at a time."
    )


def _stale_story(found: Conflict) -> str | None:
    """The commonest case told shortly: a newer value was seen or acknowledged, then a read that began later gave an older one."""
    reads = [op for op in found.ops if op.f == READ]
    writes: dict[Any, Operation] = {op.written: op for op in found.ops if op.f != READ}
    for read in sorted(reads, key=lambda op: op.call):
        old = writes.get(read.a)
        if old is None:
            continue
        for newer in sorted(found.ops, key=lambda op: op.ret):
            value = newer.a if newer.f == READ else newer.written
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
                again = f"no order brings {show(read.a)} back after {show(value)}"
                return f"{seen}; after that {read.text()}, though {show(read.a)} {known}: {again}."
    return None


def _kind(ops: Sequence[Operation]) -> str | None:
    """stale-read where a read returned a value that had certainly been replaced before it began."""
    writes = {op.written: op for op in ops if op.f != READ}
    for read in ops:
        if read.f != READ:
            continue
        old = writes.get(read.a)
        for other in ops:
            value = other.a if other.f == READ else other.written
            new = writes.get(value)
            if value != read.a and new is not None and other.ret < read.call and (old is None or old.ret < new.call):
                return "stale-read"
    return None


def _value(op: Operation) -> str:
    return show(op.a if op.f == READ else op.written)


def tell_stuck(stuck: Stuck, window: Sequence[Operation], operations: Sequence[Operation], initial: Any) -> tuple[str, str | None]:
    """(message, kind) of a search that got stuck, on the smallest window of a key's operations."""
    held = next((op for op in window if op.f == HELD), None)
    told = [op.text() for op in window if op is not held]
    if len(told) > TOLD:
        told = [*told[:2], f"… {len(told) - TOLD} more", *told[2 - TOLD :]]
    begin = f"The register starts as {show(initial)}" if held is None else f"{held.text()}, so the register held {show(held.a)} then"
    states = " or ".join(show(state) for state in stuck.states)
    return (
        f"these operations have no order: {'; '.join(told)}. {begin}; when {stuck.op.text()} returns, every order of what came before "
        f"leaves {states}, {_because(stuck)}."
    ), _stuck_kind(stuck, operations, initial)


def next_ops(stuck: Stuck) -> list[dict[str, Any]]:
    """Of the op that had to act and of all others open then: the states in which it could, and why not in the others."""
    told = []
    for op in [stuck.op, *stuck.pending]:
        possible = [show(state) for state in stuck.states if step(state, op)[0]]
        why = f"it was refused, so that the register did not hold {show(op.a)}" if op.f == NOT else f"it needs {show(op.a)}"
        impossible = [{"state": show(state), "why": why} for state in stuck.states if not step(state, op)[0]]
        told.append({"call": op.call, "possible": possible, "impossible": impossible})
    return told


def _because(stuck: Stuck) -> str:
    """Why the op cannot act, nor what is pending help it."""
    needs = [op for op in stuck.pending if op.f == CAS and not any(step(state, op)[0] for state in stuck.states)]
    helpless = "".join(f", and {op.text()} needs {show(op.a)}" for op in needs[:2])
    if stuck.op.f == NOT:
        return f"which it asked for{helpless}"
    return f"but it needs {show(stuck.op.a)}{helpless}"


def _stuck_kind(stuck: Stuck, operations: Sequence[Operation], initial: Any) -> str | None:
    """What is wrong with the read that no order explains; None where it is not a read, or where that would be a guess."""
    read = stuck.op
    if read.f != READ:
        return None
    if read.a == initial:
        return "stale-read"
    strings = any(op.f == APPEND for op in operations)
    seen = [op for op in operations if (op.f == READ and op.a == read.a) or (op.f in (WRITE, CAS) and op.written == read.a)]
    if any(op.ret < read.call for op in seen):
        return "stale-read"
    if strings:
        return "stale-read" if all(isinstance(state, str) and state.startswith(read.a) for state in stuck.states) else None
    writes = [op for op in seen if op.f != READ]
    if any(op.call < read.ret for op in writes):
        return None
    return "future-read" if writes else "unwritten-value"
