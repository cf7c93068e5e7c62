"""Proof: the monitors say of random small histories exactly what the definition of linearizability says.

    bench/prove_monitors.py [HISTORIES] [SEED]      default 200000 1, for each object; part of it runs in every test

Objects in turn: queue, stack, priority queue (the largest first, and the smallest), set. For each history: the same verdict as a search
over all orders, every witness proved again by its own verifier. Prints the distribution; figures go to the stored table; exit 0 if nothing
differed.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.proof import Proof
from tests.checkers.oracle_monitors import KINDS, random_history
from tests.checkers.test_monitors_random import compare

PART = 25_000  # histories of one case: a proof that was cut off goes on with the next


def judge(kind: str, first: int, count: int, seed: int) -> dict[str, Any]:
    """Figures of one object's histories from number `first` on."""
    seen: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    for number in range(first, first + count):
        smallest = kind == "priority-queue" and number % 4 == 0
        compared = compare(random_history(random.Random(f"{seed} {kind} {number}"), kind, smallest), kind, smallest)
        seen.update(ops=compared.ops, invalid=compared.invalid, crashed=compared.crashed, looks=compared.looks, empty=compared.empty)
        rules.update(compared.kinds)
        if compared.differences:
            seen["mismatches"] += 1
            print(f"{kind} {number}: {compared.differences}", flush=True)
    return {
        "passed": not seen["mismatches"] and seen["invalid"] >= 0.3 * count and seen["crashed"] >= 0.2 * count and seen["ops"] >= 6 * count,
        "histories": count,
        "mismatches": seen["mismatches"],
        **{name: round(seen[name] / count, 3) for name in ("invalid", "crashed", "looks", "empty")},
        "ops": round(seen["ops"] / count, 2),
        "kinds": dict(sorted(rules.items())),
    }


def main() -> int:
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    count, seed = (numbers + [200_000, 1][len(numbers) :])[:2]
    proof = Proof("monitors")
    for first in range(0, count, PART):
        part = min(PART, count - first)
        for kind in KINDS:
            name = f"{part} random histories from {first} on, {kind}, seed {seed}"
            proof.case(name, lambda kind=kind, first=first, part=part: judge(kind, first, part, seed))
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
