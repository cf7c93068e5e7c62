"""Proof: the rw-register checker says of random small histories exactly what its definitions say.

    bench/prove_rw_register.py [HISTORIES] [SEED]      default 200000 1; part of it runs in every test

For each history, under a model and assumptions that are drawn: the same phenomena in the same number; no model is said to be ruled out, or
to hold, that is not, over all orders of all versions; unknown only where that is honest; every witness proved again. In parts of 5,000,
each a row of bench/figures/rw_register.jsonl.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from proof import Proof

from tests.checkers.oracle_rw_register import random_history
from tests.checkers.test_rw_register_random import compare

PART = 5_000


def part(first: int, count: int, seed: int) -> dict[str, Any]:
    """Compare so many histories."""
    seen: Counter[str] = Counter()
    types: Counter[str] = Counter()
    differing = 0
    for number in range(first, first + count):
        rng = random.Random(seed * 10**9 + number)
        compared = compare(random_history(rng), rng)
        seen.update({"txns": compared.txns, "invalid": compared.invalid, "crashed": compared.crashed})
        types.update(compared.types)
        if compared.differences:
            differing += 1
            print(f"history {number}: {compared.differences}", flush=True)
    return {
        "passed": not differing,
        "histories": count,
        "differ": differing,
        "invalid": round(seen["invalid"] / count, 3),
        "crashed": round(seen["crashed"] / count, 3),
        "txns": round(seen["txns"] / count, 2),
        "types": dict(sorted(types.items())),
    }


def main() -> int:
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    count, seed = (*numbers, 200_000, 1)[:2] if len(numbers) != 1 else (numbers[0], 1)
    proof = Proof("rw_register")
    for first in range(0, count, PART):
        size = min(PART, count - first)
        proof.case(f"seed {seed}, histories {first} to {first + size - 1}", lambda first=first, size=size: part(first, size, seed))
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
