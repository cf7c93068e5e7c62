"""Windows of time in which each transaction took effect: tightened by who read whose writes, and by which versions must come first.

Why it exists  a serial order is guessed well if little is left open: a transaction that runs for long has often but one moment that fits.
Relies on      only what every serial order with real time obeys: a reader acts after the writer; a version is written after all that had to
               do with a version that must come before it. Nothing is claimed of histories that have no such order.
"""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

NEAR = 12  # chains of a key before one that are compared with it; what is farther follows from those


def tighten(
    low, high, read_at, read, reader_at, reader, writer, chain, rank_at, rank, first, last, starts, noted, of, notes, rounds,
):  # fmt: skip
    """Narrow the windows: raise `low`, lower `high` (per transaction), until nothing changes or for so many rounds.

    first, last per version: the earliest `high`, the latest `low` of its chain; `rank` per key: versions by the middles of their chains.
    """
    for _ in range(rounds):
        changed = from_notes(low, high, noted, of, notes)
        changed = from_reads(low, high, read_at, read, writer, starts) or changed
        zones(low, high, reader_at, reader, writer, chain, first, last, starts)
        for name in range(len(rank_at) - 1):
            arrange(rank, rank_at[name], rank_at[name + 1], first, last)
            changed = (
                from_order(rank, rank_at[name], rank_at[name + 1], low, high, reader_at, reader, writer, chain, first, last) or changed
            )
        if not changed:
            return


def from_reads(low, high, read_at, read, writer, starts):
    """A reader acts after the writer."""
    changed = False
    for txn in range(len(low)):
        for at in range(read_at[txn], read_at[txn + 1]):
            version = read[at]
            if version < starts:
                before = writer[version]
                if low[before] > low[txn]:
                    low[txn] = low[before]
                    changed = True
                if high[txn] < high[before]:
                    high[before] = high[txn]
                    changed = True
    return changed


def zones(low, high, reader_at, reader, writer, chain, first, last, starts):
    """first and last anew."""
    for version in range(len(first)):
        first[version] = 1 << 62
        last[version] = -1
    for version in range(starts):
        before = writer[version]
        if before < 0:
            continue
        one = chain[version]
        first[one] = min(first[one], high[before])
        last[one] = max(last[one], low[before])
        for at in range(reader_at[version], reader_at[version + 1]):
            first[one] = min(first[one], high[reader[at]])
            last[one] = max(last[one], low[reader[at]])
    for version in range(starts):
        first[version] = first[chain[version]]
        last[version] = last[chain[version]]


def arrange(rank, begin, end, first, last):
    """Sort a key's versions by the middle of their chains, by insertion: they are nearly sorted."""
    for at in range(begin + 1, end):
        version = rank[at]
        middle = first[version] + last[version]
        place = at
        while place > begin and first[rank[place - 1]] + last[rank[place - 1]] > middle:
            rank[place] = rank[place - 1]
            place -= 1
        rank[place] = version


def by_first(rank, rank_at, first):
    """Sort each key's versions by the earliest completion of their chains."""
    for name in range(len(rank_at) - 1):
        for at in range(rank_at[name] + 1, rank_at[name + 1]):
            version = rank[at]
            place = at
            while place > rank_at[name] and first[rank[place - 1]] > first[version]:
                rank[place] = rank[place - 1]
                place -= 1
            rank[place] = version


def from_order(rank, begin, end, low, high, reader_at, reader, writer, chain, first, last):
    """Chains that must come before others."""
    changed = False
    for at in range(begin + 1, end):
        later = rank[at]
        after = writer[later]
        for place in range(at - 1, max(begin - 1, at - 1 - NEAR), -1):
            earlier = rank[place]
            if chain[earlier] == chain[later] or first[earlier] >= last[later]:
                continue
            if last[earlier] > low[after]:
                low[after] = last[earlier]
                changed = True
            limit = high[after]
            before = writer[earlier]
            if high[before] > limit:
                high[before] = limit
                changed = True
            for one in range(reader_at[earlier], reader_at[earlier + 1]):
                if high[reader[one]] > limit:
                    high[reader[one]] = limit
                    changed = True
    return changed


def infer(
    low, high, read_at, read, write_at, write, reader_at, reader, key, writer, chain, rank_at, rank, first, last, starts, note, noted, of,
    following, notes,
):  # fmt: skip
    """Note who must come before whom: from reads, from versions' order by real time, and from what those imply of other keys."""
    at = notes
    for name in range(len(rank_at) - 1):
        begin, end = rank_at[name], rank_at[name + 1]
        for place in range(begin + 1, end):
            later = rank[place]
            after = writer[later]
            near = 0
            for back in range(place - 1, max(begin - 1, place - 1 - NEAR), -1):
                earlier = rank[back]
                if chain[earlier] == chain[later] or first[earlier] >= last[later]:
                    continue
                near += 1
                notes = must(writer[earlier], after, low, high, note, noted, of, following, notes)
                for one in range(reader_at[earlier], reader_at[earlier + 1]):
                    notes = must(reader[one], after, low, high, note, noted, of, following, notes)
                if near == 3:
                    break
    for txn in range(len(low)):
        for place in range(read_at[txn], read_at[txn + 1]):
            if read[place] < starts:
                notes = imply(
                    writer[read[place]], txn, low, high, read_at, read, write_at, write, reader_at, reader, key, writer, starts, note,
                    noted, of, following, notes,
                )  # fmt: skip
    while at < notes:
        notes = imply(
            noted[at], of[at], low, high, read_at, read, write_at, write, reader_at, reader, key, writer, starts, note, noted, of,
            following, notes,
        )  # fmt: skip
        at += 1
    return notes


def must(early, late, low, high, note, noted, of, following, notes):
    """Note it, unless time or an earlier note says so."""
    if early == late or high[early] <= low[late] or notes >= len(noted):
        return notes
    one = note[late]
    while one >= 0:
        if noted[one] == early:
            return notes
        one = following[one]
    noted[notes] = early
    of[notes] = late
    following[notes] = note[late]
    note[late] = notes
    return notes + 1


def imply(
    early, late, low, high, read_at, read, write_at, write, reader_at, reader, key, writer, starts, note, noted, of, following, notes,
):  # fmt: skip
    """What follows from one coming before the other: it also comes before the writer of what that reads of a key that it writes; and what
    reads its version of a key that both write comes before the other."""
    for w in range(write_at[early], write_at[early + 1]):
        mine = write[w]
        for place in range(read_at[late], read_at[late + 1]):
            version = read[place]
            if key[version] == key[mine] and version != mine and version < starts:
                notes = must(early, writer[version], low, high, note, noted, of, following, notes)
        for place in range(write_at[late], write_at[late + 1]):
            if key[write[place]] == key[mine]:
                for one in range(reader_at[mine], reader_at[mine + 1]):
                    notes = must(reader[one], late, low, high, note, noted, of, following, notes)
    for place in range(read_at[early], read_at[early + 1]):
        version = read[place]
        for w in range(write_at[late], write_at[late + 1]):
            if key[write[w]] == key[version] and write[w] != version and version < starts:
                notes = must(writer[version], late, low, high, note, noted, of, following, notes)
                for one in range(reader_at[version], reader_at[version + 1]):
                    notes = must(reader[one], late, low, high, note, noted, of, following, notes)
    return notes


def from_notes(low, high, noted, of, notes):
    """Windows by what is noted."""
    changed = False
    for one in range(notes):
        early, late = noted[one], of[one]
        if low[early] > low[late]:
            low[late] = low[early]
            changed = True
        if high[late] < high[early]:
            high[early] = high[late]
            changed = True
    return changed
