"""Unique ids: is no id given out twice?

Decides    whether two `generate` ops that succeeded gave the same id (compared by type and value).
Right      an id that an ok op gave was given out; two ops with one id break uniqueness, whatever their order in time.
Unknown    no generate that succeeded.
Rules out  no consistency model: it is the promise of the service itself, `duplicate-id`.
Source     Jepsen's unique-ids; semantics.md 10.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import Any, ClassVar

from checkers.acts import Act, acts_by_key, in_key, of_key, strange
from checkers.findings import Findings
from checkers.transactions.txns import ident, plain, show
from harness.checker import CheckContext
from harness.history.history import History
from harness.verdict import Anomaly, Verdict

DUPLICATE = "duplicate-id"
SHOWN_IDS = 48


class UniqueIds:
    """Judges `generate` ops, whose completion is the id; with keys, ids are unique within their key."""

    name: ClassVar[str] = "unique-ids"

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"attempted", "acknowledged", "duplicated": {id: times} of the first 48, "range": [lowest, highest] of ids of one type}.
        counts: ids that were given out more than once."""
        findings = Findings(context.expected, [DUPLICATE])
        attempted, given, duplicated = 0, 0, {}
        values: list[Any] = []
        for key, acts in acts_by_key(history).items():
            attempted += len(acts)
            holders = _holders(acts)
            given += sum(map(len, holders.values()))
            values += [plain(id_) for id_ in holders]
            for id_, owners in holders.items():
                if len(owners) > 1:
                    duplicated[in_key(key) + show(id_)] = len(owners)
                    findings.add(DUPLICATE, (), partial(_tell, key, id_, owners))
        facts: dict[str, Any] = {"attempted": attempted, "acknowledged": given}
        facts["duplicated"] = dict(sorted(duplicated.items(), key=lambda item: (-item[1], item[0]))[:SHOWN_IDS])
        if values and (all(type(value) is int for value in values) or all(type(value) is str for value in values)):
            facts["range"] = [min(values), max(values)]
        return findings.verdict(facts, "" if given else "no generate succeeded, so no id was seen")


def _holders(acts: list[Act]) -> dict[Hashable, list[Act]]:
    holders: dict[Hashable, list[Act]] = {}
    for act in acts:
        if act.f != "generate":
            raise strange(act, f"{act.f!r} is not `generate`")
        if act.ok:
            holders.setdefault(ident(act.given), []).append(act)
    return holders


def _tell(key: Hashable, id_: Hashable, owners: list[Act]) -> Anomaly:
    quoted = " and ".join(f"#{act.call}{act.place} (process {act.process})" for act in owners[:4])
    more = f" and {len(owners) - 4} others" if len(owners) > 4 else ""
    message = f"{in_key(key)}the id {show(id_)} was given out {len(owners)} times: to {quoted}{more}"
    return Anomaly(
        DUPLICATE,
        message,
        sorted(index for act in owners[:4] for index in act.ops),
        key=plain(key),
        witness={"id": plain(id_), "given": [act.call for act in owners[:4]]},
    )


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if two or more of the quoted ops succeeded and gave that very id."""
    given = {act.call: act.given for act in of_key(history, anomaly.key) if act.ok}
    quoted = set(anomaly.witness["given"])
    return len(quoted) > 1 and all(call in given and ident(given[call]) == ident(anomaly.witness["id"]) for call in quoted)
