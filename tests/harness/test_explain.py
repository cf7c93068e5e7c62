"""`splitbrain explain`: the sentence, the picture in time, what proves each step; --minimize writes the smallest history."""

import json

import pytest

from harness.cli.app import main
from harness.explain import explain
from harness.history.history import History
from harness.op import Op
from harness.verdict import Anomaly

TOOLD = [  # (process, type, f, value): process 2 reads 1 after 2 was written and acknowledged; around it much that does not matter
    *((9, type_, "write", {"key": "b", "value": n}) for n in range(5) for type_ in ("invoke", "ok")),
    *((process, type_, "write", {"key": "a", "value": n}) for n, process in ((1, 0), (2, 1)) for type_ in ("invoke", "ok")),
    (2, "invoke", "read", {"key": "a", "value": None}),
    (2, "ok", "read", {"key": "a", "value": 1}),
    (3, "invoke", "read", {"key": "a", "value": None}),
]
SKEW = [
    (0, "invoke", "txn", [["r", "x", None], ["append", "y", 1]]),
    (1, "invoke", "txn", [["r", "y", None], ["append", "x", 1]]),
    (0, "ok", "txn", [["r", "x", []], ["append", "y", 1]]),
    (1, "ok", "txn", [["r", "y", []], ["append", "x", 1]]),
    (2, "invoke", "txn", [["r", "x", None], ["r", "y", None], ["append", "z", 4]]),
    (2, "ok", "txn", [["r", "x", [1]], ["r", "y", [1]], ["append", "z", 4]]),
]
LOCK = [(0, "invoke", "acquire", None), (0, "ok", "acquire", None), (1, "invoke", "acquire", None), (1, "ok", "acquire", None)]


def written(path, ops):
    lines = [{"index": i, "time": i * 10**9, "process": p, "type": t, "f": f, "value": v} for i, (p, t, f, v) in enumerate(ops)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def test_a_stale_read_is_told_drawn_and_listed(tmp_path, capsys):
    assert main(["explain", written(tmp_path / "h.jsonl", TOOLD)]) == 1
    told = capsys.readouterr().out
    assert "nonlinearizable (stale-read), key a" in told
    bars = [line for line in told.splitlines() if "├" in line]
    assert [line.split("  ")[1] for line in bars] == ["process 0", "process 1", "process 2"]
    starts = [line.index("├") for line in bars]
    assert starts == sorted(set(starts)) and all(line.endswith("┤") for line in bars)
    assert "#15          15.0000 s  process 2          ok     read a: 1" in told
    assert "It rules out: linearizable, strict-serializable" in told


def test_a_cycle_is_told_edge_by_edge(tmp_path, capsys):
    assert main(["explain", written(tmp_path / "h.jsonl", SKEW)]) == 1
    told = capsys.readouterr().out
    assert "G2-item" in told and told.count("─rw→") == 2
    assert "so T1 comes before itself." in told and "Strongest that still hold:" in told


def test_a_lock_held_twice_says_why_nothing_can_come_next(tmp_path, capsys):
    assert main(["explain", written(tmp_path / "h.jsonl", LOCK), "--as", "mutex"]) == 1
    told = capsys.readouterr().out
    assert "What was possible before these operations:" in told
    assert "Which of them could act next, before #3 returns:" in told or "Which of them could act next, before #2 returns:" in told


@pytest.mark.parametrize(("ops", "left", "type_"), [(TOOLD, 6, "nonlinearizable"), (SKEW, 4, "G2-item"), (LOCK, 4, "nonlinearizable")])
def test_minimize_writes_what_still_shows_it(tmp_path, capsys, ops, left, type_):
    model = ["--as", "mutex"] if ops is LOCK else []
    out = tmp_path / "small.jsonl"
    assert main(["explain", written(tmp_path / "h.jsonl", ops), "--minimize", "--out", str(out), *model]) == 1
    told = capsys.readouterr().out
    assert f"{out}: {left} of {len(ops)} operations, still {type_}" in told
    assert len(out.read_text().splitlines()) == left + 1  # and the header
    assert main(["check", str(out), *model]) == 1


def test_a_valid_history_needs_no_explanation(tmp_path, capsys):
    fresh = [*TOOLD[:-2], (2, "ok", "read", {"key": "a", "value": 2})]
    assert main(["explain", written(tmp_path / "h.jsonl", fresh), "--minimize"]) == 0
    assert capsys.readouterr().out.startswith("VALID")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--anomaly", "G0"], "has no anomaly 'G0'"),
        (["--out", "/no/such/folder/x.jsonl", "--minimize"], "cannot be written"),
        (["-o", "colour=blue"], "no checker of this history has an option 'colour'"),
        (["-o", "colour"], "is not key=value"),
        (["--consistency", "eventually"], "no consistency model is called"),
    ],
)
def test_a_wrong_use_says_the_way_out(tmp_path, capsys, arguments, says):
    assert main(["explain", written(tmp_path / "h.jsonl", TOOLD), *arguments]) == 254
    told = capsys.readouterr().err
    assert says in told and "Way out" in told


def test_what_was_asked_and_what_was_answered_and_ends_that_the_witness_does_not_quote(tmp_path, capsys):
    asked = [(0, "invoke", "add", 1), (0, "ok", "add", True), (1, "invoke", "contains", 1), (1, "ok", "contains", False)]
    assert main(["explain", written(tmp_path / "set.jsonl", asked)]) == 1
    told = capsys.readouterr().out
    assert "add 1 → true" in told and "contains 1 → false" in told
    history = History([Op(i, i, p, t, f, v) for i, (p, t, f, v) in enumerate([*TOOLD[10:16], (1, "invoke", "read", None)])])
    told = explain(Anomaly("odd", "a sentence", [0, 2, 6]), history)  # of #2 the end is in the history, of #6 it is not
    assert [line.split("├")[0].strip() for line in told.splitlines() if "├" in line and "…" not in line] == [
        "process 0  write a: 1",
        "process 1  write a: 2",
    ]
    assert sum(line.endswith("…") and "├" in line for line in told.splitlines()) == 1 and "#3 " in told


def test_what_remains_says_what_it_is_of_where_its_ops_no_longer_do(tmp_path, capsys):
    ops = [
        *((0, type_, "txn", [["w", "x", 1]]) for type_ in ("invoke", "ok")),
        (1, "invoke", "txn", [["r", "x", None]]),
        (1, "ok", "txn", [["r", "x", 3]]),
    ]
    out = tmp_path / "small.jsonl"
    assert main(["explain", written(tmp_path / "h.jsonl", ops), "--minimize", "--out", str(out)]) == 1
    assert f"{out}: 2 of 4 operations, still garbage-read" in capsys.readouterr().out
    assert main(["check", str(out)]) == 1


def test_without_patience_it_gives_what_it_has(tmp_path, capsys):
    out = tmp_path / "small.jsonl"
    command = ["explain", written(tmp_path / "h.jsonl", TOOLD), "--minimize", "--out", str(out), "--patience"]
    assert main([*command, "0"]) == 1
    assert "More may be left out" in capsys.readouterr().out and main(["check", str(out)]) == 1
    assert main([*command, "nan"]) == 254


def test_a_read_that_asks_with_a_key_and_is_answered_a_list_has_no_key(tmp_path, capsys):
    ops = [
        *((0, type_, "add", [0, n]) for n in range(3) for type_ in ("invoke", "ok")),
        (1, "invoke", "read", [0, None]),
        (1, "ok", "read", [[0, 0], [0, 1], [0, 5]]),
    ]
    out = tmp_path / "small.jsonl"
    assert main(["explain", written(tmp_path / "h.jsonl", ops), "--minimize", "--out", str(out)]) == 1
    assert "still" in capsys.readouterr().out and main(["check", str(out)]) == 1
