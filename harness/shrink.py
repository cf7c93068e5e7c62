"""Shrinking an invalid history to one from which nothing more can be left out: delta debugging, the checker asked at every step.

Why it exists  a person can follow four operations, not four thousand.
Relies on      two things that keep a history one that could have been recorded: it may be cut short at any point (what was open then is
               open), and its parts may be left out as the checker's family of histories says (entry point splitbrain.parts, by the
               checker's name). What remains is invalid by the same anomaly as the whole, and no further part can go.
Source         Zeller & Hildebrandt, Simplifying and isolating failure-inducing input, IEEE TSE 2002 (ddmin).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import NamedTuple, Protocol

from harness.budget import Job, run_jobs
from harness.case import Case, Question
from harness.checker import CheckerSpec
from harness.errors import UsageError
from harness.history.history import History
from harness.judge import make_checker
from harness.verdict import Anomaly, Verdict

PATIENCE_S = 120.0  # a checker that needs seconds for an answer may be asked thousands of times
Still = Callable[[History], bool]


class Divided(Protocol):
    """A history in parts (checkers/shrink/parts.py)."""

    def __len__(self) -> int: ...

    def holding(self, ops: Collection[int]) -> set[int]:
        """The parts that hold ops with these indices."""
        ...

    def with_needed(self, parts: Iterable[int]) -> set[int]:
        """These and all that they need."""
        ...

    def with_needing(self, parts: Iterable[int]) -> set[int]:
        """These and all that cannot stand without them."""
        ...

    def of(self, kept: Collection[int]) -> History:
        """The history that remains, its ops numbered anew."""
        ...


Divide = Callable[[History, bool], Divided]


class Shrunk(NamedTuple):
    """What remains, how it was judged, how often the checker was asked; whether nothing more can be left out, or time was up."""

    history: History
    verdict: Verdict
    asked: int
    smallest: bool


def shrink(
    case: Case, anomaly: Anomaly, question: Question, tell: Callable[[str], None] = lambda line: None, patience_s: float = PATIENCE_S
) -> Shrunk:
    """A history that shows an anomaly of this type and from which nothing can be left out, as far as that is found within patience_s.

    Raises: UsageError if no checker of the case shows the anomaly again by itself, or if none that does can be shrunk.
    """
    deadline = time.monotonic() + patience_s
    for spec in case.specs:
        judged = _Asked(case, spec, question, anomaly.type)
        divide = _divide(spec)
        if divide is None or not judged(case.history):
            continue
        history = _cut(case.history, anomaly, judged)
        tell(f"cut after what shows it: {len(history)} of {len(case.history)} operations")
        at = _last(judged, anomaly)
        for fine in (False, True):
            parts = divide(history, fine)
            kept = _smallest(parts, history, at if not fine else None, judged, deadline)
            history = parts.of(kept)
            tell(f"{len(history)} operations remain, the checker was asked {judged.asked} times")
            assert judged(history), "the same history gets the same verdict"
            at = _last(judged, anomaly)
        assert judged.verdict is not None
        return Shrunk(history, judged.verdict, judged.asked, time.monotonic() < deadline)
    raise UsageError(
        f"{anomaly.type} cannot be shrunk: no checker of this history that shows it says what may be left out",
        way_out="splitbrain explain without --minimize tells it in full",
    )


class _Asked:
    """The checker as a question: does this history show the anomaly? Each time in a child under the budget."""

    def __init__(self, case: Case, spec: CheckerSpec, question: Question, type_: str) -> None:
        self.case, self.spec, self.question, self.type = case, spec, question, type_
        self.asked = 0
        self.verdict: Verdict | None = None

    def __call__(self, history: History) -> bool:
        self.asked += 1
        checker = make_checker(self.spec, self.question)
        job = Job(self.spec.name, partial(checker.check, history, self.case.context))
        budget = self.question.budget
        verdict = run_jobs([job], budget.timeout_s, budget.memory_mb)[self.spec.name]
        shown = verdict.valid is False and self.type in {*verdict.counts, *(anomaly.type for anomaly in verdict.anomalies)}
        if shown:
            self.verdict = verdict
        return shown


def _divide(spec: CheckerSpec) -> Divide | None:
    from harness.registry import find, names

    return find("parts", spec.name) if spec.name in names("parts") else None


def _last(judged: _Asked, anomaly: Anomaly) -> list[int]:
    """Ops that the newest verdict quotes for an anomaly of the type."""
    assert judged.verdict is not None
    return next((found.ops for found in judged.verdict.anomalies if found.type == anomaly.type), [])


def _cut(history: History, anomaly: Anomaly, still: Still) -> History:
    """The shortest beginning that shows it, if that can be told by halving; else the whole."""
    ops = history.ops
    low, high = 0, len(ops)  # the beginning of `low` ops does not show it, that of `high` does
    first = max(anomaly.ops, default=high - 1) + 1
    if first < high and still(_beginning(history, first)):
        high = first
    while high - low > max(1, len(ops) >> 12):
        middle = (low + high) // 2
        if still(_beginning(history, middle)):
            high = middle
        else:
            low = middle
    return _beginning(history, high) if still(_beginning(history, high)) else history


def _beginning(history: History, count: int) -> History:
    return History(history.ops[:count], dict(history.header))


def _smallest(parts: Divided, history: History, quoted: Collection[int] | None, still: Still, deadline: float) -> set[int]:
    """Parts that show it, none of which can go (with those that need it), or what remained when time was up."""
    kept = set(range(len(parts)))
    if quoted:
        few = parts.with_needed(parts.holding(quoted))
        if len(few) < len(kept) and still(parts.of(few)):
            kept = few
    pieces = 2
    while len(kept) > 1 and time.monotonic() < deadline:
        pieces = min(pieces, len(kept))
        smaller = _without_one_of(pieces, parts, kept, still, deadline)
        if smaller is not None:
            kept, pieces = smaller, max(2, pieces - 1)
        elif pieces == len(kept):
            break
        else:
            pieces *= 2
    return kept


def _without_one_of(pieces: int, parts: Divided, kept: set[int], still: Still, deadline: float) -> set[int] | None:
    """What remains if one of so many pieces goes, the latest tried first; None if each is needed."""
    ordered = sorted(kept)
    for piece in reversed(range(pieces)):
        if time.monotonic() >= deadline:
            return None
        going = ordered[piece * len(ordered) // pieces : (piece + 1) * len(ordered) // pieces]
        remains = kept - parts.with_needing(going)
        if remains and len(remains) < len(kept) and still(parts.of(remains)):
            return remains
    return None
