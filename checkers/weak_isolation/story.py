"""Anomalies of the weak levels in plain words: the transactions, a sentence that proves each edge, the contradiction.

Why it exists  a verdict that nobody can follow convinces nobody.
Relies on      edges that name the reads which prove them; witness.py proves the same again from the history.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from checkers.models import weakest
from checkers.transactions.quote import anomaly, quoted
from checkers.transactions.txns import UNSEEN, WRITE, Mop, Txn, plain, show
from checkers.weak_isolation.causes import path
from checkers.weak_isolation.cycle import Step
from checkers.weak_isolation.graph import FIRST, NO_READ, SESSION, WR, Level, Order, Why
from checkers.weak_isolation.reading import ABORTED, FUTURE, GARBAGE, INITIAL, INTERMEDIATE, Finding
from harness.verdict import Anomaly

START = "the initial state"
QUOTED = 12  # micro-ops of a transaction that are quoted even if they prove nothing
LEFT_OUT = Mop("…", None, None)
NAMES = {Level.READ_COMMITTED: "read-committed", Level.READ_ATOMIC: "read-atomic", Level.CAUSAL: "causal"}


def broken_levels(level: Level) -> list[str]:
    """The names of the levels that break with this one, the weakest first."""
    return [name for stronger, name in NAMES.items() if stronger >= level]


def say(mop: Mop) -> str:
    """A micro-op."""
    if mop is LEFT_OUT:
        return mop.kind
    if mop.value is UNSEEN:
        return f"r {show(mop.key)} ?"
    return f"{mop.kind} {show(mop.key)} {_value(mop.value)}"


def _value(value: Any) -> str:
    return "null" if value is None else show(value)


def _plain(mop: Mop) -> Any:
    return None if mop.value is None or mop.value is UNSEEN else plain(mop.value)


class _Cast(NamedTuple):
    """Transactions by name, in order of appearance; `keys` and `places` (of micro-ops) are those that the sentences speak of."""

    order: Order
    names: dict[int, str]
    keys: set[Hashable]
    places: set[tuple[int, int]]

    def name(self, number: int) -> str:
        if number == INITIAL:
            return START
        return self.names.setdefault(number, f"T{len(self.names) + 1}")

    def mop(self, number: int, at: int) -> Mop:
        mop = self.order.reading.txns[number].mops[at]
        self.places.add((number, at))
        self.keys.add(mop.key)
        return mop

    def quote(self, number: int) -> str:
        """A transaction; of a long one only what the sentences speak of."""
        txn = self.order.reading.txns[number]
        if len(txn.mops) > QUOTED:
            spoken = [mop for at, mop in enumerate(txn.mops) if (number, at) in self.places or (mop.kind == WRITE and mop.key in self.keys)]
            txn = txn._replace(mops=(*spoken, LEFT_OUT))
        return quoted(self.names[number], txn, say)


def tell_cycle(type_: str, level: Level, steps: Sequence[Step], order: Order, by_sessions: bool) -> Anomaly:
    """A cycle as an anomaly; of a history of sessions it also rules out the levels by their own names."""
    cast = _Cast(order, {}, set(), set())
    for source, _, _ in steps:
        cast.name(source)
    edges = [_edge(cast, level, *step) for step in steps]
    first = cast.name(steps[0][0])
    said = "; ".join(edge["why"] for edge in edges)
    return _anomaly(type_, level, f"{said}: so {first} comes before itself, a contradiction.", cast, {"edges": edges}, by_sessions)


def _edge(cast: _Cast, level: Level, source: int, target: int, why: Why) -> dict[str, Any]:
    one, other = cast.name(source), cast.name(target)
    edge: dict[str, Any] = {"from": one, "to": other, "kind": why.kind}
    if why.kind == SESSION:
        process = cast.order.reading.txns[source].process
        return {**edge, "why": f"process {process} executed {one} before {other}"}
    if why.kind == FIRST:
        reason = "precedes every transaction" if source == INITIAL else "writes the initial values and precedes every transaction"
        return {**edge, "why": f"{one} {reason}, {other} too"}
    mop = cast.mop(why.reader, why.at)
    edge |= {"key": plain(mop.key), "value": _plain(mop), "reader": cast.name(why.reader), "at": why.at}
    if why.kind == WR:
        return {**edge, "why": f"{other} read {_value(mop.value)} in {show(mop.key)}, which {one} wrote"}
    reader, key = cast.name(why.reader), show(mop.key)
    saw = f"read {_value(mop.value)} in {key}, " + ("its initial value" if target == INITIAL else f"which {other} wrote")
    so = f"so {one} is before {other}"
    if why.by != NO_READ:
        by = cast.mop(why.reader, why.by)
        when = "then " if level == Level.READ_COMMITTED else "and "
        seen = f"{reader} read {_value(by.value)} in {show(by.key)} from {one}, which also wrote to {key}"
        return {**edge, "by": why.by, "why": f"{seen}, {when}{saw}: {so}"}
    way = _way(cast, level, source, why.reader)
    edge["path"] = [cast.name(number) for number in way]
    return {**edge, "why": f"{one} wrote to {key} and precedes {reader} ({_told(cast, way)}), which {saw}: {so}"}


def _way(cast: _Cast, level: Level, source: int, reader: int) -> list[int]:
    direct = level < Level.CAUSAL or cast.order.precedes(source, reader)
    return [source, reader] if direct else path(cast.order, source, reader)


def _told(cast: _Cast, way: Sequence[int]) -> str:
    said = []
    for source, target in pairwise(way):
        one, other = cast.name(source), cast.name(target)
        if source == cast.order.first:
            said.append(f"{one} writes the initial values before every transaction")
        elif cast.order.precedes(source, target):
            said.append(f"process {cast.order.reading.txns[source].process} executed {one} before {other}")
        else:
            read = next(read for read in cast.order.reading.reads[target] if read.writer == source)
            said.append(f"{other} read {_value(cast.mop(target, read.at).value)} in {show(read.key)} from {one}")
    return ", ".join(said)


def tell_finding(finding: Finding, order: Order, by_sessions: bool) -> Anomaly:
    """A read that no level explains as an anomaly."""
    cast = _Cast(order, {}, set(), set())
    numbers = [finding.reader] if finding.writer in (None, finding.reader) else [finding.writer, finding.reader]
    for number in numbers:
        assert number is not None
        cast.name(number)
    mop = cast.mop(finding.reader, finding.at)
    reader, key, value = cast.name(finding.reader), show(mop.key), _value(mop.value)
    if finding.type == GARBAGE:
        what = f"{reader} read {value} in {key}, though nobody ever tried to write it"
    elif finding.type == ABORTED:
        what = f"T1 failed and so never wrote {value} to {key}, yet {reader} read it"
    elif finding.type == INTERMEDIATE:
        what = f"{reader} read {value} in {key}, after which T1 still wrote {_value(_last(order.reading.txns, finding, mop))} to it"
    elif finding.type == FUTURE:
        what = f"{reader} read {value} in {key} before it wrote it"
    else:
        what = f"{reader} wrote {_value(finding.own)} to {key} and then read {value}, though nobody may write in between"
    witness = {"edges": [], "key": plain(mop.key), "value": _plain(mop), "reader": reader, "at": finding.at}
    return _anomaly(finding.type, Level.READ_COMMITTED, f"{what}: a contradiction.", cast, witness, by_sessions)


def _last(txns: Sequence[Txn], finding: Finding, mop: Mop) -> Any:
    assert finding.writer is not None
    return [other.value for other in txns[finding.writer].mops if other.kind == WRITE and other.key == mop.key][-1]


def _anomaly(type_: str, level: Level, said: str, cast: _Cast, witness: dict[str, Any], by_sessions: bool) -> Anomaly:
    txns = {name: cast.order.reading.txns[number] for number, name in cast.names.items()}
    quotes = ". ".join(map(cast.quote, cast.names))
    told = anomaly(type_, f"{quotes}. {said}", txns, _plain, witness, witness.get("key"))
    if by_sessions:
        told.rules_out = [*broken_levels(level), *(model for model in told.rules_out if model not in NAMES.values())]
    return told


def weakest_ruled_out(models: set[str], by_sessions: bool) -> list[str]:
    """The weakest of the models, under their names."""
    found = weakest({"causal-cerone" if model == "causal" else model for model in models})
    return ["causal" if model == "causal-cerone" and by_sessions else model for model in found]
