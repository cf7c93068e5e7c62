"""Larger valid register histories: clients that overlap, each op taking effect at one moment within its interval; some crash, some fail."""

from __future__ import annotations

import random
from typing import Any

from harness.history.history import History
from harness.op import Op


def valid_history(
    count: int, seed: int, *, clients: int = 5, keys: int = 1, kind: str = "unique", crashed: int = 0, fail: float = 0.02, values: int = 5
) -> History:
    """`count` ops on registers that start as null. kind: unique | duplicates | cas (values drawn from `values`); `crashed` ops in all."""
    rng = random.Random(f"{kind} {seed}")
    store: dict[str, Any] = {}
    ops: list[Op] = []
    processes, open_ = list(range(clients)), {}
    crashing = set(rng.sample(range(count), crashed))
    late: list[tuple[str, str, Any]] = []
    written, started = 0, 0

    def emit(process: int, type_: str, f: str, key: str, value: Any) -> None:
        ops.append(Op(len(ops), len(ops) * 1000, process, type_, f, {"key": key, "value": value}))

    def act(f: str, key: str, value: Any) -> Any:
        now = store.get(key)
        if f == "read":
            return now
        if f == "cas" and value[0] != now:
            return False
        store[key] = value if f == "write" else value[1]
        return True

    while started < count or open_:
        if late and rng.random() < 0.02:
            act(*late.pop())
        c = rng.randrange(clients)
        if c not in open_:
            if started < count:
                key = f"k{started * keys // count}" if keys > 1 else "k0"
                f = rng.choice(["read", "read", "write"] if kind != "cas" else ["read", "write", "cas", "cas"])
                written += 1
                value: Any = written if kind == "unique" else rng.randrange(values)
                value = None if f == "read" else [rng.randrange(values), value] if f == "cas" else value
                emit(processes[c], "invoke", f, key, value)
                open_[c] = [f, key, value, False, None, started in crashing, f != "read" and rng.random() < fail]
                started += 1
            continue
        f, key, value, acted, answer, crashes, fails = open_[c]
        if not acted and not crashes and not fails and rng.random() < 0.6:
            open_[c][3:5] = [True, act(f, key, value)]
        elif rng.random() < 0.5 and (acted or crashes or fails):
            del open_[c]
            if crashes:
                late.append((f, key, value))
                emit(processes[c], "info", f, key, value)
                processes[c] = max(processes) + 1
            elif fails or answer is False:
                emit(processes[c], "fail", f, key, value)
            else:
                emit(processes[c], "ok", f, key, answer if f == "read" else value)
    return History(ops)
