"""Judging: a case by its checkers, each under the budget, into Results.

Why it exists  `run` judges what it just recorded and `check` judges it again by the same code; a run killed half-way is judged too.
Relies on      case.py for what is to be judged, budget.py for children that may be lost without losing the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from harness.budget import Job, run_jobs
from harness.case import Case, Question, read_case
from harness.checker import CheckContext, Checker, CheckerSpec
from harness.errors import SplitbrainError, UsageError
from harness.history.history import History
from harness.results import Results, cannot_judge, compose
from harness.verdict import Verdict

_kept: list[History | None] = [None]  # the last file's history, so that the command's end need not take it apart


def judge_path(path: Path, question: Question) -> Results:
    """Judge a run's folder or a history file; a path that cannot be judged gives Results with `error`, never an exception."""
    try:
        case = read_case(path, question)
        _kept[0] = case.history
        return judge_case(case, question)
    except SplitbrainError as error:
        return cannot_judge(str(path), str(error))
    except OSError as error:  # a folder that may not be entered, a name too long for any file
        return cannot_judge(str(path), f"{path} cannot be read: {error.strerror}.\nWay out: give a run's folder or a history file.")


def judge_case(case: Case, question: Question) -> Results:
    """Run the checkers, each under the budget, and compose their verdicts; anomalies get the faults that were active then."""
    history, context = case.history, case.context
    if context.is_run or len(history) > 10_000:
        _warm(history, case.specs)
    refuse_unknown_options(case.specs, question)
    jobs = [Job(spec.name, partial(_check, make_checker(spec, question), history, context)) for spec in case.specs]
    verdicts = run_jobs(jobs, question.budget.timeout_s, question.budget.memory_mb)
    results = compose(case.path, verdicts, context.expected, list(history.notes))
    results.seed = case.seed
    if context.is_run:
        _name_active_faults(history, results)
    return results


def options_of(name: str) -> Mapping[str, str]:
    """Those of a checker's options that users may set: name -> one line of help."""
    from harness.registry import find

    declared: Mapping[str, str] = getattr(find("checkers", name), "options", {})
    return declared


def refuse_unknown_options(specs: Sequence[CheckerSpec], question: Question) -> None:
    """UsageError for an option that none of the checkers has."""
    known = {option: told for spec in specs for option, told in options_of(spec.name).items()}
    unknown = sorted(question.options.keys() - known.keys())
    if unknown:
        there = "; ".join(f"{option}: {told}" for option, told in sorted(known.items())) or "none"
        raise UsageError(f"no checker of this history has an option {unknown[0]!r}", way_out=f"there are: {there}")


def make_checker(spec: CheckerSpec, question: Question) -> Checker:
    """The checker with its own options and those that the user set."""
    from harness.registry import find

    taken = options_of(spec.name)
    given = dict(question.options)
    if question.failed_cas != "nothing":
        given["failed_cas"] = question.failed_cas
    checker: Checker = find("checkers", spec.name)(**{**spec.options, **{name: value for name, value in given.items() if name in taken}})
    return checker


def _check(checker: Checker, history: History, context: CheckContext) -> Verdict:
    return checker.check(history, context)


def _warm(history: History, specs: Sequence[CheckerSpec]) -> None:
    """Before the fork, so that the children share it: a checker class may have `warm(history)`, which makes what it wants to be shared."""
    from harness.registry import find

    for spec in specs:
        if (warm := getattr(find("checkers", spec.name), "warm", None)) is not None:
            warm(history)


def _name_active_faults(history: History, results: Results) -> None:
    from harness.intervals import active, fault_intervals

    intervals = fault_intervals(history)
    for anomaly in results.anomalies:
        if anomaly.ops:
            anomaly.faults = [interval.text() for interval in active(intervals, min(anomaly.ops), max(anomaly.ops))]
