"""`splitbrain prepare`: fetch and build what is missing, now, so that a run downloads nothing.

Why it exists  a running test must not depend on a registry; `run` begins with the same step and says so.
Relies on      the target's recipe and the cluster's own cache.
"""

from __future__ import annotations

import sys

from harness.errors import UsageError


def prepare_command(target: str, cluster: str, options: list[str], kernels: bool) -> int:
    """Prepare a target for a cluster, or compile the checkers' kernels, or both."""
    if not target and not kernels:
        raise UsageError(
            "nothing to prepare was named", way_out="splitbrain prepare etcd --cluster docker, or splitbrain prepare --kernels"
        )
    if kernels:
        from harness.history.read import compile_kernels

        compile_kernels()
        print("the checkers' kernels are compiled")
    if target:
        from harness.cli.run_command import key_values
        from harness.plan import Plan
        from harness.setup import cluster_class, make_target

        plan = Plan(target=target, cluster=cluster, target_options=key_values(options, "-o"))
        made = make_target(plan)
        cluster_class(cluster).prepare(made, False, lambda line: print(line, file=sys.stderr))
        print(f"{made.name} is ready for --cluster {cluster}")
    return 0
