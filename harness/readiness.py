"""Readiness: every node serves before the run begins, and again after everything was healed.

Why it exists  a node that never became ready makes every result vacuous; one that does not come back is a finding of its own.
Relies on      the target saying in words what a node answered; the cluster knowing whether its service still runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.cluster import Cluster
from harness.errors import SetupError
from harness.events import EventLog
from harness.target import Access, Target

ASK_EVERY_S = 0.1
ANSWER_LIMIT_S = 5.0  # one question; a paused or cut node answers nothing at all


async def await_ready(target: Target, cluster: Cluster, access: Callable[[str], Access], folder: Path) -> None:
    """All nodes ready within the target's `ready_timeout`, or a SetupError with what each said."""
    limit_s = float(target.opt["ready_timeout"])
    waiting = await _not_ready(target, cluster, access, limit_s)
    if waiting:
        node, (says, tries) = next(iter(waiting.items()))
        others = f" (nor were {', '.join(list(waiting)[1:])})" if len(waiting) > 1 else ""
        raise SetupError(
            f"{node} was not ready within {limit_s:g} s{others}: {says}, {tries} tries",
            f"nothing was run, the cluster is removed, the logs are in {folder / 'logs' / node}",
            f"read that log; on a slow machine try -o ready_timeout={2 * limit_s:g}",
        )


async def recovered(target: Target, cluster: Cluster, access: Callable[[str], Access], events: EventLog) -> list[dict[str, Any]]:
    """After the heal: the nodes that did not serve again, each emitted as `not-recovered`."""
    limit_s = float(target.opt["ready_timeout"])
    waiting = await _not_ready(target, cluster, access, limit_s)
    lost = [{"node": node, "waited_s": limit_s, "says": says} for node, (says, _) in waiting.items()]
    for fields in lost:
        events.emit("not-recovered", fields)
    return lost


async def _not_ready(target: Target, cluster: Cluster, access: Callable[[str], Access], limit_s: float) -> dict[str, tuple[str, int]]:
    """Ask all nodes until each is ready or the time is over: node -> (its last answer, tries)."""
    deadline = time.monotonic() + limit_s
    results = await asyncio.gather(*(_until_ready(target, cluster, access(node.name), deadline) for node in cluster.nodes))
    return {node.name: result for node, result in zip(cluster.nodes, results, strict=True) if result is not None}


async def _until_ready(target: Target, cluster: Cluster, access: Access, deadline: float) -> tuple[str, int] | None:
    says, tries = "it was never asked", 0
    while time.monotonic() < deadline:
        tries += 1
        try:
            answer = await asyncio.wait_for(target.ready(access), min(ANSWER_LIMIT_S, max(0.1, deadline - time.monotonic())))
        except TimeoutError:
            answer = "it did not answer"
        except Exception as error:  # a target's own probe may fail in any way; what it said is shown
            answer = f"{type(error).__name__}: {error}"
        if answer is None:
            return None
        says = answer
        status = None
        with contextlib.suppress(Exception):
            status = await cluster.status(access.node.name)
        if status is not None and not status.running and status.exit_code is not None and tries > 3:
            return f"its service ended with code {status.exit_code} ({says})", tries
        await asyncio.sleep(ASK_EVERY_S)
    return says, tries
