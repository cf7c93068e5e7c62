"""Shrinking: a valid history stays valid whatever is left out; an invalid one ends where nothing more can go, and still says the same."""

import random

import pytest

from checkers.linearizable import LinearizableRegister
from checkers.list_append import ListAppend
from checkers.set_full import SetFull
from checkers.shrink import objects, transactions
from harness.case import Budget, Case, Question
from harness.checker import CheckContext, CheckerSpec
from harness.errors import UsageError
from harness.history.history import History
from harness.op import Op
from harness.shrink import shrink
from tests.checkers import oracle_linearizable, oracle_list_append, oracle_set_full
from tests.checkers.histories_list_append import valid_history

OBJECT, TXN = CheckContext(expected="linearizable"), CheckContext(expected="strict-serializable")


def registers(seed, kind):
    observes = kind == "observing-cas"
    checker = LinearizableRegister(model="kv" if kind == "kv" else "cas-register", failed_cas="observes" if observes else "nothing")
    return oracle_linearizable.random_history(random.Random(seed), kind), checker, OBJECT, objects.of_registers


def lists(seed, kind):
    return oracle_list_append.random_history(random.Random(seed)), ListAppend(), TXN, transactions.of_lists


def sets(seed, kind):
    history, context = oracle_set_full.random_history(random.Random(seed))
    return history, SetFull(), context, objects.of_elements


FAMILIES = [*((registers, kind) for kind in oracle_linearizable.KINDS), (lists, ""), (sets, "")]


@pytest.mark.parametrize(("make", "kind"), FAMILIES, ids=lambda value: getattr(value, "__name__", value))
def test_what_remains_of_a_valid_history_is_valid(make, kind):
    """Else an anomaly of what remains would be no proof about the whole."""
    asked = 0
    for seed in range(700):
        history, checker, context, divide = make(seed, kind)
        if checker.check(history, context).valid is not True:
            continue
        rng = random.Random(seed)
        for fine in (False, True):
            parts = divide(history, fine)
            for _ in range(3):
                going = {part for part in range(len(parts)) if rng.random() < 0.4}
                kept = set(range(len(parts))) - parts.with_needing(going)
                remains = parts.of(kept)
                if len(remains):
                    asked += 1
                    verdict = checker.check(remains, context)
                    assert verdict.valid is not False, (seed, fine, going, [a.message for a in verdict.anomalies], remains.ops)
    assert asked > 200


def case_of(history, name, context):
    return Case("h", history, [CheckerSpec(name)], context)


@pytest.mark.parametrize(("make", "name"), [(registers, "linearizable-register"), (lists, "list-append"), (sets, "set-full")])
def test_nothing_more_can_be_left_out(make, name):
    """Each part alone is needed: without it (and those that need it) the anomaly is not shown any more."""
    shown = 0
    for seed in range(150):
        history, checker, context, divide = make(seed, "cas" if make is registers else "")
        verdict = checker.check(history, context)
        if verdict.valid is not False or (make is registers and seed % 3):
            continue
        type_ = verdict.anomalies[0].type
        shrunk = shrink(case_of(history, name, context), verdict.anomalies[0], Question())
        assert len(shrunk.history) <= len(history)
        assert type_ in checker.check(shrunk.history, context).counts
        parts = divide(shrunk.history, True)
        for part in range(len(parts)):
            remains = parts.of(set(range(len(parts))) - parts.with_needing([part]))
            verdict = checker.check(remains, context)
            assert verdict.valid is not False or type_ not in verdict.counts, (seed, part)
        shown += 1
        if shown == 12:
            break
    assert shown >= 5


def test_one_stale_read_among_thousands():
    """A strictly serializable history of 3,000 transactions and one that reads an old version."""
    history = History(valid_history(3000, seed=3).ops)
    index = len(history)
    first = next(op for op in history.ops if op.type == "ok" and any(f == "r" and value for f, _, value in op.value))
    f, key, value = next(mop for mop in first.value if mop[0] == "r" and mop[2])
    stale = [
        Op(index, index, 990, "invoke", "txn", [["r", key, None]]),
        Op(index + 1, index + 1, 990, "ok", "txn", [["r", key, value[:-1]]]),
    ]
    history = History([*history.ops, *stale])
    verdict = ListAppend().check(history, TXN)
    shrunk = shrink(case_of(history, "list-append", TXN), verdict.anomalies[0], Question())
    assert f == "r" and len(shrunk.history) <= 6


def test_what_cannot_be_shrunk_says_so():
    ops = [Op(0, 0, 0, "invoke", "read", None), Op(1, 1, 0, "ok", "read", 5)]
    case = Case("h", History(ops), [CheckerSpec("stats")], OBJECT)
    anomaly = LinearizableRegister().check(History(ops), OBJECT).anomalies[0]
    with pytest.raises(UsageError, match="no checker of this history"):
        shrink(case, anomaly, Question(budget=Budget(10, 500)))
