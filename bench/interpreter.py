"""How many ops a second the interpreter schedules, records and completes: ./dev bench interpreter

flat   one function as generator, an inline worker, history written                            goal > 100,000 ops/s
keyed  ten groups of threads, a key each, reads reserved, deadlines, the client worker, file   goal > 30,000 ops/s
An op is an invocation and its completion. Median of five repetitions.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import ClassVar

from harness import generators as gen
from harness.client_worker import ClientWorker
from harness.interpreter import Interpreter
from harness.journal import Journal
from harness.op import OK, Op
from harness.registry import find
from harness.workload import WorkloadContext

REPEAT = 5


class Inline:
    """Completes in the call itself."""

    blocking, read_only, node = False, frozenset(), "n1"

    def invoke(self, op: Op) -> Op:
        return Op(-1, 0, op.process, OK, op.f, op.value, None, op.node)

    def retire(self) -> None: ...

    async def close(self) -> None: ...


class Memory:
    """A register store in memory, with the methods of a real client."""

    errors = None
    store: ClassVar[dict[str, int]] = {}

    def open(self) -> None: ...

    def close(self) -> None: ...

    def read(self, key, ext=None):
        return self.store.get(key)

    def write(self, key, value, ext=None):
        self.store[key] = value


async def measure(make_workers, generator, n: int) -> float:
    """Ops a second of n ops."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic_ns()
        journal = Journal(Path(folder) / "history.jsonl", {"splitbrain": 1})
        interpreter = Interpreter(make_workers(), journal, clock=lambda: time.monotonic_ns() - start, op_timeout_s=2.0)
        began = time.perf_counter()
        summary = await interpreter.run(gen.limit(n, generator), 120)
        seconds = time.perf_counter() - began
        await interpreter.close()
        journal.close()
        assert summary.invocations == n
        return n / seconds


def flat_workers():
    return {i: Inline() for i in range(5)}


def keyed_workers():
    workload = keyed()
    return {i: ClientWorker(workload, lambda node: Memory(), f"n{i % 5 + 1}") for i in range(100)}


def keyed():
    nodes = tuple(f"n{i + 1}" for i in range(5))
    return find("workloads", "register")(WorkloadContext(nodes, 100, "bench-", {"cas": False}, "linearizable", 7))


def main() -> int:
    """Print both figures; exit 1 if a goal is missed."""
    import uvloop

    missed = 0
    cases = [
        ("flat", flat_workers, lambda: lambda: {"f": "write", "value": 1}, 200_000, 100_000),
        ("keyed", keyed_workers, lambda: gen.clients(keyed().load()), 60_000, 30_000),
    ]
    for name, workers, generator, n, goal in cases:
        rates = [uvloop.run(measure(workers, generator(), n)) for _ in range(REPEAT)]
        rate = statistics.median(rates)
        missed += rate < goal
        print(f"{name:6} {rate:10,.0f} ops/s  (median of {REPEAT}; {min(rates):,.0f} to {max(rates):,.0f}; goal {goal:,})")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
