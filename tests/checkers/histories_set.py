"""Large valid set histories of our own making, with what the tests then break."""

import random

from harness.history.history import History
from harness.op import Op


def valid_set_history(adds, reads, seed=1, clients=10, removes=0.0):
    """Linearizable: each op acts at its completion; some adds fail, some have no known outcome; every node is read at the end."""
    rng = random.Random(seed)
    ops, store, processes = [], [], list(range(clients))
    every = max(1, adds // max(1, reads - 3))

    def emit(process, type_, f, value, node):
        ops.append(Op(len(ops), len(ops) * 1000, process, type_, f, value, node=node))

    open_ = []
    for n in range(adds):
        client = n % clients
        if len(open_) == clients:
            _finish(open_, rng, emit, store, processes)
        node = f"n{client % 3 + 1}"
        emit(processes[client], "invoke", "add", n, node)
        open_.append((client, n, node))
        if n % every == every - 1:
            emit(1000, "invoke", "read", None, "n1")
            emit(1000, "ok", "read", list(store), "n1")
        if removes and store and rng.random() < removes:
            gone = store.pop(rng.randrange(len(store)))
            emit(1001, "invoke", "remove", gone, "n2")
            emit(1001, "ok", "remove", gone, "n2")
    while open_:
        _finish(open_, rng, emit, store, processes)
    for node in ("n1", "n2", "n3"):
        emit(1000, "invoke", "read", None, node)
        emit(1000, "ok", "read", list(store), node)
    return History(ops)


def _finish(open_, rng, emit, store, processes):
    client, n, node = open_.pop(0)
    outcome = rng.choices(["ok", "fail", "info"], [95, 3, 2])[0]
    if outcome == "ok" or (outcome == "info" and rng.random() < 0.5):
        store.append(n)
    emit(processes[client], outcome, "add", n, node)
    if outcome == "info":
        processes[client] = max(*processes, 2000) + 1
