"""The register checker on named cases: what each history is, in which words it is told, and what is planted in large valid ones."""

import time

import msgspec
import pytest

from checkers.linearizable import LinearizableRegister, verify_witness
from harness.checker import CheckContext
from harness.errors import HistoryError
from harness.history.history import History
from harness.op import Op
from tests.checkers.histories_linearizable import valid_history

LINEARIZABLE = CheckContext(expected="linearizable")


def history(text):
    """A line an op: `process type f value`; a value is JSON, cas takes [old, new]."""
    ops = []
    for line in text.strip().splitlines():
        process, type_, f, value = line.split(None, 3)
        ops.append(Op(len(ops), len(ops), int(process), type_, f, msgspec.json.decode(value)))
    return History(ops)


def check(recorded, **options):
    recorded = history(recorded) if isinstance(recorded, str) else recorded
    verdict = LinearizableRegister(**options).check(recorded, LINEARIZABLE)
    for anomaly in verdict.anomalies:
        assert verify_witness(recorded, anomaly), anomaly
        assert anomaly.type == "nonlinearizable" and anomaly.rules_out == ["linearizable", "strict-serializable"]
    return verdict


def the_one(verdict):
    assert verdict.valid is False and verdict.not_models == ["linearizable", "strict-serializable"], verdict
    (anomaly,) = verdict.anomalies
    return anomaly


STALE = """
0 invoke write 1
0 ok write 1
0 invoke write 2
0 ok write 2
1 invoke read null
1 ok read 1
"""


def test_a_stale_read_is_told_in_plain_words():
    anomaly = the_one(check(STALE))
    assert anomaly.kind == "stale-read"
    assert anomaly.message == (
        "process 0 wrote 2 (#2-#3), acknowledged; after that process 1 read 1 (#4-#5), though 1 had been acknowledged (#1) before the "
        "write of 2 was invoked (#2): no order brings 1 back after 2."
    )
    assert anomaly.ops == [0, 1, 2, 3, 4, 5]


def test_reading_the_initial_value_after_an_acknowledged_write_is_stale():
    anomaly = the_one(check("0 invoke write 1\n0 ok write 1\n1 invoke read null\n1 ok read null"))
    assert anomaly.kind == "stale-read" and "null was there from the start" in anomaly.message and anomaly.ops == [0, 1, 2, 3]


def test_a_second_reader_may_not_go_back_while_the_write_is_still_open():
    text = """
    0 invoke write 1
    1 invoke read null
    1 ok read 1
    2 invoke read null
    2 ok read null
    0 ok write 1
    """
    assert the_one(check(text)).kind == "stale-read"


def test_concurrent_reads_may_see_either_value():
    text = "0 invoke write 1\n1 invoke read null\n2 invoke read null\n1 ok read 1\n2 ok read null\n0 ok write 1"
    assert check(text).valid is True


def test_a_read_of_a_write_not_yet_invoked_and_one_of_nobodys_value():
    future = the_one(check("0 invoke read null\n0 ok read 1\n1 invoke write 1\n1 ok write 1"))
    assert future.kind == "future-read" and "before the write of that value was even invoked" in future.message
    phantom = the_one(check("0 invoke read null\n0 ok read 7"))
    assert phantom.kind == "unwritten-value" and "nobody ever wrote 7" in phantom.message


CRASHED = """
0 invoke write 1
0 ok write 1
1 invoke write 2
1 info write 2
2 invoke read null
2 ok read {}
2 invoke read null
2 ok read {}
"""


@pytest.mark.parametrize(("first", "second", "valid"), [(1, 1, True), (1, 2, True), (2, 2, True), (2, 1, False)])
def test_a_crashed_write_may_happen_late_or_never_but_not_be_undone(first, second, valid):
    verdict = check(CRASHED.format(first, second))
    assert verdict.valid is valid
    unfinished = "\n".join(line for line in CRASHED.splitlines() if "info" not in line)
    assert check(unfinished.format(first, second)).valid is valid


def test_the_value_of_a_failed_write_was_never_written():
    text = "0 invoke write 1\n0 fail write 1\n1 invoke read null\n1 ok read {}"
    assert the_one(check(text.format(1))).kind == "unwritten-value"
    assert check(text.format("null")).valid is True


def test_failed_and_crashed_reads_say_nothing():
    text = "0 invoke write 1\n0 ok write 1\n1 invoke read null\n1 fail read 9\n2 invoke read null\n2 info read 9\n0 invoke read null"
    assert check(text).valid == "unknown"
    assert check(text + "\n3 invoke read null\n3 ok read 1").valid is True


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("0 invoke cas [null,1]\n0 ok cas [null,1]\n0 invoke read null\n0 ok read 1", True),
        ("0 invoke cas [5,1]\n0 ok cas [5,1]", False),
        ("0 invoke write 1\n0 ok write 1\n0 invoke cas [1,2]\n0 ok cas [1,2]\n1 invoke read null\n1 ok read 1", False),
        ("0 invoke write 1\n0 ok write 1\n0 invoke cas [1,2]\n1 invoke read null\n1 ok read 1\n0 ok cas [1,2]", True),
        ("0 invoke write 1\n0 ok write 1\n0 invoke cas [1,2]\n0 fail cas [1,2]\n1 invoke read null\n1 ok read 2", False),
        ("0 invoke write 1\n0 ok write 1\n0 invoke cas [1,2]\n0 fail cas [1,2]\n1 invoke read null\n1 ok read 1", True),
        ("0 invoke cas [null,1]\n1 invoke cas [1,null]\n0 ok cas [null,1]\n1 ok cas [1,null]", True),
    ],
)
def test_the_rules_of_cas(text, valid):
    assert check(text, model="cas-register").valid is valid


def test_two_changes_of_one_value_are_a_lost_update():
    text = "0 invoke cas [null,1]\n1 invoke cas [null,2]\n0 ok cas [null,1]\n1 ok cas [null,2]"
    anomaly = the_one(check(text, model="cas-register"))
    assert anomaly.kind == "lost-update" and "only one can have" in anomaly.message
    crashed = text.replace("0 ok cas [null,1]", "0 info cas [null,1]")
    assert check(crashed, model="cas-register").valid is True
    seen = crashed + "\n2 invoke read null\n2 ok read 1"
    anomaly = the_one(check(seen, model="cas-register"))
    assert anomaly.message.endswith("process 2 read 1 (#4-#5), so that change did happen.") and anomaly.ops == [0, 1, 2, 3, 4, 5]


def test_a_crashed_cas_of_a_value_that_never_was_did_not_happen():
    text = "0 invoke cas [9,1]\n0 info cas [9,1]\n1 invoke read null\n1 ok read {}"
    assert check(text.format("null"), model="cas-register").valid is True
    anomaly = the_one(check(text.format(1), model="cas-register"))
    assert anomaly.kind == "unwritten-value" and anomaly.message.startswith("process 0 changed 9 to 1") and anomaly.ops == [0, 1, 2, 3]


def test_a_cas_to_the_same_value_is_no_write_of_it():
    text = "0 invoke cas [3,3]\n0 ok cas [3,3]\n1 invoke cas [3,2]\n1 ok cas [3,2]"
    assert the_one(check(text, model="cas-register")).kind != "lost-update"
    assert check("0 invoke write 3\n0 ok write 3\n" + text, model="cas-register").valid is True


@pytest.mark.parametrize("spare", ["write 1", "cas [2,1]", "cas [3,1]"])
def test_which_crashed_op_was_used_matters_later(spare):
    """1 is read twice, from 2 and later from 3: the write must be kept for where no crashed cas helps."""
    text = f"0 invoke cas [2,1]\n1 invoke {spare}\n"
    for value in (2, 1, 3, 1):
        f = "write" if value != 1 else "read"
        text += f"9 invoke {f} {'null' if f == 'read' else value}\n9 ok {f} {value}\n"
    assert check(text, model="cas-register").valid is (spare != "cas [2,1]")


def test_many_crashed_ops_into_one_value_are_counted_right():
    crashed = [f"{p} invoke {op}" for p, op in enumerate(["write 1", "write 1", "cas [2,1]", "cas [3,1]", "cas [4,1]", "cas [5,1]"] * 3)]
    for values, valid in (("2 3 4 5 2 3 4 5 2 3 4 5 6 6 6 6 6 6", True), ("2 2 2 2 2 2 2 2 2", True), ("2 2 2 2 2 2 2 2 2 2", False)):
        steps = []
        for value in values.split():
            steps += [f"99 invoke write {value}", f"99 ok write {value}", "99 invoke read null", "99 ok read 1"]
        assert check("\n".join(crashed + steps), model="cas-register").valid is valid


def test_changes_that_follow_each_other_in_a_circle():
    text = "0 invoke cas [1,2]\n1 invoke cas [2,1]\n0 ok cas [1,2]\n1 ok cas [2,1]"
    assert "in a circle" in the_one(check(text, model="cas-register")).message


@pytest.mark.parametrize(
    ("reads", "valid"), [("2", True), ("1", True), ("2 1", False), ("null", True), ("1 2", True), ("2 2", True), ("2 null", False)]
)
def test_a_crashed_cas_may_happen_once_after_its_old_value(reads, valid):
    text = "0 invoke cas [1,2]\n0 info cas [1,2]\n1 invoke write 1"
    for i, value in enumerate(reads.split()):
        text += f"\n{2 + i} invoke read null\n{2 + i} ok read {value}"
    assert check(text, model="cas-register").valid is valid


def test_true_one_and_one_point_zero_are_three_values():
    text = "0 invoke write 1\n0 ok write 1\n0 invoke read null\n0 ok read {}"
    assert check(text.format("1")).valid is True
    for other in ("true", "1.0", '"1"', "[1]"):
        assert the_one(check(text.format(other))).kind == "unwritten-value"
    assert check("0 invoke write true\n0 ok write true\n0 invoke write 1\n0 ok write 1").facts["by_zones"] == 1
    anomaly = the_one(check(text.format('{"a":[true]}')))
    assert "read {'a': [True]}" in anomaly.message and anomaly.witness["operations"][0]["a"] == {"a": [True]}


def test_another_initial_value():
    assert check("0 invoke read null\n0 ok read 0", initial=0).valid is True
    assert check("0 invoke read null\n0 ok read null", initial=0).valid is False


# checkers.md section 8, rows 12 to 14


def test_row_12_an_invalid_cas_history_has_a_verdict_and_a_window():
    text = STALE + "2 invoke cas [2,3]\n2 ok cas [2,3]\n2 invoke write 1\n2 ok write 1"  # 1 is written twice: searched, not zoned
    verdict = check(text, model="cas-register")
    assert verdict.facts == {"keys": 1, "by_zones": 0, "by_search": 1}
    assert (the_one(verdict).kind, the_one(verdict).ops) == ("stale-read", [0, 1, 2, 3, 4, 5])
    assert the_one(verdict).witness["stuck"] == 4
    assert the_one(verdict).witness["next"][0] == {"call": 4, "possible": [], "impossible": [{"state": "2", "why": "it needs 1"}]}


@pytest.mark.parametrize("clients", [20, 100])
def test_row_13_unique_values_at_any_concurrency(clients):
    recorded = valid_history(10_000, 1, clients=clients, crashed=20)
    start = time.perf_counter()
    verdict = check(recorded)
    assert verdict.valid is True and verdict.facts["by_zones"] == 1 and time.perf_counter() - start < 5
    spoiled = ending(recorded, ("write", 10**6), ("write", 10**6 + 1), ("read", 10**6))
    assert the_one(check(spoiled)).kind == "stale-read"


def ending(recorded, *steps):
    """The history, and then one more process that does these in turn."""
    ops = list(recorded.ops)
    for f, value in steps:
        for type_ in ("invoke", "ok"):
            shown = None if (f, type_) == ("read", "invoke") else value
            ops.append(Op(len(ops), len(ops) * 1000, 10**6, type_, f, {"key": ops[0].value["key"], "value": shown}))
    return History(ops)


@pytest.mark.parametrize(("crashed", "clients"), [(10, 5), (30, 5), (60, 5), (9, 10)])
def test_row_13_crashed_cas_and_a_violation_at_the_very_end(crashed, clients):
    recorded = valid_history(1000 if clients == 5 else 200, 7, clients=clients, kind="cas", crashed=crashed)
    start = time.perf_counter()
    assert check(recorded, model="cas-register").valid is True
    spoiled = ending(recorded, ("write", 77), ("cas", [77, 78]), ("read", 77))
    anomaly = the_one(check(spoiled, model="cas-register"))
    assert time.perf_counter() - start < 8  # on an idle machine: 1
    assert anomaly.kind == "stale-read" and len(anomaly.ops) <= 6 and anomaly.ops[-1] == len(spoiled) - 1


def test_a_violation_that_no_crashed_op_could_explain_is_found_before_they_are_counted():
    recorded = valid_history(1000, 0, clients=10, kind="cas", crashed=58)
    spoiled = ending(recorded, ("write", 77), ("cas", [77, 78]), ("read", 77))
    assert the_one(check(spoiled, model="cas-register", budget=50_000)).kind == "stale-read"
    assert check(recorded, model="cas-register", budget=400_000).valid is True


def test_row_14_a_crashed_write_that_nobody_reads_may_be_why_a_cas_failed():
    text = "0 invoke write 7\n0 info write 7\n1 invoke cas [0,1]\n1 fail cas [0,1]"
    assert check(text, model="cas-register", initial=0).valid is True
    assert check(text, model="cas-register", initial=0, failed_cas="observes").valid is True
    alone = "1 invoke cas [0,1]\n1 fail cas [0,1]"
    assert check(alone, model="cas-register", initial=0).valid is True
    anomaly = the_one(check(alone, model="cas-register", initial=0, failed_cas="observes"))
    assert "was refused to change 0" in anomaly.message


KV = """
0 invoke put {"key":"a","value":"x"}
0 ok put {"key":"a","value":"x"}
0 invoke append {"key":"a","value":"y"}
1 invoke append {"key":"a","value":"z"}
1 ok append {"key":"a","value":"z"}
2 invoke get {"key":"b","value":null}
2 ok get {"key":"b","value":""}
2 invoke get {"key":"a","value":null}
"""


@pytest.mark.parametrize(("seen", "valid"), [("xz", True), ("xyz", True), ("xzy", True), ("x", False), ("z", False), ("xy", False)])
def test_a_kv_with_appends(seen, valid):
    verdict = check(KV + f'2 ok get {{"key":"a","value":"{seen}"}}', model="kv")
    assert verdict.valid is valid
    if not valid:
        assert the_one(verdict).key == "a" and the_one(verdict).kind == ("stale-read" if seen == "x" else None)


def test_null_is_a_key_that_is_not_there_to_a_cas_of_a_kv_as_well():
    done = '0 invoke cas {"key":"a","value":[null,"x"]}\n0 ok cas {"key":"a","value":[null,"x"]}\n'
    assert check(done + '1 invoke get {"key":"a","value":null}\n1 ok get {"key":"a","value":"x"}', model="kv").valid is True
    assert check(done + '1 invoke get {"key":"a","value":null}\n1 ok get {"key":"a","value":null}', model="kv").valid is False


def with_key(text, key, last):
    ops = [msgspec.structs.replace(op, value={"key": key, "value": op.value}) for op in history(text).ops]
    ops[-1].value["value"] = last
    return History(ops)


def test_each_key_is_judged_by_itself_and_named():
    stale = [op for key, last in ((1, 1), (2, 2), (3, 1)) for op in with_key(STALE, key, last).ops]
    text = History([msgspec.structs.replace(op, index=i) for i, op in enumerate(stale)])
    verdict = check(text)
    assert [anomaly.key for anomaly in verdict.anomalies] == [1, 3] and verdict.counts == {"nonlinearizable": 2}
    assert verdict.facts["keys"] == 3


def test_jepsens_independent_keys_are_tuples():
    text = '0 invoke write ["a",1]\n0 ok write ["a",1]\n1 invoke read ["b",null]\n1 ok read ["b",null]\n'
    text += '1 invoke read ["a",null]\n1 ok read ["a",{}]'
    assert check(text.format(1)).valid is True
    assert the_one(check(text.format("null"))).key == "a"


def test_unknown_when_the_budget_is_spent():
    recorded = valid_history(300, 3, clients=8, kind="cas", crashed=12)
    verdict = check(recorded, model="cas-register", budget=50)
    assert verdict.valid == "unknown" and "more than 50 configurations" in verdict.reason and "'k0'" in verdict.reason
    assert check(recorded, model="cas-register").valid is True


def test_a_weaker_promise_is_judged_by_its_own_checker():
    verdict = LinearizableRegister().check(history(STALE), CheckContext(expected="sequential"))
    assert verdict.valid is True and "linearizable" in verdict.not_models and verdict.holds == ["sequential"]
    assert verdict.counts == {"nonlinearizable": 1} and "which sequential does not promise" in verdict.reason
    undecided = LinearizableRegister().check(history(STALE), CheckContext(expected="serializable"))
    assert undecided.valid == "unknown" and "whether it is serializable is not decided" in undecided.reason


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0 invoke push 1", "no 'push'"),
        ("0 invoke cas 1", "a cas has [old, new]"),
        ('0 invoke read {"key":1,"value":null}\n0 ok read {"key":2,"value":null}', "reads key 2, but 1 was asked for"),
        ("0 invoke read null\n0 invoke read null", "still open"),
    ],
)
def test_what_is_no_register_history_is_refused_with_the_op(text, told):
    with pytest.raises(HistoryError) as caught:
        check(text)
    assert told in str(caught.value) and "op " in str(caught.value)


# planted in large valid histories


@pytest.mark.parametrize("kind", ["unique", "duplicates", "cas"])
def test_one_spoiled_read_in_ten_thousand_ops_is_found_and_named(kind):
    keys = 1 if kind == "unique" else 20
    recorded = valid_history(10_000, 5, kind=kind, keys=keys, crashed=30, values=40 if kind == "duplicates" else 5)
    model = "cas-register" if kind == "cas" else "register"
    assert check(recorded, model=model).valid is True
    reads = [op for op in recorded.ops if op.type == "ok" and op.f == "read" and op.value["value"] is not None]
    for at, value, name in ((len(reads) // 2, None, "stale-read"), (len(reads) // 3, 10**6, "unwritten-value")):
        op = reads[at]
        spoiled = msgspec.structs.replace(op, value={**op.value, "value": value})
        verdict = check(History([spoiled if other is op else other for other in recorded.ops]), model=model)
        anomaly = the_one(verdict)
        assert anomaly.kind == name and anomaly.key == op.value["key"] and op.index in anomaly.ops and len(anomaly.ops) <= 8, anomaly


def test_a_lost_acknowledged_write_and_a_dirty_failed_one_are_found():
    recorded = valid_history(10_000, 6, crashed=20)
    seen = {op.value["value"] for op in recorded.ops if op.type == "ok" and op.f == "read"}
    written = [op for op in recorded.ops if op.type == "ok" and op.f == "write" and op.value["value"] in seen]
    victim = written[len(written) // 2]
    failed = msgspec.structs.replace(victim, type="fail")
    anomaly = the_one(check(History([failed if op is victim else op for op in recorded.ops])))
    assert anomaly.kind == "unwritten-value" and f"nobody ever wrote {victim.value['value']} " in anomaly.message


def test_the_verifier_refuses_what_is_no_proof():
    recorded = history(STALE + "1 invoke write 1\n1 ok write 1\n")
    anomaly = the_one(check(recorded))
    quotes = anomaly.witness["operations"]

    def says(operations):
        return verify_witness(recorded, msgspec.structs.replace(anomaly, witness={**anomaly.witness, "operations": operations}))

    assert says(quotes)
    for i in range(len(quotes)):
        assert not says(quotes[:i] + quotes[i + 1 :]) or quotes[i]["a"] == 1  # nothing can be left out
        assert not says([*quotes[:i], {**quotes[i], "a": 5}, *quotes[i + 1 :]])
        assert not says([*quotes[:i], {**quotes[i], "ret": 2}, *quotes[i + 1 :]])
    assert not says([quotes[-1]])  # the write that it saw is missing
    assert not says([])
    assert not says([*quotes, {**quotes[0], "call": 999}])
    assert not says([*quotes, quotes[0]])


def test_nothing_is_valid_by_absence():
    for text in ("0 invoke write 1\n0 ok write 1", "0 invoke write 1\n0 ok write 1\n0 invoke read null\n0 fail read null", ""):
        verdict = check(text)
        assert verdict.valid == "unknown" and "nothing was observed" in verdict.reason
