"""Register: many short-lived keys, each written by some threads and read on every node at the same time.

Ops        read {"key", "value": null -> v}, write {"key", "value": v}; with cas=true also cas {"key", "value": [old, new]}
Values     unique within a key and growing from 1: so every read names the one write that it saw, and staleness is decidable fast
Load       groups of about two threads a node work on a key each: one half reads, the other writes, so that each node is read while the
           key is written; after 25 to 50 ops (every eighth key: eight times as many) or 14 crashes the group takes the next key
Final      the latest keys are read on every node
Judged by  linearizable-register, per key
Needs      Register (with cas=true: CasRegister)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from harness.capabilities import CasRegister, Register
from harness.checker import CheckerSpec, Require
from harness.generators import PENDING, Context, Dice, Generator, concurrent_keys, on_threads
from harness.op import FAIL, INFO, INVOKE, OK, Op
from harness.options import Option
from harness.workload import Completion, Workload, WorkloadContext
from workloads.final_reads import insist, on_every_node

REMEMBERED = 3  # a cas expects one of the last few values: older ones are hardly ever current
CAS_OF_THREE = 2  # of three changes two are cas, as in the field's own register test
CRASHES = 14  # each crashed op stays open for ever, and a search's cost may double with each: the key ends before
LONG_EVERY, LONG_TIMES = 8, 8  # a key that lives for seconds sees a fault begin or end
FINAL_KEYS = 100


class RegisterWorkload(Workload):
    """Keyed registers under reads and writes on all nodes."""

    name: ClassVar[str] = "register"
    title: ClassVar[str] = "keyed registers: reads on every node while each key is written; linearizable"
    options: ClassVar[Mapping[str, Option]] = {
        "cas": Option(False, "compare-and-set too, two of three changes"),
        "ops_per_key": Option(50, "ops on a key before its threads take the next one (each key draws from half as many up)"),
    }
    read_only: ClassVar[frozenset[str]] = frozenset({"read"})
    model: ClassVar[str] = "linearizable"

    def __init__(self, context: WorkloadContext) -> None:
        super().__init__(context)
        self.cas = bool(context.options.get("cas", False))
        self.ops_per_key = max(2, int(context.options.get("ops_per_key", 50)))
        self.group = group_size(len(context.nodes), context.concurrency)
        self.used: dict[str, None] = {}  # keys in order of first use

    @classmethod
    def needs(cls, options: Mapping[str, Any]) -> type:
        """Register; with cas=true CasRegister."""
        return CasRegister if options.get("cas") else Register

    def load(self) -> Any:
        """Groups of threads with a key each, for ever. Threads that no whole group is left for stay idle (fewer than a group)."""
        busy = self.context.concurrency // self.group * self.group
        keyed = concurrent_keys(self.group, self._key, self._of_key)
        return keyed if busy == self.context.concurrency else on_threads(lambda t: isinstance(t, int) and t < busy, keyed)

    def _key(self, number: int) -> str:
        return f"{self.context.prefix}r{number}"

    def _of_key(self, key: str) -> Generator:
        number = int(key[len(self._key(0)) - 1 :])
        seed = self.context.seed * 1_000_003 + number
        most = self.ops_per_key * (LONG_TIMES if number % LONG_EVERY == LONG_EVERY - 1 else 1)
        ops = most - Dice(seed).below(max(1, most // 2))  # unlike lengths: keys do not change in lock-step
        return _KeyLoad(_KeyRules(seed, self.cas, self.group, self.group // 2, tuple(self.context.nodes)), ops)

    def final(self) -> Any:
        """The latest keys on every node, in order of use."""
        latest = list(self.used)[-FINAL_KEYS:]

        def reads(node: str) -> list[Generator]:
            return [insist({"f": "read", "value": {"key": key, "value": None}, "node": node}, tries=3) for key in latest]

        return on_every_node(self.context.nodes, self.context.concurrency, reads) if latest else None

    def apply(self, client: Any, op: Op) -> Any:
        """One call of the capability."""
        key, value = op.value["key"], op.value["value"]
        if key not in self.used:
            self.used[key] = None
        if op.f == "read":
            return client.read(key, ext=op.ext)
        if op.f == "write":
            return client.write(key, value, ext=op.ext)
        return client.cas(key, value[0], value[1], ext=op.ext)

    def complete(self, op: Op, answer: Any) -> Completion:
        """A read's value; a cas that found another value is `fail`."""
        if op.f == "read":
            return Completion(OK, {"key": op.value["key"], "value": answer})
        if op.f == "cas" and not answer:
            return Completion(FAIL, op.value, "the old value differed")
        return Completion(OK, op.value)

    def judges(self) -> list[CheckerSpec]:
        """Linearizability, key by key."""
        return [CheckerSpec("linearizable-register", {"model": "cas-register" if self.cas else "register"})]

    def requires(self) -> list[Require]:
        """Reads and writes must have succeeded; a cas may fail for good reasons."""
        return [Require("read"), Require("write")]


def group_size(nodes: int, concurrency: int) -> int:
    """Threads a key: about two a node, so that as few threads as possible are left over; no more than there are."""
    sizes = range(min(concurrency, max(2, nodes)), min(concurrency, 3 * nodes) + 1) or range(concurrency, concurrency + 1)
    return min(sizes, key=lambda size: (concurrency % size, abs(size - 2 * nodes), size))


class _KeyRules(NamedTuple):
    """What a key keeps: of each `group` threads the first `readers` read, the others write; a lone thread does both in turn."""

    seed: int
    cas: bool
    group: int
    readers: int
    nodes: tuple[str, ...]


class _KeyLoad(Generator):
    """One key's ops. In one piece, for speed: limit, process_limit and reserve around plain generators take three times as long."""

    __slots__ = ("crashed", "left", "reads", "recent", "rules", "written")

    def __init__(
        self, rules: _KeyRules, left: int, written: int = 0, reads: int = 0, crashed: int = 0, recent: tuple[int, ...] = ()
    ) -> None:
        self.rules, self.left, self.written, self.reads, self.crashed, self.recent = rules, left, written, reads, crashed, recent

    def op(self, ctx: Context) -> tuple[Any, Any]:
        if not self.left or self.crashed >= CRASHES:
            return None, None
        if not ctx.free:
            return PENDING, self
        rules, thread = self.rules, ctx.free[0]
        assert isinstance(thread, int)
        process = ctx.process_of[thread]
        reading = thread % rules.group < rules.readers if rules.readers else self.written > self.reads
        if not reading:
            f, value = self._change()
            op = Op(-1, ctx.time, process, INVOKE, f, value)
            return op, _KeyLoad(rules, self.left - 1, self.written + 1, self.reads, self.crashed, self.recent)
        # readers of a whole group sit on different nodes; fewer than the nodes go from one to the next
        node = None if rules.readers >= len(rules.nodes) else rules.nodes[self.reads % len(rules.nodes)]
        op = Op(-1, ctx.time, process, INVOKE, "read", None, None, node)
        return op, _KeyLoad(rules, self.left - 1, self.written, self.reads + 1, self.crashed, self.recent)

    def _change(self) -> tuple[str, Any]:
        """A write of the next value, or a cas to it from one of the last values that a change left there."""
        value = self.written + 1
        if self.rules.cas and self.recent:
            dice = Dice(self.rules.seed, value)
            if dice.below(3) < CAS_OF_THREE:
                return "cas", [dice.choice(self.recent), value]
        return "write", value

    def update(self, ctx: Context, event: Op) -> Generator:
        if event.type == INFO:
            return _KeyLoad(self.rules, self.left, self.written, self.reads, self.crashed + 1, self.recent)
        if self.rules.cas and event.type == OK and event.f != "read":
            left = event.value[1] if event.f == "cas" else event.value
            return _KeyLoad(self.rules, self.left, self.written, self.reads, self.crashed, (*self.recent, left)[-REMEMBERED:])
        return self
