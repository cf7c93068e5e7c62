"""For every checker whose histories can be shrunk: what remains of a valid history is valid, whatever parts are left out."""

import random

import pytest

from harness.checker import CheckContext
from harness.registry import find, names
from tests.checkers import purpose
from tests.checkers.histories_agreement import object_history, txn_history

TXN_MODELS = ["strict-serializable", "serializable", "snapshot-isolation", "read-atomic", "read-committed"]
MEMORY = {
    "sequential-register": "sequential",
    "causal-register": "causal",
    "pram-register": "PRAM",
    "monotonic-reads": "monotonic-reads",
    "monotonic-writes": "monotonic-writes",
    "read-your-writes": "read-your-writes",
    "writes-follow-reads": "writes-follow-reads",
}
ELSEWHERE = {"linearizable-register", "list-append", "set-full"}  # test_shrink.py
ALIKE = {"sessions", "staleness"}  # the same parts as the guarantees that they are made of; a reading, not a promise


def of_purpose(name):
    def make(seed):
        history, context, options = purpose.case(name.replace("-", "_")).random_history(random.Random(seed))
        return history, context, options

    return make


def of_object(object_, unique):
    return lambda seed: (object_history(random.Random(seed), object_, unique), CheckContext(expected="linearizable"), {})


def of_txns(model, unique=True):
    return lambda seed: (txn_history(random.Random(seed), unique), CheckContext(expected=model), {})


def of_memory(model):
    return lambda seed: (object_history(random.Random(seed), "register"), CheckContext(expected=model), {})


def of_general(object_):
    return lambda seed: (object_history(random.Random(seed), object_, False), CheckContext(expected="linearizable"), {"model": object_})


CASES = [
    *((name.replace("_", "-"), of_purpose(name), name) for name in purpose.CASES),
    *((name, of_object(name, unique), f"{name}-{unique}") for name in ("queue", "stack", "priority-queue") for unique in (True, False)),
    *((name, of_memory(model), name) for name, model in MEMORY.items()),
    *(("rw-register", of_txns(model), f"rw-{model}") for model in TXN_MODELS),
    *(("serial", of_txns(model, unique=False), f"serial-{model}") for model in TXN_MODELS[:3]),
    *(("weak-isolation", of_txns(model), f"weak-{model}") for model in ("read-atomic", "causal")),
    *(("linearizable", of_general(object_), f"general-{object_}") for object_ in ("queue", "stack")),
]


@pytest.mark.parametrize(("name", "make"), [case[:2] for case in CASES], ids=[case[2] for case in CASES])
def test_what_remains_of_a_valid_history_is_valid(name, make):
    divide, asked = find("parts", name), 0
    for seed in range(160):
        history, context, options = make(seed)
        checker = find("checkers", name)(**options)
        if checker.check(history, context).valid is not True:
            continue
        rng = random.Random(seed)
        for fine in (False, True):
            parts = divide(history, fine)
            for _ in range(2):
                going = {part for part in range(len(parts)) if rng.random() < 0.35}
                remains = parts.of(set(range(len(parts))) - parts.with_needing(going))
                if len(remains):
                    asked += 1
                    verdict = checker.check(remains, context)
                    told = [(op.index, op.process, op.type, op.f, op.value) for op in remains.ops]
                    assert verdict.valid is not False, (seed, going, [anomaly.message for anomaly in verdict.anomalies], told)
    assert asked > 30


def test_every_checker_whose_histories_can_be_shrunk_is_tried():
    tried = {case[0] for case in CASES} | ELSEWHERE | ALIKE
    assert set(names("parts")) - tried == {"set-object"}
