"""Where every existing checker is wrong, incomplete or slow: one test a row, with the peer's answer and ours.

Numbers are the rows of the reference (checkers.md, section 8). Histories are judged as `check` judges them.
"""

import sys
from pathlib import Path

import pytest

from harness.case import Budget, Case, Question, known_models
from harness.checker import CheckContext
from harness.history.history import History
from harness.judge import judge_case, judge_path
from harness.op import Op
from tests.checkers.histories_linearizable import valid_history

TOP = Path(__file__).resolve().parents[2]
CORPORA = TOP.parent / "shared" / "corpora"
sys.path.append(str(TOP / "bench"))
from histories import write_txns  # noqa: E402


def judged(history, model, expected="", **question):
    meant = known_models()[model]
    case = Case("h", history, meant.checkers, CheckContext(expected=expected or meant.consistency))
    return judge_case(case, Question(budget=Budget(60), **question))


def concurrent(*txns):
    """(outcome, micro-ops) each, all invoked before the first returns; reads are asked with null."""
    ops = [Op(i, i, i, "invoke", "txn", [[f, k, None if f == "r" else v] for f, k, v in mops]) for i, (_, mops) in enumerate(txns)]
    return History(ops + [Op(len(ops) + i, 0, i, outcome, "txn", mops) for i, (outcome, mops) in enumerate(txns)])


def in_turn(*txns):
    """(process, micro-ops) each, ok, one after the other."""
    ops = []
    for process, mops in txns:
        ops.append(Op(len(ops), len(ops), process, "invoke", "txn", [[f, k, None if f == "r" else v] for f, k, v in mops]))
        ops.append(Op(len(ops), len(ops), process, "ok", "txn", mops))
    return History(ops)


def test_0_a_register_read_before_its_own_write():
    """Elle: valid, though it catches the like in lists."""
    results = judged(concurrent(("ok", [["r", 1, 1], ["w", 1, 1]])), "rw-register")
    assert results.valid is False and "future-read" in results.counts


def test_1_a_value_that_nobody_wrote():
    """Elle: valid (open since 2020)."""
    results = judged(concurrent(("ok", [["r", "x", 3]])), "rw-register")
    assert results.valid is False and "garbage-read" in results.counts


def test_2_an_element_that_nobody_appended():
    """Elle: an AssertionError."""
    results = judged(concurrent(("ok", [["r", 1, [9]]])), "list-append")
    assert results.valid is False and "garbage-read" in results.counts


def test_3_a_writer_of_unknown_outcome_that_was_seen():
    """Elle ignores it: unknown, an empty graph."""
    results = judged(concurrent(("info", [["w", 1, 1], ["w", 2, 1]]), ("ok", [["r", 1, 1], ["r", 2, None]])), "rw-register")
    assert results.valid is False and "G-single-item" in results.counts


def test_4_a_fractured_read_without_a_version_order():
    """Elle: valid under every option."""
    history = concurrent(("ok", [["w", 1, 1], ["w", 2, 1]]), ("ok", [["w", 1, 2], ["w", 2, 2]]), ("ok", [["r", 1, 2], ["r", 2, 1]]))
    results = judged(history, "rw-register")
    assert results.valid is False
    assert judged(history, "rw-register", "read-atomic").valid is False
    assert judged(history, "rw-register", "read-committed").valid is True


@pytest.mark.parametrize("size", [100, 300, 3000])
def test_5_linearizable_keys_of_a_strictly_serializable_history(tmp_path, size):
    """Elle: false cyclic-versions in half of the runs."""
    for seed in range(4):
        write_txns(tmp_path / "h.jsonl", "rw", size, clients=5, seed=seed)
        question = Question(as_model="rw-register", options={"linearizable_keys": True})
        results = judge_path(tmp_path / "h.jsonl", question)
        assert results.valid is True, (seed, results.counts, results.reason, results.error)


@pytest.mark.parametrize("rate", [0.01, 0.05])
def test_6_stale_reads_by_the_hundred(tmp_path, rate):
    """Elle: a time-out for each component, counts that differ between runs. Here: the same twice, each with its witness."""
    write_txns(tmp_path / "h.jsonl", "append", 10_000, anomaly="stale", rate=rate)
    first, again = (judge_path(tmp_path / "h.jsonl", Question()).to_json() for _ in range(2))
    assert first == again
    results = judge_path(tmp_path / "h.jsonl", Question())
    assert results.valid is False and results.counts.get("G-single-item", 0) > 0
    assert {anomaly.type for anomaly in results.anomalies} == set(results.counts)


@pytest.mark.skipif(not CORPORA.is_dir(), reason="no recorded histories here")
def test_6_a_component_of_twenty_thousand_operations():
    """Elle: its search times out, so it reports G2-item-realtime; a shorter cycle is there."""
    results = judge_path(CORPORA / "jepsen-io+elle" / "huge-scc.edn", Question())
    assert results.valid is False and set(results.counts) == {"G-single-item-realtime"}
    assert all(len(anomaly.ops) <= 6 for anomaly in results.anomalies)


def test_7_a_cycle_through_process_and_real_time():
    history = in_turn((1, [["r", "x", [1]], ["append", "y", 1]]), (2, [["r", "y", [1]]]), (2, [["append", "x", 1]]))
    assert {"G1c-process", "G1c-realtime"} & set(judged(history, "list-append").counts)
    assert judged(history, "list-append", "strong-session-serializable").valid is False


def test_8_null_and_the_empty_list_are_one():
    """Elle: a spurious internal anomaly."""
    history = concurrent(("ok", [["r", 1, None], ["r", 1, []]]), ("ok", [["append", 1, 1], ["r", 1, [1]]]))
    assert judged(history, "list-append").valid is True


def test_9_reads_of_own_writes_and_twice_from_one_writer():
    """dbcop: rejects both."""
    own = concurrent(("ok", [["w", "x", 4], ["r", "x", 4], ["w", "x", 5]]), ("ok", [["r", "x", 5], ["r", "x", 5]]))
    for expected in ("strict-serializable", "serializable", "snapshot-isolation", "causal-cerone", "read-atomic", "read-committed"):
        assert judged(own, "rw-register", expected).valid is True, expected


def test_10_an_element_whose_writer_has_no_known_outcome():
    """Plume: a false thin-air read."""
    assert judged(concurrent(("info", [["append", 1, 1]]), ("ok", [["r", 1, [1]]])), "list-append").valid is True
    assert judged(concurrent(("info", [["w", 1, 1]]), ("ok", [["r", 1, 1]])), "rw-register").valid is True


@pytest.mark.parametrize("expected", ["serializable", "snapshot-isolation"])
def test_11_hot_keys_without_a_version_order(tmp_path, expected):
    """PolySI: > 120 s; dbcop: > 60 s."""
    write_txns(tmp_path / "h.jsonl", "rw", 10_000)
    assert judge_path(tmp_path / "h.jsonl", Question(as_model="rw-register", consistency=expected)).valid is True


@pytest.mark.skipif(not CORPORA.is_dir(), reason="no recorded histories here")
@pytest.mark.parametrize("name", ["bad-analysis", "rethink-fail", "rethink-fail-minimal", "rethink-fail-smaller"])
def test_12_invalid_cas_registers(name):
    """Knossos' wgl: an index error. Here: a verdict and a window."""
    results = judge_path(CORPORA / f"ligurio+elle-cli/histories/knossos/cas-register/bad/{name}.edn", Question())
    assert results.valid is False and len(results.anomalies[0].witness["operations"]) <= 12


@pytest.mark.parametrize("clients", [20, 100])
def test_13_many_clients_on_unique_values(clients):
    """Porcupine: out of time at 20 clients."""
    history = valid_history(10_000, 1, clients=clients)
    assert judged(history, "register").valid is True
    spoilt = History([*history.ops, *_late_read(history)])
    assert judged(spoilt, "register").valid is False


def test_13_crashed_operations_and_a_violation_at_the_very_end():
    """Porcupine: unknown after 30 s."""
    history = valid_history(1000, 1, clients=5, kind="cas", crashed=40)
    assert judged(history, "cas-register").valid is True
    assert judged(History([*history.ops, *_late_read(history)]), "cas-register").valid is False


def _late_read(history):
    """After all: a process of its own writes 77, changes it to 78 by another write, and reads 77 all the same."""
    ops, start = [], len(history)
    for f, value in (("write", 77_777), ("write", 78_888), ("read", 77_777)):
        for type_ in ("invoke", "ok"):
            shown = None if (f, type_) == ("read", "invoke") else value
            key = {"key": "k0", "value": shown} if isinstance(history.ops[0].value, dict) else shown
            ops.append(Op(start + len(ops), 0, 10**6, type_, f, key))
    return ops


@pytest.mark.parametrize("failed_cas", ["nothing", "observes"])
def test_14_an_unread_crashed_write_may_be_why_a_cas_failed(failed_cas):
    """Those who leave unread crashed writes out: not linearizable, if a failed cas observes."""
    ops = [
        Op(0, 0, 0, "invoke", "write", 0), Op(1, 1, 0, "ok", "write", 0),
        Op(2, 2, 1, "invoke", "write", 7), Op(3, 3, 1, "info", "write", 7),
        Op(4, 4, 2, "invoke", "cas", [0, 1]), Op(5, 5, 2, "fail", "cas", [0, 1]),
    ]  # fmt: skip
    assert judged(History(ops), "cas-register", failed_cas=failed_cas).valid is True
    without = History([op for op in ops if op.process != 1])
    assert judged(without, "cas-register", failed_cas=failed_cas).valid is (failed_cas == "nothing")


def _set_history(read, fate="ok"):
    ops = [("invoke", "add", 1), (fate, "add", 1), ("invoke", "read", None), ("ok", "read", read)]
    return History([Op(i, i, 0, *op) for i, op in enumerate(ops)])


@pytest.mark.parametrize(
    ("read", "fate", "type_"), [([1, 2], "ok", "phantom-element"), ([1], "fail", "phantom-element"), ([1, 1], "ok", "duplicate-element")]
)
def test_15_sets_that_hold_what_they_must_not(read, fate, type_):
    """Jepsen: valid."""
    results = judged(_set_history(read, fate), "set-full")
    assert results.valid is False and type_ in results.counts
