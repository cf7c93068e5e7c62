"""The log checker on histories written by hand: one for each rule, what is allowed, and large ones with one fault."""

import json

import pytest

from checkers.log import Log, verify_witness
from harness.checker import CheckContext
from harness.errors import HistoryError, UsageError
from harness.history.history import History
from harness.op import Op

ASK = '[["poll"]]'


def history(*lines):
    """Lines such as `0 invoke send [["send","a",1]]`; a value has no spaces; ext may follow."""
    ops = []
    for line in lines:
        process, type_, f, value, ext = [*line.split(maxsplit=4), *["null"] * 2][:5]
        ops.append(Op(len(ops), len(ops) * 10**9, int(process), type_, f, json.loads(value), None, None, json.loads(ext)))
    return History(ops)


def compact(value):
    return json.dumps(value).replace(" ", "")


def send(process, *values, key="a", outcome="ok"):
    """Each value with its offset: (value, offset)."""
    asked = compact([["send", key, value] for value, _ in values])
    return [f"{process} invoke send {asked}", f"{process} {outcome} send {compact([['send', key, [o, v]] for v, o in values])}"]


def poll(process, *values, key="a", outcome="ok", ext="null"):
    shown = {key: [[offset, value] for value, offset in values]} if values else {}
    return [f"{process} invoke poll {ASK}", f"{process} {outcome} poll {compact([['poll', shown]])} {ext}"]


def assign(process, keys='["a"]', f="assign", ext="null"):
    return [f"{process} invoke {f} {keys}", f"{process} ok {f} {keys} {ext}"]


def judge(lines, expected="strict-serializable", **options):
    ops = lines if isinstance(lines, History) else history(*lines)
    verdict = Log(**options).check(ops, CheckContext(expected=expected))
    assert all(verify_witness(ops, anomaly) for anomaly in verdict.anomalies), verdict.anomalies
    return verdict


def three():
    return [*send(0, (1, 0)), *send(0, (2, 3)), *send(0, (3, 4))]  # gaps are legal: markers of transactions


def test_a_log_that_is_polled_in_order_is_valid():
    verdict = judge([*three(), *poll(1, (1, 0), (2, 3)), *poll(1, (3, 4))])
    assert (verdict.valid, verdict.counts) == (True, {})
    facts = {name: verdict.facts[name] for name in ("ops", "keys", "values", "acknowledged", "unseen", "consumed")}
    assert facts == {"ops": 5, "keys": 1, "values": 3, "acknowledged": 3, "unseen": 0, "consumed": {"1": 3}}


@pytest.mark.parametrize(("lines", "type_", "message"), [
    ([*poll(1, (1, 0)), *poll(2, (9, 0)), *send(3, (9, 0))], "inconsistent-offsets",
     "a: at offset 0 stand 1 (send #0 of process 0) and 9 (poll #8 of process 2)"),
    ([*poll(1, (1, 0), (2, 3), (3, 4), (1, 7))], "duplicate",
     "a: 1, which was sent once at most, stands at offset 0 (send #0 of process 0) and at offset 7 (poll #6 of process 1)"),
    ([*send(5, (8, 9), outcome="fail"), *poll(1, (1, 0), (2, 3), (3, 4), (8, 9))], "G1a",
     "a: poll #8 of process 1 polled 8, but its send #6 failed"),
    ([*poll(1, (1, 0), (2, 3), (3, 4), (8, 9))], "garbage-read", "a: poll #6 of process 1 polled 8, though nobody ever tried to send it"),
    ([*poll(1, (1, 0)), *assign(1, ext='{"seek_to_beginning":true}'), *poll(1, (3, 4))], "lost-write",
     "a: 2 was sent (#2, acknowledged at #3) and no ok op polled it, though #10 polled 3, which stands behind it"),
    ([*poll(1, (1, 0), (3, 4)), *poll(2, (2, 3))], "int-poll-skip",
     "a: poll #6 of process 1 polled 1 and next 3, though 1 other value stands between them"),
    ([*poll(1, (1, 0), (3, 4), (2, 3))], "int-nonmonotonic-poll",
     "a: poll #6 of process 1 polled 3 and next 2, which does not stand behind it in the log"),
    ([*poll(1, (1, 0)), *poll(1, (3, 4)), *poll(2, (2, 3))], "poll-skip",
     "a: process 1 polled 1 last in #6 and 3 first in #8, though 1 other value stands between them"),
    ([*poll(1, (1, 0), (2, 3), (3, 4)), *poll(1, (2, 3))], "nonmonotonic-poll",
     "a: process 1 polled 3 last in #6 and 2 first in #8, which does not stand behind it in the log"),
    ([*send(0, (4, 1)), *poll(1, (1, 0), (4, 1), (2, 3), (3, 4))], "nonmonotonic-send",
     "a: process 0 sent 3 last in #4 and 4 first in #6, which does not stand behind it in the log"),
    ([*send(7, (5, 9), (6, 8)), *poll(1, (1, 0), (2, 3), (3, 4), (6, 8), (5, 9))], "int-nonmonotonic-send",
     "a: send #6 of process 7 sent 5 and next 6, which does not stand behind it in the log"),
    ([*assign(1, ext='{"seek_to_beginning":true}'), *poll(1)], "unseen",
     "a: 1 was sent (#0, acknowledged at #1) and no ok op ever polled it, though poll #8 of process 1, whose consumer was before it, "
     "began later and gave nothing"),
])  # fmt: skip
def test_a_rule_that_is_broken_is_told(lines, type_, message):
    verdict = judge([*three(), *lines])
    assert verdict.valid is False
    assert message in [anomaly.message for anomaly in verdict.anomalies if anomaly.type == type_]


def test_a_transaction_must_not_poll_its_own_value():
    own = ['0 invoke txn [["send","a",1],["poll"]]', '0 ok txn [["send","a",[0,1]],["poll",{"a":[[0,1]]}]]']
    verdict = judge(own)
    assert verdict.counts == {"precommitted-read": 1}
    assert "which it sent itself: nobody may see that before it has committed" in verdict.anomalies[0].message


def test_two_transactions_that_poll_each_other_are_a_g1c():
    lines = [
        '0 invoke txn [["send","a",1],["poll"]]', '1 invoke txn [["send","b",2],["poll"]]',
        '0 ok txn [["send","a",[0,1]],["poll",{"b":[[0,2]]}]]', '1 ok txn [["send","b",[0,2]],["poll",{"a":[[0,1]]}]]',
    ]  # fmt: skip
    verdict = judge(lines)
    assert (verdict.counts, verdict.not_models) == ({"G1c": 1}, ["read-committed"])
    assert verdict.anomalies[0].message == (
        "T1 = txn #0 of process 0; T2 = txn #1 of process 1. "
        "T2 polled 1 of a, which T1 sent; T1 polled 2 of b, which T2 sent: a contradiction"
    )
    early = [*poll(1, (1, 0)), *send(0, (1, 0))]
    assert judge(early).counts == {"G1c-realtime": 1}
    assert judge(early, "serializable").valid is True


def test_sends_of_transactions_may_interleave():
    lines = [
        '0 invoke send [["send","a",1],["send","a",2]]', '1 invoke send [["send","a",3],["send","b",4]]',
        '0 ok send [["send","a",[0,1]],["send","a",[2,2]]]', '1 ok send [["send","a",[1,3]],["send","b",[0,4]]]',
        *poll(2, (1, 0), (3, 1), (2, 2)), *poll(2, (4, 0), key="b"),
    ]  # fmt: skip
    verdict = judge(lines)
    assert (verdict.valid, verdict.counts) == (True, {"G0": 1, "int-send-skip": 1})
    assert "strict-serializable allows what was found" in verdict.reason


def test_a_consumer_that_is_given_keys_moves():
    back = [*three(), *assign(1, f="subscribe"), *poll(1, (1, 0), (2, 3), (3, 4)), *poll(1, (2, 3))]
    assert (judge(back).valid, judge(back).counts) == (True, {"nonmonotonic-poll": 1})
    again = [*three(), *assign(1), *poll(1, (1, 0), (2, 3), (3, 4)), *assign(1, ext='{"seek_to_beginning":true}'), *poll(1, (1, 0))]
    assert judge(again).counts == {}
    kept = [*three(), *assign(1), *poll(1, (1, 0), (2, 3), (3, 4)), *assign(1), *poll(1, (1, 0))]
    assert judge(kept).counts == {"nonmonotonic-poll": 1}
    dropped = [*three(), *assign(1), *poll(1, (1, 0), (2, 3), (3, 4)), *assign(1, '["b"]'), *assign(1), *poll(1, (1, 0))]
    assert judge(dropped).counts == {}
    moved = [*three(), *poll(1, (1, 0), (3, 4), ext='{"rebalanced":["a"]}'), *poll(2, (2, 3))]
    assert judge(moved).counts == {}
    crashed = [*three(), *poll(1, (1, 0), (2, 3), (3, 4)), "1 invoke crash", "1 ok crash", *poll(1, (1, 0))]
    assert judge(crashed).counts == {}


def test_polls_of_failed_transactions_count_for_the_log_and_a_crashed_send_that_was_polled_has_committed():
    shown = [*three(), *poll(1, (1, 0), (2, 3), outcome="fail"), *poll(1, (1, 0), (2, 3), (3, 4))]
    assert judge(shown).valid is True
    both = '4 invoke send [["send","a",6],["send","a",7]]'
    crashed = [both, '4 info send [["send","a",[5,6]],["send","a",[6,7]]]', *send(0, (8, 7)), *poll(1, (6, 5)), *poll(2, (8, 7))]
    verdict = judge(crashed)
    assert verdict.counts == {"lost-write": 1}
    assert "committed, since another of its values was polled" in verdict.anomalies[0].message


def test_keys_of_maps_are_strings_and_numbers_are_their_names():
    lines = ['0 invoke send [["send",1,5]]', '0 ok send [["send",1,[0,5]]]', *poll(1, (5, 0), key="1")]
    assert judge(lines).valid is True


def test_what_nobody_polled_is_unknown_until_something_shows_that_it_is_not_there():
    open_ = judge([*three(), *poll(1, (1, 0))])
    assert (open_.valid, open_.facts["unseen"]) == ("unknown", 2)
    assert open_.reason == "2 acknowledged values were never polled (first 2 of a, #2), and no poll came past them"
    assert judge([*three(), *poll(1, (1, 0))], final=True).counts == {"unseen": 2}
    assert judge(three()).valid == "unknown"
    early = [*assign(1, ext='{"seek_to_beginning":true}'), *poll(1), *three(), *poll(2, (1, 0))]
    assert judge(early).valid == "unknown"  # the empty poll came before the sends
    subscribed = [*three(), *poll(2, (1, 0)), *assign(1, f="subscribe", ext='{"seek_to_beginning":true}'), *poll(1)]
    assert judge(subscribed).valid == "unknown"  # perhaps it was given no key
    behind = [*three(), *assign(1), *poll(1, (1, 0)), *poll(1)]
    assert judge(behind).counts == {"unseen": 2}


def test_a_value_that_is_sent_twice_has_no_known_writer():
    verdict = judge([*three(), *send(5, (1, 9)), *poll(1, (1, 0), (2, 3), (3, 4), (1, 9))])
    assert (verdict.valid, verdict.reason) == ("unknown", "1 is sent to a twice (#0 and #6): a poll of it does not say which one it saw")


def test_a_value_that_stands_twice_has_no_certain_place():
    hidden = [*send(0, (5, None)), *send(0, (6, 4)), *poll(1, (6, 4), (5, 6)), *poll(2, (5, 9), outcome="fail")]
    assert judge(hidden).counts == {"duplicate": 1}  # whether 6 was sent behind 5, nobody knows
    perhaps = [*three(), *poll(2, (2, 3), (2, 20), outcome="fail"), *poll(1, (1, 0)), *assign(1), *poll(1, (3, 4))]
    assert "lost-write" not in judge(perhaps).counts  # a consumer may still come to its second place


def test_the_lag_of_polls_is_at_least_the_time_for_which_the_next_value_was_known():
    facts = judge([*three(), *poll(1, (1, 0)), *poll(2, (1, 0), (2, 3), (3, 4))]).facts
    assert facts["worst_lag"] == {"ms": 3000.0, "key": "a", "op": 6, "process": 1}
    assert facts["lag_ms"]["0"] == 0.0
    assert facts["unseen_over_time"][-1] == [9000.0, 0]


@pytest.mark.parametrize(("lines", "error"), [
    (["0 invoke write 1"], "op 0: 'write' is none of a log's ops"),
    (['0 invoke assign "a"'], "op 0: assign of 'a', not a list of keys"),
    (["0 invoke send 1"], "op 0: its value is '1', not a list"),
    (['0 invoke send [["w","a",1]]'], "op 0: .* is no micro-op of a log"),
    (['0 invoke send [["send","a",1]]', '0 ok send [["send","a",[0,2]]]'], r"op 1: it sent '1' and completed '\[0, 2\]'"),
    (['0 invoke send [["send","a",1]]', '0 ok send [["send","a",["x",1]]]'], "op 1: the offset 'x' is no whole number"),
    ([f"0 invoke poll {ASK}", '0 ok poll [["poll",[1]]]'], r"op 1: a poll gave '\[1\]', not a map"),
    ([f"0 invoke poll {ASK}", '0 ok poll [["poll",{"a":[1]}]]'], "op 1: a poll gave '1' at a, not"),
    ([f"0 invoke poll {ASK}", "0 ok poll []"], "op 0: it asked for 1 micro-ops and completed 0"),
])  # fmt: skip
def test_what_is_out_of_shape_is_refused(lines, error):
    with pytest.raises(HistoryError, match=error):
        judge(lines)


def test_an_option_that_is_none_is_refused():
    with pytest.raises(UsageError, match="-o final=true"):
        Log(final="yes")


def large(values=3000, keys=5):
    """Sends in turn to some keys, polled in batches by two consumers that have all of them."""
    lines = [line for p in (8, 9) for line in assign(p, compact([f"k{k}" for k in range(keys)]), ext='{"seek_to_beginning":true}')]
    logs = {f"k{k}": [] for k in range(keys)}
    for n in range(values):
        key = f"k{n % keys}"
        logs[key].append([len(logs[key]) * 2, n])
        lines += send(n % 4, (n, logs[key][-1][0]), key=key)
        if n % 100 == 99:
            for process in (8, 9):
                shown = {key: log[-20:] for key, log in logs.items()}
                lines += [f"{process} invoke poll {ASK}", f"{process} ok poll {compact([['poll', shown]])}"]
    return history(*lines)


def test_a_large_log_is_valid_and_each_planted_fault_is_named():
    assert judge(large()).valid is True
    skipped = large()
    for op in [op for op in skipped.ops if op.f == "poll" and op.type == "ok"][20:22]:
        del op.value[0][1]["k2"][5]
    assert judge(skipped).counts == {"int-poll-skip": 2, "lost-write": 1}
    doubled = large()
    [op for op in doubled.ops if op.f == "poll" and op.type == "ok"][-1].value[0][1]["k1"].append([9999, 1])
    assert judge(doubled).counts == {"duplicate": 1}
