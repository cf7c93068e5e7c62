"""What really happened, as a schedule: absolute times, resolved targets, the pairs that were cut.

Why it exists  a schedule that says "the primary" breaks another node the next time; one that says n2 at 12.43 s replays the finding.
Relies on      nemesis ops of the history alone (DESIGN 7), so that a killed run has its schedule too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.fault import Fault
from harness.op import FAIL, INVOKE, Op
from nemeses.schedule import parameters
from nemeses.times import text


def recorded(ops: Iterable[Op], start_ns: int, faults: Mapping[str, Fault]) -> str:
    """schedule.toml of the injections that took effect (or may have), in order; times from the start of the fault phase."""
    import tomli_w

    lines: dict[int, dict[str, Any]] = {}
    opened: dict[int | str, Op] = {}
    for op in ops:
        if op.is_client:
            continue
        if op.type == INVOKE:
            opened[op.process] = op
            continue
        invoke = opened.pop(op.process, None)
        if invoke is None:
            continue
        if op.f == "heal":
            _end(lines, op.value, op.time)
        elif op.type != FAIL and op.f in faults and isinstance(op.value, dict):
            lines[invoke.index] = _line(invoke, op, start_ns, faults[op.f])
    for line in lines.values():
        line.pop("began_ns")
    return tomli_w.dumps({"line": list(lines.values())})


def _line(invoke: Op, done: Op, start_ns: int, fault: Fault) -> dict[str, Any]:
    defaults = parameters(fault, {}, fault.name, failover_s=1.0)  # no default is given in T
    params = {key: value for key, value in (done.value.get("params") or {}).items() if value != defaults.get(key)}
    for key in getattr(fault, "times", ()):
        if key in params:
            params[key] = text(params[key])
    line = {"at": text(max(0, invoke.time - start_ns) / 1e9), "fault": invoke.f, "target": done.value.get("nodes") or ""}
    if pairs := done.value.get("pairs"):
        params = {"shape": "custom", "pairs": [list(pair) for pair in pairs]}
    return {**line, **params, "began_ns": invoke.time}


def _end(lines: dict[int, dict[str, Any]], value: Any, time: int) -> None:
    of = value.get("of") if isinstance(value, dict) else None
    for index, line in lines.items():
        if of in (index, "all") and "for" not in line:
            line["for"] = text((time - line["began_ns"]) / 1e9)
