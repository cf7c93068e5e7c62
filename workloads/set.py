"""Set: unique elements added on all nodes, and every node read at the end.

Ops        add n; read null -> [n, ..]
Values     ints from 0, each added once in the whole run
Load       adds; with reads=0.02 two of a hundred ops read the whole set meanwhile (a read grows with the set: keep them rare)
Final      the set is read on every node, each until it answers
Judged by  set-full: an acknowledged element that a node's final read misses is lost, whatever other nodes return
Needs      Set
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.capabilities import Set
from harness.checker import CheckerSpec, Require
from harness.generators import PENDING, Context, Dice, Generator
from harness.op import INVOKE, OK, Op
from harness.options import Option
from harness.workload import Completion, Workload, WorkloadContext
from workloads.final_reads import insist, on_every_node


class SetWorkload(Workload):
    """A grow-only set."""

    name: ClassVar[str] = "set"
    title: ClassVar[str] = "a grow-only set: unique adds, final reads on every node; nothing acknowledged is lost"
    options: ClassVar[Mapping[str, Option]] = {
        "reads": Option(0.0, "share of ops that read the whole set during the run, such as 0.02"),
    }
    read_only: ClassVar[frozenset[str]] = frozenset({"read"})
    model: ClassVar[str] = "linearizable"

    def __init__(self, context: WorkloadContext) -> None:
        super().__init__(context)
        self.set_name = f"{context.prefix}set"
        self.reads = float(context.options.get("reads", 0.0))

    @classmethod
    def needs(cls, options: Mapping[str, Any]) -> type:
        """Set."""
        return Set

    def load(self) -> Any:
        """Adds of 0, 1, 2, .. with reads between them, for ever."""
        return _Adds(self.context.seed, self.reads)

    def final(self) -> Any:
        """A read on every node, insisted on."""
        return on_every_node(self.context.nodes, self.context.concurrency, lambda node: [insist({"f": "read", "node": node})])

    def apply(self, client: Any, op: Op) -> Any:
        """One call of the capability."""
        if op.f == "add":
            return client.add(self.set_name, op.value, ext=op.ext)
        return client.elements(self.set_name, ext=op.ext)

    def complete(self, op: Op, answer: Any) -> Completion:
        """A read's elements as they came: duplicates are findings."""
        return Completion(OK, list(answer) if op.f == "read" else op.value)

    def judges(self) -> list[CheckerSpec]:
        """Lost, stale, never read, duplicated, out of nowhere."""
        return [CheckerSpec("set-full")]

    def requires(self) -> list[Require]:
        """Adds under load; a final read on every node."""
        return [Require("add"), Require("read", where="final")]


class _Adds(Generator):
    """Adds of growing ints, a read instead now and then."""

    __slots__ = ("added", "n", "reads", "seed")

    def __init__(self, seed: int, reads: float, n: int = 0, added: int = 0) -> None:
        self.seed, self.reads, self.n, self.added = seed, reads, n, added

    def op(self, ctx: Context) -> tuple[Any, Any]:
        if not ctx.free:
            return PENDING, self
        process = ctx.process_of[ctx.free[0]]
        if self.reads and Dice(self.seed, self.n).random() < self.reads:
            return Op(-1, ctx.time, process, INVOKE, "read"), _Adds(self.seed, self.reads, self.n + 1, self.added)
        return Op(-1, ctx.time, process, INVOKE, "add", self.added), _Adds(self.seed, self.reads, self.n + 1, self.added + 1)
