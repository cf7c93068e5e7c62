"""What is written is read back as the same operations, in both formats; what a format cannot hold is refused."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cli.app import main
from harness.errors import HistoryError, SetupError
from harness.history.history import History
from harness.history.read import read_history
from harness.history.write import write_history
from harness.op import Op

CORPORA = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"
text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)
atoms = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False) | text
values = st.recursive(atoms, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=6)
micro = st.lists(st.tuples(st.sampled_from(["r", "w", "append"]), atoms, values).map(list), max_size=3)


@st.composite
def histories(draw):
    ops = []
    for process in range(draw(st.integers(1, 3))):
        f = draw(st.sampled_from(["txn", "read", "write", "odd name", "add-it"]))
        value = draw(micro if f == "txn" else values)
        ops.append(Op(len(ops), draw(st.integers(0, 1 << 60)), process, "invoke", f, value))
        type_ = draw(st.sampled_from(["ok", "fail", "info", ""]))
        if type_:
            done = draw(values.filter(lambda value: value is not None)) if type_ == "info" else draw(values)
            ops.append(Op(len(ops), 7, process, type_, f, done, draw(values), draw(st.none() | st.just("n1")), draw(values)))
    return ops


@settings(max_examples=300, deadline=None)
@given(histories(), st.sampled_from(["jsonl", "edn"]))
def test_what_is_written_is_read_as_the_same(ops, format):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"h.{format}"
        assert write_history(History(ops), path) == format
        assert repr(list(read_history(path).ops)) == repr(ops)  # repr keeps 1, 1.0 and true apart


def test_keys_of_registers_are_tuples_in_edn_and_the_verdict_stays(tmp_path, capsys):
    """Jepsen's independent keys; a stale read of key b stays one."""
    lines, index = [], 0
    for f, key, value, seen in [("write", "a", 1, 1), ("write", "b", 2, 2), ("read", "a", None, 1), ("read", "b", None, None)]:
        for type_, shown in (("invoke", value), ("ok", seen)):
            lines.append(Op(index, index, 0, type_, f, {"key": key, "value": shown}))
            index += 1
    write_history(History(lines), tmp_path / "h.jsonl")
    assert main(["convert", str(tmp_path / "h.jsonl"), str(tmp_path / "h.edn")]) == 0
    assert ':value ["b" nil]' in (tmp_path / "h.edn").read_text()
    for name in ("h.jsonl", "h.edn"):
        assert main(["check", str(tmp_path / name)]) == 1
    assert capsys.readouterr().out.count("key b") == 2


def test_sessions_have_no_place_in_edn(tmp_path):
    history = History([Op(0, 0, 0, "invoke", "txn", [["w", 1, 1]]), Op(1, 0, 0, "ok", "txn", [["w", 1, 1]])], {"order": "session"})
    with pytest.raises(HistoryError, match=r"only the order within each session.*\n.*convert it to .jsonl"):
        write_history(history, tmp_path / "h.edn")
    write_history(history, tmp_path / "h.jsonl")
    assert read_history(tmp_path / "h.jsonl").by_sessions


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["convert", "{in}", "{dir}/out.csv"], "does not say by its ending what to write"),
        (["convert", "{in}", "{dir}/out", "--to", "xml"], "no format to write is called 'xml'"),
        (["convert", "{in}", "{dir}/no/such/out.edn"], "cannot be written"),
        (["convert", "{dir}/none.jsonl", "{dir}/out.edn"], "cannot be read"),
    ],
)
def test_a_wrong_use_says_the_way_out(tmp_path, capsys, arguments, says):
    source = tmp_path / "in.jsonl"
    source.write_text('{"type":"invoke","f":"read","value":null,"process":0}\n')
    assert main([part.format_map({"in": source, "dir": tmp_path}) for part in arguments]) == 254
    told = capsys.readouterr().err
    assert says in told and "Way out" in told


def test_nothing_is_left_half_written(tmp_path):
    (tmp_path / "h.edn").mkdir()
    with pytest.raises(SetupError):
        write_history(History([]), tmp_path / "h.edn")
    with pytest.raises(HistoryError):
        write_history(History([], {"order": "session"}), tmp_path / "s.edn")
    assert [path.name for path in tmp_path.iterdir()] == ["h.edn"]


@pytest.mark.skipif(not CORPORA.is_dir(), reason="no recorded histories here")
@pytest.mark.parametrize("name", ["jepsen-io+elle/paper-example.edn", "ligurio+elle-cli/histories/jepsen/bank-negative-balances.json"])
def test_recorded_histories_survive_the_round(tmp_path, name):
    first = read_history(CORPORA / name)
    for step in ("a.jsonl", "b.edn", "c.jsonl"):
        write_history(first, tmp_path / step)
        again = read_history(tmp_path / step)
        assert list(map(repr, again.ops)) == list(map(repr, first.ops))
