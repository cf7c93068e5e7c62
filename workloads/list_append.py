"""List-append: transactions that read lists and append unique elements to them.

Ops        txn [["append", k, e], ["r", k, null -> [e, ..]], ..]
Values     elements count from 1 within each key, so each is appended once; a read shows the order of all appends before it
Load       1 to 4 micro-ops over 10 live keys, key i half as often as key i - 1; a key that has 32 appends makes way for a new one
Final      every key is read on every node
Judged by  list-append: strict serializability and everything below, in Elle's manner
Needs      Transactions
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from harness.capabilities import Transactions
from harness.checker import CheckerSpec, Require
from harness.generators import PENDING, Context, Dice, Generator
from harness.op import INVOKE, OK, Op
from harness.options import Option
from harness.workload import Completion, Workload, WorkloadContext
from workloads.final_reads import insist, on_every_node

FINAL_KEYS, KEYS_A_READ = 2000, 20  # the latest keys are enough when a run made more


class ListAppendWorkload(Workload):
    """Transactions over lists."""

    name: ClassVar[str] = "list-append"
    title: ClassVar[str] = "transactions that read and append to lists; strict-serializable"
    options: ClassVar[Mapping[str, Option]] = {
        "keys": Option(10, "live keys at a time"),
        "max_txn_length": Option(4, "micro-ops of a transaction, at most"),
        "max_writes_per_key": Option(32, "appends to a key before another takes its place"),
    }
    model: ClassVar[str] = "strict-serializable"

    def __init__(self, context: WorkloadContext) -> None:
        super().__init__(context)
        options = context.options
        self.keys = max(1, int(options.get("keys", 10)))
        self.longest = max(1, int(options.get("max_txn_length", 4)))
        self.most_writes = max(1, int(options.get("max_writes_per_key", 32)))
        self.used: dict[str, None] = {}  # keys in order of first use

    @classmethod
    def needs(cls, options: Mapping[str, Any]) -> type:
        """Transactions of micro-ops."""
        return Transactions

    def load(self) -> Any:
        """Transactions, for ever."""
        live = tuple((number, 0) for number in range(self.keys))
        return _Txns(_Shape(self.context.seed, self.context.prefix, self.longest, self.most_writes), live, self.keys)

    def final(self) -> Any:
        """Every key that was used, read in transactions of several reads on every node."""
        latest = list(self.used)[-FINAL_KEYS:]
        groups = [latest[i : i + KEYS_A_READ] for i in range(0, len(latest), KEYS_A_READ)]

        def reads(node: str) -> list[Generator]:
            return [insist({"f": "txn", "value": [["r", key, None] for key in group], "node": node}, tries=5) for group in groups]

        return on_every_node(self.context.nodes, self.context.concurrency, reads) if groups else None

    def apply(self, client: Any, op: Op) -> Any:
        """One call of the capability."""
        for _, key, _ in op.value:
            if key not in self.used:
                self.used[key] = None
        return client.txn(op.value, ext=op.ext)

    def complete(self, op: Op, answer: Any) -> Completion:
        """The transaction as the client completed it."""
        return Completion(OK, [list(mop) for mop in answer])

    def judges(self) -> list[CheckerSpec]:
        """Cycles and phenomena of lists."""
        return [CheckerSpec("list-append")]

    def requires(self) -> list[Require]:
        """Transactions that committed."""
        return [Require("txn")]


class _Shape:
    """What stays the same for all transactions of a run."""

    __slots__ = ("longest", "most_writes", "prefix", "seed")

    def __init__(self, seed: int, prefix: str, longest: int, most_writes: int) -> None:
        self.seed, self.prefix, self.longest, self.most_writes = seed, prefix, longest, most_writes


class _Txns(Generator):
    """Transactions over live keys: (number, appends so far) in order of frequency; `fresh` is the next unused number."""

    __slots__ = ("fresh", "live", "n", "shape")

    def __init__(self, shape: _Shape, live: Sequence[tuple[int, int]], fresh: int, n: int = 0) -> None:
        self.shape, self.live, self.fresh, self.n = shape, live, fresh, n

    def op(self, ctx: Context) -> tuple[Any, Any]:
        if not ctx.free:
            return PENDING, self
        shape, live, fresh = self.shape, list(self.live), self.fresh
        dice = Dice(shape.seed, self.n)
        mops: list[list[Any]] = []
        for _ in range(1 + dice.below(shape.longest)):
            at = _halving(dice, len(live))
            number, writes = live[at]
            key = f"{shape.prefix}l{number}"
            if dice.below(2):
                mops.append(["r", key, None])
                continue
            mops.append(["append", key, writes + 1])
            if writes + 1 < shape.most_writes:
                live[at] = (number, writes + 1)
            else:
                live[at], fresh = (fresh, 0), fresh + 1
        return Op(-1, ctx.time, ctx.process_of[ctx.free[0]], INVOKE, "txn", mops), _Txns(shape, tuple(live), fresh, self.n + 1)


def _halving(dice: Dice, n: int) -> int:
    """0 in half of the draws, 1 in a quarter, and so on up to n - 1."""
    bits = dice.bits()
    at = (bits & -bits).bit_length() - 1 if bits else 63  # trailing zeros
    return at % n
