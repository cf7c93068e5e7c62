"""Coverage: did the run try what it was asked to try? Nothing is valid by absence.

Decides    whether enough ops succeeded, in each phase that must have them, and whether each kind of fault asked for was both in place
           and exercised at least once.
Right      a verdict about ops that never succeeded, or about faults that never happened, says nothing; so it is `unknown`, reason first.
Unknown    too few ok ops of an f; no final read on a node; a possible kind of fault never both in place and exercised; not one kind
           exercised; with --require-faults also a kind that this cluster cannot make. A run that lost its cluster or some of its events.
Rules out  nothing. A valid verdict states its power: ok ops per node during each kind of fault, contended keys, primary changes.
Source     DESIGN 8; peers that passed vacuously are listed in semantics.md 15.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from harness.checker import CheckContext, Require
from harness.history.history import History
from harness.intervals import FaultInterval, fault_intervals
from harness.op import INVOKE, OK, Op
from harness.verdict import Verdict


class Coverage:
    """Judges runs, which know their phases; a bare file passes."""

    name: ClassVar[str] = "coverage"

    def __init__(self, **options: Any) -> None:
        self.options = options

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"cluster": words, "faults": {kind: {"asked", "in_place", "exercised", "mechanism", ...}}, "power": {...}}."""
        if not context.is_run:
            return Verdict(True)
        intervals = fault_intervals(history)
        faults = {kind: _kind_facts(kind, asked, intervals) for kind, asked in sorted(context.faults.items())}
        done = [op for op in history.ops if op.is_client and op.type == OK]
        facts = {"cluster": _where(context), "faults": faults, "power": _power(done, intervals, history, context)}
        reasons = [*_cut_short(context), *_faults_missing(faults, context), *_ops_missing(done, context)]
        if reasons:
            return Verdict("unknown", reason="; ".join(reasons), facts=facts)
        silent = [kind for kind, kind_facts in faults.items() if not kind_facts["possible"]]
        said = [f"it tells nothing about {kind}: {faults[kind]['why']}" for kind in silent]
        return Verdict(True, reason="; ".join(said), facts=facts)


def _kind_facts(kind: str, asked: dict[str, Any], intervals: Sequence[FaultInterval]) -> dict[str, Any]:
    of_kind = [interval for interval in intervals if interval.kind == kind]
    whys = Counter(interval.why for interval in of_kind if not interval.in_place and interval.why)
    return {
        "possible": bool(asked.get("possible", True)),
        "asked": len(of_kind),
        "in_place": sum(interval.in_place for interval in of_kind),
        "exercised": sum(interval.in_place and interval.exercised for interval in of_kind),
        "mechanism": str(asked.get("mechanism", "")),
        "why": str(asked.get("why") or (whys.most_common(1)[0][0] if whys else "")),
    }


def _where(context: CheckContext) -> str:
    """Where the run ran, as its cluster described itself."""
    found = next((event for event in context.events if event.get("event") == "cluster"), {})
    return f"{found['cluster']}: {found['says']}" if "says" in found else str(found.get("cluster", ""))


def _cut_short(context: CheckContext) -> Iterable[str]:
    for event in context.events:
        if event.get("event") == "lost":
            yield f"the run was cut short: {event.get('says')}"
        if event.get("event") == "damaged":
            yield f"{event.get('says')}, and what it said is not known"


def _faults_missing(faults: dict[str, dict[str, Any]], context: CheckContext) -> Iterable[str]:
    for kind, facts in faults.items():
        if not facts["possible"]:
            if context.require_faults:
                yield f"{kind} cannot be made here ({facts['why']}), and --require-faults asks for it"
            continue
        if not facts["exercised"]:
            why = f" ({facts['why']})" if facts["why"] else ""
            yield (
                f"{kind} was tried {facts['asked']} times, in place {facts['in_place']} times, exercised {facts['exercised']} times{why}: "
                f"the run says nothing about {kind}"
            )
    if faults and not any(facts["exercised"] for facts in faults.values()):
        yield f"not one kind of fault asked for ({', '.join(faults)}) was in place and exercised"


def _ops_missing(done: Sequence[Op], context: CheckContext) -> Iterable[str]:
    fault = [phase for phase in context.phases if phase.name == "fault"]
    final = [phase for phase in context.phases if phase.name == "final"]
    for require in context.requires:
        mine = [op for op in done if op.f == require.f]
        if require.where == "final":
            yield from _final_missing(mine, final, require, context)
            continue
        inside = sum(any(phase.start <= op.time < phase.end for phase in fault) for op in mine)
        outside = len(mine) - inside
        parts = ((inside, "in the fault phase", "--time-limit"), (outside, "outside the fault phase", "--healthy"))
        for count, where, longer in parts:
            if count < require.min_ok:
                yield (
                    f"only {count} {require.f} succeeded {where}, {require.min_ok} are needed for a verdict "
                    f"(a longer {longer} or a higher --rate gives more)"
                )


def _final_missing(mine: Sequence[Op], final: Sequence[Any], require: Require, context: CheckContext) -> Iterable[str]:
    per_node = Counter(op.node for op in mine if any(phase.start <= op.time for phase in final))
    lacking = [node for node in context.nodes if per_node[node] < require.per_node]
    if lacking:
        yield f"no final {require.f} succeeded on {', '.join(lacking)}"


def _power(done: Sequence[Op], intervals: Sequence[FaultInterval], history: History, context: CheckContext) -> dict[str, Any]:
    """What a valid verdict rests on: ok ops per node during each kind of fault, keys that several processes used at once."""
    during: dict[str, Counter[str]] = defaultdict(Counter)
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for interval in intervals:
        if interval.in_place:
            spans[interval.kind].append((interval.start, interval.end if interval.end is not None else 1 << 62))
    for op in done:
        for kind, list_of in spans.items():
            if any(start <= op.time <= end for start, end in list_of):
                during[kind][op.node or "?"] += 1
    changes = [event for event in context.events if event.get("event") == "primary-changed"]
    return {
        "ok_per_node_during": {kind: dict(sorted(counts.items())) for kind, counts in sorted(during.items())},
        "contended_keys": _contended(history),
        "primary_changes": len(changes),
    }


def _contended(history: History) -> int:
    """Keys on which two processes had ops open at the same time, one of them not a read."""
    open_ops: dict[int | str, tuple[str, bool]] = {}
    contended: set[str] = set()
    for op in history.ops:
        if not op.is_client:
            continue
        if op.type != INVOKE:
            open_ops.pop(op.process, None)
            continue
        keys, writes = _keys(op)
        for key in keys:
            if any(other == key and (writes or wrote) for other, wrote in open_ops.values()):
                contended.add(key)
            open_ops[op.process] = (key, writes)
    return len(contended)


def _keys(op: Op) -> tuple[list[str], bool]:
    if isinstance(op.value, dict) and "key" in op.value:
        return [str(op.value["key"])], op.f != "read"
    if op.f == "txn" and isinstance(op.value, list):
        return [str(mop[1]) for mop in op.value], any(mop[0] != "r" for mop in op.value)
    return [op.f], op.f != "read"
