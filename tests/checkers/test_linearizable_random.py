"""The register checker against the definition of linearizability (oracle_linearizable.py), on random small histories."""

import random
from typing import NamedTuple

import pytest

from checkers.linearizable import LinearizableRegister, compiled, verify_witness
from checkers.linearizable import search as searching
from checkers.linearizable import window as windows
from checkers.linearizable.operations import INFINITY, Operation, by_key
from checkers.linearizable.search import search
from checkers.linearizable.zones import conflict
from harness.checker import CheckContext
from tests.checkers import oracle_linearizable as oracle

MODEL = {"unique": "register", "duplicates": "register", "kv": "kv"}  # all others: cas-register


class Compared(NamedTuple):
    differences: list[str]
    ops: int
    invalid: bool
    crashed: bool
    by_zones: int
    kinds: list[str]


def compare(history, kind):
    """What the checker says differently from the oracle."""
    observes = kind == "observing-cas"
    checker = LinearizableRegister(MODEL.get(kind, "cas-register"), failed_cas="observes" if observes else "nothing")
    verdict = checker.check(history, CheckContext(expected="linearizable"))
    by_definition = oracle.linearizable(history, checker.initial, observes)
    differences = []
    if verdict.valid == "unknown" and "nothing was observed" in verdict.reason:
        if any(call.outcome == "ok" and call.invoke.f in ("read", "get", "cas") for call in history.calls()) or not by_definition:
            differences.append(f"verdict {verdict.valid}, by definition {by_definition}")
    elif verdict.valid is not by_definition:
        differences.append(f"verdict {verdict.valid}, by definition {by_definition}")
    differences += [f"no proof: {a.message}" for a in verdict.anomalies if not verify_witness(history, a)]
    if not by_definition and len(verdict.anomalies) != verdict.counts["nonlinearizable"]:
        differences.append(f"counts {verdict.counts}, {len(verdict.anomalies)} told")
    for operations in by_key(history, "auto", checker.failed_cas, checker.model).values():
        by_search = search(operations, checker.initial) is None
        if checker._by_zones(operations) and by_search != (conflict(operations, checker.initial) is None):
            differences.append(f"zones and search differ: search says {by_search}")
    calls = list(history.calls())
    crashed = any(call.outcome == "info" for call in calls)
    kinds = [anomaly.kind or anomaly.witness["rule"] for anomaly in verdict.anomalies]
    return Compared(differences, len(calls), not by_definition, crashed, verdict.facts["by_zones"], kinds)


@pytest.mark.parametrize("kind", oracle.KINDS)
def test_random_histories_are_judged_as_the_definition_says(kind):
    histories = [oracle.random_history(random.Random(f"{kind} {i}"), kind) for i in range(1500)]
    compared = [compare(history, kind) for history in histories]
    for i, one in enumerate(compared):
        assert not one.differences, (kind, i, one.differences, [(op.process, op.type, op.f, op.value) for op in histories[i].ops])
    assert sum(one.invalid for one in compared) >= 0.3 * len(compared)
    assert sum(one.crashed for one in compared) >= 0.2 * len(compared)
    assert sum(one.ops for one in compared) >= 6 * len(compared)
    if kind in ("unique", "cas"):
        assert sum(one.by_zones for one in compared) >= 0.3 * len(compared)


@pytest.mark.parametrize("kind", ["crashing-cas", "observing-cas"])
def test_the_quick_tries_before_the_complete_search_settle_nothing_wrongly(kind, monkeypatch):
    monkeypatch.setattr(searching, "FEW", 0)
    monkeypatch.setattr(searching, "BEAMS", (1,))
    for i in range(2500):
        history = oracle.random_history(random.Random(f"quick {kind} {i}"), kind)
        assert not compare(history, kind).differences, (kind, i)


@pytest.mark.parametrize("kind", [kind for kind in oracle.KINDS if kind != "kv"])
@pytest.mark.parametrize(("few", "beam"), [(6, 8), (0, 1)])
def test_the_compiled_search_says_what_the_search_in_python_says(kind, few, beam, monkeypatch):
    monkeypatch.setattr(compiled, "FEW", few)
    monkeypatch.setattr(compiled, "BEAMS", (beam,))
    monkeypatch.setattr(searching, "FEW", few)
    for i in range(150):
        history = oracle.random_history(random.Random(f"compiled {kind} {i}"), kind)
        keys = by_key(history, "auto", "observes" if kind == "observing-cas" else "nothing", "cas-register")
        for operations in keys.values():
            usable, stuck = compiled.compiled_search(operations, searching.prepare(operations), None, 1000)
            assert usable
            by_python = search(operations, None)
            assert (stuck is None) == (by_python is None), (kind, i)
            if stuck is not None and few == 6:
                assert stuck.op == by_python.op and sorted(map(str, stuck.pending)) == sorted(map(str, by_python.pending))


def test_where_masks_do_not_fit_python_searches_on():
    many = [Operation("write", i % 5, None, i, 1000 + i, i, -1, i) for i in range(70)]
    assert compiled.compiled_search(many, searching.prepare(many), None, 10) == (False, None)
    assert search(many, None) is None


def test_a_value_that_was_held_may_come_after_a_write_that_nobody_saw():
    held = Operation("held", 5, None, 0, 3, 0, 3, 0)
    write, read = Operation("write", 7, None, 1, 4, 1, 4, 1), Operation("read", 5, None, 5, 6, 5, 6, 2)
    for operations in ([held, write, read], [held, write, read._replace(a=7)]):
        assert search(operations, None) is None
        assert compiled.compiled_search(operations, searching.prepare(operations), None, 10) == (True, None)
    late = write._replace(call=4, ret=5), read._replace(call=6, ret=7)
    assert search([held, *late], None) is not None


def test_writes_go_unseen_right_before_crashed_ones_that_leave_the_value_that_is_there():
    cas, write = Operation("cas", None, 2, 2, 4, 2, 4, 0), Operation("write", 3, None, 3, 5, 3, 5, 1)
    read = Operation("read", 2, None, 6, 7, 6, 7, 0)
    same = Operation("write", None, None, 0, INFINITY, 0, -1, 2)
    away, back = same._replace(a=1), Operation("cas", 1, None, 1, INFINITY, 1, -1, 3)
    for crashed, explained in (([same], True), ([away, back], True), ([away], False), ([back], False)):
        operations = [*crashed, cas, write, read]
        assert (search(operations, None) is None) is explained
        usable, stuck = compiled.compiled_search(operations, searching.prepare(operations), None, 10)
        assert usable and (stuck is None) is explained


def test_windows_that_begin_with_a_value_that_was_held_are_proved(monkeypatch):
    monkeypatch.setattr(windows, "SMALL", 1)
    anchored = 0
    for i in range(600):
        history = oracle.random_history(random.Random(f"held crashing-cas {i}"), "crashing-cas")
        verdict = LinearizableRegister("cas-register").check(history, CheckContext(expected="linearizable"))
        for anomaly in verdict.anomalies:
            assert verify_witness(history, anomaly), (i, anomaly.message)
            anchored += any(op["f"] == "held" for op in anomaly.witness["operations"])
    assert anchored
