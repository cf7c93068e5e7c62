"""Columns say what the ordinary reader says of the same lines, or nothing at all."""

import random

import msgspec
import numpy as np
import pytest

from harness.history.columns import read_columns
from harness.history.formats.jepsen_edn import _read_all
from harness.history.formats.jsonl import _read_lines
from harness.op import Op

RESULT = {True: 1, False: 2}


def edn(value):
    if isinstance(value, list):
        return f"[{' '.join(map(edn, value))}]"
    return "nil" if value is None else str(value).lower()


def as_edn(op):
    return f"{{:index {op.index}, :time {op.time}, :type :{op.type}, :process {op.process}, :f :{op.f}, :value {edn(op.value)}}}\n".encode()


def as_short(op):
    fields = {"index": op.index, "time": op.time, "process": op.process, "type": op.type, "f": op.f, "value": op.value}
    return msgspec.json.encode(fields) + b"\n"


def as_ours(op):
    return msgspec.json.encode(op) + b"\n"


def atom(rng):
    return rng.choice([None, True, False, 0, 7, -3, 10**17, rng.randrange(100)])


VALUES = {
    "plain": atom,
    "keyed": lambda rng: {"key": rng.choice(["a", "b c", 3, -3]), "value": atom(rng)},
    "pairs": lambda rng: [rng.randrange(9), rng.choice([None, 4, -5])],
    "answers": lambda rng: rng.choice([rng.randrange(9), [rng.randrange(9), rng.random() < 0.5]]),
    "keyed answers": lambda rng: {"key": "k", "value": [rng.randrange(9), rng.random() < 0.5]},
}


def drawn(rng, values):
    fs = rng.sample(["enqueue", "dequeue", "peek", "read-all", "put_2"], rng.randint(1, 4))
    ops = []
    for index in range(rng.randint(1, 8)):
        type_ = "invoke" if not index else rng.choice(["invoke", "ok", "fail", "info"])
        ops.append(Op(index, rng.randrange(10**6), rng.randrange(5), type_, rng.choice(fs), VALUES[values](rng)))
    return ops


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("write", [as_ours, as_short, as_edn])
def test_columns_are_what_the_ordinary_reader_reads(values, write, tmp_path):
    if write is as_edn and "keyed" in values:
        pytest.skip("a map as a value is unusual in EDN")
    for seed in range(60):
        ops = drawn(random.Random(f"{values} {seed}"), values)
        data = b"".join(map(write, ops))
        columns = read_columns(data, 0)
        assert columns is not None, data
        read = (_read_all if write is as_edn else _read_lines)(tmp_path, data).ops
        assert [op.f for op in read] == [op.f for op in ops] == [columns.fs[f] for f in columns.f]
        assert columns.ops(np.arange(len(ops))) == ops
        keys = {}
        for at, op in enumerate(ops):
            value, key = op.value, None
            if isinstance(value, dict):
                key, value = op.value["key"], op.value["value"]
            if isinstance(value, list) and isinstance(value[1], bool):
                assert (columns.value[at], columns.result[at]) == (value[0], RESULT[value[1]] + 2)
                value = None
            elif isinstance(value, list):
                key, value = value
            if isinstance(value, bool):
                assert columns.result[at] == RESULT[value] and not columns.null[at]
            elif value is not None:
                assert (columns.value[at], columns.null[at], columns.result[at]) == (value, False, 0)
            assert keys.setdefault((type(key), key), columns.key[at]) == columns.key[at]
            assert columns.process[at] == op.process
        assert len(set(columns.key.tolist())) == columns.keys == len(keys)
        assert columns.pairs is (values == "pairs")


@pytest.mark.parametrize("write", [as_ours, as_short, as_edn])
def test_one_byte_lost_or_changed_anywhere_gives_no_columns_or_what_the_ordinary_reader_reads(write, tmp_path):
    ops = [Op(0, 5, 0, "invoke", "put", [1, 2]), Op(1, 6, 0, "ok", "put", [1, 2]), Op(2, 7, 1, "invoke", "get", [1, None])]
    data = b"".join(map(write, ops))
    assert read_columns(data, 0) is not None
    kept = 0
    for at in range(len(data)):
        for byte in (b"", b" ", b"0", b"9", b"}", b"\n", b'"', b":"):
            broken = data[:at] + byte + data[at + 1 :]
            columns = read_columns(broken, 0)
            if columns is not None:
                kept += 1
                read = (_read_all if write is as_edn else _read_lines)(tmp_path, broken).ops
                assert columns.ops(np.arange(len(columns.kind))) == read, broken
    assert kept > 20  # other numbers, other names


def test_ops_that_do_not_pair_have_no_partners():
    def pair(*lines):
        return read_columns(b"".join(as_short(Op(i, i, *line)) for i, line in enumerate(lines)), 0).pair()

    good = [(0, "invoke", "put", 1), (1, "invoke", "get", None), (0, "ok", "put", 1), (1, "info", "get", None), (0, "invoke", "get", None)]
    assert pair(*good).tolist() == [2, 3, 0, 1, -1]
    assert pair(*good[:2], (0, "invoke", "get", None)) is None
    assert pair(*good, (1, "ok", "get", None)) is None
    assert pair((0, "invoke", "put", {"key": 1, "value": 1}), (0, "ok", "put", {"key": 2, "value": 1})) is None
    assert pair((10**9, "invoke", "put", 1)) is None
