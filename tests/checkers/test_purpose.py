"""The purpose-made checkers on histories written by hand: the sentence, the reason, the error, the models."""

import json

import pytest

from checkers.acts import acts, acts_by_key
from checkers.bank import Bank
from checkers.causal_reverse import CausalReverse
from checkers.counter import Counter
from checkers.long_fork import LongFork
from checkers.predicate_g2 import PredicateG2
from checkers.total_queue import TotalQueue
from checkers.unique_ids import UniqueIds
from harness.errors import HistoryError, UsageError
from tests.checkers.lines_purpose import done, history, judge, put, told

# unique ids


def test_an_id_that_is_given_out_twice_is_told_with_both_who_got_it():
    verdict = judge(UniqueIds(), [*done("0@n1", "generate", 7), *done("1@n2", "generate", 8), *done("1@n2", "generate", 7)])
    assert (verdict.valid, verdict.counts) == (False, {"duplicate-id": 1})
    assert told(verdict) == ["the id 7 was given out 2 times: to #0 on n1 (process 0) and #4 on n2 (process 1)"]
    assert verdict.facts == {"attempted": 3, "acknowledged": 3, "duplicated": {"7": 2}, "range": [7, 8]}


def test_ids_are_compared_by_type_and_belong_to_their_key():
    same = [*done(0, "generate", 1), *done(0, "generate", "true"), *done(0, "generate", '"1"'), *done(0, "generate", "1.0")]
    assert judge(UniqueIds(), same).valid is True
    keyed = '{"key":"%s","value":%s}'
    asked = [keyed % (key, "null") for key in "ab"]
    assert (
        judge(UniqueIds(), [*done(0, "generate", keyed % ("a", 1), asked[0]), *done(0, "generate", keyed % ("b", 1), asked[1])]).valid
        is True
    )


def test_no_id_is_unknown_and_another_op_is_refused():
    assert judge(UniqueIds(), ["0 invoke generate", "0 info generate"]).valid == "unknown"
    with pytest.raises(HistoryError, match="op 1: 'read' is not `generate`"):
        judge(UniqueIds(), done(0, "read"))


def test_all_findings_are_counted_and_eight_of_a_type_are_shown():
    verdict = judge(UniqueIds(), [line for n in range(11) for _ in range(2) for line in done(0, "generate", n)])
    assert (verdict.counts, len(verdict.anomalies)) == ({"duplicate-id": 11}, 8)
    assert told(verdict)[0].startswith("the id 0 was")


def test_only_an_op_that_certainly_happened_gave_something():
    asked = '{"key":1,"value":null}'
    keyed = [f"0 invoke read {asked}", '0 fail read {"key":1,"value":5}', f"1 invoke read {asked}", "2 invoke read 3"]
    seen = acts_by_key(history(*keyed, '1 info read {"key":1,"value":6}', "2 ok read 4"))
    assert {key: [(act.given, act.outcome) for act in of] for key, of in seen.items()} == {
        1: [(None, "fail"), (None, "info")],
        None: [(4, "ok")],
    }
    assert [act.ops for act in acts(history(*keyed))] == [[0, 1], [2], [3]]


def test_jepsens_independent_keys_are_tuples():
    keyed = [*put(0, "add", "[7,3]"), *done(1, "read", "[7,3]", "[7,null]"), *put(0, "add", "[8,1]"), *done(1, "read", "[8,5]", "[8,null]")]
    verdict = judge(Counter(), keyed)
    assert (verdict.counts, verdict.anomalies[0].key) == ({"impossible-value": 1}, 8)
    with pytest.raises(HistoryError, match=r"op 2: '4' is not \[key, value\]"):
        judge(Counter(), [*keyed[2:4], *put(0, "add", 4)])


# counter


def test_a_read_outside_its_bounds_is_told_with_the_bound():
    verdict = judge(Counter(), [*put(0, "add", 5), *done(1, "read", 3), *put(0, "add", 5), *done(1, "read", 10)])
    assert told(verdict) == ["read #2 gave 3, but at least 5 must have been there by then"]
    assert (verdict.counts, verdict.not_models, verdict.facts["furthest"]) == ({"counter-out-of-bounds": 1}, ["linearizable"], 2)
    assert judge(Counter(), [*put(0, "add", 5), *done(1, "read", 0)], expected="sequential").valid is True


def test_an_add_of_unknown_outcome_may_happen_late_and_a_failed_one_never_did():
    late = ["0 invoke add 2", "0 info add 2", *done(1, "read", 0), *done(1, "read", 2)]
    assert judge(Counter(), late).valid is True
    verdict = judge(Counter(), ["0 invoke add 2", "0 fail add 2", *done(1, "read", 2)])
    assert verdict.counts == {"impossible-value": 1}
    assert "at most 0 can have been added and taken away at any time" in told(verdict)[0]
    assert judge(Counter(), ["0 invoke add 2", "0 fail add 2", *done(1, "read", 2)], expected="sequential").valid is False


def test_a_decrement_lowers_the_lower_bound_as_soon_as_it_may_have_happened():
    during = ["0 invoke read", *put(1, "add", -1), "0 ok read -1"]
    assert judge(Counter(), during).valid is True
    before = [*put(1, "add", 3), *put(1, "add", -1), *done(0, "read", 3)]
    assert told(judge(Counter(), before)) == ["read #4 gave 3, but at most 2 can have been there by then"]


def test_a_counter_that_is_only_added_to_never_goes_back_though_each_read_lies_in_its_bounds():
    lines = ["0 invoke add 1", *done(1, "read", 1), *done(2, "read", 0)]
    verdict = judge(Counter(), lines)
    assert told(verdict) == ["read #3 gave 0, though read #1, which ended before it began, gave 1; nothing is ever taken away"]
    assert verdict.counts == {"counter-went-back": 1}
    between = ["0 invoke add 1", "1 invoke add 1", *done(2, "read", 1), *put(3, "add", 5), *done(2, "read", 5)]
    assert "gave 1, and 5 more was certainly added between them" in told(judge(Counter(), between))[0]


def test_adds_alone_break_nothing_in_a_file_and_are_unknown_in_a_run():
    assert judge(Counter(), put(0, "add", 1)).valid is True
    assert judge(Counter(), put(0, "add", 1)).reason == "no read succeeded, so nobody knows what the counter was"
    assert judge(Counter(), put(0, "add", 1), is_run=True).valid == "unknown"
    assert judge(Counter(), []).valid == "unknown"


@pytest.mark.parametrize(("lines", "error"), [
    (put(0, "add", '"1"'), "op 1: add has '1' where a whole number must stand"),
    (put(0, "add", "true"), "op 1: add has 'True'"),
    (done(0, "read", "null"), "op 1: read has 'None'"),
    (put(0, "cas", 1), "op 1: 'cas' is neither"),
])  # fmt: skip
def test_what_is_no_counter_is_refused(lines, error):
    with pytest.raises(HistoryError, match=error):
        judge(Counter(), lines)


# bank


def balances(**accounts):
    return json.dumps(accounts).replace(" ", "")


def test_the_first_rule_that_a_read_breaks_is_told():
    options = {"total": 20, "accounts": ["a", "b"]}
    cases = {
        balances(a=10, b=9, c=None): "has c, which the bank does not have",
        balances(a=10, b=None): "has no balance for b",
        balances(a=10, b=9): "has 19 in all, but there is 20",
        balances(a=21, b=-1): "has a debt: b: -1",
    }
    for read, words in cases.items():
        assert told(judge(Bank(**options), done("0@n1", "read", read))) == [f"read #0 on n1 {words}"]
    assert judge(Bank(**options, negative=True), done(0, "read", balances(a=21, b=-1))).valid is True
    assert judge(Bank(total=20), done(0, "read", balances(a=10, b=10, c=0))).valid is True


def test_without_a_total_two_reads_with_different_totals_are_wrong_together():
    verdict = judge(Bank(), [*done(0, "read", balances(a=10, b=10)), *done(1, "read", balances(a=10, b=11))])
    assert told(verdict) == ["read #2 has 21 in all, but read #0 had 20, and transfers keep the total"]
    assert verdict.not_models == ["consistent-view", "parallel-snapshot-isolation"]
    assert judge(Bank(), done(0, "read", balances(a=10))).reason == "no total was given: reads were compared with the first one's, 10"


def test_read_committed_allows_a_wrong_total_and_no_model_an_account_that_there_is_not():
    wrong = done(0, "read", balances(a=1))
    assert judge(Bank(total=2), wrong, expected="read-committed").valid is True
    assert judge(Bank(total=2), wrong, expected="snapshot-isolation").valid is False
    assert judge(Bank(total=1, accounts=["b"]), wrong, expected="read-committed").valid is False


def test_the_figures_name_the_first_the_worst_and_the_last():
    reads = [line for total in (9, 4, 10, 8) for line in done(0, "read", balances(a=total))]
    facts = judge(Bank(total=10), reads).facts
    assert facts["wrong-total"] == {"count": 3, "first": 1, "worst": 3, "last": 7}
    assert (facts["lowest_total"], facts["highest_total"], facts["reads"]) == (4, 10, 4)


def test_a_bank_refuses_what_is_none():
    assert judge(Bank(), ["0 invoke read", "0 fail read"]).valid == "unknown"
    with pytest.raises(HistoryError, match="not a map from account to balance"):
        judge(Bank(), done(0, "read", "[1]"))
    with pytest.raises(HistoryError, match="the balance of a is '1', not a whole number"):
        judge(Bank(), done(0, "read", balances(a="1")))
    with pytest.raises(HistoryError, match="'write' is neither"):
        judge(Bank(), put(0, "write", 1))
    for options in ({"total": "100"}, {"accounts": "a"}, {"negative": "yes"}):
        with pytest.raises(UsageError):
            Bank(**options)


# total queue


def test_what_went_in_and_never_came_out_is_lost_once_the_queue_was_found_empty():
    lines = [*put(0, "enqueue", 1), *put(0, "enqueue", 2), *done(1, "dequeue", 1), *done("1@n3", "drain", "[]")]
    verdict = judge(TotalQueue(), lines)
    assert told(verdict) == [
        "2 (#2, acknowledged at #3) went in, but neither drain #6 on n3, which began later and found the queue empty, "
        "nor any other op gave it"
    ]
    assert verdict.facts == {
        "attempted": 2, "acknowledged": 2, "dequeued": 1, "lost": 1, "unexpected": 0, "duplicated": 0, "recovered": 0
    }  # fmt: skip
    assert judge(TotalQueue(), [*put(0, "enqueue", 1), *done(1, "dequeue", "null")], expected="sequential").valid is False
    inside = judge(TotalQueue(), [*put(0, "enqueue", 1), *put(0, "enqueue", 2), *done(1, "dequeue", 1)])
    assert (inside.valid, "a final drain is missing" in inside.reason) == ("unknown", True)
    late = ["1 invoke drain", *put(0, "enqueue", 1), "1 ok drain []"]
    assert judge(TotalQueue(), late).valid == "unknown"


def test_a_crashed_dequeue_excuses_one_element_and_a_crashed_drain_all():
    two = [*put(0, "enqueue", 1), *put(0, "enqueue", 2)]
    crashed = ["5 invoke dequeue", "5 info dequeue"]
    assert judge(TotalQueue(), [*put(0, "enqueue", 1), *crashed, *done(1, "drain", "[]")]).valid == "unknown"
    verdict = judge(TotalQueue(), [*two, *crashed, *done(1, "drain", "[]")])
    assert verdict.counts == {"lost-write": 1}
    assert "nor any other op gave them, and the 1 dequeues without a known outcome can have taken one each" in told(verdict)[0]
    drained = judge(TotalQueue(), [*two, "5 invoke drain", *done(1, "drain", "[]")])
    assert (drained.valid, "drain #4, of unknown outcome, may have taken them" in drained.reason) == ("unknown", True)
    assert judge(TotalQueue(), [*two, "5 invoke drain", "5 fail drain", *done(1, "drain", "[]")]).valid is False


def test_elements_from_nowhere_break_every_queue_and_duplicates_only_exactly_once():
    phantom = judge(TotalQueue(), [*done(0, "dequeue", 9), *put(1, "enqueue", 9), *done(0, "drain", "[9]")])
    assert told(phantom) == ["dequeue #0 gave 9, but its first enqueue began later (#2)"]
    failed = judge(TotalQueue(), ["0 invoke enqueue 1", "0 fail enqueue 1", *done(0, "dequeue", 1)])
    assert told(failed) == ["dequeue #2 gave 1, but no enqueue of it can have happened"]
    twice = [*put(0, "enqueue", 1), *done(0, "dequeue", 1), *done(1, "drain", "[1]")]
    allowed = judge(TotalQueue(), twice)
    assert (allowed.valid, allowed.counts, allowed.not_models) == (True, {"duplicate-element": 1}, [])
    verdict = judge(TotalQueue("exactly-once"), twice)
    assert told(verdict) == ["1 went in 1 times at most, and came out 2 times, lastly of dequeue #2 and drain #4"]
    assert verdict.valid is False


def test_an_element_whose_enqueue_crashed_is_recovered_when_it_comes_out():
    lines = ["0 invoke enqueue 1", "0 info enqueue 1", *done(1, "dequeue", 1), *done(1, "drain", "[]")]
    assert judge(TotalQueue(), lines).facts["recovered"] == 1
    assert judge(TotalQueue(), lines).valid is True
    assert judge(TotalQueue(), done(1, "drain", "[]")).valid == "unknown"


def test_a_queue_refuses_what_is_none():
    with pytest.raises(HistoryError, match="none of enqueue, dequeue and drain"):
        judge(TotalQueue(), done(0, "peek"))
    with pytest.raises(HistoryError, match="a drain gave '1'"):
        judge(TotalQueue(), done(0, "drain", 1))
    with pytest.raises(UsageError, match="at-least-once, exactly-once"):
        TotalQueue("twice")


# predicate G2


def test_two_inserts_of_one_key_are_a_g2_and_what_more_their_order_rules_out():
    insert = ["[7,[1,null]]", "[7,[null,2]]"]
    both = judge(PredicateG2(), [f"0 invoke insert {insert[0]}", f"1 invoke insert {insert[1]}", f"0 ok insert {insert[0]}",
                                 f"1 ok insert {insert[1]}"])  # fmt: skip
    assert told(both) == ["7: insert #0 (process 0) and insert #1 (process 1) both found the key free and both succeeded: "
                          "each must have read before the other wrote"]  # fmt: skip
    assert (both.counts, both.not_models) == ({"G2": 1}, ["serializable"])
    ordered = judge(PredicateG2(), [*put(0, "insert", insert[0]), *put(1, "insert", insert[1])])
    assert (ordered.anomalies[0].kind, "strong-snapshot-isolation" in ordered.not_models) == ("realtime", True)
    own = judge(PredicateG2(), [*put(0, "insert", insert[0]), *put(0, "insert", insert[1])])
    assert (own.anomalies[0].kind, "strong-session-snapshot-isolation" in own.not_models) == ("process", True)
    concurrent = [f"{p} invoke insert {insert[p]}" for p in (0, 1)] + [f"{p} ok insert {insert[p]}" for p in (0, 1)]
    assert judge(PredicateG2(), concurrent, expected="snapshot-isolation").valid is True


def test_one_insert_alone_tells_nothing_and_one_that_gave_up_does():
    assert judge(PredicateG2(), put(0, "insert", "[7,[1,null]]")).valid == "unknown"
    gave_up = ["1 invoke insert [7,[null,1]]", "1 fail insert [7,[null,1]]"]
    assert judge(PredicateG2(), [*put(0, "insert", "[7,[1,null]]"), *gave_up]).valid is True
    for value, error in (("7", "names no key"), ("[1]", "names no key")):
        with pytest.raises(HistoryError, match=error):
            judge(PredicateG2(), put(0, "insert", value))


# causal reverse


def test_a_read_that_has_the_later_row_and_lacks_the_earlier_one():
    verdict = judge(CausalReverse(), [*put(0, "write", 1), *put(1, "write", 2), *done("2@n1", "read", "[2]")])
    assert told(verdict) == ["read #4 on n1 has 2 (written by #2) and lacks 1, whose write #0 had ended at #1, before that one began"]
    assert (verdict.anomalies[0].kind, verdict.not_models) == ("realtime", ["strong-snapshot-isolation"])
    assert (
        judge(CausalReverse(), [*put(0, "write", 1), *put(1, "write", 2), *done(2, "read", "[2]")], expected="serializable").valid is True
    )
    own = judge(CausalReverse(), [*put(0, "write", 1), *put(0, "write", 2), *done(2, "read", "[2]")])
    assert (own.anomalies[0].kind, own.not_models) == ("process", ["strong-session-snapshot-isolation"])
    overlap = ["0 invoke write 1", *put(1, "write", 2), "0 ok write 1", *done(2, "read", "[2]")]
    assert judge(CausalReverse(), overlap).valid is True


def test_a_row_from_nowhere_is_a_phantom():
    assert told(judge(CausalReverse(), done(0, "read", "[5]"))) == ["read #0 has 5, but no write of it can have happened"]
    early = [*done(0, "read", "[5]"), *put(0, "write", 5)]
    assert told(judge(CausalReverse(), early)) == ["read #0 has 5, but its first write began later (#2)"]
    assert judge(CausalReverse(), done(0, "read", "null")).valid == "unknown"
    with pytest.raises(HistoryError, match="a read gave '5'"):
        judge(CausalReverse(), done(0, "read", 5))
    with pytest.raises(HistoryError, match="'cas' is neither"):
        judge(CausalReverse(), put(0, "cas", 5))


# long fork


def fork_read(process, a, b):
    return done(process, "txn", f'[["r","a",{a}],["r","b",{b}]]', '[["r","a",null],["r","b",null]]')


def test_two_reads_that_see_two_writes_in_opposite_orders():
    writes = [*put(0, "txn", '[["w","a",1]]'), *put(1, "txn", '[["w","b",1]]')]
    forked = [*writes, *fork_read(2, 1, "null"), *fork_read(3, "null", 1)]
    verdict = judge(LongFork(), [*forked, *fork_read(3, 1, 1), *fork_read(4, "null", "null")])
    assert told(verdict) == [
        "read #4 sees a written and b not; read #6 sees b written and a not: no single order of the two writes explains both"
    ]
    assert (verdict.counts, verdict.not_models) == ({"long-fork": 1}, ["prefix", "repeatable-read"])
    assert verdict.facts == {"reads": 4, "groups": 1, "early": 1, "late": 1, "unknown": 0}
    psi = judge(LongFork(), forked, expected="parallel-snapshot-isolation")
    assert (psi.valid, psi.reason) == (True, "parallel-snapshot-isolation allows what was found: long-fork ×1")
    assert judge(LongFork(), [*writes, *fork_read(2, 1, "null"), *fork_read(3, 1, 1)]).valid is True


def test_a_key_written_twice_orders_nothing_and_values_from_nowhere_are_told():
    twice = [*put(0, "txn", '[["w","a",1]]'), *put(1, "txn", '[["w","a",1]]'), *fork_read(2, 1, "null")]
    assert judge(LongFork(), twice).reason == "a is written twice (#0, #2): seeing it orders nothing"
    assert told(judge(LongFork(), fork_read(2, 1, "null"))) == ["read #0 found 1 in a, but nobody tried to write that"]
    failed = ['0 invoke txn [["w","a",1]]', '0 fail txn [["w","a",1]]', *fork_read(2, 1, "null")]
    assert told(judge(LongFork(), failed)) == ["read #2 found 1 in a, but the write of that (#0) failed"]
    assert judge(LongFork(), [*put(0, "txn", '[["w","a",1]]')]).reason == "no read of a group succeeded"
    assert judge(LongFork(), fork_read(0, "null", "null")).reason == "no read saw a write, so nothing was observed"


def test_an_illegal_history_of_groups_is_refused():
    with pytest.raises(HistoryError, match="op 0: the transaction reads and writes"):
        judge(LongFork(), put(0, "txn", '[["w","a",1],["r","a",1]]'))
    with pytest.raises(HistoryError, match="op 0: the transaction reads 2 keys; a group has 3"):
        judge(LongFork(3), fork_read(0, 1, 1))
    with pytest.raises(HistoryError, match="op 2: the transaction reads 1 keys; a group has 2"):
        judge(LongFork(), [*fork_read(0, 1, 1), *put(0, "txn", '[["r","a",1]]')])
    with pytest.raises(HistoryError, match="op 0: the transaction reads 3 keys; a group has 2"):
        judge(LongFork(2), put(0, "txn", '[["r","a",1],["r","b",1],["r","a",1]]'))
    with pytest.raises(UsageError):
        LongFork(0)
