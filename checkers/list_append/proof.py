"""Proving a witness again from the ops that it quotes, by the definitions alone.

Why it exists  whatever found an anomaly, this small function must agree that what its witness says is there, edge by edge.
Relies on      nothing of the rest of the package: it reads the history's ops itself, and the version order of a key is looked up naively.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from checkers.transactions.proof import cycle_type, has, one_cycle, same
from harness.history.history import History
from harness.verdict import Anomaly


class _Txn(NamedTuple):
    call: int
    ret: int | None
    outcome: str
    process: int | str
    mops: list[Any]


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted ops stand in the history and prove the anomaly. Cost: O(size of the history) an edge."""
    txns = {txn.call: txn for txn in _txns(history)}
    named = {quoted["name"]: txns.get(quoted["ops"][0]) for quoted in anomaly.witness["txns"]}
    cast = [txn for txn in named.values() if txn is not None]
    if len(cast) < len(named) or any(txn.mops != quoted["value"] for txn, quoted in zip(cast, anomaly.witness["txns"], strict=True)):
        return False
    edges = anomaly.witness["edges"]
    if not edges:
        return _phenomenon(anomaly, cast, list(txns.values()))
    proved = all(_edge(edge, named[edge["from"]], named[edge["to"]], list(txns.values())) for edge in edges)
    return one_cycle(edges) and proved and cycle_type(edges) == anomaly.type


def _txns(history: History) -> Iterator[_Txn]:
    for invoke, done in history.calls():
        outcome = "info" if done is None else done.type
        seen = done is not None and (outcome == "ok" or (outcome == "info" and isinstance(done.value, list)))
        mops = [list(mop) for mop in (done.value if done is not None and seen else invoke.value)]
        for mop in mops:
            if mop[0] == "r":
                mop[2] = (mop[2] or []) if outcome == "ok" else mop[2] if seen else None
        yield _Txn(invoke.index, None if done is None or outcome == "info" else done.index, outcome, invoke.process, mops)


def _reads(txn: _Txn, key: Any) -> list[list[Any]]:
    return [mop[2] for mop in txn.mops if mop[0] == "r" and same(mop[1], key) and mop[2] is not None]


def _appends(txn: _Txn, key: Any) -> list[Any]:
    return [mop[2] for mop in txn.mops if mop[0] == "append" and same(mop[1], key)]


def _committed(txns: list[_Txn]) -> list[_Txn]:
    """ok transactions, and unknown ones of which a committed one read an element."""
    found = [txn for txn in txns if txn.outcome == "ok"]
    while True:
        read = [(mop[1], mop[2]) for txn in found for mop in txn.mops if mop[0] == "r" and mop[2]]
        proved = [
            txn
            for txn in txns
            if txn.outcome == "info"
            and txn not in found
            and any(mop[0] == "append" and any(same(mop[1], key) and has(elements, mop[2]) for key, elements in read) for mop in txn.mops)
        ]
        if not proved:
            return sorted(found, key=lambda txn: txn.call)
        found += proved


def _edge(edge: dict[str, Any], first: _Txn | None, second: _Txn | None, txns: list[_Txn]) -> bool:
    assert first is not None and second is not None, "checked by the caller"
    if edge["kind"] == "process":
        return first.process == second.process and first.ret is not None and first.ret < second.call
    if edge["kind"] == "realtime":
        return first.outcome == "ok" and first.ret is not None and first.ret < second.call
    key, element = edge["key"], edge["value"]
    if edge["kind"] == "wr":
        return has(_appends(first, key), element) and any(read and same(read[-1], element) for read in _reads(second, key))
    if not has(_appends(second, key), element):
        return False
    committed = _committed(txns)
    everything = [read for txn in committed for read in _reads(txn, key)]
    longest = max(everything, key=len, default=[])
    order = [other for i, other in enumerate(longest) if not has(longest[:i], other)]
    written = [mop for txn in committed for mop in _appends(txn, key)]
    after = next((i for i, other in enumerate(order) if same(other, element)), len(order))
    unread = not any(has(read, element) for read in everything)
    before = order[:after] if after < len(order) or unread else None
    if before is None:
        return False
    reached = [other for other in before if has(written, other)]
    if edge["kind"] == "ww":
        return bool(reached) and has(_appends(first, key), reached[-1])
    # The reader saw a version that ends within `before`, at or after the last committed element there.
    last = next((i for i in range(len(before), 0, -1) if reached and same(before[i - 1], reached[-1])), 0)
    states = [*before[last - 1 if last else 0 :]] if last else before
    return any(has(states, read[-1]) if read else not last for read in _reads(first, key))


def _phenomenon(anomaly: Anomaly, cast: list[_Txn], txns: list[_Txn]) -> bool:
    key, element, lists = anomaly.witness["key"], anomaly.witness["element"], anomaly.witness["lists"]
    first, last = cast[0], cast[-1]
    if anomaly.type != "duplicate-elements" and last not in _committed(txns):
        return False
    reads = _reads(last, key)
    found = any(has(read, element) for read in reads)
    if anomaly.type == "internal":
        return _contradicts_itself(first, key)
    if anomaly.type == "garbage-read":
        return found and not any(has(_appends(txn, key), element) for txn in txns)
    if anomaly.type == "G1a":
        return found and first.outcome == "fail" and has(_appends(first, key), element)
    if anomaly.type == "G1b":
        ends = any(read and same(read[-1], element) for read in reads)
        return ends and first is not last and has(_appends(first, key)[:-1], element)
    if anomaly.type == "future-read":
        return any(
            mop[0] == "r"
            and mop[2] is not None
            and same(mop[1], key)
            and has(mop[2], element)
            and has(_appends(first._replace(mops=first.mops[i:]), key), element)
            for i, mop in enumerate(first.mops)
        )
    if anomaly.type == "duplicate-elements":
        return any(sum(same(element, other) for other in read) > 1 for read in reads)
    if anomaly.type == "dirty-update":
        return _dirty(cast, key, lists[0][0], element)
    if anomaly.type == "incompatible-order":
        less, more = lists
        return has(_reads(first, key), less) and has(reads, more) and not same(more[: len(less)], less)
    if anomaly.type == "fractured-read":
        (shown, by), short = lists
        half = has(_appends(first, key), element) and has(_reads(last, key), short) and not has(short, element)
        return half and first is not last and has(_appends(first, shown), by) and any(has(read, by) for read in _reads(last, shown))
    assert anomaly.type == "lost-update", anomaly.type
    return len(cast) > 1 and all(_appends(txn, key) and _first_of(txn, key) == ["r", lists[0]] for txn in cast)


def _contradicts_itself(txn: _Txn, key: Any) -> bool:
    """No list before the transaction explains its reads: the first read, less the appends before it, is the only candidate."""
    own: list[Any] = []
    base: list[Any] | None = None
    for mop in txn.mops:
        if not same(mop[1], key):
            continue
        if mop[0] == "append":
            own.append(mop[2])
            continue
        if mop[2] is None:
            continue
        if base is None:
            base = mop[2][: max(0, len(mop[2]) - len(own))]
        if not same(mop[2], base + own):
            return True
    return False


def _dirty(cast: list[_Txn], key: Any, dirty: Any, element: Any) -> bool:
    failed = next((txn for txn in cast if has(_appends(txn, key), dirty)), None)
    builder = next((txn for txn in cast if has(_appends(txn, key), element)), None)
    shown = [read for txn in cast for read in _reads(txn, key) if has(read, dirty) and has(read, element)]
    follows = any([same(e, dirty) for e in read].index(True) < [same(e, element) for e in read].index(True) for read in shown)
    return failed is not None and builder is not None and failed.outcome == "fail" and builder.outcome == "ok" and follows


def _first_of(txn: _Txn, key: Any) -> list[Any]:
    return next([mop[0], mop[2]] for mop in txn.mops if same(mop[1], key))
