"""The compiled part of swift.py: tables of containers and of sets from columns, and the rules of the objects' own files compiled.

Why it exists  a million ops are judged in a fraction of a second; the same loops in Python take half a minute.
Relies on      numba's cache: compiled once (`splitbrain prepare --kernels`), loaded in a tenth of a second afterwards. A rule is compiled
               from the very function that small histories run: there is no second version of it.
"""

from __future__ import annotations

from numba.extending import register_jitable

from checkers.linearizable.kernels import slot
from checkers.monitors import cover, deadlines, peel, priority_queue, queue
from harness.compiled import njit

ADDS, REMOVES, LOOKS = range(3)  # roles of an f
FINE, BAD, EXACT = range(3)  # of a key: no value alone is wrong; one is; the exact road must say

for helper in peel.HELPERS:
    register_jitable(helper)
register_jitable(priority_queue.to_free)
next_free = njit(cache=True, nogil=True)(cover.next_free)
overtaken = njit(cache=True, nogil=True)(queue.overtaken)
both_in_front = njit(cache=True, nogil=True)(queue.both_in_front)
blocked = njit(cache=True, nogil=True)(priority_queue.blocked)
earliest = njit(cache=True, nogil=True)(deadlines.earliest)
segments = njit(cache=True, nogil=True)(peel.segments)
take_out = njit(cache=True, nogil=True)(peel.peel)


@njit(cache=True, nogil=True)
def by_key(key, starts, order, local):  # type: ignore[no-untyped-def]
    """Positions key by key, in order; starts[k] where key k begins; local: each position's number within its key."""
    for i in range(len(key)):
        starts[key[i] + 1] += 1
    for k in range(len(starts) - 1):
        starts[k + 1] += starts[k]
    taken = starts[:-1].copy()
    for i in range(len(key)):
        k = key[i]
        order[taken[k]] = i
        local[i] = taken[k] - starts[k]
        taken[k] += 1


@njit(cache=True, nogil=True)
def tabulate(  # type: ignore[no-untyped-def]
    order, local, starts, kind, role, value, null, partner, table, of_key, of_value, called, inside, leaving, gone, first,
    look_row, look_call, look_ret, hole_at, hole_call, hole_ret, rows, looks, holes, status, wrong,
):  # fmt: skip
    """Fill the tables of all keys: rows[k]:rows[k + 1] are the rows of key k, so looks and holes; see table.py for the bounds.

    status, wrong: by key, and the value that is wrong.
    """
    r = w = h = 0
    for k in range(len(starts) - 1):
        a, b = starts[k], starts[k + 1]
        end = b - a
        rows[k], looks[k], holes[k], status[k] = r, w, h, FINE
        for at in range(a, b):
            i = order[at]
            if kind[i] != 0 or role[i] != ADDS:
                continue
            done = partner[i]
            if done >= 0 and kind[done] == 2:
                continue
            place = slot(table, k, value[i], of_key, of_value)
            if null[i] or table[place] >= 0:
                status[k] = EXACT
                break
            table[place] = r
            of_key[r], of_value[r], called[r] = k, value[i], local[i]
            inside[r] = local[done] if done >= 0 and kind[done] == 1 else end
            leaving[r], gone[r], first[r] = end, end, end
            r += 1
        if status[k] == EXACT:
            continue
        for at in range(a, b):
            i = order[at]
            if kind[i] != 0 or role[i] == ADDS:
                continue
            done = partner[i]
            if done < 0 or kind[done] != 1:
                continue
            if null[done]:
                hole_at[h], hole_call[h], hole_ret[h] = i, local[i], local[done]
                h += 1
                continue
            row = table[slot(table, k, value[done], of_key, of_value)]
            if row < 0 or local[done] < called[row] or (role[i] == REMOVES and gone[row] < end):
                if status[k] == FINE:
                    status[k], wrong[k] = BAD, value[done]
                continue
            if role[i] == REMOVES:
                leaving[row], gone[row] = max(local[i], called[row]), local[done]
                first[row] = min(first[row], local[done])
            else:
                look_row[w], look_call[w], look_ret[w] = row, local[i], local[done]
                w += 1
        for look in range(looks[k], w):
            row = look_row[look]
            if gone[row] < look_call[look] and status[k] == FINE:
                status[k], wrong[k] = BAD, of_value[row]
            look_call[look] = max(look_call[look], called[row])
            first[row] = min(first[row], look_ret[look])
            if gone[row] < end:
                leaving[row] = max(leaving[row], look_call[look])
                look_ret[look] = min(look_ret[look], gone[row])
        for row in range(rows[k], r):
            inside[row] = min(inside[row], first[row])
    rows[-1], looks[-1], holes[-1] = r, w, h


@njit(cache=True, nogil=True)
def elements(  # type: ignore[no-untyped-def]
    kind, role, key, value, null, result, partner, table, of_key, of_value, adds, removes, begun, entered, seen, left, removal, odd, number,
):  # fmt: skip
    """Gather each element of a set; how many, -1 if something is unusual (a null, an element that changes).

    adds, removes  how many that may have changed it; odd: whether one of them did not say
    begun          call of the add; entered: the least return of all that saw it there; seen: the greatest call of these
    removal        return of the remove; left: its call; number: the element of each invocation that counts, -1 for others
    """
    count, never = 0, len(kind)
    for i in range(len(kind)):
        if kind[i] != 0:
            continue
        number[i] = -1
        done = partner[i]
        outcome = kind[done] if done >= 0 else 3
        if null[i] or result[i] != 0:
            return -1
        if outcome == 2 or (outcome == 3 and role[i] == LOOKS):
            continue
        answer = result[done] if outcome == 1 else 0
        if outcome == 1 and (answer == 0 or answer > 2) and (null[done] or value[done] != value[i]):
            return -1
        answer = answer - 2 if answer > 2 else answer
        if outcome == 1 and answer == 0 and role[i] == LOOKS:
            return -1
        place = slot(table, key[i], value[i], of_key, of_value)
        element = table[place]
        if element < 0:
            element = table[place] = count
            of_key[count], of_value[count] = key[i], value[i]
            adds[count], removes[count], odd[count], begun[count] = 0, 0, False, never
            entered[count], seen[count], left[count], removal[count] = never, -1, never, never
            count += 1
        number[i] = element
        ret = done if outcome == 1 else never
        saw = False
        if role[i] != LOOKS and answer != 2:
            odd[element] = odd[element] or (outcome == 1 and answer == 0)
            saw = True
            if role[i] == ADDS:
                adds[element] += 1
                begun[element] = i
            else:
                removes[element] += 1
                left[element], removal[element] = i, ret
        elif (role[i] == LOOKS and answer == 1) or (role[i] == ADDS and answer == 2):
            saw = True
        if saw:
            entered[element] = min(entered[element], ret)
            seen[element] = max(seen[element], i)
    return count


@njit(cache=True, nogil=True)
def judge_elements(  # type: ignore[no-untyped-def]
    count, kind, role, result, partner, adds, removes, begun, entered, seen, left, removal, odd, number, bad,
):  # fmt: skip
    """Mark what is wrong (1), and what the exact road must say (2), by the rule of set_object.py for elements added and removed once."""
    never = len(kind)
    for element in range(count):
        if odd[element] or adds[element] > 1 or removes[element] > 1:
            bad[element] = 2
        elif adds[element] == 0:
            if entered[element] < never:
                bad[element] = 1
        elif entered[element] < begun[element] or removal[element] < seen[element]:
            bad[element] = 1
    for i in range(len(kind)):
        if kind[i] != 0 or number[i] < 0 or role[i] == ADDS:
            continue
        element, done = number[i], partner[i]
        if done < 0 or kind[done] != 1 or (result[done] != 2 and result[done] != 4) or bad[element] or adds[element] == 0:
            continue
        if i > entered[element] and (removes[element] == 0 or done < max(left[element], seen[element])):
            bad[element] = 1
