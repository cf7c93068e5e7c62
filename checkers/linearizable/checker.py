"""The register checker: each key by the cheapest complete criterion, anomalies with the smallest window that proves them.

Decides    see the package's opening.
Right      zones for unique values without observing failures; the search for everything else.
Unknown    keys whose search exceeds the budget of configurations.
Rules out  linearizable, strict-serializable.
Source     see zones.py and search.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from checkers.linearizable.operations import INFINITY, READ, Operation, by_key, unique_values
from checkers.linearizable.search import OutOfBudget, search
from checkers.linearizable.story import tell_conflict, tell_stuck
from checkers.linearizable.window import smallest
from checkers.linearizable.zones import conflict
from harness.checker import CheckContext
from harness.history.history import History
from harness.verdict import Anomaly, Verdict

SHOWN = 8
RULED_OUT = ["linearizable", "strict-serializable"]
DECIDED = frozenset({"", "linearizable", "strict-serializable"})


class LinearizableRegister:
    """Options: model register | cas-register | kv; keyed auto | tuple; initial (null; "" for kv); failed_cas nothing | observes; budget."""

    name: ClassVar[str] = "linearizable-register"

    def __init__(
        self, model: str = "register", keyed: str = "auto", initial: Any = None, failed_cas: str = "nothing", budget: int = 2_000_000
    ) -> None:
        self.model, self.keyed, self.failed_cas, self.budget = model, keyed, failed_cas, budget
        self.initial = "" if model == "kv" and initial is None else initial

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"keys": n, "by_zones": n, "by_search": n}. Anomalies: one a key, at most 8, keys with the smallest window first."""
        keys = by_key(history, self.keyed, self.failed_cas, self.model)
        bad: list[tuple[Any, Anomaly]] = []
        spent: list[Any] = []
        zoned = 0
        for key, operations in keys.items():
            zoned += self._by_zones(operations)
            try:
                anomaly = self._judge(key, operations)
            except OutOfBudget:
                spent.append(key)
                continue
            if anomaly is not None:
                bad.append((key, anomaly))
        facts = {"keys": len(keys), "by_zones": zoned, "by_search": len(keys) - zoned}
        if bad:
            return self._invalid(bad, facts, context)
        if spent:
            reason = f"{len(spent)} of {len(keys)} keys need more than {self.budget} configurations (first: {spent[0]!r})"
            return Verdict("unknown", reason=reason, facts=facts)
        return Verdict(True, holds=["linearizable"], facts=facts)

    def _invalid(self, bad: list[tuple[Any, Anomaly]], facts: dict[str, Any], context: CheckContext) -> Verdict:
        anomalies = sorted((anomaly for _, anomaly in bad), key=lambda anomaly: (len(anomaly.ops), anomaly.ops))[:SHOWN]
        if context.expected in DECIDED:
            return Verdict(False, anomalies=anomalies, counts={"nonlinearizable": len(bad)}, not_models=list(RULED_OUT), facts=facts)
        reason = f"it is not linearizable ({len(bad)} keys); whether it is {context.expected} is not decided by this checker"
        return Verdict("unknown", reason=reason, not_models=list(RULED_OUT), facts={**facts, "nonlinearizable": len(bad)})

    def _by_zones(self, operations: Sequence[Operation]) -> bool:
        return unique_values(operations, self.initial)

    def _judge(self, key: Any, operations: list[Operation]) -> Anomaly | None:
        if self._by_zones(operations):
            found = conflict(operations, self.initial)
            if found is None:
                return None
            quoted = [op for op in found.ops if op.call >= 0]
            message, kind = tell_conflict(found, operations)
            return self._anomaly(key, message, kind, quoted, {"rule": found.rule})
        stuck = search(operations, self.initial, self.budget)
        if stuck is None:
            return None
        cause = [op for op in operations if op.call < stuck.op.ret]
        cause = [op if op.ret <= stuck.op.ret else op._replace(ret=INFINITY) for op in cause]
        window = smallest(cause, stuck.op, self.initial, self.budget)
        again = search(window, self.initial, self.budget)
        assert again is not None, "the window of a history that has no linearization has none"
        message, kind = tell_stuck(again, window, self.initial)
        states = [repr(state) for state in again.states]
        return self._anomaly(key, message, kind, window, {"rule": "search", "states": states, "stuck": again.op.index})

    def _anomaly(self, key: Any, message: str, kind: str | None, ops: Sequence[Operation], witness: dict[str, Any]) -> Anomaly:
        indices = sorted({index for op in ops for index in (op.index, op.done) if index >= 0})
        quoted = [{"f": op.f, "a": op.a, "b": op.b, "call": op.call, "ret": None if op.ret == INFINITY else op.ret} for op in ops]
        witness = {**witness, "initial": self.initial, "operations": quoted, "reads": sum(op.f == READ for op in ops)}
        return Anomaly("nonlinearizable", message, indices, kind, key, list(RULED_OUT), witness)
