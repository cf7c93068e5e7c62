"""The register checker: each key by the cheapest complete criterion, anomalies with the smallest window that proves them.

Decides    see the package's opening.
Right      zones for unique values without observing failures; the search for everything else.
Unknown    keys whose search exceeds the budget of configurations.
Rules out  linearizable, strict-serializable.
Source     see zones.py and search.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from checkers.linearizable.operations import CAS, NOT, READ, WRITE, Operation, by_key, freeze, thaw, unique_values
from checkers.linearizable.search import OutOfBudget, Stuck, prepare, search
from checkers.linearizable.story import next_ops, tell_conflict, tell_stuck
from checkers.linearizable.weaker import STRICT, checker_of, judge, model_of
from checkers.linearizable.window import smallest
from checkers.linearizable.zones import conflict
from checkers.settings import refuse_nonsense
from harness.checker import CheckContext
from harness.history.columns import Columns
from harness.history.history import History
from harness.op import FAIL
from harness.verdict import Anomaly, Verdict

SHOWN = 8
TELLING = 20_000  # configurations that finding the states for a sentence may cost
RULED_OUT = ["linearizable", "strict-serializable"]


class LinearizableRegister:
    """Options: model register | cas-register | kv; keyed auto | tuple; initial (null; "" for kv); failed_cas nothing | observes; budget."""

    name: ClassVar[str] = "linearizable-register"
    options: ClassVar[dict[str, str]] = {
        "initial": "the value that a register starts with (null)",
        "keyed": "auto, or tuple: every value is [key, value]",
        "failed_cas": "nothing: a refused cas observed nothing; observes: it read another value than its old one",
        "budget": "configurations that the search of one key may look at",
        "versions": "session guarantees: what orders versions beside what they demand: session | realtime | ext",
        "one_order": "session guarantees and causal: true: all processes must agree on one order of the versions",
    }

    def __init__(
        self,
        model: str = "register",
        keyed: str = "auto",
        initial: Any = None,
        failed_cas: str = "nothing",
        budget: int = 2_000_000,
        versions: str = "session",
        one_order: bool = False,
    ) -> None:
        refuse_nonsense(keyed=keyed, failed_cas=failed_cas, budget=budget)
        self.model, self.keyed, self.failed_cas, self.budget = model, keyed, failed_cas, budget
        self.initial = "" if model == "kv" and initial is None else freeze(initial)
        self.sessions = {"versions": versions, "one_order": one_order}
        if versions != "session" or one_order is not False:
            checker_of("monotonic-reads", self.sessions, {})  # says now what is wrong with them

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"keys": n, "by_zones": n, "by_search": n}. Anomalies: one a key, at most 8, keys with the smallest window first.

        With a weaker model expected: what is linearizable keeps it; what is not is judged by that model's checker (weaker.py).
        """
        model = model_of(context.expected)
        options = {"register": self.model, "keyed": self.keyed, "initial": thaw(self.initial), "failed_cas": self.failed_cas}
        weaker = None if model in STRICT else checker_of(model, self.sessions, options)
        verdict = self._strictly(history)
        if model in STRICT or verdict.valid is True:
            return verdict
        return judge(weaker, model, history, context, verdict)

    def _strictly(self, history: History) -> Verdict:
        """Linearizability."""
        if history.by_sessions:
            return Verdict("unknown", reason="only the order within each session is known, so real time proves nothing")
        sifted = self._sift(history)
        if sifted is not None:
            few, total, observed = sifted
            verdict = self._check(few, observed=observed)
            verdict.facts |= {"keys": total, "by_zones": total}
            return verdict
        return self._check(history)

    @staticmethod
    def compile_kernels(columns: Columns) -> None:
        """Compile the kernels by judging a small history."""
        from checkers.linearizable.compiled import compiled_search
        from checkers.linearizable.swift import sift

        sift(columns)
        write, read = (Operation(f, 1, None, call, call + 1, call, call + 1, 0) for f, call in ((WRITE, 0), (READ, 2)))
        compiled_search([write, read], prepare([write, read]), None, 10)

    def _sift(self, history: History) -> tuple[History, int, bool] | None:
        """(the ops of keys that are not linearizable, how many keys there are, whether any read succeeded); None: not by this road."""
        if history.columns is None or self.initial is not None or self.keyed == "tuple":
            return None
        from checkers.linearizable.swift import sift

        sifted = sift(history.columns)
        if sifted is None:
            return None
        return History(history.columns.of_keys(sifted.bad)), sifted.keys, sifted.observed

    def _check(self, history: History, *, observed: bool = False) -> Verdict:
        """observed: it is known already that some read succeeded."""
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
            return self._invalid(bad, facts)
        if spent:
            reason = f"{len(spent)} of {len(keys)} keys need more than {self.budget} configurations (first: {spent[0]!r})"
            return Verdict("unknown", reason=reason, facts=facts)
        if not observed and not _answers(history, keys):
            return Verdict("unknown", reason="no read and no cas succeeded, so nothing was observed", facts=facts)
        return Verdict(True, holds=["linearizable"], facts=facts)

    def _invalid(self, bad: list[tuple[Any, Anomaly]], facts: dict[str, Any]) -> Verdict:
        anomalies = sorted((anomaly for _, anomaly in bad), key=lambda anomaly: (len(anomaly.ops), anomaly.ops))[:SHOWN]
        return Verdict(False, anomalies=anomalies, counts={"nonlinearizable": len(bad)}, not_models=list(RULED_OUT), facts=facts)

    def _by_zones(self, operations: Sequence[Operation]) -> bool:
        return unique_values(operations, self.initial)

    def _judge(self, key: Any, operations: list[Operation]) -> Anomaly | None:
        if self._by_zones(operations):
            found = conflict(operations, self.initial)
            if found is None:
                return None
            message, kind = tell_conflict(found, operations)
            return self._anomaly(key, message, kind, _relaxed(found.ops, operations), found.rule)
        stuck = search(operations, self.initial, self.budget)
        if stuck is None:
            return None
        window = smallest(operations, stuck, self.initial)
        again = _again(window, self.initial, stuck)
        message, kind = tell_stuck(again, window, operations, self.initial)
        anomaly = self._anomaly(key, message, kind, window, "search")
        anomaly.witness |= {"stuck": again.op.call, "next": next_ops(again)}
        return anomaly

    def _anomaly(self, key: Any, message: str, kind: str | None, ops: Sequence[Operation], rule: str) -> Anomaly:
        indices = sorted({index for op in ops for index in (op.index, op.done) if index >= 0})
        quoted = [
            {"f": op.f, "a": thaw(op.a), "b": thaw(op.b), "call": op.call, "ret": None if op.crashed else op.ret}
            for op in sorted(ops, key=lambda op: op.call)
        ]
        witness: dict[str, Any] = {"rule": rule, "model": self.model, "keyed": self.keyed, "failed_cas": self.failed_cas}
        witness |= {"initial": thaw(self.initial), "operations": quoted}
        return Anomaly("nonlinearizable", message, indices, kind, thaw(key), list(RULED_OUT), witness)


def _answers(history: History, keys: Mapping[Any, Sequence[Operation]]) -> bool:
    """Whether any client was told anything: a read or a cas that succeeded, or a cas that was refused (which need not mean much)."""
    told = any(op.f in (READ, NOT) or (op.f == CAS and not op.crashed) for ops in keys.values() for op in ops)
    return told or any(op.f == CAS and op.type == FAIL for op in history.ops)


def _relaxed(ops: Sequence[Operation], operations: Sequence[Operation]) -> list[Operation]:
    """A cas whose old value's writer is not among the ops counts as a write: that demands less, and needs no more ops to explain it."""
    absent = {op.written for op in operations if op.f != READ} - {op.written for op in ops if op.f != READ}
    ops = [op for op in ops if op.call >= 0]
    return [op._replace(f=WRITE, a=op.b, b=None) if op.f == CAS and op.a in absent else op for op in ops]


def _again(window: Sequence[Operation], initial: Any, stuck: Stuck) -> Stuck:
    """Where the window gets stuck, with the real states if that is cheap to say."""
    for exact in (True, False):
        try:
            again = search(window, initial, TELLING, exact=exact)
        except OutOfBudget:
            continue
        assert again is not None, "the window of a history that has no linearization has none"
        return again
    return stuck
