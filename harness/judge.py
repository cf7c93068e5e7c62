"""Judging: a stored run or any history file, by the checkers that its workload or `--as` names, into Results.

Why it exists  `run` judges what it just recorded and `check` judges it again by the same code; a run killed half-way is judged too.
Relies on      the store alone (plan.toml, history.jsonl, events.jsonl): no cluster is needed, none is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from harness.budget import Job, run_jobs
from harness.checker import CheckContext, Checker, CheckerSpec, Model, Phase, Require
from harness.errors import SplitbrainError, UsageError
from harness.events import read_events
from harness.history.history import History
from harness.results import Results, cannot_judge, compose
from harness.verdict import Verdict

_kept: list[History | None] = [None]  # the last file's history, so that the command's end need not take it apart
RUN_CHECKERS = [CheckerSpec(name) for name in ("stats", "coverage", "not-recovered", "unexpected-exit")]


class Budget(NamedTuple):
    """What each checker may take: seconds of wall time, MB of memory beyond the history."""

    timeout_s: float = 120.0
    memory_mb: int = 4096


class Question(NamedTuple):
    """How a path is to be judged; empty fields are found out from the path."""

    as_model: str = ""
    format: str = "auto"
    consistency: str = ""
    budget: Budget = Budget()
    failed_cas: str = "nothing"
    require_faults: bool = False
    options: Mapping[str, Any] = MappingProxyType({})  # of checkers, by `-o`


def judge_path(path: Path, question: Question) -> Results:
    """Judge a run's folder or a history file; a path that cannot be judged gives Results with `error`, never an exception."""
    try:
        if (path / "plan.toml").is_file() and not question.as_model:
            return judge_run(path, question)
        return judge_file(path, question)
    except SplitbrainError as error:
        return cannot_judge(str(path), str(error))
    except OSError as error:  # a folder that may not be entered, a name too long for any file
        return cannot_judge(str(path), f"{path} cannot be read: {error.strerror}.\nWay out: give a run's folder or a history file.")


def judge_file(path: Path, question: Question) -> Results:
    """Judge a history file by `--as`, or by the model that its ops show."""
    from harness.history.infer import infer_model
    from harness.history.read import read_history

    history = _kept[0] = read_history(path, question.format)
    model = _model_of(path, question.as_model or infer_model(history))
    default = model.by_sessions if history.by_sessions and model.by_sessions else model.consistency
    context = CheckContext(expected=question.consistency or default)
    return judge_history(str(path), history, [*model.checkers, CheckerSpec("stats")], context, question)


def _model_of(path: Path, name: str) -> Model:
    """What `--as` means: a registered name, or a user's own model of an object, FILE.py:Class."""
    models = known_models()
    if ".py" in name:
        general = models["linearizable"]
        return Model(general.consistency, [CheckerSpec(spec.name, {**spec.options, "model": name}) for spec in general.checkers])
    if name not in models:
        seen = f"{path}: nobody can tell from its ops what they promise" if not name else f"{path}: no checker judges {name!r} yet"
        raise UsageError(seen, way_out=f"say what it is: --as {' | '.join(sorted(models))}; or your own model: --as FILE.py:Class")
    return models[name]


def judge_run(folder: Path, question: Question) -> Results:
    """Judge a stored run by its own plan."""
    from harness.history.read import read_history
    from harness.plan import read_plan
    from harness.setup import make_workload

    plan = read_plan(folder / "plan.toml")
    events = read_events(folder / "events.jsonl")
    history = read_history(folder / "history.jsonl")
    nodes = next((event["nodes"] for event in events if event["event"] == "nodes"), [f"n{i + 1}" for i in range(plan.nodes)])
    workload = make_workload(plan, nodes, run_id=folder.name)
    expected = question.consistency or plan.consistency or workload.model
    context = run_context(plan.require_faults or question.require_faults, events, nodes, workload.requires(), expected)
    results = judge_history(str(folder), history, [*workload.judges(), *RUN_CHECKERS], context, question)
    results.seed = plan.seed
    return results


def run_context(
    require_faults: bool, events: Sequence[dict[str, Any]], nodes: Sequence[str], requires: Sequence[Require], expected: str
) -> CheckContext:
    """What checkers may know of a run, from its events."""
    faults: dict[str, dict[str, Any]] = next((event["faults"] for event in events if event["event"] == "faults"), {})
    return CheckContext(
        expected=expected,
        nodes=list(nodes),
        phases=phases_of(events),
        requires=list(requires),
        faults=faults,
        events=list(events),
        is_run=True,
        require_faults=require_faults,
    )


def phases_of(events: Sequence[dict[str, Any]]) -> list[Phase]:
    """Phases with their times; the last one ends with the last event."""
    starts = [(event["phase"], event["time"]) for event in events if event["event"] == "phase"]
    last = max((event["time"] for event in events), default=0)
    ends = [*(start for _, start in starts[1:]), last][: len(starts)]  # a run may have been killed before its first event
    return [Phase(name, start, end) for (name, start), end in zip(starts, ends, strict=True)]


def judge_history(path: str, history: History, specs: Sequence[CheckerSpec], context: CheckContext, question: Question) -> Results:
    """Run the checkers, each under the budget, and compose their verdicts; anomalies get the faults that were active then."""
    if context.is_run or len(history) > 50_000:
        _warm(history, specs)
    _refuse_unknown_options(specs, question)
    jobs = [Job(spec.name, partial(_check, _make(spec, question), history, context)) for spec in specs]
    verdicts = run_jobs(jobs, question.budget.timeout_s, question.budget.memory_mb)
    results = compose(path, verdicts, context.expected, list(history.notes))
    if context.is_run:
        _name_active_faults(history, results)
    return results


def options_of(name: str) -> Mapping[str, str]:
    """Those of a checker's options that users may set: name -> one line of help."""
    from harness.registry import find

    declared: Mapping[str, str] = getattr(find("checkers", name), "options", {})
    return declared


def _refuse_unknown_options(specs: Sequence[CheckerSpec], question: Question) -> None:
    """UsageError for an option that none of the checkers has."""
    known = {option: told for spec in specs for option, told in options_of(spec.name).items()}
    unknown = sorted(question.options.keys() - known.keys())
    if unknown:
        there = "; ".join(f"{option}: {told}" for option, told in sorted(known.items())) or "none"
        raise UsageError(f"no checker of this history has an option {unknown[0]!r}", way_out=f"there are: {there}")


def _make(spec: CheckerSpec, question: Question) -> Checker:
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


def known_models() -> dict[str, Model]:
    """Every name that `--as` takes."""
    from harness.registry import find, names

    together: dict[str, Model] = {}
    for name in names("models"):
        together.update(find("models", name))
    return together
