"""Replicas: after all is over, do all nodes hold the same?

Decides    whether the last dumps of the nodes (`dump`, with the node that it was asked of) are equal, key by key; which keys differ on
           which nodes. A dump is a map from key to value; a list is one by position.
Right      nodes that were given time to settle and take no more writes hold the same, or they will never agree.
Unknown    fewer than two nodes with a dump; a node of the run without one; keys that differ, where a write that touches them ran during
           the dumps, or has no known outcome and so may have come between them.
Rules out  no consistency model: eventual convergence is the promise, `replica-divergence`.
Source     Jepsen's final comparisons of replicas (etcd's and TigerBeetle's convergence checks); DESIGN 8.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple

from checkers.acts import Act, acts, strange
from checkers.findings import Findings
from checkers.transactions.txns import Odd, ident, plain, show
from harness.checker import CheckContext
from harness.history.history import History
from harness.op import FAIL
from harness.verdict import Anomaly, Verdict

DIVERGENCE = "replica-divergence"
ABSENT = Odd("absent", "absent")
READS = frozenset({"read", "dump", "get", "watch", "poll", "scan"})
EVERYTHING = object()


class Dump(NamedTuple):
    """What a node holds: its last dump that succeeded, and the values by key."""

    act: Act
    holds: dict[Hashable, Hashable]


class Replicas:
    """Judges `dump` ops; all other ops only say which keys may still have changed."""

    name: ClassVar[str] = "replicas"

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"nodes": {node: keys}, "differing", "unsettled": keys that differ and may still have changed}. counts: keys."""
        all_acts = acts(history)
        dumps = last_dumps(all_acts)
        facts: dict[str, Any] = {"nodes": {node: len(dump.holds) for node, dump in dumps.items()}, "differing": 0, "unsettled": 0}
        findings = Findings(context.expected, [DIVERGENCE])
        if len(dumps) < 2:
            return findings.verdict(facts, f"{len(dumps)} nodes have a dump that succeeded; two are needed to compare")
        restless = _restless(all_acts, dumps)
        for key in dict.fromkeys(key for dump in dumps.values() for key in dump.holds):
            values = {node: dump.holds.get(key, ABSENT) for node, dump in dumps.items()}
            if len(set(values.values())) > 1:
                facts["differing"] += 1
                if key in restless or EVERYTHING in restless:
                    facts["unsettled"] += 1
                else:
                    findings.add(DIVERGENCE, (), partial(_tell, key, values, dumps))
        return findings.verdict(facts, _why_unknown(facts, dumps, restless, context))


def last_dumps(all_acts: Sequence[Act]) -> dict[str, Dump]:
    """Each node's last dump that succeeded, by node."""
    latest: dict[str, Act] = {}
    for act in all_acts:
        if act.f == "dump" and act.ok:
            if act.node is None:
                raise strange(act, "a dump names no node")
            if act.node not in latest or act.call > latest[act.node].call:
                latest[act.node] = act
    return {node: Dump(latest[node], _holds(latest[node])) for node in sorted(latest)}


def _holds(act: Act) -> dict[Hashable, Hashable]:
    value = act.given
    if isinstance(value, list):
        return {position: ident(element) for position, element in enumerate(value)}
    if isinstance(value, dict):
        return {ident(key): ident(element) for key, element in value.items()}
    if value is None:
        return {}
    raise strange(act, f"a dump gave {str(value)[:60]!r}, neither a map nor a list")


def _restless(all_acts: Sequence[Act], dumps: Mapping[str, Dump]) -> dict[Any, Act]:
    """Keys that a write may have changed between the first dump and the last; EVERYTHING, if nobody can tell which it touches."""
    first, last = min(dump.act.call for dump in dumps.values()), max(dump.act.ret for dump in dumps.values())
    listed = any(isinstance(dump.act.given, list) for dump in dumps.values())  # keys are positions: nobody knows which a write moves
    found: dict[Any, Act] = {}
    for act in all_acts:
        if act.f not in READS and act.outcome != FAIL and act.call < last and act.ret > first:
            for key in [EVERYTHING] if listed else _touched(act):
                found.setdefault(key, act)
    return found


def _touched(act: Act) -> list[Any]:
    """The keys that an op writes, in a dump's spelling: JSON names of a map's keys are strings."""
    value = act.asked
    if isinstance(value, dict) and "key" in value:
        return [ident(value["key"]), str(value["key"])]
    if act.f == "txn" and isinstance(value, list) and all(isinstance(mop, list) and len(mop) > 1 for mop in value):
        return [name for mop in value if mop[0] != "r" for name in (ident(mop[1]), str(mop[1]))]
    return [EVERYTHING]


def _why_unknown(facts: Mapping[str, Any], dumps: Mapping[str, Dump], restless: Mapping[Any, Act], context: CheckContext) -> str:
    if missing := [node for node in context.nodes if node not in dumps]:
        return f"no dump of {', '.join(missing)} succeeded"
    if facts["unsettled"]:
        act = next(iter(restless.values()))
        return f"{facts['unsettled']} keys differ, and writes to them may have come between the dumps (the first is {act.f} #{act.call})"
    return "" if any(dump.holds for dump in dumps.values()) else "all dumps are empty, so nothing was compared"


def _tell(key: Hashable, values: Mapping[str, Hashable], dumps: Mapping[str, Dump]) -> Anomaly:
    by_value: dict[Hashable, list[str]] = {}
    for node, value in values.items():
        by_value.setdefault(value, []).append(node)
    said = [f"{_show(value)} on {', '.join(f'{node} (#{dumps[node].act.call})' for node in nodes)}" for value, nodes in by_value.items()]
    ops = sorted(index for dump in dumps.values() for index in dump.act.ops)
    witness = {"key": plain(key), "dumps": {node: dump.act.call for node, dump in dumps.items()}}
    return Anomaly(DIVERGENCE, f"{show(key)} is {'; '.join(said)}", ops, key=plain(key), witness=witness)


def _show(value: Hashable) -> str:
    return show(value)[:80]


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted dumps stand in the history, each of its node, and differ in the key."""
    calls = {call.invoke.index: call for call in history.calls()}
    seen = set()
    for node, index in anomaly.witness["dumps"].items():
        call = calls[index]
        if (
            call.outcome != "ok"
            or call.invoke.f != "dump"
            or call.completion is None
            or node not in (call.completion.node, call.invoke.node)
        ):
            return False
        value, key = call.completion.value, anomaly.witness["key"]
        if isinstance(value, list):
            seen.add(ident(value[key]) if key < len(value) else ABSENT)
        else:
            seen.add(next((ident(element) for name, element in (value or {}).items() if ident(name) == ident(key)), ABSENT))
    return len(seen) > 1
