"""List-append by hand-made histories: each anomaly by name, null and [], unknown writers, no verdict, weaker promises."""

import msgspec
import pytest

from checkers.list_append import ListAppend, verify_witness
from harness.checker import CheckContext
from harness.errors import HistoryError, UsageError
from harness.history.history import History
from harness.op import Op


def history(*txns):
    """From (process, micro-ops, outcome="ok"): all concurrent, except that the transactions of one process follow each other."""
    ops, waiting = [], {}
    for process, mops, *outcome in txns:
        if process in waiting:
            ops.append(waiting.pop(process))
        ops.append(Op(0, 0, process, "invoke", "txn", [[f, k, None if f == "r" else v] for f, k, v in mops]))
        waiting[process] = Op(0, 0, process, *(outcome or ["ok"]), "txn", mops)
    return dense([*ops, *(op for op in waiting.values() if op.type != "open")])


def serial(*txns):
    """From (process, micro-ops, outcome="ok"): one after the other."""
    ops = []
    for process, mops, *outcome in txns:
        ops.append(Op(0, 0, process, "invoke", "txn", [[f, k, None if f == "r" else v] for f, k, v in mops]))
        ops.append(Op(0, 0, process, *(outcome or ["ok"]), "txn", mops))
    return dense(ops)


def dense(ops):
    return History([msgspec.structs.replace(op, index=i, time=i * 1000) for i, op in enumerate(ops)])


def judge(recorded, consistency="strict-serializable"):
    verdict = ListAppend(consistency).check(recorded, CheckContext())
    assert all(verify_witness(recorded, anomaly) for anomaly in verdict.anomalies)
    assert ListAppend(consistency).check(recorded, CheckContext()) == verdict
    return verdict


def a(k, v):
    return ["append", k, v]


def r(k, *v):
    return ["r", k, list(v)]


ONE_OF_EACH = {
    "internal": history((0, [a("x", 1), r("x")])),
    "future-read": history((0, [r("x", 1), a("x", 1)])),
    "garbage-read": history((0, [r("x", 9)])),
    "G1a": history((0, [a("x", 1)], "fail"), (1, [r("x", 1)])),
    "G1b": history((0, [a("x", 1), a("x", 2)]), (1, [r("x", 1)])),
    "dirty-update": history((0, [a("x", 1)], "fail"), (1, [a("x", 2)]), (2, [r("x", 1, 2)])),
    "duplicate-elements": history((0, [a("x", 1)]), (1, [r("x", 1, 1)])),
    "incompatible-order": history((0, [a("x", 1)]), (1, [a("x", 2)]), (2, [r("x", 1, 2)]), (3, [r("x", 2)])),
    "lost-update": history((0, [r("x"), a("x", 1)]), (1, [r("x"), a("x", 2)])),
    "fractured-read": history((0, [a("x", 1), a("y", 1)]), (1, [r("x", 1), r("y")])),
    "G0": history((0, [a("x", 1), a("y", 1)]), (1, [a("x", 2), a("y", 2)]), (2, [r("x", 1, 2), r("y", 2, 1)])),
    "G1c": history((0, [a("x", 1), r("y", 1)]), (1, [a("y", 1), r("x", 1)])),
    "G-single-item": history((0, [a("x", 1), a("y", 1)]), (1, [r("x", 1), r("y")])),
    "G-nonadjacent-item": history((0, [r("y"), r("z", 1)]), (1, [a("y", 1)]), (2, [r("y", 1), r("z")]), (3, [a("z", 1)])),
    "G2-item": history((0, [r("x"), a("y", 1)]), (1, [r("y"), a("x", 1)])),
    "G0-realtime": serial((0, [a("x", 2)]), (1, [a("x", 1)]), (2, [r("x", 1, 2)])),
    "G1c-realtime": serial((0, [r("x", 1)]), (1, [a("x", 1)])),
    "G-single-item-process": serial((0, [a("x", 1)]), (0, [r("x")])),
    "G-single-item-realtime": serial((0, [a("x", 1)]), (1, [r("x")])),
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


def test_the_message_quotes_the_transactions_and_proves_each_edge():
    recorded = serial((0, [a("x", 1), r("y", 2, 3, 4, 5, 6, 7, 8, 9, 10)]), (1, [r("x")]))
    anomaly = next(x for x in judge(recorded).anomalies if x.type == "G-single-item-realtime")
    assert anomaly.message == (
        "T1 = (append x 1; r y [2 3 … 7 8 9 10]) by process 0, #0–#1. T2 = (r x []) by process 1, #2–#3. "
        "T1 had completed (#1) before T2 was invoked (#2); T2 observed x empty, and T1's append of 1 was never read, so it came later: "
        "so T1 comes before itself, a contradiction."
    )
    edges = [(edge["from"], edge["to"], edge["kind"], edge["key"], edge["value"]) for edge in anomaly.witness["edges"]]
    assert edges == [("T1", "T2", "realtime", None, None), ("T2", "T1", "rw", "x", 1)]


def test_elle_issue_21_is_a_cycle_by_process_and_one_by_real_time():
    recorded = serial((1, [r("x", 1), a("y", 1)]), (2, [r("y", 1)]), (2, [a("x", 1)]))
    verdict = judge(recorded)
    assert verdict.counts == {"G1c-process": 1, "G1c-realtime": 1}
    assert verdict.not_models == ["strong-session-read-committed"]


def graph(*edges):
    """Concurrent transactions with just these edges ("wr" | "rw", from, to), each by a key of its own."""
    txns = {}
    for i, (kind, first, second) in enumerate(edges):
        txns.setdefault(first, []).append(a(i, 1) if kind == "wr" else r(i))
        txns.setdefault(second, []).append(r(i, 1) if kind == "wr" else a(i, 1))
    return history(*sorted(txns.items()))


def test_adjacent_rw_do_not_pass_for_nonadjacent_ones():
    long = [("rw", 0, 1), ("wr", 1, 2), ("wr", 2, 3), ("rw", 3, 4), ("wr", 4, 5), ("wr", 5, 0)]
    shorter = [("rw", 2, 6), ("rw", 6, 5), ("wr", 6, 7), ("wr", 7, 5)]  # 0 1 2 6 5 is a cycle of five, but touches at 6
    verdict = judge(graph(*long, *shorter))
    assert verdict.counts == {"G-nonadjacent-item": 1} and len(verdict.anomalies[0].witness["edges"]) == 6
    verdict = judge(graph(*long[:5], ("rw", 5, 0)))
    assert verdict.counts == {"G2-item": 1}


@pytest.mark.parametrize("rings", [[(0, 1, 2), (3, 4, 5, 6)], [(0, 1, 2, 3), (4, 5, 6)]])
def test_of_several_cycles_the_shortest_is_shown_wherever_it_is(rings):
    reads = [("wr", ring[i - 1], ring[i]) for ring in rings for i in range(len(ring))]
    verdict = judge(graph(*reads, ("rw", 0, 6), ("rw", 5, 1)))  # joined into one component
    cycle = next(anomaly for anomaly in verdict.anomalies if anomaly.type == "G1c")
    assert verdict.counts["G1c"] == 1 and len(cycle.witness["edges"]) == 3


@pytest.mark.parametrize("values", [(None, []), ([], None), (None, None)])
def test_null_and_the_empty_list_are_the_same_list(values):
    assert judge(history((0, [["r", "x", value] for value in values]))).valid is True
    assert judge(serial((0, [["r", "x", values[0]]]), (1, [["r", "x", values[1]], a("x", 1)]), (2, [r("x", 1)]))).valid is True


def test_one_true_and_a_float_are_three_elements():
    recorded = history((0, [a("x", 1), a("x", True), a("x", 1.0), a("x", "1"), r("x", 1, True, 1.0, "1")]), (1, [r(1)]), (2, [r(True)]))
    assert judge(recorded).valid is True
    assert judge(history((0, [a("x", 1)]), (1, [r("x", True)]))).counts == {"garbage-read": 1}
    assert judge(history((0, [a(1, 5)]), (1, [r(True, 5)]))).counts == {"garbage-read": 1}
    assert judge(history((0, [a([1, "k"], {"a": 1})]), (1, [r([1, "k"], {"a": 1})]))).valid is True


def test_an_element_of_an_unknown_writer_may_be_read():
    assert judge(history((0, [a("x", 1)], "info"), (1, [r("x", 1)]))).valid is True
    assert judge(history((0, [a("x", 1)], "open"), (1, [r("x", 1)]))).valid is True


def test_an_observed_unknown_writer_has_dependencies_an_unobserved_one_has_none():
    both = [(0, [a("x", 1), a("y", 1)], "info"), (1, [r("x", 1), r("y")]), (2, [r("y", 1)])]
    assert judge(history(*both)).counts == {"fractured-read": 1, "G-single-item": 1}
    assert judge(history(*both[:2])).counts == {"fractured-read": 1, "G-single-item": 1}  # its other append happened too, read or not
    unseen = serial((0, [a("x", 1)], "info"), (1, [r("x")]))
    assert judge(unseen).valid is True
    assert judge(serial((0, [a("x", 1)]), (1, [r("x")]))).valid is False  # it was acknowledged


def test_what_an_aborted_transaction_read_proves_nothing():
    unsure = [["append", "x", 2], ["r", "x", [2]]]
    assert judge(history((0, [a("x", 1)]), (1, unsure, "info"), (2, [r("x", 1)]))).valid is True
    assert judge(history((0, [a("x", 1)]), (1, [r("x", 7)], "fail"), (2, [r("x", 1)]))).valid is True
    assert judge(history((0, [a("x", 1)]), (1, [r("x", 1, 1)], "info"), (2, [r("x", 1)]))).counts == {"duplicate-elements": 1}


def test_a_lost_acknowledged_append_is_found_though_others_follow_it():
    recorded = serial((0, [a("x", 1)]), (1, [a("x", 2)]), (2, [r("x", 2)]), (3, [a("x", 3)]), (4, [r("x", 2, 3)]))
    verdict = judge(recorded)
    assert verdict.counts == {"G0-realtime": 1, "G-single-item-realtime": 1}


def test_nothing_is_said_of_an_element_appended_twice():
    verdict = judge(history((0, [a("x", 1)]), (1, [a("x", 1)], "fail"), (2, [r("x", 1)])))
    assert verdict.valid == "unknown" and verdict.reason == "1 is appended to x twice (#0, #1): a read of it does not say which one it saw"


@pytest.mark.parametrize("txns", [[], [(0, [a("x", 1)])], [(0, [r("x")], "fail")], [(0, [r("x")], "info"), (1, [a("x", 1)])]])
def test_a_history_without_a_successful_read_proves_nothing(txns):
    verdict = judge(history(*txns))
    assert verdict.valid == "unknown" and verdict.holds == [] and "nothing was observed" in verdict.reason


def test_the_promise_decides_what_is_tolerated():
    skew = ONE_OF_EACH["G2-item"]
    allowed = judge(skew, "snapshot-isolation")
    assert allowed.valid is True and allowed.reason == "snapshot-isolation allows what was found: G2-item"
    assert [anomaly.type for anomaly in allowed.anomalies] == ["G2-item"]
    assert allowed.not_models == ["repeatable-read"] and allowed.holds == ["strong-snapshot-isolation"]
    assert judge(skew, "PL-2.99").valid is False and judge(skew, "serializable").valid is False
    stale = ONE_OF_EACH["G-single-item-realtime"]
    assert judge(stale, "serializable").valid is True and judge(stale, "serializable").holds == [
        "strong-read-committed",
        "strong-session-serializable",
    ]
    assert ListAppend().check(skew, CheckContext(expected="snapshot-isolation")).valid is True
    assert ListAppend().check(skew, CheckContext()).valid is False
    assert judge(skew, "linearizable").valid == "unknown"


def test_a_valid_history_upholds_the_strongest_model_alone():
    assert judge(serial((0, [a("x", 1)]), (1, [r("x", 1)]))).holds == ["strict-serializable"]


def test_wrong_names_and_histories_of_other_things_are_refused_in_words():
    with pytest.raises(UsageError, match="no consistency model is called 'serialisable'"):
        ListAppend("serialisable")
    for value, seen in [
        (7, "list of micro-ops"),
        ([["w", "x", 1]], "no micro-op"),
        ([["r", "x", 3]], "not a list"),
        (None, "list of micro-ops"),
    ]:
        ops = [Op(0, 0, 0, "invoke", "txn", [["r", "x", None]]), Op(1, 0, 0, "ok", "txn", value)]
        with pytest.raises(HistoryError, match=seen) as raised:
            ListAppend().check(History(ops), CheckContext())
        assert "op 1" in str(raised.value)


@pytest.mark.parametrize("type_", ONE_OF_EACH)
def test_a_witness_that_was_tampered_with_proves_nothing(type_):
    recorded = ONE_OF_EACH[type_]
    anomaly = next(x for x in judge(recorded).anomalies if x.type == type_)

    def altered(**changed):
        return msgspec.structs.replace(anomaly, witness={**anomaly.witness, **changed})

    edges = anomaly.witness["edges"]
    if edges:
        assert not verify_witness(recorded, msgspec.structs.replace(anomaly, type="G1c" if type_ != "G1c" else "G0"))
        assert not verify_witness(recorded, altered(edges=edges[:-1] or edges))
        for i, edge in enumerate(edges):
            for wrong in (
                {"kind": "realtime" if edge["kind"] != "realtime" else "ww", "key": "x", "value": 1},
                {"value": 77},
                {"from": edge["to"]},
            ):
                if edge["kind"] in ("process", "realtime") and "value" in wrong and len(wrong) == 1:
                    continue
                assert not verify_witness(recorded, altered(edges=[*edges[:i], {**edge, **wrong}, *edges[i + 1 :]]))
    else:
        assert not verify_witness(recorded, altered(key="nobody's key", element=77))
    quoted = [{**txn, "value": [["r", "x", [42]]]} for txn in anomaly.witness["txns"]]
    assert not verify_witness(recorded, altered(txns=quoted))


def test_a_file_that_knows_only_the_order_of_each_process_has_no_real_time():
    """The second process reads nothing of what the first one acknowledged before: stale in real time, in any other order fine."""
    ops = [
        Op(0, 0, 0, "invoke", "txn", [["append", 1, 1]]),
        Op(1, 0, 0, "ok", "txn", [["append", 1, 1]]),
        Op(2, 0, 1, "invoke", "txn", [["r", 1, None]]),
        Op(3, 0, 1, "ok", "txn", [["r", 1, []]]),
    ]
    assert ListAppend().check(History(ops), CheckContext()).counts == {"G-single-item-realtime": 1}
    verdict = ListAppend().check(History(ops, {"order": "session"}), CheckContext(expected="serializable"))
    assert (verdict.valid, verdict.counts, verdict.holds) == (True, {}, ["serializable"])
    verdict = ListAppend().check(History(ops, {"order": "session"}), CheckContext())
    assert verdict.valid == "unknown" and "each one's own order" in verdict.reason


@pytest.mark.parametrize(("read", "type_"), [([7], "garbage-read"), ([5], "G1a"), ([2], "G1b")])
def test_an_unknown_transaction_that_was_observed_is_held_to_what_it_reports(read, type_):
    txns = [(0, [a("y", 5)], "fail"), (1, [a("y", 2), a("y", 3)]), (2, [["r", "y", read], a("x", 1)], "info"), (3, [r("x", 1)])]
    verdict = judge(history(*txns))
    assert verdict.valid is False and type_ in verdict.counts
    assert all(verify_witness(history(*txns), anomaly) for anomaly in verdict.anomalies)
    assert type_ not in judge(history(*txns[:3], (3, [r("x")]))).counts  # nobody observed it: it may have been aborted
