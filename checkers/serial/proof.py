"""Proving a witness again from the ops that it quotes, by the definitions alone.

Why it exists  whatever found an anomaly, this small function must agree that each edge of each cycle is there, under the choices that it
               names, and that no way to choose avoids them all.
Relies on      nothing of the rest of the package: it reads the history's ops itself, and asks naively who may have written what was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from harness.history.history import History
from harness.verdict import Anomaly

UNSEEN = object()


class _Txn(NamedTuple):
    call: int
    ret: int | None
    outcome: str
    process: int | str
    quote: list[Any]
    reads: dict[str, Any]
    writes: dict[str, Any]
    everything: list[tuple[str, str, Any]]
    sound: bool


def _name(value: Any) -> str:
    """A value by type and JSON."""
    return f"{type(value).__name__} {msgspec.json.encode(value, enc_hook=str, order='deterministic').decode()}"


NULL = _name(None)


def _txns(history: History) -> Iterable[_Txn]:
    for invoke, done in history.calls():
        outcome = "info" if done is None else done.type
        shown = done is not None and (outcome == "ok" or (outcome == "info" and isinstance(done.value, list)))
        quote, mops = [], []
        for kind, key, value in done.value if done is not None and shown else invoke.value:
            unseen = kind == "r" and (outcome == "fail" or (outcome == "info" and value is None))
            quote.append([kind, key, None if unseen else value])
            mops.append((kind, _name(key), UNSEEN if unseen else _name(value)))
        reads: dict[str, Any] = {}
        writes: dict[str, Any] = {}
        sound = True
        for kind, key, value in mops:
            if kind == "w":
                writes[key] = value
            elif value is not UNSEEN and key not in writes and key not in reads:
                reads[key] = value
            elif value is not UNSEEN and value != (writes[key] if key in writes else reads[key]):
                sound = False
        ret = None if done is None or outcome == "info" else done.index
        yield _Txn(invoke.index, ret, outcome, invoke.process, quote, reads, writes, mops, sound)


class _World:
    """Who may have committed, who surely did, who may have been seen."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.txns = {txn.call: txn for txn in _txns(history)}
        self.wrote: dict[tuple[str, Any], list[int]] = {}
        for txn in self.txns.values():
            for item in txn.writes.items():
                self.wrote.setdefault(item, []).append(txn.call)
        self.possible = {t.call for t in self.txns.values() if t.outcome == "ok" or (t.outcome == "info" and t.sound)}
        infos = [t for t in self.txns.values() if t.outcome == "info"]
        while gone := {t.call for t in infos if t.call in self.possible and not all(self.sources(t, key) for key in t.reads)}:
            self.possible -= gone
        self.certain = {t.call for t in self.txns.values() if t.outcome == "ok"}
        fresh = self.certain
        while fresh:
            seen = [self.sources(self.txns[call], key) for call in fresh for key in self.txns[call].reads]
            fresh = {writers[0] for writers in seen if len(writers) == 1 and writers[0] is not None} - self.certain
            self.certain = self.certain | fresh

    def sources(self, reader: _Txn, key: str) -> list[int | None]:
        """Who may have written what was read; None: the initial null."""
        value = reader.reads[key]
        found: list[int | None] = [None] if value == NULL else []
        return found + [call for call in self.wrote.get((key, value), ()) if call in self.possible and call != reader.call]

    def saw(self, reader: _Txn, key: str) -> tuple[bool, int | None]:
        """Whether it is certain whom the reader saw in the key, and whom."""
        if reader.call not in self.certain or key not in reader.reads:
            return False, None
        sources = self.sources(reader, key)
        return len(sources) == 1, sources[0]

    def before(self, writer: int, key: str) -> list[int | None]:
        """The versions that surely led to a writer's, itself first: each read by the one that wrote the next; None is the initial null."""
        found: list[int | None] = [writer]
        while True:
            last = found[-1]
            sure, source = (False, None) if last is None else self.saw(self.txns[last], key)
            if not sure or source in found:
                return found
            found.append(source)


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted ops stand in the history and prove the anomaly. Cost: O(size of the history + of the witness)."""
    world = _World(history)
    named = {quoted["name"]: world.txns.get(quoted["ops"][0]) for quoted in anomaly.witness["txns"]}
    cast = {name: txn for name, txn in named.items() if txn is not None}
    quotes = [quoted["value"] for quoted in anomaly.witness["txns"]]
    if len(cast) < len(named) or [_name(txn.quote) for txn in cast.values()] != [_name(quote) for quote in quotes]:
        return False
    if "cycles" not in anomaly.witness:
        return _finding(world, anomaly, list(cast.values()))
    choices = [_atom(choice, cast) for choice in anomaly.witness["choices"]]
    for cycle in anomaly.witness["cycles"]:
        edges = cycle["edges"]
        told = [(*choices[number], holds) for number, holds in cycle["when"]]
        joined = all(edge["to"] == after["from"] for edge, after in zip(edges, [*edges[1:], edges[0]], strict=True))
        visited = [edge["from"] for edge in edges]
        if not joined or len(set(visited)) < len(visited) or not all(_edge(world, edge, cast, told) for edge in edges):
            return False
    kinds = {_type(cycle["edges"]) for cycle in anomaly.witness["cycles"]}
    return _closed(world, anomaly.witness, choices, cast) and _named(anomaly.type, kinds)


def _atom(choice: dict[str, Any], cast: Mapping[str, _Txn]) -> tuple[Any, ...]:
    if choice["kind"] == "order":
        return ("order", _name(choice["key"]), cast[choice["first"]].call, cast[choice["second"]].call)
    if choice["kind"] == "saw":
        return ("saw", _name(choice["key"]), cast[choice["reader"]].call, cast[choice["writer"]].call if choice["writer"] else None)
    return ("committed", "", cast[choice["txn"]].call, None)


def _edge(world: _World, edge: dict[str, Any], cast: Mapping[str, _Txn], told: list[tuple[Any, ...]]) -> bool:
    first, second, key = cast[edge["from"]], cast[edge["to"]], _name(edge["key"])
    if first is second or not {first.call, second.call} <= world.possible:
        return False
    if edge["kind"] == "first":
        return bool(world.history.header.get("first_txn")) and first.call == min(world.txns)
    if edge["kind"] in ("process", "realtime"):
        same = edge["kind"] == "process" and first.process == second.process
        timed = edge["kind"] == "realtime" and not world.history.by_sessions
        return first.outcome == "ok" and first.ret is not None and first.ret < second.call and (same or timed)
    if edge["kind"] == "wr":
        return _saw(world, second, key, first.call, told)
    if key not in second.writes:
        return False
    if edge["kind"] == "ww":
        return key in first.writes and _ordered(world, key, first.call, second.call, told)
    source = cast[edge["saw"]].call if edge["saw"] else None
    return _saw(world, first, key, source, told) and (source is None or _ordered(world, key, source, second.call, told))


def _saw(world: _World, reader: _Txn, key: str, writer: int | None, told: list[tuple[Any, ...]]) -> bool:
    """Whether the reader saw the writer's version, for certain or by a choice."""
    return world.saw(reader, key) == (True, writer) or ("saw", key, reader.call, writer, True) in told


def _ordered(world: _World, key: str, first: int, second: int, told: list[tuple[Any, ...]]) -> bool:
    """Whether first's version came before second's, for certain or by a choice."""
    mine, other = world.before(first, key), world.before(second, key)
    if first in other[1:]:
        return True
    if mine[-1] is None and other[-1] is not None:
        return True  # first's grew from the initial null, with nothing between
    for kind, of, a, b, holds in told:
        if kind == "order" and of == key:
            begin, end = (a, b) if holds else (b, a)
            if world.before(begin, key)[-1] == mine[-1] and world.before(end, key)[-1] == other[-1] and mine[-1] != other[-1]:
                return True
    return False


def _closed(world: _World, witness: dict[str, Any], choices: list[tuple[Any, ...]], cast: Mapping[str, _Txn]) -> bool:
    """Whether no way to choose avoids all cycles, given that every read saw one of its sources."""
    clauses = [frozenset(((choices[number], not holds) for number, holds in cycle["when"])) for cycle in witness["cycles"]]
    for read in witness["reads"]:
        reader, key = cast[read["reader"]], _name(read["key"])
        sources = world.sources(reader, key)
        fate = [] if reader.call in world.certain else [(("committed", "", reader.call, None), False)]
        clauses.append(frozenset([*((("saw", key, reader.call, source), True) for source in sources), *fate]))
        for source in sources:
            if source is not None and source not in world.certain:
                clauses.append(frozenset([(("saw", key, reader.call, source), False), (("committed", "", source, None), True)]))
    return not _satisfiable(clauses)


def _satisfiable(clauses: list[frozenset[tuple[Any, bool]]]) -> bool:
    if not clauses:
        return True
    shortest = min(clauses, key=len)
    for atom, value in sorted(shortest, key=str):
        if _satisfiable([clause - {(atom, not value)} for clause in clauses if (atom, value) not in clause]):
            return True
        clauses = [clause - {(atom, value)} for clause in clauses if (atom, not value) not in clause]
    return False


def _type(edges: list[dict[str, Any]]) -> tuple[str, str]:
    kinds = [edge["kind"] for edge in edges]
    rw = kinds.count("rw")
    touching = any(a == b == "rw" for a, b in pairwise([*kinds, kinds[0]]))
    calm = "G1c" if "wr" in kinds or "first" in kinds else "G0"
    base = calm if rw == 0 else "G-single-item" if rw == 1 else "G2-item" if touching else "G-nonadjacent-item"
    return base, "-realtime" if "realtime" in kinds else "-process" if "process" in kinds else ""


def _named(type_: str, kinds: set[tuple[str, str]]) -> bool:
    suffix = max((suffix for _, suffix in kinds), key=["", "-process", "-realtime"].index)
    bases = {base for base, _ in kinds}
    if not bases - {"G0", "G1c"} and type_ == "not-snapshot-isolated" + suffix:
        return True  # a weaker claim than the cycles' own name
    common = bases.pop() if len(bases) == 1 else "nonserializable" if "G2-item" in bases else "not-snapshot-isolated"
    return type_ == common + suffix


def _finding(world: _World, anomaly: Anomaly, cast: list[_Txn]) -> bool:
    key, value = _name(anomaly.witness["key"]), _name(anomaly.witness["value"])
    first, reader = cast[0], cast[-1]
    if anomaly.type == "lost-update":
        seen = {world.saw(txn, key) for txn in cast}
        return len(cast) > 1 and all(key in txn.writes for txn in cast) and len(seen) == 1 and seen.pop()[0]
    if not _must_have_committed(world, reader):
        return False
    if anomaly.type == "internal" or (anomaly.type == "future-read" and not reader.sound):
        return _contradicts_itself(reader, key, value, later=anomaly.type == "future-read")
    if reader.reads.get(key) != value or world.sources(reader, key):
        return False
    others = [txn for txn in world.txns.values() if txn is not reader and ("w", key, value) in txn.everything]
    if anomaly.type in ("garbage-read", "future-read"):
        return not others and (("w", key, value) in reader.everything) == (anomaly.type == "future-read")
    if anomaly.type == "G1a":
        return first.outcome == "fail" and first in others and all(txn.outcome == "fail" for txn in others)
    return anomaly.type == "G1b" and first.outcome != "fail" and first in others and first.writes[key] != value


def _must_have_committed(world: _World, txn: _Txn) -> bool:
    """Whether it is ok, or of unknown outcome and wrote what a transaction that must have committed read."""
    certain, fresh = {t.call for t in world.txns.values() if t.outcome == "ok"}, True
    while fresh:
        fresh = False
        for call in sorted(certain):
            reader = world.txns[call]
            for key, value in reader.reads.items():
                writers = [w for w in world.wrote.get((key, value), ()) if w != call and world.txns[w].outcome != "fail"]
                if value != NULL and len(writers) == 1 and writers[0] not in certain:
                    certain.add(writers[0])
                    fresh = True
                if writers and txn.call in writers and not world.sources(reader, key):
                    return True  # one of several that cannot have been seen: none of them can
    return txn.call in certain


def _contradicts_itself(txn: _Txn, key: str, value: Any, *, later: bool) -> bool:
    """Whether it read that value against its own micro-ops; and wrote it afterwards, if that is asked."""
    known: dict[str, Any] = {}
    for place, (kind, k, v) in enumerate(txn.everything):
        if kind == "w":
            known[k] = v
        elif v is not UNSEEN and known.setdefault(k, v) != v and (k, v) == (key, value):
            return not later or ("w", key, value) in txn.everything[place:]
    return False
