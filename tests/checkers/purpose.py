"""One suite for all purpose-made checkers: random small histories, the checker, its definition, and every witness proved again.

A case gives a random history, what the definition says of it, and the checker; the proof in bench/ tries many of the same.
"""

import importlib
import random
from collections import Counter
from typing import NamedTuple

CASES = (
    "counter", "bank", "unique_ids", "total_queue", "predicate_g2", "causal_reverse", "long_fork", "causal", "monotonic", "replicas",
    "watch", "log",
)  # fmt: skip


class Compared(NamedTuple):
    """A history, judged twice."""

    calls: int
    crashed: int
    valid: object
    types: Counter
    differences: list


def case(name):
    """tests/checkers/oracle_NAME.py: random_history(rng) -> (history, context, options), expected(history, context, options) -> (valid,
    {type: count}), the count None where the definition says only that there are some."""
    return importlib.import_module(f"tests.checkers.oracle_{name}")


def compare(name, seed):
    """Judge one history by the checker and by its definition."""
    of = case(name)
    checker_module = importlib.import_module(f"checkers.{name}")
    history, context, options = of.random_history(random.Random(seed))
    verdict = of.CHECKER(**options).check(history, context)
    valid, counts = of.expected(history, context, options)
    differences = []
    same = verdict.counts.keys() == counts.keys() and all(count in (None, verdict.counts[type_]) for type_, count in counts.items())
    if verdict.valid != valid or not same:
        differences.append(f"checker {verdict.valid} {verdict.counts}, definition {valid} {counts}: {verdict.reason}")
    differences += [f"witness: {a}" for a in verdict.anomalies if not checker_module.verify_witness(history, a)]
    calls = list(history.calls())
    crashed = sum(call.outcome == "info" for call in calls)
    return Compared(len(calls), crashed, verdict.valid, Counter(verdict.counts), differences)


def distribution(name, seeds):
    """Counter of a number of histories: "invalid", "crashed" (with crashed ops), "ops" (in all), "n"; and all differences."""
    seen, types, differences = Counter(), Counter(), []
    for seed in seeds:
        compared = compare(name, seed)
        seen.update(
            n=1, invalid=compared.valid is False, unknown=compared.valid == "unknown", crashed=compared.crashed > 0, ops=compared.calls
        )
        types.update(dict.fromkeys(compared.types, 1))
        differences += [f"seed {seed}: {difference}" for difference in compared.differences]
    return seen, types, differences
