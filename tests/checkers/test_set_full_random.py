"""The set-full checker against its definitions, written down naively (oracle_set_full.py), on random small histories."""

import random
from collections import Counter
from typing import NamedTuple

import msgspec
import pytest

from checkers.set_full import SetFull, verify_witness
from checkers.set_full.checker import SHOWN
from tests.checkers import oracle_set_full as oracle


class Compared(NamedTuple):
    differences: list[str]
    calls: int
    verdict: bool | str
    crashed: bool
    types: list[str]


def compare(history, context):
    """What the checker says differently from the oracles."""
    wanted = oracle.by_definition(history, context)
    strict = SetFull().check(history, msgspec.structs.replace(context, expected="linearizable"))
    weak = SetFull().check(history, msgspec.structs.replace(context, expected="sequential"))
    differences = []
    types = Counter(type_ for type_, _ in wanted["types"])
    together = strict.counts.get("nonlinearizable", 0)
    if "remove" not in {op.f for op in history.ops} and (strict.valid is not False) != oracle.is_linearizable(history, context):
        differences.append(f"verdict {strict.valid}, but a search of all orders says otherwise")
    if together and wanted["strict"] is False:
        differences.append("reads contradict each other, and an element has a finding already")
    for verdict, want in ((strict, False if together else wanted["strict"]), (weak, wanted["weak"])):
        if verdict.valid is not want and verdict.valid != want:
            differences.append(f"verdict {verdict.valid} ({verdict.reason}), by definition {want}")
        counts = {type_: count for type_, count in verdict.counts.items() if type_ != "nonlinearizable"}
        shown = {(a.type, oracle.name(a.witness["element"])) for a in verdict.anomalies if a.type != "nonlinearizable"}
        if counts != types or not (shown == wanted["types"] if max(types.values(), default=0) <= SHOWN else shown < wanted["types"]):
            differences.append(f"found {sorted(shown)}, by definition {sorted(wanted['types'])}")
        for anomaly in verdict.anomalies:
            if not verify_witness(history, anomaly):
                differences.append(f"no proof: {anomaly.type} {anomaly.message}")
            lacking = wanted["nodes"].get(oracle.name(anomaly.witness.get("element")))
            if anomaly.type == "lost-write" and lacking and set(anomaly.witness["nodes"]) != lacking:
                differences.append(f"nodes {anomaly.witness['nodes']}: {anomaly.message}")
    differences += _against_orders(history, context, wanted["types"])
    size = oracle.size(history)
    found = [type_ for type_, _ in wanted["types"]] + ["nonlinearizable"] * together
    return Compared(differences, size["calls"], strict.valid, size["crashed"] > 0, found)


def _against_orders(history, context, found):
    """Without removes, an element has an order exactly if nothing is found about it; with removes, what is found has none."""
    told = {element for type_, element in found if type_ in ("lost-write", "stale-read", "phantom-element", "resurrected")}
    ops = oracle.operations(history, context)
    removed = {o.value for o in ops if o.f == "remove"}
    for element in {o.value for o in ops if o.f != "read"} | told:
        legal = oracle.has_order(history, context, element)
        if legal and element in told:
            yield f"{element}: found {found}, but it has an order"
        if not legal and element not in told and element not in removed:
            yield f"{element} has no order, but nothing was found"


@pytest.mark.parametrize("seed", range(4))
def test_random_histories_are_judged_as_the_definitions_say(seed):
    pairs = [oracle.random_history(random.Random(seed * 10**6 + i)) for i in range(500)]
    compared = [compare(history, context) for history, context in pairs]
    for i, one in enumerate(compared):
        assert not one.differences, (seed, i, one.differences, [(op.process, op.type, op.f, op.value) for op in pairs[i][0].ops])
    verdicts = Counter(one.verdict for one in compared)
    assert verdicts[False] >= 0.3 * len(compared)
    assert verdicts[True] >= 0.2 * len(compared)
    assert sum(one.crashed for one in compared) >= 0.2 * len(compared)
    assert sum(one.calls for one in compared) >= 6 * len(compared)
    assert {type_ for one in compared for type_ in one.types} == {
        "lost-write", "stale-read", "never-read", "duplicate-element", "phantom-element", "resurrected", "nonlinearizable",
    }  # fmt: skip
