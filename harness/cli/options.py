"""`-o key=value` of the commands that judge: a checker's options, each value JSON where it is JSON, else text.

Why it exists  `check` and `explain` take the same options; a total of 100 is a number, a file's name is not.
Relies on      judge.py to refuse what no checker has.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from harness.errors import UsageError


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
