"""A verdict in plain words: what came out, the witness that a person can follow, what it covers and what it does not.

Why it exists  people act on sentences; results.json holds the same for programs. Nothing is decided here: delete it, no verdict changes.
Relies on      Results alone (and, for a run, its plan and events for the head of the report).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.errors import SetupError
from harness.results import Results
from harness.verdict import Anomaly

WIDTH = 118
SHOWN = 3  # anomalies shown in full; results.json has all


def verdict_text(results: Results) -> str:
    """The verdict as text of about 10 to 40 lines."""
    lines = [_head(results)]
    for anomaly in results.anomalies[:SHOWN]:
        lines += ["", *_anomaly(anomaly)]
    more = sum(results.counts.values()) - min(len(results.anomalies), SHOWN)
    if more > 0:
        lines += ["", f"  {more} more: " + ", ".join(f"{kind} ×{count}" for kind, count in sorted(results.counts.items()))]
    lines += [*_models(results), *_coverage(results), *_ops(results)]
    lines += [f"  note: {note}" for note in results.notes]
    return "\n".join(lines)


def _head(results: Results) -> str:
    promise = results.expected or "what was promised"
    if results.valid is False:
        kinds = ", ".join(sorted(results.counts) or sorted({a.type for a in results.anomalies}))
        return f"INVALID  {results.path}: {promise} was broken: {kinds}"
    if results.valid == "unknown":
        return f"UNKNOWN  {results.path}: {results.reason or 'no checker could tell'}"
    return f"VALID    {results.path}: no violation of {promise} was found" + (f"; {results.reason}" if results.reason else "")


def _anomaly(anomaly: Anomaly) -> Iterable[str]:
    name = f"{anomaly.type} ({anomaly.kind})" if anomaly.kind else anomaly.type
    key = f", key {anomaly.key}" if anomaly.key is not None else ""
    yield f"  {name}{key}"
    for paragraph in anomaly.message.splitlines():
        yield from textwrap.wrap(paragraph, WIDTH, initial_indent="    ", subsequent_indent="    ") or [""]
    if anomaly.ops:
        shown = ", ".join(f"#{index}" for index in anomaly.ops[:12]) + (", …" if len(anomaly.ops) > 12 else "")
        yield f"    ops: {shown}"
    if anomaly.faults:
        yield from textwrap.wrap(f"active then: {'; '.join(anomaly.faults[:4])}", WIDTH, initial_indent="    ", subsequent_indent="    ")


def _models(results: Results) -> Iterable[str]:
    if results.not_:
        yield f"  ruled out: {', '.join(results.not_)}"
    if results.holds and results.valid is False:
        yield f"  still holds: {', '.join(results.holds)}"


def _coverage(results: Results) -> Iterable[str]:
    if where := results.coverage.get("cluster"):
        yield f"  cluster {where}"
    for kind, facts in (results.coverage.get("faults") or {}).items():
        if facts["possible"]:
            how = f" (by {facts['mechanism']})" if facts.get("mechanism") else ""
            counts = f"{facts['asked']} tried, {facts['in_place']} in place by probe, {facts['exercised']} exercised"
            yield f"  {kind}{how}: {counts}{_missed(facts)}"
        else:
            yield f"  {kind}: cannot be made here: {facts['why']}"
    power: dict[str, Any] = results.coverage.get("power") or {}
    for kind, nodes in (power.get("ok_per_node_during") or {}).items():
        yield f"  ok ops during {kind}: " + ", ".join(f"{node} {count}" for node, count in nodes.items())
    if power:
        yield f"  contended keys: {power['contended_keys']}, primary changes seen: {power['primary_changes']}"


def _missed(facts: dict[str, Any]) -> str:
    missed = facts["asked"] - facts["in_place"]
    return f" ({missed} not: {facts['why']})" if missed and facts["why"] else ""


def _ops(results: Results) -> Iterable[str]:
    facts = results.checkers.get("stats", {}).get("facts") or {}
    by_f = facts.get("by_f") or {}
    if by_f:
        shown = "; ".join(f"{f} {c['ok']} ok, {c['fail']} fail, {c['info']} info" for f, c in by_f.items())
        yield f"  {facts['ops']} ops: {shown}"


def run_text(folder: Path, results: Results) -> str:
    """A stored run's verdict with where its parts are."""
    lines = [verdict_text(results), f"  run: {folder}  (history.jsonl, events.jsonl, schedule.toml, logs/, report.md)"]
    if results.seed is not None:
        lines.append(
            f"  seed {results.seed}; replay these faults: splitbrain run {folder / 'plan.toml'} --schedule {folder / 'schedule.toml'}"
        )
    return "\n".join(lines)


def write_report(folder: Path, results: Results) -> None:
    """Store results.json and report.md beside the history."""
    try:
        (folder / "results.json").write_bytes(results.to_json())
        (folder / "report.md").write_text(markdown(folder, results))
    except OSError as error:
        raise SetupError(
            f"the results cannot be written to {folder}: {error.strerror or error}",
            "the history is stored",
            f"free some space, then splitbrain check {folder}",
        ) from error


def markdown(folder: Path, results: Results) -> str:
    """The report as a page: the verdict, the run's phases, every fault with its proof, every anomaly in full."""
    from harness.case import phases_of
    from harness.events import read_events

    events = read_events(folder / "events.jsonl")
    lines = [f"# {folder.name}", "", "```", verdict_text(results), "```", "", "## Phases", "", "| phase | from | to |", "|---|---|---|"]
    lines += [f"| {phase.name} | {phase.start / 1e9:.1f} s | {phase.end / 1e9:.1f} s |" for phase in phases_of(events)]
    lines += [_lag(event) for event in events if event["event"] == "lag"]
    lines += _fault_rows(folder)
    if results.anomalies:
        lines += ["", "## Anomalies", ""]
        for anomaly in results.anomalies:
            lines += [*_anomaly(anomaly), ""]
    shown = [event for event in events if event["event"] not in ("phase", "lag")]
    lines += ["", "## Events", "", *(f"- {event['time'] / 1e9:.2f} s `{event['event']}` {_fields(event)}" for event in shown[:200])]
    return "\n".join(lines) + "\n"


def _lag(event: dict[str, Any]) -> str:
    """How late operations went out: lag widens intervals, so it can hide anomalies, never invent any."""
    late = f"99 % below {event.get('lag_p99_ns', 0) / 1e6:.1f} ms, worst {event.get('lag_max_ns', 0) / 1e6:.1f} ms"
    given_up = f"; {event['abandoned']} calls outlived their deadline" if event.get("abandoned") else ""
    return f"\nScheduling lag of {event.get('invocations', 0)} operations: {late}{given_up}. Lag can hide anomalies, never invent any."


def _fields(event: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in event.items() if key not in ("time", "event"))


def _fault_rows(folder: Path) -> list[str]:
    from harness.errors import SplitbrainError
    from harness.history.read import read_history
    from harness.intervals import fault_intervals

    try:
        intervals = fault_intervals(read_history(folder / "history.jsonl"))
    except SplitbrainError:
        return []
    if not intervals:
        return []
    rows = ["", "## Faults", "", "| # | fault | from | to | in place | exercised | why not |", "|---|---|---|---|---|---|---|"]
    for i in intervals:
        end = f"{i.end / 1e9:.1f} s" if i.end is not None else "the end"
        text = i.text().split(" from ")[0]
        rows.append(f"| {i.invoked} | {text} | {i.start / 1e9:.1f} s | {end} | {i.in_place} | {i.exercised} | {i.why} |")
    return rows
