"""A key's search in compiled code: its operations as arrays, the quick tries and the complete search, as search.py makes them.

Why it exists  histories with many clients and few values need millions of configurations; Python takes a minute for them.
Relies on      frontier.py. It gives the same answers as search.py; where masks or counts do not fit into 62 bits it gives none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from checkers.linearizable.operations import APPEND, CAS, HELD, NOT, READ, WRITE, Operation
from checkers.linearizable.search import BEAMS, FEW, LOST, OutOfBudget, Prepared, Stuck, last_asked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST = 62  # bits of a count
SPEED = 30  # configurations that compiled code looks at in the time of one in Python
NUMBER = {READ: 0, WRITE: 1, HELD: 1, CAS: 2, NOT: 3}


class Arrays(NamedTuple):
    """What frontier.explore takes, and the values by their numbers."""

    events: NDArray[np.int64]
    ops: NDArray[np.int64]
    last: NDArray[np.int64]
    crashed: NDArray[np.int64]
    initial: int
    values: list[Any]


def compiled_search(operations: Sequence[Operation], prepared: Prepared, initial: Any, budget: int) -> tuple[bool, Stuck | None]:
    """(whether it could be used, what search.search gives). Raises OutOfBudget after SPEED times the budget."""
    _, kinds, events = prepared
    crashed = [-at - 1 for _, _, at in events if at < 0]
    shift = [0]
    for kind in range(len(kinds)):  # each count in as many bits as it needs, and one that guards it when counts are compared
        shift.append(shift[-1] + crashed.count(kind).bit_length() + 1)
    if any(op.f == APPEND for op in operations) or shift[-1] > MOST:
        return False, None
    arrays = _arrays(operations, prepared, initial)
    if arrays is None:
        return False, None
    import numpy as np

    from checkers.linearizable.frontier import SPENT, STUCK, explore

    left = SPEED * budget

    def run(places: Sequence[int], beam: int) -> tuple[int, int, bool, Any]:
        nonlocal left
        how = (arrays.events, arrays.ops, arrays.last, arrays.crashed, np.array(places, np.int64), beam, left, arrays.initial)
        answer, event, spent, cut, states = explore(*how)
        left -= spent
        if answer == SPENT:
            raise OutOfBudget
        return answer, event, bool(cut), states

    def told(event: int, states: Any) -> Stuck:
        return _stuck(prepared, event, [*arrays.values, LOST], states)

    if len(crashed) > FEW:
        answer, event, _, states = run([0] * len(shift), 0)
        if answer == STUCK:
            return True, told(event, states)
        for beam in BEAMS:
            answer, event, cut, states = run(shift, beam)
            if answer != STUCK or not cut:
                return True, told(event, states) if answer == STUCK else None
    answer, event, _, states = run(shift, 0)
    return True, told(event, states) if answer == STUCK else None


def _stuck(prepared: Prepared, event: int, values: list[Any], states: Any) -> Stuck:
    """Where every order gets stuck, as search.py says it."""
    live, kinds, events = prepared
    pending: dict[int, Operation] = {}
    there: dict[int, Operation] = {}
    for _, is_return, at in events[:event]:
        if at < 0:
            there[-at - 1] = kinds[-at - 1]
        elif is_return:
            del pending[at]
        else:
            pending[at] = live[at]
    op = pending.pop(events[event][2])
    held = sorted((value for value, is_there in zip(values, states, strict=True) if is_there), key=repr)
    return Stuck(op, held[:10], [*pending.values(), *(there[kind] for kind in sorted(there))])


def _arrays(operations: Sequence[Operation], prepared: Prepared, initial: Any) -> Arrays | None:
    """None if more ops are pending at once than a mask has bits."""
    import numpy as np

    from checkers.linearizable.frontier import CALL, CRASH, RETURN, SLOTS

    live, kinds, events = prepared
    numbers: dict[Any, int] = {initial: 0}
    for op in (*live, *kinds):
        numbers.setdefault(op.a, len(numbers))
        if op.f == CAS:
            numbers.setdefault(op.b, len(numbers))
    last = np.full(len(numbers), -1, np.int64)
    for value, until in last_asked(operations).items():
        if value in numbers:
            last[numbers[value]] = until
    classes: dict[tuple[str, Any, Any], int] = {}
    rows = np.zeros((len(live), 6), np.int64)
    lines = np.zeros((len(events), 3), np.int64)
    free, slot = list(range(SLOTS))[::-1], 0
    for line, (now, is_return, at) in enumerate(events):
        if at < 0:
            lines[line] = CRASH, -at - 1, now
            continue
        op = live[at]
        lines[line] = RETURN if is_return else CALL, at, now
        if is_return:
            free.append(int(rows[at, 3]))
            continue
        if not free:
            return None
        slot = free.pop()
        b = numbers[op.b] if op.f == CAS else 0
        rows[at] = NUMBER[op.f], numbers[op.a], b, slot, classes.setdefault((op.f, op.a, op.b), len(classes)), op.ret
    crashed = np.zeros((len(kinds), 3), np.int64)
    for kind, op in enumerate(kinds):
        crashed[kind] = NUMBER[op.f], numbers[op.a], numbers[op.b] if op.f == CAS else 0
    return Arrays(lines, rows, last, crashed, 0, list(numbers))
