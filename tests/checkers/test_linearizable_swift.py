"""The fast road of the register checker: the same verdict as the exact road, and no opinion on what is unusual."""

import random

import msgspec
import numpy as np
import pytest

import harness.history.formats.jsonl as reading
from checkers.linearizable import LinearizableRegister
from checkers.linearizable.swift import sift
from checkers.stats import Stats
from harness.checker import CheckContext
from harness.history.columns import read_columns
from harness.history.history import History
from harness.history.infer import infer_model
from harness.history.read import read_history
from harness.op import Op
from tests.checkers.histories_linearizable import valid_history
from tests.checkers.oracle_linearizable import random_history

CONTEXT = CheckContext(expected="linearizable")


def lines(ops, header=b""):
    return header + b"".join(msgspec.json.encode(op) + b"\n" for op in ops)


def dressed(history, rng):
    """The same history with names, errors and nodes as real runs have them, keyed by strings, numbers or not at all."""
    shape = rng.choice(["text", "number", "both", "none"])
    keys = sorted({op.value["key"] for op in history.ops})
    ops = []
    for op in history.ops:
        value, error = dict(op.value), None
        if shape == "none" and len(keys) == 1:
            value = value["value"]
        elif shape == "text" or (shape == "both" and op.value["key"]):
            value["key"] = f"r{value['key']}"
        if op.type in ("fail", "info"):
            error = rng.choice([None, "timed out", ["refused", "by n1"], "it's 5 o'clock {[,]}"])
        if op.type == "info" and rng.random() < 0.2:
            value = {**value, "value": None} if isinstance(value, dict) else None
        ops.append(msgspec.structs.replace(op, value=value, error=error, node=rng.choice([None, "n1"])))
    return History(ops)


def test_random_histories_get_the_verdict_and_the_witness_of_the_exact_road():
    said = {"columns": 0, "invalid": 0, "info": 0}
    for i in range(3000):
        rng = random.Random(f"swift {i}")
        history = dressed(random_history(rng, "unique"), rng)
        data = lines(history.ops)
        columns = read_columns(data, 0)
        if not history.ops or columns is None:
            assert history.ops[0].f not in ("read", "write") or not history.ops
            continue
        swift = History(history.ops, columns=columns)
        assert columns.ops(np.arange(len(history.ops))) == history.ops
        verdict, exact = (LinearizableRegister().check(h, CONTEXT) for h in (swift, history))
        assert len(sift(columns).bad) == verdict.counts.get("nonlinearizable", 0)
        assert msgspec.to_builtins(verdict) == msgspec.to_builtins(exact), (i, data)
        assert Stats().check(swift, CONTEXT) == Stats().check(history, CONTEXT)
        said["columns"] += 1
        said["invalid"] += verdict.valid is False
        said["info"] += any(op.type == "info" for op in history.ops)
    assert said["columns"] >= 2900 and said["invalid"] >= 0.3 * said["columns"] and said["info"] >= 0.2 * said["columns"]


@pytest.mark.parametrize("keys", [1, 40])
def test_larger_histories(keys):
    for seed in range(3):
        history = valid_history(4000, seed, keys=keys, crashed=40)
        columns = read_columns(lines(history.ops), 0)
        swift = LinearizableRegister().check(History([], columns=columns), CONTEXT)
        assert swift.valid is True and not len(sift(columns).bad) and swift.facts == {"keys": keys, "by_zones": keys, "by_search": 0}
        at = [op.index for op in history.ops if op.type == "ok" and op.f == "read" and op.value["value"]][-3]
        stale = msgspec.structs.replace(history.ops[at], value={**history.ops[at].value, "value": None})
        ops = [*history.ops[:at], stale, *history.ops[at + 1 :]]
        swift = LinearizableRegister().check(History([], columns=read_columns(lines(ops), 0)), CONTEXT)
        assert (swift.valid, swift.anomalies[0].kind) == (False, "stale-read") and at in swift.anomalies[0].ops
        assert swift == LinearizableRegister().check(History(ops), CONTEXT)


def test_another_initial_value_is_left_to_the_exact_road():
    ops = [Op(0, 0, 0, "invoke", "read", {"key": "a", "value": None}), Op(1, 0, 0, "ok", "read", {"key": "a", "value": 0})]
    history = History(ops, columns=read_columns(lines(ops), 0))
    assert LinearizableRegister(initial=0).check(history, CONTEXT).valid is True
    assert LinearizableRegister().check(history, CONTEXT).valid is False
    ops[1] = msgspec.structs.replace(ops[1], value={"key": "a", "value": None})
    history = History(ops, columns=read_columns(lines(ops), 0))
    assert LinearizableRegister(initial=0).check(history, CONTEXT).valid is False
    assert LinearizableRegister().check(history, CONTEXT).valid is True


def small():
    values = [("invoke", "write", 1), ("ok", "write", 1), ("invoke", "read", None), ("ok", "read", 1)]
    return [Op(i, i, 0, type_, f, {"key": "a", "value": value}) for i, (type_, f, value) in enumerate(values)]


@pytest.mark.parametrize(
    ("usual", "unusual"),
    [
        (b'"value":1', b'"value":1.0'),
        (b'"value":1', b'"value":01'),
        (b'"value":1', b'"value":-0'),
        (b'"value":1', b'"value":1234567890123456789'),
        (b'"value":1', b'"value":"1"'),
        (b'"value":1', b'"value":[1]'),
        (b'"key":"a"', b'"key":null'),
        (b'"key":"a"', b'"key":"\\u0061"'),
        (b'"key":"a"', '"key":"ä"'.encode()),
        (b'"key":"a"', b'"Key":"a"'),
        (b'"process":0', b'"process":"nemesis"'),
        (b'"process":0', b'"process":-1'),
        (b'"f":"write"', b'"f":"Write"'),
        (b'"value":1', b'"value":[1,[2]]'),
        (b'"value":1', b'"value":[1,2]'),
        (b'"type":"ok"', b'"type":"no"'),
        (b'"index":3', b'"index":4'),
        (b'"error":null', b'"error":{"a":1}'),
        (b'"error":null', b'"error":["a"'),
        (b'"ext":null', b'"ext":1'),
        (b"}\n", b"} \n"),
        (b"}\n", b"}\r\n"),
        (b"}\n", b"}\n\n"),
    ],
)
def test_what_is_unusual_has_no_columns(usual, unusual):
    data = lines(small())
    assert read_columns(data, 0) is not None
    for at in [i for i in range(len(data)) if data.startswith(usual, i)]:
        assert read_columns(data[:at] + unusual + data[at + len(usual) :], 0) is None


def test_ops_and_values_that_no_register_has_are_left_to_the_exact_road():
    for usual, unusual in [(b'"value":1', b'"value":true'), (b'"f":"write"', b'"f":"cas"')]:
        columns = read_columns(lines(small()).replace(usual, unusual), 0)
        assert columns is not None and sift(columns) is None


def test_no_torn_line_has_columns():
    data = lines(small())
    for end in range(len(data)):
        columns = read_columns(data[:end], 0)
        assert columns is None or data[:end].endswith(b"}\n")
    for at in range(len(data)):  # one byte lost anywhere: no columns, or the ops that the ordinary reader finds
        broken = data[:at] + data[at + 1 :]
        columns = read_columns(broken, 0)
        if columns is not None:
            assert columns.ops(np.arange(len(columns.kind))) == msgspec.json.Decoder(Op).decode_lines(broken)


@pytest.mark.parametrize(
    "ops",
    [
        [(0, "invoke", "write", 1), (0, "ok", "write", 1), (1, "invoke", "write", 1)],  # twice
        [(0, "invoke", "write", None)],  # the initial value
        [(0, "invoke", "read", None), (0, "invoke", "read", None)],
        [(0, "invoke", "read", None), (1, "ok", "read", None)],
        [(0, "invoke", "read", None), (99999, "invoke", "read", None)],
    ],
)
def test_what_zones_do_not_decide_is_left_to_the_exact_road(ops):
    made = [Op(i, 0, process, type_, f, {"key": "a", "value": value}) for i, (process, type_, f, value) in enumerate(ops)]
    columns = read_columns(lines(made), 0)
    assert columns is not None and sift(columns) is None


@pytest.mark.parametrize("header", [b"", b'{"splitbrain":1,"seed":3}\n'])
def test_a_large_file_is_read_in_columns_and_its_ops_only_on_demand(tmp_path, monkeypatch, header):
    history = valid_history(300, 1, keys=3, crashed=9)
    path = tmp_path / "history.jsonl"
    path.write_bytes(lines(history.ops, header))
    ordinary = read_history(path)
    assert ordinary.columns is None
    monkeypatch.setattr(reading, "LARGE", 1)
    large = read_history(path)
    assert large.columns is not None and len(large) == len(history.ops)
    assert list(large.ops[3:9]) == history.ops[3:9] and large.ops.all is None
    assert infer_model(large) == "register" and large.ops.all is None
    assert list(large.ops) == list(ordinary.ops) and large.ops[5] == history.ops[5]
    assert large.header == ordinary.header and large.notes == ordinary.notes
    assert [call.outcome for call in large.calls()] == [call.outcome for call in history.calls()]
