"""The session guarantees against their definitions (oracle_sessions.py), on random small histories."""

import random
from typing import NamedTuple

import pytest

from checkers.sessions import MonotonicReads, MonotonicWrites, ReadYourWrites, WritesFollowReads, verify_witness
from harness.checker import CheckContext
from tests.checkers import oracle_memory, oracle_sessions

CHECKERS = {one.name: one for one in (MonotonicReads, MonotonicWrites, ReadYourWrites, WritesFollowReads)}
KINDS = ("unique", "cas", "duplicates")
WAYS = [{"versions": "session"}, {"versions": "session", "one_order": True}, {"versions": "realtime"}]
IMPLIED = {"PRAM": ("monotonic-reads", "monotonic-writes", "read-your-writes"), "causal": ("writes-follow-reads",)}


class Compared(NamedTuple):
    differences: list[str]
    ops: int
    invalid: set[str]
    crashed: bool


def compare(history, kind, way):
    """What the checkers say differently from the oracle; what they call unknown must have had nothing to look at, or doubtful values."""
    differences, invalid = [], set()
    by_definition = {}
    for name, checker in CHECKERS.items():
        verdict = checker(**way).check(history, CheckContext(expected=name))
        right = oracle_sessions.keeps_guarantee(history, name, way.get("one_order", False), way["versions"] == "realtime")
        by_definition[name] = right
        invalid |= set() if right else {name}
        if verdict.valid == "unknown":
            idle = "nothing was observed" in verdict.reason and right
            if not idle and not (kind == "duplicates" and "not certain" in verdict.reason):
                differences.append(f"{name}: unknown ({verdict.reason})")
        elif verdict.valid is not right:
            differences.append(f"{name}: verdict {verdict.valid}, by definition {right}")
        for anomaly in verdict.anomalies:
            if anomaly.type != "garbage-read" and not verify_witness(history, anomaly):
                differences.append(f"{name}: no proof: {anomaly.message}")
    if way == WAYS[0] and kind == "unique":
        for model, names in IMPLIED.items():
            if oracle_memory.views(history, model == "causal"):
                differences += [f"{model} holds, {name} does not" for name in names if not by_definition[name]]
    calls = list(history.calls())
    return Compared(differences, len(calls), invalid, any(call.outcome == "info" for call in calls))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join(map(str, way.values())))
def test_random_histories_are_judged_as_the_definitions_say(kind, way):
    histories = [oracle_memory.random_history(random.Random(f"sessions {kind} {i}"), kind) for i in range(150)]
    compared = [compare(history, kind, way) for history in histories]
    for i, one in enumerate(compared):
        assert not one.differences, (kind, i, one.differences, [(op.index, op.process, op.type, op.f, op.value) for op in histories[i].ops])
    assert sum(bool(one.invalid) for one in compared) >= 0.3 * len(compared)
    assert sum(one.crashed for one in compared) >= 0.2 * len(compared)
    assert sum(one.ops for one in compared) >= 6 * len(compared)
