"""Verdicts: valid, unknown or invalid, each anomaly with a witness that a person can check by hand.

Why it exists  verdicts are data: checkers make them, results.json stores them, reports only show them.
Relies on      true < unknown < false: a composition takes the worst.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

Valid = bool | Literal["unknown"]
SCHEMA = 1


class Anomaly(msgspec.Struct, omit_defaults=True):
    """One broken promise.

    type       stable identifier (DESIGN 8): nonlinearizable, lost-write, G-single, ...
    message    one plain sentence that proves it, with op numbers as #index
    ops        indices of the ops that prove it (positions in the file where it has none)
    kind       a finer name, e.g. stale-read
    key        the independent key, if any
    rules_out  consistency models that this alone rules out (names of elle_models.tsv)
    witness    what a small verifier needs: edges of a cycle, window of ops, the element and its reads
    faults     which faults were active then (filled when a run is judged)
    """

    type: str
    message: str
    ops: list[int] = []
    kind: str | None = None
    key: Any = None
    rules_out: list[str] = []
    witness: dict[str, Any] = {}
    faults: list[str] = []


class Verdict(msgspec.Struct, omit_defaults=True):
    """What one checker says.

    valid      True, False or "unknown"
    reason     why it is unknown, or in what sense it is valid; one sentence
    anomalies  witnesses, the worst first; capped per type, `counts` has the totals
    counts     anomaly type -> how many
    not_models weakest consistency models that are violated (results.json: "not")
    holds      strongest models that still hold
    facts      figures for the report
    """

    valid: Valid
    reason: str = ""
    anomalies: list[Anomaly] = []
    counts: dict[str, int] = {}
    not_models: list[str] = []
    holds: list[str] = []
    facts: dict[str, Any] = {}


_RANK: dict[Valid, int] = {True: 0, "unknown": 1, False: 2}


def worst(valids: Iterable[Valid]) -> Valid:
    """The worst of several; of none: unknown, since nothing is valid by absence."""
    ranked = sorted(valids, key=_RANK.__getitem__)
    return ranked[-1] if ranked else "unknown"
