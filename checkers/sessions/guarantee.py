"""What breaks a session guarantee: the circle of versions on one key.

Why it exists  the four guarantees are judged, told and proved again in the same way.
Relies on      versions.py for what an edge means.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from checkers.sessions.versions import Edge


class Broken(NamedTuple):
    """guarantee: its name; process: whose reads they are (None: all together); circle: edges, each ending where the next begins."""

    guarantee: str
    process: Any
    key: Any
    circle: list[Edge]
