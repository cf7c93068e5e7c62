"""Files cut short, changed or full of garbage: a sentence, never another exception, and never an operation lost without a word."""

import json
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.errors import HistoryError
from harness.history.edn import EdnError, forms, plain_to_json
from harness.history.formats import jsonl
from harness.history.infer import infer_model
from harness.history.read import read_history
from harness.op import INFO
from tests.harness.test_read import ARRAY, JSONL, LOOSE, PLAIN_EDN, RECORDS

LOG = "".join(f"INFO  jepsen.util - {n % 3}\t:{t}\t:write\t{n // 2}\n" for n in range(6) for t in [["invoke", "ok"][n // 3 % 2]])
KV = (
    '{:process 0, :type :invoke, :f :append, :key "0", :value "x 0 0 y"}\n{:process 0, :type :ok, :f :append, :key "0", :value "x 0 0 y"}\n'
)
TEXTS = {"jsonl": JSONL, "loose": LOOSE, "array": ARRAY, "plain": PLAIN_EDN, "records": RECORDS, "log": LOG, "kv": KV}
LINES = {"jsonl", "loose", "plain", "log", "kv"}
FOLDER = tempfile.TemporaryDirectory()
PATH = Path(FOLDER.name) / "history"


def said_in_a_sentence(error):
    assert error.seen and error.way_out and "\n" not in error.seen and len(error.seen) < 1000


def attempt(data):
    """The history in some bytes, or None if it was refused, in one sentence."""
    PATH.write_bytes(data)
    try:
        history = read_history(PATH)
    except HistoryError as error:
        said_in_a_sentence(error)
        return None
    infer_model(history)
    assert all(op.type in ("invoke", "ok", "fail", "info") and isinstance(op.process, int | str) for op in history.ops)
    return history


@settings(max_examples=200, deadline=None)
@given(name=st.sampled_from(sorted(TEXTS)), at=st.floats(0, 1))
def test_truncation(name, at):
    data = TEXTS[name].encode()
    cut = data[: int(at * len(data))]
    whole = attempt(data)
    history = attempt(cut)
    if history is None:
        return
    shared = min(len(history), len(whole))
    assert [op.f for op in history.ops] == [op.f for op in whole.ops[: len(history)]]
    complete = cut.count(b"\n") if name != "loose" else cut.replace(b"\n\n", b"\n").count(b"\n")
    if name in LINES:  # every line that is whole is there; one that is torn is there only if what was left of it is an operation
        assert shared >= complete
        assert shared == complete or shared == complete + 1
        if name in ("jsonl", "loose") and shared == complete and not cut.endswith(b"\n"):
            assert history.notes


@settings(max_examples=400, deadline=None)
@given(
    name=st.sampled_from(sorted(TEXTS)),
    changes=st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from(["replace", "insert", "delete"]), st.binary(min_size=1, max_size=3)), max_size=4
    ),
)
def test_mutation(name, changes):
    data = bytearray(TEXTS[name].encode())
    for at, how, what in changes:
        where = int(at * max(0, len(data) - 1))
        if how == "insert":
            data[where:where] = what
        elif how == "replace":
            data[where : where + len(what)] = what
        else:
            del data[where : where + len(what)]
    history = attempt(bytes(data))
    if history is None or not history.ops:
        return
    if name in ("jsonl", "loose") and b"INFO" not in data:  # in EDN a change may make a comment; a JSON line is an operation or an error
        lines = [line for line in bytes(data).removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
        if lines[0].lstrip().startswith(b'{"'):
            assert len(history) + len(history.notes) + bool(history.header) == len(lines)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
@example(b"{:")
@example(b'{"')
@example(b"[{}]")
@example(b'[{"')
@example(b"\\")
@example(b"#")
@example(b"##Inf")
@example(b"INFO  jepsen.util - ")
@example(b"{:type :invoke, :process 1e999}")
@example(b"{:type :invoke, :process 0, :time 1e999}")
@example(b"{:type :invoke, :process -1, :f [1]}")
def test_garbage(data):
    attempt(data)


EDN_TEXT = st.text(alphabet='{}[]()#_:;"\\ ,\n0123456789.eENM+-nilabctruefs^~@', max_size=120)


@settings(max_examples=400, deadline=None)
@given(EDN_TEXT)
def test_edn_garbage(text):
    at = 0
    try:
        at = max([start for start, _ in forms(text.encode())], default=0)
    except EdnError as error:
        at = error.offset
    assert 0 <= at <= len(text.encode())


ATOMS = st.one_of(
    st.integers(-(10**6), 10**6),
    st.none(),
    st.booleans(),
    st.sampled_from(["r", "append", "w", "nil", "true", "ok", "a-b", "q", "q-1", "q r", "q,nil]", "q:r"]),
)
VALUES = st.recursive(ATOMS, lambda inner: st.lists(inner, max_size=4), max_leaves=8)
OPS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["invoke", "ok", "fail", "info"]), st.sampled_from(["txn", "read", "nil"]), VALUES),
    min_size=1,
    max_size=8,
)


def edn(value):
    if value is None or isinstance(value, bool):
        return {None: "nil", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return "[" + " ".join(map(edn, value)) + "]"
    if isinstance(value, str) and value.startswith("q"):
        return f'"{value}"'
    return f":{value}" if isinstance(value, str) else str(value)


@settings(max_examples=300, deadline=None)
@given(OPS)
def test_the_rewriting_and_the_parser_agree(ops):
    lines = [
        f"{{:index {i}, :type :{type_}, :process {process}, :f :{f}, :value {edn(value)}}}"
        for i, (process, type_, f, value) in enumerate(ops)
    ]
    data = "\n".join(lines).encode()
    parsed = [value for _, value in forms(data)]
    assert [op["value"] for op in parsed] == [value for _, _, _, value in ops]
    rewritten = plain_to_json(data)
    try:
        quick = parsed if rewritten is None else [json.loads(line) for line in rewritten.splitlines()]
    except ValueError:
        quick = parsed  # refused: the parser reads it
    assert quick == parsed
    history = attempt(data)
    assert [op.value for op in history.ops if op.type != INFO] == [value for _, type_, _, value in ops if type_ != "info"]


@settings(max_examples=100, deadline=None)
@given(OPS)
def test_what_is_written_is_read(ops):
    lines = [
        msgspec.json.encode({"index": i, "time": i, "process": p, "type": t, "f": f, "value": v}) for i, (p, t, f, v) in enumerate(ops)
    ]
    history = attempt(b"\n".join(lines))
    assert [(op.process, op.type, op.f) for op in history.ops] == [op[:3] for op in ops]
    assert [op.value for op in history.ops if op.type != INFO] == [op[3] for op in ops if op[1] != "info"]


def _register_line(i, process, type_, f, value):
    op = {"index": i, "time": i, "process": process, "type": type_, "f": f, "value": {"key": f"k{process % 2}", "value": value}}
    return msgspec.json.encode({**op, "error": None, "node": "n1", "ext": None}) + b"\n"


REGISTERS = b"".join(
    _register_line(4 * n + turn, 2 * n + turn % 2, ("invoke", "invoke", "ok", "info" if n == 2 else "fail")[turn], f, value)
    for n, (f, value) in enumerate([("write", 1), ("read", None), ("write", -2), ("cas", [1, 3]), ("read", 3)])
    for turn in range(4)
)


@settings(max_examples=400, deadline=None)
@given(
    header=st.booleans(),
    cut=st.floats(0, 1),
    changes=st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from([b"", b'"', b"}", b"{", b",", b"1", b"-", b"n", b"\n", b"\xff", b"\\", b" "]))
    ),
)
def test_the_reader_of_large_files_agrees_with_the_other(header, cut, changes):
    data = bytearray((b'{"splitbrain":1,"run":"r"}\n' if header else b"") + REGISTERS)
    for at, what in changes[:2]:
        where = int(at * (len(data) - 1))
        data[where : where + 1] = what
    found = []
    for least in (0, 1 << 60):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(jsonl, "LARGE", least)
            history = attempt(bytes(data[: max(1, int(cut * 1.5 * len(data)))]))
        found.append(None if history is None else ([msgspec.to_builtins(op) for op in history.ops], history.header, history.notes))
    assert found[0] == found[1]
