"""Proof: the checker of general models says of random small histories exactly what the definitions say.

    bench/prove_objects.py [HISTORIES] [SEED]      default 204000 1, shared out among the models; part of it runs in every test

Models in turn (some of them with settings). For each history: the same verdict as a search over all orders by a definition of its own,
every witness proved again by its own verifier. Prints the distribution; figures go to the stored table; exit 0 if nothing differed.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.proof import Proof
from tests.checkers.oracle_objects import THINGS, random_history
from tests.checkers.test_objects_random import compare


def judge(name: str, count: int, seed: int) -> dict[str, Any]:
    """Figures of one model."""
    seen: Counter[str] = Counter()
    for number in range(count):
        compared = compare(random_history(random.Random(f"{seed} {name} {number}"), name), name)
        seen.update(ops=compared.ops, invalid=compared.invalid, crashed=compared.crashed, unobserved=compared.unobserved)
        seen["quoted"] += compared.quoted
        if compared.differences:
            seen["mismatches"] += 1
            print(f"{name} {number}: {compared.differences}", flush=True)
    return {
        "passed": not seen["mismatches"] and seen["invalid"] >= 0.3 * count and seen["crashed"] >= 0.2 * count and seen["ops"] >= 6 * count,
        "histories": count,
        "mismatches": seen["mismatches"],
        **{figure: round(seen[figure] / count, 3) for figure in ("invalid", "crashed", "unobserved")},
        "ops": round(seen["ops"] / count, 2),
        "quoted": round(seen["quoted"] / max(seen["invalid"], 1), 2),
    }


def main() -> int:
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    count, seed = (numbers + [204_000, 1][len(numbers) :])[:2]
    each = count // len(THINGS)
    proof = Proof("objects")
    for name in THINGS:
        proof.case(f"{each} random histories, {name}, seed {seed}", lambda name=name: judge(name, each, seed))
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
