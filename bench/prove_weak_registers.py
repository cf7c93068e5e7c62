"""Proof: the checkers of weaker registers say of random small histories what the definitions say.

    bench/prove_weak_registers.py [HISTORIES] [SEED] [sequential | sessions | staleness]     default 200000 1, all three

sequential: sequential consistency, causal memory, convergent causal, PRAM. sessions: the four session guarantees, versions ordered by
session, with one order for all, and by real time. staleness: least and greatest versions and seconds behind, and bounds. Each witness is
proved again.
Prints the distribution; figures go to the stored table; exit 0 if nothing differed.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.proof import Proof
from tests.checkers import oracle_memory, test_sequential_random, test_sessions_random, test_staleness

Judged = tuple[list[str], list[str]]  # what differs, which models are broken


def sequential(history: Any, kind: str, number: int) -> Judged:
    """One history under the models of its kind."""
    compared = test_sequential_random.compare(history, kind)
    return compared.differences, [model for model, broken in compared.invalid.items() if broken]


def sessions(history: Any, kind: str, number: int) -> Judged:
    """One history under the four guarantees, in one of three ways in turn."""
    compared = test_sessions_random.compare(history, kind, test_sessions_random.WAYS[number % len(test_sessions_random.WAYS)])
    return compared.differences, sorted(compared.invalid)


def staleness(history: Any, kind: str, number: int) -> Judged:
    """One history measured, and judged by a bound of 0 or 1 versions."""
    differences, broken = test_staleness.compare(history, number % 2)
    return differences, ["beyond the bound"] if broken else []


PARTS: dict[str, tuple[Callable[[Any, str, int], Judged], tuple[str, ...]]] = {
    "sequential": (sequential, oracle_memory.KINDS),
    "sessions": (sessions, test_sessions_random.KINDS),
    "staleness": (staleness, test_sessions_random.KINDS),
}


def judge(part: str, kind: str, count: int, seed: int) -> dict[str, Any]:
    """Figures of one kind of history."""
    compare = PARTS[part][0]
    seen: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for number in range(count):
        history = oracle_memory.random_history(random.Random(f"{seed} {part} {kind} {number}"), kind)
        differences, invalid = compare(history, kind, number)
        calls = list(history.calls())
        seen.update(ops=len(calls), invalid=bool(invalid), crashed=any(call.outcome == "info" for call in calls))
        broken.update(invalid)
        if differences:
            seen["mismatches"] += 1
            print(f"{part} {kind} {number}: {differences}", flush=True)
    return {
        "passed": not seen["mismatches"] and seen["invalid"] >= 0.3 * count and seen["crashed"] >= 0.2 * count and seen["ops"] >= 6 * count,
        "histories": count,
        "mismatches": seen["mismatches"],
        "invalid": round(seen["invalid"] / count, 3),
        "crashed": round(seen["crashed"] / count, 3),
        "ops": round(seen["ops"] / count, 2),
        "broken": dict(sorted(broken.items())),
    }


def main() -> int:
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    count, seed = (numbers + [200_000, 1][len(numbers) :])[:2]
    proof = Proof("weak_registers")
    for part in [name for name in sys.argv[1:] if name in PARTS] or list(PARTS):
        kinds = PARTS[part][1]
        for kind in kinds:
            each = count // len(kinds)
            proof.case(
                f"{part}: {each} random histories, {kind}, seed {seed}",
                lambda part=part, kind=kind, each=each: judge(part, kind, each, seed),
            )
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
