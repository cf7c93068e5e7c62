"""The monitors say of random small histories exactly what the definition of linearizability says; every witness is proved again."""

import random
from collections import Counter
from typing import NamedTuple

import pytest

from checkers.monitors import PriorityQueue, Queue, SetObject, Stack, verify_witness
from harness.checker import CheckContext
from tests.checkers.oracle_monitors import KINDS, WORDS, linearizable, random_history

CONTEXT = CheckContext(expected="linearizable")
CHECKERS = {"queue": Queue, "stack": Stack, "priority-queue": PriorityQueue, "set-object": SetObject}


class Compared(NamedTuple):
    """What was seen of one history."""

    differences: list[str]
    invalid: bool
    crashed: bool
    empty: bool
    looks: bool
    ops: int
    kinds: list[str]


def compare(history, kind, smallest=False):
    """The checker's verdict against the oracle's, and each anomaly against its own proof."""
    checker = CHECKERS[kind](first="smallest") if smallest else CHECKERS[kind]()
    verdict, truth = checker.check(history, CONTEXT), linearizable(history, kind, smallest)
    differences = []
    if verdict.valid == "unknown":
        if not truth or not verdict.reason.startswith("nobody observed"):
            differences.append(f"unknown: {verdict.reason}")
    elif verdict.valid is not truth:
        differences.append(f"{verdict.valid} instead of {truth}")
    for anomaly in verdict.anomalies:
        if not verify_witness(history, anomaly):
            differences.append(f"not proved: {anomaly.message}")
    done = [op for op in history.ops if op.type == "ok"]
    return Compared(
        differences,
        not truth,
        any(op.type == "info" for op in history.ops),
        any(op.value["value"] is None and op.f == WORDS[kind][1] for op in done),
        any(op.f == WORDS[kind][2] for op in done),
        sum(op.type == "invoke" for op in history.ops),
        [f"{anomaly.kind}, {anomaly.witness['rule']}" for anomaly in verdict.anomalies],
    )


@pytest.mark.parametrize("kind", KINDS)
def test_random_histories_get_the_verdict_of_the_definition(kind):
    seen, rules = Counter(), Counter()
    count = 1500
    for number in range(count):
        rng = random.Random(f"monitors {kind} {number}")
        smallest = kind == "priority-queue" and number % 4 == 0
        compared = compare(random_history(rng, kind, smallest), kind, smallest)
        assert not compared.differences, (kind, number, compared.differences)
        seen.update(invalid=compared.invalid, crashed=compared.crashed, empty=compared.empty, looks=compared.looks, ops=compared.ops)
        rules.update(compared.kinds)
    assert seen["invalid"] >= 0.3 * count and seen["crashed"] >= 0.2 * count and seen["ops"] >= 6 * count
    assert seen["looks"] >= 0.2 * count and (seen["empty"] >= 0.2 * count or kind == "set-object")
    wanted = {"fresh, nobody", "fresh, early", "repeat, after"}
    wanted |= (
        {"order, search", "lost, inside"} if kind == "set-object" else {"order, order", "empty, empty", "repeat, twice", "order, crowded"}
    )
    assert wanted <= rules.keys()
