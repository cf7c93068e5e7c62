"""Rw-register by hand-made histories: each anomaly by name, the sources of order, unknown writers, no verdict, weaker promises."""

from itertools import product
from pathlib import Path

import msgspec
import pytest

from checkers.rw_register import RwRegister, verify_witness
from checkers.rw_register.checker import judge as judge_txns
from checkers.rw_register.dependencies import dependencies
from checkers.rw_register.orders import assumed_order
from checkers.rw_register.phenomena import phenomena
from checkers.rw_register.versions import Versions
from checkers.transactions.txns import read_register_txns
from harness.checker import CheckContext
from harness.errors import HistoryError, UsageError
from harness.history.history import History
from harness.history.read import read_history
from harness.op import Op
from tests.checkers import oracle_rw_register as oracle
from tests.checkers.test_list_append import dense, history, serial

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"
FRACTURED = ["consistent-view", "read-atomic", "repeatable-read"]


def judge(recorded, consistency="strict-serializable", **assumed):
    verdict = RwRegister(consistency, **assumed).check(recorded, CheckContext())
    assert all(verify_witness(recorded, anomaly) for anomaly in verdict.anomalies), verdict.anomalies
    assert RwRegister(consistency, **assumed).check(recorded, CheckContext()) == verdict
    return verdict


def w(k, v):
    return ["w", k, v]


def r(k, v=None):
    return ["r", k, v]


def overlapped(txns, *long):
    """The transactions one after the other, and others that overlap them all."""
    inner = serial(*txns)
    calls = [Op(0, 0, 90 + i, "invoke", "txn", [[f, k, None if f == "r" else v] for f, k, v in mops]) for i, mops in enumerate(long)]
    ops = [*calls, *inner.ops, *(Op(0, 0, 90 + i, "ok", "txn", mops) for i, mops in enumerate(long))]
    return History([msgspec.structs.replace(op, index=i) for i, op in enumerate(ops)])


ONE_OF_EACH = {
    "internal": history((0, [w("x", 1), r("x")])),
    "future-read": history((0, [r("x", 1), w("x", 1)])),
    "garbage-read": history((0, [r("x", 9)])),
    "G1a": history((0, [w("x", 1)], "fail"), (1, [r("x", 1)])),
    "G1b": history((0, [w("x", 1), w("x", 2)]), (1, [r("x", 1)])),
    "dirty-update": history((0, [w("x", 1)], "fail"), (1, [r("x", 1), w("x", 2)])),
    "lost-update": history((0, [r("x"), w("x", 1)]), (1, [r("x"), w("x", 2)])),
    "fractured-read": history((0, [w("x", 1), w("y", 1)]), (1, [w("x", 2), w("y", 2)]), (2, [r("x", 2), r("y", 1)])),
    "G1c": history((0, [w("x", 1), r("y", 1)]), (1, [w("y", 1), r("x", 1)])),
    "G-single-item": history((0, [w("x", 1)]), (1, [r("x", 1), w("y", 1)]), (2, [r("y", 1), r("x")])),
    "G-nonadjacent-item": history((0, [w("x", 1)]), (1, [w("y", 1)]), (2, [r("x", 1), r("y")]), (3, [r("x"), r("y", 1)])),
    "G2-item": history((0, [r("x"), w("y", 1)]), (1, [r("y"), w("x", 1)])),
    "G1c-process": serial((0, [r("x", 1)]), (0, [w("x", 1)])),
    "G1c-realtime": serial((0, [r("x", 1)]), (1, [w("x", 1)])),
    "G-single-item-process": serial((0, [w("x", 1)]), (0, [w("x", 2)]), (0, [r("x", 1)])),
    "G-single-item-realtime": serial((0, [w("x", 1)]), (1, [w("x", 2)]), (2, [r("x", 1)])),
    "G2-item-process": overlapped([(0, [w("x", 1)]), (0, [r("y")])], [w("y", 1), r("x")]),
    "G2-item-realtime": overlapped([(0, [w("x", 1)]), (1, [r("y")])], [w("y", 1), r("x")]),
    "G-nonadjacent-item-realtime": overlapped([(0, [w("x", 1)]), (1, [r("y")])], [w("y", 1)], [r("y", 1), r("x")]),
    "G-nonadjacent-item-process": overlapped([(0, [w("x", 1)]), (0, [r("y")])], [w("y", 1)], [r("y", 1), r("x")]),
}


@pytest.mark.parametrize("type_", ONE_OF_EACH)
def test_each_anomaly_is_found_by_its_name(type_):
    verdict = judge(ONE_OF_EACH[type_])
    assert verdict.valid is False
    assert type_ in verdict.counts
    anomaly = next(anomaly for anomaly in verdict.anomalies if anomaly.type == type_)
    assert anomaly.message.startswith("T1 = (") and anomaly.message.endswith("a contradiction.")
    assert anomaly.ops == sorted(index for txn in anomaly.witness["txns"] for index in txn["ops"])
    assert "strict-serializable" in anomaly.rules_out and "strict-serializable" not in verdict.holds


class TestWhereOthersAreWrong:
    """Cases that existing checkers call valid, or false, by mistake."""

    def test_a_transaction_that_reads_what_it_writes_later(self):
        verdict = judge(history((0, [r(1, 1), w(1, 1)])))
        assert verdict.valid is False and verdict.counts == {"future-read": 1}

    def test_a_value_that_nobody_wrote(self):
        assert judge(history((0, [r("x", 3)]))).counts == {"garbage-read": 1}

    def test_an_unknown_writer_that_was_observed_committed_whole(self):
        for outcome in ("info", "ok", "open"):
            verdict = judge(history((0, [w(1, 1), w(2, 1)], outcome), (1, [r(1, 1), r(2)])))
            assert verdict.counts == {"fractured-read": 1, "G-single-item": 1} and verdict.not_models == FRACTURED

    def test_two_writers_of_two_keys_seen_half_each(self):
        recorded = ONE_OF_EACH["fractured-read"]
        for assumed in ({}, {"wfr_keys": True}, {"sequential_keys": True}, {"linearizable_keys": True}):
            verdict = judge(recorded, **assumed)
            assert verdict.counts == {"fractured-read": 1} and verdict.not_models == FRACTURED
            assert "snapshot-isolation" in verdict.facts["also_not"]
        assert judge(recorded, "read-atomic").valid is False
        assert judge(recorded, "read-committed").valid is True

    def test_a_process_that_caused_what_it_had_read_from_another(self):
        recorded = serial((1, [r("x", 1), w("y", 1)]), (2, [r("y", 1)]), (2, [w("x", 1)]))
        verdict = judge(recorded)
        assert verdict.counts == {"G1c-process": 1, "G1c-realtime": 1}
        assert verdict.not_models == ["strong-session-read-committed"] and "serializable" in verdict.holds

    @pytest.mark.parametrize("consistency", ["read-committed", "read-atomic", "causal", "serializable", "strict-serializable"])
    def test_own_reads_between_writes_and_reading_a_key_twice(self, consistency):
        recorded = history((0, [w("x", 4), r("x", 4), w("x", 5)]), (1, [r("x", 5), r("x", 5)]), (1, [r("x", 5), w("y", 1), r("x", 5)]))
        assert judge(recorded, consistency).valid is True

    @pytest.mark.skipif(not CORPORA.is_dir(), reason="the recorded histories of others are not beside this checkout")
    def test_elles_valid_history_reads_a_value_that_nobody_wrote(self):
        # Elle calls it valid (elle#8): process 0 reads x as 3, and only 2 is ever written.
        recorded = read_history(CORPORA / "ligurio+elle-cli" / "histories" / "elle" / "rw-register.json")
        verdict = judge(recorded)
        assert verdict.valid is False and verdict.counts["garbage-read"] >= 1
        read = next(anomaly for anomaly in verdict.anomalies if anomaly.type == "garbage-read")
        written = [v for op in recorded.ops for f, k, v in op.value if f == "w" and k == read.key]
        assert read.witness["value"] not in written


def test_the_message_quotes_the_transactions_and_proves_each_edge():
    anomaly = next(x for x in judge(ONE_OF_EACH["G-single-item-realtime"]).anomalies)
    assert anomaly.message == (
        "T1 = (w x 2) by process 1, #2–#3. T2 = (r x 1) by process 2, #4–#5. T1 had completed (#3) before T2 was invoked (#4); T2 read x "
        "as 1, which T1 replaced by 2 (the write of 1 had completed, #1, before this one was invoked, #2): so T1 comes before itself, a "
        "contradiction."
    )
    edges = [(e["from"], e["to"], e["kind"], e["key"], e["value"], e.get("by")) for e in anomaly.witness["edges"]]
    assert edges == [("T1", "T2", "realtime", None, None, None), ("T2", "T1", "rw", "x", 2, "realtime")]


class TestSourcesOfOrder:
    """What is claimed of versions: unasked only where the anomaly's name says so, assumed where the user says so."""

    def test_a_version_read_before_a_write_came_before_it(self):
        recorded = history((0, [w("x", 1)]), (1, [r("x", 1), w("x", 2), w("y", 1)]), (2, [r("x", 1), r("y", 1)]))
        assert judge(recorded).counts == {"fractured-read": 1, "G-single-item": 1}

    def test_real_time_orders_versions_for_realtime_anomalies_alone(self):
        # y's reader saw x = 1 after x = 2 had been written, though no real-time step closes the cycle itself.
        stale = history((0, [w("x", 1)]), (0, [r("q")]), (1, [w("z", 1)]), (2, [r("x", 1), r("y", 1)]), (1, [w("x", 2)]), (1, [w("y", 1)]))
        verdict = judge(stale)
        assert {type_.rpartition("-")[2] for type_ in verdict.counts} <= {"realtime", "process"}
        assert judge(stale, "serializable").valid is True
        assert judge(stale, "serializable", linearizable_keys=True).valid in (False, "unknown")

    @pytest.mark.parametrize("stale", [1, 2])
    def test_all_that_overlapped_came_before_what_was_written_afterwards(self, stale):
        first = history((0, [w("x", 1)]), (1, [w("x", 2)]))
        recorded = dense([*first.ops, *serial((2, [w("x", 3)]), (3, [r("x", stale)])).ops])
        assert judge(recorded).counts == {"G-single-item-realtime": 1}

    def test_nothing_follows_an_unknown_transaction_of_the_same_process(self):
        recorded = serial((0, [w("x", 1)], "info"), (0, [w("x", 2)]), (1, [r("x", 2)]), (2, [r("x", 1)]))
        found = dependencies(Versions(read_register_txns(recorded)), ("sequential-keys",))
        assert found.process is found.always and not any(why.kind == 0 for why in found.realtime.values())
        assert judge(recorded).valid is True

    def test_assumed_orders_have_no_suffix(self):
        recorded = overlapped([(0, [w("x", 1)]), (1, [w("x", 2), w("y", 1)])], [r("y", 1), r("x", 1)])
        assert judge(recorded).counts == {"G-single-item-realtime": 1}
        verdict = judge(recorded, linearizable_keys=True)
        assert verdict.counts == {"fractured-read": 1, "G-single-item": 1} and verdict.not_models == FRACTURED

    def test_causality_without_assumptions_does_not_keep_them(self):
        late = overlapped([(0, [w("x", 1)]), (1, [w("x", 2), w("y", 1)]), (2, [r("y", 1), w("z", 1)])], [r("z", 1), r("x", 1)])
        assert judge(late, "causal").valid is True
        verdict = judge(late, "causal", linearizable_keys=True)
        assert verdict.valid == "unknown" and "need not keep what was assumed" in verdict.reason and "causal-cerone" not in verdict.holds

    def test_sequential_keys_of_sessions(self):
        back = History(serial((0, [w("x", 1)]), (0, [w("x", 2)]), (0, [r("x", 1)])).ops, {"order": "session"})
        assert judge(back, "serializable", sequential_keys=True).counts["cyclic-versions"] == 1

    def test_a_process_s_own_order(self):
        recorded = overlapped([(0, [w("x", 1)]), (0, [w("x", 2)]), (0, [w("y", 1)])], [r("y", 1), r("x", 1)])
        assert judge(recorded).counts == {"G-single-item-process": 1}
        assert judge(recorded, sequential_keys=True).counts == {"G-single-item-process": 1}  # the step from x to y is the process's still
        assert judge(recorded, "serializable").valid is True

    @pytest.mark.parametrize("name", ["sequential_keys", "linearizable_keys"])
    def test_assumptions_that_contradict_what_was_read_make_cyclic_versions(self, name):
        back = serial((0, [r("x"), w("x", 1)]), (1, [w("x", 2)]), (0, [r("x", 2)]), (0, [r("x", 1)]))
        verdict = judge(back, **{name: True})
        cyclic = next(anomaly for anomaly in verdict.anomalies if anomaly.type == "cyclic-versions")
        assert verdict.not_models == ["read-uncommitted"] and cyclic.key == "x"
        assert "cyclic-versions" not in judge(back).counts
        null = judge(serial((0, [w("x", 1)]), (0, [r("x")])), **{name: True})
        assert null.counts["cyclic-versions"] == 1 and "Nothing comes before null" in null.anomalies[0].message

    def test_reading_before_writing_assumed_makes_ww_edges(self):
        chain = history((0, [r("x", 2), w("x", 1)]), (1, [r("x", 1), w("x", 2)]))
        assert judge(chain).counts == {"G1c": 1}
        assert judge(chain, wfr_keys=True).counts["cyclic-versions"] == 1
        across = history((0, [w("x", 1), r("y", 1), w("y", 2)]), (1, [r("x", 1), w("x", 2), w("y", 1)]))
        assert judge(across).counts == {"G1c": 1}
        assert judge(across, wfr_keys=True).counts == {"G0": 1}

    def test_linearizable_keys_of_a_linearizable_store_have_no_cycle(self):
        """Elle calls such histories cyclic; here against a version graph that asks every pair."""
        from tests.checkers.test_rw_register_large import valid_history

        for seed in range(6):
            recorded = valid_history(150, seed, clients=5, keys=4)
            txns = read_register_txns(recorded)
            versions = Versions(txns)
            facts = oracle.Facts(recorded)
            for key in facts.keys:
                cyclic = []
                claims = assumed_order(versions, versions.keys[key], ("linearizable-keys",), cyclic)
                ours = {(claim.before, claim.after) for claim in claims if claim.before is not None}
                naive = oracle.closure(pairs(facts, key))
                assert oracle.closure(ours) == naive and not cyclic and not any(a == b for a, b in naive)
            assert judge(recorded, linearizable_keys=True).valid is True


def pairs(facts, key):
    """Version pairs by real time, of every pair of transactions that touch the key."""
    touching = [t for t in facts.committed if t.final(key) is not None or facts.others_reads(t, key)]
    found = {(t.external(key)[1], t.final(key)) for t in touching if t.external(key)[0] and t.final(key) is not None}
    for a, b in product(touching, touching):
        if a.outcome == "ok" and a.ret < b.call:
            last = a.final(key) if a.final(key) is not None else a.external(key)[1]
            first = b.external(key)[1] if b.external(key)[0] else b.final(key)
            if last != first:
                found.add((last, first))
    return {(a, b) for a, b in found if a is not None}


@pytest.mark.parametrize("values", [(1, True), (1, 1.0), (1, "1"), ([1], [1.0]), ({"a": 1}, {"a": True})])
def test_values_and_keys_are_compared_by_type(values):
    one, other = values
    assert judge(history((0, [w("x", one)]), (1, [r("x", other)]))).counts == {"garbage-read": 1}
    assert judge(history((0, [w("x", one), w("x", other), r("x", other)]), (1, [r("x", other)]))).valid is True
    assert judge(history((0, [w(one, 5)]), (1, [r(other, 5)]))).counts == {"garbage-read": 1}


def test_what_an_aborted_transaction_read_proves_nothing():
    assert judge(history((0, [w("x", 1)]), (1, [r("x", 7)], "fail"), (2, [r("x", 1)]))).valid is True
    assert judge(history((0, [w("x", 1)]), (1, [r("x", 7), w("y", 1)], "info"), (2, [r("x", 1)]))).valid is True
    assert judge(history((0, [w("x", 1)]), (1, [r("x", 7), w("y", 1)], "info"), (2, [r("y", 1)]))).counts == {"garbage-read": 1}
    assert judge(serial((0, [w("x", 1)], "info"), (1, [r("x")]))).valid is True
    told = history((0, [r("y", 1), w("y", 1)], "info"), (1, [r("y", 1)]))
    assert judge(told).counts == {"future-read": 1}
    assert [finding.type for finding in phenomena(Versions(read_register_txns(told)))] == ["future-read"]
    both = history((0, [r("x", 9), w("x", 1)], "info"), (1, [r("x", 9), w("x", 2)]), (2, [r("x", 1)]), (3, [w("x", 9)]))
    lost = next(anomaly for anomaly in judge(both).anomalies if anomaly.type == "lost-update")
    assert [txn["ops"][0] for txn in lost.witness["txns"]] == [0, 1]  # by invocation, however they were found to have committed
    asked = [
        Op(0, 0, 0, "invoke", "txn", [r("x", 7), w("y", 1)]),
        Op(1, 0, 1, "invoke", "txn", [r("y")]),
        Op(2, 0, 1, "ok", "txn", [r("y", 1)]),
    ]
    assert judge(History(asked)).valid is True  # what an invocation says of reads was not read


@pytest.mark.parametrize("txns", [[], [(0, [w("x", 1)])], [(0, [r("x")], "fail")], [(0, [r("x")], "info"), (1, [w("x", 1)])]])
def test_a_history_without_a_successful_read_proves_nothing(txns):
    verdict = judge(history(*txns))
    assert verdict.valid == "unknown" and verdict.holds == [] and "nothing was observed" in verdict.reason


def test_a_value_written_twice_leaves_only_what_an_order_of_transactions_decides():
    twice = [(0, [w("x", 1)]), (1, [w("x", 1)]), (2, [r("x", 1)])]
    assert judge(history(*twice)).valid is True
    assert judge(history(*twice[:2], (2, [r("x", 1), r("y", 5)]))).counts == {"garbage-read": 1}
    weak = judge(history(*twice[:2], (2, [r("x", 7)])), "monotonic-view")
    assert weak.valid is False
    null = judge(history((0, [w("x", None)]), (1, [r("x")])), "monotonic-snapshot-read")
    assert null.valid is True


@pytest.mark.parametrize("model", ["causal", "read-atomic"])
def test_a_read_with_two_possible_writers_does_not_show_that_a_weak_model_holds(model):
    both = [(0, [w("x", 1), w("y", 1)]), (1, [w("x", 1), w("y", 2)])]  # whoever wrote the x that is read wrote y, too
    verdict = judge(history(*both, (2, [r("x", 1), r("y")])), model)
    assert (verdict.valid, verdict.holds) == ("unknown", [])
    if model == "causal":
        assert "has several possible writers (#0, #1)" in verdict.reason


def test_the_promise_decides_what_is_tolerated():
    skew = ONE_OF_EACH["G2-item"]
    allowed = judge(skew, "snapshot-isolation")
    assert allowed.valid is True and allowed.reason == "snapshot-isolation allows what was found: G2-item"
    assert allowed.not_models == ["repeatable-read"] and allowed.holds == ["strong-snapshot-isolation"]
    assert judge(skew, "PL-2.99").valid is False and judge(skew, "serializable").valid is False
    fork = ONE_OF_EACH["G-nonadjacent-item"]
    assert judge(fork, "causal").valid is True and judge(fork, "snapshot-isolation").valid is False
    open_ = judge(fork, "consistent-view")
    assert open_.valid == "unknown" and "snapshot-isolation, which would imply it, does not hold" in open_.reason
    assert judge(skew, "linearizable").valid == "unknown"
    assert RwRegister().check(skew, CheckContext(expected="snapshot-isolation")).valid is True
    assert RwRegister().check(skew, CheckContext()).valid is False


def test_what_an_unknown_transaction_reports_may_leave_causality_open():
    told = (2, [r("x", 2), w("y", 1)], "info")
    recorded = history((0, [w("x", 1)]), (1, [r("x", 1), w("x", 2)]), told, (3, [r("y", 1), r("x", 1)]))
    verdict = judge(recorded, "causal")
    assert verdict.valid == "unknown" and "reports what it read" in verdict.reason and "causal-cerone" not in verdict.holds


def test_causality_is_decided_too():
    broken = history((0, [w("x", 1)]), (1, [r("x", 1), w("y", 1)]), (2, [r("y", 1), w("z", 1)]), (3, [r("z", 1), r("x")]))
    assert judge(broken, "read-atomic").valid is True
    verdict = judge(broken, "causal")
    assert verdict.valid is False and {"causality-violation", "G-single-item"} & verdict.counts.keys()


def test_wrong_names_and_histories_of_other_things_are_refused_in_words():
    with pytest.raises(UsageError, match="no consistency model is called 'serialisable'"):
        RwRegister("serialisable")
    with pytest.raises(UsageError, match="wfr-keys is true or false, not 'maybe'"):
        RwRegister(wfr_keys="maybe")
    for value, seen in [(7, "list of micro-ops"), ([["append", "x", 1]], "no micro-op"), ([["r", "x"]], "no micro-op")]:
        ops = [Op(0, 0, 0, "invoke", "txn", [["r", "x", None]]), Op(1, 0, 0, "ok", "txn", value)]
        with pytest.raises(HistoryError, match=seen) as raised:
            RwRegister().check(History(ops), CheckContext())
        assert "op 1" in str(raised.value)


def test_only_the_order_within_sessions_is_known_of_a_file_of_sessions():
    late = serial((0, [w("x", 1)]), (1, [r("x")]))
    assert judge(late).valid is False
    sessions = History(late.ops, {"order": "session"})
    kept = judge(sessions, "serializable")
    assert sessions.by_sessions and kept.valid is True and not any(model.startswith("strict") for model in kept.holds)
    assert kept.counts == {}
    assert judge(sessions, "strong-read-committed").valid == "unknown"
    again = History(ONE_OF_EACH["G1c-process"].ops, {"order": "session"})
    assert judge_txns(read_register_txns(again), "strong-session-serializable", by_sessions=True).valid is False
    assert judge(again, "serializable").valid is True


@pytest.mark.parametrize("type_", ONE_OF_EACH)
def test_a_witness_that_was_tampered_with_proves_nothing(type_):
    recorded = ONE_OF_EACH[type_]
    anomaly = next(x for x in judge(recorded).anomalies if x.type == type_)

    def altered(**changed):
        return msgspec.structs.replace(anomaly, witness={**anomaly.witness, **changed})

    edges = anomaly.witness["edges"]
    if edges:
        assert not verify_witness(recorded, msgspec.structs.replace(anomaly, type="G1c" if type_ != "G1c" else "G0"))
        assert not verify_witness(recorded, altered(edges=edges[:-1]))
        for i, edge in enumerate(edges):
            for wrong in (
                {"kind": "realtime" if edge["kind"] != "realtime" else "ww", "key": "x", "value": 1, "by": "initial"},
                {"value": 77},
                {"from": edge["to"]},
            ):
                if edge["kind"] in ("process", "realtime") and "value" in wrong and len(wrong) == 1:
                    continue
                assert not verify_witness(recorded, altered(edges=[*edges[:i], {**edge, **wrong}, *edges[i + 1 :]]))
    else:
        assert not verify_witness(recorded, altered(key="nobody's key", value=77))
    quoted = [{**txn, "value": [["r", "x", 42]]} for txn in anomaly.witness["txns"]]
    assert not verify_witness(recorded, altered(txns=quoted))
