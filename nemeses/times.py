"""Times in schedules: "500ms", "5s", "2m", "1.5T" (T: the system's failover time), or a number of seconds.

Why it exists  what breaks a system depends on its own timeouts, so lengths may be given in T; everything else must say its unit.
Relies on      T being a plan value: the target's, or -o T=.
"""

from __future__ import annotations

import re
from typing import Any

from harness.errors import UsageError

_TIME = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(ms|s|m|T)\s*")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def seconds(value: Any, failover_s: float, what: str, signed: bool = False) -> float:
    """A time as seconds. UsageError naming `what`."""
    found = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = float(value)
    elif isinstance(value, str) and (match := _TIME.fullmatch(value)):
        found = float(match[1]) * (failover_s if match[2] == "T" else _UNITS[match[2]])
    if found is None or (found < 0 and not signed):
        raise UsageError(f"{what} = {value!r} is not a time", way_out='write "500ms", "5s", "2m" or "1.5T" (T: the failover time)')
    return found


def text(value_s: float) -> str:
    """Seconds as a schedule writes them, to the millisecond."""
    return f"{round(value_s * 1000)}ms" if round(value_s * 1000) % 1000 else f"{round(value_s)}s"
