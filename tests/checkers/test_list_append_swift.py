"""The fast road says "valid" only of histories that the exact rules find valid, and it says so of ordinary ones."""

import random

import msgspec
import pytest

from checkers.list_append import ListAppend, checker
from checkers.list_append.arrays import lists_of
from checkers.list_append.checker import judge
from checkers.list_append.swift import evidently_valid
from checkers.transactions.txns import read_txns
from harness.checker import CheckContext
from harness.errors import HistoryError
from harness.history.history import History
from harness.op import Op
from tests.checkers.histories_list_append import valid_history
from tests.checkers.oracle_list_append import random_history
from tests.checkers.test_list_append import ONE_OF_EACH


def swiftly(history):
    lists = lists_of(history)
    assert lists is not None
    return evidently_valid(lists)


def exactly(history):
    verdict = judge(read_txns(history), "strict-serializable")
    return verdict.valid is True and not verdict.counts


@pytest.mark.parametrize("seed", range(3))
def test_it_never_calls_valid_what_is_not(seed):
    said = {True: 0, False: 0}
    for i in range(700):
        rng = random.Random(seed * 10**6 + i)
        history = random_history(rng) if i % 2 else valid_history(rng.randint(1, 9), i, clients=3, keys=2, stale=0.2 * (i % 3))
        swift, exact = swiftly(history), exactly(history)
        assert exact or not swift, (seed, i)
        said[exact] += 1
        said["missed"] = said.get("missed", 0) + (exact and not swift)
    assert said[False] > 200 and said[True] > 200
    assert said["missed"] < 0.1 * said[True]  # unknown writers that committed before they read, and the like


@pytest.mark.parametrize("type_", ONE_OF_EACH)
def test_it_leaves_every_anomaly_to_the_exact_rules(type_):
    half = valid_history(200, seed=1).ops[:250]
    planted = ONE_OF_EACH[type_]
    ops = [*half, *(msgspec.structs.replace(op, index=op.index + 250, process=op.process + 10**6) for op in planted.ops)]
    ops = [msgspec.structs.replace(op, value=[[f, str(k), v] for f, k, v in op.value]) for op in ops]
    assert not swiftly(History(ops))


def test_large_valid_histories_are_evidently_valid():
    for seed in range(3):
        assert swiftly(valid_history(2000, seed))
        assert not swiftly(valid_history(2000, seed, stale=0.02))


def test_a_history_without_reads_is_left_to_the_exact_rules():
    assert not swiftly(History([]))


def test_odd_keys_and_elements_stay_apart():
    def rename(op):
        return msgspec.structs.replace(op, value=[[f, [k], odd(v) if f == "append" else v and [*map(odd, v)]] for f, k, v in op.value])

    def odd(element):
        return [1, 1.0, True, "1", None, 1 << 70][element] if element < 6 else {"n": element}

    history = valid_history(300, seed=5)
    assert swiftly(History([rename(op) for op in history.ops]))
    big = [msgspec.structs.replace(op, value=[[f, k, [v] if f == "r" else v] for f, k, v in op.value]) for op in history.ops]
    assert not swiftly(History(big))  # lists of lists that nobody appended


@pytest.mark.parametrize("value", [None, 5, [["w", 1, 2]], [["r", 1, 7]], [["append", 1]]])
def test_an_irregular_history_has_no_arrays(value):
    ops = [Op(0, 0, 0, "invoke", "txn", [["r", 1, None]]), Op(1, 0, 0, "ok", "txn", value)]
    assert lists_of(History(ops)) is None
    assert lists_of(History(ops[1:])) is None
    assert lists_of(History([ops[0], ops[0]])) is None


def test_both_roads_give_the_same_verdict(monkeypatch):
    history = valid_history(2000, seed=4)
    exact = ListAppend().check(history, CheckContext())
    monkeypatch.setattr(checker, "LARGE", 0)
    monkeypatch.setattr(checker, "read_txns", None)  # the exact road is closed
    assert ListAppend().check(history, CheckContext()) == exact
    monkeypatch.undo()
    monkeypatch.setattr(checker, "LARGE", 0)
    broken = History([*history.ops, Op(len(history), 0, 77, "ok", "txn", [])])
    with pytest.raises(HistoryError, match="process 77 completes"):
        ListAppend().check(broken, CheckContext())
