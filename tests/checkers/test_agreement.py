"""Checkers held against each other: where two, made apart, decide the same question, they agree; what is strong implies what is weak."""

import pytest

from tests.checkers.agreement import PAIRS, agree, implied


@pytest.mark.parametrize("unique", [True, False])
@pytest.mark.parametrize("name", PAIRS)
def test_two_checkers_agree(name, unique):
    agree(PAIRS[name], unique, range(250))


@pytest.mark.parametrize("unique", [True, False])
def test_what_is_strong_implies_what_is_weak(unique):
    implied(unique, range(80))
