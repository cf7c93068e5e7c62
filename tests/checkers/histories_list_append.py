"""Large list-append histories of our own making: clients against one store, each transaction at one moment between its two ops."""

import random

from harness.history.history import History
from harness.op import Op


def valid_history(count, seed, clients=12, keys=8, writes_a_key=24, stale=0.0):
    """Strictly serializable, with failed and crashed transactions; with `stale`, that share of transactions misses the newest element."""
    rng = random.Random(seed)
    ops, live, fresh, written, store = [], list(range(keys)), keys, {}, {}
    processes, waiting = list(range(clients)), {}  # client -> (micro-ops, when acted on: outcome)
    started = 0

    def emit(client, type_, value):
        ops.append(Op(len(ops), len(ops) * 1000, processes[client], type_, "txn", value))

    while started < count or waiting:
        client = rng.randrange(clients)
        if client not in waiting:
            if started < count:
                mops = []
                for _ in range(rng.randint(1, 4)):
                    at = min(int(rng.expovariate(0.7)), keys - 1)
                    if rng.random() < 0.5:
                        mops.append(["r", live[at], None])
                        continue
                    if written.get(live[at], 0) >= writes_a_key:
                        live[at], fresh = fresh, fresh + 1
                    written[live[at]] = written.get(live[at], 0) + 1
                    mops.append(["append", live[at], written[live[at]]])
                emit(client, "invoke", mops)
                waiting[client] = (mops, None)
                started += 1
            continue
        mops, outcome = waiting[client]
        if outcome is None:
            outcome = rng.choices(["ok", "fail", "info"], [95, 3, 2])[0]
            acts = outcome == "ok" or (outcome == "info" and rng.random() < 0.5)
            done = _act(mops, store, rng.random() < stale) if acts else mops
            waiting[client] = (done if outcome == "ok" else mops, outcome)
            continue
        emit(client, outcome, mops)
        del waiting[client]
        if outcome == "info":
            processes[client] = max(processes) + 1
    return History(ops)


def _act(mops, store, stale):
    done, own = [], set()
    for f, k, v in mops:
        now = store.setdefault(k, [])
        if f == "append":
            now.append(v)
            own.add(k)
            done.append([f, k, v])
        else:
            done.append([f, k, now[:-1] if stale and k not in own else list(now)])
    return done
