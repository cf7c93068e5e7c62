"""What a user may get wrong when a file is judged: each is refused with a sentence and a way out, nothing is taken for something else."""

import json

import pytest

from checkers.linearizable import LinearizableRegister
from checkers.monitors.checker import Queue
from checkers.objects.checker import Linearizable
from checkers.sequential import CausalRegister
from checkers.sessions import Sessions
from checkers.staleness import Staleness
from harness.case import Budget, Question, read_case
from harness.cli.app import main
from harness.errors import UsageError
from harness.history.infer import infer_model
from harness.history.read import read_history
from harness.judge import judge_path


def file(tmp_path, *ops, name="history.jsonl"):
    """Each op is (process, f, argument, result), one after the other."""
    lines = []
    for process, f, argument, result in ops:
        lines += [(process, "invoke", f, argument), (process, "ok", f, result)]
    path = tmp_path / name
    path.write_text("".join(json.dumps({"process": p, "type": t, "f": f, "value": v}) + "\n" for p, t, f, v in lines))
    return path


STALE = [(0, "write", 1, 1), (0, "write", 2, 2), (1, "read", None, 1)]


@pytest.mark.parametrize("made", [LinearizableRegister, Linearizable, Queue, CausalRegister, Sessions, Staleness])
@pytest.mark.parametrize(
    "option", [{"keyed": "zz"}, {"keyed": [1]}, {"failed_cas": "x"}, {"budget": -1}, {"budget": "x"}, {"budget": True}, {"budget": 1e9}]
)
def test_a_value_that_an_option_has_not_is_refused(made, option):
    (name,) = option
    if name in made.options:
        with pytest.raises(UsageError, match=name):
            made(**option)


def test_a_counter_starts_with_a_number():
    with pytest.raises(UsageError, match="initial"):
        Linearizable("counter", initial="abc")


@pytest.mark.parametrize(
    ("budget", "cas", "said"),
    [
        (Budget(-1.0), "nothing", "--timeout"),
        (Budget(float("nan")), "nothing", "--timeout"),
        (Budget(float("inf")), "nothing", "--timeout"),
        (Budget(memory_mb=0), "nothing", "--memory"),
        (Budget(memory_mb=10**12), "nothing", "--memory"),
        (Budget(), "maybe", "--failed-cas"),
    ],
)
def test_questions_that_mean_nothing(budget, cas, said):
    from harness.cli.options import check_question

    with pytest.raises(UsageError, match=said):
        check_question(Question(budget=budget, failed_cas=cas))


def test_in_json_a_wrong_question_is_an_object_for_each_path(tmp_path, capfdbinary):
    path = file(tmp_path, *STALE)
    assert main(["check", str(path), str(path), "--json", "--consistency", "sortof"]) == 254
    objects = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [(one["path"], one["valid"]) for one in objects] == [(str(path), None)] * 2 and "sortof" in objects[0]["error"]


def test_no_time_at_all_is_unknown_and_said_once(tmp_path):
    results = judge_path(file(tmp_path, *STALE), Question(budget=Budget(0.0)))
    assert results.valid == "unknown" and results.reason.count("budget of 0 s") == 1


@pytest.mark.parametrize(
    "arguments", [["--most", "0"], ["--most", "-1"], ["--out", "{dir}/x.jsonl"], ["--minimize", "--out", "{dir}/none/x.jsonl"]]
)
def test_explain_refuses_before_it_works(tmp_path, capsys, arguments):
    path = file(tmp_path, *STALE)
    assert main(["explain", str(path), *(word.format(dir=tmp_path) for word in arguments)]) == 254
    said = capsys.readouterr()
    assert said.out == "" and "Way out:" in said.err and arguments[-2] in said.err.replace(str(tmp_path / "none"), "--out")


@pytest.mark.parametrize(
    ("ops", "model"),
    [
        ([(0, "increment", None, None), (0, "read", None, 1)], "counter-linearizable"),
        ([(0, "offer", 1, 1), (0, "poll", None, 1)], "queue"),
        ([(0, "insert", 1, 1), (0, "dequeue", None, 1)], "priority-queue"),
        ([(0, "insert", 1, True), (0, "remove", 1, True)], "set-object"),
        ([(0, "push", 1, 1), (0, "peek", None, 1)], "stack"),
        ([(0, "acquire", None, None)], ""),
        ([(0, "down", None, None), (0, "up", None, None)], ""),
        ([(0, "txn", [["r", "x", None]], [["r", "x", None]])], ""),
        ([(0, "enqueue", 1, 1), (0, "frob", 1, 1)], "queue"),  # the checker names the op that a queue has not
        ([(0, "frob", 1, 1)], ""),
    ],
)
def test_the_model_is_told_by_the_ops_where_they_fit_one(tmp_path, ops, model):
    assert infer_model(read_history(file(tmp_path, *ops))) == model


@pytest.mark.parametrize(
    ("f", "said"),
    [
        ("acquire", "--as mutex | fenced-mutex | semaphore;"),
        ("peek", "--as queue | stack | priority-queue;"),
        ("down", "one that must be named"),
        ("frob", "no model is known by its operations (frob)"),
    ],
)
def test_where_they_fit_several_it_is_asked_which(tmp_path, f, said):
    with pytest.raises(UsageError) as refused:
        read_case(file(tmp_path, (0, f, None, None)), Question())
    assert said in str(refused.value) and "list models" in str(refused.value)


def test_a_name_that_is_nearly_a_models(tmp_path):
    with pytest.raises(UsageError, match="no model is called 'regster'") as refused:
        read_case(file(tmp_path, *STALE), Question(as_model="regster"))
    assert "did you mean register?" in str(refused.value)


def test_a_file_without_a_client_op_is_unknown_whatever_it_is(tmp_path):
    path = tmp_path / "nemesis.jsonl"
    path.write_text('{"process":"nemesis","type":"info","f":"start","value":null}\n')
    results = judge_path(path, Question())
    assert results.valid == "unknown" and "no client op" in results.reason


def test_a_users_file_that_ends_the_process_is_refused(tmp_path):
    path, model = file(tmp_path, *STALE), tmp_path / "ends.py"
    model.write_text("import sys\nsys.exit(1)\n")
    assert "SystemExit" in judge_path(path, Question(as_model=f"{model}:M")).error
    model.write_text("import sys\nclass M:\n    initial = 0\n    def step(self, state, act):\n        sys.exit(3)\n")
    results = judge_path(path, Question(as_model=f"{model}:M"))
    assert results.valid == "unknown" and "step raised SystemExit" in results.reason


def test_paths_that_are_no_history(tmp_path):
    prose, folder = tmp_path / "prose.txt", tmp_path / "folder"
    prose.write_text("hello world\n")
    folder.mkdir()
    assert "'hello' is no operation" in judge_path(prose, Question()).error
    assert f"{folder} is a folder without a history.jsonl" in judge_path(folder, Question()).error


def test_lists_show_what_stands_in_brackets(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["list", "checkers"]) == 0 and "[key, value]" in capsys.readouterr().out
    assert main(["list", "models"]) == 0 and "as  by" not in capsys.readouterr().out


def test_a_command_that_is_nearly_one(capsys):
    assert main(["chek"]) == 254 and "'check'?\n" in capsys.readouterr().err
