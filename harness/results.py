"""results.json: what was judged and how it came out; also what `--json` prints. One schema for runs and files.

Why it exists  scripts and CI read this; its fields are stable and documented in docs/results.md.
Relies on      verdicts being data: nothing is decided here but the worst of several.
"""

from __future__ import annotations

from typing import Any

import msgspec

from harness.verdict import SCHEMA, Anomaly, Valid, Verdict, worst


class Results(msgspec.Struct):
    """The judgement of one path.

    valid      true | false | "unknown"; null with `error` for a path that cannot be judged
    reason     why unknown, or what a valid verdict does not cover; one sentence
    checkers   name -> {"valid", "reason"?, "counts"?, "facts"?}
    anomalies  all checkers' witnesses, worst first; `ops` are indices (positions in a file that has none)
    expected   the consistency model that was promised
    not        models ruled out; holds: the strongest that still hold
    coverage   facts of the coverage checker: faults asked for, in place, exercised; power
    notes      what was noticed while reading
    """

    schema: int
    path: str
    valid: bool | str | None
    reason: str = ""
    error: str = ""
    checkers: dict[str, dict[str, Any]] = {}
    anomalies: list[Anomaly] = []
    counts: dict[str, int] = {}
    expected: str = ""
    not_: list[str] = msgspec.field(default_factory=list, name="not")
    holds: list[str] = []
    coverage: dict[str, Any] = {}
    notes: list[str] = []
    seed: int | None = None

    def to_json(self) -> bytes:
        """One line of JSON; the same results give the same bytes."""
        return msgspec.json.encode(self, enc_hook=str)

    @property
    def exit_code(self) -> int:
        """0 valid, 1 invalid, 2 unknown, 254 cannot be judged."""
        return {True: 0, False: 1, None: 254}.get(self.valid, 2)  # type: ignore[arg-type]


def compose(path: str, verdicts: dict[str, Verdict], expected: str, notes: list[str]) -> Results:
    """The worst of all checkers, their anomalies and models together."""
    valid: Valid = worst(verdict.valid for verdict in verdicts.values())
    results = Results(SCHEMA, path, valid, expected=expected, notes=notes)
    reasons = []
    for name, verdict in verdicts.items():
        entry: dict[str, Any] = {"valid": verdict.valid}
        for field, value in (("reason", verdict.reason), ("counts", verdict.counts), ("facts", verdict.facts)):
            if value:
                entry[field] = value
        results.checkers[name] = entry
        results.anomalies += verdict.anomalies
        for kind, count in verdict.counts.items():
            results.counts[kind] = results.counts.get(kind, 0) + count
        results.not_ += [model for model in verdict.not_models if model not in results.not_]
        results.holds += [model for model in verdict.holds if model not in results.holds]
        if verdict.reason and verdict.valid != valid and valid is False:
            results.notes.append(f"{name}: {verdict.reason}")
        elif verdict.reason and verdict.reason not in reasons:
            reasons.append(verdict.reason)
    results.reason = "; ".join(reasons)
    results.coverage = verdicts["coverage"].facts if "coverage" in verdicts else {}
    return results


def cannot_judge(path: str, error: str) -> Results:
    """A path that is no history, with the sentence that says so."""
    return Results(SCHEMA, path, None, error=error)
