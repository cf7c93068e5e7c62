"""The set-full checker: each set of a history by the rules, against the model promised, with figures on staleness.

Decides    see the package's opening.
Right      lost, phantom and duplicate elements break every model of a set; stale reads break only those that imply linearizability, and so
           does an element that comes back for a while after its removal, and reads that contradict each other.
Unknown    no read that succeeded; nothing observed of any element that was added.
Rules out  linearizable, strict-serializable.
Source     semantics.md 10 (set, set-full); DESIGN 8 (final reads are judged node by node).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Any, ClassVar, NamedTuple

from checkers.models import table, weakest
from checkers.set_full.calls import Calls, Read, by_key, last_reads, show
from checkers.set_full.judge import LOST, NEVER, RESURRECTED, SEVERITY, STALE, Finding, findings
from checkers.set_full.order import contradiction
from checkers.set_full.story import PAIR, RULED_OUT, staleness, tell, tell_pair
from checkers.set_full.sweep import Sweep
from harness.checker import CheckContext
from harness.errors import UsageError
from harness.history.history import History
from harness.verdict import Verdict

SHOWN = 8
MODES = ("set-full", "set")
QUANTILES = (0, 0.5, 0.95, 0.99, 1)


class _Found(NamedTuple):
    key: Hashable
    calls: Calls
    final: list[Read]
    finding: Finding


class SetFull:
    """Option: mode set-full | set. `set` judges the last read alone (of each node, where ops name nodes); stale reads go unseen."""

    name: ClassVar[str] = "set-full"

    def __init__(self, mode: str = "set-full") -> None:
        if mode not in MODES:
            raise UsageError(f"set-full has no mode {mode!r}", way_out=f"choose one of: {', '.join(MODES)}")
        self.mode = mode

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Holds: linearizable, of a valid history without removes that was judged by it.

        Facts: {"adds": {outcome: n}, "reads", "elements", "known", "seen", "lost", "stale", "never_read", "stale_ms"?, "most_stale"?}.
        Anomalies: the worst type first, at most 8 of a type; counts: elements (of nonlinearizable: keys).
        """
        found: list[_Found] = []
        sets: list[tuple[Hashable, Calls, Sweep]] = []
        facts: Counter[str] = Counter()
        outcomes: Counter[str] = Counter()
        for key, calls in by_key(history).items():
            final = _final_reads(history, calls, context)
            if self.mode == "set":
                calls.reads = final = last_reads(calls.reads)
                final.sort(key=lambda read: read.ret)
            sweep = Sweep(calls)
            sets.append((key, calls, sweep))
            found += [_Found(key, calls, final, finding) for finding in findings(calls, sweep, final)]
            outcomes.update(calls.outcomes)
            facts.update({"reads": len(calls.reads), "elements": len(calls.adds.keys() | calls.failed.keys()), "known": len(sweep.known)})
            facts.update({"seen": len(sweep.seen), "proved": len(sweep.seen | sweep.gone)})
        verdict = self._compose(history, found, outcomes, facts, strict(context.expected), context.expected)
        if self.mode == "set-full" and verdict.valid is not False and strict(context.expected):
            _look_at_pairs(verdict, sets)
        return verdict

    def _compose(
        self, history: History, found: list[_Found], outcomes: Counter[str], figures: Counter[str], is_strict: bool, expected: str
    ) -> Verdict:
        counts = Counter(one.finding.type for one in found)
        broken = {one.finding.type for one in found if _breaks(one.finding, is_strict)}
        facts: dict[str, Any] = {"adds": {kind: outcomes[kind] for kind in ("ok", "fail", "info")}}
        facts.update({name: figures[name] for name in ("reads", "elements", "known", "seen")})
        facts.update({"lost": counts[LOST], "stale": counts[STALE], "never_read": counts[NEVER], **_stale_facts(history, found)})
        order = [type_ for type_ in SEVERITY if type_ in broken] + [type_ for type_ in SEVERITY if type_ in counts and type_ not in broken]
        shown = [one for type_ in order for one in _worst_first(history, [one for one in found if one.finding.type == type_])[:SHOWN]]
        anomalies = [tell(history, one.key, one.calls, one.finding, one.final) for one in shown]
        counted = {type_: counts[type_] for type_ in order}
        violated = weakest(RULED_OUT) if counts.keys() - {NEVER} else []
        if broken:
            return Verdict(False, anomalies=anomalies, counts=counted, not_models=violated, facts=facts)
        reason = _tolerated(counts, expected)
        if not figures["reads"]:
            reason = "no read succeeded, so nobody knows what became of the elements"
        elif not figures["proved"]:
            reason = "no read tells anything about an element that was added, so nothing was observed"
        valid = bool(figures["reads"] and figures["proved"])
        return Verdict(valid or "unknown", reason, anomalies, counted, violated, facts=facts)


def _look_at_pairs(verdict: Verdict, sets: list[tuple[Hashable, Calls, Sweep]]) -> None:
    """Each element is right by itself: are they together? If so, sets that were only added to are linearizable."""
    pairs = [tell_pair(key, calls, found) for key, calls, sweep in sets if (found := contradiction(calls, sweep)) is not None]
    if pairs:
        verdict.valid, verdict.reason, verdict.not_models = False, "", weakest(RULED_OUT)
        verdict.anomalies = pairs[:SHOWN] + verdict.anomalies
        verdict.counts = {PAIR: len(pairs), **verdict.counts}
    elif verdict.valid is True and not any(calls.removes for _, calls, _ in sets):
        verdict.holds = ["linearizable"]


def strict(expected: str) -> bool:
    """Whether the model promised implies linearizability; no name means linearizable."""
    known = table()
    names = {other.lower(): model for other, model in known.names.items()}
    return not expected or "linearizable" in known.implies.get(names.get(expected.lower(), ""), frozenset())


def _breaks(finding: Finding, is_strict: bool) -> bool:
    if finding.type in (STALE, RESURRECTED):
        return is_strict or finding.lasts
    return finding.type != NEVER


def _tolerated(counts: Counter[str], expected: str) -> str:
    said = []
    if allowed := [f"{type_} ×{counts[type_]}" for type_ in (STALE, RESURRECTED) if counts[type_]]:
        said.append(f"it is not linearizable ({', '.join(allowed)}), which {expected} does not promise")
    if counts[NEVER]:
        said.append(f"it tells nothing about {counts[NEVER]} acknowledged elements that no later read could show")
    return "; ".join(said)


def _final_reads(history: History, calls: Calls, context: CheckContext) -> list[Read]:
    """Of a run, the reads that were invoked in its final phase; a file has no phases."""
    starts = [phase.start for phase in context.phases if phase.name == "final"]
    return [read for read in calls.reads if starts and history.ops[read.call].time >= min(starts)]


def _worst_first(history: History, found: list[_Found]) -> list[_Found]:
    """The stalest first; the others by the moment at which they show."""
    if found and found[0].finding.type == STALE:
        return sorted(found, key=lambda one: -staleness(history, one.finding))
    return sorted(found, key=lambda one: one.finding.known or one.finding.reads[0].ret)


def _stale_facts(history: History, found: list[_Found]) -> dict[str, Any]:
    """How late stale elements came, in ms: quantiles over them, and the 8 that were worst."""
    stale = sorted(((staleness(history, one.finding), one) for one in found if one.finding.type == STALE), key=lambda pair: -pair[0])
    if not stale:
        return {}
    ascending = [round(latency / 1e6, 6) for latency, _ in reversed(stale)]
    quantiles = {str(q): ascending[min(len(ascending) - 1, int(q * len(ascending)))] for q in QUANTILES}
    return {"stale_ms": quantiles, "most_stale": [[show(one.finding.element), round(latency / 1e6, 6)] for latency, one in stale[:8]]}
