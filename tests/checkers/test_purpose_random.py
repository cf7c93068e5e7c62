"""Each purpose-made checker against its definition, written down naively, on random small histories."""

import pytest

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
