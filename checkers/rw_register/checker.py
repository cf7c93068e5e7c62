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

from checkers.models import model_named, prohibited
from checkers.rw_register.dependencies import Dependencies, dependencies
from checkers.rw_register.fractured import fractures
from checkers.rw_register.orders import ASSUMABLE
from checkers.rw_register.phenomena import phenomena
from checkers.rw_register.search import find_cycles
from checkers.rw_register.story import tell_cycle, tell_cyclic, tell_finding, tell_fracture
from checkers.rw_register.versions import Versions
from checkers.transactions.composition import SHOWN, STRICT, compose, first_of_each, shown
from checkers.transactions.txns import Txn, read_register_txns, show
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


class RwRegister:
    """Options: consistency, the model promised, without it the context's, else strict-serializable; and Elle's assumptions on keys."""

    name: ClassVar[str] = "rw-register"
    options: ClassVar[dict[str, str]] = {
        "wfr-keys": "true: assume that whoever reads a version of a key and writes the key writes the next one",
        "sequential-keys": "true: assume that each key is sequentially consistent",
        "linearizable-keys": "true: assume that each key is linearizable",
    }

    def __init__(self, consistency: str = "", **assumed: Any) -> None:
        self.consistency = model_named(consistency) if consistency else ""
        for name, value in assumed.items():
            if name not in ASSUMABLE or not isinstance(value, bool):
                raise UsageError(f"rw-register has no option {name}={value!r}", way_out=f"true or false for one of {', '.join(ASSUMABLE)}")
        self.assumed = tuple(name for name in ASSUMABLE if assumed.get(name))

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"txns", "ok", "fail", "info", "keys"}. Anomalies: those that the promised model prohibits first, at most 8 of a type;
        counts: of a cycle's type, components that have it; of the others, transactions that show it."""
        expected = self.consistency or model_named(context.expected or STRICT)
        return judge(read_register_txns(history), expected, self.assumed)


def judge(txns: Sequence[Txn], expected: str, assumed: Sequence[str] = ()) -> Verdict:
    """The verdict on transactions by all rules."""
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
        return Verdict("unknown", reason=_twice(versions), facts=facts)
    findings = phenomena(versions)
    found = dependencies(versions, assumed)
    counts = Counter(finding.type for finding in findings)
    anomalies = [tell_finding(finding) for finding in first_of_each(findings, SHOWN)]
    _add_cycles(versions, found, counts, anomalies)
    if not counts and not any(reading.txn.outcome == OK for key in versions.keys.values() for reading in key.readings):
        return Verdict("unknown", reason="no transaction that read anything succeeded, so nothing was observed", facts=facts)
    return compose(counts, anomalies, expected, facts, BY_CYCLES)


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
