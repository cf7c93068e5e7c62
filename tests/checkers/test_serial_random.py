"""The serial checker against its definitions, acted out in every order (oracle_serial.py), on random small histories."""

import random
from typing import NamedTuple

import pytest

from checkers.serial import prune, verify_witness
from checkers.serial.certificate import verify_order
from checkers.serial.checker import judge, tell
from checkers.serial.decide import MODELS, decide
from checkers.transactions.txns import read_register_txns
from harness.verdict import Anomaly
from tests.checkers import oracle_serial as oracle

ROADS = {"few": {}, "many": {"FEW": -1}, "search": {"MOST_PAIRS": -1}}  # pruned in plain Python, with numpy, not at all


class Compared(NamedTuple):
    differences: list[str]
    txns: int
    crashed: bool
    verdicts: dict[str, bool]
    types: list[str]
    searched: bool


def compare(history, road="few"):
    """What the checker says differently from the oracle, on one of the roads that lead to the same verdict."""
    before = {name: getattr(prune, name) for name in ROADS[road]}
    for name, value in ROADS[road].items():
        setattr(prune, name, value)
    try:
        return _compare(history)
    finally:
        for name, value in before.items():
            setattr(prune, name, value)


def _compare(history):
    txns = read_register_txns(history)
    truth = oracle.truths(history)
    differences, types, searched = [], [], False
    for model, wanted in truth.items():
        decision = decide(txns, model, by_sessions=history.by_sessions)
        searched |= bool(decision.choices)
        if decision.valid != wanted:
            differences.append(f"{model}: {decision.valid}")
        elif decision.valid:
            if not proves(txns, decision, model, history.by_sessions):
                differences.append(f"{model}: the order found is no proof: {decision.moments}")
        else:
            told = tell(decision, txns)[0]
            types += [anomaly.type for anomaly in told]
            differences += _wrong(history, model, told, truth)
    crashed = any(txn.outcome == "info" for txn in txns)
    return Compared(differences, len(txns), crashed, truth, types, searched)


def proves(txns, decision, model, by_sessions):
    wanted = MODELS[model]
    sessions, real_time = wanted.sessions or (wanted.real_time and by_sessions), wanted.real_time and not by_sessions
    return verify_order(txns, decision.moments, snapshots=wanted.snapshots, sessions=sessions, real_time=real_time)


def _wrong(history, model, told, truth):
    for anomaly in told:
        if not verify_witness(history, anomaly):
            yield f"{model}: no proof: {anomaly.type} {anomaly.message}"
        if spoilt(history, anomaly):
            yield f"{model}: half a proof is taken for one: {anomaly.message}"
        for other in anomaly.rules_out:
            if truth.get(other):
                yield f"{model}: {anomaly.type} rules out {other}, which holds"
    if not any(model in anomaly.rules_out or anomaly.type in ("internal",) for anomaly in told):
        yield f"{model}: {[anomaly.type for anomaly in told]} does not rule it out"


def spoilt(history, anomaly: Anomaly) -> bool:
    """Whether the verifier takes a witness that lacks one of its cycles."""
    cycles = anomaly.witness.get("cycles", [])
    less = Anomaly(anomaly.type, anomaly.message, anomaly.ops, witness={**anomaly.witness, "cycles": cycles[1:]})
    return len(cycles) > 1 and verify_witness(history, less)


@pytest.mark.parametrize(("seed", "road"), [(0, "few"), (1, "many"), (2, "search")])
def test_random_histories_are_judged_as_the_definitions_say(seed, road):
    histories = [oracle.random_history(random.Random(seed * 10**6 + i)) for i in range(160)]
    compared = [compare(history, road) for history in histories]
    for i, one in enumerate(compared):
        assert not one.differences, (seed, i, one.differences, [tuple(op.value for op in histories[i].ops)])
    for model in MODELS:
        assert sum(not one.verdicts[model] for one in compared) >= 0.3 * len(compared)
    assert sum(one.crashed for one in compared) >= 0.2 * len(compared)
    assert sum(one.txns for one in compared) >= 6 * len(compared)
    assert sum(one.searched for one in compared) >= (0.05 if road == "search" else 0) * len(compared)
    assert len({type_ for one in compared for type_ in one.types}) >= 12


def test_the_verdict_says_what_is_broken_and_what_is_left():
    for i in range(60):
        history = oracle.random_history(random.Random(3 * 10**6 + i))
        truth = oracle.truths(history)
        verdict = judge(read_register_txns(history), "strict-serializable", by_sessions=history.by_sessions)
        assert not any(truth.get(model) for model in verdict.not_models)
        assert all(truth.get(model, True) for model in verdict.holds)
