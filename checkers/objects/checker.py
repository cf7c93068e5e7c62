"""The checker of objects of any model: each object by the complete search, anomalies with the smallest window that proves them.

Decides    see the package's opening.
Right      see search.py; every anomaly is proved again by witness.py in the tests.
Unknown    objects whose search exceeds the budget of configurations; a history in which nobody observed anything.
Rules out  linearizable, strict-serializable.
Source     see search.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from checkers.linearizable.operations import show, thaw
from checkers.objects.calls import objects_of, vocabulary
from checkers.objects.machine import Machine
from checkers.objects.model import Model
from checkers.objects.models import make_model
from checkers.objects.operations import UNKNOWN, Operation
from checkers.objects.search import BUDGET, OutOfBudget, search_model
from checkers.objects.story import next_ops, tell
from checkers.objects.window import smallest
from checkers.settings import refuse_nonsense
from harness.checker import CheckContext
from harness.history.history import History
from harness.verdict import Anomaly, Verdict

SHOWN = 8
RULED_OUT = ["linearizable", "strict-serializable"]
DECIDED = frozenset({"", "linearizable", "strict-serializable"})


class Linearizable:
    """Options: model (a name, or a user's ./file.py:Class) and its settings; keyed auto | tuple; failed_cas nothing | observes; budget."""

    name: ClassVar[str] = "linearizable"
    options: ClassVar[dict[str, str]] = {
        "model": "the object: a name of `splitbrain list models`, or your own, ./my_model.py:Class",
        "keyed": "auto, or tuple: every value is [key, value]",
        "failed_cas": "nothing: a refused op observed nothing; observes: a refused cas found another value than its old one",
        "budget": "configurations that the search of one object may look at",
        "initial": "the state at the start, of a register, multi-register or counter",
        "permits": "how many permits a semaphore has at the start",
        "holder": "who may release a mutex: process (who holds it), or anyone",
        "smallest_first": "true: a priority queue gives its smallest element first",
    }

    def __init__(
        self, model: str = "register", keyed: str = "auto", failed_cas: str = "nothing", budget: int = BUDGET, **settings: Any
    ) -> None:
        refuse_nonsense(keyed=keyed, failed_cas=failed_cas, budget=budget)
        self.model_name, self.settings = model, settings
        self.model = make_model(model, settings)
        self.keyed, self.failed_cas, self.budget = keyed, failed_cas, budget

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"keys": n, "objects": n}. Anomalies: one an object, at most 8, those with the smallest window first."""
        if history.by_sessions:
            return Verdict("unknown", reason="only the order within each session is known, so real time proves nothing")
        objects = objects_of(history, vocabulary(self.model), self.model, self.keyed, self.failed_cas)
        bad: list[Anomaly] = []
        spent: list[Any] = []
        for (key, _), operations in objects.items():
            try:
                anomaly = judge_object(key, operations, self.model, self.witness_of(), self.budget)
            except OutOfBudget:
                spent.append(key)
                continue
            if anomaly is not None:
                bad.append(anomaly)
        facts = {"keys": len({key for key, _ in objects}), "objects": len(objects)}
        if bad:
            return self._invalid(bad, facts, context)
        if spent:
            of = "" if spent[0] is None else f" (first: {show(spent[0])})"
            reason = f"{len(spent)} of {len(objects)} objects need more than {self.budget} configurations{of}"
            return Verdict("unknown", reason=reason, facts=facts)
        if not any(observes(operations, self.model) for operations in objects.values()):
            return Verdict(
                "unknown", reason=f"nobody observed anything of the {self.model.name}: no op that completed ok tells", facts=facts
            )
        return Verdict(True, holds=["linearizable"], facts=facts)

    def witness_of(self) -> dict[str, Any]:
        """What a verifier needs to read the history as it was read here."""
        return {
            "rule": "search",
            "model": self.model_name,
            "settings": self.settings,
            "keyed": self.keyed,
            "failed_cas": self.failed_cas,
        }

    def _invalid(self, bad: list[Anomaly], facts: dict[str, Any], context: CheckContext) -> Verdict:
        anomalies = sorted(bad, key=lambda anomaly: (len(anomaly.ops), anomaly.ops))[:SHOWN]
        if context.expected in DECIDED:
            return Verdict(False, anomalies=anomalies, counts={"nonlinearizable": len(bad)}, not_models=list(RULED_OUT), facts=facts)
        reason = f"it is not linearizable ({len(bad)} objects); whether it is {context.expected} is not decided by this checker"
        return Verdict("unknown", reason=reason, not_models=list(RULED_OUT), facts={**facts, "nonlinearizable": len(bad)})


def observes(operations: Sequence[Operation], model: Model) -> bool:
    """Whether an op that completed tells something of the object."""
    machine = Machine(model)
    return any(model.tells(machine.seen_as(op)) for op in operations if not op.crashed)


def judge_object(key: Any, operations: Sequence[Operation], model: Model, witness: dict[str, Any], budget: int = BUDGET) -> Anomaly | None:
    """The anomaly of one object, or None if its operations have an order. Raises OutOfBudget.

    witness: `Linearizable.witness_of()`; another checker that calls this sets model, settings, keyed and failed_cas alike.
    """
    stuck = search_model(operations, model, budget)
    if stuck is None:
        return None
    window = smallest(operations, stuck, model)
    following = next_ops(window, model)
    indices = sorted({index for op in window.operations for index in (op.index, op.done) if index >= 0})
    told = {
        "begin": window.begin,
        "parts": window.parts,
        "starts": [{"state": model.state_text(start.state), "acted": sorted(start.acted)} for start in window.starts],
        "operations": [_quote(op) for op in window.operations],
        "stuck": window.stuck.op.call,
        "next": [
            {
                "call": other.op.call,
                "possible": other.possible,
                "impossible": [{"state": state, "why": why} for state, why in other.impossible],
            }
            for other in following
        ],
    }
    message = tell(window, model, following)
    return Anomaly("nonlinearizable", message, indices, None, thaw(key), list(RULED_OUT), {**witness, **told})


def _quote(op: Operation) -> dict[str, Any]:
    result = None if op.result is UNKNOWN else thaw(op.result)
    quote = {"f": op.f, "argument": thaw(op.argument), "result": result, "process": op.process, "call": op.call}
    return {**quote, "ret": None if op.crashed else op.ret}
