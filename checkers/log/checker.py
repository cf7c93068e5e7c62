"""The log checker: findings and cycles against what is allowed, with figures on how far polls came.

Decides    see the package's opening.
Right      rules.py for what needs no cycle, reach.py for what nobody polled, cycles.py for circles of values.
Unknown    see the package's opening.
Rules out  G1a and G1c what checkers/data/models.tsv says; all others are the log's own promise.
Source     see the package's opening.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from checkers.findings import Findings, broken_by
from checkers.log.cycles import dependencies, find
from checkers.log.logs import Logs, Named
from checkers.log.ops import read
from checkers.log.reach import all_findings, figures
from checkers.log.rules import (
    DUPLICATE,
    G1A,
    GARBAGE,
    INCONSISTENT,
    INT_POLL_BACK,
    INT_POLL_SKIP,
    INT_SEND_BACK,
    INT_SEND_SKIP,
    LOST,
    POLL_BACK,
    POLL_SKIP,
    PRECOMMITTED,
    SEND_BACK,
    UNSEEN,
    Finding,
)  # fmt: skip
from checkers.log.story import tell, tell_cycle
from checkers.transactions.cycles import CYCLE_TYPES
from checkers.transactions.edges import WW
from checkers.transactions.txns import show
from harness.checker import CheckContext
from harness.errors import UsageError
from harness.history.history import History
from harness.verdict import Verdict

SEVERITY = (
    INCONSISTENT, GARBAGE, LOST, DUPLICATE, G1A, PRECOMMITTED, POLL_SKIP, POLL_BACK, INT_POLL_SKIP, INT_POLL_BACK, SEND_BACK, INT_SEND_BACK,
    UNSEEN, *CYCLE_TYPES, INT_SEND_SKIP,
)  # fmt: skip


class Log:
    """Judges `send`, `poll`, `txn`, `assign`, `subscribe`, `crash`; shapes in ops.py and docs/checkers.md."""

    name: ClassVar[str] = "log"
    options: ClassVar[dict[str, str]] = {"final": "true if the history ends with polls of everything: what nobody polled is then a finding"}

    def __init__(self, final: bool = False) -> None:
        if type(final) is not bool:
            raise UsageError(f"final is {final!r}", way_out="give -o final=true or -o final=false")
        self.final = final

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"ops", "keys", "values": placed in a log, "acknowledged"} and those of reach.figures. counts: findings, allowed ones too;
        of cycles, components."""
        logs = Logs(read(history))
        found, names = all_findings(logs, self.final)
        findings = Findings(context.expected, SEVERITY)
        for one in found:
            models = broken_by(one.type) if one.type in (G1A, GARBAGE) else ()
            findings.add(one.type, models, partial(tell, one, logs), always=True, allowed=one.allowed)
        _look_for_cycles(logs, findings)
        facts = {
            "ops": len(logs.ops),
            "keys": len({key for key, _ in logs.senders} | logs.at.keys()),
            "values": len(logs.places),
            "acknowledged": sum(any(sender.ok for sender in senders) for senders in logs.senders.values()),
            **figures(logs, names),
        }
        return findings.verdict(facts, _unknown(logs, names, found))


def _look_for_cycles(logs: Logs, findings: Findings) -> None:
    """Those of polls alone are forbidden, as the model expected forbids them; those that need the log's order are shown."""
    polled, behind = dependencies(logs)
    for cycle in find(logs, polled):
        findings.add(cycle.type, broken_by(cycle.type), partial(tell_cycle, cycle, logs, polled))
    for cycle in find(logs, behind):
        if any(kind == WW for _, kind, _ in cycle.steps):
            findings.add(cycle.type, [], partial(tell_cycle, cycle, logs, behind), allowed=True)


def _unknown(logs: Logs, names: Sequence[Named], found: Sequence[Finding]) -> str:
    if logs.repeated:
        (key, value), senders = next(iter(logs.repeated.items()))
        calls = " and ".join(f"#{sender.call}" for sender in senders[:2])
        return f"{show(value)} is sent to {show(key)} twice ({calls}): a poll of it does not say which one it saw"
    if not logs.read:
        return "no poll that succeeded gave a value, so nothing was observed"
    open_ = len(names) - sum(one.type == UNSEEN for one in found)
    if open_:
        seen = {(one.key, one.values[0]) for one in found if one.type == UNSEEN}
        key, value = next(name for name in names if name not in seen)
        call = next(sender.call for sender in logs.senders[key, value] if sender.ok)
        return f"{open_} acknowledged values were never polled (first {show(value)} of {show(key)}, #{call}), and no poll came past them"
    return ""
