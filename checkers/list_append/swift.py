"""The fast road: a large history with nothing wrong is shown so by array arithmetic, in linear time but for two sorts.

Why it exists  most histories are valid, and 100,000 transactions in plain Python take seconds.
Relies on      numpy, which columns bring along. It says "valid under every model" or nothing; whatever looks unusual goes the slow, exact
               road of the rest of the package, so that no rule is written twice.

Right  1. Every read is a prefix of its key's longest, every element of that has one writer, acknowledged or unknown. Each transaction's
          reads and appends of a key stand at one place of the order: its reads end there, its own appends follow in turn. Then there is no
          phenomenon: all are deviations from this.
       2. Real time and dependencies have no cycle together exactly if each transaction has a moment within its interval such that
          dependencies go forward. The earliest such moments are a fixpoint: the call, or a step after the moment of what it depends on.
          If they all lie before the returns, that is the proof; a transaction whose moment does not depends on one invoked after it
          returned. No component search is needed, and no edge of real time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

STEPS = 1 << 20  # moments between two positions of the history: the longest chain of dependencies that fits between them
ROUNDS = 400  # a fixpoint that takes longer is left to the exact road
PAIRS = 20_000_000  # readers of a last version times never-read appends; more would not fit into memory


class Lists(NamedTuple):
    """A history's transactions as arrays.

    call, ret      per transaction, positions; ret is past the end for unknown ones
    ok, fail       per transaction
    txn, key       per micro-op; keys are numbers below `keys`
    append         per micro-op: it is one; element: its element's number, below `values`
    start, length  per micro-op: a read's elements in `elements`; length -1: nobody saw them
    """

    call: Ints
    ret: Ints
    ok: Flags
    fail: Flags
    txn: Ints
    key: Ints
    append: Flags
    element: Ints
    start: Ints
    length: Ints
    elements: Ints
    keys: int
    values: int


class _Order(NamedTuple):
    """Version orders, key after key: where each key's begins, its length, its writers; per append its place in it, -1 if nobody read it."""

    offset: Ints
    length: Ints
    writer: Ints
    place: Ints


def evidently_valid(lists: Lists) -> bool:
    """True if the history is strictly serializable and shows no phenomenon at all; False if the exact road must say."""
    import numpy as np

    seen = ~lists.append & lists.ok[lists.txn]
    unsure = ~lists.append & ~lists.ok[lists.txn] & ~lists.fail[lists.txn]
    if not seen.any() or (lists.length[unsure] >= 0).any():
        return False
    reads = np.flatnonzero(seen)
    length = np.maximum(lists.length[reads], 0)
    order = _version_orders(lists, reads, length)
    if order is None or not _at_one_place(lists, reads, length, order):
        return False
    edges = _edges(lists, reads, length, order)
    return edges is not None and _forward(lists, *edges)


def _version_orders(lists: Lists, reads: Ints, length: Ints) -> _Order | None:
    import numpy as np

    key, start = lists.key[reads], lists.start[reads]
    longest = np.zeros(lists.keys, np.int64)
    np.maximum.at(longest, key, length)
    whole = np.zeros(lists.keys, np.int64)
    full = length == longest[key]
    whole[key[full]] = start[full]
    if not _prefixes(lists.elements, start, whole[key], length):
        return None
    appends = np.flatnonzero(lists.append)
    code = lists.key[appends] * lists.values + lists.element[appends]
    by_code = np.argsort(code, kind="stable")
    ordered = code[by_code]
    if (ordered[1:] == ordered[:-1]).any():
        return None  # appended twice
    offset = np.cumsum(longest) - longest
    versions = np.repeat(np.arange(lists.keys), longest)
    at = np.arange(len(versions)) - offset[versions]
    wanted = versions * lists.values + lists.elements[whole[versions] + at]
    found = np.minimum(np.searchsorted(ordered, wanted), max(len(ordered) - 1, 0))
    if len(wanted) and (not len(ordered) or (ordered[found] != wanted).any()):
        return None  # an element that nobody appended
    placed = appends[by_code[found]] if len(ordered) else appends
    writer = lists.txn[placed]
    place = np.full(len(lists.txn), -1, np.int64)
    place[placed] = at
    if lists.fail[writer].any() or np.count_nonzero(place >= 0) != len(placed):
        return None  # an aborted read, or an element twice in a list
    return _Order(offset, longest, writer, place)


def _prefixes(elements: Ints, start: Ints, whole: Ints, length: Ints) -> bool:
    """Each read equals the beginning of its key's longest. Compared in parts: the elements of all reads may be many."""
    import numpy as np

    part = 1 << 16
    for first in range(0, len(start), part):
        count = length[first : first + part]
        ends = np.cumsum(count)
        within = np.arange(ends[-1]) - np.repeat(ends - count, count)
        here = elements[np.repeat(start[first : first + part], count) + within]
        if (here != elements[np.repeat(whole[first : first + part], count) + within]).any():
            return False
    return True


def _at_one_place(lists: Lists, reads: Ints, length: Ints, order: _Order) -> bool:
    """Each transaction's micro-ops on a key stand at one place of its order, and no other transaction's read ends between its appends."""
    import numpy as np

    relevant = np.flatnonzero(~lists.fail[lists.txn] & (lists.append | lists.ok[lists.txn]))
    group = lists.txn[relevant] * lists.keys + lists.key[relevant]
    by_group = np.argsort(group, kind="stable")
    mops, group = relevant[by_group], group[by_group]
    same = group[1:] == group[:-1]
    append = lists.append[mops]
    before: Ints = np.cumsum(append) - append  # appends before this micro-op, of all groups
    first = np.flatnonzero(np.concatenate(([True], ~same)))
    own: Ints = before - np.repeat(before[first], np.diff(np.append(first, len(mops))))
    seen = np.zeros(len(lists.txn), np.int64)
    seen[reads] = length
    base = np.where(append, order.place[mops], seen[mops]) - own
    unread = append & (order.place[mops] < 0)
    if (same & unread[:-1] & ~unread[1:]).any() or (same & ~unread[1:] & (base[1:] != base[:-1])).any():
        return False
    final = np.zeros(len(lists.txn), bool)
    final[mops[append]] = True
    last = np.flatnonzero(append)
    followed = last[:-1][group[last[1:]] == group[last[:-1]]]
    final[mops[followed]] = False
    return _ends_between_transactions(lists, reads, length, order, final)


def _ends_between_transactions(lists: Lists, reads: Ints, length: Ints, order: _Order, final: Flags) -> bool:
    import numpy as np

    closing = np.zeros(len(order.writer), bool)
    appends = np.flatnonzero(order.place >= 0)
    closing[order.offset[lists.key[appends]] + order.place[appends]] = final[appends]
    some = length > 0
    ends = order.offset[lists.key[reads[some]]] + length[some] - 1
    return bool((closing[ends] | (order.writer[ends] == lists.txn[reads[some]])).all())


def _edges(lists: Lists, reads: Ints, length: Ints, order: _Order) -> tuple[Ints, Ints] | None:
    """Dependencies as (from, to); those of a transaction on itself are left out."""
    import numpy as np

    key, reader, writer = lists.key[reads], lists.txn[reads], order.writer
    inner = np.ones(len(writer), bool)
    inner[order.offset[order.length > 0]] = False
    following = np.flatnonzero(inner)
    some, short = length > 0, length < order.length[key]
    sources = [writer[following - 1], writer[order.offset[key[some]] + length[some] - 1], reader[short]]
    targets = [writer[following], reader[some], writer[order.offset[key[short]] + length[short]]]
    committed = lists.ok.copy()
    committed[writer] = True  # an unknown one whose element was read
    unread = np.flatnonzero(lists.append & committed[lists.txn] & (order.place < 0))
    unread = unread[np.argsort(lists.key[unread], kind="stable")]
    count = np.bincount(lists.key[unread], minlength=lists.keys)
    begin = np.cumsum(count) - count
    has_last = unread[order.length[lists.key[unread]] > 0]
    sources.append(writer[order.offset[lists.key[has_last]] + order.length[lists.key[has_last]] - 1])
    targets.append(lists.txn[has_last])
    at_end = np.flatnonzero(~short)
    pairs = count[key[at_end]]
    ends = np.cumsum(pairs)
    if len(ends) and ends[-1] > PAIRS:
        return None
    within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - pairs, pairs)
    sources.append(np.repeat(reader[at_end], pairs))
    targets.append(lists.txn[unread[np.repeat(begin[key[at_end]], pairs) + within]])
    source, target = np.concatenate(sources), np.concatenate(targets)
    other = source != target
    return source[other], target[other]


def _forward(lists: Lists, source: Ints, target: Ints) -> bool:
    """A moment within each transaction's interval exists such that every edge goes forward in time."""
    import numpy as np

    # An edge whose source returned before its target was called goes forward whatever the moments are.
    near = lists.ret[source] > lists.call[target]
    source, target = source[near], target[near]
    moment = lists.call * STEPS
    latest = np.where(lists.ok, lists.ret * STEPS, np.iinfo(np.int64).max)
    for _ in range(ROUNDS):
        late = moment[source] >= moment[target]
        if not late.any():
            return True
        np.maximum.at(moment, target[late], moment[source[late]] + 1)
        if (moment[target[late]] >= latest[target[late]]).any():
            return False
    return False
