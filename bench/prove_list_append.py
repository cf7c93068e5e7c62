"""Proof: the list-append checker says of random small histories exactly what its definitions say.

    bench/prove_list_append.py [HISTORIES] [SEED]      default 200000 1; part of it runs in every test

For each history: the same phenomena in the same number, the same types of cycles in each component with the same shortest length, every
witness proved again by verify_witness. Prints the distribution; exit 0 if nothing differed.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.checkers.oracle_list_append import random_history
from tests.checkers.test_list_append_random import compare


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    start, seen, types, differing = time.monotonic(), Counter(), Counter(), []
    for number in range(count):
        history = random_history(random.Random(seed * 10**9 + number))
        compared = compare(history)
        seen += Counter({"txns": compared.txns, "invalid": compared.invalid, "crashed": compared.crashed})
        types.update(compared.types)
        if compared.differences:
            differing.append((number, compared.differences))
            print(f"history {number}: {compared.differences}", flush=True)
    seconds = time.monotonic() - start
    print(
        f"{count} histories, seed {seed}: {len(differing)} differ; {seen['invalid'] / count:.1%} invalid, {seen['crashed'] / count:.1%} "
        f"with crashed transactions, {seen['txns'] / count:.1f} transactions on average; {seconds:.0f} s"
    )
    print("; ".join(f"{type_} {number}" for type_, number in sorted(types.items())))
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
