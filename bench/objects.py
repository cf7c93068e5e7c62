"""How long large histories of one object take: the whole process, from outside, beside the figures of the fastest peers.

    bench/objects.py [OPS] [OBJECT ..]      default 1000000, all objects; makes its histories in a temporary folder

Histories: 5 and 50 clients that overlap, unique values, in our own format; valid, and the same with one conflict planted half way. For each
the median of three runs of `splitbrain check` after one that may compile: wall, and user + sys CPU. Goals: 1,000,000 ops below 2 s each.
The peers' figures are those of the reference (fastlin: verdict only, all ops completed, its own text format; another machine).
"""

from __future__ import annotations

import heapq
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
LINE = '{"index":%d,"time":%d,"process":%d,"type":"%s","f":"%s","value":%s,"error":null,"node":"n%d","ext":null}\n'
WORDS = {"queue": ("enqueue", "dequeue"), "stack": ("push", "pop"), "set-object": ("add", "remove"), "priority-queue": ("insert", "poll")}
PEER_S = {  # fastlin, by ops
    "queue": {10_000: 0.04, 100_000: 0.59, 1_000_000: 3.1},
    "stack": {10_000: 0.05, 100_000: 0.36, 1_000_000: 3.1},
    "set-object": {10_000: 0.0007, 100_000: 0.010, 1_000_000: 0.061},
    "priority-queue": {10_000: 0.006, 100_000: 0.30, 1_000_000: 4.3},
}
NAMES = ("register", *WORDS)


class Store:
    """The sequential object."""

    def __init__(self, name: str, rng: random.Random) -> None:
        self.name, self.rng, self.count = name, rng, 0
        self.items: deque[int] = deque()
        self.heap: list[int] = []
        self.current: int | None = None

    def new(self) -> int:
        """A value that was never used."""
        self.count += 1
        return self.rng.randrange(1 << 40) * 1000 + self.count % 1000 if self.name == "priority-queue" else self.count

    def add(self, value: int) -> None:
        if self.name == "priority-queue":
            heapq.heappush(self.heap, -value)
        else:
            self.items.append(value)

    def remove(self) -> int | None:
        if self.name == "priority-queue":
            return -heapq.heappop(self.heap) if self.heap else None
        if not self.items:
            return None
        return self.items.pop() if self.name == "stack" else self.items.popleft()


def operations(name: str, count: int, clients: int, seed: int) -> Iterator[tuple[int, str, str, Any]]:
    """(process, type, f, value) in order; each op takes effect at a moment between its two lines."""
    rng = random.Random(f"{name} {clients} {seed}")
    store = Store(name, rng)
    open_: list[tuple[str, Any, bool] | None] = [None] * clients
    started = live = 0
    while started < count or live:
        client = rng.randrange(clients)
        running = open_[client]
        if running is None:
            if started == count:
                continue
            started, live = started + 1, live + 1
            f, value = _drawn(store)
            yield client, "invoke", f, value
            open_[client] = (f, value, False)
        elif not running[2]:
            open_[client] = (running[0], _acted(store, *running[:2]), True)
        else:
            yield client, "ok", running[0], running[1]
            open_[client], live = None, live - 1


def _drawn(store: Store) -> tuple[str, Any]:
    if store.name == "register":
        return ("write", store.new()) if store.rng.random() < 0.5 else ("read", None)
    add, remove = WORDS[store.name]
    if store.name == "set-object" and store.items and store.rng.random() < 0.5:
        return remove, store.items.popleft()
    return (remove, None) if store.name != "set-object" and store.rng.random() < 0.5 else (add, store.new())


def _acted(store: Store, f: str, value: Any) -> Any:
    if store.name == "register":
        store.current = value if f == "write" else store.current
        return store.current
    add, _ = WORDS[store.name]
    if f == add:
        store.add(value)
    if store.name == "set-object":
        return [value, True]
    return value if f == add else store.remove()


def conflict(name: str) -> list[tuple[str, Any, Any]]:
    """A conflict of its own values, whatever else is in the object: (f, asked, answered)."""
    low, middle, high = -3, -2, -1
    if name == "register":
        return [("write", low, low), ("write", high, high), ("read", None, low)]
    add, remove = WORDS[name]
    if name == "set-object":
        return [(add, low, [low, True]), (remove, low, [low, True]), (remove, low, [low, True])]
    return [(add, low, low), (add, middle, middle), (add, high, high), (remove, None, middle), (remove, None, low), (remove, None, high)]


def write_history(path: Path, name: str, count: int, clients: int, wrong: bool, seed: int = 1) -> None:
    """A history in our own format."""
    index = 0
    with path.open("w", buffering=1 << 20) as file:
        file.write('{"splitbrain":1}\n')
        for process, type_, f, value in operations(name, count, clients, seed):
            if wrong and index >= count:
                for planted, asked, answered in conflict(name):
                    for kind, what in (("invoke", asked), ("ok", answered)):
                        file.write(LINE % (index, index * 1000, clients, kind, planted, json.dumps(what, separators=(",", ":")), 0))
                        index += 1
                wrong = False
            file.write(LINE % (index, index * 1000, process, type_, f, json.dumps(value, separators=(",", ":")), process % 3))
            index += 1


def timed(path: Path, name: str) -> tuple[float, float, int]:
    """Median wall and CPU seconds of three runs, after one that may compile, and the exit code."""
    walls, cpus, code = [], [], 0
    for _ in range(4):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = [sys.executable, "-P", "-m", "splitbrain", "check", str(path), "--as", name, "--json"]
        code = subprocess.run(command, stdout=subprocess.DEVNULL, cwd=TOP, check=False).returncode
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        walls.append(time.perf_counter() - start)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(walls[1:]), statistics.median(cpus[1:]), code


def main() -> int:
    count = next((int(argument) for argument in sys.argv[1:] if argument.isdigit()), 1_000_000)
    names = [argument for argument in sys.argv[1:] if argument in NAMES] or NAMES
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            for clients in (5, 50):
                for wrong in (False, True):
                    path = Path(folder) / "history.jsonl"
                    write_history(path, name, count, clients, wrong)
                    wall, cpu, code = timed(path, name)
                    failed += code != wrong
                    peer = PEER_S.get(name, {}).get(count)
                    beside = f"; fastlin {peer} s (verdict alone)" if peer and not wrong else ""
                    print(
                        f"{name}, {count} ops, {clients} clients, {'conflict' if wrong else 'valid'}, {path.stat().st_size / 1e6:.0f} MB: "
                        f"wall {wall:.2f} s, CPU {cpu:.2f} s, exit {code}{beside}",
                        flush=True,
                    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
