"""A checker that raises, hangs in C, dies or eats memory is `unknown` with the reason, and the others keep their verdicts."""

import os
import time

import pytest

from harness.budget import Job, run_jobs
from harness.verdict import Verdict


def hang_in_c():
    # one call that never returns to the interpreter and so sees no Python signal handler
    return Verdict(bool(9 ** (9**9)))


def eat_memory():
    return Verdict(bool(bytearray(900 << 20)))


def raises():
    raise KeyError("k7")


def dies():
    os.kill(os.getpid(), 9)


def good():
    return Verdict(True, facts={"ops": 3})


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (hang_in_c, "budget of 1 s"),
        (eat_memory, "budget of 200 MB"),
        (raises, "KeyError: 'k7' (harness/test_budget.py:"),
        (dies, "signal 9"),
    ],
)
def test_a_lost_checker_is_unknown_and_loses_nobody_elses_result(bad, says):
    start = time.monotonic()
    verdicts = run_jobs([Job("good", good), Job("bad", bad), Job("last", good)], timeout_s=1, memory_mb=200)
    assert list(verdicts) == ["good", "bad", "last"]
    assert verdicts["good"].valid is True and verdicts["last"].facts == {"ops": 3}
    assert verdicts["bad"].valid == "unknown"
    assert says in verdicts["bad"].reason
    assert time.monotonic() - start < 8


def test_a_verdict_larger_than_a_pipe_comes_back_whole():
    verdicts = run_jobs([Job("big", lambda: Verdict(True, facts={"text": "x" * 3_000_000}))], timeout_s=10, memory_mb=500)
    assert len(verdicts["big"].facts["text"]) == 3_000_000
