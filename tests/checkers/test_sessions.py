"""The session guarantees: histories by hand, versions by revision, planted anomalies, witnesses that are not true."""

import msgspec
import pytest

from checkers.linearizable import LinearizableRegister
from checkers.sessions import MonotonicReads, MonotonicWrites, ReadYourWrites, Sessions, WritesFollowReads, verify_witness
from harness.checker import CheckContext
from harness.errors import UsageError
from harness.history.history import History
from harness.op import Op
from tests.checkers.test_sequential import history, lagging

CHECKERS = (MonotonicReads, MonotonicWrites, ReadYourWrites, WritesFollowReads)
SHORT = {"MR": "monotonic-reads", "MW": "monotonic-writes", "RYW": "read-your-writes", "WFR": "writes-follow-reads"}
BACKWARDS = "0 write x 1\n0 write x 2\n1 read x 2\n1 read x 1"


def broken(recorded, **options):
    """The guarantees that a history breaks, in short; each witness is proved again."""
    names = []
    for checker in CHECKERS:
        verdict = checker(**options).check(recorded, CheckContext())
        if verdict.valid is False:
            names += [short for short, name in SHORT.items() if name == checker.name]
            assert all(verify_witness(recorded, anomaly) for anomaly in verdict.anomalies)
            assert set(verdict.counts) == {checker.name} and checker.name in verdict.not_models
    return names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 write x 1\n1 write x 2\n1 read x 1", []),  # 1 may be the newer version
        ("0 write x 1\n1 write x 2\n2 read x 1\n2 read x 2\n2 read x 1", ["MR"]),
        ("0 write x 1\n1 read x 1\n1 read x null", ["MR"]),
        (BACKWARDS, ["MR", "MW"]),  # from outside both look alike
        ("0 write x 1\n0 read x null", ["RYW"]),
        ("0 write x 1\n0 write x 2\n0 read x 1", ["RYW"]),
        ("0 write x 1\n0 read y null", []),
        ("0 write x 1 info\n0 read x null", []),  # it may act later
        ("0 write x 1\n1 read x 1\n1 write x 2\n2 read x 2\n2 read x 1", ["WFR"]),
        ("0 write x 1\n1 cas x [1,2]\n2 read x 2\n2 read x 1", ["WFR"]),
        ("0 read x 2\n0 write x 1\n1 read x 1\n1 write x 2", ["WFR"]),  # each write follows the other
        # what was read before the last read counts too, also where the reader itself went back
        ("1 write x 2\n0 read x 2\n0 read x null\n0 write x 5\n2 read x 5\n2 read x 2", ["MR", "WFR"]),
        ("0 write x 1\n1 write x 2\n2 read x 1\n2 read x 2\n3 read x 2\n3 read x 1", []),  # each reader has an order of its own
    ],
)
def test_by_hand(text, expected):
    assert broken(history(text)) == expected


def test_one_order_for_all_and_real_time():
    fork = history("0 write x 1\n1 write x 2\n2 read x 1\n2 read x 2\n3 read x 2\n3 read x 1")
    assert broken(fork, one_order=True) == ["MR"]
    stale = history("0 write x 1\n1 write x 2\n2 read x 2\n2 read x 1\n1 read x 1")
    assert broken(stale) == [] and broken(stale, versions="realtime") == ["MR", "RYW"]


def revised(*lines):
    """Lines: (process, f, value, revision or None)."""
    ops = []
    for process, f, value, revision in lines:
        for type_, shown, ext in (("invoke", None if f == "read" else value, None), ("ok", value, revision and {"revision": revision})):
            ops.append(Op(len(ops), len(ops), process, type_, f, {"key": "x", "value": shown}, ext=ext))
    return History(ops)


def test_versions_that_the_target_gives():
    backwards = revised((0, "write", 1, 5), (1, "write", 2, 6), (2, "read", 2, 6), (2, "read", 1, 5), (1, "read", 1, 5))
    assert broken(backwards) == [] and broken(backwards, versions="ext") == ["MR", "RYW"]
    twice = revised((0, "write", 1, 5), (0, "write", 1, 7), (1, "read", 1, 7), (1, "read", 1, 5))  # one value, two versions
    assert MonotonicReads().check(twice, CheckContext()).valid == "unknown" and broken(twice, versions="ext") == ["MR"]
    turned = revised((0, "write", 1, 9), (0, "write", 2, 5), (1, "read", 2, 5), (1, "read", 1, 9))
    assert broken(turned, versions="ext") == ["MW"]
    older = revised((0, "write", 1, 9), (0, "write", 2, 5), (0, "read", 3, 7), (1, "write", 3, 7))
    assert broken(older, versions="ext") == ["MW", "RYW"]  # the newest of its own writes counts
    follows = revised((0, "write", 1, 9), (1, "read", 1, 9), (1, "write", 2, 5), (2, "read", 2, 5), (2, "read", 1, 9))
    assert broken(follows, versions="ext") == ["WFR"]


def test_unknown_and_garbage():
    idle = MonotonicReads().check(history("0 write x 1\n1 read x 1"), CheckContext())
    assert idle.valid == "unknown" and "nothing was observed" in idle.reason
    unsure = MonotonicReads().check(history("0 write x 1\n1 write x 1\n2 read x 1\n2 read x 1"), CheckContext())
    assert unsure.valid == "unknown" and "not certain" in unsure.reason
    linear = Sessions().check(history("0 write x 1\n1 write x 1\n2 read x 1\n2 read x 1"), CheckContext())
    assert linear.valid is True and linear.holds == ["linearizable"]
    garbage = MonotonicReads().check(history("0 write x 1\n2 read x 7\n2 read x 1"), CheckContext())
    assert garbage.valid is False and garbage.counts == {"garbage-read": 1}
    with pytest.raises(UsageError, match="not ordered by 'clock'"):
        Sessions(versions="clock")


def test_all_together_name_what_is_broken_and_what_holds():
    verdict = Sessions().check(history(BACKWARDS), CheckContext())
    assert list(verdict.counts) == ["monotonic-reads", "monotonic-writes"] and verdict.not_models == ["monotonic-reads", "monotonic-writes"]
    assert "both look alike" in verdict.anomalies[0].message
    good = history("0 write x 1\n0 write x 2\n0 read x 2\n0 write x 3\n1 read x 2\n1 read x 3")
    whole = Sessions().check(good, CheckContext())
    assert whole.valid is True and whole.holds == ["causal"] and whole.facts["pairs"]["writes-follow-reads"] == 1
    alone = Sessions().check(history(BACKWARDS), CheckContext(expected="read-your-writes"))
    assert alone.valid == "unknown" and not alone.counts
    follows = history("0 write x 1\n1 read x 1\n1 write x 2\n2 read x 2\n2 read x 1\n2 write y 1\n2 write y 2\n2 read y 2")
    assert list(Sessions().check(follows, CheckContext()).counts) == ["writes-follow-reads"]
    assert Sessions().check(follows, CheckContext(expected="PRAM")).valid is True
    assert list(Sessions().check(follows, CheckContext(expected="causal")).counts) == ["writes-follow-reads", "noncausal"]
    assert "--as register" in Sessions().check(good, CheckContext(expected="sequential")).reason


def test_by_way_of_the_register_checker_with_its_options():
    stale = history("0 write x 1\n1 write x 2\n2 read x 2\n2 read x 1")
    context = CheckContext(expected="monotonic-reads")
    assert LinearizableRegister().check(stale, context).valid is True
    assert LinearizableRegister(versions="realtime").check(stale, context).valid is False
    with pytest.raises(UsageError, match="not ordered by 'clock'"):
        LinearizableRegister(versions="clock")


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (["8 write k0 -1", "8 write k0 -2", "9 read k0 -2", "9 read k0 -1"], ["MR", "MW"]),
        (["8 write k0 -1", "8 write k0 -2", "8 read k0 -1"], ["RYW"]),
        (["8 write k0 -1", "9 read k0 -1", "9 write k0 -2", "10 read k0 -2", "10 read k0 -1"], ["WFR"]),
        (["8 write k0 -1", "9 write k0 -2", "10 read k0 -1", "10 read k0 -2", "10 read k0 -1"], ["MR"]),
        ([], []),
    ],
)
def test_planted_anomalies_are_found_in_larger_histories(added, expected):
    lines = lagging(1000, 2)
    assert broken(history("\n".join(lines[:500] + added + lines[500:]))) == expected


def test_a_witness_that_is_not_true_is_refused():
    recorded = history(BACKWARDS)
    (anomaly,) = MonotonicReads().check(recorded, CheckContext()).anomalies
    circle = anomaly.witness["circle"]

    def changed(edges, type_="monotonic-reads", **more):
        return msgspec.structs.replace(anomaly, type=type_, witness={**anomaly.witness, "circle": edges, **more})

    assert verify_witness(recorded, changed(circle)) and verify_witness(recorded, changed(circle, "monotonic-writes"))
    assert not verify_witness(recorded, changed([]))
    assert not verify_witness(recorded, changed(circle[:1]))
    assert not verify_witness(recorded, changed(circle, "read-your-writes"))
    for i, edge in enumerate(circle):
        for wrong in ({"older": {"value": 9}}, {"ops": edge["ops"][::-1]}, {"ops": [0, 99]}, {"rule": "follows"}):
            assert not verify_witness(recorded, changed([*circle[:i], {**edge, **wrong}, *circle[i + 1 :]])), (edge, wrong)
