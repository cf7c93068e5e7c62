"""Proof: the list-append checker says of random small histories exactly what its definitions say, and by arrays the same, word for word.

    bench/prove_list_append.py [HISTORIES] [CASE] [SEED] [--again]   default 200000, both, 1; part of it runs in every test

definitions  the same phenomena in the same number, the same types of cycles in each component with the same shortest length, every witness
             proved again by verify_witness.
arrays       the same verdict by arrays, made from ops and (every fourth) from the bytes of a file, as by the exact rules; half of these
             histories are spoiled in ways that the generator does not know, a third of them has up to 120 transactions.
A row each in bench/figures/list_append.jsonl; exit 0 if nothing differed.
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

import checkers.list_append.selected
from checkers.list_append.checker import judge
from checkers.transactions.txns import read_txns
from tests.checkers.histories_list_append import valid_history
from tests.checkers.oracle_list_append import random_history
from tests.checkers.test_list_append_random import compare
from tests.checkers.test_list_append_swift import by_file, difference, unusual


def definitions(count: int, seed: int) -> dict[str, Any]:
    """The checker against its oracle."""
    seen, types, differing = Counter[str](), Counter[str](), 0
    for number in range(count):
        compared = compare(random_history(random.Random(seed * 10**9 + number)))
        seen += Counter({"txns": compared.txns, "invalid": compared.invalid, "crashed": compared.crashed})
        types.update(compared.types)
        if compared.differences:
            differing += 1
            print(f"history {number}: {compared.differences}", flush=True)
    return _figures(count, differing, seen, types)


def arrays(count: int, seed: int) -> dict[str, Any]:
    """The two roads against each other."""
    checkers.list_append.selected.SHARE = 1.0  # however much of a small history matters
    seen, types, differing = Counter[str](), Counter[str](), 0
    for number in range(count):
        rng = random.Random(seed * 10**9 + number)
        if number % 3:
            history = random_history(rng)
        else:
            size, stale = rng.choice([rng.randint(1, 30), rng.randint(1, 120)]), rng.choice([0, 0.05, 0.2, 0.5])
            history = valid_history(size, number, rng.randint(2, 6), rng.randint(1, 4), rng.choice([3, 24]), stale)
        history = unusual(history, rng) if number % 2 else history
        txns = read_txns(history)
        verdict = judge(txns, "strict-serializable")
        if difference(history, verdict) is not None or (number % 4 == 0 and difference(by_file(history), verdict) is not None):
            differing += 1
            print(f"history {number} differs", flush=True)
        crashed = any(txn.outcome == "info" for txn in txns)
        seen += Counter({"txns": len(txns), "invalid": verdict.valid is False, "crashed": crashed})
        types.update(verdict.counts.keys())
    return _figures(count, differing, seen, types)


def _figures(count: int, differing: int, seen: Counter[str], types: Counter[str]) -> dict[str, Any]:
    return {
        "passed": not differing,
        "histories": count,
        "differ": differing,
        "invalid": f"{seen['invalid'] / count:.1%}",
        "with_crashed": f"{seen['crashed'] / count:.1%}",
        "txns": round(seen["txns"] / count, 1),
        "types": dict(sorted(types.items())),
    }


def main() -> int:
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    count = int(words.pop(0)) if words and words[0].isdigit() else 200_000
    seed = int(words.pop()) if words and words[-1].isdigit() else 1
    proof = Proof("list_append")
    for case in (definitions, arrays):
        if case.__name__ in (words or (definitions.__name__, arrays.__name__)):
            proof.case(f"{case.__name__}, {count} histories, seed {seed}", partial(case, count, seed))
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
