"""Measured staleness: small histories by hand, and random ones against every order of the writes (oracle_staleness.py)."""

import random

import msgspec
import pytest

from checkers.linearizable.operations import by_key
from checkers.staleness import Staleness, measured, verify_witness
from harness.checker import CheckContext
from harness.errors import UsageError
from harness.history.history import History
from harness.op import Op
from tests.checkers import oracle_memory, oracle_staleness


def history(text, step=1000):
    """Lines: process type f value."""
    ops = []
    for line in text.strip().splitlines():
        process, type_, f, value = line.split(maxsplit=3)
        ops.append(Op(len(ops), len(ops) * step, int(process), type_, f, msgspec.json.decode(value), node=f"n{int(process) % 2}"))
    return History(ops)


def check(history, **options):
    return Staleness(**options).check(history, CheckContext())


TWO_BEHIND = """
0 invoke write 1
0 ok write 1
0 invoke write 2
0 ok write 2
0 invoke write 3
0 ok write 3
1 invoke read null
1 ok read 1
"""


def test_versions_and_seconds_behind_are_counted_from_acknowledgements():
    verdict = check(history(TWO_BEHIND, step=1_000_000_000))
    assert verdict.valid is True and "measured only" in verdict.reason
    assert verdict.facts["worst"] == [{"op": 6, "key": None, "value": 1, "versions": [2, 2], "seconds": [3.0, 3.0]}]  # #3 to #6
    assert verdict.facts["versions"]["least"]["1"] == 2 and verdict.facts["nodes"]["n1"]["reads"] == 1


@pytest.mark.parametrize(
    ("options", "valid"),
    [({"max_versions": 1}, False), ({"max_versions": 2}, True), ({"max_seconds": 2.5}, False), ({"max_seconds": 3}, True)],
)
def test_bounds(options, valid):
    recorded = history(TWO_BEHIND, step=1_000_000_000)
    verdict = check(recorded, **options)
    assert verdict.valid is valid
    assert verdict.counts == ({} if valid else {"too-stale": 1})
    for anomaly in verdict.anomalies:
        assert verify_witness(recorded, anomaly) and anomaly.ops == [0, 1, 6, 7]
        assert "at least 2 newer versions had been acknowledged, the first 3.000 s before it began" in anomaly.message


def test_overlapping_writes_leave_a_bound_open():
    recorded = history("0 invoke write 1\n1 invoke write 2\n0 ok write 1\n1 ok write 2\n2 invoke read null\n2 ok read 1")
    assert check(recorded).facts["worst"][0]["versions"] == [0, 1]
    verdict = check(recorded, max_versions=0)
    assert verdict.valid == "unknown" and "1 reads may be beyond the bound" in verdict.reason
    assert check(recorded, max_versions=1).valid is True


def test_what_cannot_be_measured():
    assert check(history("0 invoke write 1\n0 ok write 1")).valid == "unknown"
    twice = history(
        "0 invoke write 1\n0 ok write 1\n0 invoke write 1\n0 ok write 1\n0 invoke read null\n0 ok read 1\n1 invoke read null\n1 ok read 1"
    )
    assert check(twice, max_versions=0).valid == "unknown"
    again = check(history("0 invoke write null\n0 ok write null\n1 invoke read null\n1 ok read null"))
    assert again.valid == "unknown" and again.facts["unsure"] == 1  # the null of the start, or the one that was written
    garbage = check(history("0 invoke write 1\n0 ok write 1\n0 invoke read null\n0 ok read 7"))
    assert garbage.valid is False and garbage.counts == {"garbage-read": 1}
    early = check(history("0 invoke read null\n0 ok read 7\n1 invoke write 7\n1 ok write 7"), max_versions=0)
    assert early.valid is False and early.counts == {"garbage-read": 1}
    untimed = check(history(TWO_BEHIND, step=0), max_seconds=1)
    assert untimed.valid == "unknown" and "no times" in untimed.reason
    with pytest.raises(UsageError, match="max_versions is -1"):
        Staleness(max_versions=-1)


def test_a_witness_that_is_not_true_is_refused():
    recorded = history(TWO_BEHIND, step=1_000_000_000)
    (anomaly,) = check(recorded, max_versions=1).anomalies
    for wrong in ({"versions": [1, 2]}, {"value": 2}, {"op": 0}, {"max_versions": 2}):
        assert not verify_witness(recorded, msgspec.structs.replace(anomaly, witness={**anomaly.witness, **wrong}))


def compare(recorded, bound):
    """What the checker measures differently from the definition."""
    expected = oracle_staleness.figures(recorded)
    found = measured(by_key(recorded, "auto", "nothing", "cas-register"), None, [op.time for op in recorded.ops])
    told = {one.read.call: (*one.versions, *one.nanoseconds) for one in found.behind}
    told |= {op.call: "unsure" for op in found.unsure} | {op.call: "garbage" for _, op in found.garbage}
    differences = [] if told == expected else [f"{told}, by definition {expected}"]
    verdict = check(recorded, max_versions=bound)
    sure = [row for row in expected.values() if isinstance(row, tuple)]
    right = not ("garbage" in expected.values() or any(row[0] > bound for row in sure))
    if right and (not sure or "unsure" in expected.values() or any(row[1] > bound for row in sure)):
        right = "unknown"
    if verdict.valid != right:
        differences.append(f"verdict {verdict.valid}, by definition {right}")
    differences += [f"no proof: {a.message}" for a in verdict.anomalies if a.type != "garbage-read" and not verify_witness(recorded, a)]
    return differences, right is False


@pytest.mark.parametrize("kind", ["unique", "cas", "duplicates"])
def test_random_histories_are_measured_as_the_definition_says(kind):
    invalid = crashed = ops = 0
    for i in range(400):
        recorded = oracle_memory.random_history(random.Random(f"staleness {kind} {i}"), kind)
        differences, wrong = compare(recorded, i % 2)
        assert not differences, (kind, i, differences)
        calls = list(recorded.calls())
        invalid, crashed, ops = invalid + wrong, crashed + any(c.outcome == "info" for c in calls), ops + len(calls)
    assert invalid >= 0.3 * 400 and crashed >= 0.2 * 400 and ops >= 6 * 400


def test_one_version_is_said_as_one():
    from harness.checker import CheckContext
    from harness.history.history import History
    from harness.op import Op

    lines = [(0, "write", 1, 1), (0, "write", 2, 2), (1, "read", None, 1)]
    ops = [
        Op(2 * i + at, i, p, type_, f, v)
        for i, (p, f, *vs) in enumerate(lines)
        for at, (type_, v) in enumerate(zip(("invoke", "ok"), vs, strict=True))
    ]
    (anomaly,) = Staleness(max_versions=0).check(History(ops), CheckContext()).anomalies
    assert "at least 1 newer version had been acknowledged" in anomaly.message
