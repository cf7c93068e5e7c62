"""The recorded histories of fastlin, PolyLin and fptlin get their known verdicts; the text format they are in."""

import pytest

from harness.errors import HistoryError
from harness.history.formats import text_objects
from harness.history.infer import infer_model
from harness.history.read import read_history
from tests.checkers.test_corpora import CORPORA, judge, pytestmark, rows

__all__ = ["pytestmark"]
FILES = rows('"# type"')


@pytest.mark.parametrize(("path", "expected"), FILES)
def test_each_has_its_known_verdict(path, expected):
    verdict, _ = judge(path)
    assert verdict.valid is expected


def test_there_are_nineteen_of_them():
    assert len(FILES) == 19 and sum(not expected for _, expected in FILES) == 7
    assert {infer_model(read_history(CORPORA / path)) for path, _ in FILES} == {*text_objects.OBJECTS.values()}


def history(tmp_path, text):
    path = tmp_path / "history.log"
    path.write_text(text)
    return read_history(path)


def events(tmp_path, text):
    return [(op.process, op.type, op.f, op.value) for op in history(tmp_path, text).ops]


def test_what_ends_where_another_starts_precedes_it(tmp_path):
    found = events(tmp_path, "# queue\nenq 7 3 5\nenq 8 5 5\n\n# a comment\ndeq -1 5 9\n")
    assert found == [
        (0, "invoke", "enqueue", 7),
        (0, "ok", "enqueue", 7),
        (1, "invoke", "enqueue", 8),
        (1, "ok", "enqueue", 8),
        (2, "invoke", "dequeue", None),
        (2, "ok", "dequeue", None),
    ]


def test_results_of_sets_with_and_without_a_number(tmp_path):
    by_pid = events(tmp_path, "# set\n4 0 1 INSERT 3 0\n4 1 2 CONTAINS 3 1\n")
    assert by_pid[1::2] == [(4, "ok", "insert", [3, False]), (4, "ok", "contains", [3, True])]
    by_method = events(tmp_path, "# set\ninsert 3 0 1\ncontains_false 3 2 3\nremove 3 4 5\n")
    assert [value for _, type_, _, value in by_method if type_ == "ok"] == [[3, True], [3, False], [3, True]]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("# queue\npush 1 0 1\n", "line 2: a queue has no push"),
        ("# queue\nenq 1 0\n", "line 2: not an operation: 'enq 1 0'"),
        ("# queue\nenq 1 5 4\n", "line 2: it ends at 4, before it starts at 5"),
        ("# queue\n3 0 5 ENQ 1\n3 2 6 ENQ 2\n", "process 3 starts enqueue at 2 while its operation before is open"),
        ("# queue\nenq 1.5 0 1\n", "line 2: not an operation"),
    ],
)
def test_what_is_no_operation_is_named_by_its_line(tmp_path, text, says):
    with pytest.raises(HistoryError) as caught:
        history(tmp_path, text)
    assert says in str(caught.value)


def test_a_large_file_has_columns(tmp_path, monkeypatch):
    monkeypatch.setattr(text_objects, "LARGE", 10)
    text = "# stack\n" + "".join(f"push {i} {4 * i} {4 * i + 1}\npop {i} {4 * i + 2} {4 * i + 3}\n" for i in range(20))
    large = history(tmp_path, text)
    assert large.columns is not None and infer_model(large) == "stack"
    monkeypatch.setattr(text_objects, "LARGE", 10**9)
    assert list(large.ops) == list(history(tmp_path, text).ops)
