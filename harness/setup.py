"""From a plan's names to the things they name: target, workload, cluster class; with one clear sentence where they do not fit together.

Why it exists  `run`, `check` and `prepare` resolve the same names and must refuse the same mistakes, before anything is started.
Relies on      the registry; classes alone, so nothing is started or opened here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.capabilities import missing
from harness.cluster import Cluster
from harness.errors import UsageError
from harness.options import read_options
from harness.plan import Plan, resolve_secrets
from harness.registry import find, names
from harness.target import Target, declared_options
from harness.workload import Workload, WorkloadContext


def target_class(name: str) -> type[Target]:
    """The target's class by registered name, file or module."""
    found = find("targets", name, accept=lambda value: isinstance(value, type) and issubclass(value, Target) and hasattr(value, "name"))
    if not (isinstance(found, type) and issubclass(found, Target)):
        raise UsageError(f"{name} is no target", way_out="a target is a class on splitbrain.Target; see examples/")
    return found


def make_target(plan: Plan) -> Target:
    """The target with its options read; an unknown option or value is a UsageError."""
    cls = target_class(plan.target)
    options = read_options(declared_options(cls), resolve_secrets(plan.target_options), f"target {cls.name}")
    return cls(options)


def workload_class(plan: Plan, target: type[Target] | Target) -> type[Workload]:
    """The workload's class: the plan's, else the target's first."""
    name = plan.workload or next(iter(target.workloads), "")
    if not name:
        raise UsageError(
            f"target {target.name} names no workload of its own", way_out=f"choose one: --workload {'|'.join(names('workloads'))}"
        )
    found: type[Workload] = find("workloads", name)
    return found


def make_workload(plan: Plan, nodes: Sequence[str], run_id: str) -> Workload:
    """The workload of a plan, for running it or for judging it again."""
    cls = workload_class(plan, target_class(plan.target))
    options = read_options(cls.options, plan.workload_options, f"workload {cls.name}")
    prefix = f"{run_id}-"
    consistency = plan.consistency or cls.model
    return cls(WorkloadContext(tuple(nodes), plan.threads(len(nodes)), prefix, options, consistency, plan.seed))


def check_fit(target: Target, cls: type[Workload], options: Mapping[str, Any]) -> None:
    """UsageError if the target's client lacks what the workload needs, with the workloads that would fit."""
    needs = cls.needs(options)
    client = target.client_class()
    if lacking := missing(client, needs):
        fitting = [name for name in names("workloads") if _fits(client, name)]
        raise UsageError(
            f"workload {cls.name} needs the capability {needs.__name__}, but {target.name}'s client has no {', '.join(lacking)}",
            way_out=f"workloads that it can serve: {', '.join(fitting) or 'none'}",
        )


def _fits(client: type, name: str) -> bool:
    cls: type[Workload] = find("workloads", name)
    defaults = {key: option.default for key, option in cls.options.items()}
    return not missing(client, cls.needs(defaults))


def cluster_class(name: str) -> type[Cluster]:
    """The cluster's class by registered name."""
    found: type[Cluster] = find("clusters", name)
    return found
