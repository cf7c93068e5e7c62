"""Proof: each purpose-made checker says of random small histories exactly what its definition says.

    bench/prove_purpose.py [HISTORIES] [NAME ...] [--again]      default 200000, all of them; part of it runs in every test

For each history: the same verdict and the same number of each anomaly, under models drawn with it, and every witness proved again by the
checker's verify_witness. A row a checker in bench/figures/purpose.jsonl; exit 0 if nothing differed.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from proof import Proof

from tests.checkers.purpose import CASES, distribution


def tried(name: str, count: int) -> dict[str, Any]:
    """Figures of a checker's histories."""
    seen, types, differences = distribution(name, range(10**9, 10**9 + count))
    for difference in differences[:5]:
        print(f"    {difference}")
    return {
        "passed": not differences and seen["n"] == count,
        "histories": count,
        "differ": len(differences),
        "invalid": f"{seen['invalid'] / count:.1%}",
        "unknown": f"{seen['unknown'] / count:.1%}",
        "with_crashed": f"{seen['crashed'] / count:.1%}",
        "ops": round(seen["ops"] / count, 1),
        "types": dict(sorted(types.items())),
    }


def main() -> int:
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    count = int(words.pop(0)) if words and words[0].isdigit() else 200_000
    proof = Proof("purpose")
    for name in words or CASES:
        proof.case(name, partial(tried, name, count))
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
