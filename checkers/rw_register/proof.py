"""Proving a witness again from the ops that it quotes, by the definitions alone.

Why it exists  whatever found an anomaly, this small function must agree that what its witness says is there, edge by edge.
Relies on      nothing that finds anomalies: it reads the history's ops itself, and looks everything up naively. Witnesses of the complete
               searches (complete.py) are proved by their own verifiers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from checkers.serial.proof import verify_witness as of_orders
from checkers.transactions.proof import cycle_type, one_cycle, same
from checkers.weak_isolation.witness import verify_witness as of_levels
from harness.history.history import History
from harness.verdict import Anomaly


class _Txn(NamedTuple):
    call: int
    ret: int | None
    outcome: str
    process: int | str
    mops: list[Any]

    def writes(self, key: Any) -> list[Any]:
        return [value for f, k, value in self.mops if f == "w" and same(k, key)]

    def reads(self, key: Any) -> list[Any]:
        """Values read; a null of a transaction without a known outcome says nothing."""
        found = [value for f, k, value in self.mops if f == "r" and same(k, key)]
        return [value for value in found if self.outcome == "ok" or (self.outcome == "info" and value is not None)]

    def first(self, key: Any) -> tuple[str, Any] | None:
        """The first micro-op on a key."""
        return next(((f, value) for f, k, value in self.mops if same(k, key)), None)

    def has_read(self, key: Any, value: Any) -> bool:
        return any(same(value, other) for other in self.reads(key))

    def made(self, key: Any, value: Any) -> bool:
        """The value is its version of the key."""
        return bool(self.writes(key)) and same(self.writes(key)[-1], value)

    def read_first(self, key: Any, value: Any) -> bool:
        return self.first(key) is not None and self.first(key)[0] == "r" and same(self.first(key)[1], value)  # type: ignore[index]


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted ops stand in the history and prove the anomaly. Cost: O(size of the history) an edge.

    An edge "by" an assumed source (wfr-keys, sequential-keys, linearizable-keys) is proved under that assumption.
    """
    if "edges" not in anomaly.witness:
        return of_orders(history, anomaly)
    if anomaly.type.startswith("causality-violation"):
        return of_levels(history, anomaly)
    everyone = list(_txns(history))
    txns = {txn.call: txn for txn in everyone}
    named = {quoted["name"]: txns.get(quoted["ops"][0]) for quoted in anomaly.witness["txns"]}
    cast = {name: txn for name, txn in named.items() if txn is not None}
    if len(cast) < len(named) or not all(_quoted(cast[quoted["name"]], quoted) for quoted in anomaly.witness["txns"]):
        return False
    if anomaly.type == "cyclic-versions":
        return _cyclic(anomaly.witness["key"], anomaly.witness["claims"], txns)
    edges = anomaly.witness["edges"]
    if not edges:
        return _phenomenon(anomaly, list(cast.values()), everyone)
    if not one_cycle(edges) or not all(_edge(edge, cast, txns, everyone) for edge in edges):
        return False
    kinds = [edge["kind"] for edge in edges]
    if anomaly.type == "fractured-read":
        over_null = sorted(kinds) == ["rw", "wr"] and all(edge.get("by") in (None, "initial") for edge in edges)
        return over_null or ("demand" in kinds and set(kinds) <= {"wr", "ww", "demand"})
    return "demand" not in kinds and cycle_type(edges) == anomaly.type


def _quoted(txn: _Txn, quoted: dict[str, Any]) -> bool:
    return same([list(mop) for mop in txn.mops], quoted["value"]) and txn.outcome == quoted["outcome"]


def _txns(history: History) -> Iterator[_Txn]:
    for invoke, done in history.calls():
        outcome = "info" if done is None else done.type
        seen = done is not None and (outcome == "ok" or (outcome == "info" and isinstance(done.value, list)))
        mops = [list(mop) for mop in (done.value if done is not None and seen else invoke.value)]
        for mop in mops:
            if mop[0] == "r" and not seen:
                mop[2] = None
        yield _Txn(invoke.index, None if done is None or outcome == "info" else done.index, outcome, invoke.process, mops)


def _committed(txn: _Txn, everyone: list[_Txn]) -> bool:
    """Acknowledged; or of unknown outcome, and a committed transaction read a value of it."""
    known = [other for other in everyone if other.outcome == "ok"]
    while txn not in known:
        more = [
            other
            for other in everyone
            if other.outcome == "info"
            and other not in known
            and any(f == "w" and reader.has_read(key, value) for f, key, value in other.mops for reader in known if reader is not other)
        ]
        if not more:
            return False
        known += more
    return True


def _edge(edge: dict[str, Any], cast: dict[str, _Txn], txns: dict[int, _Txn], everyone: list[_Txn]) -> bool:
    first, second = cast[edge["from"]], cast[edge["to"]]
    key, value = edge["key"], edge["value"]
    if not (_committed(first, everyone) and _committed(second, everyone)):
        return False
    if edge["kind"] in ("process", "realtime"):
        return _ordered(edge["kind"], first, second)
    if edge["kind"] == "wr":
        return any(same(value, written) for written in first.writes(key)) and second.has_read(key, value)
    if edge["kind"] == "demand":
        through = cast[edge["through"]]
        seen, shown = edge["seen"], edge["shown"]
        saw = any(same(shown, written) for written in first.writes(seen)) and through.has_read(seen, shown)
        held = any(same(value, written) for written in second.writes(key)) and through.has_read(key, value)
        return saw and held and bool(first.writes(key)) and first is not second and _committed(through, everyone)
    if not second.made(key, value) or not _claim(edge.get("by", ""), key, edge.get("before"), value, edge.get("shown"), txns, everyone):
        return False
    if edge["kind"] == "rw":
        return first.has_read(key, edge.get("before"))
    return edge["kind"] == "ww" and edge["by"] not in ("initial", "read-before-write") and first.made(key, edge.get("before"))


def _ordered(kind: str, first: _Txn, second: _Txn) -> bool:
    mine = first.process == second.process
    return mine == (kind == "process") and first.outcome == "ok" and first.ret is not None and first.ret < second.call


def _claim(by: str, key: Any, before: Any, after: Any, shown: list[int] | None, txns: dict[int, _Txn], everyone: list[_Txn]) -> bool:
    """The source says that `before` came before `after`."""
    if by == "initial":
        return before is None and after is not None
    if shown is None or shown[0] not in txns or shown[1] not in txns:
        return False
    first, second = txns[shown[0]], txns[shown[1]]
    if not (_committed(first, everyone) and _committed(second, everyone)) or same(before, after):
        return False
    if by in ("read-before-write", "wfr-keys"):
        return first is second and first.read_first(key, before) and first.made(key, after)
    if by in ("process", "realtime"):
        return _ordered(by, first, second) and first.made(key, before) and second.made(key, after)
    if by in ("sequential-keys", "linearizable-keys") and first is second:
        return first.read_first(key, before) and first.made(key, after)
    if by == "sequential-keys" and not _ordered("process", first, second):
        return False
    if by == "linearizable-keys" and (first.outcome != "ok" or first.ret is None or first.ret >= second.call):
        return False
    left = first.made(key, before) if first.writes(key) else first.read_first(key, before)
    entry = second.first(key)
    right = second.read_first(key, after) if entry is not None and entry[0] == "r" and second.reads(key) else second.made(key, after)
    return by in ("sequential-keys", "linearizable-keys") and left and right


def _cyclic(key: Any, claims: list[dict[str, Any]], txns: dict[int, _Txn]) -> bool:
    everyone = list(txns.values())
    if not all(_claim(c["by"], key, c["before"], c["after"], c["shown"], txns, everyone) for c in claims):
        return False
    if len(claims) == 1:
        return claims[0]["after"] is None
    return all(same(claim["after"], following["before"]) for claim, following in zip(claims, [*claims[1:], claims[0]], strict=True))


def _phenomenon(anomaly: Anomaly, cast: list[_Txn], everyone: list[_Txn]) -> bool:
    key, value = anomaly.witness["key"], anomaly.witness["value"]
    first, last = cast[0], cast[-1]
    if not _committed(last, everyone):
        return False
    read = last.has_read(key, value)
    tried = any(same(value, written) for written in first.writes(key))
    if anomaly.type == "internal":
        return _contradicts_itself(first, key)
    if anomaly.type == "future-read":
        at = [i for i, (f, k, v) in enumerate(first.mops) if f == "r" and same(k, key) and same(v, value)]
        return read and bool(at) and any(f == "w" and same(k, key) and same(v, value) for f, k, v in first.mops[at[0] :])
    if anomaly.type == "garbage-read":
        return read and value is not None and not any(same(value, written) for txn in everyone for written in txn.writes(key))
    if anomaly.type == "G1a":
        return read and tried and first.outcome == "fail"
    if anomaly.type == "G1b":
        return read and tried and first is not last and first.outcome != "fail" and not first.made(key, value)
    if anomaly.type == "dirty-update":
        return read and tried and first.outcome == "fail" and last.read_first(key, value) and bool(last.writes(key))
    assert anomaly.type == "lost-update", anomaly.type
    return len(cast) > 1 and all(_committed(t, everyone) and t.read_first(key, value) and bool(t.writes(key)) for t in cast)


def _contradicts_itself(txn: _Txn, key: Any) -> bool:
    """Some read differs from the micro-op on the key before it."""
    mine = [(f, v) for f, k, v in txn.mops if same(k, key) and (f == "w" or v is not None or txn.outcome == "ok")]
    return any(f == "r" and not same(value, before) for (_, before), (f, value) in pairwise(mine))
