"""Proof: of random small histories the serial checker says of each of its six models what acting them out in every order says.

    bench/prove_serial.py [HISTORIES] [SEED] [--again]      default 200000 1, each under all six models; part of it runs in every test

few, many, search   pairs of chains settled in plain Python, with numpy, or left to the search: in turn, 5,000 histories at a time. Every
                    order found is executed again, every witness proved again and, less one of its cycles, refused; and no model is said
                    to be ruled out that holds.
Rows in bench/figures/serial.jsonl; exit 0 if nothing differed.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from proof import Proof

from tests.checkers.oracle_serial import MODELS, random_history
from tests.checkers.test_serial_random import ROADS, compare

PART = 5_000


def road(name: str, start: int, count: int, seed: int) -> dict[str, Any]:
    """One road on its share of the histories."""
    seen, types, invalid, differing = Counter[str](), Counter[str](), Counter[str](), 0
    for number in range(start, start + count):
        compared = compare(random_history(random.Random(seed * 10**9 + number)), name)
        seen += Counter({"txns": compared.txns, "crashed": compared.crashed, "searched": compared.searched})
        invalid.update(model for model, holds in compared.verdicts.items() if not holds)
        types.update(compared.types)
        if compared.differences:
            differing += 1
            print(f"history {number}: {compared.differences}", flush=True)
    return {
        "passed": not differing,
        "histories": count,
        "differ": differing,
        "txns": round(seen["txns"] / count, 2),
        "crashed": round(seen["crashed"] / count, 3),
        "searched": round(seen["searched"] / count, 3),
        "invalid": {model: round(invalid[model] / count, 3) for model in MODELS},
        "types": dict(sorted(types.items())),
    }


def main() -> int:
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    count, seed = [*numbers, 200_000, 1][0], [*numbers[1:], 1][0]
    proof = Proof("serial")
    for place, start in enumerate(range(0, count, PART)):
        end = min(start + PART, count)
        name = list(ROADS)[place % len(ROADS)]
        proof.case(f"{name}, histories {start} to {end - 1}, seed {seed}", partial(road, name, start, end - start, seed))
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
