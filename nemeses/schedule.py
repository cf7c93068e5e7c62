"""Schedules: what breaks when, as data; loaded from TOML, written back as what really happened.

Why it exists  a run that found something must be repeated, shortened, changed by hand; so a schedule is a file, one line per fault.
Relies on      the faults' own `params` for which keys a line may have, `choices` for the values of some, `times` for which are times.

Times count from the start of the fault phase. A line: `at = "5s"`, or `every = "10s"` with `from`, `until`; `fault`, `target`, `for`, and
the fault's parameters. Without `for` a fault lasts until the run's end.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import UsageError
from harness.fault import Fault
from nemeses import targets_spec
from nemeses.times import seconds

FRAME = ("at", "every", "from", "until", "when", "fault", "target", "for")
MAX_REPEATS = 10_000


class Line(msgspec.Struct, frozen=True):
    """A line of a schedule: at which times, what, on whom, how, for how long (None: until the run's end). Seconds."""

    fault: str
    at: tuple[float, ...]
    target: Any = ""
    params: Mapping[str, Any] = {}
    lasts: float | None = None


def read_schedule(path: Path, faults: Mapping[str, Fault], failover_s: float, time_limit_s: float, nodes: Sequence[str]) -> list[Line]:
    """Lines of a schedule file. UsageError names file, line and key."""
    try:
        data = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", way_out="give the path of a schedule.toml") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}", way_out="mend the line named") from error
    lines = data.get("line")
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise UsageError(f"{path} has no [[line]]", way_out='write one [[line]] per fault, with at = "5s", fault = "partition", ...')
    return [_line(line, f"{path}, line {number}", faults, failover_s, time_limit_s, nodes) for number, line in enumerate(lines, 1)]


def _line(
    raw: Mapping[str, Any], where: str, faults: Mapping[str, Fault], failover_s: float, time_limit_s: float, nodes: Sequence[str]
) -> Line:
    name = str(raw.get("fault", ""))
    if name not in faults:
        raise UsageError(f"{where}: no fault is called {name!r}", way_out=f"there are: {', '.join(sorted(faults))}")
    fault = faults[name]
    given = {key: value for key, value in raw.items() if key not in FRAME}
    unknown = sorted(set(given) - set(fault.params))
    if unknown:
        there = ", ".join((*FRAME, *fault.params))
        raise UsageError(f"{where}: {name} has no parameter {unknown[0]!r}", way_out=f"a line of {name} may have: {there}")
    target = raw.get("target", "" if "shape" in given else "one")
    targets_spec.check(target, nodes, where)
    lasts = seconds(raw["for"], failover_s, f"{where}: for") if "for" in raw else None
    return Line(name, _moments(raw, where, failover_s, time_limit_s), target, parameters(fault, given, where, failover_s), lasts)


def _moments(raw: Mapping[str, Any], where: str, failover_s: float, time_limit_s: float) -> tuple[float, ...]:
    asked = [key for key in ("at", "every", "when") if key in raw]
    if "when" in raw:
        raise UsageError(f"{where}: `when` is not there yet", way_out='use at = "5s" or every = "10s" with target = "primary"')
    if len(asked) != 1:
        raise UsageError(f"{where}: it has {' and '.join(asked) or 'no time'}", way_out='give one of at = "5s" or every = "10s"')
    if "at" in raw:
        return (seconds(raw["at"], failover_s, f"{where}: at"),)
    every = seconds(raw["every"], failover_s, f"{where}: every")
    start = seconds(raw.get("from", 0), failover_s, f"{where}: from")
    until = min(time_limit_s, seconds(raw.get("until", time_limit_s), failover_s, f"{where}: until"))
    if every <= 0 or (until - start) / every > MAX_REPEATS:
        raise UsageError(f"{where}: every = {raw['every']!r} is too often", way_out='write every = "1s" or more')
    return tuple(start + every * i for i in range(max(0, int((until - start) / every + 1e-9) + 1)) if start + every * i < until)


def parameters(fault: Fault, given: Mapping[str, Any], where: str, failover_s: float) -> dict[str, Any]:
    """A fault's parameters with its defaults; times in seconds. UsageError for a value that it does not know."""
    merged = {**fault.params, **given}
    for key, choices in getattr(fault, "choices", {}).items():
        if merged[key] not in choices:
            raise UsageError(f"{where}: {key} = {merged[key]!r} is unknown to {fault.name}", way_out=f"there are: {', '.join(choices)}")
    for key in getattr(fault, "times", ()):
        merged[key] = seconds(merged[key], failover_s, f"{where}: {key}", signed=True)
    if "pairs" in merged and not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in merged["pairs"]):
        raise UsageError(f"{where}: pairs = {merged['pairs']!r} are not pairs", way_out='pairs = [["n1", "n2"], ["n2", "n1"]]')
    for key, default in fault.params.items():
        if isinstance(default, int | float) and not isinstance(merged[key], int | float):
            raise UsageError(f"{where}: {key} = {merged[key]!r} is not a number", way_out=f"{key} = {default}")
    return merged
