"""Each purpose-made checker against its definition, written down naively, on random small histories."""

import random

import pytest

from checkers.acts import Act
from checkers.counter import went_back
from checkers.transactions.txns import NEVER
from tests.checkers.purpose import CASES, case, compare, distribution

HISTORIES = 500


@pytest.mark.parametrize("name", CASES)
def test_a_checker_says_what_its_definition_says(name):
    seen, types, differences = distribution(name, range(HISTORIES))
    assert not differences, differences[:3]
    assert seen["invalid"] >= 0.3 * HISTORIES, seen
    assert seen["crashed"] >= 0.2 * HISTORIES, seen
    assert seen["ops"] >= 6 * HISTORIES, seen
    assert seen["n"] - seen["invalid"] - seen["unknown"] >= 0.1 * HISTORIES, seen
    rare = set(getattr(case(name), "RARE", ()))
    assert set(case(name).TYPES) - rare <= set(types) <= set(case(name).TYPES), types


@pytest.mark.parametrize("name", CASES)
def test_the_same_history_gets_the_same_verdict(name):
    assert compare(name, 7) == compare(name, 7)


def test_reads_of_a_counter_that_go_back_are_those_of_the_definition():
    """Pair by pair, on intervals and values that no counter need have had: the chain of demands is tried in all its corners."""
    rng, found = random.Random(5), 0
    for _ in range(3000):
        ends = rng.sample(range(60), 2 * rng.randint(3, 10))
        spans = [sorted(ends[i : i + 2]) for i in range(0, len(ends), 2)]
        acts = [Act("", 0, None, "ok", call, ret, None, rng.randint(0, 6), None, 0, 0) for call, ret in spans]
        adds = [(act, rng.randint(0, 3)) if rng.random() < 0.8 else (act._replace(ret=NEVER), 1) for act in acts[::2]]
        reads = acts[1::2]
        told = {later.call: (earlier, between) for earlier, later, between in went_back(adds, reads)}
        for later in reads:
            sums = {r.call: sum(n for a, n in adds if a.call > r.ret and a.ret < later.call) for r in reads if r.ret < later.call}
            bad = {r.call for r in reads if r.call in sums and later.given < r.given + sums[r.call]}
            assert (later.call in told) == bool(bad)
            if bad:
                earlier, between = told[later.call]
                assert earlier.call in bad and between == sums[earlier.call]
                found += 1
    assert found > 1000
