"""Users' own models: the example, from Python and from the command line; and what they may do wrong, named with the op and the line."""

from pathlib import Path

import msgspec
import pytest

from checkers.objects import Linearizable
from harness.case import Question
from harness.errors import UsageError
from harness.judge import judge_path
from tests.checkers.test_objects import check, history, the_one

TICKETS = Path(__file__).resolve().parents[2] / "examples" / "tickets.py"
TAKEN = "0 invoke take\n1 invoke take\n0 ok take 1\n1 ok take 2\n0 invoke give 1\n0 ok give 1\n2 invoke take\n2 ok take 2"


def test_a_users_model_is_told_as_ours_are():
    anomaly = the_one(check(TAKEN, f"{TICKETS}:Tickets"))
    assert "leaves one that is (1, 3), but it is not possible there" in anomaly.message
    assert check(TAKEN.replace("ok take 2", "ok take 1").replace("1 ok take 1", "1 ok take 3"), f"{TICKETS}:Tickets").valid is True


def test_a_users_model_from_the_command_line(tmp_path):
    path = tmp_path / "history.jsonl"
    lines = [msgspec.json.encode(op) for op in history(TAKEN).ops]
    path.write_bytes(b"\n".join(lines))
    results = judge_path(path, Question(as_model=f"{TICKETS}:Tickets"))
    assert results.valid is False and results.anomalies[0].type == "nonlinearizable"


BROKEN = {
    "raises": ("return [state[act.argument]]", "step raised TypeError", "(line 6)"),
    "nonsense": ("return 7", "step gave 7, not a list of states", ""),
    "changes": ("state.append(1)\n        return [state]", "step changed the state that it was given", ""),
    "unhashable": ("return [Unhashable()]", "a state cannot be told from others", ""),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_users_model_that_fails_is_named_with_the_op(name, tmp_path):
    body, error, line = BROKEN[name]
    path = tmp_path / "broken.py"
    path.write_text(f"class Broken:\n    initial = []\n    fs = ()\n\n    def step(self, state, act):\n        {body}\n\n\n{UNHASHABLE}")
    with pytest.raises(UsageError) as raised:
        check("0 invoke go\n0 ok go", f"{path}:Broken")
    text = str(raised.value)
    assert f"the model {path}:Broken on process 0: go" in text and error in text and line in text


UNHASHABLE = "class Unhashable:\n    __hash__ = None\n"


def test_a_users_model_that_cannot_be_made(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("class Broken:\n    def __init__(self):\n        1 / 0\n\n    def step(self, state, act):\n        return []\n")
    with pytest.raises(UsageError) as raised:
        Linearizable(f"{path}:Broken")
    assert "cannot be made: ZeroDivisionError" in str(raised.value) and "(line 3)" in str(raised.value)
    path.write_text("class Broken:\n    def step(self, state, act):\n        return []\n")
    with pytest.raises(UsageError) as raised:
        Linearizable(f"{path}:Broken")
    assert "has no `initial`" in str(raised.value)
