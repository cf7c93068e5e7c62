"""The smallest window: as few operations as still have no linearization, so that a person can check them by hand.

Why it exists  a violation in 10,000 operations convinces nobody; one in five does.
Relies on      what may be left out of a part without making it non-linearizable by that alone; the reasons stand in witness.py, which
               proves every window again.
"""

from __future__ import annotations

from collections.abc import Sequence

from checkers.linearizable.operations import APPEND, CAS, HELD, LATER, NOT, READ, WRITE, Operation
from checkers.linearizable.search import OutOfBudget, Stuck, search

TRIES = 400  # searches at most while leaving out
ANCHORS = 24  # reads that are tried as a beginning
EFFORT = 40_000  # configurations that all of it may cost
SMALL = 6


def smallest(operations: Sequence[Operation], stuck: Stuck, initial: object) -> list[Operation]:
    """Operations of one key that have no linearization; the search of all of them got stuck at `stuck`. Cost: bounded by EFFORT."""
    end = stuck.op.ret
    window = [op if op.ret <= end else op._replace(ret=LATER) for op in operations if op.call < end]
    window = [op for op in window if op.f not in (READ, NOT) or not op.crashed]
    effort = _Effort(initial)
    for anchor in (True, False):
        if len(window) > SMALL:
            window = _of_few_values(window, stuck, effort)
            window = _anchored(window, stuck.op, effort) or window if anchor else window
        window = _leave_out(window, stuck.op, effort)
    return _leave_out(_demand_less(window, stuck.op, effort), stuck.op, effort)


class _Effort:
    """Searches within what is left of the budget."""

    def __init__(self, initial: object) -> None:
        self.initial, self.left, self.tries = initial, EFFORT, TRIES

    def fails(self, window: Sequence[Operation]) -> bool:
        """True if the window certainly has no linearization."""
        cost = len(window) + 1
        if self.left < cost or not self.tries:
            return False
        self.tries -= 1
        self.left -= cost
        try:
            return search(window, self.initial, min(self.left, 10 * cost + 2000)) is not None
        except OutOfBudget:
            self.left -= min(self.left, 10 * cost + 2000)
            return False


def _of_few_values(window: list[Operation], stuck: Stuck, effort: _Effort) -> list[Operation]:
    """Only what asks for one of a few values, and all writes; a cas that asks for another counts as a write, which demands less."""
    near: list[object] = [stuck.op.a, *stuck.states, *(op.a for op in stuck.pending if op.f in (READ, CAS))]
    values = list(dict.fromkeys(near))
    for count in sorted({1, 2, len(values)}):
        few = set(values[:count])
        part = [_as_write(op) if op.f == CAS and op.a not in few else op for op in window if op.f not in (READ, NOT) or op.a in few]
        asked = {op.a for op in part if op.f in (READ, CAS)}
        strict = any(op.f in (NOT, APPEND) for op in part)
        part = [op for op in part if strict or not op.crashed or op.f in (READ, HELD) or op.written in asked]
        if part != window and effort.fails(part):
            return part
    return window


def _demand_less(window: list[Operation], keep: Operation, effort: _Effort) -> list[Operation]:
    """Each cas as a write, where that is enough: then the writes that it needed can go."""
    for i, op in enumerate(window):
        if op.f == CAS and op.index != keep.index:
            part = [*window[:i], _as_write(op), *window[i + 1 :]]
            if effort.fails(part):
                window = part
    return window


def _as_write(op: Operation) -> Operation:
    return op._replace(f=WRITE, a=op.b, b=None)


def _anchored(window: list[Operation], stuck: Operation, effort: _Effort) -> list[Operation] | None:
    """The window from a late read on: at a moment within it the register held what it returned, and what came before no longer matters."""
    reads = sorted((op for op in window if op.f == READ and op.ret < stuck.call), key=lambda op: -op.call)
    back = 0
    for _ in range(ANCHORS):
        if back >= len(reads):
            return None
        anchor = reads[back]
        part = [op for op in window if op.ret > anchor.call and (op.f not in (READ, NOT) or op.call > anchor.ret)]
        back += 1 + back // 3
        if any(op.f == CAS and op.call < anchor.ret for op in part):
            continue  # it may have acted before or after the anchor: neither keeping nor leaving it out is right
        part = sorted([*part, anchor._replace(f=HELD)], key=lambda op: op.call)
        if effort.fails(part):
            return part
    return None


def removable(op: Operation, rest: Sequence[Operation]) -> bool:
    """True if nobody in the rest could have observed what the op did."""
    if op.f in (READ, NOT):
        return True
    if op.f == HELD or any(other.f == NOT for other in rest):
        return False
    if op.f == APPEND or any(other.f == APPEND for other in rest):
        return not any(other.f == CAS or (other.f == READ and _shows(op, other.a)) for other in rest)
    return not any(other.f in (READ, CAS) and other.a == op.written for other in rest)


def _shows(op: Operation, text: object) -> bool:
    """Whether a string may have come about with the op: what was appended stands in it, what was put it begins with."""
    if not isinstance(text, str) or not isinstance(op.written, str):
        return True
    return op.written in text if op.f == APPEND else text.startswith(op.written)


def _leave_out(window: list[Operation], keep: Operation, effort: _Effort) -> list[Operation]:
    """Leave out what can be, in chunks that halve, then one by one; `keep` (where the search got stuck) stays."""
    chunk = len(window)
    while effort.left and effort.tries:
        loose = [op for i, op in enumerate(window) if op.index != keep.index and removable(op, window[:i] + window[i + 1 :])]
        chunk = max(1, min(chunk, len(loose)))
        changed = False
        for start in range(0, len(loose), chunk):
            without = {op.index for op in loose[start : start + chunk]}
            rest = [op for op in window if op.index not in without]
            if effort.fails(rest):
                window, changed = rest, True
        if chunk == 1 and not changed:
            break
        chunk = chunk if changed else max(1, chunk // 2)
    return window
