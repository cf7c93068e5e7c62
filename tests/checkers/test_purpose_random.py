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
        free = rng.sample(range(200), 40)
        spans = [sorted((at, min((end for end in free[20:] if end > at), default=300 + at))) for at in free[:10]]  # reads are short
        reads = [Act("", 0, None, "ok", call, ret, None, call // 30 + rng.randint(0, 3), None, 0, 0) for call, ret in spans]
        adds = []
        for at in free[10:20]:
            ret = at + rng.randint(1, 60) + 0.5 if rng.random() < 0.9 else NEVER  # between two positions, so that none is taken twice
            adds.append((Act("", 0, None, "ok", at, ret, None, None, None, 0, 0), rng.randint(0, 3)))
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
