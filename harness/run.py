"""A run from end to end: prepare, conduct (in the cluster's own enclosure), judge, report.

Why it exists  the order of a run's life stands here once; each step is somebody else's work.
Relies on      the store as the only thing that passes from the conducting process to the judging one, so that a run killed at any
               moment is judged by the same code.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import NamedTuple

from harness.errors import EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_UNKNOWN, SplitbrainError, UsageError
from harness.options import read_options
from harness.plan import Plan
from harness.results import Results
from harness.setup import check_fit, cluster_class, make_target, workload_class
from harness.store import new_run


class RunEnd(NamedTuple):
    """How a run ended; `results` is None if nothing could be judged."""

    folder: Path
    results: Results | None
    exit_code: int


def run_plan(plan: Plan, quiet: bool = False) -> RunEnd:
    """One run. UsageError or SetupError before anything was started; later troubles end in the run's own exit code."""
    target = make_target(plan)
    workload = workload_class(plan, target)
    plan.workload = workload.name if not plan.workload else plan.workload
    check_fit(target, workload, read_options(workload.options, plan.workload_options, f"workload {workload.name}"))
    cluster = cluster_class(plan.cluster)
    _check_faults(plan, float(target.opt.get("T") or target.failover_s))
    if target.recipe() is None and not plan.attach:
        way_out = "attach to a running cluster: --compose PROJECT, --label k=v or --containers a,b,c"
        raise UsageError(f"target {target.name} does not say what its nodes run, so no cluster can be made for it", way_out=way_out)
    if plan.attach and plan.cluster != "docker":
        raise UsageError(f"--cluster {plan.cluster} has no containers to attach to", way_out="leave --cluster out, or say --cluster docker")
    if not plan.attach and plan.nodes < target.min_nodes:
        raise UsageError(f"{target.name} needs {target.min_nodes} nodes, not {plan.nodes}", way_out=f"--nodes {target.min_nodes}")

    if plan.keep and not cluster.keeps:
        raise UsageError(
            f"nodes of the {plan.cluster} cluster end with the run, they cannot be kept", way_out="--keep with --cluster docker"
        )

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    cluster.prepare(target, plan.offline, say, attach=bool(plan.attach))
    run_id = secrets.token_hex(3)
    folder = new_run(Path(plan.store), plan, run_id)
    if not quiet:
        say(f"run {folder.name}, seed {plan.seed}")

    def conduct() -> int:
        from harness.conduct import conduct_run

        return conduct_run(plan, folder, run_id, quiet)

    code = cluster.enclose(lambda: _guarded(conduct))
    return _judge(plan, folder, code)


def _guarded(conduct: object) -> int:
    """The conducting process's exit code; it prints its own error, and never lets an exception out of the enclosure."""
    assert callable(conduct)
    try:
        return int(conduct())
    except SplitbrainError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _check_faults(plan: Plan, failover_s: float) -> None:
    """UsageError for a nemesis or schedule that no run can have. Names of attached nodes are known only later."""
    from harness.registry import find, names

    for name in plan.nemesis:
        if name not in names("faults") and not name.partition(":")[0].endswith(".py"):
            raise UsageError(f"no nemesis is called {name!r}", way_out=f"there are: {', '.join(names('faults'))}")
        find("faults", name)
    if not plan.attach:
        nodes = [f"n{i + 1}" for i in range(plan.nodes)]
        options = {"nemesis": plan.nemesis, "schedule": plan.schedule, "interval_s": plan.interval, "seed": plan.seed}
        find("schedules", "driver")(**options, failover_s=failover_s, time_limit_s=plan.time_limit, nodes=nodes)


def _judge(plan: Plan, folder: Path, code: int) -> RunEnd:
    """Judge what was recorded, if anything was; an invalid verdict outweighs a lost cluster, an interruption shows as 130."""
    from harness.case import Budget, Question, read_case
    from harness.judge import judge_case
    from harness.report import write_report

    history = folder / "history.jsonl"
    if code not in (0, EXIT_INTERRUPTED, EXIT_UNKNOWN) or not history.is_file() or history.stat().st_size == 0:
        return RunEnd(folder, None, code if code in (EXIT_INTERRUPTED, EXIT_UNKNOWN, 254) else EXIT_INTERNAL)
    question = Question(budget=Budget(plan.check_timeout, plan.check_memory_mb))
    try:
        results = judge_case(read_case(folder, question), question)
        write_report(folder, results)
    except SplitbrainError as error:
        print(error, file=sys.stderr)
        return RunEnd(folder, None, EXIT_UNKNOWN if code == 0 else code)
    if code == EXIT_UNKNOWN and results.valid is True:
        results.valid = "unknown"
        results.reason = f"the run was cut short (see {folder / 'harness.log'}); what was recorded shows no violation"
        write_report(folder, results)
    return RunEnd(folder, results, EXIT_INTERRUPTED if code == EXIT_INTERRUPTED else results.exit_code)


def owner_pid() -> int:
    """The pid that owns a run's labels: this process, as the host sees it before any enclosure."""
    return os.getpid()
