"""Large histories of register transactions that are valid by how they were made, and anomalies to plant in them.

Transactions run against a store, each at a moment between its invocation and its completion (or reading a snapshot at its start and
committing at its end, if nobody has overwritten its keys). Written values are unique, or repeat on purpose.
"""

from __future__ import annotations

import random
from typing import Any

from harness.history.history import History
from harness.op import Op

Mops = list[list[Any]]


class Log:
    """Ops as they happen."""

    def __init__(self) -> None:
        self.ops: list[Op] = []

    def emit(self, process: int, type_: str, mops: Mops) -> None:
        self.ops.append(Op(len(self.ops), len(self.ops), process, type_, "txn", mops))

    def ok(self, process: int, mops: Mops) -> None:
        """A transaction with nobody beside it."""
        self.emit(process, "invoke", [[f, k, None if f == "r" else v] for f, k, v in mops])
        self.emit(process, "ok", mops)


class Store:
    """Values by key; `fresh` gives a value to write, unique, or one of `values` (more than 0) that repeat."""

    def __init__(self, rng: random.Random, values: int = 0) -> None:
        self.rng, self.values = rng, values
        self.now: dict[Any, Any] = {}
        self.written = 0

    def fresh(self) -> int:
        self.written += 1
        return self.rng.randrange(self.values) if self.values else self.written

    def run(self, mops: Mops, view: dict[Any, Any] | None = None) -> tuple[Mops, dict[Any, Any]]:
        """The micro-ops with what they read, and what they leave, on the store as it is or as it was."""
        base, local = self.now if view is None else view, {}
        done: Mops = []
        for f, key, value in mops:
            if f == "w":
                local[key] = value
            done.append([f, key, local.get(key, base.get(key)) if f == "r" else value])
        return done, local


def valid_history(
    seed: int,
    txns: int,
    *,
    processes: int = 10,
    keys: int = 20,
    hot: float = 0.0,
    most: int = 4,
    reads: float = 0.5,
    values: int = 0,
    snapshots: bool = False,
    by_sessions: bool = False,
    crashed: float = 0.02,
) -> History:
    """hot: share of micro-ops on key 0; values: how many written values there are (0: all differ); crashed: share of info and of fail."""
    rng = random.Random(seed)
    log, store = Log(), Store(rng, values)
    names = list(range(processes))
    at_work: dict[int, list[Any]] = {}
    begun = 0
    while begun < txns or at_work:
        slot = rng.randrange(processes)
        if slot not in at_work:
            if begun < txns:
                begun += 1
                mops = [_mop(rng, store, keys, hot, reads) for _ in range(rng.randint(1, most))]
                log.emit(names[slot], "invoke", mops)
                at_work[slot] = ["begun", mops, dict(store.now) if snapshots else None]
            continue
        stage, mops, view = at_work[slot]
        if stage == "begun":
            at_work[slot] = _act(rng, store, mops, view, crashed)
            continue
        log.emit(names[slot], stage, mops)
        names[slot] += processes if stage == "info" else 0
        del at_work[slot]
    return History(log.ops, {"order": "session"} if by_sessions else {})


def _mop(rng: random.Random, store: Store, keys: int, hot: float, reads: float) -> list[Any]:
    key = 0 if rng.random() < hot else rng.randrange(keys)
    return ["r", key, None] if rng.random() < reads else ["w", key, store.fresh()]


def _act(rng: random.Random, store: Store, mops: Mops, view: dict[Any, Any] | None, crashed: float) -> list[Any]:
    """Its outcome, with what its completion will show."""
    done, local = store.run(mops, view)
    late = view is not None and any(store.now.get(key) != view.get(key) for key in local)
    if late or rng.random() < crashed:
        return ["fail", mops, None]
    if rng.random() < crashed:
        store.now.update(local if rng.random() < 0.5 else {})
        return ["info", mops, None]
    store.now.update(local)
    return ["ok", done, None]


def tpcc_like(seed: int, txns: int, *, sessions: int = 24, warehouses: int = 1) -> History:
    """Rows as keys, as in TPC-C: new orders, payments, order status, deliveries, stock levels, in its mix; the order of sessions alone."""
    rng = random.Random(seed)
    log, store = Log(), Store(rng)
    orders: dict[tuple[int, int], list[tuple[int, list[int]]]] = {}
    delivered: dict[tuple[int, int], int] = {}
    kinds = [_new_order, _payment, _order_status, _delivery, _stock_level]
    for _ in range(txns):
        w = rng.randrange(warehouses)
        kind = rng.choices(kinds, [45, 43, 4, 4, 4])[0]
        mops, local = store.run(kind(rng, store, orders, delivered, w))
        store.now.update(local)
        log.ok(rng.randrange(sessions), mops)
    return History(log.ops, {"order": "session"})


def _new_order(rng: random.Random, store: Store, orders: Any, delivered: Any, w: int) -> Mops:
    d, c = rng.randrange(10), rng.randrange(3000)
    items = sorted(rng.sample(range(10_000), rng.randint(5, 15)))
    of_district = orders.setdefault((w, d), [])
    o = len(of_district)
    of_district.append((c, items))
    mops: Mops = [["r", f"warehouse {w}", None], ["r", f"district {w} {d}", None], ["w", f"district {w} {d}", store.fresh()]]
    mops += [["r", f"customer {w} {d} {c}", None], ["w", f"order {w} {d} {o}", store.fresh()], ["w", f"new {w} {d} {o}", store.fresh()]]
    mops.append(["w", f"last {w} {d} {c}", store.fresh()])
    for line, item in enumerate(items):
        mops += [["r", f"item {item}", None], ["r", f"stock {w} {item}", None], ["w", f"stock {w} {item}", store.fresh()]]
        mops.append(["w", f"line {w} {d} {o} {line}", store.fresh()])
    return mops


def _payment(rng: random.Random, store: Store, orders: Any, delivered: Any, w: int) -> Mops:
    d, c = rng.randrange(10), rng.randrange(3000)
    mops: Mops = []
    for row in (f"warehouse ytd {w}", f"district ytd {w} {d}", f"customer {w} {d} {c}"):
        mops += [["r", row, None], ["w", row, store.fresh()]]
    return [*mops, ["w", f"history {store.fresh()}", store.fresh()]]


def _order_status(rng: random.Random, store: Store, orders: Any, delivered: Any, w: int) -> Mops:
    d = rng.randrange(10)
    of_district = orders.get((w, d)) or [(rng.randrange(3000), [])]
    o = rng.randrange(len(of_district))
    c, items = of_district[o]
    rows = [f"customer {w} {d} {c}", f"last {w} {d} {c}", f"order {w} {d} {o}", *(f"line {w} {d} {o} {line}" for line in range(len(items)))]
    return [["r", row, None] for row in rows]


def _delivery(rng: random.Random, store: Store, orders: Any, delivered: Any, w: int) -> Mops:
    mops: Mops = []
    for d in range(10):
        o = delivered.get((w, d), 0)
        mops.append(["r", f"new {w} {d} {o}", None])
        if o < len(orders.get((w, d), ())):
            delivered[w, d] = o + 1
            c, items = orders[w, d][o]
            mops.append(["w", f"new {w} {d} {o}", store.fresh()])
            rows = [f"order {w} {d} {o}", *(f"line {w} {d} {o} {line}" for line in range(len(items))), f"customer {w} {d} {c}"]
            for row in rows:
                mops += [["r", row, None], ["w", row, store.fresh()]]
    return mops


def _stock_level(rng: random.Random, store: Store, orders: Any, delivered: Any, w: int) -> Mops:
    d = rng.randrange(10)
    mops: Mops = [["r", f"district {w} {d}", None]]
    for o in range(max(0, len(orders.get((w, d), ())) - 20), len(orders.get((w, d), ()))):
        for line, item in enumerate(orders[w, d][o][1]):
            mops += [["r", f"line {w} {d} {o} {line}", None], ["r", f"stock {w} {item}", None]]
    return mops
