"""The rw-register checker: phenomena, cycles, the models that they rule out, and those that still hold.

Decides    see the package's opening.
Right      see the package's opening.
Unknown    see the package's opening.
Rules out  what checkers/data/models.tsv says for each type.
Source     Kingsbury & Alvaro, Elle, PVLDB 2020; Adya, Weak Consistency, 1999.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

from checkers.models import model_named, prohibited, ruled_out
from checkers.rw_register.complete import settle
from checkers.rw_register.dependencies import Dependencies, dependencies
from checkers.rw_register.fractured import fractures
from checkers.rw_register.orders import ASSUMABLE
from checkers.rw_register.phenomena import phenomena
from checkers.rw_register.search import find_cycles
from checkers.rw_register.story import tell_cycle, tell_cyclic, tell_finding, tell_fracture
from checkers.rw_register.swift import compile_all, evident, has_serial_order, prepare
from checkers.rw_register.versions import Versions
from checkers.transactions.composition import DECIDED, SHOWN, STRICT, compose, first_of_each, shown
from checkers.transactions.txns import NEVER, Txn, read_register_txns, show
from harness.checker import CheckContext
from harness.errors import UsageError
from harness.history.history import History
from harness.op import OK
from harness.verdict import Anomaly, Verdict

# Every order of the writes that wr (and process or real time) leaves open serves these: their cycles alone decide them.
BY_CYCLES = frozenset({
    "read-uncommitted", "read-committed", "strong-session-read-uncommitted", "strong-session-read-committed", "strong-read-uncommitted",
    "strong-read-committed", "read-atomic",
})  # fmt: skip

OF_REAL_TIME = frozenset({"strong-read-uncommitted", "strong-read-committed"})  # nothing is known of it in a file of sessions


class RwRegister:
    """Options: consistency, the model promised, without it the context's, else strict-serializable; and Elle's assumptions on keys."""

    name: ClassVar[str] = "rw-register"
    options: ClassVar[dict[str, str]] = {
        "wfr_keys": "true: assume that whoever reads a version of a key and writes the key writes the next one",
        "sequential_keys": "true: assume that each key is sequentially consistent",
        "linearizable_keys": "true: assume that each key is linearizable",
    }

    def __init__(
        self, consistency: str = "", wfr_keys: bool = False, sequential_keys: bool = False, linearizable_keys: bool = False
    ) -> None:
        self.consistency = model_named(consistency) if consistency else ""
        chosen = dict(zip(ASSUMABLE, (wfr_keys, sequential_keys, linearizable_keys), strict=True))
        for name, value in chosen.items():
            if not isinstance(value, bool):
                raise UsageError(f"{name} is true or false, not {value!r}", way_out=f"give {name}=true, or leave it out")
        self.assumed = tuple(name for name, value in chosen.items() if value)

    @staticmethod
    def warm(history: History) -> None:
        """Compile what is not compiled yet before the check is forked, outside its budget."""
        if history.txns is not None:
            prepare()

    @staticmethod
    def compile_kernels(_: object) -> None:
        """Compile what large histories are judged with, by judging a small one."""
        compile_all()

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"txns", "ok", "fail", "info", "keys"}. Anomalies: those that the promised model prohibits first, at most 8 of a type;
        counts: of a cycle's type, components that have it; of the others, transactions that show it."""
        expected = self.consistency or model_named(context.expected or STRICT)
        if prohibited(expected) and not history.by_sessions:
            facts = evident(history)
            if facts is not None:
                return compose(Counter(), [], expected, facts, DECIDED)
        return judge(read_register_txns(history), expected, self.assumed, by_sessions=history.by_sessions)


def judge(txns: Sequence[Txn], expected: str, assumed: Sequence[str] = (), *, by_sessions: bool = False) -> Verdict:
    """The verdict on transactions by all rules. by_sessions: positions of different processes say nothing about real time."""
    timed = txns
    if by_sessions:
        txns = [txn._replace(ret=NEVER) for txn in txns]
    versions = Versions(txns)
    outcomes = Counter(txn.outcome for txn in txns)
    facts: dict[str, Any] = {
        "txns": len(txns),
        "ok": outcomes["ok"],
        "fail": outcomes["fail"],
        "info": outcomes["info"],
        "keys": len(versions.keys),
    }
    if not prohibited(expected):
        return Verdict("unknown", reason=f"transactions of registers neither break nor confirm {expected}", facts=facts)
    if versions.repeated is not None:
        return _without_versions(timed, expected, facts, assumed, _twice(versions), by_sessions=by_sessions)
    if not by_sessions and has_serial_order(txns):
        return compose(Counter(), [], expected, facts, DECIDED)
    findings = phenomena(versions)
    found = dependencies(versions, assumed)
    counts = Counter(finding.type for finding in findings)
    anomalies = [tell_finding(finding) for finding in first_of_each(findings, SHOWN)]
    _add_cycles(versions, found, counts, anomalies)
    if not counts and not any(reading.txn.outcome == OK for key in versions.keys.values() for reading in key.readings):
        return Verdict("unknown", reason="no transaction that read anything succeeded, so nothing was observed", facts=facts)
    violated = ruled_out(counts)
    settled = settle(timed, expected, violated, assumed, by_sessions=by_sessions)
    fresh = [anomaly for anomaly in settled.anomalies if anomaly.type not in counts]
    counts.update({type_: count for type_, count in settled.counts.items() if type_ not in counts})
    decided = BY_CYCLES - OF_REAL_TIME if by_sessions else BY_CYCLES
    return compose(counts, [*anomalies, *fresh], expected, facts, decided | settled.holds, settled.undecided)


def _without_versions(
    txns: Sequence[Txn], expected: str, facts: dict[str, Any], assumed: Sequence[str], reason: str, *, by_sessions: bool
) -> Verdict:
    """A value was written twice: what asks for an order of transactions, whatever the versions are, may decide all the same."""
    settled = settle(txns, expected, frozenset(), assumed, by_sessions=by_sessions)
    if settled.counts or settled.holds:
        return compose(Counter(settled.counts), settled.anomalies, expected, facts, frozenset(settled.holds), settled.undecided or reason)
    return Verdict("unknown", reason=reason, facts=facts)


def _twice(versions: Versions) -> str:
    repeated = versions.repeated
    assert repeated is not None
    if repeated.value is None:
        start = f"null, the state of {show(repeated.key)} at the start, is written to it (#{repeated.second})"
        return f"{start}: a read of it does not say which one it saw"
    ops = f"#{repeated.first}, #{repeated.second}"
    return f"{show(repeated.value)} is written to {show(repeated.key)} twice ({ops}): a read of it does not say which one it saw"


def _add_cycles(versions: Versions, found: Dependencies, counts: Counter[str], anomalies: list[Anomaly]) -> None:
    cycles = find_cycles(versions.txns, versions.committed, found)
    broken = fractures(versions, found.always)
    counts.update(cycle.type for cycle in cycles)
    counts.update({"cyclic-versions": len(found.cyclic), "fractured-read": len(broken)})
    for type_ in [type_ for type_, count in counts.items() if not count]:
        del counts[type_]
    by_suffix = {"process": found.process, "realtime": found.realtime}
    anomalies += [tell_cyclic(claims) for claims in found.cyclic[:SHOWN]]
    anomalies += [tell_cycle(cycle, versions.txns, by_suffix.get(cycle.type.rpartition("-")[2], found.always)) for cycle in shown(cycles)]
    anomalies += [tell_fracture(fracture) for fracture in sorted(broken, key=lambda one: len(one.steps))[:SHOWN]]
