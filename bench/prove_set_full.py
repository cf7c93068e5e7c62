"""Proof: the set-full checker says of random small histories exactly what its definitions say.

    bench/prove_set_full.py [HISTORIES] [SEED]      default 200000 1; part of it runs in every test

For each history: the same findings about the same elements and the same verdict, under linearizable and under a weaker model; every
witness proved again by verify_witness; and against a search that knows no rule, what is found has no order, and without removes what has no
order is found. Prints the distribution; exit 0 if nothing differed.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.checkers.oracle_set_full import random_history
from tests.checkers.test_set_full_random import compare


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    start, seen, types, differing = time.monotonic(), Counter(), Counter(), []
    for number in range(count):
        history, context = random_history(random.Random(seed * 10**9 + number))
        compared = compare(history, context)
        seen += Counter({"ops": compared.calls, "crashed": compared.crashed, str(compared.verdict): 1})
        types.update(compared.types)
        if compared.differences:
            differing.append((number, compared.differences))
            print(f"history {number}: {compared.differences}", flush=True)
    seconds = time.monotonic() - start
    print(
        f"{count} histories, seed {seed}: {len(differing)} differ; {seen['False'] / count:.1%} invalid, {seen['True'] / count:.1%} valid, "
        f"{seen['crashed'] / count:.1%} with crashed ops, {seen['ops'] / count:.1f} ops on average; {seconds:.0f} s"
    )
    print("; ".join(f"{type_} {number}" for type_, number in sorted(types.items())))
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
