"""The rw-register checker against its definitions, written down naively (oracle_rw_register.py), on random small histories."""

import random
from collections import Counter
from typing import NamedTuple

import pytest

from checkers.models import implied
from checkers.rw_register import verify_witness
from checkers.rw_register.checker import judge
from checkers.rw_register.orders import ASSUMABLE
from checkers.rw_register.phenomena import phenomena
from checkers.rw_register.versions import Versions
from checkers.transactions.txns import read_register_txns
from tests.checkers import oracle_rw_register as oracle

ONLY_SOUND = {"consistent-view", "repeatable-read"}  # no complete search is known for the first; the second is decided where SER is


class Compared(NamedTuple):
    differences: list[str]
    txns: int
    invalid: bool
    crashed: bool
    types: list[str]


def compare(history, rng):
    """What the checker says differently from the oracle, asked for a model that is drawn, with assumptions that are drawn."""
    expected = rng.choice(oracle.MODELS)
    assumed = tuple(name for name in ASSUMABLE if rng.random() < 0.4) if rng.random() < 0.4 else ()
    txns = read_register_txns(history)
    held = oracle.holding(history, assumed)
    verdict = judge(txns, expected, assumed)
    found, wanted = Counter(finding.type for finding in phenomena(Versions(txns))), oracle.phenomena(history)
    differences = []
    if found != wanted:
        differences.append(f"phenomena {found}, by definition {wanted}")
    claimed = implied(verdict.holds) & set(oracle.MODELS)
    if not claimed <= held:
        differences.append(f"said to hold: {sorted(claimed - held)}")
    out = {*verdict.not_models, *verdict.facts.get("also_not", ())} & held
    if out:
        differences.append(f"said to be ruled out: {sorted(out)}, {verdict.counts}")
    seen = oracle.Facts(history).observed_anything()
    if verdict.valid == "unknown":
        complete = not assumed and expected not in ONLY_SOUND and "reports what it read" not in verdict.reason
        if (complete and (seen or wanted)) or not verdict.reason:
            differences.append(f"unknown for {expected}: {verdict.reason}")
    elif verdict.valid != (expected in held):
        differences.append(f"{expected} {assumed}: {verdict.valid} {verdict.counts}")
    differences += [f"no proof: {a.type} {a.message}" for a in verdict.anomalies if not verify_witness(history, a)]
    crashed = any(txn.outcome == "info" for txn in txns)
    return Compared(differences, len(txns), "strict-serializable" not in held, crashed, [*verdict.counts])


@pytest.mark.parametrize("seed", range(4))
def test_random_histories_are_judged_as_the_definitions_say(seed):
    compared = []
    for i in range(150):
        rng = random.Random(seed * 10**6 + i)
        history = oracle.random_history(rng)
        one = compare(history, rng)
        assert not one.differences, (seed, i, one.differences, [(op.process, op.type, op.value) for op in history.ops])
        compared.append(one)
    assert sum(one.invalid for one in compared) >= 0.3 * len(compared)
    assert sum(one.crashed for one in compared) >= 0.2 * len(compared)
    assert sum(one.txns for one in compared) >= 6 * len(compared)
    assert len({type_ for one in compared for type_ in one.types}) >= 12
