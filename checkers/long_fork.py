"""Long fork: two reads see two writes in opposite orders.

Decides    whether the reads of a group (the same keys, each key written at most once) form a chain under "sees more". If two reads each see
           a key that the other misses, no single order of the writes explains both.
Right      sorted by how many keys they see, reads form a chain exactly if each is included in its neighbour: one sort and n - 1 inclusions
           decide what a comparison of all pairs would.
Unknown    a group with a key that is written twice, where seeing it orders nothing; no read that succeeded; no read that sees a write.
Rules out  prefix consistency and repeatable read, hence snapshot isolation and all above it; parallel snapshot isolation still holds.
           A value that a failed write or nobody wrote (`G1a`, `garbage-read`) rules read committed out.
Source     Sovran, Power, Aguilera, Li: Transactional storage for geo-replicated systems, SOSP 2011, section 3; Jepsen's long-fork.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from functools import cache, partial
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

from checkers.findings import Findings, broken_by
from checkers.models import weakest
from checkers.transactions.txns import READ, UNSEEN, WRITE, Txn, plain, read_register_txns, show
from harness.checker import CheckContext
from harness.errors import HistoryError, UsageError
from harness.history.history import History
from harness.op import FAIL, OK
from harness.verdict import Anomaly, Verdict

FORK, ABORTED, GARBAGE = "long-fork", "G1a", "garbage-read"


class Read(NamedTuple):
    """A read of a group that succeeded: its transaction, the keys that it asked for, and those that had been written."""

    txn: Txn
    keys: frozenset[Hashable]
    seen: frozenset[Hashable]


class Writes(NamedTuple):
    """Key -> values of writes that may have happened, with their transactions; of writes that failed."""

    by_key: dict[Hashable, list[tuple[Hashable, Txn]]]
    failed: dict[Hashable, list[tuple[Hashable, Txn]]]


class LongFork:
    """Judges `txn`s of register micro-ops: such as write (`["w", k, 1]`), and such as read all keys of a group."""

    name: ClassVar[str] = "long-fork"
    options: ClassVar[dict[str, str]] = {"group": "how many keys a group has (without it, as many as the first read has)"}

    def __init__(self, group: int | None = None) -> None:
        if group is not None and (type(group) is not int or group < 1):
            raise UsageError(f"a group of {group!r} keys", way_out="give it as -o group=2")
        self.group = group

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"reads", "groups", "early": reads that see nothing, "late": that see all, "unknown": groups with a key written twice}.
        counts: neighbours in a group that fork; reads of values that were never written."""
        writes, reads = self._split(read_register_txns(history))
        findings = Findings(context.expected, [GARBAGE, ABORTED, FORK])
        groups: dict[frozenset[Hashable], list[Read]] = {}
        for read in reads:
            _look_at_values(read, writes, findings)
            groups.setdefault(read.keys, []).append(read)
        twice = {key: values for key, values in writes.by_key.items() if len(values) > 1}
        doubtful = [keys for keys in groups if keys & twice.keys()]
        for keys, members in groups.items():
            for less, more in [] if keys & twice.keys() else forks(members):
                findings.add(FORK, _fork_models(), partial(_tell, less, more))
        facts = {
            "reads": len(reads),
            "groups": len(groups),
            "early": sum(not read.seen for read in reads),
            "late": sum(read.seen == read.keys for read in reads),
            "unknown": len(doubtful),
        }
        return findings.verdict(facts, _why_unknown(reads, doubtful, twice))

    def _split(self, txns: Sequence[Txn]) -> tuple[Writes, list[Read]]:
        writes, reads = Writes({}, {}), []
        size = self.group
        for txn in txns:
            kinds = {mop.kind for mop in txn.mops}
            if len(kinds) > 1:
                raise _illegal(txn, "reads and writes; here a transaction does one of both")
            for mop in txn.mops:
                if mop.kind == WRITE:
                    table = writes.failed if txn.outcome == FAIL else writes.by_key
                    table.setdefault(mop.key, []).append((mop.value, txn))
            if kinds != {READ}:
                continue
            keys = frozenset(mop.key for mop in txn.mops)
            size = size or len(keys)
            if len(keys) != size or len(txn.mops) != size:
                raise _illegal(txn, f"reads {len(txn.mops)} keys; a group has {size} of them, and a read asks for each once")
            if txn.outcome == OK:
                reads.append(Read(txn, keys, frozenset(mop.key for mop in txn.mops if mop.value not in (None, UNSEEN))))
        return writes, reads


def _illegal(txn: Txn, what: str) -> HistoryError:
    way_out = "write transactions write keys, read transactions read one group of keys; -o group=N says how many"
    return HistoryError(f"op {txn.call}: the transaction {what}", way_out=way_out)


def forks(reads: Iterable[Read]) -> list[tuple[Read, Read]]:
    """Neighbours, in order of how much they see, of which each sees a key that the other misses; none if the reads form a chain."""
    ordered = sorted(reads, key=lambda read: (len(read.seen), read.txn.call))  # by call: same input, same witness
    return [(less, more) for less, more in pairwise(ordered) if not less.seen <= more.seen]


@cache
def _fork_models() -> tuple[str, ...]:
    """A cycle of two anti-dependencies that are not adjacent, through single keys; and a set of prefixes forms a chain."""
    return tuple(weakest([*broken_by("G-nonadjacent-item"), "prefix"]))


def _look_at_values(read: Read, writes: Writes, findings: Findings) -> None:
    for mop in read.txn.mops:
        if mop.value is None or any(value == mop.value for value, _ in writes.by_key.get(mop.key, ())):
            continue
        failed = next((txn for value, txn in writes.failed.get(mop.key, ()) if value == mop.value), None)
        type_ = GARBAGE if failed is None else ABORTED
        findings.add(type_, broken_by(type_), partial(_tell_value, type_, read, mop.key, mop.value, failed))


def _why_unknown(reads: Sequence[Read], doubtful: Sequence[Any], twice: dict[Hashable, list[tuple[Hashable, Txn]]]) -> str:
    if not reads:
        return "no read of a group succeeded"
    if doubtful:
        key, [(_, first), (_, second), *_] = next((key, values) for key, values in twice.items() if any(key in keys for keys in doubtful))
        return f"{show(key)} is written twice (#{first.call}, #{second.call}): seeing it orders nothing"
    return "" if any(read.seen for read in reads) else "no read saw a write, so nothing was observed"


def _tell(less: Read, more: Read) -> Anomaly:
    only, other = _first(less.seen - more.seen), _first(more.seen - less.seen)
    message = (
        f"read #{less.txn.call} sees {show(only)} written and {show(other)} not; read #{more.txn.call} sees {show(other)} written and "
        f"{show(only)} not: no single order of the two writes explains both"
    )
    witness = {"reads": [less.txn.call, more.txn.call], "keys": [plain(only), plain(other)]}
    return Anomaly(FORK, message, sorted(less.txn.ops + more.txn.ops), witness=witness)


def _first(keys: Iterable[Hashable]) -> Hashable:
    return min(keys, key=lambda key: (type(key).__name__, show(key)))


def _tell_value(type_: str, read: Read, key: Hashable, value: Hashable, failed: Txn | None) -> Anomaly:
    why = "nobody tried to write that" if failed is None else f"the write of that (#{failed.call}) failed"
    message = f"read #{read.txn.call} found {show(value)} in {show(key)}, but {why}"
    ops = sorted(read.txn.ops + (failed.ops if failed is not None else []))
    return Anomaly(type_, message, ops, key=plain(key), witness={"reads": [read.txn.call], "value": plain(value)})


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted reads stand in the history and each sees what the other misses; or if no write gave the value that was read."""
    txns = {txn.call: txn for txn in read_register_txns(history)}
    reads = [{show(mop.key) + type(mop.key).__name__: mop.value for mop in txns[call].mops} for call in anomaly.witness["reads"]]
    if not all(txns[call].outcome == OK for call in anomaly.witness["reads"]):
        return False
    if anomaly.type == FORK:
        only, other = (show_key(key) for key in anomaly.witness["keys"])
        less, more = reads
        return less[only] is not None and less[other] is None and more[only] is None and more[other] is not None
    key = show_key(anomaly.key)
    written = {
        txn.outcome == FAIL
        for txn in txns.values()
        for mop in txn.mops
        if mop.kind == WRITE and show_key(plain(mop.key)) == key and mop.value == reads[0][key]
    }
    return reads[0][key] is not None and written == ({True} if anomaly.type == ABORTED else set())


def show_key(key: Any) -> str:
    """A key by its JSON and type, as a name that two keys share only if they are the same."""
    from checkers.transactions.txns import ident

    return show(ident(key)) + type(ident(key)).__name__
