"""`splitbrain run`: from options or a plan file to one run, its verdict in words, its exit code.

Why it exists  the command line is one spelling of a plan; a plan file is the other, and options given beside it win.
Relies on      harness.run for the life of the run, harness.judge for the verdict.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.plan import Plan, read_plan
from harness.registry import check_consistency

_RENAMED = {"option": "target_options", "workload_option": "workload_options", "timeout": "check_timeout", "memory": "check_memory_mb"}
_NOT_IN_PLAN = {"quiet", "json"}


def run_command(given: Mapping[str, Any], explicit: set[str]) -> int:
    """Run what the command line asks for."""
    plan = plan_from_options(given, explicit)
    as_json = bool(given["json"])
    return run_and_report(plan, quiet=bool(given["quiet"]) or as_json, as_json=as_json)


def run_and_report(plan: Plan, quiet: bool = False, as_json: bool = False) -> int:
    """Run a plan, judge it, print the verdict; the exit code."""
    from harness.report import run_text
    from harness.run import run_plan

    ended = run_plan(plan, quiet)
    if ended.results is not None and as_json:
        sys.stdout.buffer.write(ended.results.to_json() + b"\n")
        sys.stdout.buffer.flush()
    elif ended.results is not None:
        print(run_text(ended.folder, ended.results))
    return ended.exit_code


def plan_from_options(given: Mapping[str, Any], explicit: set[str]) -> Plan:
    """The plan that the options spell; of a plan file, overridden by options really given."""
    target = str(given["target"])
    if target.endswith(".toml"):
        plan, wanted = read_plan(Path(target)), explicit - {"target"}
    else:
        plan, wanted = Plan(target=target), set(given) - {"target"}
    for name in wanted - _NOT_IN_PLAN:
        value = given[name]
        if name in ("option", "workload_option"):
            value = {**getattr(plan, _RENAMED[name]), **key_values(value, "-o" if name == "option" else "-w")}
        elif name in ("nemesis", "containers"):
            value = [part.strip() for part in value.split(",") if part.strip()]
        setattr(plan, _RENAMED.get(name, name), value)
    if target.endswith(".toml") and wanted & {"nemesis", "schedule"} == {"schedule"}:
        plan.nemesis = []  # a replay: what the plan would draw is replaced
    elif target.endswith(".toml") and wanted & {"nemesis", "schedule"} == {"nemesis"}:
        plan.schedule = ""
    if not plan.seed:
        plan.seed = random.SystemRandom().randrange(1, 1 << 31)
    check_numbers(plan)
    return plan


def check_numbers(plan: Plan) -> None:
    """UsageError for a number that no run can have."""
    for name, least in (("nodes", 1), ("rate", 0.1), ("time_limit", 1), ("healthy", 0), ("op_timeout", 0.01), ("interval", 0.1)):
        value, option = getattr(plan, name), f"--{name.replace('_', '-')}"
        if not math.isfinite(value):
            raise UsageError(f"{option} {value} is no number that a run can have", way_out=f"give {option} as a number from {least} up")
        if value < least:
            raise UsageError(f"{option} {value} is too small", way_out=f"give at least {option} {least}")
    if plan.nemesis and plan.schedule:
        raise UsageError("--nemesis and --schedule both say what to break", way_out="give one of them")
    plan.threads(plan.nodes)
    check_consistency(plan.consistency)
    if plan.schedule and not Path(plan.schedule).is_file():
        raise UsageError(f"{plan.schedule} is not a file", way_out="give a schedule (TOML), or a run's schedule.toml")
    if plan.attach and plan.cluster == "local":
        plan.cluster = "docker"  # there are only containers to attach to


def key_values(texts: list[str], flag: str) -> dict[str, Any]:
    """`key=value` texts as a mapping; UsageError for one without an equals sign."""
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"{flag} {text!r} is not key=value", way_out=f"write it as {flag} name=value")
        pairs[key] = value
    return pairs
