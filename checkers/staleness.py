"""Measured staleness: how far behind each read of a register was, in versions and in seconds; and whether that stays within a bound.

Decides    for each read that returned version v and was invoked at time t: how many writes newer than v had been acknowledged before t
           (versions behind), and how long before t the first of these was acknowledged (seconds behind; 0 if there was none).
Right      the order of versions keeps real time: of two writes the one acknowledged before the other was invoked is the older. Where they
           overlap, either may be, so each figure has a least and a greatest value over all orders that keep real time. Least: only writes
           invoked after v's acknowledgement are newer. Greatest: all but those acknowledged before v was invoked are. Both are reached:
           real time is an interval order, and an element of a partial order can stand as late (right before what must follow it) or as
           early (right after what must come before it) as its own relations allow. A read's least and greatest may need different orders.
           The initial version is the oldest; a write of unknown outcome is never acknowledged.
Unknown    a bound that the greatest value breaks and the least keeps; reads of a value with several writers; no read of a version.
Rules out  nothing by name: bounded staleness is no model of the table. A read of a value that nobody had begun to write breaks every bound.
Source     Golab, Li, Shah: Analyzing consistency properties for fun and profit, PODC 2011 (delta and k atomicity, measured read by read).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, ClassVar, NamedTuple

from checkers.linearizable.operations import CAS, INFINITY, READ, WRITE, Operation, by_key, freeze, show, thaw
from checkers.settings import refuse_nonsense
from harness.checker import CheckContext
from harness.errors import UsageError
from harness.history.history import History
from harness.verdict import Anomaly, Verdict

QUANTILES = (0, 0.5, 0.95, 0.99, 1)
SHOWN = 8


class Behind(NamedTuple):
    """How far behind a read was: least and greatest versions; least and greatest nanoseconds; the write that it saw (None: the start)."""

    key: Hashable
    read: Operation
    seen: Operation | None
    versions: tuple[int, int]
    nanoseconds: tuple[int, int]


class Writes:
    """The writes of one key that may have taken place, so sorted that each question costs a few binary searches."""

    def __init__(self, writes: Sequence[Operation]) -> None:
        """writes: in order of invocation."""
        self.calls = [op.call for op in writes]
        self.crashed = [op.call for op in writes if op.ret >= INFINITY]
        self.returns = sorted(op.ret for op in writes if op.ret < INFINITY)
        self.earliest = [INFINITY] * (len(writes) + 1)  # of the i-th and all invoked later, the first acknowledgement
        for at in range(len(writes) - 1, -1, -1):
            self.earliest[at] = min(self.earliest[at + 1], writes[at].ret)
        self.open_at: dict[int, list[int]] = {}  # at an acknowledgement: when those that were open then were acknowledged
        running: list[int] = []
        following = 0
        done = [op.ret for op in writes]
        for ret in self.returns:
            while following < len(writes) and self.calls[following] < ret:
                if done[following] < INFINITY:
                    insort(running, done[following])
                following += 1
            running = running[bisect_right(running, ret) :]
            self.open_at[ret] = list(running)

    def certainly_newer(self, seen: Operation, before: int) -> int:
        """How many invoked after the write's acknowledgement were acknowledged before a position."""
        if seen.ret >= before:
            return 0
        open_ = self.open_at[seen.ret]
        unfinished = len(open_) - bisect_left(open_, before) + bisect_left(self.crashed, seen.ret)
        earlier = bisect_left(self.calls, seen.ret) - unfinished
        return bisect_left(self.returns, before) - earlier

    def possibly_newer(self, seen: Operation, before: int) -> int:
        """How many acknowledged before a position were not acknowledged before the write's invocation; without itself."""
        older = bisect_left(self.returns, min(seen.call, before))
        return bisect_left(self.returns, before) - older - (seen.ret < before)


def measure(key: Hashable, read: Operation, seen: Operation | None, writes: Writes, times: Sequence[int]) -> Behind:
    """The figures of one read. times: of each op of the history, ns."""

    def age(acknowledged: int) -> int:
        return max(0, times[read.call] - times[acknowledged]) if acknowledged < read.call else 0

    if seen is None:
        count = bisect_left(writes.returns, read.call)
        oldest = age(writes.returns[0]) if count else 0
        return Behind(key, read, None, (count, count), (oldest, oldest))
    least, most = writes.certainly_newer(seen, read.call), writes.possibly_newer(seen, read.call)
    surely = age(writes.earliest[bisect_right(writes.calls, seen.ret)]) if least else 0
    at = bisect_right(writes.returns, seen.call)
    at += at < len(writes.returns) and writes.returns[at] == seen.ret
    perhaps = age(writes.returns[at]) if most else 0
    return Behind(key, read, seen, (least, most), (surely, perhaps))


class _Found(NamedTuple):
    behind: list[Behind]
    unsure: list[Operation]
    garbage: list[tuple[Hashable, Operation]]


def measured(keys: dict[Any, list[Operation]], initial: Any, times: Sequence[int]) -> _Found:
    """All reads of all keys: measured, of a value with several writers, of a value that nobody had begun to write."""
    found = _Found([], [], [])
    for key, operations in keys.items():
        changing = [op for op in operations if op.f in (WRITE, CAS)]
        writes = Writes(changing)
        writers: dict[Any, list[Operation]] = {}
        for op in changing:
            writers.setdefault(op.written, []).append(op)
        for op in operations:
            if op.f != READ:
                continue
            mine = [write for write in writers.get(op.a, []) if write.call < op.ret]  # nobody reads what is yet to be written
            if (op.a == initial and mine) or len(mine) > 1:
                found.unsure.append(op)
            elif op.a != initial and not mine:
                found.garbage.append((key, op))
            else:
                found.behind.append(measure(key, op, mine[0] if mine else None, writes, times))
    return found


class Staleness:
    """Options: max_versions, max_seconds (bounds; without one it is measured only); register, keyed, initial as of the register checker."""

    name: ClassVar[str] = "staleness"
    options: ClassVar[dict[str, str]] = {
        "max_versions": "how many acknowledged newer versions a read may miss",
        "max_seconds": "for how long the oldest newer version that a read misses may have been acknowledged",
        "keyed": "how keys are given: auto | tuple",
        "initial": "what every key holds at the start (null)",
    }

    def __init__(
        self,
        max_versions: int | None = None,
        max_seconds: float | None = None,
        register: str = "cas-register",
        keyed: str = "auto",
        initial: Any = None,
    ) -> None:
        for name, bound in (("max_versions", max_versions), ("max_seconds", max_seconds)):
            if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int | float) or not bound >= 0):
                raise UsageError(f"{name} is {bound!r}", way_out="give a number that is not negative")
        refuse_nonsense(keyed=keyed)
        self.max_versions, self.max_seconds = max_versions, max_seconds
        self.register, self.keyed, self.initial = register, keyed, freeze(initial)

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"reads", "unsure", "versions": {"least": quantiles, "most": quantiles}, "seconds" (alike), "nodes", "keys", "worst"}.

        nodes: of each node the same; keys: of the 8 worst keys. worst: the 8 stalest reads. Anomalies: too-stale, garbage-read, 8 of each.
        """
        times = [op.time for op in history.ops]
        found = measured(by_key(history, self.keyed, "nothing", self.register), self.initial, times)
        timed = any(times)
        facts: dict[str, Any] = {"reads": len(found.behind), "unsure": len(found.unsure), **_distribution(found.behind, timed)}
        nodes = [history.ops[one.read.call].node for one in found.behind]
        facts["nodes"] = _grouped(zip(nodes, found.behind, strict=True), timed)
        facts["keys"] = _grouped(((thaw(one.key), one) for one in found.behind), timed)
        facts["worst"] = [self._figures(one) for one in sorted(found.behind, key=_badness)[:SHOWN]]
        if found.garbage:
            anomalies = [_garbage(key, op) for key, op in found.garbage[:SHOWN]]
            return Verdict(False, anomalies=anomalies, counts={"garbage-read": len(found.garbage)}, facts=facts)
        return self._verdict(found, facts, timed)

    def _verdict(self, found: _Found, facts: dict[str, Any], timed: bool) -> Verdict:
        if not found.behind:
            reason = "no read returned a version that one write alone can have made, so nothing was measured"
            return Verdict("unknown", reason=reason, facts=facts)
        if self.max_seconds is not None and not timed:
            return Verdict("unknown", reason="the ops have no times, so nobody knows how many seconds a read was behind", facts=facts)
        broken = [one for one in found.behind if self._beyond(one, 0)]
        if broken:
            shown = [self._tell(one) for one in sorted(broken, key=_badness)[:SHOWN]]
            return Verdict(False, anomalies=shown, counts={"too-stale": len(broken)}, facts=facts)
        if self.max_versions is None and self.max_seconds is None:
            return Verdict(True, reason="staleness was measured only: no bound was asked for (max_versions, max_seconds)", facts=facts)
        doubtful = [one for one in found.behind if self._beyond(one, 1)]
        if doubtful:
            worst = min(doubtful, key=_badness)
            reason = f"{len(doubtful)} reads may be beyond the bound, by how overlapping writes took effect (worst: {worst.read.text()})"
            return Verdict("unknown", reason=reason, facts=facts)
        if found.unsure:
            reason = f"{len(found.unsure)} reads saw a value with several writers (first: {found.unsure[0].text()})"
            return Verdict("unknown", reason=reason, facts=facts)
        return Verdict(True, facts=facts)

    def _beyond(self, one: Behind, which: int) -> bool:
        """Whether the least (0) or the greatest (1) figures break a bound."""
        if self.max_versions is not None and one.versions[which] > self.max_versions:
            return True
        return self.max_seconds is not None and one.nanoseconds[which] > self.max_seconds * 1e9

    def _figures(self, one: Behind) -> dict[str, Any]:
        return {
            "op": one.read.index,
            "key": thaw(one.key),
            "value": thaw(one.read.a),
            "versions": list(one.versions),
            "seconds": [ns / 1e9 for ns in one.nanoseconds],
        }

    def _tell(self, one: Behind) -> Anomaly:
        missed, since = one.versions[0], one.nanoseconds[0] / 1e9
        versions = "1 newer version" if missed == 1 else f"{missed} newer versions"
        behind = f"at least {versions} had been acknowledged, the first {since:.3f} s before it began"
        bounds = [f"{self.max_versions} versions"] if self.max_versions is not None else []
        bounds += [f"{self.max_seconds} s"] if self.max_seconds is not None else []
        written = f" (its write: {one.seen.text()})" if one.seen is not None else " (what was there at the start)"
        message = f"{one.read.text()}{written}, but {behind}; allowed: {' and '.join(bounds)}."
        ops = [index for op in (one.read, one.seen) if op is not None for index in (op.index, op.done) if index >= 0]
        witness = {**self._figures(one), "max_versions": self.max_versions, "max_seconds": self.max_seconds}
        witness |= {"register": self.register, "keyed": self.keyed, "initial": thaw(self.initial)}
        return Anomaly("too-stale", message, sorted(ops), key=None if one.key is None else thaw(one.key), witness=witness)


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted read missed that many newer versions for that long, counted write by write from the definition."""
    witness = anomaly.witness
    operations = by_key(history, witness["keyed"], "nothing", witness["register"]).get(freeze(anomaly.key), [])
    reads = [op for op in operations if op.f == READ and op.index == witness["op"]]
    writes = [op for op in operations if op.f in (WRITE, CAS)]
    made = [op for op in writes if reads and op.written == reads[0].a and op.call < reads[0].ret]
    if not reads or reads[0].a != freeze(witness["value"]) or len(made) != (0 if reads[0].a == freeze(witness["initial"]) else 1):
        return False
    call = reads[0].call
    newer = [op for op in writes if op.ret < call and (not made or op.call > made[0].ret)]
    late_ns = max((history.ops[call].time - history.ops[op.ret].time for op in newer), default=0)
    most, seconds = witness["max_versions"], witness["max_seconds"]
    if len(newer) != witness["versions"][0]:
        return False
    return (most is not None and len(newer) > most) or (seconds is not None and late_ns > seconds * 1e9)


def _garbage(key: Hashable, read: Operation) -> Anomaly:
    message = f"{read.text()}, but nobody had begun to write {show(read.a)} by then (or only a write that certainly failed)."
    return Anomaly("garbage-read", message, [read.index, read.done], key=None if key is None else thaw(key))


def _badness(one: Behind) -> tuple[int, int, int, int, int]:
    """The stalest first: what is certain before what may be."""
    return (-one.versions[0], -one.nanoseconds[0], -one.versions[1], -one.nanoseconds[1], one.read.call)


def _distribution(behind: Sequence[Behind], timed: bool) -> dict[str, Any]:
    if not behind:
        return {}
    found: dict[str, Any] = {
        "versions": {name: _quantiles(one.versions[at] for one in behind) for at, name in enumerate(("least", "most"))}
    }
    if timed:
        found["seconds"] = {name: _quantiles(one.nanoseconds[at] / 1e9 for one in behind) for at, name in enumerate(("least", "most"))}
    return found


def _quantiles(figures: Iterable[float]) -> dict[str, float]:
    ascending = sorted(figures)
    return {str(q): ascending[min(len(ascending) - 1, int(q * len(ascending)))] for q in QUANTILES}


def _grouped(pairs: Iterable[tuple[Any, Behind]], timed: bool) -> dict[str, Any]:
    """The distribution of each group that has a name, the 8 groups with the stalest reads."""
    groups: dict[str, list[Behind]] = {}
    for name, one in pairs:
        if name is not None:
            groups.setdefault(str(name), []).append(one)
    worst = sorted(groups, key=lambda name: (min(map(_badness, groups[name])), name))[:SHOWN]
    return {name: {"reads": len(groups[name]), **_distribution(groups[name], timed)} for name in worst}
