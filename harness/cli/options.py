"""The options of the commands that judge: what cannot be asked, and `-o key=value`, each value JSON where it is JSON, else text.

Why it exists  `check` and `explain` take the same options; a total of 100 is a number, a file's name is not.
Relies on      judge.py to refuse what no checker has.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from harness.case import Question
from harness.errors import UsageError
from harness.registry import check_consistency

LONGEST_S, MOST_MB = 10_000_000.0, 100_000_000


def check_question(question: Question) -> None:
    """UsageError if what `check` and `explain` were asked means nothing, whatever the path."""
    check_consistency(question.consistency)
    timeout, memory = question.budget
    if not 0 <= timeout <= LONGEST_S:  # not a number is neither
        raise UsageError(f"--timeout is {timeout:g}", way_out="give the seconds that a checker may take, such as --timeout 600")
    if not 1 <= memory <= MOST_MB:
        raise UsageError(f"--memory is {memory}", way_out="give the MB that a checker may take, such as --memory 8192")
    if question.failed_cas not in ("nothing", "observes"):
        raise UsageError(f"--failed-cas is {question.failed_cas!r}", way_out="say nothing or observes")


def key_json(given: Iterable[str]) -> dict[str, Any]:
    """{"total": 100} of ["total=100"]; hyphens of a name may be written as underscores and the other way round."""
    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"-o {text!r} is not key=value", way_out="-o total=100")
        try:
            found[name.replace("-", "_")] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            found[name.replace("-", "_")] = value
    return found
