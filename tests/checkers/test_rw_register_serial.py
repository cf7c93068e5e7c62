"""The fast road of rw-register: an order is only said to exist where it does, plain and compiled loops find the same, ordinary histories
are found valid."""

import random

import msgspec
import pytest

from checkers.rw_register import RwRegister, checker, swift
from checkers.rw_register.checker import judge
from checkers.rw_register.compiled import as_arrays, compiled
from checkers.rw_register.serial_order import PLAIN, Steps, explains, serial_order, steps_of
from checkers.rw_register.swift import evident, has_serial_order
from checkers.transactions.txns import read_register_txns
from harness.checker import CheckContext
from harness.history.history import History
from harness.history.txn_columns import read_txn_columns
from tests.checkers.oracle_rw_register import holding, random_history
from tests.checkers.test_list_append import serial
from tests.checkers.test_rw_register import ONE_OF_EACH
from tests.checkers.test_rw_register_large import valid_history


def columns_of(history):
    ops = [msgspec.structs.replace(op, value=[[f, str(k), v] for f, k, v in op.value]) for op in history.ops]
    return read_txn_columns(b"".join(msgspec.json.encode(op) + b"\n" for op in ops), 0, edn=False, ours=False)


def with_columns(history):
    read = History(history.ops)
    read.txns = columns_of(history)
    return read


@pytest.mark.parametrize("seed", range(3))
def test_an_order_exists_where_it_is_said_to(seed):
    said = {True: 0, False: 0}
    for i in range(250):
        rng = random.Random(seed * 10**6 + i)
        history = random_history(rng)
        found = has_serial_order(read_register_txns(history))
        if "strict-serializable" in holding(history):
            said[found] += 1
        else:
            assert not found, (seed, i)
    assert said[True] > 40 and said[False] < 0.25 * said[True]  # nothing read, or unknown writers that report reads: left to the search


@pytest.mark.parametrize("seed", range(3))
def test_an_order_that_was_altered_explains_nothing(seed):
    steps = steps_of(read_register_txns(valid_history(60, seed, clients=4, keys=2)))
    order = serial_order(steps)
    assert explains(steps, order)
    assert not explains(steps, order[:-1]) and not explains(steps, [*order, order[0]])
    assert not explains(steps, order[::-1])
    position = {txn: place for place, txn in enumerate(order)}
    txn = next(t for t in order if any(steps.writer[v] >= 0 for v in steps.read[steps.read_at[t] : steps.read_at[t + 1]]))
    first = next(v for v in steps.read[steps.read_at[txn] : steps.read_at[txn + 1]] if steps.writer[v] >= 0)
    order[position[txn]], order[position[steps.writer[first]]] = steps.writer[first], txn
    assert not explains(steps, order)


def test_an_order_must_keep_real_time():
    steps = steps_of(read_register_txns(serial((0, [["r", "x", None]]), (1, [["r", "y", None]]))))
    assert serial_order(steps) == [0, 1] and explains(steps, [0, 1]) and not explains(steps, [1, 0])


@pytest.mark.parametrize("clients", [2, 6, 20])
def test_plain_and_compiled_loops_find_the_same_order(clients):
    for seed in range(4):
        txns = read_register_txns(valid_history(700, seed, clients=clients, keys=5))
        steps, arrays = steps_of(txns), as_arrays(steps_of(txns))
        order = serial_order(steps)
        assert order is not None and list(serial_order(arrays, compiled())) == order
        assert explains(steps, order) and explains(arrays, serial_order(arrays, compiled()), compiled())


def test_compiled_and_plain_loops_give_up_alike():
    for i in range(150):
        steps = steps_of(read_register_txns(random_history(random.Random(i))))
        if steps is not None:
            order, again = serial_order(steps, PLAIN), serial_order(as_arrays(steps), compiled())
            assert (order is None) == (again is None) and (order is None or order == list(again))


def test_columns_give_the_same_steps_as_transactions():
    kinds = set()
    for i in range(200):
        history = valid_history(40, i, clients=4, keys=3) if i % 4 == 0 else random_history(random.Random(i))
        named = History([msgspec.structs.replace(op, value=[[f, str(k), v] for f, k, v in op.value]) for op in history.ops])
        columns = columns_of(history)
        plain = steps_of(read_register_txns(named))
        from checkers.rw_register.arrays import steps_from

        assert columns is not None
        made = steps_from(columns)
        kinds.add(plain is None)
        assert (plain is None) == (made is None), i
        if plain is not None:
            for field in Steps._fields:
                if field != "rank":  # versions of one moment may stand in either order
                    assert list(getattr(plain, field)) == list(getattr(made, field)), (i, field)
    assert kinds == {True, False}


def test_all_roads_give_the_same_verdict(monkeypatch):
    history = valid_history(900, seed=4)
    exact = RwRegister().check(history, CheckContext())
    assert exact.valid is True
    large = with_columns(history)
    with monkeypatch.context() as patch:
        patch.setattr(checker, "read_register_txns", None)  # the exact road is closed
        assert RwRegister().check(large, CheckContext()) == exact
    with monkeypatch.context() as patch:
        patch.setattr(swift, "LARGE", 10)
        assert judge(read_register_txns(history), "strict-serializable") == exact

    def nowhere():
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr("checkers.rw_register.compiled.compiled", nowhere)
    monkeypatch.setattr(swift, "LARGE", 10)
    assert evident(large) is None
    assert RwRegister().check(large, CheckContext()) == exact


@pytest.mark.parametrize("type_", ONE_OF_EACH)
def test_every_anomaly_is_left_to_the_exact_rules(type_):
    half = valid_history(200, seed=1).ops[:250]
    planted = ONE_OF_EACH[type_]
    ops = [*half, *(msgspec.structs.replace(op, index=op.index + 250, process=op.process + 10**6) for op in planted.ops)]
    ops = [msgspec.structs.replace(op, value=[[f, f"{k}", v] for f, k, v in op.value]) for op in ops]
    assert not has_serial_order(read_register_txns(History(ops)))
    assert evident(with_columns(History(ops))) is None


def test_a_history_without_reads_is_left_to_the_exact_rules():
    assert not has_serial_order([]) and evident(History([])) is None
