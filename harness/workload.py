"""A workload: ops to generate, the capability they need, which checkers judge them, the final phase.

Why it exists  one workload judges every target that has its capability; it knows ops and values, never nodes, errors or time.
Relies on      generators (harness.generators) for what and when; the interpreter for fail and info.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from harness.checker import CheckerSpec, Require
from harness.op import OK, Op
from harness.options import Option


class WorkloadContext(NamedTuple):
    """What a workload may know: node names, client threads, its options, and a prefix unique to the run for every key it makes."""

    nodes: Sequence[str]
    concurrency: int
    prefix: str
    options: Mapping[str, Any]
    consistency: str
    seed: int


class Completion(NamedTuple):
    """How an op ends when the client returned: type ok | fail | info, the completed value, error and ext."""

    type: str = OK
    value: Any = None
    error: Any = None
    ext: Any = None


class Workload:
    """Base of all workloads.

    name       registered name
    title      one line for `splitbrain list`
    needs      the capability protocol (harness.capabilities) that a target's client must have; may depend on options
    read_only  f's that change nothing: on a timeout they fail, and retire no process
    model      strongest consistency model it can judge, the default of --consistency
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    options: ClassVar[Mapping[str, Option]] = {}
    read_only: ClassVar[frozenset[str]] = frozenset()
    model: ClassVar[str] = "linearizable"

    def __init__(self, context: WorkloadContext) -> None:
        self.context = context

    @classmethod
    def needs(cls, options: Mapping[str, Any]) -> type:
        """The capability that a target's client must have."""
        raise LookupError(cls.name)

    def load(self) -> Any:
        """The generator of the whole run's load, endless; one value carries all state, so values stay unique over all phases."""
        raise LookupError(self.name)

    def final(self) -> Any:
        """The generator of the final phase (after heal and settle), or None."""
        return None

    def apply(self, client: Any, op: Op) -> Any:
        """Call the capability; what it returns (or its awaitable) goes to `complete`."""
        raise LookupError(self.name)

    def complete(self, op: Op, answer: Any) -> Completion:
        """Make the completion of an op whose call returned `answer`."""
        return Completion(OK, op.value)

    def judges(self) -> list[CheckerSpec]:
        """The checkers that judge its histories, by name with JSON options."""
        raise LookupError(self.name)

    def requires(self) -> list[Require]:
        """Per f, how often it must have succeeded, or the verdict is unknown."""
        raise LookupError(self.name)
