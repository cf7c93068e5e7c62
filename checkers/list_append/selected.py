"""The verdict on a large history by arrays, with the exact rules on those of its transactions and keys that matter.

Why it exists  counting needs arrays, telling needs transactions; this is where a few of a million become objects.
Relies on      swift.py for what matters. The rules are those of the exact road, given fewer keys: all that mention a key take part where it
               is judged, so each rule sees what it would see there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, MutableSequence, Sequence
from typing import TYPE_CHECKING, Any, cast, overload

from checkers.list_append.arrays import Lists, Names
from checkers.list_append.dependencies import Edges, Why, edges_of_key
from checkers.list_append.phenomena import Finding, fractured, of_key, of_transaction
from checkers.list_append.story import tell_cycle, tell_finding
from checkers.list_append.swift import (
    Components,
    Named,
    Orders,
    Sifted,
    components_of,
    facts_of,
    graph_of,
    is_forward,
    named_edges,
    orders_of,
    sift,
)
from checkers.list_append.unordered import FAMILY, ties, unsettled
from checkers.list_append.versions import Versions
from checkers.models import prohibited, ruled_out
from checkers.transactions.composition import DECIDED, SHOWN, compose, first_of_each, shown
from checkers.transactions.cycles import Cycle, cycles
from checkers.transactions.region import Region
from checkers.transactions.txns import APPEND, READ, Mop, Txn, show
from harness.op import FAIL, INFO, OK
from harness.verdict import Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[Any]

SHARE = 0.6  # of the transactions; if more of them matter, the exact road is no slower
_OUTCOMES = ("", OK, FAIL, INFO)
Other = tuple[Txn, Txn, Why, int]


class Cast(Sequence[Txn]):
    """Transactions by number, made from arrays when somebody asks; bare: without their micro-ops."""

    def __init__(self, lists: Lists, *, bare: bool = False) -> None:
        self.lists, self.bare = lists, bare
        self.made: dict[int, Txn] = {}

    def __len__(self) -> int:
        return len(self.lists.call)

    @overload
    def __getitem__(self, number: int) -> Txn: ...

    @overload
    def __getitem__(self, number: slice) -> Sequence[Txn]: ...

    def __getitem__(self, number: int | slice) -> Txn | Sequence[Txn]:
        if isinstance(number, slice):
            return [self[at] for at in range(*number.indices(len(self)))]
        if number not in self.made:
            lists, done = self.lists, int(self.lists.done[number])
            call, ret, process = int(lists.call[number]), int(lists.ret[number]), int(lists.process[number])
            mops = () if self.bare else tuple(self._mops(number))
            ended = None if done < 0 else done
            self.made[number] = Txn(number, process, call, ret, ended, _OUTCOMES[lists.outcome[number]], mops)
        return self.made[number]

    def _mops(self, number: int) -> Iterator[Mop]:
        lists, names = self.lists, self.lists.names
        begin = int(lists.first[number])
        for m in range(begin, begin + int(lists.size[number])):
            key = names.key(lists.key[m])
            if lists.f[m]:
                yield Mop(APPEND, key, names.element(lists.value[m]))
            elif lists.length[m] < 0:
                yield Mop(READ, key, None)
            else:
                start = int(lists.start[m])
                yield Mop(READ, key, names.several(lists.elements[start : start + int(lists.length[m])].tolist()))


def judge_lists(lists: Lists, expected: str) -> Verdict | None:
    """The verdict, or None if so much of the history matters that the exact road should judge it all."""
    facts = facts_of(lists)
    if not prohibited(expected):
        return Verdict("unknown", reason=f"transactions of lists neither break nor confirm {expected}", facts=facts)
    orders = orders_of(lists)
    if not isinstance(orders, Orders):
        return Verdict("unknown", reason=_repeated(lists, *orders), facts=facts)
    sifted = sift(lists, orders)
    cast_, others, tied = Cast(lists), list[Other](), list[list[int]]()
    rotten = orders.bad.nonzero()[0]
    if len(rotten):
        versions = _versions(lists, orders, rotten, cast_)
        if versions is None:
            return None
        ranks = {names: rank for rank, names in enumerate(versions.keys)}
        rank_of = dict(zip(ranks, sorted(lists.rank[rotten].tolist()), strict=True))
        tied = ties(versions)
        others = [(*edge, rank_of[key.name]) for key in versions.keys.values() for edge in edges_of_key(versions, key)]
    plain = [(first.number, second.number, why.kind) for first, second, why, _ in others]
    graph = graph_of(lists, orders, plain)
    if is_forward(lists, graph):
        parts, found, edges = None, list[Cycle](), None
    else:
        parts = components_of(lists, orders, graph)
        edges = named_edges(lists, orders, parts, plain, [rank for *_, rank in others])
        if edges is None:
            return None
        found = _cycles(lists, parts, edges)
    judged = _phenomena(lists, orders, sifted, parts, rotten, cast_)
    if judged is None:
        return None
    counts, findings = judged
    counts.update(cycle.type for cycle in found)
    if not counts and not orders.observed:
        return Verdict("unknown", reason="no transaction that read anything succeeded, so nothing was observed", facts=facts)
    anomalies = [tell_finding(finding) for finding in first_of_each(findings, SHOWN)]
    decided, undecided = DECIDED, ""
    if edges is not None and parts is not None:
        if found and not (violated := ruled_out(counts)) >= FAMILY:
            open_ = unsettled(Cast(lists, bare=True), _members(parts), _following(edges), [*tied, *_ties(orders, parts)], violated)
            if open_ is not None:
                decided, undecided = DECIDED - open_.models, open_.reason if expected in open_.models else ""
        whys = _whys(lists, orders, edges, others, found)
        versions = _told(lists, orders, whys, found, cast_)
        anomalies += [tell_cycle(cycle, versions, whys) for cycle in shown(found)]
    return compose(counts, anomalies, expected, facts, decided, undecided)


def _repeated(lists: Lists, first: int, second: int) -> str:
    """The sentence about an element that was appended twice."""
    key, element = lists.names.key(lists.key[first]), lists.names.element(lists.value[first])
    ops = [int(lists.call[((lists.first <= m) & (m < lists.first + lists.size)).nonzero()[0][0]]) for m in (first, second)]
    return f"{show(element)} is appended to {show(key)} twice (#{ops[0]}, #{ops[1]}): a read of it does not say which one it saw"


def _versions(lists: Lists, orders: Orders, keys: Ints, txns: Cast) -> Versions | None:
    """Versions of these keys, of all transactions that mention them; None if those are most of the history."""
    import numpy as np

    wanted = np.zeros(lists.keys, np.bool_)
    wanted[keys] = True
    numbers = np.unique(orders.owner[wanted[lists.key[: len(orders.owner)]] & (orders.owner >= 0)])
    if len(numbers) > SHARE * len(lists.call) and len(numbers) > 2000:
        return None
    return Versions([txns[number] for number in numbers.tolist()], _names(lists.names, keys), cast(MutableSequence[bool], orders.committed))


def _names(names: Names, keys: Ints) -> frozenset[Hashable]:
    return frozenset(names.key(key) for key in keys.tolist())


def _cycles(lists: Lists, parts: Components, edges: Named) -> list[Cycle]:
    """All cycles to report, by component."""
    following, txns, rank = _following(edges), Cast(lists, bare=True), parts.rank.tolist()
    return [cycle for group in _members(parts) for cycle in cycles(Region(txns, group, following, rank))]


def _following(edges: Named) -> dict[int, list[tuple[int, int]]]:
    """Edges by source as (target, kind)."""
    following: dict[int, list[tuple[int, int]]] = {}
    for source, target, kind in edges.rows[:, :3].tolist():
        following.setdefault(source, []).append((target, kind))
    return following


def _members(parts: Components) -> list[list[int]]:
    """Components with a cycle."""
    groups: dict[int, list[int]] = {}
    members = parts.cyclic.nonzero()[0]
    for number, component in zip(members.tolist(), parts.component[members].tolist(), strict=True):
        groups.setdefault(component, []).append(number)
    return list(groups.values())


def _ties(orders: Orders, parts: Components) -> list[list[int]]:
    """Per good key the transactions on cycles whose appends there nobody read, where they are several."""
    import numpy as np

    found = []
    for key in np.flatnonzero(np.diff(orders.begin) > 1).tolist():
        writers = orders.owner[orders.listed[orders.begin[key] : orders.begin[key + 1]]]
        numbers: list[int] = np.unique(writers[parts.cyclic[writers]]).tolist()
        if len(numbers) > 1:
            found.append(numbers)
    return found


def _phenomena(
    lists: Lists, orders: Orders, sifted: Sifted, parts: Components | None, rotten: Ints, txns: Cast
) -> tuple[Counter[str], list[Finding]] | None:
    """How many of each type, and of each type at least those that are shown. None if most of the history matters."""
    import numpy as np

    odd = [(txns[number], bool(orders.committed[number])) for number in sifted.odd.tolist()]
    findings = [finding for txn, committed in odd for finding in of_transaction(txn, committed=committed)]
    torn, mixed = _fractured(lists, orders, parts)
    lost = _lost(lists, orders, sifted, parts)
    by_key: list[tuple[int, Finding]] = []
    pieces: list[Finding] = []
    mops = [m for r in mixed for m in range(lists.first[r], lists.first[r] + lists.size[r]) if not lists.f[m]]
    if len(rotten):
        versions = _versions(lists, orders, np.union1d(rotten, lists.key[np.array(mops, np.int64)]), txns)
        if versions is None:
            return None
        names = {lists.names.key(number): int(lists.rank[number]) for number in rotten.tolist()}
        by_key = [(names[key.name], one) for key in versions.keys.values() if key.name in names for one in of_key(versions, key)]
        pieces = list(fractured(versions, frozenset(mixed)))
    counts = Counter(finding.type for finding in [*findings, *(one for _, one in by_key), *pieces])
    counts.update({"G1b": len(sifted.half), "lost-update": len(lost), "fractured-read": len(torn)})
    by_key += _half_read(lists, orders, sifted, txns) + _lost_updates(lists, orders, lost, txns)
    by_key.sort(key=lambda pair: pair[0])  # by key in order of first mention, as the exact rules find them
    return +counts, [*findings, *(one for _, one in by_key), *pieces, *_torn(lists, orders, torn, txns)]


def _few(lists: Lists, orders: Orders, numbers: Iterable[int], keys: Iterable[int], txns: Cast) -> Versions:
    """What these transactions alone show of these keys, which are good and in order of first mention in the whole history."""
    ordered = sorted(set(keys), key=lambda key: int(lists.rank[key]))
    names = [lists.names.key(key) for key in ordered]
    versions = Versions([txns[number] for number in sorted(numbers)], names, cast(MutableSequence[bool], orders.committed))
    versions.keys = {name: versions.keys[name] for name in names if name in versions.keys}
    return versions


def _half_read(lists: Lists, orders: Orders, sifted: Sifted, txns: Cast) -> list[tuple[int, Finding]]:
    """The intermediate reads of good keys that are shown, by the key's rank."""
    calls = lists.call
    rows = sorted({(int(calls[w]), int(calls[r]), int(lists.rank[k]), k, w, r) for w, r, k in sifted.half.tolist()})[:SHOWN]
    found: list[tuple[int, Finding]] = []
    for *_, rank, key, writer, reader in rows:
        versions = _few(lists, orders, (writer, reader), (key,), txns)
        everything = of_key(versions, next(iter(versions.keys.values())))
        cast_ = (txns[writer], txns[reader])
        found += [(rank, one) for one in everything if one.type == "G1b" and one.txns == cast_]
    return found


def _lost_updates(lists: Lists, orders: Orders, lost: Sequence[tuple[int, Ints]], txns: Cast) -> list[tuple[int, Finding]]:
    """The lost updates of good keys that are shown, by the key's rank."""
    calls, groups = lists.call, [(key, same.tolist()) for key, same in lost]
    rows = sorted((len(same), calls[same].tolist(), int(lists.rank[key]), key, same) for key, same in groups)[:SHOWN]
    found: list[tuple[int, Finding]] = []
    for *_, rank, key, same in rows:
        versions = _few(lists, orders, same, (key,), txns)
        everything = of_key(versions, next(iter(versions.keys.values())))
        found += [(rank, one) for one in everything if one.type == "lost-update" and len(one.txns) == len(same)]
    return found


def _torn(lists: Lists, orders: Orders, torn: Sequence[tuple[int, int]], txns: Cast) -> list[Finding]:
    """The fractured reads that are shown of readers whose keys are all good."""
    found: list[Finding] = []
    for *_, writer, reader in sorted((int(lists.call[w]), int(lists.call[r]), w, r) for w, r in torn)[:SHOWN]:
        begin = int(lists.first[reader])
        keys = lists.key[begin : begin + int(lists.size[reader])].tolist()
        found += fractured(_few(lists, orders, (writer, reader), keys, txns), frozenset({reader}))
    return found


def _fractured(lists: Lists, orders: Orders, parts: Components | None) -> tuple[list[tuple[int, int]], list[int]]:
    """(writer, reader) of each fractured read where all keys are good; and the readers of several keys that the exact rules must judge."""
    import numpy as np

    from checkers.list_append.kernels import fractured

    if parts is None and not orders.bad.any():
        return [], []
    cyclic = np.zeros(len(lists.call), np.bool_) if parts is None else parts.cyclic
    room = 1 << 12
    while True:
        mixed, found = np.zeros(len(lists.call), np.bool_), np.empty((room, 2), np.int64)
        noted = fractured(
            lists.first, lists.size, lists.f, lists.key, lists.length, orders.owner, orders.bad, orders.committed, cyclic,
            orders.offset, orders.placed, orders.place, mixed, found,
        )  # fmt: skip
        if noted >= 0:
            return [(w, r) for w, r in found[:noted].tolist()], mixed.nonzero()[0].tolist()
        room *= 8


def _lost(lists: Lists, orders: Orders, sifted: Sifted, parts: Components | None) -> list[tuple[int, Ints]]:
    """(key, transactions) of each version of a good key that several transactions read and then appended to. They close a cycle, unless
    one of them read its own append before it made it."""
    import numpy as np

    from checkers.list_append.kernels import lost

    if parts is None and not len(sifted.odd):
        return []
    marked = np.ones(len(lists.call), np.bool_) if parts is None or len(sifted.odd) else parts.cyclic
    found = np.empty((len(lists.f), 3), np.int64)
    noted = lost(lists.first, lists.size, lists.f, lists.key, lists.length, orders.committed, orders.bad, marked, found)
    rows = found[:noted][np.lexsort((found[:noted, 2], found[:noted, 1], found[:noted, 0]))]
    ends = np.flatnonzero((rows[1:, :2] != rows[:-1, :2]).any(axis=1)) + 1
    return [(int(part[0, 0]), part[:, 2]) for part in np.split(rows, ends) if len(part) > 1]


def _whys(lists: Lists, orders: Orders, edges: Named, others: Sequence[Other], found: Sequence[Cycle]) -> Edges:
    """What proves the steps of the cycles that are shown."""
    wanted = {(source, target) for cycle in shown(found) for source, _, target in cycle.steps}
    whys: Edges = {}
    for source, target, kind, before, proof in edges.rows.tolist():
        if (source, target) not in wanted:
            continue
        if proof < 0:
            whys[source, target] = others[-1 - proof][2]
            continue
        element = lists.names.element(lists.value[proof])
        last = None if before < 0 else lists.names.element(lists.value[before])
        whys[source, target] = Why(kind, lists.names.key(lists.key[proof]), last, element, bool(orders.place[proof] < 0))
    return whys


def _told(lists: Lists, orders: Orders, whys: Edges, found: Sequence[Cycle], txns: Cast) -> Versions:
    """What the stories of these cycles ask for: their transactions, and of each key the transaction that read the longest list."""
    numbers = {number for cycle in shown(found) for number, _, _ in cycle.steps}
    names = {why.key for why in whys.values()}
    for number in list(numbers):
        begin = int(lists.first[number])
        for m in range(begin, begin + int(lists.size[number])):
            best = int(orders.best[lists.key[m]])
            if best >= 0:
                numbers.add(int(orders.owner[best]))
    return Versions([txns[number] for number in sorted(numbers)], names, cast(MutableSequence[bool], orders.committed))
