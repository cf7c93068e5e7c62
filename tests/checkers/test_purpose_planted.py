"""Large valid histories with crashed and failed ops stay valid; each anomaly, planted in one place, is found and named."""

import copy
import importlib
import random

import pytest

from checkers.acts import acts
from checkers.bank import Bank
from checkers.causal import Causal
from checkers.causal_reverse import CausalReverse
from checkers.counter import Counter, _split, bounds
from checkers.long_fork import LongFork
from checkers.monotonic import Monotonic
from checkers.predicate_g2 import PredicateG2
from checkers.replicas import Replicas
from checkers.total_queue import TotalQueue
from checkers.unique_ids import UniqueIds
from harness.checker import CheckContext
from harness.history.history import History
from harness.op import Op
from tests.checkers.interleave import interleave

SIZE = 1500


def made(ask, act, final=(), crash=0.03, seed=1):
    return interleave(random.Random(seed), ask, act, clients=6, count=SIZE, crash=crash, fail=0.05, final=final)


def counters():
    now = [0]

    def act(asked):
        if asked.f == "add":
            now[0] += asked.value
        else:
            asked.result = now[0]

    return made(lambda rng, _: ("add", 1) if rng.random() < 0.5 else ("read", None), act)


def banks():
    money = {str(i): 10 for i in range(8)}

    def ask(rng, _):
        one, other = rng.sample(list(money), 2)
        return ("read", None) if rng.random() < 0.5 else ("transfer", {"from": one, "to": other, "amount": rng.randint(1, 5)})

    def act(asked):
        if asked.f == "read":
            asked.result = dict(money)
        elif money[asked.value["from"]] >= asked.value["amount"]:
            money[asked.value["from"]] -= asked.value["amount"]
            money[asked.value["to"]] += asked.value["amount"]

    return made(ask, act)


def ids():
    given = [0]

    def act(asked):
        given[0] += 1
        asked.result = given[0]

    return made(lambda rng, _: ("generate", None), act)


def queues():
    inside, count = [], [0]

    def ask(rng, _):
        count[0] += 1
        return ("enqueue", count[0]) if rng.random() < 0.5 else ("dequeue", None)

    def act(asked):
        if asked.f == "enqueue":
            inside.append(asked.value)
        elif asked.f == "drain":
            asked.result, inside[:] = list(inside), []
        elif asked.outcome == "ok":  # a crashed dequeue took nothing here
            asked.result = inside.pop(0) if inside else None

    history = made(ask, act, [("drain", None, "n1")])
    crashed = {op.index for op in history.ops if op.f == "dequeue" and op.type == "info"}
    open_ = {call.invoke.index for call in history.calls() if call.invoke.f == "dequeue" and call.completion is None}
    assert crashed or open_
    return history


def inserts():
    taken = set()

    def act(asked):
        key = asked.value[0]
        if key in taken and asked.outcome == "ok":
            asked.outcome = "fail"
        taken.add(key)

    return made(lambda rng, _: ("insert", [rng.randrange(SIZE // 2), [1, None]]), act)


def tables():
    rows, count = [], [0]

    def ask(rng, _):
        count[0] += 1
        return ("write", count[0]) if rng.random() < 0.8 else ("read", None)

    def act(asked):
        if asked.f == "write":
            rows.append(asked.value)
        else:
            asked.result = list(rows)

    return made(ask, act)


def groups():
    seen, fresh = set(), iter(range(SIZE * 2))

    def ask(rng, _):
        if rng.random() < 0.4:
            return "txn", [["w", next(fresh), 1]]
        group = rng.randrange(0, SIZE // 4) * 2
        return "txn", [["r", group, None], ["r", group + 1, None]]

    def act(asked):
        if asked.value[0][0] == "w":
            seen.add(asked.value[0][1])
        else:
            asked.result = [["r", key, 1 if key in seen else None] for _, key, _ in asked.value]

    return made(ask, act)


def chains():
    """Keys in turn, one client each, a few ops a key."""
    ops, rng = [], random.Random(3)
    for key in range(SIZE // 6):
        position, value = None, 0
        for step in range(6):
            write = step in (1, 3)
            value += write
            f = "read-init" if step == 0 else "write" if write else "read"
            asked = {"key": key, "value": value if write else None}
            ops.append(Op(len(ops), len(ops), key % 5, "invoke", f, asked))
            ext = {"link": "init" if position is None else position, "position": rng.randrange(10**6)}
            position = ext["position"]
            ops.append(Op(len(ops), len(ops), key % 5, "ok", f, {"key": key, "value": value}, ext=ext))
    return History(ops)


def growing():
    now, clock = [0], [0]

    def act(asked):
        clock[0] += 1
        now[0] += asked.f == "inc"
        asked.result, asked.ext = now[0], {"ts": clock[0]}

    return made(lambda rng, _: ("inc" if rng.random() < 0.4 else "read", None), act)


def copies():
    held = {}

    def act(asked):
        if asked.f == "dump":
            asked.result = dict(held)
        else:
            held[asked.value["key"]] = asked.value["value"]

    def ask(rng, _):
        return "write", {"key": f"k{rng.randrange(200)}", "value": rng.randrange(100)}

    return made(ask, act, [("dump", None, f"n{i}") for i in (1, 2, 3)], crash=0.0)


def done(history, f):
    return [op for op in history.ops if op.f == f and op.type == "ok"]


def of_middle(found):
    return found[len(found) // 2]


def plant_outside(history):
    of_middle(done(history, "read")).value += 60


def plant_impossible(history):
    of_middle(done(history, "read")).value = -1


def plant_back(history):
    adds, reads = _split(acts(history))
    for bounded in bounds(adds, reads):
        before = [read.given for read in reads if read.ret < bounded.read.call]
        if before and bounded.low < max(before):
            history.ops[bounded.read.ret].value = bounded.low
            return


def change(f, edit):
    def plant(history):
        edit(of_middle(done(history, f)).value)

    return plant


def plant_same_id(history):
    found = done(history, "generate")
    found[-1].value = found[3].value


def plant_lost(history):
    acked = {op.value for op in done(history, "enqueue")}
    taken = [op for op in done(history, "dequeue") if op.value in acked]
    crashed = sum(call.outcome == "info" for call in history.calls() if call.invoke.f == "dequeue")
    for op in taken[1 : crashed + 2]:
        op.value = taken[0].value


def plant_phantom(history):
    done(history, "drain")[0].value.append(10**9)


def plant_again(history):
    done(history, "drain")[0].value.append(done(history, "enqueue")[0].value)


def plant_insert(history):
    failed = [op for op in history.ops if op.type == "fail" and any(o.value[0] == op.value[0] for o in done(history, "insert"))]
    failed[0].type = "ok"


def plant_reverse(history):
    done(history, "read")[-1].value.remove(done(history, "write")[0].value)


def plant_row(history):
    of_middle(done(history, "read")).value.append(10**9)


def plant_fork(history):
    written = {op.value[0][1] for op in done(history, "txn") if op.value[0][0] == "w"}
    reads = {}
    for op in done(history, "txn"):
        if op.value[0][0] == "r" and {op.value[0][1], op.value[1][1]} <= written:
            reads.setdefault(op.value[0][1], []).append(op)
    one, other = next(ops for ops in reads.values() if len(ops) > 1)[:2]
    one.value[0][2], one.value[1][2], other.value[0][2], other.value[1][2] = 1, None, None, 1


def plant_garbage(history):
    next(op for op in done(history, "txn") if op.value[0][0] == "r").value[0][2] = 5


def plant_aborted(history):
    failed = next(op.value[0][1] for op in history.ops if op.type == "fail" and op.value[0][0] == "w")
    group = failed - failed % 2
    read = next(op for op in done(history, "txn") if op.value[0][0] == "r")
    asked = next(op for op in reversed(history.ops[: read.index]) if op.process == read.process and op.type == "invoke")
    asked.value = [["r", group, None], ["r", group + 1, None]]
    read.value = [["r", key, 1 if key == failed else None] for key in (group, group + 1)]


def plant_chain(f, edit):
    def plant(history):
        edit(of_middle(done(history, f)))

    return plant


def plant_number(history):
    op = of_middle(done(history, "write"))
    op.value["value"] = history.ops[op.index - 1].value["value"] = 9


def plant_low(history):
    done(history, "read")[-1].value -= 5


def plant_twice(history):
    found = done(history, "inc")
    found[40].value = found[39].value


def plant_stamp(history):
    found = done(history, "read")
    found[5].ext, found[-5].ext = found[-5].ext, found[5].ext


def plant_divergence(history):
    done(history, "dump")[1].value["k7"] = -1


def set_value(value):
    def edit(op):
        op.value["value"] = value

    return edit


PLANTED = [
    (Counter, counters, {}, "counter-out-of-bounds", plant_outside),
    (Counter, counters, {}, "impossible-value", plant_impossible),
    (Counter, counters, {}, "counter-went-back", plant_back),
    (Bank, banks, {"total": 80, "accounts": list(range(8))}, "unexpected-key", change("read", lambda v: v.update({"9": 0}))),
    (Bank, banks, {"total": 80, "accounts": list(range(8))}, "nil-balance", change("read", lambda v: v.update({"1": None}))),
    (Bank, banks, {}, "wrong-total", change("read", lambda v: v.update({"1": v["1"] + 1}))),
    (Bank, banks, {}, "negative-value", change("read", lambda v: v.update({"1": v["1"] - 100, "2": v["2"] + 100}))),
    (UniqueIds, ids, {}, "duplicate-id", plant_same_id),
    (TotalQueue, queues, {}, "lost-write", plant_lost),
    (TotalQueue, queues, {}, "phantom-element", plant_phantom),
    (TotalQueue, queues, {"delivery": "exactly-once"}, "duplicate-element", plant_again),
    (PredicateG2, inserts, {}, "G2", plant_insert),
    (CausalReverse, tables, {}, "causal-reverse", plant_reverse),
    (CausalReverse, tables, {}, "phantom-element", plant_row),
    (LongFork, groups, {}, "long-fork", plant_fork),
    (LongFork, groups, {}, "garbage-read", plant_garbage),
    (LongFork, groups, {}, "G1a", plant_aborted),
    (Causal, chains, {}, "causal-read", plant_chain("read", set_value(7))),
    (Causal, chains, {}, "causal-write", plant_number),
    (Causal, chains, {}, "causal-link", plant_chain("write", lambda op: op.ext.update(link=-1))),
    (Monotonic, growing, {}, "nonmonotonic-value", plant_low),
    (Monotonic, growing, {}, "duplicate-value", plant_twice),
    (Monotonic, growing, {}, "nonmonotonic-timestamp", plant_stamp),
    (Replicas, copies, {}, "replica-divergence", plant_divergence),
]


# What the same change must show as well.
BESIDE = {"nonmonotonic-value": ["nonmonotonic-timestamp"], "duplicate-value": ["nonmonotonic-value", "nonmonotonic-timestamp"]}
BESIDE |= {"G1a": ["long-fork"], "lost-write": ["duplicate-element"]}
NAMES = [f"{entry[3]}-{i}" for i, entry in enumerate(PLANTED)]


@pytest.mark.parametrize(("checker", "build", "options", "type_", "plant"), PLANTED, ids=NAMES)
def test_a_planted_anomaly_is_named(checker, build, options, type_, plant):
    history = build()
    assert checker(**options).check(history, CheckContext()).counts == {}
    broken = copy.deepcopy(history)
    plant(broken)
    verdict = checker(**options).check(broken, CheckContext())
    assert (verdict.valid, type_ in verdict.counts) == (False, True), verdict.counts
    assert set(verdict.counts) <= {type_, *BESIDE.get(type_, ())}, verdict.counts
    module = importlib.import_module(checker.__module__)
    assert all(module.verify_witness(broken, anomaly) for anomaly in verdict.anomalies)


@pytest.mark.parametrize("build", sorted({entry[1] for entry in PLANTED}, key=lambda build: build.__name__))
def test_the_untouched_history_is_valid(build):
    checker = next(entry[0] for entry in PLANTED if entry[1] is build)
    verdict = checker().check(build(), CheckContext())
    assert verdict.valid is True or (build is queues and verdict.reason.endswith("may have taken them")), verdict
