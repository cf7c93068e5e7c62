"""Proving a witness again from the ops that it quotes, by the axioms alone.

Why it exists  whatever found an anomaly, this small function must agree that what its witness says is there, edge by edge.
Relies on      nothing of the rest of the package: it reads the history's ops itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from harness.history.history import History
from harness.verdict import Anomaly

_START = "the initial state"
_BASES = {"G1c": 0, "non-monotonic-read": 1, "fractured-read": 2, "causality-violation": 3}


class _Txn(NamedTuple):
    number: int
    process: int | str
    outcome: str
    mops: list[Any]


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted ops stand in the history and prove the anomaly. Cost: one pass over the history an edge."""
    txns = _txns(history)
    named = {quoted["name"]: txns.get(quoted["ops"][0]) for quoted in anomaly.witness["txns"]}
    cast = {name: txn for name, txn in named.items() if txn is not None}
    if len(cast) < len(named) or any(not _quotes(cast[quoted["name"]], quoted["value"]) for quoted in anomaly.witness["txns"]):
        return False
    edges = anomaly.witness["edges"]
    if not edges:
        return _phenomenon(anomaly, cast, list(txns.values()))
    base, process = anomaly.type.removesuffix("-process"), anomaly.type.endswith("-process")
    proof = _Proof(list(txns.values()), cast, _BASES[base], bool(history.header.get("first_txn")))
    joined = all(edge["to"] == after["from"] for edge, after in pairwise([*edges, edges[0]]))
    visited = [edge["from"] for edge in edges]
    return joined and len(set(visited)) == len(visited) and all(map(proof.edge, edges)) and proof.used_session == process


def _txns(history: History) -> dict[int, _Txn]:
    found = {}
    for number, (invoke, done) in enumerate(history.calls()):
        outcome = "info" if done is None else done.type
        op = done if done is not None and (outcome == "ok" or (outcome == "info" and isinstance(done.value, list))) else invoke
        mops = [[f, k, None if f == "r" and outcome == "fail" else v] for f, k, v in op.value]
        found[invoke.index] = _Txn(number, invoke.process, outcome, mops)
    return found


def _same(a: Any, b: Any) -> bool:
    return bool(msgspec.json.encode(a) == msgspec.json.encode(b) and type(a) is type(b))


def _quotes(txn: _Txn, mops: Sequence[Any]) -> bool:
    return len(txn.mops) == len(mops) and all(all(map(_same, one, other)) for one, other in zip(txn.mops, mops, strict=True))


def _writes(txn: _Txn, key: Any) -> list[Any]:
    return [mop[2] for mop in txn.mops if mop[0] == "w" and _same(mop[1], key)]


def _external(txn: _Txn, at: int) -> bool:
    return txn.outcome == "ok" and txn.mops[at][0] == "r" and not _writes(txn._replace(mops=txn.mops[:at]), txn.mops[at][1])


class _Proof:
    """Checks the edges of a cycle of one level; `used_session` afterwards: an edge or a premise was session order."""

    def __init__(self, txns: list[_Txn], cast: dict[str, _Txn], level: int, first: bool) -> None:
        self.txns, self.cast, self.level, self.first = txns, cast, level, first
        self.used_session = False

    def edge(self, edge: dict[str, Any]) -> bool:
        if edge["kind"] in ("session", "first"):
            return self.step(edge["from"], edge["to"], reads=False)
        reader = self.cast.get(edge.get("reader", ""))
        if reader is None:
            return False
        key, value = edge["key"], edge["value"]
        if not self.quoted(reader, edge["at"], key, value):
            return False
        if edge["kind"] == "wr":
            return reader is self.cast[edge["to"]] and self.read_from(reader, edge["at"], edge["from"])
        before = self.cast.get(edge["from"])
        if before is None or before is reader or not self.committed(before) or not _writes(before, key):
            return False
        return edge["from"] != edge["to"] and self.read_from(reader, edge["at"], edge["to"]) and self.premise(edge, before, reader)

    def premise(self, edge: dict[str, Any], before: _Txn, reader: _Txn) -> bool:
        if "by" in edge:
            early_enough = self.level == 2 or (self.level == 1 and edge["by"] < edge["at"])
            return early_enough and _external(reader, edge["by"]) and self.read_from(reader, edge["by"], edge["from"])
        way = edge["path"]
        if self.cast[way[0]] is not before or self.cast[way[-1]] is not reader or len(way) < 2:
            return False
        if self.level == 2:
            return len(way) == 2 and self.step(*way, reads=False)
        return self.level == 3 and all(self.step(*pair, reads=True) for pair in pairwise(way))

    def step(self, source: str, target: str, *, reads: bool) -> bool:
        """One step of session order, of being first, or (with `reads`) of reads-from."""
        if target == _START or not self.committed(self.cast[target]):
            return False
        if source == _START:
            return True
        one, other = self.cast[source], self.cast[target]
        if self.first and one.number == 0 and one is not other and one.outcome == "ok":
            return True
        if reads and any(_external(other, at) and self.read_from(other, at, source) for at in range(len(other.mops))):
            return True
        self.used_session = True
        return one.process == other.process and one.number < other.number and one.outcome == "ok"

    def quoted(self, reader: _Txn, at: int, key: Any, value: Any) -> bool:
        return _external(reader, at) and _same(reader.mops[at][1], key) and _same(reader.mops[at][2], value)

    def read_from(self, reader: _Txn, at: int, writer: str) -> bool:
        """The read has that one explanation."""
        possible = self.explanations(reader, at)
        return len(possible) == 1 and possible[0] is self.cast.get(writer)

    def explanations(self, reader: _Txn, at: int) -> list[_Txn | None]:
        _, key, value = reader.mops[at]
        possible: list[_Txn | None] = [None] if value is None else []
        for txn in self.txns:
            if txn is not reader and txn.outcome != "fail" and (written := _writes(txn, key)) and _same(written[-1], value):
                possible.append(txn)
        return possible

    def committed(self, txn: _Txn) -> bool:
        if txn.outcome != "info":
            return txn.outcome == "ok"
        return any(
            self.explanations(reader, at) == [txn]
            for reader in self.txns
            for at in range(len(reader.mops))
            if _external(reader, at) and _writes(txn, reader.mops[at][1])
        )


def _phenomenon(anomaly: Anomaly, cast: dict[str, _Txn], txns: list[_Txn]) -> bool:
    """A read without an explanation, of the kind that the type says."""
    reader, at = cast[anomaly.witness["reader"]], anomaly.witness["at"]
    f, key, value = reader.mops[at]
    if f != "r" or reader.outcome != "ok" or not _same(key, anomaly.witness["key"]) or not _same(value, anomaly.witness["value"]):
        return False
    if anomaly.type == "internal":
        own = _writes(reader._replace(mops=reader.mops[:at]), key)
        return bool(own) and not _same(own[-1], value)
    if not _external(reader, at) or _Proof(txns, cast, 0, False).explanations(reader, at):
        return False
    writers = [txn for txn in txns if any(_same(value, written) for written in _writes(txn, key))]
    others = [txn for txn in writers if txn is not reader]
    if reader in writers:
        return anomaly.type == "future-read"
    if any(txn.outcome != "fail" for txn in others):
        return anomaly.type == "G1b" and cast["T1"] in others and cast["T1"].outcome != "fail"
    return anomaly.type == ("G1a" if others else "garbage-read") and (not others or cast["T1"] in others)
