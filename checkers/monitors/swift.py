"""The fast road: the monitors on columns, for large histories of integers.

Why it exists  a million ops are judged in a fraction of a second; plain Python takes half a minute.
Relies on      the very rules of the small road, compiled. It only says which few ops of which key have no order; what is wrong with them,
               and every history that is unusual (a value added twice, ops that do not pair), the rest of the package says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from checkers.monitors.acts import ADD, REMOVE
from checkers.monitors.cover import Reach, closed, fewest
from harness.history.columns import Columns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

MOST = 1 << 31
STARTS = 8  # stuck values from which a small set that is stuck by itself is looked for


class Sifted(NamedTuple):
    """keys: how many there are; seen: whether anybody observed anything; left: positions of the ops that the exact road has to judge, all
    others have an order; conflicts: how many keys (of a set: elements) of these are certainly in conflict."""

    keys: int
    seen: bool
    left: Numbers
    conflicts: int


def roles_of(columns: Columns, names: Mapping[str, str], keyed: str) -> NDArray[np.int8] | None:
    """The role of each op; None if some f is unknown or the keys are not plain."""
    import numpy as np

    from checkers.monitors.kernels import ADDS, LOOKS, REMOVES

    if len(columns.kind) >= MOST or not set(columns.fs) <= names.keys():
        return None
    number = {ADD: ADDS, REMOVE: REMOVES}
    role = np.array([number.get(names[f], LOOKS) for f in columns.fs], np.int8)[columns.f]
    if not columns.pairs:
        return role if keyed == "auto" else None
    asking = (columns.kind == 0) & (role != ADDS)
    return role if asking.any() and columns.null[asking].all() else None


def sift_container(columns: Columns, object_: str, names: Mapping[str, str], keyed: str, smallest: bool) -> Sifted | None:
    """What is left to judge of queues, stacks or priority queues; None if the exact road must say."""
    import numpy as np

    from checkers.monitors import kernels

    role, partner = roles_of(columns, names, keyed), columns.pair()
    if role is None or partner is None or columns.result.any():
        return None
    count, keys = len(columns.kind), columns.keys
    adds = int(((columns.kind == 0) & (role == kernels.ADDS)).sum())
    looking = int(((columns.kind == 0) & (role != kernels.ADDS)).sum())
    order, starts = np.arange(count), np.array([0, count])
    local = order
    if keys > 1:
        local, starts = np.empty(count, np.int64), np.zeros(keys + 1, np.int64)
        kernels.by_key(columns.key, starts, order, local)
    by_row = [np.empty(adds, np.int64) for _ in range(7)]
    by_look = [np.empty(looking, np.int64) for _ in range(6)]
    by_key = [np.zeros(keys + 1, np.int64) for _ in range(5)]
    hashed = np.full(1 << max(4, (2 * adds).bit_length()), -1, np.int64)
    read = (columns.kind, role, columns.value, columns.null, partner, hashed)
    kernels.tabulate(order, local, starts, *read, *by_row, *by_look, *by_key)
    judging = _Judging(object_, smallest, by_row, by_look, by_key)
    crashed = (columns.kind == 0) & (role == kernels.REMOVES) & ((partner < 0) | (columns.kind[partner] == 3))
    left, conflicts = [np.empty(0, np.int64)], 0
    for key in range(keys):
        here = order[starts[key] : starts[key + 1]]
        found = judging.key(key, len(here), local[here[crashed[here]]])
        if found is not None:
            left.append(_ops_of(columns, role, partner, here, found))
            conflicts += found.values is not None
    seen = bool(((columns.kind == 1) & (role != kernels.ADDS)).any())
    return Sifted(keys, seen, np.sort(np.concatenate(left)), conflicts)


class _Conflict(NamedTuple):
    """Values and positions of answers "empty" that are in conflict; values None: the exact road must say of all ops."""

    values: Numbers | None
    holes: Sequence[int] = ()


_ALL = _Conflict(None)


def _ops_of(columns: Columns, role: NDArray[np.int8], partner: Numbers, here: Numbers, found: _Conflict) -> Numbers:
    """The ops of a conflict: all adds, removes and looks of its values, its holes, the removes of unknown outcome, with completions."""
    import numpy as np

    from checkers.monitors.kernels import ADDS

    if found.values is None:
        return here
    invoked = here[columns.kind[here] == 0]
    done = partner[invoked]
    outcome = np.where(done >= 0, columns.kind[done], 3)
    adding = role[invoked] == ADDS
    seen = np.where(adding, invoked, done)
    chosen = np.isin(columns.value[seen], found.values) & ~columns.null[seen] & (adding | (outcome == 1)) & (outcome != 2)
    chosen |= ~adding & (outcome == 3)
    chosen |= np.isin(invoked, np.array(found.holes, np.int64))
    both = np.concatenate([invoked[chosen], done[chosen]])
    return both[both >= 0]


class _Judging:
    """The rules of one object on the table of all keys."""

    def __init__(self, object_: str, smallest: bool, by_row: list[Numbers], by_look: list[Numbers], by_key: list[Numbers]) -> None:
        self.object_, self.smallest = object_, smallest
        _, self.value, *self.bounds = by_row
        self.look, self.hole = by_look[:3], by_look[3:]
        self.rows, self.looks, self.holes, self.status, self.wrong = by_key

    def key(self, key: int, end: int, calls: Numbers) -> _Conflict | None:
        """What is in conflict of one key, whose events are `end` many; calls: of its removes of unknown outcome."""
        import numpy as np

        from checkers.monitors.kernels import BAD, EXACT

        if self.status[key] == EXACT:
            return _ALL
        if self.status[key] == BAD:
            return _Conflict(self.wrong[key : key + 1])
        rows, looks, holes = (slice(at[key], at[key + 1]) for at in (self.rows, self.looks, self.holes))
        value, (called, inside, leaving, gone, first) = self.value[rows], (column[rows] for column in self.bounds)
        look = [self.look[0][looks] - rows.start, self.look[1][looks], self.look[2][looks]]
        hole = [column[holes] for column in self.hole]
        kept = inside < end
        if not kept.all():  # adds of unknown outcome that nobody saw
            look[0] = (np.cumsum(kept) - 1)[look[0]]
            value, called, inside, leaving, gone, first = (column[kept] for column in (value, called, inside, leaving, gone, first))
        key_ = _Key(end, value, called, inside, leaving, gone, first, look, hole)
        found = key_.conflict(self.object_, self.smallest)
        if found is None or not len(calls):
            return found
        return key_.crashed(self.object_, self.smallest, calls)


class _Key(NamedTuple):
    """The table of one key as arrays; see table.py."""

    end: int
    value: Numbers
    called: Numbers
    inside: Numbers
    leaving: Numbers
    gone: Numbers
    first: Numbers
    look: list[Numbers]  # row, from, to
    hole: list[Numbers]  # position, from, to

    def conflict(self, object_: str, smallest: bool) -> _Conflict | None:
        """The values and holes that are in conflict, or None."""
        found = {"queue": self._queue, "stack": self._stack}.get(object_, lambda: self._priority(smallest))()
        if found is not None:
            return _Conflict(self.value[found])
        return self._hollow()

    def crashed(self, object_: str, smallest: bool, calls: Numbers) -> _Conflict | None:
        """The same with removes of unknown outcome, called then; see crashed.py. Where that is not enough, the exact road must say."""
        import numpy as np

        from checkers.monitors.deadlines import matching
        from checkers.monitors.kernels import earliest

        loose = np.flatnonzero(self.leaving == self.end)
        relaxed = self._taken(loose, np.full(len(loose), calls[0])).conflict(object_, smallest)
        if relaxed is not None:
            return relaxed
        keys, fronts = self._fronts(object_, smallest)
        loose = loose[np.argsort(keys[loose], kind="stable")]
        fronts = fronts[:, np.argsort(fronts[0], kind="stable")]
        found = np.full(len(loose), self.end)
        earliest(keys[loose], self.inside[loose], fronts[0], fronts[1], fronts[2], np.full(self.end + 1, self.end), found)
        due = np.flatnonzero(found < self.end)
        order, served = matching(found[due].tolist(), calls.tolist())
        rows = loose[due[order]]
        if served == len(rows):
            return self._taken(rows, calls[:served]).conflict(object_, smallest) and _ALL
        late = rows[: served + 1]
        pressing = [self._pressing(keys, fronts, row) for row in late.tolist()]
        others = [front for front in pressing if front < len(self.value)]
        holes = [int(self.hole[0][front - len(self.value)]) for front in pressing if front >= len(self.value)]
        return _Conflict(self.value[[*late.tolist(), *others]], holes)

    def _taken(self, rows: Numbers, calls: Numbers) -> _Key:
        """The table with these values removed by removes of unknown outcome, called then."""
        import numpy as np

        leaving = self.leaving.copy()
        leaving[rows] = np.maximum(calls, self.called[rows])
        seen = np.full(len(self.value), -1, np.int64)
        np.maximum.at(seen, self.look[0], self.look[1])
        leaving[rows] = np.maximum(leaving[rows], seen[rows])
        return self._replace(leaving=leaving)

    def _fronts(self, object_: str, smallest: bool) -> tuple[Numbers, Numbers]:
        """(keys of the values, [before, at, until, who] of what must come after some of them left); who: a row, or rows + a hole."""
        import numpy as np

        rows = np.arange(len(self.value))
        if object_ == "queue":
            keys = np.ones(len(rows), np.int64)
            out = rows[self.first < self.end]
            parts = [(np.zeros(len(out), np.int64), self.called[out], self.first[out], out)]
        else:
            keys = self.called
            before = self.inside
            if object_ == "priority-queue":
                keys = before = np.empty(len(rows), np.int64)
                keys[np.argsort(-self.value if smallest else self.value, kind="stable")] = rows
            out = rows[self.gone < self.end]
            row, call, ret = self.look
            parts = [(before[out], self.leaving[out], self.gone[out], out), (before[row], call, ret, row)]
        _, call, ret = self.hole
        parts.append((np.full(len(call), -1), call, ret, len(rows) + np.arange(len(call))))
        return keys, np.array([np.concatenate(column) for column in zip(*parts, strict=True)])

    def _pressing(self, keys: Numbers, fronts: Numbers, row: int) -> int:
        """Who sets the deadline of a row."""
        import numpy as np

        mine = np.flatnonzero((fronts[0] < keys[row]) & (fronts[1] >= self.inside[row]))
        return int(fronts[3][mine[np.argmin(fronts[2][mine])]])

    def _blank(self) -> Numbers:
        import numpy as np

        return np.full(self.end + 1, -1, np.int64)

    def _reach(self, rows: Numbers) -> Reach:
        import numpy as np

        ordered = rows[np.argsort(self.inside[rows], kind="stable")]
        leaving = self.leaving[ordered]
        longer = np.concatenate([[True], leaving[1:] > np.maximum.accumulate(leaving)[:-1]])[: len(ordered)]
        best = ordered[np.maximum.accumulate(np.where(longer, np.arange(len(ordered)), 0))]
        return Reach(self.inside[ordered], best, self.leaving)

    def _hollow(self) -> _Conflict | None:
        import numpy as np

        from checkers.monitors.kernels import next_free

        at, call, ret = self.hole
        if not len(at):
            return None
        free = np.zeros(self.end + 1, np.int64)
        next_free(self.inside, self.leaving, free)
        wrong = np.flatnonzero(free[call] >= ret)
        if not len(wrong):
            return None
        hole = wrong[0]
        chosen = fewest(int(call[hole]), int(ret[hole]), self._reach(np.arange(len(self.value))))
        assert chosen is not None
        return _Conflict(self.value[chosen], [int(at[hole])])

    def _queue(self) -> list[int] | None:
        from checkers.monitors.kernels import both_in_front, overtaken

        pair = overtaken(self.called, self.inside, self.leaving, self.first, self._blank(), self._blank())
        if pair[0] < 0 and len(self.look[0]):
            pair = both_in_front(self.first, self.leaving, self._blank())
        return list(pair) if pair[0] >= 0 else None

    def _chains(self) -> tuple[Numbers, Numbers]:
        """The looks of each row as chains: the last one, and the one before each."""
        import numpy as np

        head, after = np.full(len(self.value), -1, np.int64), np.full(len(self.look[0]), -1, np.int64)
        for look, row in enumerate(self.look[0].tolist()):
            after[look], head[row] = head[row], look
        return head, after

    def _priority(self, smallest: bool) -> list[int] | None:
        import numpy as np

        from checkers.monitors.kernels import blocked

        order = np.argsort(self.value if smallest else -self.value, kind="stable")
        _, calls, rets = self.look
        row, look = blocked(order, self.inside, self.leaving, self.gone, *self._chains(), calls, rets, np.arange(self.end + 1))
        if row < 0:
            return None
        begin, end = (calls[look], rets[look]) if look >= 0 else (self.leaving[row], self.gone[row])
        above = order[: int(np.flatnonzero(order == row)[0])]
        chosen = fewest(int(begin), int(end), self._reach(above))
        assert chosen is not None
        return [row, *chosen]

    def _stack(self) -> list[int] | None:
        import numpy as np

        from checkers.monitors.kernels import segments, take_out

        rows, looks = len(self.value), len(self.look[0])
        segment, count = segments(self.inside, self.leaving, np.zeros(self.end + 1, np.int64))
        size = 1 << max(0, int(count - 1).bit_length())
        most = 2 * rows + 2 * looks
        out = np.zeros(rows, np.bool_)
        work = [np.zeros(size_, np.int64) for size_ in (most, most, most, 2 * size, 2 * size)]
        later = [np.zeros(rows, np.int64) for _ in range(2)]
        froms, tos = segment[self.look[1]], segment[self.look[2] - 1] + 1
        bounds = (self.called, self.inside, self.leaving, self.gone)
        left = take_out(*bounds, segment, count, *self._chains(), froms, tos, *work, np.zeros(looks, np.bool_), *later, out)
        if not left:
            return None
        stuck = np.flatnonzero(~out)

        reach = self._reach(stuck)

        def cover(begin: int, end: int, row: int) -> list[int] | None:
            found = fewest(begin, end, reach)
            if found is not None and row in found:  # a look within its own value's critical interval
                return fewest(begin, end, self._reach(stuck[stuck != row]))
            return found

        return min((closed(int(start), self._windows, cover) for start in stuck[:STARTS]), key=len)

    def _windows(self, row: int) -> Iterable[tuple[int, int]]:
        yield int(self.called[row]), int(self.inside[row])
        if self.leaving[row] < self.end:
            yield int(self.leaving[row]), int(self.gone[row])
        for look in (self.look[0] == row).nonzero()[0]:
            yield int(self.look[1][look]), int(self.look[2][look])


def sift_set(columns: Columns, names: Mapping[str, str], keyed: str) -> Sifted | None:
    """What is left to judge of sets: the elements that are in conflict, or changed more than once; None: the exact road must say."""
    import numpy as np

    from checkers.monitors import kernels

    role, partner = roles_of(columns, names, keyed), columns.pair()
    if role is None or partner is None or columns.pairs:
        return None
    most = int((columns.kind == 0).sum())
    hashed = np.full(1 << max(4, (2 * most).bit_length()), -1, np.int64)
    of_key, of_value, adds, removes, begun, entered, seen, left, removal = (np.empty(most, np.int64) for _ in range(9))
    odd, number = np.zeros(most, np.bool_), np.empty(len(columns.kind), np.int64)
    read = (columns.kind, role, columns.key, columns.value, columns.null, columns.result, partner, hashed, of_key, of_value)
    count = kernels.elements(*read, adds, removes, begun, entered, seen, left, removal, odd, number)
    if count < 0:
        return None
    bad = np.zeros(most, np.int8)
    known = (adds, removes, begun, entered, seen, left, removal, odd, number)
    kernels.judge_elements(count, columns.kind, role, columns.result, partner, *known, bad)
    invoked = np.flatnonzero((columns.kind == 0) & (number >= 0))
    wanted = invoked[bad[number[invoked]] > 0]
    done = partner[wanted]
    left = np.sort(np.concatenate([wanted, done[done >= 0]]))
    return Sifted(columns.keys, bool(columns.result.any()), left, int((bad == 1).sum()))
