"""Registers that promise less than linearizability: which checker decides the model that is expected.

Why it exists  whoever names a weaker model wants that one judged; what is linearizable keeps all of these models, so they are asked only
               where a history is not (or where nobody can say).
Relies on      the table of models for names; the checkers of the models for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checkers.models import model_named, weakest
from harness.checker import CheckContext, Checker
from harness.history.history import History
from harness.verdict import Verdict

STRICT = frozenset({"linearizable", "strict-serializable"})


def model_of(expected: str) -> str:
    """The model's own name; no name means linearizable."""
    if not expected or expected in STRICT:
        return expected or "linearizable"
    return model_named(expected, transactions=False)


def checker_of(model: str, sessions: Mapping[str, Any], options: Mapping[str, Any]) -> Checker | None:
    """The checker that decides a model of single objects, None if none does. sessions: `versions`, `one_order`, where a model has them."""
    from checkers.sequential import CausalRegister, PramRegister, SequentialRegister
    from checkers.sessions import MonotonicReads, MonotonicWrites, ReadYourWrites, WritesFollowReads

    if model == CausalRegister.model:
        return CausalRegister(one_order=sessions.get("one_order", False), **options)
    for memory in (SequentialRegister, PramRegister):
        if memory.model == model:
            return memory(**options)
    for guarantee in (MonotonicReads, MonotonicWrites, ReadYourWrites, WritesFollowReads):
        if guarantee.name == model:
            return guarantee(**sessions, **options)
    return None


def judge(checker: Checker | None, model: str, history: History, context: CheckContext, strict: Verdict) -> Verdict:
    """The verdict on the weaker model; `strict` is that on linearizability, not valid."""
    broken = sum(strict.counts.values())
    facts = {**strict.facts, **({"nonlinearizable": broken} if broken else {})}
    allowed = f"it is not linearizable ({broken} keys)" if broken else ""
    if checker is None:
        seen = allowed or f"whether it is linearizable is not known ({strict.reason})"
        reason = f"{seen}; whether it is {model} is not decided by this checker"
        return Verdict("unknown", reason=reason, not_models=strict.not_models, facts=facts)
    verdict = checker.check(history, context)
    verdict.facts = {**facts, **verdict.facts}
    if verdict.valid is not False:
        if verdict.valid is True and allowed:
            verdict.reason = f"{allowed}, which {model} does not promise"
        verdict.anomalies, verdict.counts = strict.anomalies, dict(strict.counts)
    verdict.not_models = weakest({*verdict.not_models, *strict.not_models})
    return verdict
