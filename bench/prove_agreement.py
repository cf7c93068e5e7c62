"""Checkers held against each other on random small histories: tests/checkers/agreement.py says which.

bench/prove_agreement.py [TIMES] [--again]      default 200000 histories a pair, in batches that are stored one by one
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from proof import TOP, Proof

sys.path.insert(0, str(TOP))

from tests.checkers.agreement import PAIRS, agree, implied

BATCH = 20_000


def main() -> int:
    times = next((int(word) for word in sys.argv[1:] if word.isdigit()), 200_000)
    wanted = [word for word in sys.argv[1:] if not word.isdigit() and not word.startswith("-")]
    proof = Proof("agreement")
    judges: dict[str, Callable[[bool, Sequence[int]], Counter[Any]]] = {name: partial(agree, pair) for name, pair in PAIRS.items()}
    judges["strong implies weak"] = implied
    for first in range(0, times, BATCH):
        for name, judge in judges.items():
            if wanted and not any(word in name for word in wanted):
                continue
            unique = first // BATCH % 2 == 0

            def run(first: int = first, judge: Callable[..., Counter[Any]] = judge, unique: bool = unique) -> dict[str, Any]:
                seeds = range(1_000_000 + first, 1_000_000 + min(first + BATCH, times))
                try:
                    kinds = judge(unique, seeds)
                except AssertionError as error:
                    return {"passed": False, "histories": len(seeds), "why": str(error)[:600]}
                return {"passed": True, "histories": len(seeds), **{str(kind): count for kind, count in sorted(kinds.items(), key=str)}}

            proof.case(f"{name}, {'unique values' if unique else 'values again'}, from {first}", run)
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
