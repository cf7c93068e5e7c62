"""What is to be judged: a run or file as a history, the checkers that its workload or `--as` names, and what they may know of it.

Why it exists  `check`, `run`, `explain` and `--minimize` judge the same thing; it is found out once, here.
Relies on      the store alone (plan.toml, history.jsonl, events.jsonl): no cluster is needed, none is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn

from harness.checker import CheckContext, CheckerSpec, Model, Phase, Require
from harness.errors import UsageError
from harness.events import read_events
from harness.history.history import History
from harness.run_logs import RunLogs

ALL_MODELS = "`splitbrain list models` shows all; your own: --as FILE.py:Class"
RUN_CHECKERS = [CheckerSpec(name) for name in ("stats", "coverage", "exceptions", "not-recovered", "unexpected-exit")]


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


class Case(NamedTuple):
    """A history with all that its judgement rests on; `path` as it was given."""

    path: str
    history: History
    specs: Sequence[CheckerSpec]
    context: CheckContext
    seed: int | None = None


def read_case(path: Path, question: Question) -> Case:
    """A run's folder by its own plan, any other path as a history file. Raises SplitbrainError, OSError."""
    if (path / "plan.toml").is_file() and not question.as_model:
        return _of_run(path, question)
    return _of_file(path, question)


def _of_file(path: Path, question: Question) -> Case:
    from harness.history.infer import infer_model
    from harness.history.read import read_history

    history = read_history(path, question.format)
    name = question.as_model or infer_model(history)
    if not name and not any(op.is_client for op in history.ops):
        return Case(str(path), history, [CheckerSpec("stats")], CheckContext(expected=question.consistency))
    model = _model_of(path, name) if name else _asked(path, history)
    default = model.by_sessions if history.by_sessions and model.by_sessions else model.consistency
    expected = question.consistency or default
    specs = model.specs(history.by_sessions, expected)
    return Case(str(path), history, [*specs, CheckerSpec("stats")], CheckContext(expected=expected))


def _model_of(path: Path, name: str) -> Model:
    """What `--as` means: a registered name, or a user's own model of an object, FILE.py:Class."""
    models = known_models()
    if ".py" in name:
        general = models["linearizable"]
        return Model(general.consistency, [CheckerSpec(spec.name, {**spec.options, "model": name}) for spec in general.checkers])
    if name not in models:
        from difflib import get_close_matches

        near = get_close_matches(name, sorted(models), 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"{path}: no model is called {name!r}", way_out=f"{meant}{ALL_MODELS}")
    return models[name]


def _asked(path: Path, history: History) -> NoReturn:
    """What the ops are of cannot be told from them: say which models they fit."""
    from harness.history.infer import possible_models

    fs = sorted({op.f for op in history.ops[:5000] if op.is_client})
    told = ", ".join(fs[:6]) + (", …" if len(fs) > 6 else "")
    if possible := possible_models(fs):
        seen = f"{path}: its operations ({told}) could be of {'several models' if len(possible) > 1 else 'one that must be named'}"
        raise UsageError(seen, way_out=f"--as {' | '.join(possible)}; {ALL_MODELS}")
    raise UsageError(f"{path}: no model is known by its operations ({told})", way_out=f"name it, --as MODEL: {ALL_MODELS}")


def _of_run(folder: Path, question: Question) -> Case:
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
    context.logs = RunLogs(folder / "logs")
    return Case(str(folder), history, [*workload.judges(), *RUN_CHECKERS], context, plan.seed)


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


def known_models() -> dict[str, Model]:
    """Every name that `--as` takes."""
    from harness.registry import find, names

    together: dict[str, Model] = {}
    for name in names("models"):
        together.update(find("models", name))
    return together
