"""The slow oracle of the rw-register checker: its definitions, written down naively, and random small histories to try them on.

Nothing here is imported from the checker. A model holds if some order of the versions of every key lets it hold: all orders are tried.
Keys and values are small integers; a value is written to one key once.
"""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise, permutations, product
from typing import Any, NamedTuple

from harness.history.history import History
from harness.op import Op

MOST_ORDERS = 600


class T(NamedTuple):
    call: int
    ret: float
    outcome: str
    process: int
    mops: list[tuple[str, Any, Any]]

    def final(self, key: Any) -> Any:
        """Its version of the key, or None."""
        return next((v for f, k, v in reversed(self.mops) if f == "w" and k == key), None)

    def writes(self, key: Any) -> list[Any]:
        return [v for f, k, v in self.mops if f == "w" and k == key]

    def reads(self, key: Any) -> list[Any]:
        """Values read; of an unknown outcome only those that were seen."""
        if self.outcome == "fail":
            return []
        return [v for f, k, v in self.mops if f == "r" and k == key and (v is not None or self.outcome == "ok")]

    def external(self, key: Any) -> tuple[bool, Any]:
        """Whether it read the key before writing it, and what."""
        for f, k, v in self.mops:
            if k == key:
                return f == "r" and (v is not None or self.outcome == "ok"), v
        return False, None


def transactions(history: History) -> list[T]:
    found = []
    for invoke, done in history.calls():
        outcome = done.type if done else "info"
        value = done.value if done and outcome != "fail" else invoke.value
        found.append(
            T(invoke.index, done.index if done and outcome != "info" else float("inf"), outcome, invoke.process, [*map(tuple, value)])
        )
    return found


class Facts:
    """Committed transactions, versions and who read them: by the definitions."""

    def __init__(self, history: History) -> None:
        self.all = transactions(history)
        self.keys = sorted({k for t in self.all for _, k, _ in t.mops})
        self.committed = [t for t in self.all if t.outcome == "ok"]
        while True:
            more = [t for t in self.all if t.outcome == "info" and t not in self.committed and self._observed(t)]
            if not more:
                break
            self.committed += more
        self.committed.sort()
        self.finals = {k: [t.final(k) for t in self.committed if t.final(k) is not None] for k in self.keys}

    def _observed(self, t: T) -> bool:
        return any(v in other.reads(k) for k in self.keys for v in t.writes(k) for other in self.committed if other != t)

    def others_reads(self, t: T, k: Any) -> list[Any]:
        """What a transaction read of others, or null."""
        return [v for v in t.reads(k) if v not in t.writes(k)]

    def observed_anything(self) -> bool:
        return any(self.others_reads(t, k) for t in self.all if t.outcome == "ok" for k in self.keys)


def phenomena(history: History) -> Counter[str]:
    """Anomalies without a cycle: type -> how many."""
    facts = Facts(history)
    counts: Counter[str] = Counter()
    for t, k in product(facts.committed, facts.keys):
        mine = [(f, v) for f, key, v in t.mops if key == k and (f == "w" or v in t.reads(k))]
        counts["internal"] += any(f == "r" and v != before for (_, before), (f, v) in pairwise(mine))
        for v in set(t.writes(k)):
            counts["future-read"] += ("r", v) in mine[: mine.index(("w", v))]
        read, value = t.external(k)
        for v in {v for v in t.reads(k) if v is not None and v not in t.writes(k)}:
            writers = [w for w in facts.all if v in w.writes(k)]
            failed = any(w.outcome == "fail" for w in writers)
            counts["garbage-read"] += not writers
            counts["G1a"] += failed
            counts["G1b"] += any(w.outcome != "fail" and w.final(k) != v for w in writers)
            counts["dirty-update"] += failed and read and v == value and bool(t.writes(k))
    for k in facts.keys:
        updates = Counter(
            t.external(k)[1] for t in facts.committed if t.external(k)[0] and t.writes(k) and t.external(k)[1] not in t.writes(k)
        )
        counts["lost-update"] += sum(count > 1 for count in updates.values())
    return +counts


def how_many_orders(facts: Facts) -> int:
    found = 1
    for finals in facts.finals.values():
        for n in range(2, len(finals) + 1):
            found *= n
    return found


def keeps(facts: Facts, k: Any, order: tuple[Any, ...], assumption: str) -> bool:
    place = {None: -1, **{v: i for i, v in enumerate(order)}}
    touching = [t for t in facts.committed if t.final(k) is not None or facts.others_reads(t, k)]
    pairs = [(t.external(k)[1], t.final(k)) for t in touching if t.external(k)[0] and t.final(k) is not None]
    if assumption != "wfr-keys":
        for a, b in product(touching, touching):
            if a.outcome == "ok" and a.ret < b.call and (assumption == "linearizable-keys" or a.process == b.process):
                before = a.final(k) if a.final(k) is not None else a.external(k)[1] if a.external(k)[0] else "?"
                after = b.external(k)[1] if b.external(k)[0] else b.final(k) if b.final(k) is not None else "?"
                pairs.append((before, after))
    return all(place[a] < place[b] for a, b in pairs if a != b and a in place and b in place)


class Line(NamedTuple):
    """One order of one key's versions, and the edges that it makes."""

    key: Any
    order: tuple[Any, ...]
    ww: set[tuple[int, int]]
    rw: set[tuple[int, int]]


def lines(facts: Facts, k: Any, assumed: tuple[str, ...]) -> list[Line]:
    """All orders of a key's versions that keep what is assumed."""
    writer = {v: i for i, t in enumerate(facts.committed) for v in t.writes(k)}
    reads = [(i, v) for i, t in enumerate(facts.committed) for v in facts.others_reads(t, k)]
    found = []
    for order in permutations(facts.finals[k]):
        if all(keeps(facts, k, order, a) for a in assumed):
            following = dict(pairwise([None, *order]))
            rw = {(i, writer[following[v]]) for i, v in reads if v in following}
            found.append(Line(k, order, {(writer[a], writer[b]) for a, b in pairwise(order)}, {(a, b) for a, b in rw if a != b}))
    return found


def reads_from(facts: Facts) -> set[tuple[int, int]]:
    found = set()
    for k in facts.keys:
        writer = {v: i for i, t in enumerate(facts.committed) for v in t.writes(k)}
        found |= {(writer[v], i) for i, t in enumerate(facts.committed) for v in facts.others_reads(t, k) if v in writer}
    return {(a, b) for a, b in found if a != b}


def acyclic(edges: set[tuple[int, int]]) -> bool:
    left = set(edges)
    while left:
        targets = {b for _, b in left}
        kept = {(a, b) for a, b in left if a in targets}
        if len(kept) == len(left):
            return False
        left = kept
    return True


def then(first: set[tuple[int, int]], second: set[tuple[int, int]]) -> set[tuple[int, int]]:
    return {(a, d) for a, b in first for c, d in second if b == c}


def closure(edges: set[tuple[int, int]]) -> set[tuple[int, int]]:
    found = set(edges)
    while not (more := then(found, edges)) <= found:
        found |= more
    return found


def atomic(facts: Facts, orders: dict[Any, tuple[Any, ...]], seen: set[tuple[int, int]]) -> bool:
    """Whoever reads a key from one transaction and sees another one that wrote it reads the later of the two."""
    for i, t in enumerate(facts.committed):
        for k in facts.keys:
            place = {None: -1, **{v: n for n, v in enumerate(orders[k])}}
            for v, (j, other) in product(facts.others_reads(t, k), enumerate(facts.committed)):
                if (
                    (j, i) in seen
                    and other.final(k) is not None
                    and v not in other.writes(k)
                    and v in place
                    and place[v] < place[other.final(k)]
                ):
                    return False
    return True


MODELS = (
    "read-uncommitted", "read-committed", "consistent-view", "repeatable-read", "snapshot-isolation", "serializable", "read-atomic",
    "causal-cerone", "strong-session-read-uncommitted", "strong-session-read-committed", "strong-session-snapshot-isolation",
    "strong-session-serializable", "strong-read-uncommitted", "strong-read-committed", "strong-snapshot-isolation", "strict-serializable",
)  # fmt: skip


def holding(history: History, assumed: tuple[str, ...] = ()) -> frozenset[str]:
    """The models of MODELS that hold."""
    facts = Facts(history)
    found = phenomena(history)
    sound = not found.keys() & {"garbage-read", "G1a", "G1b", "future-read"}
    whole = sound and not found.keys() & {"internal"}
    nodes = list(enumerate(facts.committed))
    before = {(i, j) for i, a in nodes for j, b in nodes if a.outcome == "ok" and a.ret < b.call}
    process = {(i, j) for i, j in before if facts.committed[i].process == facts.committed[j].process}
    extra = {"": set(), "strong-session-": process, "strong-": before}
    held: set[str] = set()
    wr = reads_from(facts)
    for chosen in product(*(lines(facts, k, assumed) for k in facts.keys)):
        orders = {line.key: line.order for line in chosen}
        ww = {edge for line in chosen for edge in line.ww}
        rw = {edge for line in chosen for edge in line.rw}
        for prefix, order in extra.items():
            strict = "strict-serializable" if prefix == "strong-" else prefix + "serializable"
            if strict in held:
                continue
            base = ww | order
            full = base | wr
            if acyclic(base):
                held.add(prefix + "read-uncommitted")
            if not sound or not acyclic(full):
                continue
            held.add(prefix + "read-committed")
            snapshots = acyclic(full | then(full, rw))
            if whole and snapshots:
                held.add(prefix + "snapshot-isolation")
            if acyclic(full | rw):
                held |= {strict} if whole else set()
                held |= {"repeatable-read"} if not prefix else set()
            if not prefix:
                one_rw = all((b, a) not in closure(full) and a != b for a, b in rw)
                held |= {"consistent-view"} if one_rw else set()
                held |= {"read-atomic"} if whole and atomic(facts, orders, wr) else set()
                held |= {"causal-cerone"} if whole and atomic(facts, orders, closure(wr)) else set()
        if "strict-serializable" in held:
            break
    return frozenset(held)


def random_history(rng: random.Random) -> History:
    """Half of each: a store with faults; and reads drawn from all that was written. Few enough versions that all orders can be tried."""
    while True:
        history = faulty_store(rng) if rng.random() < 0.6 else arbitrary_reads(rng)
        if how_many_orders(Facts(history)) <= MOST_ORDERS:
            return history


def _chosen(rng: random.Random, keys: int, counters: Counter[int], longest: int) -> list[list[Any]]:
    mops: list[list[Any]] = []
    for _ in range(rng.randint(1, longest)):
        k = rng.randrange(keys)
        if rng.random() < 0.5:
            mops.append(["r", k, None])
        else:
            counters[k] += 1
            mops.append(["w", k, counters[k]])
    return mops


def arbitrary_reads(rng: random.Random) -> History:
    """Clients whose reads return any value of the key that was attempted by then, or null, near ones rather than far ones."""
    keys, clients, target = rng.randint(1, 3), rng.randint(2, 6), rng.randint(5, 8)
    counters: Counter[int] = Counter()
    near, crash, fail = rng.random() ** 0.5, rng.choice([0.0, 0.2, 0.4]), rng.choice([0.0, 0.1])
    ops: list[Op] = []
    processes, open_, started = list(range(clients)), {}, 0
    while started < target or open_:
        c = rng.randrange(clients)
        if c not in open_ and started < target:
            open_[c] = _chosen(rng, keys, counters, 3)
            ops.append(Op(len(ops), 0, processes[c], "invoke", "txn", open_[c]))
            started += 1
        elif c in open_ and rng.random() < 0.6:
            own: dict[int, int] = {}
            done = []
            for f, k, v in open_.pop(c):
                if f == "r":
                    v = own.get(k) if k in own and rng.random() < 0.97 else max(0, counters[k] - int(rng.expovariate(0.2 + near))) or None
                own[k] = v
                done.append([f, k, v])
            type_ = "info" if rng.random() < crash else "fail" if rng.random() < fail else "ok"
            asked = [[f, k, None if f == "r" else v] for f, k, v in done]
            ops.append(Op(len(ops), 0, processes[c], type_, "txn", done if type_ == "ok" or rng.random() < 0.1 else asked))
            if type_ == "info":
                processes[c] = max(processes) + 1
    return History(ops)


def faulty_store(rng: random.Random) -> History:
    """A few clients against a store that is broken in ways drawn for the history, or not at all."""
    fault = {name: rng.random() < 0.25 and rng.random() for name in ("stale", "dirty", "lost", "split", "junk")}
    versions: dict[int, list[Any]] = {}
    counters: Counter[int] = Counter()
    keys, clients, target = rng.randint(1, 4), rng.randint(2, 4), rng.randint(5, 9)
    crash, fail = rng.choice([0.0, 0.15, 0.4]), rng.choice([0.0, 0.1, 0.3])
    ops: list[Op] = []
    processes, started = list(range(clients)), 0
    open_: dict[int, tuple[list[Any], list[Any], bool]] = {}

    def emit(process: int, type_: str, value: Any) -> None:
        ops.append(Op(len(ops), len(ops), process, type_, "txn", value))

    while started < target or open_:
        c = rng.randrange(clients)
        if c not in open_:
            if started < target:
                mops = _chosen(rng, keys, counters, rng.choice([1, 2, 2, 3]))
                emit(processes[c], "invoke", mops)
                open_[c] = (mops, [], rng.random() < fail)
                started += 1
            continue
        mops, done, fails = open_[c]
        steps = len(mops) if rng.random() >= (fault["split"] or 0) else 1
        while steps and len(done) < len(mops):
            done.append(_act(mops[len(done)], done, versions, fault, fails, rng))
            steps -= 1
        if len(done) < len(mops) or rng.random() < 0.4:
            continue
        del open_[c]
        if fails:
            emit(processes[c], "fail", mops)
        elif rng.random() < crash:
            if rng.random() < 0.8:
                emit(processes[c], "info", done if rng.random() < 0.2 else mops)
            processes[c] = max(processes) + 1
        else:
            emit(processes[c], "ok", done)
    return History(ops)


def _act(
    mop: list[Any], done: list[Any], versions: dict[int, list[Any]], fault: dict[str, Any], fails: bool, rng: random.Random
) -> list[Any]:
    f, k, v = mop
    now = versions.setdefault(k, [None])

    def strikes(kind: str) -> bool:
        return bool(fault[kind]) and rng.random() < fault[kind] * 0.6

    if f == "w":
        if not (fails and not strikes("dirty")) and not strikes("lost"):
            now.append(v)
        return mop
    if strikes("junk"):
        return [f, k, 90 + rng.randrange(3)]
    if strikes("stale"):
        return [f, k, rng.choice(now)]
    mine = [value for g, key, value in done if key == k and g == "w"]
    return [f, k, mine[-1] if mine and fails else now[-1]]
