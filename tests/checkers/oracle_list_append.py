"""The slow oracle of the list-append checker: its definitions, written down naively, and random small histories to try them on.

Nothing here is imported from the checker. Edges are found by asking every pair of transactions for every rule, cycles by walking every
simple cycle, in every choice of reasons for its steps. Elements and keys are small integers.
"""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise, product
from typing import Any, NamedTuple

from harness.history.history import History
from harness.op import Op

BASES = ("G0", "G1c", "G-single-item", "G-nonadjacent-item", "G2-item")


class T(NamedTuple):
    call: int
    ret: float
    outcome: str
    process: int
    mops: list[tuple[str, Any, Any]]

    def appends(self, key: Any) -> list[Any]:
        return [v for f, k, v in self.mops if f == "append" and k == key]

    def reads(self, key: Any) -> list[Any]:
        return [v for f, k, v in self.mops if f == "r" and k == key and v is not None]


def transactions(history: History) -> list[T]:
    found = []
    for invoke, done in history.calls():
        outcome = done.type if done else "info"
        value = done.value if done and outcome != "fail" else invoke.value
        mops = [(f, k, (v or []) if f == "r" and outcome == "ok" else None if f == "r" and outcome == "fail" else v) for f, k, v in value]
        found.append(T(invoke.index, done.index if done and outcome != "info" else float("inf"), outcome, invoke.process, mops))
    return found


class Facts:
    """Committed transactions, version orders, edges: by the definitions."""

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
        self.order = {k: self._order(k) for k in self.keys}

    def _observed(self, t: T) -> bool:
        return any(v in read for k in self.keys for v in t.appends(k) for other in self.committed for read in other.reads(k))

    def reads(self, k: Any) -> list[list[Any]]:
        return [read for t in self.committed for read in t.reads(k)]

    def _order(self, k: Any) -> list[Any]:
        longest: list[Any] = []
        for read in self.reads(k):
            if len(read) > len(longest):
                longest = read
        return list(dict.fromkeys(longest))

    def compatible(self, k: Any) -> bool:
        return all(a[: len(b)] == b or b[: len(a)] == a for a in self.reads(k) for b in self.reads(k))

    def successor(self, k: Any, version: Any) -> list[Any]:
        """The committed elements that may come next after a version (None: the empty list)."""
        if version is not None and version not in self.order[k]:
            return []
        rest = self.order[k] if version is None else self.order[k][self.order[k].index(version) + 1 :]
        placed = [v for v in rest if any(v in t.appends(k) for t in self.committed)]
        if placed:
            return placed[:1]
        if not self.compatible(k):
            return []
        return [v for t in self.committed for v in t.appends(k) if v not in self.order[k]]

    def dependency(self, a: T, b: T) -> str | None:
        for k in self.keys:
            if any(v in b.appends(k) for x in a.appends(k) if x in self.order[k] for v in self.successor(k, x)):
                return "ww"
        for k in self.keys:
            if any(read and read[-1] in a.appends(k) for read in b.reads(k)):
                return "wr"
        for k in self.keys:
            if any(v in b.appends(k) for read in a.reads(k) for v in self.successor(k, read[-1] if read else None)):
                return "rw"
        return None

    def reasons(self, a: T, b: T) -> list[str]:
        dependency = self.dependency(a, b)
        reasons = [dependency] if dependency else []
        if a.outcome == "ok" and a.ret < b.call:
            reasons.append("process" if a.process == b.process else "realtime")
        return reasons


def name(kinds: tuple[str, ...]) -> str | None:
    """The type of a cycle with these reasons; None for one that a shorter cycle stands for (two real-time steps, or mixed with process)."""
    realtime, process, rw = kinds.count("realtime"), kinds.count("process"), kinds.count("rw")
    if realtime > 1 or (realtime and process) or realtime + process == len(kinds):
        return None
    adjacent = any(a == b == "rw" for a, b in pairwise([*kinds, kinds[0]]))
    base = ("G2-item" if adjacent else "G-nonadjacent-item") if rw > 1 else "G-single-item" if rw else "G1c" if "wr" in kinds else "G0"
    return base + ("-realtime" if realtime else "-process" if process else "")


def cycle_types(history: History) -> list[dict[str, int]]:
    """For each component with a cycle: type -> length of its shortest cycle, all types that no other one of the component implies."""
    facts = Facts(history)
    nodes = sorted(facts.committed)
    edges = {(i, j): facts.reasons(a, b) for i, a in enumerate(nodes) for j, b in enumerate(nodes) if i != j}
    following = {i: [j for j in range(len(nodes)) if i != j and edges[i, j]] for i in range(len(nodes))}
    reach = {i: _reach(i, following) for i in following}
    components = {frozenset(j for j in following if i in reach[j] and j in reach[i]) for i in following}
    found = []
    for component in sorted((sorted(c) for c in components if len(c) > 1), key=lambda c: c[0]):
        shortest: dict[str, int] = {}
        for start in component:
            _walk([start], component, following, edges, shortest)
        found.append(shortest)
    return found


def _reach(start: int, following: dict[int, list[int]]) -> set[int]:
    seen, waiting = set(), [start]
    while waiting:
        for j in following[waiting.pop()]:
            if j not in seen:
                seen.add(j)
                waiting.append(j)
    return seen


def _walk(path: list[int], component: list[int], following: Any, edges: Any, shortest: dict[str, int]) -> None:
    for j in following[path[-1]]:
        if j == path[0]:
            steps = [*pairwise(path), (path[-1], j)]
            for kinds in product(*(edges[step] for step in steps)):
                type_ = name(kinds)
                if type_:
                    shortest[type_] = min(shortest.get(type_, 99), len(path))
        elif j > path[0] and j not in path and j in component:
            _walk([*path, j], component, following, edges, shortest)


def minimal(types: dict[str, int]) -> dict[str, int]:
    """Without those that another one implies: G0 before G1c; one rw before several, apart before adjacent; without a suffix before with."""

    def hides(a: str, b: str) -> bool:
        (base_a, suffix_a), (base_b, suffix_b) = _split(a), _split(b)
        family = BASES.index(base_a) <= BASES.index(base_b) and (BASES.index(base_a) < 2) == (BASES.index(base_b) < 2)
        return a != b and family and suffix_a in ("", suffix_b)

    return {b: length for b, length in types.items() if not any(hides(a, b) for a in types)}


def _split(type_: str) -> tuple[str, str]:
    for suffix in ("-process", "-realtime"):
        if type_.endswith(suffix):
            return type_[: -len(suffix)], suffix
    return type_, ""


def phenomena(history: History) -> Counter[str]:
    """Anomalies without a cycle: type -> how many."""
    facts = Facts(history)
    counts: Counter[str] = Counter()
    for t, k in product(facts.all, facts.keys):
        counts["duplicate-elements"] += sum(len(set(read)) < len(read) for read in t.reads(k))
    for t, k in product(facts.committed, facts.keys):
        mops = [(f, v) for f, key, v in t.mops if key == k and v is not None]
        counts["internal"] += not _explained(mops)
        for v in t.appends(k):
            counts["future-read"] += any(f == "r" and v in read for f, read in mops[: mops.index(("append", v))])
        for v in {v for read in t.reads(k) for v in read}:
            writers = [w for w in facts.all if v in w.appends(k)]
            counts["garbage-read"] += not writers
            counts["G1a"] += any(w.outcome == "fail" for w in writers)
        for v in {read[-1] for read in t.reads(k) if read}:
            counts["G1b"] += any(w != t and w.outcome != "fail" and v in w.appends(k)[:-1] for w in facts.all)
    for reader, writer in product(facts.committed, facts.committed):
        shown = {k for k in facts.keys for v in writer.appends(k) for read in reader.reads(k) if v in read}
        missed = {k for k in facts.keys for v in writer.appends(k) for read in reader.reads(k) if v not in read}
        counts["fractured-read"] += reader != writer and any(a != b for a in shown for b in missed)
    for k in facts.keys:
        outcomes = [next((w.outcome for w in facts.all if v in w.appends(k)), "nobody") for v in facts.order[k]]
        runs = [outcome for outcome in outcomes if outcome != "info"]
        counts["dirty-update"] += sum(a == "fail" and b == "ok" for a, b in pairwise(runs))
        distinct: list[list[Any]] = []
        for read in facts.reads(k):
            if read not in distinct:
                distinct.append(read)
        counts["incompatible-order"] += sum(b[: len(a)] != a for a, b in pairwise(sorted(distinct, key=len)))
        touching = [[mop for mop in t.mops if mop[1] == k] for t in facts.committed]
        updates = Counter(str(mops[0][2]) for mops in touching if mops and _updates(mops))
        counts["lost-update"] += sum(count > 1 for count in updates.values())
    return +counts


def _updates(mops: list[tuple[str, Any, Any]]) -> bool:
    return mops[0][0] == "r" and mops[0][2] is not None and any(f == "append" for f, _, _ in mops)


def _explained(mops: list[tuple[str, Any]]) -> bool:
    """Some list before the transaction explains its reads."""
    reads = [v for f, v in mops if f == "r"]
    candidates = [read[:n] for read in reads[:1] for n in range(len(read) + 1)] or [[]]
    for base in candidates:
        now, good = list(base), True
        for f, v in mops:
            if f == "append":
                now = [*now, v]
            else:
                good = good and v == now
        if good:
            return True
    return False


def random_history(rng: random.Random) -> History:
    """Half of each: a broken store, which makes phenomena; and arbitrary prefixes, which make cycles of every type."""
    return broken_store(rng) if rng.random() < 0.5 else arbitrary_prefixes(rng)


def arbitrary_prefixes(rng: random.Random) -> History:
    """Transactions that touch a key once; appends land in a drawn order; a read is a drawn prefix of it, often near its own time."""
    keys, clients, target = rng.randint(2, 5), rng.randint(1, 9), rng.randint(5, 9)
    near, crash = rng.random() ** 0.3, rng.choice([0.0, 0.2, 0.4])
    roles = 0.9 if rng.random() < 0.5 else 0.0  # how often a transaction only reads, or only appends once: long forks, hence nonadjacent rw
    order: dict[int, list[int]] = {k: [] for k in range(keys)}
    ops: list[Op] = []
    processes, open_, started = list(range(clients)), {}, 0
    while started < target or open_:
        c = rng.randrange(clients)
        if c not in open_ and started < target:
            chosen = rng.sample(range(keys), rng.randint(1, keys))
            readers = 0.5
            if rng.random() < roles:
                readers = rng.randint(0, 1)
                chosen = chosen if readers else chosen[:1]
            mops = [["r", k, None] if rng.random() < readers else ["append", k, 10 * k + started] for k in chosen]
            for _, k, v in mops:
                if v is not None and rng.random() < 0.9:
                    order[k].insert(len(order[k]) if rng.random() < near else rng.randint(0, len(order[k])), v)
            ops.append(Op(len(ops), 0, processes[c], "invoke", "txn", mops))
            open_[c] = len(ops) - 1
            started += 1
        elif c in open_ and rng.random() < 0.6:
            ops.append(Op(len(ops), 0, processes[c], "info" if rng.random() < crash else "ok", "txn", ops[open_.pop(c)].value))
            if ops[-1].type == "info":
                processes[c] = max(processes) + 1
            ops[-1].error = {k: len(order[k]) for k in order}  # how much there was
    for op in ops:
        if op.type == "ok":
            seen, op.error = op.error, None
            lengths = {k: seen[k] if rng.random() < near else rng.randint(0, len(order[k])) for k in order}
            op.value = [["r", k, order[k][: lengths[k]]] if f == "r" else [f, k, v] for f, k, v in op.value]
    return History(ops)


def broken_store(rng: random.Random) -> History:
    """A few clients against a store that is broken in ways drawn for the history: stale, dirty, intermediate or lost, or not at all."""
    fault = {name: rng.random() < 0.3 and rng.random() for name in ("stale", "dirty", "lost", "swap", "twice", "split", "junk")}
    store: dict[int, list[int]] = {}
    counters: Counter[int] = Counter()
    keys, clients, target = rng.randint(1, 3), rng.randint(2, 4), rng.randint(5, 8)
    ops: list[Op] = []
    processes = list(range(clients))
    open_: dict[int, tuple[list[Any], list[Any], bool]] = {}
    started = 0
    crash, fail = rng.choice([0.0, 0.15, 0.4]), rng.choice([0.0, 0.1, 0.3])

    def emit(process: int, type_: str, value: Any) -> None:
        ops.append(Op(len(ops), len(ops), process, type_, "txn", value))

    while started < target or open_:
        c = rng.randrange(clients)
        if c not in open_:
            if started < target:
                mops: list[Any] = []
                for _ in range(rng.choice([1, 1, 2, 2, 3])):
                    k = rng.randrange(keys)
                    if rng.random() < 0.5:
                        mops.append(["r", k, None])
                    else:
                        counters[k] += 1
                        mops.append(["append", k, counters[k]])
                emit(processes[c], "invoke", mops)
                open_[c] = (mops, [], rng.random() < fail)
                started += 1
            continue
        mops, done, fails = open_[c]
        steps = len(mops) if rng.random() >= (fault["split"] or 0) else 1
        while steps and len(done) < len(mops):
            done.append(_act(mops[len(done)], store, fault, fails, rng))
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


def _act(mop: list[Any], store: dict[int, list[int]], fault: dict[str, Any], fails: bool, rng: random.Random) -> list[Any]:
    f, k, v = mop
    now = store.setdefault(k, [])

    def strikes(kind: str) -> bool:
        return bool(fault[kind]) and rng.random() < fault[kind] * 0.5

    if f == "append":
        if (fails and not strikes("dirty")) or strikes("lost"):
            return mop
        store[k] = [*now[:-1], v, *now[-1:]] if strikes("swap") else [*now, v]
        return mop
    if strikes("stale"):
        now = now[: rng.randint(0, len(now))]
    if now and strikes("twice"):
        now = [*now, rng.choice(now)]
    if strikes("junk"):
        now = [*now, 90 + rng.randrange(3)]
    return [f, k, (now or None) if rng.random() < 0.5 else now]
