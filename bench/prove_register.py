"""Proof: the register checker says of random small histories exactly what the definition of linearizability says.

    bench/prove_register.py [HISTORIES] [SEED]      default 200000 1; part of it runs in every test

Kinds in turn: unique values, repeated ones, cas, cas whose failure observes, string appends. For each history: the same verdict, the
polynomial criterion and the search agree, and every witness is proved again by trying every order of the operations that it quotes.
Prints the distribution; figures go to the stored table; exit 0 if nothing differed.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.proof import Proof
from tests.checkers.oracle_linearizable import KINDS, random_history
from tests.checkers.test_linearizable_random import compare


def judge(kind: str, count: int, seed: int) -> dict[str, Any]:
    """Figures of one kind of history."""
    seen: Counter[str] = Counter()
    names: Counter[str] = Counter()
    for number in range(count):
        compared = compare(random_history(random.Random(f"{seed} {kind} {number}"), kind), kind)
        seen.update(ops=compared.ops, invalid=compared.invalid, crashed=compared.crashed, zones=compared.by_zones)
        names.update(compared.kinds)
        if compared.differences:
            seen["mismatches"] += 1
            print(f"{kind} {number}: {compared.differences}", flush=True)
    return {
        "passed": not seen["mismatches"] and seen["invalid"] >= 0.3 * count and seen["crashed"] >= 0.2 * count and seen["ops"] >= 6 * count,
        "histories": count,
        "mismatches": seen["mismatches"],
        "invalid": round(seen["invalid"] / count, 3),
        "crashed": round(seen["crashed"] / count, 3),
        "ops": round(seen["ops"] / count, 2),
        "keys_by_zones": seen["zones"],
        "kinds": dict(sorted(names.items())),
    }


def main() -> int:
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    count, seed = (numbers + [200_000, 1][len(numbers) :])[:2]
    proof = Proof("register")
    each = count // len(KINDS)
    for kind in KINDS:
        proof.case(f"{each} random histories, {kind}, seed {seed}", lambda kind=kind: judge(kind, each, seed))
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
