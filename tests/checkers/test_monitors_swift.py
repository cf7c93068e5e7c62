"""The fast road of the monitors: the same verdict as the exact road, and no opinion on what is unusual."""

import random

import msgspec
import pytest

from checkers.monitors import PriorityQueue, Queue, SetObject, Stack, verify_witness
from harness.checker import CheckContext
from harness.history.columns import read_columns
from harness.history.history import History
from harness.op import Op
from tests.checkers.oracle_monitors import KINDS, random_history
from tests.checkers.test_monitors import Simulated

CONTEXT = CheckContext(expected="linearizable")
ADDS = {"queue": "enqueue", "stack": "push", "priority-queue": "insert"}
CHECKERS = {"queue": Queue, "stack": Stack, "priority-queue": PriorityQueue, "set-object": SetObject}


def lines(ops):
    return b"".join(msgspec.json.encode(op) + b"\n" for op in ops)


def as_pairs(history):
    """Keys as Jepsen writes them."""
    return History([msgspec.structs.replace(op, value=[op.value["key"], op.value["value"]]) for op in history.ops])


@pytest.mark.parametrize("kind", KINDS)
def test_random_histories_get_the_verdict_of_the_exact_road(kind):
    said = {"invalid": 0, "swift": 0}
    count = 1200
    for number in range(count):
        rng = random.Random(f"swift {kind} {number}")
        smallest = kind == "priority-queue" and number % 3 == 0
        history = random_history(rng, kind, smallest)
        checker = CHECKERS[kind](first="smallest") if smallest else CHECKERS[kind]()
        repeated = kind != "set-object" and number % 10 == 0
        if repeated:  # a value added twice: the exact road alone may say what that means
            twice = [(90, "invoke"), (90, "ok"), (91, "invoke"), (91, "ok")]
            size, value = len(history.ops), {"key": 0, "value": 1}
            history.ops += [Op(size + i, 0, process, type_, ADDS[kind], value) for i, (process, type_) in enumerate(twice)]
        elif number % 3 == 1 and kind != "set-object" and any(op.f != ADDS[kind] for op in history.ops):
            history = as_pairs(history)
        columns = read_columns(lines(history.ops), 0)
        assert columns is not None
        exact = checker.check(history, CONTEXT)
        sifted = checker.sift(columns)
        swift = checker.check(History(history.ops, columns=columns), CONTEXT)
        assert msgspec.to_builtins(swift) | {"anomalies": []} == msgspec.to_builtins(exact) | {"anomalies": []}, (number, swift, exact)
        assert [(found.kind, found.key) for found in swift.anomalies] == [(found.kind, found.key) for found in exact.anomalies]
        assert all(verify_witness(history, found) for found in swift.anomalies)
        assert sifted is None or sifted.conflicts <= exact.counts.get("nonlinearizable", 0), number  # none is claimed that is not there
        said["invalid"] += exact.valid is False
        said["swift"] += sifted is not None
    assert said["invalid"] >= 0.3 * count and said["swift"] >= 0.6 * count


@pytest.mark.parametrize("kind", KINDS)
def test_a_larger_history_and_one_planted_conflict(kind):
    simulated = Simulated(kind, 4000, 5, clients=12, looks=0.1)
    ops, at = simulated.history.ops, simulated.quiet

    def judged(ops):
        ops = [msgspec.structs.replace(op, index=i) for i, op in enumerate(ops)]
        columns = read_columns(lines(ops), 0)
        swift = CHECKERS[kind]().check(History([], columns=columns), CONTEXT)
        return swift, CHECKERS[kind]().check(History(ops), CONTEXT), CHECKERS[kind]().sift(columns)

    swift, exact, sifted = judged(ops)
    assert swift.valid is True and swift == exact and sifted is not None
    add, remove = {
        "queue": ("enqueue", "dequeue"),
        "stack": ("push", "pop"),
        "priority-queue": ("insert", "poll"),
        "set-object": ("add", "contains"),
    }[kind]
    plants = (
        [[(add, -1, [-1, True]), (remove, -1, False)]]
        if kind == "set-object"
        else [
            [(add, -1, -1), (add, -2, -2), (add, -3, -3), (remove, None, -2), (remove, None, -1), (remove, None, -3)],
            [(add, -1, -1), (remove, None, None), (remove, None, -1)],
            [(remove, None, -1)],
        ]
    )
    for plant in plants:
        inner = [Op(0, 0, 90, type_, f, value) for f, asked, answered in plant for type_, value in (("invoke", asked), ("ok", answered))]
        swift, exact, sifted = judged([*ops[:at], *inner, *ops[at:]])
        assert swift.valid is False and swift == exact and sifted.conflicts == 1 and (len(sifted.left) <= 12 or kind == "set-object")


def test_what_is_unusual_is_left_to_the_exact_road():
    def sift(kind, *values, pairs=False, **options):
        made = [Op(i, 0, 0, "invoke" if i % 2 == 0 else "ok", f, value) for i, (f, value) in enumerate(values)]
        return CHECKERS[kind](**options).sift(read_columns(lines(made), 0))

    usual = [("enqueue", 1), ("enqueue", 1), ("dequeue", None), ("dequeue", 1)]
    assert sift("queue", *usual) is not None
    assert sift("queue", *usual, keyed="tuple") is None
    assert sift("queue", ("push", 1)) is None
    assert sift("queue", ("enqueue", True)) is None
    assert sift("queue", *usual, ("dequeue", None), ("dequeue", True)) is None
    assert sift("queue", ("enqueue", [1, 2]), ("enqueue", [1, 2]), ("dequeue", [1, 2]), ("dequeue", [1, 2])) is None  # lists, not keys
    assert sift("queue", ("enqueue", 1), ("enqueue", 1), ("enqueue", None)).conflicts == 0
    assert sift("set-object", ("add", 1), ("add", 1), ("contains", 1), ("contains", True)) is not None
    for odd in ([("contains", 1), ("contains", 1)], [("add", None)], [("add", 1), ("add", [2, True])], [("add", True)]):
        assert sift("set-object", *odd) is None, odd
