"""The general models against their definitions (oracle_objects.py), on random small histories; and what each model says of its acts."""

import random
from collections import Counter
from itertools import product
from typing import NamedTuple

import pytest

from checkers.objects import Linearizable, make_model, verify_witness
from checkers.objects import search as searching
from checkers.objects import window as shrinking
from checkers.objects.calls import objects_of, vocabulary
from checkers.objects.model import UNKNOWN, Act
from checkers.objects.search import search_model
from harness.checker import CheckContext
from harness.errors import HistoryError
from tests.checkers import oracle_objects as oracle

LINEARIZABLE = CheckContext(expected="linearizable")


class Compared(NamedTuple):
    differences: list[str]
    ops: int
    invalid: bool
    crashed: bool
    unobserved: bool
    quoted: int


def compare(history, name):
    """What the checker says differently from the oracle."""
    thing, model, settings = oracle.THINGS[name]
    verdict = Linearizable(model, **settings).check(history, LINEARIZABLE)
    by_definition = oracle.linearizable(oracle.operations(history, ("cas",) if "failed_cas" in settings else ()), thing)
    differences = []
    unobserved = verdict.valid == "unknown" and "nobody observed" in verdict.reason
    if verdict.valid is not by_definition and not (unobserved and by_definition):
        differences.append(f"verdict {verdict.valid} {verdict.reason}, by definition {by_definition}")
    differences += [f"no proof: {a.message}" for a in verdict.anomalies if not verify_witness(history, a)]
    calls = list(history.calls())
    crashed = any(call.outcome == "info" for call in calls)
    quoted = sum(len(anomaly.witness["operations"]) for anomaly in verdict.anomalies)
    return Compared(differences, len(calls), not by_definition, crashed, unobserved, quoted)


@pytest.mark.parametrize("name", oracle.THINGS)
def test_random_histories_are_judged_as_the_definition_says(name):
    histories = [oracle.random_history(random.Random(f"{name} {i}"), name) for i in range(400)]
    compared = [compare(history, name) for history in histories]
    for i, one in enumerate(compared):
        assert not one.differences, (name, i, one.differences, [(op.process, op.type, op.f, op.value) for op in histories[i].ops])
    assert sum(one.invalid for one in compared) >= 0.3 * len(compared)
    assert sum(one.crashed for one in compared) >= 0.2 * len(compared)
    assert sum(one.ops for one in compared) >= 6 * len(compared)
    assert sum(one.unobserved for one in compared) <= 0.1 * len(compared)


@pytest.mark.parametrize("name", ["counter", "set", "deque", "multi-register", "permits", "unordered-queue"])
def test_the_quick_tries_settle_nothing_wrongly(name, monkeypatch):
    monkeypatch.setattr(searching, "FIRST", 0)
    monkeypatch.setattr(searching, "BEAMS", (1,))
    monkeypatch.setattr(searching, "QUICK", 300)
    for i in range(300):
        history = oracle.random_history(random.Random(f"quick {name} {i}"), name)
        assert not compare(history, name).differences, (name, i)


@pytest.mark.parametrize("name", ["counter", "multi-register", "observing-register", "deque"])
def test_windows_that_begin_in_the_middle_are_proved_too(name, monkeypatch):
    monkeypatch.setattr(shrinking, "SMALL", 0)
    for i in range(300):
        history = oracle.random_history(random.Random(f"middle {name} {i}"), name)
        assert not compare(history, name).differences, (name, i)


SMALL = {
    "queue": [("enqueue", v) for v in (1, 2)] + [(f, None) for f in ("dequeue", "peek")],
    "stack": [("push", v) for v in (1, 2)] + [(f, None) for f in ("pop", "peek")],
    "deque": [(f"push_{e}", v) for e in ("front", "back") for v in (1, 2)]
    + [(f"{f}_{e}", None) for f in ("pop", "peek") for e in ("front", "back")],
    "priority-queue": [("insert", v) for v in (1, 2, 3)] + [(f, None) for f in ("poll", "peek")],
    "unordered-queue": [("enqueue", v) for v in (1, 2)] + [("dequeue", None)],
    "set": [(f, v) for f in ("add", "remove", "contains") for v in (1, 2)] + [("read", None)],
    "counter": [(f, n) for f in ("add", "subtract", "add-and-get", "get-and-add") for n in (1, -1, 0)] + [("read", None)],
    "semaphore": [(f, None) for f in ("incr", "decr")],
    "mutex": [("acquire", None), ("release", None)],
    "register": [("read", None), ("write", 1), ("write", 2)],
    "cas-register": [("read", None), ("write", 1), ("cas", ("[", 1, 2)), ("cas", ("[", 2, 1))],
    "multi-register": [
        ("write", ("{", ("x", 1))),
        ("write", ("{", ("y", 1))),
        ("write", ("{", ("x", 2), ("y", None))),
        ("read", ("[", "x")),
        ("txn", ("[", ("[", "r", "x", None), ("[", "w", "y", 2))),
    ],
}
IN_ORDER = ("stack", "mutex", "register", "cas-register")  # no two acts commute, but reads
RESULTS = (UNKNOWN, None, 1, 2, 3, 0, ("bool", True), ("bool", False), ("[",), ("[", 1), ("[", 1, 2), ("{", ("x", 1)))


@pytest.mark.parametrize("name", SMALL)
def test_what_a_model_says_of_its_acts_is_so_in_every_small_state(name):
    """reads, commute: of all pairs of acts with any result, in all states that three acts lead to."""
    model = make_model(name, {})
    acts = []
    for (f, argument), result in product(SMALL[name], RESULTS):
        if f == "txn" and result is not UNKNOWN:
            result = ("[", ("[", "r", "x", result), argument[2])
        if f in model.silent and result is not UNKNOWN:
            continue
        act = Act(f, argument, result, 1 if name == "mutex" else None)
        try:
            model.admit(act, "op 0")
        except HistoryError:
            continue
        acts.append(act)
    states = {model.initial}
    for _ in range(3):
        states |= {after for state in states for act in acts if act.result is UNKNOWN for after in model.step(state, act)}
    seen = Counter()
    for state in states:
        for act in acts:
            if model.reads(act):
                assert set(model.step(state, act)) <= {state}, (state, act)
                seen["reads"] += 1
    for one, other in product(acts, acts):
        if model.commute(one, other):
            seen["commute"] += 1
            for state in states:
                forth = {after for middle in model.step(state, one) for after in model.step(middle, other)}
                back = {after for middle in model.step(state, other) for after in model.step(middle, one)}
                assert forth == back, (state, one, other)
    assert (seen["reads"] > 0 or name == "mutex") and (seen["commute"] > 0) == (name not in IN_ORDER)


def test_the_queues_own_search_agrees_with_the_general_one():
    model = make_model("queue", {})
    for i in range(400):
        history = oracle.random_history(random.Random(f"own {i}"), "queue")
        for operations in objects_of(history, vocabulary(model), model).values():
            own, general = search_model(operations, model), search_model(operations, model, exact=True)
            assert (own is None) == (general is None), i


def test_the_search_of_the_models_agrees_with_the_search_of_registers():
    from checkers.linearizable.operations import by_key as registers
    from checkers.linearizable.search import search
    from tests.checkers.oracle_linearizable import random_history

    model = make_model("cas-register", {})
    for i in range(300):
        history = random_history(random.Random(f"crashing-cas {i}"), "crashing-cas")
        theirs = {key: search(ops, None) is None for key, ops in registers(history, "auto", "nothing", "cas-register").items()}
        ours = {key: search_model(ops, model) is None for (key, _), ops in objects_of(history, vocabulary(model), model).items()}
        assert {key: ours.get(key, True) for key in theirs} == theirs
