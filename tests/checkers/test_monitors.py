"""Monitors of queues, stacks, priority queues and sets: what each verdict says, planted anomalies, the odd histories."""

import random

import msgspec
import pytest

from checkers.monitors import PriorityQueue, Queue, SetObject, Stack, verify_witness
from checkers.monitors.deadlines import matching
from harness.checker import CheckContext
from harness.errors import HistoryError, UsageError
from harness.history.history import History
from harness.op import Op
from harness.verdict import Anomaly

CONTEXT = CheckContext(expected="linearizable")
CHECKERS = {"queue": Queue, "stack": Stack, "priority-queue": PriorityQueue, "set-object": SetObject}


def history(*lines):
    """Ops from (process, type, f, value)."""
    return History([Op(i, i, *line) for i, line in enumerate(lines)])


def steps(*done):
    """One op after the other: (f, value asked, value answered)."""
    lines = []
    for f, asked, answered in done:
        lines += [(0, "invoke", f, asked), (0, "ok", f, answered)]
    return history(*lines)


def judged(kind, made, **options):
    verdict = CHECKERS[kind](**options).check(made, CONTEXT)
    for anomaly in verdict.anomalies:
        assert verify_witness(made, anomaly), anomaly.message
    return verdict


@pytest.mark.parametrize(
    ("kind", "ops", "found", "says"),
    [
        ("queue", [("enqueue", 1, 1), ("enqueue", 2, 2), ("dequeue", None, 2)], "order", "1 never left"),
        ("queue", [("enq", 1, 1), ("enq", 2, 2), ("deq", None, 2), ("deq", None, 1)], "order", "was called only after that"),
        ("queue", [("enqueue", 1, 1), ("enqueue", 2, 2), ("peek", None, 2)], "order", "1 is in front of 2"),
        ("queue", [("enqueue", 1, 1), ("dequeue", None, None)], "empty", "1 from the return of"),
        ("queue", [("dequeue", None, 7)], "fresh", "nobody ever put 7 into the queue"),
        ("queue", [("enqueue", 1, 1), ("dequeue", None, 1), ("dequeue", None, 1)], "repeat", "removed twice"),
        ("queue", [("enqueue", 1, 1), ("dequeue", None, 1), ("peek", None, 1)], "repeat", "gone by then"),
        ("stack", [("push", 1, 1), ("push", 2, 2), ("pop", None, 1)], "order", "so 2 lay above 1"),
        ("stack", [("push", 1, 1), ("push", 2, 2), ("peek", None, 1)], "order", "2 never left"),
        ("stack", [("push", 1, 1), ("peek", None, None)], "empty", "peek, which found nothing"),
        ("priority-queue", [("insert", 2, 2), ("insert", 1, 1), ("poll", None, 1)], "order", "a larger value was inside: 2"),
        ("priority-queue", [("insert", 2, 2), ("insert", 1, 1), ("peek", None, 1)], "order", "a larger value was inside: 2"),
        ("set-object", [("add", 1, True), ("contains", 1, False)], "lost", "was in the set from before its call"),
        ("set-object", [("add", 1, 1), ("remove", 1, True), ("remove", 1, True)], "order", "no order that a set explains"),
        ("set-object", [("add", 1, True), ("remove", 1, True), ("contains", 1, True)], "repeat", "it was gone by then"),
        ("set-object", [("contains", 1, True)], "fresh", "nobody ever put 1 into the set"),
    ],
)
def test_each_rule_has_its_kind_and_its_sentence(kind, ops, found, says):
    verdict = judged(kind, steps(*ops))
    assert verdict.valid is False and verdict.anomalies[0].kind == found and says in verdict.anomalies[0].message
    assert verdict.not_models == ["linearizable", "strict-serializable"] and verdict.counts == {"nonlinearizable": 1}
    weaker = CHECKERS[kind]().check(steps(*ops), CheckContext(expected="sequential"))
    assert weaker.valid == "unknown" and "sequential" in weaker.reason


@pytest.mark.parametrize(
    ("kind", "ops"),
    [
        (
            "queue",
            [("enqueue", 1, 1), ("enqueue", 2, 2), ("peek", None, 1), ("dequeue", None, 1), ("dequeue", None, 2), ("peek", None, None)],
        ),
        ("queue", [("enqueue", 1, 1), ("enqueue", True, True), ("enqueue", 1.0, 1.0), ("dequeue", None, 1), ("dequeue", None, True)]),
        ("stack", [("push", 1, 1), ("push", "1", "1"), ("pop", None, "1"), ("peek", None, 1), ("pop", None, 1), ("pop", None, None)]),
        ("priority-queue", [("insert", 1, 1), ("insert", 2.5, 2.5), ("poll", None, 2.5), ("poll", None, 1), ("poll", None, None)]),
        ("set-object", [("add", 1, True), ("add", 1, False), ("contains", 1, [1, True]), ("remove", 1, True), ("add", 1, True)]),
        ("set-object", [("remove", 1, False), ("add", 1, 1), ("remove", 1, 1), ("contains", 1, False), ("add", [2], True)]),
    ],
)
def test_what_is_right_is_valid(kind, ops):
    verdict = judged(kind, steps(*ops))
    assert verdict.valid is True and verdict.holds == ["linearizable"]


def test_the_smallest_first():
    ops = steps(("insert", 2, 2), ("insert", 1, 1), ("poll", None, 1))
    assert judged("priority-queue", ops, first="smallest").valid is True
    verdict = judged("priority-queue", steps(("insert", 2, 2), ("insert", 1, 1), ("poll", None, 2)), first="smallest")
    assert verdict.valid is False and "a smaller value was inside: 1" in verdict.anomalies[0].message


def test_a_failed_op_proves_nothing_and_an_unknown_one_may_act_late():
    lost = [(0, "invoke", "enqueue", 1), (0, "fail", "enqueue", 1), (0, "invoke", "dequeue", None), (0, "ok", "dequeue", 1)]
    assert judged("queue", history(*lost)).anomalies[0].kind == "fresh"
    lost[1] = (0, "info", "enqueue", 1)
    assert judged("queue", history(*lost[:2], *((1, *line[1:]) for line in lost[2:]))).valid is True
    empty = [
        (0, "invoke", "push", 1),
        (0, "ok", "push", 1),
        (1, "invoke", "pop", None),
        (1, "info", "pop", None),
        (0, "invoke", "pop", None),
    ]
    assert judged("stack", history(*empty, (0, "ok", "pop", None))).valid is True
    after = [*empty[:2], (0, "invoke", "pop", None), (0, "ok", "pop", None), *empty[2:4]]
    assert judged("stack", history(*after)).anomalies[0].kind == "empty"


def test_nothing_is_valid_by_absence():
    for made in (history(), steps(("enqueue", 1, 1)), history((0, "invoke", "dequeue", None), (0, "info", "dequeue", None))):
        verdict = judged("queue", made)
        assert verdict.valid == "unknown" and verdict.reason.startswith("nobody observed")
    assert judged("set-object", steps(("add", 1, 1), ("remove", 1, 1))).valid == "unknown"


def test_keys_are_judged_by_themselves():
    def keyed(f, key, asked, answered):
        return f, {"key": key, "value": asked}, {"key": key, "value": answered}

    good = [keyed("push", "a", 1, 1), keyed("push", "b", 1, 1), keyed("pop", "a", None, 1), keyed("pop", "b", None, 1)]
    verdict = judged("stack", steps(*good))
    assert verdict.valid is True and verdict.facts == {"keys": 2, "by_monitor": 2, "by_search": 0}
    bad = judged("stack", steps(*good, keyed("pop", "b", None, 1)))
    assert bad.anomalies[0].key == "b" and bad.anomalies[0].kind == "repeat"
    tuples = steps(("enqueue", ["a", 1], ["a", 1]), ("dequeue", ["a", None], ["a", 1]), ("dequeue", ["b", None], ["b", None]))
    assert judged("queue", tuples).facts["keys"] == 2


@pytest.mark.parametrize(
    ("kind", "lines", "says"),
    [
        ("queue", [(0, "invoke", "pop", None)], "op 0: a queue has no 'pop'"),
        ("queue", [(0, "invoke", "enqueue", None), (0, "ok", "enqueue", None)], "op 0: enqueue of null"),
        ("set-object", [(0, "invoke", "contains", 1), (0, "ok", "contains", 2)], "op 1: contains of 1 answers 2"),
        ("set-object", [(0, "invoke", "contains", 1), (0, "ok", "contains", None)], "op 1: contains of 1 answers None"),
        ("set-object", [(0, "invoke", "contains", True), (0, "ok", "contains", True)], "op 1: contains of True answers True"),
        ("set-object", [(0, "invoke", "add", 1), (0, "ok", "add", [2, True])], "op 1: add of 1 answers [2, True]"),
        ("stack", [(0, "invoke", "pop", {"key": 1}), (0, "ok", "pop", {"key": 2, "value": 1})], "op 1: it answers for key 2"),
    ],
)
def test_an_odd_op_is_named(kind, lines, says):
    with pytest.raises(HistoryError) as caught:
        CHECKERS[kind]().check(history(*lines), CONTEXT)
    assert says in str(caught.value)


class Simulated:
    """A valid history of one object: clients that overlap. At `quiet`, half way, nothing is open and the object is empty."""

    def __init__(self, kind, count, seed, clients=6, looks=0.2):
        self.kind, self.rng = kind, random.Random(f"{kind} {seed}")
        self.items, self.added, self.ops, self.looks = [], 0, [], looks
        self.run(count // 2, clients)
        while kind != "set-object" and self.items:
            remove = {"queue": "dequeue", "stack": "pop", "priority-queue": "poll"}[kind]
            self.emit(0, "invoke", remove, None)
            self.emit(0, "ok", remove, self.act(remove, None))
        self.quiet = len(self.ops)
        self.run(count // 2, clients)
        self.history = History(self.ops)

    def run(self, count, clients):
        open_, started = {}, 0
        while started < count or open_:
            c = self.rng.randrange(clients)
            if c not in open_:
                if started < count:
                    open_[c] = self.invoke(c)
                    started += 1
            elif len(open_[c]) == 2:
                open_[c] = (*open_[c], self.act(*open_[c]))
            else:
                f, _, answer = open_.pop(c)
                self.emit(c, "ok", f, answer)

    def emit(self, process, type_, f, value):
        self.ops.append(Op(len(self.ops), len(self.ops), process, type_, f, value))

    def invoke(self, process):
        add, remove, look = {
            "queue": ("enqueue", "dequeue", "peek"),
            "stack": ("push", "pop", "peek"),
            "priority-queue": ("insert", "poll", "peek"),
            "set-object": ("add", "remove", "contains"),
        }[self.kind]
        f = look if self.rng.random() < self.looks else self.rng.choice([add, remove])
        asked = None
        if self.kind == "set-object":
            asked = self.rng.randrange(40)
        elif f == add:
            self.added += 1
            asked = self.added if self.kind != "priority-queue" else self.rng.randrange(10**9) * 10_000 + self.added
        self.emit(process, "invoke", f, asked)
        return f, asked

    def act(self, f, asked):
        if self.kind == "set-object":
            there = asked in self.items
            if f == "add" and not there:
                self.items.append(asked)
            if f == "remove" and there:
                self.items.remove(asked)
            return there is (f != "add")
        if asked is not None:
            self.items.append(asked)
            return asked
        if not self.items:
            return None
        at = {"queue": 0, "stack": -1, "priority-queue": self.items.index(max(self.items))}[self.kind]
        return self.items[at] if f == "peek" else self.items.pop(at)


@pytest.mark.parametrize("kind", CHECKERS)
def test_an_anomaly_planted_in_a_large_history_is_found_and_named(kind):
    simulated = Simulated(kind, 1500, 1)
    made, at = simulated.history, simulated.quiet
    assert judged(kind, made).valid is True

    def planted(*done):
        """The ops put in half way, on values of their own."""
        inner = []
        for f, asked, answered in done:
            inner += [(900, "invoke", f, asked), (900, "ok", f, answered)]
        ops = [*made.ops[:at], *(Op(0, 0, *line) for line in inner), *made.ops[at:]]
        return History([msgspec.structs.replace(op, index=i) for i, op in enumerate(ops)])

    add, remove = {
        "queue": ("enqueue", "dequeue"),
        "stack": ("push", "pop"),
        "priority-queue": ("insert", "poll"),
        "set-object": ("add", "remove"),
    }[kind]
    if kind == "set-object":
        plants = {
            "fresh": [("contains", -1, True)],
            "lost": [(add, -1, True), ("contains", -1, False)],
            "repeat": [(add, -1, True), (remove, -1, True), ("contains", -1, True)],
            "order": [(add, -1, True), (add, -1, True)],
        }
    else:
        low, high = (10**15, 10**15 + 1) if kind == "priority-queue" else (-1, -2)
        first, second = (high, low) if kind == "queue" else (low, high)  # `first` goes out first though `second` should
        plants = {
            "fresh": [(remove, None, -9)],
            "repeat": [(add, low, low), (remove, None, low), (remove, None, low)],
            "order": [(add, second, second), (add, first, first), (remove, None, first), (remove, None, second)],
            "empty": [(add, low, low), (remove, None, None), (remove, None, low)],
        }
        if kind == "stack":
            plants["order"] = [(add, low, low), (add, high, high), (remove, None, low), (remove, None, high)]
    for name, done in plants.items():
        verdict = judged(kind, planted(*done))
        assert verdict.valid is False, name
        assert name in {anomaly.kind for anomaly in verdict.anomalies}, (name, verdict.anomalies)
        assert all(len(anomaly.witness["acts"]) <= 8 for anomaly in verdict.anomalies if anomaly.kind == name)


def test_repeated_values_are_left_to_the_complete_search():
    right = [("enqueue", 1, 1), ("enqueue", 1, 1), ("dequeue", None, 1), ("dequeue", None, 1), ("dequeue", None, None)]
    verdict = judged("queue", steps(*right))
    assert verdict.valid is True and verdict.facts == {"keys": 1, "by_monitor": 0, "by_search": 1}
    assert judged("queue", steps(*right, ("dequeue", None, 1))).valid is False
    stack = [("push", 1, 1), ("push", 2, 2), ("push", 1, 1), ("pop", None, 1), ("pop", None, 1)]
    assert judged("stack", steps(*stack)).valid is False
    ties = [("insert", 1, 1), ("insert", 1.0, 1.0), ("poll", None, 1.0), ("poll", None, 1)]
    assert judged("priority-queue", steps(*ties)).valid is True
    assert judged("priority-queue", steps(*ties, ("poll", None, 1)), first="smallest").valid is False
    assert judged("priority-queue", steps(("insert", "b", "b"), ("insert", "a", "a"), ("poll", None, "b"))).valid is True


def test_a_search_beyond_its_budget_is_unknown_and_says_so():
    twice = [("enqueue", 1, 1), ("enqueue", 1, 1), ("dequeue", None, 1), ("dequeue", None, 1)]
    verdict = Queue(budget=0).check(steps(*twice), CONTEXT)
    assert verdict.valid == "unknown" and "did not settle 1 object within its budget" in verdict.reason
    again = [("add", 1, True), ("remove", 1, True), ("add", 1, True)]
    assert SetObject(budget=0).check(steps(*again), CONTEXT).valid == "unknown"
    for options in ({"keyed": "no"}, {"first": "last"}):
        with pytest.raises(UsageError):
            PriorityQueue(**options)


def test_values_that_had_to_share_too_few_removes_are_named():
    made = [(f"{n}", "enqueue", n) for n in (1, 2, 3)]
    lines = [(0, type_, f, value) for _, f, value in made for type_ in ("invoke", "ok")]
    lines += [(1, "invoke", "dequeue", None), (1, "info", "dequeue", None), (0, "invoke", "dequeue", None), (0, "ok", "dequeue", 3)]
    verdict = judged("queue", history(*lines))
    assert verdict.anomalies[0].witness["rule"] == "crowded"
    assert "nobody is known to have removed these 2 values" in verdict.anomalies[0].message
    assert "only 1 remove of unknown outcome had been called by then (#6)" in verdict.anomalies[0].message
    forged = verdict.anomalies[0]
    forged.witness["due"] = forged.witness["due"][:1]  # one value can have been taken by the one remove
    assert not verify_witness(history(*lines), forged)
    assert judged("queue", history(*lines[:-2], (2, "invoke", "dequeue", None), *lines[-2:])).valid is True


def test_the_verifier_wants_all_that_changed_a_quoted_value():
    made = steps(("enqueue", 1, 1), ("enqueue", 2, 2), ("dequeue", None, 1), ("dequeue", None, 2))
    forged = Anomaly("nonlinearizable", "", witness={"object": "queue", "keyed": "auto", "rule": "order", "until": 7, "acts": [0, 2, 6]})
    assert not verify_witness(made, forged)  # 2 went out before 1, if nobody knew that 1 had gone
    forged.witness["acts"] = [0, 2, 4, 6]
    assert not verify_witness(made, forged)


def test_an_empty_answer_is_disproved_by_the_fewest_values():
    lines = []
    for process, value in enumerate((1, 2, 3)):
        lines += [(process, "invoke", "push", value), (process, "ok", "push", value)]
    lines += [(9, "invoke", "pop", None), (0, "invoke", "pop", None), (0, "ok", "pop", 3), (1, "invoke", "pop", None), (1, "ok", "pop", 2)]
    lines += [(9, "ok", "pop", None), (2, "invoke", "pop", None), (2, "ok", "pop", 1)]
    assert len(judged("stack", history(*lines)).anomalies[0].witness["acts"]) == 3  # 1 alone was inside all the time


def test_values_without_a_rank_among_the_others_are_refused():
    with pytest.raises(HistoryError):
        PriorityQueue().check(steps(("insert", "a", "a"), ("insert", 1, 1), ("poll", None, 1)), CONTEXT)


def test_a_remove_that_was_called_too_late_serves_nobody():
    assert matching([9, 3], [1, 4]) == ([1, 0], 2)
    assert matching([3], [4]) == ([0], 0)
    assert matching([5, 4], [1]) == ([1, 0], 1)
