"""List-append on larger histories: anomalies planted in valid ones, hard ones of other tools, the same answer twice."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from checkers.list_append import ListAppend, verify_witness
from harness.checker import CheckContext
from harness.history.history import History
from harness.history.read import read_history
from tests.checkers.histories_list_append import valid_history
from tests.checkers.test_list_append import ONE_OF_EACH, dense

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"
LARGE = 1500


@pytest.fixture(scope="module")
def large():
    return valid_history(LARGE, seed=1)


def judge(history, consistency=""):
    verdict = ListAppend(consistency).check(history, CheckContext())
    again = ListAppend(consistency).check(History(list(history.ops)), CheckContext())
    assert msgspec.json.encode(verdict) == msgspec.json.encode(again)
    return verdict


def changed(history, change):
    """The history with the completions that `change` gives another value or type; it returns None to keep one."""
    ops = []
    for op in history.ops:
        new = change(op) if op.type != "invoke" else None
        ops.append(new or op)
    return History(ops)


def once(history, wanted, change):
    """`change` applied to the first completion past the middle that is `wanted`."""
    at = next(op.index for op in history.ops[len(history) // 2 :] if op.type == "ok" and wanted(op.value))
    return changed(history, lambda op: change(op) if op.index == at else None)


def rewrite_reads(op, edit):
    edited, done = [], False
    for f, k, v in op.value:
        if f == "r" and v and len(v) > 2 and not done:
            v, done = edit(v), True
        edited.append([f, k, v])
    return msgspec.structs.replace(op, value=edited)


def reads_alone(value):
    return len(value) == 1 and value[0][0] == "r" and len(value[0][2]) > 12  # older than any client that is still at work


def test_a_valid_history_is_valid(large):
    verdict = judge(large)
    assert (verdict.valid, verdict.counts, verdict.holds) == (True, {}, ["strict-serializable"])
    assert verdict.facts["fail"] > 20 and verdict.facts["info"] > 10


@pytest.mark.parametrize("type_", ONE_OF_EACH)
def test_each_anomaly_planted_in_a_valid_history_is_found_and_nothing_else(large, type_):
    planted = ONE_OF_EACH[type_]
    renamed = [
        msgspec.structs.replace(op, process=op.process + 10_000, value=[[f, f"planted {k}", v] for f, k, v in op.value])
        for op in planted.ops
    ]
    half = len(large) // 2
    recorded = dense([*large.ops[:half], *renamed, *large.ops[half:]])
    verdict = judge(recorded)
    alone = ListAppend().check(planted, CheckContext())
    assert verdict.counts == alone.counts and type_ in verdict.counts
    assert (verdict.valid, verdict.not_models, verdict.holds) == (False, alone.not_models, alone.holds)
    assert all(verify_witness(recorded, anomaly) for anomaly in verdict.anomalies[:3])


@pytest.mark.parametrize(
    ("edit", "types"),
    [
        (lambda read: [*read, read[0]], {"duplicate-elements"}),
        (lambda read: [*read[:-2], read[-1], read[-2]], {"incompatible-order"}),
        (lambda read: [*read, 10**6], {"garbage-read"}),
        (lambda read: read[1:], {"incompatible-order"}),
        (lambda read: [], {"G-single-item-realtime"}),
    ],
)
def test_one_read_that_was_altered_is_found(large, edit, types):
    recorded = once(large, reads_alone, lambda op: rewrite_reads(op, edit))
    verdict = judge(recorded)
    assert verdict.valid is False and types <= verdict.counts.keys()
    assert all(verify_witness(recorded, anomaly) for anomaly in verdict.anomalies[:2])


def test_a_failed_writer_that_was_read_is_an_aborted_read_and_a_dirty_update(large):
    mentioned = Counter((k, e) for op in large.ops if op.type == "ok" for f, k, v in op.value if f == "r" for e in v)
    recorded = once(large, lambda value: len(value) == 1 and value[0][0] == "append" and mentioned[tuple(value[0][1:])] > 3, _fail)
    verdict = judge(recorded)
    assert {"G1a", "dirty-update"} <= verdict.counts.keys() <= {"G1a", "dirty-update"}


def _fail(op):
    return msgspec.structs.replace(op, type="fail")


def test_five_percent_of_stale_transactions_are_judged_exactly_and_twice_the_same():
    recorded = valid_history(3000, seed=2, stale=0.05)
    verdict = judge(recorded)
    assert verdict.valid is False
    assert {"G-single-item", "G-single-item-realtime"} <= verdict.counts.keys()
    assert verdict.counts["G-single-item"] > 5 and max(Counter(anomaly.type for anomaly in verdict.anomalies).values()) <= 8
    for anomaly in verdict.anomalies:
        if len(anomaly.ops) <= 6:
            assert verify_witness(recorded, anomaly), anomaly.message


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the recorded histories of others are not beside this checkout")
class TestRecorded:
    """Two histories of Elle's. Its own answers: time-out, and G2-item-realtime only, for the first."""

    def test_the_huge_component(self):
        verdict = judge(read_history(CORPORA / "jepsen-io+elle" / "huge-scc.edn"))
        assert verdict.valid is False
        assert verdict.counts == {"G-single-item-realtime": 1}  # key 7 read as empty 5,000 ops after an acknowledged append
        assert verdict.not_models == ["strong-snapshot-isolation"]
        assert len(verdict.anomalies[0].witness["edges"]) == 2

    def test_the_example_of_the_paper(self):
        recorded = read_history(CORPORA / "jepsen-io+elle" / "paper-example.edn")
        verdict = judge(recorded)
        assert verdict.valid is False and verdict.counts == {"G-single-item": 1}
        kinds = [(edge["kind"], edge["key"], edge["value"]) for edge in verdict.anomalies[0].witness["edges"]]
        assert kinds == [("wr", 255, 8), ("ww", 256, 3), ("rw", 255, 8)]
        assert verify_witness(recorded, verdict.anomalies[0])
