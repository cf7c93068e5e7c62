"""Rw-register on larger histories: anomalies planted in valid ones, the same answer twice, all roads."""

import random
from collections import Counter

import msgspec
import pytest

from checkers.rw_register import RwRegister, verify_witness
from harness.checker import CheckContext
from harness.history.history import History
from harness.op import Op
from tests.checkers.test_list_append import dense
from tests.checkers.test_rw_register import ONE_OF_EACH

LARGE = 1500


def valid_history(count, seed, clients=12, keys=8, writes_a_key=24, stale=0.0):
    """Strictly serializable, with failed and crashed transactions; with `stale`, that share of transactions reads the version before."""
    rng = random.Random(seed)
    ops, live, fresh, written, store = [], list(range(keys)), keys, {}, {}
    processes, waiting = list(range(clients)), {}  # client -> (micro-ops, when acted on: outcome)
    started = 0

    def emit(client, type_, value):
        ops.append(Op(len(ops), len(ops) * 1000, processes[client], type_, "txn", value))

    while started < count or waiting:
        client = rng.randrange(clients)
        if client not in waiting:
            if started < count:
                mops = []
                for _ in range(rng.randint(1, 4)):
                    at = min(int(rng.expovariate(0.7)), keys - 1)
                    if rng.random() < 0.5:
                        mops.append(["r", live[at], None])
                        continue
                    if written.get(live[at], 0) >= writes_a_key:
                        live[at], fresh = fresh, fresh + 1
                    written[live[at]] = written.get(live[at], 0) + 1
                    mops.append(["w", live[at], written[live[at]]])
                emit(client, "invoke", mops)
                waiting[client] = (mops, None)
                started += 1
            continue
        mops, outcome = waiting[client]
        if outcome is None:
            outcome = rng.choices(["ok", "fail", "info"], [95, 3, 2])[0]
            acts = outcome == "ok" or (outcome == "info" and rng.random() < 0.5)
            done = _act(mops, store, rng.random() < stale) if acts else mops
            waiting[client] = (done if outcome == "ok" else mops, outcome)
            continue
        emit(client, outcome, mops)
        del waiting[client]
        if outcome == "info":
            processes[client] = max(processes) + 1
    return History(ops)


def _act(mops, store, stale):
    done, own = [], {}
    for f, k, v in mops:
        versions = store.setdefault(k, [None])
        if f == "w":
            own[k] = v
            done.append([f, k, v])
        else:
            done.append([f, k, own[k] if k in own else versions[-2] if stale and len(versions) > 1 else versions[-1]])
    for k, v in own.items():
        store[k].append(v)
    return done


@pytest.fixture(scope="module")
def large():
    return valid_history(LARGE, seed=1)


def judge(history, consistency="", **assumed):
    verdict = RwRegister(consistency, **assumed).check(history, CheckContext())
    again = RwRegister(consistency, **assumed).check(History(list(history.ops)), CheckContext())
    assert msgspec.json.encode(verdict) == msgspec.json.encode(again)
    return verdict


def test_a_valid_history_is_valid(large):
    for assumed in ({}, {"linearizable_keys": True}):
        verdict = judge(large, **assumed)
        assert (verdict.valid, verdict.counts, verdict.holds) == (True, {}, ["strict-serializable"])
    assert verdict.facts["fail"] > 20 and verdict.facts["info"] > 10


@pytest.mark.parametrize("type_", ONE_OF_EACH)
def test_each_anomaly_planted_in_a_valid_history_is_found_and_nothing_else(large, type_):
    planted = ONE_OF_EACH[type_]
    renamed = [
        msgspec.structs.replace(op, process=op.process + 10_000, value=[[f, f"planted {k}", v] for f, k, v in op.value])
        for op in planted.ops
    ]
    half = len(large) // 2
    recorded = dense([*large.ops[:half], *renamed, *large.ops[half:]])
    verdict = RwRegister().check(recorded, CheckContext())
    alone = RwRegister().check(planted, CheckContext())
    aside = {"causality-violation"}  # of few transactions other models than the promised one are asked about, too
    assert verdict.counts == {name: count for name, count in alone.counts.items() if name not in aside} and type_ in verdict.counts
    assert verdict.valid is False and (aside & alone.counts.keys() or verdict.not_models == alone.not_models)
    assert all(verify_witness(recorded, anomaly) for anomaly in verdict.anomalies[:3])


def test_stale_reads_are_judged_exactly_and_twice_the_same():
    recorded = valid_history(2000, seed=2, stale=0.02)
    verdict = judge(recorded)
    assert verdict.valid is False and len(verdict.counts) >= 2
    assert max(Counter(anomaly.type for anomaly in verdict.anomalies).values()) <= 8
    for anomaly in verdict.anomalies:
        if len(anomaly.ops) <= 6:
            assert verify_witness(recorded, anomaly), anomaly.message


def late(history, share, far, seed):
    """Each transaction by a process of its own, a share of them seen to begin and end some positions later than they did."""
    rng, moved = random.Random(seed), []
    for number, (invoke, done) in enumerate(history.calls()):
        shift = far + 0.5 if rng.random() < share else 0
        moved += [(op.index + shift, msgspec.structs.replace(op, process=number)) for op in (invoke, done) if op]
    return dense([op for _, op in sorted(moved, key=lambda one: one[0])])


def test_a_serializable_history_that_strays_from_real_time_is_proved_by_an_order_that_nearly_keeps_it(monkeypatch):
    recorded = late(valid_history(1200, seed=3, clients=6), 0.02, 12, seed=1)
    strict = judge(recorded)
    assert strict.valid is False and all(type_.endswith("-realtime") for type_ in strict.counts)
    monkeypatch.setattr("checkers.serial.checker.judge", None)  # not asked
    verdict = judge(recorded, "serializable")
    assert verdict.valid is True and "serializable" in verdict.holds and "strict-serializable" not in verdict.holds
    assert judge(recorded, "snapshot-isolation").valid is True


def test_a_store_that_never_shows_a_write_is_found_out_in_linear_time():
    ops = []
    for i in range(3000):
        mops = [["w", "x", i]] if i % 2 else [["r", "x", None]]
        ops += [Op(2 * i, 0, i % 7, "invoke", "txn", mops), Op(2 * i + 1, 0, i % 7, "ok", "txn", mops)]
    verdict = judge(History(ops))
    assert verdict.valid is False and {"G-single-item-process", "G-single-item-realtime"} <= verdict.counts.keys()
    assert all(verify_witness(History(ops), anomaly) for anomaly in verdict.anomalies)
