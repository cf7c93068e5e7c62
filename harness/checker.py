"""The checker protocol: a pure function from a history to a verdict.

Why it exists  workloads name the checkers that judge them, stored runs name them again; both meet here.
Relies on      no I/O, no clock, no cluster in a checker: the same history always gets the same verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import msgspec

from harness.history.history import History
from harness.verdict import Verdict


class CheckerSpec(msgspec.Struct):
    """A checker by name with its options: what a stored plan needs to judge again. Options are JSON."""

    name: str
    options: dict[str, Any] = {}


class Model(msgspec.Struct):
    """What a name of `--as` means: the consistency model judged by default, and which checkers judge it.

    by_sessions  the model judged by default where only the order within each session is known; "": the same
    of_sessions  the checkers of such a history; none: the same
    """

    consistency: str
    checkers: list[CheckerSpec]
    by_sessions: str = ""
    of_sessions: list[CheckerSpec] = []

    def specs(self, by_sessions: bool, expected: str) -> list[CheckerSpec]:
        """The checkers of a history. Where there are several, a class may have `decides(expected) -> bool`: those that say no are left out,
        unless all do."""
        from harness.registry import find

        specs = self.of_sessions if by_sessions and self.of_sessions else self.checkers
        deciding = [spec for spec in specs if getattr(find("checkers", spec.name), "decides", lambda _: True)(expected)]
        return (deciding or specs) if len(specs) > 1 else specs


class Phase(msgspec.Struct):
    """A phase of a run by times (ns since the run's start); `name`: healthy | fault | heal | settle | final."""

    name: str
    start: int
    end: int


class Require(msgspec.Struct):
    """How often an `f` must have succeeded, or the verdict is unknown (DESIGN 8).

    where     "load": min_ok ok ops in the fault phase and as many outside it; "final": per_node ok on every node in the final phase
    """

    f: str
    where: str = "load"
    min_ok: int = 20
    per_node: int = 1


class CheckContext(msgspec.Struct):
    """What a checker may know beside the history. Of a bare file all but `expected` is empty.

    expected  consistency model promised (a name of elle_models.tsv)
    nodes     node names of the run
    phases    the run's phases in order
    requires  per-f minimum of successes that the workload declared
    faults    kinds of fault asked for: {"partition": {"possible": True, "why": ""}}
    events    the run's events (events.jsonl), in order
    is_run    False for a file given to `check`
    logs      of a run: node -> file -> lines, each file read when it is taken
    """

    expected: str = ""
    nodes: list[str] = []
    phases: list[Phase] = []
    requires: list[Require] = []
    faults: dict[str, dict[str, Any]] = {}
    events: list[dict[str, Any]] = []
    is_run: bool = False
    require_faults: bool = False
    logs: Mapping[str, Mapping[str, Sequence[str]]] = {}


class Checker(Protocol):
    """A checker: built from JSON options, judges a history.

    Class attributes: `name` (stable, key in results.json); where users may set some of the constructor's keywords by `-o name=value`,
    `options`: ClassVar[dict[str, str]], name -> one line of help.
    """

    name: ClassVar[str]

    def __init__(self, **options: Any) -> None: ...

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Judge; may raise: the runner turns that into `unknown` with the reason."""
        ...
