"""Chains, growing values, replicas, errors: the sentence, the reason, the error; and which model a file's ops show."""

import json

import pytest

from checkers.causal import Causal
from checkers.exceptions import Exceptions
from checkers.monotonic import Monotonic
from checkers.replicas import Replicas
from harness.checker import CheckContext
from harness.errors import HistoryError
from harness.history.history import History
from harness.history.infer import infer_model
from harness.op import Op
from tests.checkers.lines_purpose import done, history, judge, put, told

# causal


def step(f, value, link, position, process=0):
    keyed = f'{{"key":"x","value":{value}}}'
    asked = keyed if f == "write" else '{"key":"x","value":null}'
    return done(process, f, keyed, asked, json.dumps({"link": link, "position": position}))


def test_a_chain_that_holds_together_is_valid():
    chain = [
        *step("read-init", 0, "init", 1),
        *step("write", 1, 1, 2),
        *step("read", 1, 2, 3),
        *step("write", 2, 3, 4),
        *step("read", "null", 4, 5),
    ]
    assert judge(Causal(), chain).valid is True


@pytest.mark.parametrize(("chain", "type_", "message"), [
    ([*step("read-init", 1, "init", 1)], "causal-read", "x: read-init #0 gave 1, but the register had 0 where it follows"),
    ([*step("write", 1, "init", 1), *step("read", 0, 1, 2)], "causal-read", "x: read #2 gave 0, but the register had 1 where it follows"),
    ([*step("write", 2, "init", 1)], "causal-write", "x: write #0 wrote 2, but the last write before it was 0"),
    ([*step("write", 1, "init", 1), *step("read", 1, 9, 2)], "causal-link", "x: read #2 follows position 9, but the op before it was at 1"),
])  # fmt: skip
def test_a_chain_that_breaks_says_where(chain, type_, message):
    verdict = judge(Causal(), chain)
    assert (verdict.valid, verdict.counts, told(verdict), verdict.not_models) == (False, {type_: 1}, [message], ["causal"])
    assert judge(Causal(), chain, expected="PRAM").valid is True


def test_a_crashed_write_may_have_happened_and_a_failed_one_is_left_out():
    write = ['0 invoke write {"key":"x","value":1}']
    crashed = [*write, '0 info write {"key":"x","value":1}']
    for value in (0, 1):
        assert judge(Causal(), [*crashed, *step("read", value, "init", 5, process=9)]).valid is True
    back = [*crashed, *step("read", 1, "init", 5, process=9), *step("read", 0, 5, 6, process=9)]
    assert judge(Causal(), back).counts == {"causal-read": 1}
    failed = [*write, '0 fail write {"key":"x","value":1}', *step("write", 2, "init", 1)]
    assert judge(Causal(), failed).valid is True
    again = [*write, '0 fail write {"key":"x","value":1}', *step("write", 1, "init", 1)]
    assert judge(Causal(), again).valid is True


def test_the_number_of_a_write_is_the_next_one_that_did_not_fail():
    def failing(n):
        return [f'0 invoke write {{"key":"x","value":{n}}}', f'0 fail write {{"key":"x","value":{n}}}']

    assert judge(Causal(), [*step("write", 1, "init", 1), *step("write", 1, 1, 2)]).counts == {"causal-write": 1}
    assert judge(Causal(), [*failing(5), *step("write", 2, "init", 1)]).counts == {"causal-write": 1}
    late = ['1 invoke write {"key":"x","value":1}', '1 info write {"key":"x","value":1}']  # it strikes after the second write
    chain = [*step("write", 2, "init", 1), *step("read", 1, "init", 2), *step("write", 3, "init", 3)]
    assert judge(Causal(), [*failing(1), *late, *chain]).valid is True


def test_ops_of_a_key_that_overlap_have_no_known_order():
    lines = ['0 invoke write {"key":"x","value":1}', *step("read", 1, "init", 1, process=1), '0 ok write {"key":"x","value":1}']
    verdict = judge(Causal(), lines)
    assert (verdict.valid, verdict.reason) == ("unknown", "x: ops #0 and #1 overlap, so nobody knows which came first")
    assert judge(Causal(), []).valid == "unknown"
    many = [line for n in range(12) for line in (f"{n} invoke write {n + 1}", f"{n} info write {n + 1}")]
    assert "more than 10,000 possible states" in judge(Causal(), [*many, *done(99, "read", 3)]).reason
    with pytest.raises(HistoryError, match="none of read-init, read, write"):
        judge(Causal(), put(0, "cas", 1))


# monotonic


@pytest.mark.parametrize(("first", "second", "model"), [
    ("read", "read", "monotonic-reads"), ("inc", "read", "read-your-writes"), ("inc", "inc", "monotonic-writes"),
    ("read", "inc", "writes-follow-reads"),
])  # fmt: skip
def test_one_process_that_goes_back_breaks_the_guarantee_of_that_pair(first, second, model):
    verdict = judge(Monotonic(), [*done(0, first, 5), *done(0, second, 4)])
    assert (verdict.valid, verdict.counts, verdict.not_models) == (False, {"nonmonotonic-value": 1}, [model])
    assert told(verdict) == [f"{first} #0 (process 0) gave 5; {second} #2 of the same process, which began after that had ended, gave 4"]
    other = judge(Monotonic(), [*done(0, first, 5), *done(1, second, 4)], expected="sequential")
    assert (other.valid, other.not_models) == (True, ["linearizable"])


def test_an_inc_gives_more_than_before_and_no_two_give_the_same():
    twice = judge(Monotonic(), ["0 invoke inc", "1 invoke inc", "0 ok inc 1", "1 ok inc 1"])
    assert told(twice) == ["inc #0 (process 0) gave 1, and inc #1 (process 1) gave 1 too: one of them was lost"]
    assert {"sequential", "cursor-stability", "update-atomic"} <= set(twice.not_models)
    assert judge(Monotonic(), [*done(0, "read", 1), *done(1, "inc", 1)]).valid is False
    assert judge(Monotonic(), [*done(0, "inc", 1), *done(1, "read", 1)]).valid is True


def test_timestamps_order_values():
    lines = [*done(0, "inc", 2, ext='{"ts":"10.5"}'), *done(1, "inc", 3, ext='{"ts":10.25}')]
    verdict = judge(Monotonic(), lines, expected="PRAM")
    assert told(verdict) == ["inc #2 (process 1) gave 3 at timestamp 10.25, and inc #0 gave 2 at the later 10.5"]
    assert (verdict.valid, verdict.counts) == (False, {"nonmonotonic-timestamp": 1})
    with pytest.raises(HistoryError, match="the timestamp 'noon' is no number"):
        judge(Monotonic(), done(0, "inc", 2, ext='{"ts":"noon"}'))
    assert judge(Monotonic(), done(0, "read", 1)).valid == "unknown"
    with pytest.raises(HistoryError, match="neither `read` nor `inc`"):
        judge(Monotonic(), put(0, "add", 2))


# replicas


def dumped(**nodes):
    return [
        line for n, (node, value) in enumerate(nodes.items()) for line in done(f"{n}@{node}", "dump", json.dumps(value).replace(" ", ""))
    ]


def test_keys_that_differ_are_told_with_their_nodes():
    verdict = judge(Replicas(), dumped(n1={"a": 1, "b": 2}, n2={"a": 1}, n3={"a": 1, "b": 3}))
    assert told(verdict) == ["b is 2 on n1 (#0); absent on n2 (#2); 3 on n3 (#4)"]
    assert verdict.facts == {"nodes": {"n1": 2, "n2": 1, "n3": 2}, "differing": 1, "unsettled": 0}
    assert judge(Replicas(), dumped(n1={"a": 1}, n2={"a": 1})).valid is True
    assert judge(Replicas(), dumped(n1={"a": 1}, n2={"a": True})).valid is False
    assert told(judge(Replicas(), dumped(n1=["x", "y"], n2=["x"]))) == ["1 is y on n1 (#0); absent on n2 (#2)"]


def test_a_write_that_may_come_between_the_dumps_leaves_its_key_open():
    crashed = ['7 invoke write {"key":"a","value":1}', '7 info write {"key":"a","value":1}']
    verdict = judge(Replicas(), [*crashed, *dumped(n1={"a": 1}, n2={})])
    assert (verdict.valid, verdict.reason) == (
        "unknown", "1 keys differ, and writes to them may have come between the dumps (the first is write #0)"
    )  # fmt: skip
    assert judge(Replicas(), [*crashed, *dumped(n1={"b": 1}, n2={})]).valid is False
    assert judge(Replicas(), ["7 invoke add 1", *dumped(n1={"b": 1}, n2={})]).valid == "unknown"
    assert judge(Replicas(), ["7 invoke add 1", "7 ok add 1", *dumped(n1={"b": 1}, n2={})]).valid is False
    assert judge(Replicas(), [*dumped(n1={"b": 1}, n2={}), *put(7, "write", '{"key":"b","value":2}')]).valid is False  # it came later
    assert judge(Replicas(), ["7 invoke read", *dumped(n1={"b": 1}, n2={})]).valid is False


def test_the_last_dump_counts_and_every_node_must_have_one():
    assert judge(Replicas(), [*dumped(n1={"a": 1}, n2={"a": 0}), *done("5@n2", "dump", '{"a":1}')]).valid is True
    assert judge(Replicas(), dumped(n1={"a": 1})).reason == "1 nodes have a dump that succeeded; two are needed to compare"
    assert judge(Replicas(), dumped(n1={"a": 1}, n2={"a": 1}), nodes=["n1", "n2", "n3"]).reason == "no dump of n3 succeeded"
    assert judge(Replicas(), dumped(n1={}, n2={})).reason == "all dumps are empty, so nothing was compared"
    for value, error in (("5", "neither a map nor a list"),):
        with pytest.raises(HistoryError, match=error):
            judge(Replicas(), [*done("0@n1", "dump", value), *done("1@n2", "dump", value)])
    with pytest.raises(HistoryError, match="a dump names no node"):
        judge(Replicas(), done(0, "dump", "{}"))


# exceptions


def test_errors_are_grouped_by_class_the_most_frequent_first():
    errors = ["timeout: 5 s", {"type": "Unavailable", "text": "x"}, ["Closed", 3], "timeout: 7 s", None, ":net-error"]
    ops = []
    for n, error in enumerate(errors):
        ops += [Op(2 * n, 0, n, "invoke", "read"), Op(2 * n + 1, 0, n, "info", "read", error=error)]
    verdict = Exceptions().check(History(ops), CheckContext())
    assert verdict.valid is True
    assert [(c["class"], c["count"], c["example"]) for c in verdict.facts["classes"]] == [
        ("timeout", 2, 1), ("Closed", 1, 5), ("Unavailable", 1, 3), ("net-error", 1, 11), ("no error was recorded", 1, 9)
    ]  # fmt: skip
    assert Exceptions().check(History([]), CheckContext()).valid == "unknown"


# files say by their ops what they are


@pytest.mark.parametrize(("lines", "model"), [
    (put(0, "transfer", '{"from":0,"to":1,"amount":2}'), "bank"),
    (done(0, "read", '{"0":10,"1":3}'), "bank"),
    (done(0, "read", "3"), "register"),
    (done(0, "read", '{"key":1,"value":3}', '{"key":1,"value":null}'), "register"),
    ([*put(0, "add", 1), *put(0, "add", 1)], "counter"),
    ([*put(0, "add", 1), *done(0, "read", 1)], "counter"),
    ([*put(0, "add", 1), *done(0, "read", "[1]")], "set-full"),
    ([*put(0, "enqueue", 1), *done(0, "drain", "[1]")], "total-queue"),
    (done(0, "generate", 1), "unique-ids"),
    ([*put(0, "write", '[["w",1,1]]'), *done(0, "read", '[["r",1,1],["r",2,null]]', '[["r",1,null],["r",2,null]]')], "long-fork"),
    ([*put(0, "write", 5), *done(0, "read", "[5]")], "causal-reverse"),
    ([*put(0, "write", 5), *done(0, "read", "5")], "register"),
    (step("read-init", 0, "init", 1), "causal"),
    (done(0, "inc", 1), "monotonic"),
    (put(0, "insert", "[1,[2,null]]"), "predicate-g2"),
    (dumped(n1={}, n2={}), "replicas"),
    (done(0, "watch", "[]", '{"from":0}'), "watch"),
    (done(0, "send", '[["send",1,[0,5]]]', '[["send",1,5]]'), "log"),
])  # fmt: skip
def test_a_file_is_recognised_by_its_ops(lines, model):
    assert infer_model(history(*lines)) == model
