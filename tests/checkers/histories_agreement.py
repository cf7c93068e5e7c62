"""Small random histories of objects and of register transactions that several checkers can judge.

Each op acts on one real object at a moment between its two lines; then, sometimes, an answer is spoilt. Some ops fail (they did not act),
some have no known outcome (they acted or not), some are still open at the end.
"""

from __future__ import annotations

import random
from typing import Any

from harness.history.history import History
from harness.op import Op


def act(object_: str, state: list[Any], f: str, value: Any) -> tuple[Any, bool]:
    """(answer, whether it succeeded); the state changes."""
    if f in ("read", "peek"):
        return (state[-1] if object_ in ("register", "stack") else state[0]) if state else None, True
    if f == "write":
        state[:] = [value]
        return value, True
    if f == "cas":
        if (state[-1] if state else None) != value[0]:
            return value, False
        state[:] = [value[1]]
        return value, True
    if f in ("enqueue", "push", "insert", "add"):
        state.append(value)
        if object_ == "priority-queue":
            state.sort(reverse=True)
        return value, True
    if f == "contains":
        return value, True
    if f == "remove":
        if value not in state:
            return value, False
        state.remove(value)
        return value, True
    if not state:
        return None, True
    return state.pop() if f == "pop" else state.pop(0), True


ADDS = {"queue": ("enqueue", "dequeue"), "stack": ("push", "pop"), "priority-queue": ("insert", "poll"), "register": ("write", "read")}


def object_history(rng: random.Random, object_: str, unique: bool = True, cas: bool = False, crash: float = 0.15) -> History:
    """4 to 11 ops of 2 to 5 processes on one object; `crash`: the share of unknown outcome."""
    ops: list[Op] = []
    state: list[Any] = []
    processes = list(range(rng.randint(2, 5)))
    running: dict[int, dict[str, Any]] = {}
    fresh, next_process, started, count = 0, 100, 0, rng.randint(4, 11)
    add, take = ADDS[object_]
    while started < count or running:
        process = rng.choice(processes)
        call = running.get(process)
        if call is None:
            if started >= count:
                continue
            started += 1
            f, value = take, None
            if rng.random() < 0.55:
                fresh += 1
                f, value = add, fresh if unique else rng.randint(1, 3)
                if object_ == "priority-queue" and unique:
                    value = fresh * 7 % 13  # 1 to 12 in another order
            if cas and rng.random() < 0.25:
                fresh += 1
                f, value = "cas", [rng.choice([None, *range(1, fresh)]), fresh] if unique else [rng.randint(1, 3), rng.randint(1, 3)]
            running[process] = {
                "f": f,
                "value": value,
                "fate": rng.choices(["ok", "fail", "info"], [0.95 - crash, 0.05, crash])[0],
                "done": False,
            }
            ops.append(Op(len(ops), len(ops), process, "invoke", f, value))
        elif not call["done"]:
            call["done"] = True
            if call["fate"] == "ok" or (call["fate"] == "info" and rng.random() < 0.6):
                call["answer"], right = act(object_, state, call["f"], call["value"])
                if not right and call["fate"] == "ok":
                    call["fate"] = "fail"
        else:
            del running[process]
            fate, f, value = call["fate"], call["f"], call["value"]
            if fate == "info":
                processes[processes.index(process)] = next_process
                next_process += 1
                if rng.random() < 0.3:
                    continue  # still open at the end
            shown = call["answer"] if fate == "ok" else value
            ops.append(Op(len(ops), len(ops), process, fate, f, shown))
    if rng.random() < 0.8:
        _spoil(rng, ops, take)
    return History(ops)


def _spoil(rng: random.Random, ops: list[Op], take: str) -> None:
    """Exchange the answers of two removals or reads, or make one up."""
    answers = [op for op in ops if op.type == "ok" and op.f == take]
    if len(answers) >= 2 and rng.random() < 0.8:
        one, other = rng.sample(answers, 2)
        one.value, other.value = other.value, one.value
    elif answers:
        rng.choice(answers).value = rng.choice([None, 1, 2])


def as_transactions(history: History) -> History:
    """Reads and writes of one register as transactions of one micro-op on key 0."""
    ops = []
    for op in history.ops:
        mop = ["r", 0, op.value] if op.f == "read" else ["w", 0, op.value]
        ops.append(Op(op.index, op.time, op.process, op.type, "txn", [mop]))
    return History(ops)


def txn_history(rng: random.Random, unique: bool = True) -> History:
    """3 to 8 transactions of up to 3 micro-ops on two or three keys, at a store that is now and then stale, torn or late."""
    ops: list[Op] = []
    versions: dict[int, list[Any]] = {0: [None], 1: [None], 2: [None]}
    keys, fresh = rng.randint(2, 3), 0
    processes = list(range(rng.randint(2, 4)))
    running: dict[int, list[Any]] = {}
    left, next_process = rng.randint(3, 8), 100
    while left or running:
        process = rng.choice(processes)
        if process not in running:
            if not left:
                continue
            left -= 1
            mops: list[list[Any]] = []
            for _ in range(rng.randint(1, 3)):
                fresh += 1
                key = rng.randrange(keys)
                mops.append(["w", key, fresh if unique else rng.randint(1, 2)] if rng.random() < 0.5 else ["r", key, None])
            running[process] = [mops]
            ops.append(Op(len(ops), len(ops), process, "invoke", "txn", [list(mop) for mop in mops]))
            continue
        fate = rng.choices(["ok", "fail", "info"], [14, 1, 2])[0]
        (mops,) = running.pop(process)
        own: dict[int, Any] = {}
        for mop in mops:
            if mop[0] == "r":
                seen = versions[mop[1]]
                late = min(len(seen), 2 if rng.random() < 0.3 else 1)
                mop[2] = own.get(mop[1], seen[-late])
            else:
                own[mop[1]] = mop[2]
        if fate == "ok" or (fate == "info" and rng.random() < 0.5):
            for key, value in own.items():
                versions[key].insert(len(versions[key]) - (len(versions[key]) > 1 and rng.random() < 0.15), value)
        shown = mops if fate == "ok" else [[f, key, value if f == "w" else None] for f, key, value in mops]
        if fate == "info":
            processes[processes.index(process)] = next_process
            next_process += 1
        ops.append(Op(len(ops), len(ops), process, fate, "txn", shown))
    return History(ops)
