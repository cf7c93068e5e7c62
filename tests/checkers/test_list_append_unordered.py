"""Appends that nobody read came in some order: no snapshot model is said to hold unless some order of them keeps it."""

import random
from itertools import permutations, product

import pytest

from checkers.list_append.checker import judge
from checkers.models import implied
from checkers.transactions.txns import read_txns
from harness.history.history import History
from harness.op import Op
from tests.checkers.oracle_list_append import Facts, random_history
from tests.checkers.test_list_append_swift import difference

SNAPSHOTS = {
    "snapshot-isolation": (),
    "strong-session-snapshot-isolation": ("process",),
    "strong-snapshot-isolation": ("process", "realtime"),
}
STRICT = "strict-serializable"


def at_once(*txns):
    """Concurrent transactions of as many processes, acknowledged."""
    rows = [(i, type_, value) for type_ in ("invoke", "ok") for i, value in enumerate(txns)]
    return History([Op(i, i, process, type_, "txn", value) for i, (process, type_, value) in enumerate(rows)])


def write_skew(rng):
    """Transactions that mostly read nothing of what others append."""
    keys, ops, open_, processes, started = rng.randint(2, 5), [], {}, list(range(4)), 0
    target = rng.randint(3, 6)
    while started < target or open_:
        c = rng.randrange(4)
        if c in open_:
            ops.append(Op(len(ops), 0, processes[c], "ok" if rng.random() < 0.95 else "info", "txn", open_.pop(c)))
            if ops[-1].type == "info":
                processes[c] = max(processes) + 1
        elif started < target and rng.random() < 0.8:
            chosen = rng.sample(range(keys), rng.randint(1, min(3, keys)))
            open_[c] = [["r", k, []] if rng.random() < 0.45 else ["append", k, started] for k in chosen]
            ops.append(Op(len(ops), 0, processes[c], "invoke", "txn", [[f, k, None if f == "r" else v] for f, k, v in open_[c]]))
            started += 1
    return History(ops)


def true_models(history):
    """Those of SNAPSHOTS, and consistent view, that some order of the unread appends keeps, by trying all; None if they are too many."""
    facts = Facts(history)
    choices = []
    for k in facts.keys:
        known = facts.order[k]
        unread = [[v for v in t.appends(k) if v not in known] for t in facts.committed if set(t.appends(k)) - set(known)]
        if len(unread) > 4:
            return None
        choices.append([[*known, *(v for one in order for v in one)] for order in permutations(unread)])
    true = set()
    for orders in product(*choices):
        facts.order = dict(zip(facts.keys, orders, strict=True))
        nodes = facts.committed
        reasons = {(i, j): facts.reasons(a, b) for i, a in enumerate(nodes) for j, b in enumerate(nodes) if i != j}
        true |= {model for model, extra in SNAPSHOTS.items() if _keeps(reasons, {"ww", "wr", *extra})}
        if not _single(reasons, len(nodes)):
            true.add("consistent-view")
    return true


def _keeps(reasons, kinds):
    calm = {pair for pair, why in reasons.items() if kinds & set(why)}
    rw = {pair for pair, why in reasons.items() if "rw" in why}
    steps = calm | {(a, d) for a, b in calm for c, d in rw if b == c}
    return all(a != b for a, b in _closed(steps))


def _single(reasons, count):
    calm = _closed({pair for pair, why in reasons.items() if {"ww", "wr"} & set(why)}) | {(i, i) for i in range(count)}
    looped = any(a != b and (b, a) in calm for a, b in calm)
    return looped or any("rw" in why and (b, a) in calm for (a, b), why in reasons.items())


def _closed(pairs):
    found = set(pairs)
    while more := {(a, d) for a, b in found for c, d in found if b == c} - found:
        found |= more
    return found


def test_two_blind_appends_to_one_key_are_no_snapshots_beside_a_write_skew():
    history = at_once([["r", "j", []], ["append", "i", 1], ["append", "k", 1]], [["r", "i", []], ["append", "j", 1], ["append", "k", 2]])
    for model in ("snapshot-isolation", "consistent-view", "strong-snapshot-isolation"):
        verdict = judge(read_txns(history), model)
        assert verdict.valid == "unknown" and "#0 and #1 appended to one key, where nobody read" in verdict.reason
        assert model not in implied(verdict.holds) and verdict.counts == {"G2-item": 1}
        assert difference(history) is None
    apart = at_once([["r", "j", []], ["append", "i", 1], ["append", "k", 1]], [["r", "i", []], ["append", "j", 1], ["append", "l", 2]])
    assert judge(read_txns(apart), "snapshot-isolation").valid is True


def test_an_order_that_only_one_way_is_left_for_is_found():
    history = at_once(
        [["r", "j", []], ["append", "i", 1]],
        [["r", "i", []], ["append", "j", 1], ["append", "k", 1]],
        [["r", "j", [1]], ["append", "k", 2]],
    )
    verdict = judge(read_txns(history), "snapshot-isolation")
    assert (verdict.valid, verdict.counts) == (True, {"G2-item": 1})


@pytest.mark.parametrize("seed", range(3))
def test_what_is_said_to_hold_some_order_keeps(seed):
    asked, said, open_ = 0, 0, 0
    for i in range(400):
        rng = random.Random(seed * 10**6 + i)
        history = write_skew(rng) if i % 4 else random_history(rng)
        verdict = judge(read_txns(history), STRICT)
        true = None if not any(type_.startswith("G2") for type_ in verdict.counts) else true_models(history)
        if true is None:
            continue
        asked += 1
        held = implied(verdict.holds) & {*SNAPSHOTS, "consistent-view"}
        assert held <= true, (seed, i)
        said += len(held)
        open_ += len(true - held)
        assert difference(history, verdict) is None, (seed, i)
    assert asked > 40 and said > 100 and open_ < said / 10, (asked, said, open_)
