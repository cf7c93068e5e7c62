"""Pairs of checkers that decide the same question and were made apart, and models of which one implies the other.

The tests hold them against each other on some hundred histories, bench/prove_agreement.py on hundreds of thousands.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from checkers.models import table
from harness.checker import CheckContext
from harness.history.history import History
from harness.registry import find
from tests.checkers.histories_agreement import as_transactions, object_history, txn_history

CHAINS = [  # strongest first; each implies the next
    ["strict-serializable", "strong-session-serializable", "serializable", "snapshot-isolation", "consistent-view", "read-committed"],
    ["strict-serializable", "strong-snapshot-isolation", "strong-session-snapshot-isolation", "snapshot-isolation", "read-atomic"],
    ["snapshot-isolation", "causal-cerone", "read-atomic"],
    ["serializable", "repeatable-read", "read-committed", "read-uncommitted"],
]
DECIDED = ("strict-serializable", "serializable", "snapshot-isolation")


class Judge(NamedTuple):
    """A checker with its options under a model; `see` changes the history to what it reads."""

    name: str
    expected: str
    options: dict[str, Any] = {}  # noqa: RUF012
    see: Callable[[History], History] = lambda history: history

    def __call__(self, history: History) -> Any:
        checker = find("checkers", self.name)(**self.options)
        return checker.check(self.see(history), CheckContext(expected=self.expected)).valid


class Pair(NamedTuple):
    """Two that must agree; of what is decided at least a share of `least` is invalid, and as much valid."""

    make: Callable[[random.Random, bool], History]
    one: Judge
    other: Judge
    least: float = 0.2
    decided: float = 0.9


def _made(object_: str, cas: bool = False, crash: float = 0.15) -> Callable[[random.Random, bool], History]:
    return lambda rng, unique: object_history(rng, object_, unique, cas, crash)


PAIRS: dict[str, Pair] = {
    "register, general search": Pair(
        _made("register", cas=True),
        Judge("linearizable-register", "linearizable", {"model": "cas-register"}),
        Judge("linearizable", "linearizable", {"model": "cas-register"}),
    ),
    "crashing register, general search": Pair(
        _made("register", cas=True, crash=0.45),
        Judge("linearizable-register", "linearizable", {"model": "cas-register"}),
        Judge("linearizable", "linearizable", {"model": "cas-register"}),
        least=0.1,
        decided=0.6,
    ),
    "linearizable, strictly serializable": Pair(
        _made("register"),
        Judge("linearizable-register", "linearizable"),
        Judge("rw-register", "strict-serializable", see=as_transactions),
    ),
    "sequential, serializable by session": Pair(
        _made("register"),
        Judge("sequential-register", "sequential"),
        Judge("rw-register", "strong-session-serializable", see=as_transactions),
        least=0.1,
    ),
    **{
        f"{object_}, general search": Pair(
            _made(object_), Judge(object_, "linearizable"), Judge("linearizable", "linearizable", {"model": object_})
        )
        for object_ in ("queue", "stack", "priority-queue")
    },
}


def agree(pair: Pair, unique: bool, seeds: Sequence[int]) -> Counter[Any]:
    """Both decide, and alike. Where nothing was observed, some say valid and others unknown; there are few of these."""
    kinds: Counter[Any] = Counter()
    for seed in seeds:
        history = pair.make(random.Random(seed), unique)
        one, other = pair.one(history), pair.other(history)
        assert one == other or "unknown" in (one, other), (seed, one, other, shown(history))
        kinds["unknown" if "unknown" in (one, other) else one] += 1
    decided = kinds[True] + kinds[False]
    assert decided > pair.decided * len(seeds) and min(kinds[True], kinds[False]) >= pair.least * decided, kinds
    return kinds


def implied(unique: bool, seeds: Sequence[int]) -> Counter[Any]:
    """No model holds whose weaker one is broken, and each is broken whose weaker one is; what must be decided is."""
    kinds: Counter[Any] = Counter()
    for seed in seeds:
        history = txn_history(random.Random(seed), unique)
        models = dict.fromkeys(model for chain in CHAINS for model in chain)
        found = {model: Judge("rw-register", model)(history) for model in models}
        for chain in CHAINS:
            for place, strong in enumerate(chain):
                for weak in chain[place + 1 :]:
                    assert weak in table().implies[strong]
                    assert found[weak] is not False or found[strong] is False, (seed, strong, weak, found, shown(history))
        kinds["unknown" if any(found[model] == "unknown" for model in DECIDED) else found["strict-serializable"]] += 1
    assert kinds["unknown"] <= 0.1 * len(seeds), kinds  # nobody read what others wrote
    assert min(kinds[True], kinds[False]) >= 0.2 * len(seeds), kinds
    return kinds


def shown(history: History) -> list[tuple[Any, ...]]:
    """The ops in short."""
    return [(op.index, op.process, op.type, op.f, op.value) for op in history.ops]
