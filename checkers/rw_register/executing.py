"""Executing transactions one after another, each as late as it may be: the loop of serial_order.py, in plain Python and compiled.

Why it exists  the same few lines run on lists for small histories and, compiled, on arrays for large ones.
Relies on      being taken back: where a transaction would overwrite what one that needs it has yet to read, it had to come before the
               writer of that; this is noted, and what was executed since then is executed again.

An edge of the stack is "soft" if the upper transaction waits only for readers of what is there now: then it might have come earlier.
"""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

ATTEMPTS, SETTLED = 400, 100  # tries at one spot; a spot that far behind is done with


def execute(
    call, ret, due, read_at, read, write_at, write, reader_at, reader, key, writer, chain, rank_at, rank, first, last, starts, due_place,
    rank_place, found, state, now, waiting, head, stack, soft, place, was, note, noted, of, following, given, waits,
):  # fmt: skip
    """Fill `found`; give how many, or -1.

    state: 0 new, 1 on the stack, 2 executed; now: per key its version; waiting: per version where in `reader` those begin that may not have
    been executed yet; head: per key the same in `rank`; place: per transaction its place in `found`; was: per last write what it replaced;
    note: per transaction the first of its notes in `noted` (transactions that must come before it), `following` the next one.
    """
    count = at = attempt = farthest = tries = 0
    notes = given
    steps = len(found) * 30 + 1000
    while at < len(due):
        root = due[at]
        at += 1
        if state[root] == 2:
            continue
        moment = ret[root]
        stack[0] = root
        state[root] = 1
        depth = 1
        while depth:
            steps -= 1
            if steps < 0:
                return -1
            txn = stack[depth - 1]
            needed, there = prerequisite(
                txn, read_at, read, write_at, write, reader_at, reader, key, writer, chain, rank_at, rank, first, last, starts, state, now,
                waiting, head, note, noted, following,
            )  # fmt: skip
            if needed == -1:
                run(txn, count, found, place, state, write_at, write, key, now, was)
                count += 1
                attempt = 0 if count > farthest + SETTLED else attempt
                depth -= 1
                continue
            soft[depth - 1] = there
            if needed >= 0 and state[needed] == 0 and call[needed] < moment:
                state[needed] = 1
                stack[depth] = needed
                depth += 1
                continue
            tries += 1
            chosen = -1 if needed < 0 else wrong_turn(
                needed, state, stack, soft, depth, starts, writer, place, read_at, read, write_at, write, key, first, last, note, noted,
                following, waits, attempt, tries * 7919 + attempt,
            )  # fmt: skip
            if chosen < 0:
                attempt += 1
                farthest = max(farthest, count)
            if needed < 0 or notes == len(noted) or attempt > ATTEMPTS:
                return -1
            notes, until = mend(chosen, count, stack, soft, writer, place, note, noted, of, following, given, notes, attempt)
            for one in range(depth):
                state[stack[one]] = 0
            depth = 0
            at -= 1
            while count > until:
                count -= 1
                at = min(at, due_place[found[count]])
                take_back(found[count], read_at, read, write_at, write, reader_at, key, rank_place, state, now, waiting, head, was)
    return count


def run(txn, count, found, place, state, write_at, write, key, now, was):
    """Execute a transaction."""
    state[txn] = 2
    found[count] = txn
    place[txn] = count
    for at in range(write_at[txn], write_at[txn + 1]):
        was[at] = now[key[write[at]]]
        now[key[write[at]]] = write[at]


def mend(chosen, count, stack, soft, writer, place, note, noted, of, following, given, notes, attempt):
    """Note the other way at a wrong turn. If there is none, the last ones contradict each other, and those of a while are forgotten: others
    are tried, drawn by the number of the attempt. Gives how many notes there are, and how many executed transactions stay so."""
    if chosen < 0:
        until = max(0, count - 50 - 20 * (attempt % 16))
        while notes > given and place[of[notes - 1]] >= until:
            notes -= 1
            note[of[notes]] = following[notes]
        return notes, until
    late = writer[soft[chosen]]
    noted[notes] = stack[chosen]
    of[notes] = late
    following[notes] = note[late]
    note[late] = notes
    return notes + 1, place[late]


def replay(order, call, ret, due, read_at, read, write_at, write, key, now, done):
    """Execute the order again: everybody once, within his interval, with every read finding what was written last."""
    moment = call[order[0]] if len(order) else 0
    for txn in order:
        moment = max(moment, call[txn])
        if moment >= ret[txn] or done[txn]:
            return False
        done[txn] = 1
        for at in range(read_at[txn], read_at[txn + 1]):
            if now[key[read[at]]] != read[at]:
                return False
        for at in range(write_at[txn], write_at[txn + 1]):
            now[key[write[at]]] = write[at]
    for txn in due:  # noqa: SIM110 - a generator is not compiled
        if not done[txn]:
            return False
    return True


def places(due, rank, starts, due_place, rank_place, now):
    """Where each transaction is in `due`, each version in `rank`; every key has its start."""
    for place in range(len(due)):
        due_place[due[place]] = place
    for place in range(len(rank)):
        rank_place[rank[place]] = place
    for name in range(len(now)):
        now[name] = starts + name


def wrong_turn(
    needed,
    state,
    stack,
    soft,
    depth,
    starts,
    writer,
    place,
    read_at,
    read,
    write_at,
    write,
    key,
    first,
    last,
    note,
    noted,
    following,
    waits,
    attempt,
    drawn,
):
    """The place on the stack of the soft edge to be mended: of those that nothing forbids, that of the latest writer. -1: there is none."""
    begin = 0
    if state[needed] == 1:  # a cycle: only its own edges count
        while stack[begin] != needed:
            begin += 1
    chosen = -1
    possible = 0
    for at in range(begin, depth):
        if soft[at] < 0 or soft[at] >= starts:
            continue
        late = writer[soft[at]]
        if attempt == 0 and chosen >= 0 and place[late] < place[writer[soft[chosen]]]:
            continue
        forced = False
        for w in range(write_at[stack[at]], write_at[stack[at] + 1]):
            forced = forced or (key[write[w]] == key[soft[at]] and first[soft[at]] < last[write[w]])
        if not forced and not depends(stack[at], late, starts, writer, read_at, read, note, noted, following, waits):
            possible += 1
            drawn = (drawn * 1103515245 + 12345) & 0x7FFFFFFF
            if attempt == 0 or (drawn >> 8) % possible == 0:
                chosen = at
    return chosen


def depends(txn, other, starts, writer, read_at, read, note, noted, following, waits):
    """What a transaction reads, or what is noted of it, makes it come after the other, over a few steps."""
    waits[0] = txn
    at, end = 0, 1
    while at < end:
        one = waits[at]
        at += 1
        if one == other:
            return True
        if end + 16 > len(waits):
            continue
        for place in range(read_at[one], read_at[one + 1]):
            if read[place] < starts and end < len(waits):
                waits[end] = writer[read[place]]
                end += 1
        before = note[one]
        while before >= 0 and end < len(waits):
            waits[end] = noted[before]
            end += 1
            before = following[before]
    return False


def take_back(txn, read_at, read, write_at, write, reader_at, key, rank_place, state, now, waiting, head, was):
    """As if it had not been executed."""
    state[txn] = 0
    for at in range(write_at[txn], write_at[txn + 1]):
        name = key[write[at]]
        now[name] = was[at]
        head[name] = min(head[name], rank_place[write[at]])
    for at in range(read_at[txn], read_at[txn + 1]):
        waiting[read[at]] = reader_at[read[at]]


def prerequisite(
    txn, read_at, read, write_at, write, reader_at, reader, key, writer, chain, rank_at, rank, first, last, starts, state, now, waiting,
    head, note, noted, following,
):  # fmt: skip
    """A transaction to execute before this one, and the version whose reader it is (-1: it must come first for another reason).
    (-1, -1): there is none; (-2, -1): what it reads is gone."""
    for at in range(read_at[txn], read_at[txn + 1]):
        version = read[at]
        if now[key[version]] != version:
            if version >= starts or state[writer[version]] == 2:
                return -2, -1
            return writer[version], -1
    one = note[txn]
    while one >= 0:
        if state[noted[one]] != 2:
            return noted[one], -1
        one = following[one]
    for at in range(write_at[txn], write_at[txn + 1]):
        version = write[at]
        name = key[version]
        while head[name] < rank_at[name + 1] and state[writer[rank[head[name]]]] == 2:
            head[name] += 1
        for place in range(head[name], rank_at[name + 1]):
            other = rank[place]
            if first[other] >= last[version]:
                break
            if chain[other] != chain[version] and state[writer[other]] != 2:
                return writer[other], -1
        there = now[name]
        while waiting[there] < reader_at[there + 1] and state[reader[waiting[there]]] == 2:
            waiting[there] += 1
        for place in range(waiting[there], reader_at[there + 1]):
            other = reader[place]
            if other != txn and state[other] != 2:
                return other, there
    return -1, -1
