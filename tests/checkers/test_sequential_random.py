"""Sequential, causal and PRAM consistency of registers against their definitions (oracle_memory.py), on random small histories."""

import random
from typing import NamedTuple

import pytest

from checkers.sequential import CausalRegister, PramRegister, SequentialRegister, verify_witness
from harness.checker import CheckContext
from tests.checkers import oracle_linearizable
from tests.checkers import oracle_memory as oracle

MODELS = ("sequential", "causal", "PRAM", "convergent")
OF_KIND = {"unique": MODELS, "cas": MODELS, "duplicates": ("sequential", "PRAM"), "observing-cas": MODELS[:1], "crashing": MODELS[:1]}


class Compared(NamedTuple):
    differences: list[str]
    ops: int
    invalid: dict[str, bool]
    crashed: bool
    unknown: dict[str, bool]


def checker(model, kind):
    options = {"register": "register" if kind in ("unique", "duplicates") else "cas-register"}
    options["failed_cas"] = "observes" if kind == "observing-cas" else "nothing"
    if model == "sequential":
        return SequentialRegister(**options)
    return PramRegister(**options) if model == "PRAM" else CausalRegister(one_order=model == "convergent", **options)


def by_definition(history, model, kind):
    if model == "sequential":
        return oracle.sequential(history, kind == "observing-cas")
    return oracle.converges(history) if model == "convergent" else oracle.views(history, model == "causal")


def compare(history, kind):
    """What the checkers say differently from the oracle; unknown is allowed where values repeat or refusals observe."""
    differences, invalid, unknown = [], {}, {}
    for model in OF_KIND[kind]:
        verdict = checker(model, kind).check(history, CheckContext(expected=model))
        right = by_definition(history, model, kind)
        invalid[model] = not right
        unknown[model] = verdict.valid == "unknown"
        sees = any(call.outcome == "ok" and call.invoke.f != "write" for call in history.calls())
        sees |= kind == "observing-cas" and any(call.outcome == "fail" and call.invoke.f == "cas" for call in history.calls())
        unsure = model != "sequential" and kind != "unique"
        if verdict.valid == "unknown":
            if sees and not (unsure and "certain" in verdict.reason):
                differences.append(f"{model}: unknown ({verdict.reason})")
        elif verdict.valid is not right:
            differences.append(f"{model}: verdict {verdict.valid}, by definition {right}")
        differences += [f"{model}: no proof: {a.message}" for a in verdict.anomalies if not verify_witness(history, a)]
    calls = list(history.calls())
    return Compared(differences, len(calls), invalid, any(call.outcome == "info" for call in calls), unknown)


@pytest.mark.parametrize("kind", oracle.KINDS)
def test_random_histories_are_judged_as_the_definitions_say(kind):
    histories = [oracle.random_history(random.Random(f"{kind} {i}"), kind) for i in range(300)]
    compared = [compare(history, kind) for history in histories]
    for i, one in enumerate(compared):
        assert not one.differences, (kind, i, one.differences, [(op.process, op.type, op.f, op.value) for op in histories[i].ops])
    assert sum(one.crashed for one in compared) >= 0.2 * len(compared)
    assert sum(one.ops for one in compared) >= 6 * len(compared)
    for model in OF_KIND[kind]:
        assert sum(one.invalid[model] for one in compared) >= 0.3 * len(compared), model


def test_strings_that_are_appended_to_are_searched():
    invalid = 0
    for i in range(300):
        history = oracle_linearizable.random_history(random.Random(f"sequential kv {i}"), "kv")
        verdict = SequentialRegister("kv").check(history, CheckContext(expected="sequential"))
        right = oracle.sequential(history, initial="")
        assert verdict.valid is right or (verdict.valid == "unknown" and "nothing was observed" in verdict.reason), i
        assert all(verify_witness(history, anomaly) for anomaly in verdict.anomalies), (i, verdict.anomalies)
        invalid += not right
    assert invalid >= 0.2 * 300
