"""The compiled search: what search.py decides, for histories with so many configurations that Python takes too long.

Why it exists  what takes Python a minute takes a second here, and fewer configurations are kept.
Relies on      numba's cache, as kernels.py.

A configuration is a state, the pending writes and cas that have acted where somebody looked, the pending ops that are content, and the
crashed ops used. A read or refusal is content once it has been right; a cas once it has acted; a write once it has acted or could have
acted unseen: right before another write, or in a state that is its own value. So nobody decides early which writes went unseen; whether a
write did is asked when it returns, and until then it may still act. What is left out, beside what search.py leaves out:
- A write acts only right before somebody who looks at its value (a read, a cas, a refusal), or at its return. If another write follows
  it, it went unseen; and as long as nobody looks, it can wait.
- Of two configurations with one state the one in which more ops are content, fewer have acted and fewer crashed ops are used can do all
  that the other can: a content write that has not acted may act once more.
- Of pending ops with equal f and arguments, equally content, the one that returns first acts first: each could take the other's place.
"""

from __future__ import annotations

import numpy as np
from numba import njit

READ, WRITE, CAS, NOT = 0, 1, 2, 3
CALL, RETURN, CRASH = 0, 1, 2
FOUND, STUCK, SPENT = 0, 1, 2
SLOTS = 62  # bits of a mask
STATE, ACTED, CONTENT, USED, NEXT, ALIVE = 0, 1, 2, 3, 4, 5  # columns of a configuration
F, A, B, SLOT, CLASS, RET = 0, 1, 2, 3, 4, 5  # columns of an op
SIZE, CUT = 0, 1  # of a table's `note`: how many rows, whether an antichain was cut short
# Arguments are plain numbers and whole arrays: a row taken out of an array costs as much as all that is done with it.


@njit(cache=True, nogil=True)
def _keep(heads, rows, note, state, acted, content, used, guard, beam):  # type: ignore[no-untyped-def]
    """Add a configuration to the antichain of its state, unless one as good is there. heads: first row of each state's chain."""
    alike, before = 0, -1
    at = heads[state]
    while at >= 0:
        following = rows[at, NEXT]
        there, did, spent = rows[at, CONTENT], rows[at, ACTED], rows[at, USED]
        if content & ~there == 0 and did & ~acted == 0 and ((used | guard) - spent) & guard == guard:
            return
        if there & ~content == 0 and acted & ~did == 0 and ((spent | guard) - used) & guard == guard:
            rows[at, ALIVE] = 0
            if before < 0:
                heads[state] = following
            else:
                rows[before, NEXT] = following
        else:
            alike += 1
            before = at
        at = following
    if beam > 0 and alike >= beam:
        note[CUT] = 1
        return
    size = note[SIZE]
    rows[size, STATE], rows[size, ACTED], rows[size, CONTENT], rows[size, USED] = state, acted, content, used
    rows[size, NEXT], rows[size, ALIVE] = heads[state], 1
    heads[state] = size
    note[SIZE] = size + 1


@njit(cache=True, nogil=True)
def _room(rows, note, more):  # type: ignore[no-untyped-def]
    """The rows, with room for some more."""
    size = note[SIZE]
    if size + more <= len(rows):
        return rows
    larger = np.empty((2 * len(rows) + more, 6), np.int64)
    larger[:size] = rows[:size]
    return larger


@njit(cache=True, nogil=True)
def _clear(heads, rows, note):  # type: ignore[no-untyped-def]
    for at in range(note[SIZE]):
        heads[rows[at, STATE]] = -1
    note[SIZE] = 0


@njit(cache=True, nogil=True)
def _call(ops, at, bit, match, waits, same, pending, count):  # type: ignore[no-untyped-def]
    """An op is pending from now on; how many writes and cas are."""
    f, a = ops[at, F], ops[at, A]
    if f == READ:
        match[a] |= bit
    elif f == NOT:
        for v in range(len(match)):
            if v != a:
                match[v] |= bit
    else:
        if f == CAS:
            waits[a] |= bit
        else:
            same[a] |= bit
        place = count
        while place > 0 and ops[pending[place - 1], RET] > ops[at, RET]:
            pending[place] = pending[place - 1]
            place -= 1
        pending[place] = at
        count += 1
    return count


@njit(cache=True, nogil=True)
def _returned(ops, at, bit, match, waits, same, pending, count):  # type: ignore[no-untyped-def]
    """An op is no longer pending; how many writes and cas are."""
    f, a = ops[at, F], ops[at, A]
    if f == READ:
        match[a] &= ~bit
    elif f == NOT:
        for v in range(len(match)):
            match[v] &= ~bit
    else:
        waits[a] &= ~bit
        same[a] &= ~bit
        place = 0
        while pending[place] != at:
            place += 1
        for p in range(place, count - 1):
            pending[p] = pending[p + 1]
        count -= 1
    return count


@njit(cache=True, nogil=True)
def _enter(state, acted, content, used, was_content, now, bit, guard, beam, last, match, same,  # type: ignore[no-untyped-def]
           heads_r, rows_r, note_r, heads_a, rows_a, note_a):  # fmt: skip
    """Take a configuration in: who can be content is. It has arrived when the op that returns (bit) is content.

    was_content: it was so before the last step; then nothing is gained by arriving again before it has acted. A write that has not acted
    may still do so: such a configuration goes on as well.
    """
    if state < len(last) and last[state] < now:
        state = len(last)
    content |= match[state] | (same[state] & ~acted)
    if content & bit:
        if not was_content or acted & bit:
            _keep(heads_a, rows_a, note_a, state, acted & ~bit, content & ~bit, used, guard, beam)
        if acted & bit:
            return
    _keep(heads_r, rows_r, note_r, state, acted, content, used, guard, beam)


@njit(cache=True, nogil=True)
def _useful(state, acted, content, used, k, unseen, shift, crashed, available, match, waits, leads):  # type: ignore[no-untyped-def]
    """What a crashed op of a kind leaves, if it may act and somebody may look at that; -1 if not.

    A write of the value that is there changes nothing but that pending writes may have gone unseen right before it.
    """
    if available[k] == 0 or (crashed[k, F] == CAS and crashed[k, A] != state):
        return np.int64(-1)
    if shift[k + 1] > shift[k] and ((used >> shift[k]) & ((np.int64(1) << (shift[k + 1] - shift[k])) - 1)) >= available[k]:
        return np.int64(-1)
    to = crashed[k, B] if crashed[k, F] == CAS else crashed[k, A]
    if to == state and (crashed[k, F] == CAS or unseen & ~content == 0):
        return np.int64(-1)
    if not (match[to] & ~content or waits[to] & ~acted or leads[to]):
        return np.int64(-1)
    return to


@njit(cache=True, nogil=True)
def _follow(done, turn, target, now, bit, unseen, guard, beam, shift, last, match, waits, same,  # type: ignore[no-untyped-def]
            leads, ops, pending, count, tried, crashed, available, heads_r, rows_r, note_r, heads_a, rows_a, note_a):  # fmt: skip
    """Take in all that follows from one configuration by one op. unseen: all pending writes, which may act right before another write."""
    state, acted, content, used = rows_r[done, STATE], rows_r[done, ACTED], rows_r[done, CONTENT], rows_r[done, USED]
    was = content & bit != 0
    for p in range(count):
        at = pending[p]
        mine, f = np.int64(1) << ops[at, SLOT], ops[at, F]
        kind = 2 * ops[at, CLASS] + (f == WRITE and content & mine != 0)
        if acted & mine or tried[kind] == turn:
            continue
        tried[kind] = turn
        if f == CAS:
            if ops[at, A] == state:
                _enter(ops[at, B], acted | mine, content | mine, used, was, now, bit, guard, beam, last, match, same,
                       heads_r, rows_r, note_r, heads_a, rows_a, note_a)  # fmt: skip
            continue
        to = ops[at, A]
        if at == target or match[to] & ~content or waits[to] & ~acted or leads[to]:
            _enter(to, acted | mine, content | unseen, used, was, now, bit, guard, beam, last, match, same,
                   heads_r, rows_r, note_r, heads_a, rows_a, note_a)  # fmt: skip
    for k in range(len(crashed)):
        to = _useful(state, acted, content, used, k, unseen, shift, crashed, available, match, waits, leads)
        if to >= 0:
            using = used + (np.int64(1) << shift[k]) if shift[k + 1] > shift[k] else used
            more = content | unseen if crashed[k, F] == WRITE else content
            _enter(to, acted, more, using, was, now, bit, guard, beam, last, match, same,
                   heads_r, rows_r, note_r, heads_a, rows_a, note_a)  # fmt: skip


@njit(cache=True, nogil=True)
def explore(events, ops, last, crashed, shift, beam, budget, initial):  # type: ignore[no-untyped-def]
    """Whether the events have a linearization.

    events: kind, op (or kind of crashed ops), position. ops: f, a, b, slot, class of equal ops, position of the return. last: of each value
    the last position at which somebody asks for it. crashed: f, a, b of each kind. shift: where the count of each kind begins in `used`,
    and where the last one ends; a kind without a place there: as many as wanted.
    Returns (FOUND | STUCK | SPENT, event, configurations, whether the beam cut something, states before the event).
    """
    values, kinds = len(last), len(crashed)
    guard = np.int64(0)
    leads, states = np.zeros(values + 1, np.bool_), np.zeros(values + 1, np.bool_)
    for k in range(kinds):
        guard |= (np.int64(1) << (shift[k + 1] - 1)) if shift[k + 1] > shift[k] else np.int64(0)
        leads[crashed[k, A]] |= crashed[k, F] == CAS
    available, tried = np.zeros(kinds, np.int64), np.full(2 * len(ops) + 2, -1, np.int64)
    match, waits, same = np.zeros(values + 1, np.int64), np.zeros(values + 1, np.int64), np.zeros(values + 1, np.int64)
    pending, count = np.empty(64, np.int64), 0
    heads_r, rows_r, note_r = np.full(values + 1, -1, np.int64), np.empty((256, 6), np.int64), np.zeros(2, np.int64)
    heads_a, rows_a, note_a = np.full(values + 1, -1, np.int64), np.empty((256, 6), np.int64), np.zeros(2, np.int64)
    front, many = np.zeros((1, 6), np.int64), 1
    front[0, STATE], front[0, ALIVE] = initial, 1
    spent = 0
    for e in range(len(events)):
        at, now = events[e, 1], events[e, 2]
        if events[e, 0] == CRASH:
            available[at] += 1
            continue
        bit = np.int64(1) << ops[at, SLOT]
        if events[e, 0] == CALL:
            count = _call(ops, at, bit, match, waits, same, pending, count)
            continue
        unseen = np.int64(0)
        for p in range(count):
            if ops[pending[p], F] == WRITE:
                unseen |= np.int64(1) << ops[pending[p], SLOT]
        rows_r, rows_a = _room(rows_r, note_r, many), _room(rows_a, note_a, many)
        for i in range(many):
            if front[i, ALIVE] == 1:
                _enter(front[i, STATE], front[i, ACTED], front[i, CONTENT], front[i, USED], False, now, bit, guard, beam, last, match, same,
                       heads_r, rows_r, note_r, heads_a, rows_a, note_a)  # fmt: skip
        done = 0
        while done < note_r[SIZE]:
            content_read = (ops[at, F] == READ or ops[at, F] == NOT) and rows_r[done, CONTENT] & bit
            if rows_r[done, ALIVE] == 1 and not content_read:
                rows_r, rows_a = _room(rows_r, note_r, count + kinds), _room(rows_a, note_a, count + kinds)
                spent += 1
                if spent > budget:
                    return SPENT, e, spent, note_r[CUT] + note_a[CUT], states
                _follow(done, spent, at, now, bit, unseen, guard, beam, shift, last, match, waits, same, leads, ops, pending, count,
                        tried, crashed, available, heads_r, rows_r, note_r, heads_a, rows_a, note_a)  # fmt: skip
            done += 1
        if note_a[SIZE] == 0:
            for i in range(many):
                states[front[i, STATE]] |= front[i, ALIVE] == 1
            return STUCK, e, spent, note_r[CUT] + note_a[CUT], states
        many = note_a[SIZE]
        front = rows_a[:many].copy()
        _clear(heads_r, rows_r, note_r)
        _clear(heads_a, rows_a, note_a)
        count = _returned(ops, at, bit, match, waits, same, pending, count)
    return FOUND, len(events), spent, note_r[CUT] + note_a[CUT], states
