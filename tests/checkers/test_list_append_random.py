"""The list-append checker against its definitions, written down naively (oracle_list_append.py), on random small histories."""

import random
from collections import Counter
from typing import NamedTuple

import pytest

from checkers.list_append import verify_witness
from checkers.list_append.checker import find_cycles, judge
from checkers.list_append.dependencies import dependencies
from checkers.list_append.phenomena import phenomena
from checkers.list_append.versions import Versions
from checkers.models import ruled_out
from checkers.transactions.txns import read_txns
from tests.checkers import oracle_list_append as oracle


class Compared(NamedTuple):
    differences: list[str]
    txns: int
    invalid: bool
    crashed: bool
    types: list[str]


def compare(history):
    """What the checker says differently from the oracle."""
    txns = read_txns(history)
    versions = Versions(txns)
    cycles = sorted((cycle.type, len(cycle.steps)) for cycle in find_cycles(versions, dependencies(versions)))
    components = oracle.cycle_types(history)
    expected = sorted(item for types in components for item in oracle.minimal(types).items())
    found, wanted = Counter(finding.type for finding in phenomena(versions)), oracle.phenomena(history)
    verdict = judge(txns, "strict-serializable")
    differences = []
    if cycles != expected:
        differences.append(f"cycles {cycles}, by definition {expected}")
    if found != wanted:
        differences.append(f"phenomena {found}, by definition {wanted}")
    if not all(components):
        differences.append("a component has no cycle that stands for it")
    every = {type_ for types in components for type_ in types}
    if ruled_out(every) != ruled_out(type_ for type_, _ in cycles):
        differences.append(f"cycles {cycles} rule out other models than all cycles {every}")
    if verdict.valid != "unknown" and verdict.valid != (not expected and not wanted):
        differences.append(f"verdict {verdict.valid}")
    differences += [f"no proof: {a.type} {a.message}" for a in verdict.anomalies if not verify_witness(history, a)]
    types = [type_ for type_, _ in expected] + list(wanted)
    return Compared(differences, len(txns), verdict.valid is False, any(txn.outcome == "info" for txn in txns), types)


@pytest.mark.parametrize("seed", range(4))
def test_random_histories_are_judged_as_the_definitions_say(seed):
    histories = [oracle.random_history(random.Random(seed * 10**6 + i)) for i in range(500)]
    compared = [compare(history) for history in histories]
    for i, one in enumerate(compared):
        assert not one.differences, (seed, i, one.differences, [tuple(op.value for op in histories[i].ops)])
    assert sum(one.invalid for one in compared) >= 0.3 * len(compared)
    assert sum(one.crashed for one in compared) >= 0.2 * len(compared)
    assert sum(one.txns for one in compared) >= 6 * len(compared)
    assert len({type_ for one in compared for type_ in one.types}) >= 15
