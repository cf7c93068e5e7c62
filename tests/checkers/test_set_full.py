"""The set-full checker on histories written by hand, and on large ones with one thing broken."""

import json
import re
import time

import msgspec
import pytest

from checkers.set_full import SetFull, verify_witness
from harness.checker import CheckContext, Phase
from harness.errors import HistoryError, UsageError
from harness.history.history import History
from harness.history.infer import infer_model
from harness.history.read import read_history
from harness.op import Op
from harness.verdict import Anomaly
from tests.checkers.histories_set import valid_set_history


def history(*lines):
    """Lines such as `0 invoke add 1` or `1@n2 ok read [1]`; times are the positions in seconds."""
    ops = []
    for line in lines:
        process, type_, f, value = [*line.split(maxsplit=3), "null"][:4]
        process, _, node = process.partition("@")
        ops.append(Op(len(ops), len(ops) * 10**9, int(process), type_, f, json.loads(value), node=node or None))
    return History(ops)


def added(value, process=0):
    return [f"{process} invoke add {value}", f"{process} ok add {value}"]


def read(value, at="9"):
    return [f"{at} invoke read", f"{at} ok read {value}"]


def judge(lines, expected="linearizable", mode="set-full", final=None):
    ops = history(*lines)
    phases = [] if final is None else [Phase("final", final * 10**9, len(ops) * 10**9)]
    verdict = SetFull(mode=mode).check(ops, CheckContext(expected=expected, phases=phases, is_run=bool(phases)))
    for anomaly in verdict.anomalies:
        assert verify_witness(ops, anomaly), anomaly
    return verdict


def test_a_set_that_keeps_everything_is_valid():
    verdict = judge([*added(1), *added(2), *read("[2, 1]")])
    assert (verdict.valid, verdict.counts, verdict.reason) == (True, {}, "")
    assert verdict.facts["adds"] == {"ok": 2, "fail": 0, "info": 0}
    assert (verdict.facts["reads"], verdict.facts["known"], verdict.facts["seen"]) == (1, 2, 2)


def test_an_acknowledged_element_that_no_later_read_has_is_lost():
    verdict = judge([*added(1), *added(2), *read("[1, 2]"), *read("[2]")])
    assert (verdict.valid, verdict.counts, verdict.not_models) == (False, {"lost-write": 1}, ["linearizable"])
    [lost] = verdict.anomalies
    assert lost.message == (
        "1 was added (#0, acknowledged at #1), but read #6, which began later, misses it, and so does every read that could have come after"
    )
    assert (lost.ops, lost.witness["element"], lost.witness["reads"], lost.witness["known"]) == ([0, 1, 6, 7], 1, [6], 1)
    assert judge([*added(1), *added(2), *read("[1, 2]"), *read("[2]")], expected="sequential").valid is False


def test_an_element_that_a_later_read_has_again_is_stale_and_breaks_only_linearizability():
    lines = [*added(1), *added(2), *read("[2]"), *read("[2]"), *read("[1, 2]")]
    for expected in ("", "linearizable", "strict-serializable", "Linearizable"):
        verdict = judge(lines, expected)
        assert (verdict.valid, verdict.counts) == (False, {"stale-read": 1}), expected
    assert verdict.anomalies[0].witness["reads"] == [4, 6]
    assert verdict.facts["stale_ms"] == {"0": 5000.0, "0.5": 5000.0, "0.95": 5000.0, "0.99": 5000.0, "1": 5000.0}
    assert verdict.facts["most_stale"] == [["1", 5000.0]]
    weak = judge(lines, "sequential")
    assert (weak.valid, weak.counts, weak.facts["stale"]) == (True, {"stale-read": 1}, 1)
    assert "not linearizable (stale-read ×1), which sequential does not promise" in weak.reason


def test_a_read_that_began_before_the_acknowledgement_may_miss_the_element():
    lines = ["0 invoke add 1", "9 invoke read", "0 ok add 1", "9 ok read []", *read("[1]")]
    assert (judge(lines).valid, judge(lines).counts) == (True, {})


def test_what_a_read_showed_must_stay_although_the_add_was_never_acknowledged():
    shown = ["0 invoke add 1", *read("[1]"), *read("[]"), "0 info add 1"]
    assert judge(shown).counts == {"lost-write": 1}
    assert "has no known outcome before) was in the read that ended at #2" in judge(shown).anomalies[0].message
    assert judge(["0 invoke add 1", "0 info add 1", *read("[]"), *added(2), *read("[2]")]).valid is True


def test_a_read_that_could_have_been_the_later_one_makes_it_stale_not_lost():
    lines = [*added(1), "8 invoke read", "9 invoke read", "9 ok read []", "8 ok read [1]"]
    assert judge(lines).counts == {"stale-read": 1}


def test_an_element_that_a_nodes_final_read_lacks_is_lost_whatever_other_nodes_return():
    lines = [*added(1), *added(2), *read("[1, 2]", "9@n1"), *read("[2]", "9@n2"), *read("[1, 2]", "9@n3")]
    for expected in ("linearizable", "sequential"):
        verdict = judge(lines, expected, final=4)
        assert (verdict.valid, verdict.counts) == (False, {"lost-write": 1})
        assert verdict.anomalies[0].witness["nodes"] == ["n2"]
        assert verdict.anomalies[0].message.endswith("but the final read #6 on n2 misses it")
    assert judge(lines, final=8).counts == {"stale-read": 1}  # only n3 was read in the final phase
    two = [*added(1), *read("[]", "9@n1"), *read("[]", "9@n2"), *read("[1]", "9@n3")]
    assert judge(two, final=2).anomalies[0].witness["nodes"] == ["n1", "n2"]
    assert "the final reads #2 on n1 and #4 on n2 miss it" in judge(two, final=2).anomalies[0].message


def test_an_element_that_came_late_and_then_went_is_lost():
    assert judge([*added(1), *read("[]"), *read("[1]"), *read("[]")], "sequential").counts == {"lost-write": 1}


def test_a_final_read_that_began_before_the_acknowledgement_may_miss_the_element():
    lines = ["0 invoke add 1", "7@n1 invoke read", "0 ok add 1", "7@n1 ok read []", *read("[]", "8@n2"), *read("[1]", "9@n3")]
    assert judge(lines, final=1).anomalies[0].witness["nodes"] == ["n2"]
    removed = [*added(1), *read("[]", "7@n1"), "0 invoke remove 1", "0 ok remove 1", *read("[]", "8@n2"), *read("[]", "9@n3")]
    assert judge(removed, final=2).anomalies[0].witness["nodes"] == ["n1"]


def test_elements_that_nobody_added_or_whose_add_failed_are_phantoms():
    verdict = judge([*added(1), "0 invoke add 2", "0 fail add 2", *read("[1, 2, 3]")], "sequential")
    assert (verdict.valid, verdict.counts) == (False, {"phantom-element": 2})
    messages = " / ".join(sorted(anomaly.message for anomaly in verdict.anomalies))
    assert "its add failed (#2), so it certainly had no effect" in messages
    assert "3 is in read #4, but nobody added it" in messages


def test_an_element_read_before_its_add_began_is_a_phantom_and_known_only_from_its_acknowledgement():
    verdict = judge([*read("[1]"), *read("[]"), *added(1), *read("[1]")])
    assert verdict.counts == {"phantom-element": 1}
    assert verdict.anomalies[0].message.endswith("but its first add began later (#4)")


def test_an_add_that_failed_once_and_succeeded_later_is_no_phantom():
    assert judge(["0 invoke add 1", "0 fail add 1", *added(1), *read("[1]")]).valid is True


def test_an_element_twice_in_one_read_is_a_finding():
    verdict = judge([*added(1), *read("[1, 1]")], "sequential")
    assert (verdict.valid, verdict.counts) == (False, {"duplicate-element": 1})
    assert "1 is 2 times in read #2" in verdict.anomalies[0].message


def test_a_removed_element_that_comes_back_is_resurrected():
    removed = [*added(1), "0 invoke remove 1", "0 ok remove 1"]
    verdict = judge([*removed, *read("[]"), *read("[1]")])
    assert (verdict.valid, verdict.counts) == (False, {"resurrected": 1})
    assert "was removed (#2, done at #3)" in verdict.anomalies[0].message
    assert judge([*removed, *read("[1]"), *read("[]")], "sequential").valid is True  # only late
    assert judge([*removed, *read("[]"), *read("[1]")], "sequential").valid is False  # there at the end
    assert judge([*removed, *added(1), *read("[1]")]).valid is True
    assert judge(["5 invoke add 1", *removed, "5 info add 1", *read("[1]")]).counts == {}  # that add may come at any time
    assert judge([*removed, *read("[]")]).valid is True


@pytest.mark.parametrize("outcome", ["ok", "info"])
def test_after_a_remove_that_may_have_happened_an_absence_proves_nothing(outcome):
    lines = [*added(1), *added(2), "0 invoke remove 1", f"0 {outcome} remove 1", *read("[2]"), *read("[2]")]
    assert (judge(lines).valid, judge(lines).counts) == (True, {})


def test_a_remove_that_failed_removes_nothing():
    assert judge([*added(1), "0 invoke remove 1", "0 fail remove 1", *read("[]")]).counts == {"lost-write": 1}
    assert judge([*added(1), *read("[]"), "0 invoke remove 1", "0 ok remove 1", *read("[]")]).counts == {"lost-write": 1}


def test_what_no_read_could_show_is_said_and_breaks_nothing():
    verdict = judge([*added(1), *read("[1]"), *added(2)])
    assert (verdict.valid, verdict.counts, verdict.facts["never_read"]) == (True, {"never-read": 1}, 1)
    assert "tells nothing about 1 acknowledged elements" in verdict.reason
    assert verdict.not_models == [] and verdict.anomalies[0].rules_out == []


def test_nothing_is_valid_by_absence():
    unread = judge([*added(1), "9 invoke read", "9 info read"])
    assert (unread.valid, unread.reason) == ("unknown", "no read succeeded, so nobody knows what became of the elements")
    silent = judge([*read("[]"), *added(1)])
    assert silent.valid == "unknown" and "nothing was observed" in silent.reason
    assert judge(["0 invoke add 1", "0 fail add 1", *read("[]")]).valid == "unknown"


def test_values_may_be_any_json_and_differ_by_type():
    values = ["1", "1.0", "true", '"1"', "[1]", "null", '{"b": 1, "c": [2]}']
    assert judge([line for value in values for line in added(value)] + read(f"[{', '.join(values)}]")).valid is True
    for i, value in enumerate(values):
        rest = values[:i] + values[i + 1 :]
        verdict = judge([line for value in values for line in added(value)] + read(f"[{', '.join(rest)}]"))
        assert verdict.counts == {"lost-write": 1}
        assert repr(verdict.anomalies[0].witness["element"]) == repr(json.loads(value))
    assert judge([*added('{"a": 1, "b": 2}'), *read('[{"b": 2, "a": 1}]')]).valid is True


def test_a_read_of_null_is_the_empty_set():
    assert judge([*added(1), *read("null")]).counts == {"lost-write": 1}


def test_keys_are_sets_of_their_own():
    def keyed(key, value):
        return f'{{"key": {key}, "value": {value}}}'

    lines = [*added(keyed(1, 5)), *added(keyed(2, 6)), *read(keyed(1, "[5]"), "9"), *read(keyed(2, "[]"), "9")]
    lines = [line if not line.endswith("invoke read") else line + " " + keyed(1 + (i > 5), "null") for i, line in enumerate(lines)]
    verdict = judge(lines)
    assert verdict.counts == {"lost-write": 1}
    assert (verdict.anomalies[0].key, verdict.anomalies[0].witness["element"]) == (2, 6)


def test_mode_set_judges_the_last_read_of_each_node_alone():
    lines = [*added(1), *read("[]"), *read("[7, 7]"), *read("[1]")]
    assert judge(lines, mode="set").valid is True
    assert judge([*lines, *read("[]")], mode="set").counts == {"lost-write": 1}
    nodes = [*added(1), *read("[]", "9@n1"), *read("[]", "9@n2"), *read("[1]", "9@n1")]
    assert judge(nodes, mode="set").anomalies[0].witness["nodes"] == ["n2"]
    with pytest.raises(UsageError, match="no mode 'sets'"):
        SetFull(mode="sets")


def test_what_is_no_sets_op_is_refused():
    with pytest.raises(HistoryError, match="op 2 is 'clear', whose effect on a set is not known"):
        judge([*added(1), "0 invoke clear", "0 ok clear"])
    with pytest.raises(HistoryError, match="a read of a set gave 7"):
        judge([*added(1), *read("7")])
    assert judge([*added(1), "0 invoke clear", "0 fail clear", *read("[1]")]).valid is True


def test_the_name_is_inferred_from_the_reads(tmp_path):
    for lines, model in (
        ([*added(1), *read("[1]")], "set-full"),
        ([*added(1), *read("null"), *read("1")], "counter"),
        (added(1), "set-full"),
    ):
        path = tmp_path / "h.jsonl"
        ops = history(*lines).ops
        path.write_bytes(b"\n".join(msgspec.json.encode(op) for op in ops))
        assert infer_model(read_history(path)) == model


PLANTS = ("lost", "lost on one node", "stale", "phantom", "failed", "duplicate")


@pytest.fixture(scope="module")
def large():
    return valid_set_history(5000, 40)


@pytest.mark.parametrize("plant", PLANTS)
def test_one_thing_broken_in_a_large_history_is_the_only_thing_found(large, plant):
    ops = [Op(op.index, op.time, op.process, op.type, op.f, op.value, node=op.node) for op in large.ops]
    reads = [op for op in ops if op.f == "read" and op.type == "ok"]
    assert SetFull().check(large, CheckContext()).valid is True
    victim = reads[10].value[7]
    failed = next(op for op in ops if op.type == "fail")
    chosen = {"lost": reads[12:], "lost on one node": reads[-2:-1], "stale": reads[20:22]}.get(plant, reads[25:26])
    for op in chosen:
        op.value = {
            "phantom": [*op.value, -5],
            "failed": [*op.value, failed.value],
            "duplicate": [*op.value, victim],
        }.get(plant, [value for value in op.value if value != victim])
    start = next(op.time for op in reversed(ops) if op.f == "add") + 1
    context = CheckContext(phases=[Phase("final", start, ops[-1].time)], is_run=True)
    verdict = SetFull().check(History(ops), context)
    type_ = {"stale": "stale-read", "phantom": "phantom-element", "failed": "phantom-element", "duplicate": "duplicate-element"}
    assert verdict.counts == {type_.get(plant, "lost-write"): 1}
    [anomaly] = verdict.anomalies
    assert verify_witness(History(ops), anomaly) and not verify_witness(large, anomaly)
    assert anomaly.witness["element"] == {"phantom": -5, "failed": failed.value}.get(plant, victim)
    if plant == "lost":
        assert "was the first to miss it" in anomaly.message
    if "lost" in plant:
        assert anomaly.witness["nodes"] == (["n2"] if "one node" in plant else ["n1", "n2", "n3"])


def test_reads_of_which_each_misses_what_the_other_has_contradict_each_other():
    lines = ["0 invoke add 1", "1 invoke add 2", *read("[1]", "8"), *read("[2]", "9"), "0 ok add 1", "1 ok add 2", *read("[1, 2]")]
    per_element = judge(lines)
    assert per_element.counts == {"stale-read": 1}  # 1 was known when the second read began
    fork = ["0 invoke add 1", "1 invoke add 2", "8 invoke read", "9 invoke read", "8 ok read [1]", "9 ok read [2]"]
    verdict = judge([*fork, "0 ok add 1", "1 ok add 2", *read("[1, 2]")])
    assert (verdict.valid, verdict.counts, verdict.not_models, verdict.holds) == (False, {"nonlinearizable": 1}, ["linearizable"], [])
    [anomaly] = verdict.anomalies
    assert (anomaly.kind, anomaly.witness["reads"], anomaly.witness["elements"]) == ("contradictory-reads", [2, 3], [1, 2])
    assert anomaly.message.startswith("Read #2 has 1 and not 2, read #3 has 2 and not 1: ")
    assert judge(fork, "sequential").valid is True
    removed = [*fork, "7 invoke remove 2", "7 info remove 2"]
    assert judge(removed).valid is True and judge(removed).holds == []


def test_a_read_that_shows_a_later_add_must_show_the_earlier_one():
    lines = ["8 invoke read", *added(1), "1 invoke add 2", "8 ok read [2]", "1 ok add 2", *read("[1, 2]")]
    verdict = judge(lines)
    assert (verdict.valid, verdict.counts) == (False, {"nonlinearizable": 1})
    assert verdict.anomalies[0].message.startswith("Read #0 has 2, whose add began at #3, and misses 1, which was known from #2: ")
    assert judge(["8 invoke read", "1 invoke add 2", *added(1), "8 ok read [2]", "1 ok add 2", *read("[1, 2]")]).valid is True


def test_of_several_later_adds_the_latest_that_the_read_shows_counts():
    lines = ["8 invoke read", "1 invoke add 2", *added(1), "2 invoke add 3", "8 ok read [2, 3]", "1 ok add 2", "2 ok add 3"]
    verdict = judge([*lines, *read("[1, 2, 3]")])
    assert verdict.counts == {"nonlinearizable": 1}
    assert verdict.anomalies[0].witness["elements"] == [1, 3]


def test_an_element_that_may_have_been_removed_contradicts_nothing():
    lines = [
        "8 invoke read",
        *added(1),
        "7 invoke remove 1",
        "1 invoke add 2",
        "8 ok read [2]",
        "7 ok remove 1",
        "1 ok add 2",
        *read("[2]"),
    ]
    assert judge(lines).valid is True


def test_only_a_valid_set_without_removes_is_said_to_be_linearizable():
    assert judge([*added(1), *read("[1]")]).holds == ["linearizable"]
    assert judge([*added(1), *read("[1]")], "sequential").holds == []
    assert judge([*added(1), *read("[1]")], mode="set").holds == []
    assert judge([*added(1), *added(2), "0 invoke remove 1", "0 ok remove 1", *read("[2]")]).holds == []


def test_large_valid_histories_with_removes_are_valid():
    assert SetFull().check(valid_set_history(4000, 40, seed=3, removes=0.2), CheckContext()).valid is True


def test_anomalies_are_capped_the_worst_first_and_counted_in_full():
    lines = [line for n in range(20) for line in added(n)]
    verdict = judge([*lines, *read("[50, 50]"), *read("[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]")])
    assert verdict.counts == {"lost-write": 10, "phantom-element": 1, "duplicate-element": 1, "stale-read": 10}
    assert [anomaly.type for anomaly in verdict.anomalies] == [
        *["lost-write"] * 8, "phantom-element", "duplicate-element", *["stale-read"] * 8,
    ]  # fmt: skip
    assert verdict.anomalies[0].witness["element"] == 10  # known first
    assert verdict.anomalies[10].witness["element"] == 0  # the stalest
    assert all(re.search(r"#\d+", anomaly.message) for anomaly in verdict.anomalies)


def test_a_witness_that_proves_nothing_is_refused():
    ops = history(*added(1), *added(2), *read("[2]"), *read("[1, 2]"))
    good = SetFull().check(ops, CheckContext()).anomalies[0]
    assert good.type == "stale-read" and verify_witness(ops, good)
    for change in ({"element": 2}, {"reads": [6]}, {"reads": [5]}, {"reads": []}, {"known": 3}):
        assert not verify_witness(ops, Anomaly(good.type, "", witness={**good.witness, **change})), change
    for type_ in ("lost-write", "phantom-element", "duplicate-element", "resurrected", "never-read"):
        assert not verify_witness(ops, Anomaly(type_, "", witness={**good.witness, "final": False})), type_


@pytest.mark.slow
def test_a_large_history_takes_seconds():
    ops = valid_set_history(100_000, 40)
    start = time.process_time()
    assert SetFull().check(ops, CheckContext()).valid is True
    assert time.process_time() - start < 2
