"""The general models on named cases: in which words they are told, and what is planted in large histories."""

import msgspec
import pytest

from checkers.objects import Linearizable, verify_witness
from checkers.objects import window as shrinking
from harness.checker import CheckContext
from harness.errors import HistoryError, UsageError
from harness.history.history import History
from harness.op import Op
from tests.checkers import histories_objects as made

LINEARIZABLE = CheckContext(expected="linearizable")


def history(text):
    """A line an op: `process type f value [ext]`, JSON."""
    ops = []
    for line in text.strip().splitlines():
        process, type_, f, *rest = line.split(None, 3)
        value, _, ext = (rest[0] if rest else "null").partition(" ext ")
        decoded = msgspec.json.decode(ext) if ext else None
        ops.append(Op(len(ops), len(ops), int(process), type_, f, msgspec.json.decode(value), ext=decoded))
    return History(ops)


def check(recorded, model, **options):
    recorded = history(recorded) if isinstance(recorded, str) else recorded
    verdict = Linearizable(model, **options).check(recorded, LINEARIZABLE)
    for anomaly in verdict.anomalies:
        assert verify_witness(recorded, anomaly), anomaly
        assert anomaly.type == "nonlinearizable" and anomaly.rules_out == ["linearizable", "strict-serializable"]
    return verdict


def the_one(verdict):
    assert verdict.valid is False and verdict.not_models == ["linearizable", "strict-serializable"], verdict
    (anomaly,) = verdict.anomalies
    return anomaly


def test_the_story_says_what_was_there_and_why_the_next_op_cannot_be():
    text = """
    0 invoke enqueue 1
    0 ok enqueue 1
    0 invoke enqueue 2
    0 ok enqueue 2
    1 invoke dequeue
    1 ok dequeue 2
    """
    anomaly = the_one(check(text, "queue"))
    assert anomaly.message == (
        "these operations have no order that a queue explains: process 0: enqueue 1 (#0-#1); process 0: enqueue 2 (#2-#3); "
        "process 1: dequeue -> 2 (#4-#5). At the start the queue is empty; when process 1: dequeue -> 2 (#4-#5) returns, every order of "
        "what came before leaves one that holds [1, 2], but it got 2, and 1 comes first."
    )
    assert anomaly.ops == [0, 1, 2, 3, 4, 5]
    assert anomaly.witness["next"] == [
        {"call": 4, "possible": [], "impossible": [{"state": "holds [1, 2]", "why": "it got 2, and 1 comes first"}]}
    ]


def test_a_window_that_begins_while_an_op_is_open_knows_that_it_has_acted(monkeypatch):
    monkeypatch.setattr(shrinking, "SMALL", 0)
    text = """
    0 invoke add 1
    1 invoke add-and-get 1
    1 ok add-and-get 2
    2 invoke read
    0 ok add 1
    2 ok read 5
    """
    witness = the_one(check(text, "counter")).witness
    assert (witness["begin"], witness["starts"]) == (2, [{"state": "is 2", "acted": [0]}])
    assert [state["state"] for state in witness["next"][0]["impossible"]] == ["is 2"]


def test_what_is_open_and_cannot_help_is_named_too():
    text = """
    0 invoke decr
    1 invoke incr
    2 invoke decr
    1 ok incr
    0 ok decr 1
    2 ok decr 1
    """
    anomaly = the_one(check(text, "semaphore"))
    assert "every order of what came before leaves one that has 0 permits, but it needs 1" in anomaly.message


@pytest.mark.parametrize(
    ("model", "text", "why"),
    [
        ("mutex", "0 invoke acquire\n0 ok acquire\n1 invoke acquire\n1 ok acquire", "it must be free"),
        ("mutex", "0 invoke acquire\n0 ok acquire\n1 invoke release\n1 ok release", "another one holds it"),
        ("mutex", "0 invoke release\n0 ok release", "it is not held"),
        ("mutex", "0 invoke acquire\n0 ok acquire false", "it was told that somebody has it"),
        (
            "fenced-mutex",
            "0 invoke acquire\n0 ok acquire 5\n0 invoke release\n0 ok release\n1 invoke acquire\n1 ok acquire 5",
            "it got token 5",
        ),
        ("counter", "0 invoke add 2\n0 ok add 2\n0 invoke read\n0 ok read 1", "it answered 1"),
        ("counter", "0 invoke add-and-get 2\n0 ok add-and-get 3", "it answered 3"),
        ("set", "0 invoke add 1\n0 ok add 1\n0 invoke read\n0 ok read []", "it misses 1"),
        ("set", "0 invoke read\n0 ok read [1, 1]", "it has 1, 1, which is not there and it has an element twice"),
        ("set", "0 invoke contains 1\n0 ok contains true", "it answered True, but 1 is not there"),
        ("stack", "0 invoke push 1\n0 ok push 1\n0 invoke push 2\n0 ok push 2\n0 invoke pop\n0 ok pop 1", "it got 1, and 2 comes first"),
        (
            "priority-queue",
            "0 invoke insert 1\n0 ok insert 1\n0 invoke insert 2\n0 ok insert 2\n0 invoke poll\n0 ok poll 1",
            "2 comes first",
        ),
        ("deque", "0 invoke push_front 1\n0 ok push_front 1\n0 invoke pop_back\n0 ok pop_back null", "it got nothing, and 1 comes first"),
        ("unordered-queue", "0 invoke dequeue\n0 ok dequeue 1", "it got an element that is not there"),
        ("register", "0 invoke read\n0 ok read 1", "it read 1"),
        ("cas-register", "0 invoke cas [1, 2]\n0 ok cas [1, 2]", "it needs 1"),
        ("multi-register", '0 invoke txn [["r", "x", null]]\n0 ok txn [["r", "x", 1]]', "it read 'x' as 1"),
        ("multi-register", '0 invoke read {"x": null, "y": null}\n0 ok read {"x": 1, "y": 2}', "it read 'x' as 1, 'y' as 2"),
    ],
)
def test_each_model_says_why_in_its_own_words(model, text, why):
    assert why in the_one(check(text, model)).message


@pytest.mark.parametrize(
    ("model", "options", "text"),
    [
        ("mutex", {}, "0 invoke acquire\n0 info acquire\n1 invoke acquire\n1 ok acquire"),
        ("mutex", {}, "0 invoke acquire\n0 ok acquire\n0 invoke release\n0 info release\n1 invoke acquire\n1 ok acquire"),
        ("mutex", {"holder": "anyone"}, "0 invoke acquire\n0 ok acquire\n1 invoke release\n1 ok release"),
        (
            "fenced-mutex",
            {},
            '0 invoke acquire\n0 ok acquire {"token": 5}\n0 invoke release\n0 ok release\n1 invoke acquire\n1 ok acquire 7',
        ),
        ("fenced-mutex", {}, '0 invoke acquire\n0 ok acquire null ext {"fence": 5}'),
        (
            "semaphore",
            {"permits": 1},
            "0 invoke acquire\n0 ok acquire\n1 invoke acquire\n1 ok acquire false\n0 invoke release\n0 ok release",
        ),
        ("semaphore", {"permits": 3}, "0 invoke acquire 2\n0 ok acquire 2\n1 invoke acquire 2\n1 ok acquire 0"),
        ("counter", {"initial": 5}, "0 invoke decrement\n0 info decrement\n1 invoke read\n1 ok read 5\n1 invoke read\n1 ok read 4"),
        ("counter", {}, "0 invoke get-and-add 2\n0 ok get-and-add 0\n1 invoke add-and-get -1\n1 ok add-and-get 1"),
        (
            "priority-queue",
            {"smallest_first": True},
            "0 invoke insert 2\n0 ok insert 2\n0 invoke insert 1\n0 ok insert 1\n0 invoke poll\n0 ok poll 1",
        ),
        ("multi-register", {"initial": {"x": 1}}, '0 invoke read ["x", "y"]\n0 ok read {"x": 1, "y": null}'),
        (  # the crashed one came before the other, which overwrote half of it
            "multi-register",
            {},
            '0 invoke txn [["w", "y", 1], ["w", "z", 1]]\n0 info txn [["w", "y", 1], ["w", "z", 1]]\n1 invoke write {"z": 2}\n'
            '1 ok write {"z": 2}\n1 invoke read {"y": null, "z": null}\n1 ok read {"y": 1, "z": 2}',
        ),
        (  # it came before the last push, and what is under it was seen
            "stack",
            {},
            "0 invoke push 1\n0 ok push 1\n0 invoke push 2\n0 ok push 2\n1 invoke pop\n1 info pop\n0 invoke push 3\n0 ok push 3\n"
            "0 invoke pop\n0 ok pop 3\n0 invoke pop\n0 ok pop 1",
        ),
        (
            "set",
            {},
            "0 invoke add 1\n0 ok add [1, true]\n0 invoke contains 1\n0 ok contains [1, true]\n0 invoke add 1\n0 ok add [1, false]",
        ),
        ("set", {}, "0 invoke add 1\n0 ok add true\n1 invoke add true\n1 ok add true\n0 invoke read\n0 ok read [true, 1]"),
    ],
)
def test_what_is_in_order(model, options, text):
    assert check(text, model, **options).valid is True


def test_keys_are_objects_of_their_own_and_the_bad_one_is_named():
    text = "\n".join(
        f'0 invoke enqueue {{"key": "{key}", "value": 1}}\n0 ok enqueue {{"key": "{key}", "value": 1}}\n'
        f'0 invoke dequeue {{"key": "{key}", "value": null}}\n0 ok dequeue {{"key": "{key}", "value": {got}}}'
        for key, got in (("a", 1), ("b", 2))
    )
    anomaly = the_one(check(text, "queue"))
    assert anomaly.key == "b"
    tuples = "0 invoke push [1, 7]\n0 ok push [1, 7]\n0 invoke pop [1, null]\n0 ok pop [1, 8]"
    assert the_one(check(tuples, "stack")).key == 1


def test_nothing_is_valid_by_absence():
    assert "nobody observed anything of the queue" in check("0 invoke enqueue 1\n0 ok enqueue 1", "queue").reason
    assert check(History([]), "mutex").valid == "unknown"
    assert check("0 invoke acquire\n0 info acquire", "mutex").valid == "unknown"
    assert check("0 invoke acquire\n0 ok acquire", "mutex").valid is True


def test_a_spent_budget_is_unknown_with_the_count():
    verdict = check(made.crashed("counter", 40, 12, 1), "counter", budget=20)
    assert verdict.valid == "unknown" and "1 of 1 objects need more than 20 configurations" in verdict.reason


def test_a_weaker_model_than_linearizable_is_not_decided_here():
    recorded = history("0 invoke read\n0 ok read 1")
    verdict = Linearizable("register").check(recorded, CheckContext(expected="sequential"))
    assert verdict.valid == "unknown" and "whether it is sequential" in verdict.reason


def test_row_14_a_refused_cas_and_a_write_that_nobody_read():
    write = "0 invoke write 0\n0 ok write 0\n1 invoke write 7\n1 info write 7\n"
    refused = "0 invoke cas [0, 1]\n0 fail cas [0, 1]\n"
    assert check(write + refused + "2 invoke read\n2 ok read 0", "cas-register").valid is True
    assert check(write + refused + "2 invoke read\n2 ok read 7", "cas-register", failed_cas="observes").valid is True
    # 7 was there when it was refused, and nobody can have written 0 again.
    assert check(write + refused + "2 invoke read\n2 ok read 0", "cas-register", failed_cas="observes").valid is False
    without = "0 invoke write 0\n0 ok write 0\n" + refused
    assert "was refused, though it found 0" in the_one(check(without, "cas-register", failed_cas="observes")).message


@pytest.mark.parametrize(
    ("model", "text", "error"),
    [
        ("queue", "0 invoke push 1", "op 0: a queue has no 'push'"),
        ("queue", "0 invoke enqueue null", "op 0: enqueue of null"),
        ("counter", '0 invoke add "1"', "op 0: what add adds is '1', not a whole number"),
        ("counter", "0 invoke read\n0 ok read 1.5", "op 1: what read answered is 1.5"),
        ("fenced-mutex", "0 invoke acquire\n0 ok acquire", "op 1: acquire without a token"),
        ("semaphore", "0 invoke acquire", "op 0: nobody says how many permits there are"),
        ("set", "0 invoke contains 1\n0 ok contains 1", "op 1: contains answered 1"),
        ("set", "0 invoke read\n0 ok read 1", "op 1: read gave 1"),
        ("priority-queue", '0 invoke insert 1\n0 ok insert 1\n0 invoke insert "a"', "op 2: 'a' has no rank among the others"),
        ("multi-register", "0 invoke txn [1]", "op 0: [1] is no list of micro-ops"),
        ("multi-register", '0 invoke txn [["w", "x", 1]]\n0 ok txn []', "op 1: it completes other micro-ops"),
        ("multi-register", "0 invoke write 1", "op 0: 1 is no object of keys and values"),
        ("cas-register", "0 invoke cas 1", "op 0: cas of 1"),
    ],
)
def test_bad_shapes_are_errors_that_name_the_op(model, text, error):
    with pytest.raises(HistoryError) as raised:
        check(text, model)
    assert error in str(raised.value)


@pytest.mark.parametrize(
    ("model", "settings", "error"),
    [
        ("que", {}, "no model is called 'que'"),
        ("queue", {"permits": 1}, "the model queue has no setting 'permits'"),
        ("mutex", {"holder": "me"}, "holder = 'me'"),
        ("semaphore", {"permits": -1}, "permits = -1"),
        ("multi-register", {"initial": 1}, "initial = 1"),
    ],
)
def test_wrong_settings_are_errors(model, settings, error):
    with pytest.raises(UsageError) as raised:
        Linearizable(model, **settings)
    assert error in str(raised.value)


def test_a_model_whose_reads_change_something_is_named(tmp_path):
    path = tmp_path / "liar.py"
    step = "def step(self, n, act):\n        return [n + 1]"
    path.write_text(f"class Liar:\n    initial = 0\n\n    {step}\n\n    def reads(self, act):\n        return True\n")
    with pytest.raises(UsageError) as raised:
        check("0 invoke go\n0 ok go", f"{path}:Liar")
    assert "reads says that it changes nothing, step makes 1 of 0" in str(raised.value)


@pytest.mark.parametrize("model", made.PLANTED)
def test_what_is_planted_in_a_large_valid_history_is_found(model):
    recorded = made.valid(model, 600, 5, 7)
    settings = made.SETTINGS.get(model, {})
    verdict = Linearizable(model, **settings).check(recorded, LINEARIZABLE)
    assert verdict.valid is True, verdict
    broken, at = made.plant(model, recorded)
    anomaly = the_one(check(broken, model, **settings))
    assert at in anomaly.ops and len(anomaly.witness["operations"]) <= 30, anomaly


@pytest.mark.parametrize("model", sorted(made.PLANTED))
def test_same_input_same_output(model):
    recorded, _ = made.plant(model, made.valid(model, 150, 4, 3))
    settings = made.SETTINGS.get(model, {})
    one, two = (msgspec.json.encode(Linearizable(model, **settings).check(recorded, LINEARIZABLE)) for _ in range(2))
    assert one == two
