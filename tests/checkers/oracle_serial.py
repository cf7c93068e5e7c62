"""The slow oracle of the serial checker: its definitions, acted out in every order, and random small histories to try them on.

Nothing here is imported from the checker. A database is a store of values; transactions of unknown outcome may be left out. Under
serializability transactions run one after another. Under snapshot isolation a transaction starts, reading the store as it is then, and
commits later, if nobody has committed one of the keys that it writes since. Keys and values are small integers.
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from harness.history.history import History
from harness.op import Op

MODELS = (
    "serializable",
    "strong-session-serializable",
    "strict-serializable",
    "snapshot-isolation",
    "strong-session-snapshot-isolation",
    "strong-snapshot-isolation",
)
UNSEEN = "unseen"


class T(NamedTuple):
    call: int
    ret: float
    outcome: str
    process: int
    mops: list[tuple[str, Any, Any]]


def transactions(history: History) -> list[T]:
    """Those that may have committed."""
    found = []
    for invoke, done in history.calls():
        outcome = done.type if done else "info"
        value = invoke.value if done is None or done.value is None else done.value
        mops = [(f, k, UNSEEN if f == "r" and v is None and outcome == "info" else v) for f, k, v in value]
        if outcome != "fail":
            found.append(T(invoke.index, done.index if done and outcome == "ok" else float("inf"), outcome, invoke.process, mops))
    return found


def precede(txns: list[T], model: str, by_sessions: bool) -> list[set[int]]:
    """For each transaction, those that must have committed before it starts."""
    real_time = model.startswith(("strict", "strong-snapshot")) and not by_sessions
    sessions = "session" in model or (by_sessions and model.startswith(("strict", "strong")))
    return [{i for i, a in enumerate(txns) if a.ret < b.call and (real_time or (sessions and a.process == b.process))} for b in txns]


def runs(txn: T, store: dict[Any, Any]) -> dict[Any, Any] | None:
    """What it writes if it runs on this store; None if it would have read something else."""
    local: dict[Any, Any] = {}
    for f, k, v in txn.mops:
        if f == "w":
            local[k] = v
        elif v != UNSEEN and v != (local[k] if k in local else store.get(k)):
            return None
    return local


def holds(history: History, model: str) -> bool:
    """Whether some order explains everything."""
    txns = transactions(history)
    before = precede(txns, model, history.by_sessions)
    must = {i for i, txn in enumerate(txns) if txn.outcome == "ok"}
    if "snapshot" in model:
        return _snapshots(txns, before, must)
    tried: set[Any] = set()

    def serial(done: frozenset[int], store: dict[Any, Any]) -> bool:
        if must <= done:
            return True
        if (done, tuple(sorted(store.items()))) in tried:
            return False
        tried.add((done, tuple(sorted(store.items()))))
        for i, txn in enumerate(txns):
            if i not in done and before[i] <= done:
                written = runs(txn, store)
                if written is not None and serial(done | {i}, {**store, **written}):
                    return True
        return False

    return serial(frozenset(), dict.fromkeys(_keys(txns), None))


def truths(history: History) -> dict[str, bool]:
    """All models. An order that keeps more is an order that keeps less, and one after another is a way of reading snapshots: so what
    follows is not acted out again."""
    found: dict[str, bool] = {}
    for model in ("strict-serializable", "snapshot-isolation", *MODELS):
        if model in found:
            continue
        found[model] = holds(history, model)
        for other in MODELS:
            if found[model] and _keeps(model, other):
                found[other] = True
            if not found[model] and _keeps(other, model):
                found[other] = False
    return {model: found[model] for model in MODELS}


def _keeps(strong: str, weak: str) -> bool:
    """Whether every order of one model is an order of the other."""

    def kept(model: str) -> int:
        return 2 if model.startswith(("strict", "strong-snapshot")) else 1 if "session" in model else 0

    return kept(strong) >= kept(weak) and ("snapshot" not in strong or "snapshot" in weak)


def _keys(txns: list[T]) -> list[Any]:
    return sorted({k for txn in txns for _, k, _ in txn.mops})


def _snapshots(txns: list[T], before: list[set[int]], must: set[int]) -> bool:
    tried: set[Any] = set()
    Active = tuple[int, frozenset[Any]]  # a transaction at work, and the keys that others have committed since it started

    def step(done: frozenset[int], active: tuple[Active, ...], store: dict[Any, Any]) -> bool:
        if must <= done:
            return True
        state = (done, active, tuple(sorted(store.items(), key=str)))
        if state in tried:
            return False
        tried.add(state)
        at_work = {i for i, _ in active}
        for i, txn in enumerate(txns):
            free = i not in done and i not in at_work and before[i] <= done
            if free and runs(txn, store) is not None:
                if not any(f == "w" for f, _, _ in txn.mops):  # nobody sees when it commits
                    works = step(done | {i}, active, store)
                else:
                    works = step(done, tuple(sorted([*active, (i, frozenset())])), store)
                if works:
                    return True
        for i, touched in active:
            written = {k: v for f, k, v in txns[i].mops if f == "w"}
            if not touched & written.keys():
                others = tuple((j, t.union(written)) for j, t in active if j != i)
                if step(done | {i}, others, {**store, **written}):
                    return True
        return False

    return step(frozenset(), (), dict.fromkeys(_keys(txns), None))


class _Replicas:
    """Two copies of a store; what is written to one reaches the other at once, or a while later."""

    def __init__(self, rng: random.Random, together: float) -> None:
        self.rng, self.together = rng, together
        self.copies: list[dict[int, Any]] = [{}, {}]
        self.late: list[tuple[int, dict[int, Any]]] = []

    def write(self, at: int, values: dict[int, Any]) -> None:
        self.copies[at].update(values)
        if self.rng.random() < self.together:
            self.copies[1 - at].update(values)
        else:
            self.late.append((1 - at, values))

    def catch_up(self) -> None:
        if self.late and self.rng.random() < 0.2:
            at, values = self.late.pop(0)
            self.copies[at].update(values)


def random_history(rng: random.Random, *, txns: int = 0) -> History:
    """A history of 5 to 7 transactions on a store that lags, forks or slips, or does nothing wrong."""
    count = txns or rng.choice([5, 6, 6, 7, 7])
    processes, keys = rng.randint(2, 4), rng.choice([1, 2, 2, 2, 3])
    distinct, lag, by_sessions = rng.random() < 0.75, rng.random() < 0.5, rng.random() < 0.2
    slip = rng.choice([0.0, 0.4, 0.7, 0.9])
    store = _Replicas(rng, rng.choice([1.0, 0.3, 0.1]))
    ops: list[Op] = []
    past: dict[int, list[Any]] = {key: [None] for key in range(keys)}
    at_work: dict[int, tuple[list[list[Any]], dict[int, Any]]] = {}
    names = list(range(processes))
    begun = 0

    def emit(process: int, type_: str, value: list[list[Any]]) -> None:
        ops.append(Op(len(ops), len(ops), process, type_, "txn", [list(mop) for mop in value]))

    while begun < count or at_work:
        slot = rng.randrange(processes)
        store.catch_up()
        if slot not in at_work:
            if begun < count:
                begun += 1
                mops = [_mop(rng, keys, distinct, begun, place) for place in range(rng.randint(2, 4))]
                at_work[slot] = (mops, dict(store.copies[slot % 2]))
                emit(names[slot], "invoke", mops)
            continue
        if rng.random() < 0.4:
            continue
        mops, snapshot = at_work.pop(slot)
        outcome = rng.choices(["ok", "fail", "info", "open"], [0.86, 0.03, 0.07, 0.04])[0]
        local, done = _run(rng, mops, snapshot if lag else store.copies[slot % 2], past, slip)
        if outcome == "ok" or (outcome in ("info", "open") and rng.random() < 0.5):
            store.write(slot % 2, local)
        if outcome != "open":
            shown = outcome == "ok" or (outcome == "info" and rng.random() < 0.5)
            emit(names[slot], outcome, done if shown else mops)
        if outcome in ("info", "open"):
            names[slot] += processes
    return History(ops, {"order": "session"} if by_sessions else {})


def _run(
    rng: random.Random, mops: list[list[Any]], base: dict[int, Any], past: dict[int, list[Any]], slip: float
) -> tuple[dict[int, Any], list[list[Any]]]:
    """What a transaction writes, and its micro-ops with what they read."""
    local: dict[int, Any] = {}
    seen: dict[int, Any] = {}
    done = []
    for f, key, value in mops:
        if f == "w":
            local[key] = seen[key] = value
            past[key].append(value)
        elif key in seen and rng.random() < 0.97:
            value = seen[key]
        else:
            value = seen[key] = rng.choice(past[key]) if rng.random() < slip else base.get(key)
        done.append([f, key, value])
    return local, done


def _mop(rng: random.Random, keys: int, distinct: bool, number: int, place: int) -> list[Any]:
    key = rng.randrange(keys)
    if rng.random() < 0.55:
        return ["r", key, None]
    if distinct:
        return ["w", key, 10 * number + place]
    return ["w", key, rng.choice([1, 1, 2, 2, 3, None])]
