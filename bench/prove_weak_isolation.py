"""Proof: the weak-isolation checker says of random small histories what the definitions say, and its fast road what its exact road says.

    bench/prove_weak_isolation.py [HISTORIES] [SEED] [--again]      default 200000 1; part of it runs in every test

definitions  each of read committed, read atomic and causal, with session order and (every fourth) without, against a search over commit
             orders; the verdict under each level; every witness proved again; (every fourth) no shorter cycle than the one told.
roads        of a fifth as many the same verdict, counts and types by compiled arrays from Plume's text, causes by clocks and (every fourth)
             by passes.
A row each in bench/figures/weak_isolation.jsonl; exit 0 if nothing differed.
"""

from __future__ import annotations

import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from proof import Proof

from checkers.weak_isolation import swift
from tests.checkers import oracle_weak_isolation as oracle
from tests.checkers.test_weak_isolation_random import compare, difference_of_roads, drawn


def definitions(count: int, seed: int) -> dict[str, Any]:
    """The checker against its oracle."""
    seen, types, differing = Counter[str](), Counter[str](), 0
    for number in range(count):
        compared = compare(*drawn(seed * 10**9 + number), thorough=number % 4 == 0)
        seen += Counter({"txns": compared.txns, "crashed": compared.crashed, "unclear": compared.unclear})
        seen.update(compared.broken)
        types.update(compared.types)
        if compared.differences:
            differing += 1
            print(f"history {number}: {compared.differences}", flush=True)
    broken = {f"invalid_{level}": f"{seen[level] / count:.1%}" for level in oracle.LEVELS}
    figures = {"with_crashed": f"{seen['crashed'] / count:.1%}", "unclear": f"{seen['unclear'] / count:.1%}", **broken}
    return _row(count, differing, {**figures, "txns": round(seen["txns"] / count, 1)}, types)


def roads(count: int, seed: int) -> dict[str, Any]:
    """The two roads against each other."""
    types, differing, clocks = Counter[str](), 0, swift.CLOCKS
    for number in range(count):
        swift.CLOCKS = clocks if number % 4 else 0
        difference, found = difference_of_roads(seed * 10**9 + number)
        types.update(found)
        if difference:
            differing += 1
            print(f"history {number}: {difference}", flush=True)
    return _row(count, differing, {}, types)


def _row(count: int, differing: int, figures: dict[str, Any], types: Counter[str]) -> dict[str, Any]:
    return {"passed": not differing, "histories": count, "differ": differing, **figures, "types": dict(sorted(types.items()))}


def main() -> int:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    count, seed = [*numbers, *(200_000, 1)[len(numbers) :]]
    proof = Proof("weak_isolation")
    for case, share in ((definitions, 1), (roads, 5)):
        proof.case(f"{case.__name__}, {count // share} histories, seed {seed}", partial(case, count // share, seed))
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
