"""The weak levels: recorded histories, the rows of other checkers' mistakes, anomalies planted in valid histories, what is unknown."""

from pathlib import Path

import pytest

from checkers.list_append import ListAppend
from checkers.shrink.transactions import of_registers
from checkers.transactions.txns import read_register_txns
from checkers.weak_isolation import WeakIsolation, verify_witness
from checkers.weak_isolation.graph import Order
from checkers.weak_isolation.levels import Level, judge
from checkers.weak_isolation.reading import Reading
from checkers.weak_isolation.swift import compile_all
from harness.case import known_models
from harness.checker import CheckContext
from harness.history.formats import plume
from harness.history.history import History
from harness.history.read import read_history
from harness.history.session_columns import read_plume
from harness.history.sessions import SessionTxn, history_of
from harness.op import Op
from tests.checkers.histories_sessions import LEVEL, PLANTS, as_history, as_plume, plant, valid

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"
ORDER = ("read-committed", "read-atomic", "causal")
recorded = pytest.mark.skipif(not CORPORA.is_dir(), reason="the recorded histories are not beside this checkout")


def check(history, expected="causal"):
    verdict = WeakIsolation().check(history, CheckContext(expected=expected))
    assert all(verify_witness(history, anomaly) for anomaly in verdict.anomalies)
    return verdict


def sessions(*txns, first=False):
    """A history from (session, [micro-ops]); a third member is the outcome."""
    return history_of([SessionTxn(txn[0], txn[2] if len(txn) > 2 else "ok", txn[1]) for txn in txns], first)


KEPT = {
    "lassemoldrup+AWDIT/tests/causal/generated/l100e1000sqrt.txt": ["causal"],
    "lassemoldrup+AWDIT/tests/none/hb-cycle.txt": [],
    "lassemoldrup+AWDIT/tests/read-atomic/biswas-enea.txt": ["read-atomic"],
    "lassemoldrup+AWDIT/tests/read-atomic/test-ra.txt": ["read-atomic"],
    "lassemoldrup+AWDIT/tests/read-committed/generated/l4e10sqrt.txt": ["read-committed"],
    "lassemoldrup+AWDIT/tests/read-committed/non-repeatable-read.txt": ["read-committed"],
    "hengxin+IsoVista/bugs/yugabyte_tcc.txt": ["read-committed"],
    "hengxin+IsoVista/bugs/dgraph_si.txt": ["read-atomic"],
    "hengxin+IsoVista/bugs/pg_ser_bug.txt": ["causal"],
    "DBCobra+CobraLogs/ser-violation/cock-G2": ["causal"],
    "DBCobra+CobraLogs/one-shot-10k/rubis-10000": ["causal"],
}


@recorded
@pytest.mark.parametrize(("path", "kept"), KEPT.items())
def test_the_strongest_level_that_a_recorded_history_keeps(path, kept):
    history = read_history(CORPORA / path)
    assert history.by_sessions
    for level in ORDER:
        verdict = check(history, level)
        assert verdict.holds == kept
        assert verdict.valid is (bool(kept) and ORDER.index(level) <= ORDER.index(kept[0]))


def test_row_4_half_of_another_transaction_is_seen():
    ops = []
    for process, value in ((0, 1), (1, 2)):
        ops.append(Op(len(ops), 0, process, "invoke", "txn", [["w", 1, value], ["w", 2, value]]))
    ops += [Op(2 + process, 0, process, "ok", "txn", ops[process].value) for process in (0, 1)]
    ops.append(Op(4, 0, 0, "invoke", "txn", [["r", 1, None], ["r", 2, None]]))
    ops.append(Op(5, 0, 0, "ok", "txn", [["r", 1, 2], ["r", 2, 1]]))
    history = History(ops)
    judgement = judge(read_register_txns(history), Level.READ_ATOMIC, sessions=False)
    assert [cycles.type for cycles in judgement.cycles] == ["fractured-read"] and judgement.broken == Level.READ_ATOMIC
    verdict = check(history, "read-atomic")
    assert verdict.valid is False and verdict.counts == {"fractured-read": 1}
    assert {"read-atomic", "snapshot-isolation", "serializable", "strict-serializable"} <= set(verdict.anomalies[0].rules_out)


def test_row_9_a_write_between_two_and_two_reads_of_one_writer_are_right():
    assert check(sessions((0, [["w", "x", 4], ["r", "x", 4], ["w", "x", 5]]))).valid is True
    assert check(sessions((0, [["w", "x", 4]]), (1, [["r", "x", 4], ["r", "x", 4]]))).valid is True


def test_row_10_an_unknown_writer_is_no_thin_air():
    for write, read in ((["append", "x", 1], ["r", "x", [1]]), (["w", "x", 1], ["r", "x", 1])):
        ops = [
            Op(0, 0, 0, "invoke", "txn", [write]),
            Op(1, 0, 0, "info", "txn", [write]),
            Op(2, 0, 1, "invoke", "txn", [["r", "x", None]]),
            Op(3, 0, 1, "ok", "txn", [read]),
        ]
        checker = ListAppend() if write[0] == "append" else WeakIsolation()
        verdict = checker.check(History(ops), CheckContext(expected="read-atomic"))
        assert verdict.valid is True and not verdict.anomalies


def test_session_order_makes_read_committed_stronger_than_adyas():
    txns = [(0, [["w", "x", 1]]), (0, [["w", "x", 2], ["w", "y", 2]]), (1, [["r", "y", 2], ["r", "x", 1]])]
    verdict = check(sessions(*txns), "read-committed")
    assert verdict.valid is False and verdict.counts == {"non-monotonic-read-process": 1}
    assert verdict.not_models == ["read-committed"] and verdict.holds == []
    assert not {"serializable", "snapshot-isolation", "consistent-view"} & set(verdict.anomalies[0].rules_out)
    assert "strong-session-serializable" in verdict.anomalies[0].rules_out
    assert judge(read_register_txns(sessions(*txns)), sessions=False).broken is None
    for model in ("monotonic-atomic-view", "read-uncommitted"):  # they know no sessions
        assert check(sessions(*txns), model).valid is True
    for model in ("consistent-view", "update-atomic", "prefix", "serializable"):
        assert check(sessions(*txns), model).valid == "unknown"
    assert check(sessions(*txns), "strong-session-snapshot-isolation").valid is False


def test_of_a_history_in_real_time_the_names_mean_models_without_sessions():
    broken = sessions((0, [["w", "x", 1]]), (0, [["r", "x", None]]))
    assert check(broken, "read-atomic").valid is False
    timed = History(broken.ops)
    verdict = check(timed, "causal")
    assert verdict.valid is True and verdict.holds == ["causal"] and verdict.counts == {"fractured-read-process": 1}
    assert verdict.reason == "causal-cerone allows what was found: fractured-read-process"
    assert verdict.not_models == ["strong-session-snapshot-isolation"]


def test_the_sentence_proves_each_edge():
    (anomaly,) = check(sessions((0, [["w", "x", 1]]), (0, [["w", "x", 2], ["w", "y", 2]]), (1, [["r", "y", 2], ["r", "x", 1]]))).anomalies
    assert anomaly.message == (
        "T1 = (w x 1) by process 0, #0–#1. T2 = (w x 2; w y 2) by process 0, #2–#3. T3 = (r y 2; r x 1) by process 1, #4–#5. "
        "process 0 executed T1 before T2; T3 read 2 in y from T2, which also wrote to x, then read 1 in x, which T1 wrote: "
        "so T2 is before T1: so T1 comes before itself, a contradiction."
    )
    assert anomaly.ops == [0, 1, 2, 3, 4, 5]


def test_of_a_long_transaction_only_what_matters_is_quoted():
    others = [["r", f"k{i}", None] for i in range(20)]
    (anomaly,) = check(sessions((0, [["w", "x", 1]]), (0, [*others, ["r", "x", None]]))).anomalies
    assert anomaly.type == "fractured-read-process" and "T2 = (r x null; …) by process 0" in anomaly.message


@pytest.mark.parametrize("name", PLANTS)
def test_planted_anomalies_are_found_by_name(name):
    made = valid(900, 5)
    assert check(as_history(made)).holds == ["causal"]
    history = as_history(plant(made, name))
    level = LEVEL.get(name, "read-committed")
    verdict = check(history, level)
    assert verdict.valid is False and verdict.counts == {name: 1}
    assert verdict.holds == list(ORDER[: ORDER.index(level)])[-1:]
    assert verdict.anomalies[0].rules_out[: 3 - ORDER.index(level)] == list(ORDER[ORDER.index(level) :])
    for weaker in ORDER[: ORDER.index(level)]:
        assert check(history, weaker).valid is True


@pytest.mark.parametrize("name", PLANTS)
def test_planted_anomalies_are_found_by_the_fast_road(name):
    made = valid(2500, 6, keys=3000)  # more keys than the first table of the kernels holds
    data = as_plume(plant(made, name))
    history = read_plume(data, lambda: plume.read_lines(Path("text"), data))
    assert history is not None
    verdict = check(history)
    assert verdict.valid is False and verdict.counts == {name: 1}
    if name == "garbage-read":
        untouched = read_plume(as_plume(made), lambda: as_history(made))
        assert check(untouched).holds == ["causal"]


def test_the_first_transaction_precedes_all():
    initial = (0, [["w", "x", 0], ["w", "y", 0]])
    txns = [initial, (1, [["r", "x", None], ["w", "y", 1]]), (2, [["r", "y", 1]])]
    assert check(sessions(*txns)).holds == ["causal"]
    verdict = check(sessions(*txns, first=True))
    assert verdict.counts == {"fractured-read": 1} and verdict.holds == ["read-committed"]
    assert "T1 writes the initial values" in verdict.anomalies[0].message
    # Reading x from it after y from another proves that other to be earlier, which nothing is.
    late = [initial, (1, [["w", "x", 1], ["w", "y", 1]]), (2, [["r", "y", 1], ["r", "x", 0]])]
    assert check(sessions(*late)).counts == {"fractured-read": 1}
    assert check(sessions(*late, first=True)).counts == {"non-monotonic-read": 1}


def test_shrunk_without_it_no_other_transaction_is_first():
    history = sessions((0, [["w", "x", 0]]), (1, [["w", "y", 1]]), (2, [["r", "y", None]]), first=True)
    parts = of_registers(history, False)
    assert check(parts.of({0, 1, 2})).holds == ["causal"] and parts.of({0, 2}).header == history.header
    assert parts.of({1, 2}).header == {"order": "session"} and check(parts.of({1, 2})).holds == ["causal"]


def test_unknown_outcomes():
    write, read = [["w", "x", 1], ["w", "y", 1]], [["r", "y", None], ["r", "x", 1]]
    assert check(sessions((0, write, "info"), (1, [["r", "y", None]]))).valid is True  # nobody saw it: it need not have happened
    assert check(sessions((0, write, "info"), (1, read))).counts == {"fractured-read": 1}  # it was seen, so it happened, whole
    # What follows it in its session does not come after it: it may act at any later time.
    assert check(sessions((0, write, "info"), (0, [["r", "x", None]]), (1, [["r", "x", 1]]))).valid is True
    assert check(sessions((0, [["r", "x", 1]]), (0, write, "info"))).counts == {"G1c-process": 1}  # but what is before it is


def test_nothing_follows_an_unknown_transaction_at_any_level():
    rest = [(0, [["r", "z", None]]), (0, [["r", "x", None]]), (1, [["r", "x", 1]])]
    txns = read_register_txns(sessions((0, [["w", "x", 1]], "info"), *rest))
    for level in Level:
        assert judge(txns, level).broken is None
    assert not Order(Reading(txns), True, False).precedes(0, 2)


def test_a_read_that_nobody_saw_says_nothing():
    txns = read_register_txns(sessions((0, [["w", "x", 1], ["r", "y", 5]], "info"), (1, [["r", "x", 1]])))
    judgement = judge([txn._replace(outcome="ok") for txn in txns])
    assert judgement.broken is None and judgement.seen == 1 and judgement.unclear is None


def test_several_possible_writers():
    twice = [(0, [["w", "x", 1]]), (1, [["w", "x", 1]])]
    verdict = check(sessions(*twice, (2, [["r", "x", 1]])))
    assert verdict.valid == "unknown" and verdict.holds == []
    assert verdict.reason == "#4 read 1 in x, which has several possible writers (#0, #2)"
    assert check(sessions(*twice, (2, [["r", "x", None]]))).valid is True  # nobody read it: nothing hangs on it
    assert check(sessions(*twice, (2, [["r", "x", 1], ["r", "y", 5]]))).counts == {"garbage-read": 1}  # wrong, whoever wrote x
    assert check(sessions(twice[0], (1, [["w", "x", 1]], "fail"), (2, [["r", "x", 1]]))).valid is True  # one of them did not happen
    assert check(sessions((0, [["w", "x", None]]), (1, [["r", "x", None]]))).valid == "unknown"  # written, or never written


def test_values_are_compared_by_type():
    for value in (1.0, True, "1"):
        assert check(sessions((0, [["w", "x", 1]]), (1, [["r", "x", value]]))).counts == {"garbage-read": 1}
    assert check(sessions((0, [["w", 1, 1]]), (1, [["r", "1", None]]))).valid is True


def test_nothing_observed_is_unknown():
    verdict = check(sessions((0, [["w", "x", 1]]), (1, [["r", "x", None]], "fail")))
    assert verdict.valid == "unknown" and verdict.reason == "no transaction that read anything succeeded, so nothing was observed"
    empty = read_plume(b"w(1,1,0,0)\n" * 2, lambda: None)
    assert check(empty).valid == "unknown"


def test_models_that_the_levels_do_not_decide():
    history = sessions((0, [["w", "x", 1]]), (1, [["r", "x", 1]]))
    for weaker in ("read-uncommitted", "PL-1", "monotonic-atomic-view", "PL-2", "causal-cerone"):
        assert check(history, weaker).valid is True and WeakIsolation.decides(weaker)
    for stronger in ("serializable", "snapshot-isolation", "PL-2+", "prefix"):
        assert check(history, stronger).valid == "unknown" and not WeakIsolation.decides(stronger)
    broken = sessions((0, [["w", "x", 1], ["w", "y", 1]]), (1, [["r", "y", None], ["r", "x", 1]]))
    assert check(broken, "serializable").valid is False
    assert WeakIsolation("read-committed").check(broken, CheckContext(expected="causal")).valid is True


def test_a_history_of_sessions_is_judged_by_the_model_promised():
    model = known_models()["rw-register"]
    for level in (*ORDER, "causal-cerone"):
        assert [spec.name for spec in model.specs(True, level)] == ["weak-isolation"]
    assert model.by_sessions == "serializable"


def test_no_edge_is_taken_on_trust():
    history = as_history(plant(valid(30, 1), "causality-violation-process"))
    (anomaly,) = check(history).anomalies
    for edge in anomaly.witness["edges"]:
        for field, other in (("from", edge["to"]), ("to", edge["from"]), ("kind", "wr"), ("key", "no such key"), ("path", ["T1", "T2"])):
            if field in edge and edge[field] != other:
                was, edge[field] = edge[field], other
                assert not verify_witness(history, anomaly), (field, other)
                edge[field] = was
    anomaly.type = "causality-violation"
    assert not verify_witness(history, anomaly)


def test_all_kernels_are_compiled_by_one_call():
    compile_all()
