"""The weak levels against their definitions (oracle_weak_isolation.py) on random small histories; the fast road against the exact one."""

import random
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from checkers.transactions.txns import read_register_txns
from checkers.weak_isolation import WeakIsolation, verify_witness
from checkers.weak_isolation import swift as fast_road
from checkers.weak_isolation.checker import compose
from checkers.weak_isolation.levels import LEVELS, TYPES, judge
from harness.checker import CheckContext
from harness.history.formats import plume
from harness.history.session_columns import read_plume
from tests.checkers import oracle_weak_isolation as oracle


class Compared(NamedTuple):
    differences: list[str]
    txns: int
    crashed: bool
    broken: list[str]  # levels, with session order
    types: list[str]
    unclear: bool


def drawn(seed):
    """(history, whether its first transaction precedes all others)."""
    rng = random.Random(seed)
    first = rng.random() < 0.2
    return oracle.random_history(rng, first), first


def compare(history, first, thorough=True):
    """What the levels say differently from their definitions, what the witnesses do not prove; `thorough`: also without session order, and
    which cycle could be shorter."""
    txns = read_register_txns(history)
    differences = []
    broken = []
    unclear = oracle.unclear(history)
    for sessions in (True, False)[: 1 + thorough]:
        for level in oracle.LEVELS:
            kept = oracle.keeps(history, level, sessions, first)
            judgement = judge(txns, LEVELS[level], sessions=sessions, first=first)
            if (judgement.unclear is not None) != unclear:
                differences.append(f"unclear by definition: {unclear}")
            if judgement.broken is not None and kept:
                differences.append(f"{level}, sessions {sessions}: told as broken, though an order exists")
            if judgement.broken is None and not kept and not unclear:
                differences.append(f"{level}, sessions {sessions}: told as kept, though no order exists")
            if sessions and not kept:
                broken.append(level)
    judgement = judge(txns, sessions=True, first=first)
    differences += _against_the_verdict(history, judgement, broken, unclear)
    if thorough and not unclear:
        differences += _against_the_shortest(history, judgement, first)
    verdict = WeakIsolation().check(history, CheckContext(expected="causal"))
    for anomaly in verdict.anomalies:
        if not verify_witness(history, anomaly):
            differences.append(f"no proof: {anomaly.type} {anomaly.message}")
    crashed = any(call.outcome == "info" for call in history.calls())
    return Compared(differences, len(txns), crashed, broken, list(verdict.counts), unclear)


def _against_the_verdict(history, judgement, broken, unclear):
    for level in oracle.LEVELS:
        verdict = compose(judgement, "causal-cerone" if level == "causal" else level, True)
        if not any(mop[0] == "r" for op in history.ops if op.type == "ok" for mop in op.value):
            assert verdict.valid == "unknown" and "nothing was observed" in verdict.reason
        elif not unclear:
            kept = [name for name in oracle.LEVELS if name not in broken]
            if (verdict.valid, verdict.holds) != (level not in broken, kept[-1:]):
                yield f"{level}: {verdict.valid}, holds {verdict.holds}, by definition broken: {broken}"
            if bool(broken) != bool(verdict.not_models) or (broken and level in broken and not verdict.anomalies):
                yield f"{level}: not {verdict.not_models}, {len(verdict.anomalies)} anomalies, by definition broken: {broken}"


def _against_the_shortest(history, judgement, first):
    names = {type_: level.name.lower().replace("_", "-") for level, type_ in TYPES.items()}
    for cycles in judgement.cycles:
        base, sessions = cycles.type.removesuffix("-process"), cycles.type.endswith("-process")
        length = min(len(steps) for _, steps in cycles.cycles)
        least = oracle.shortest_cycle(history, names[base], sessions, first)
        if length != least:
            yield f"{cycles.type}: a cycle of {length}, though one of {least} exists"


@pytest.mark.parametrize("seed", range(4))
def test_random_histories_are_judged_as_the_definitions_say(seed):
    pairs = [drawn(seed * 10**6 + i) for i in range(250)]
    compared = [compare(history, first) for history, first in pairs]
    for i, one in enumerate(compared):
        assert not one.differences, (seed, i, one.differences, [(op.process, op.type, op.value) for op in pairs[i][0].ops])
    count = len(compared)
    assert sum("read-committed" in one.broken for one in compared) >= 0.3 * count
    assert 0.3 * count <= sum("causal" in one.broken for one in compared) <= 0.7 * count
    assert sum(one.crashed for one in compared) >= 0.2 * count
    assert sum(one.txns for one in compared) >= 6 * count
    assert 0 < sum(one.unclear for one in compared) <= 0.1 * count
    types = {type_ for one in compared for type_ in one.types}
    assert types >= {"garbage-read", "G1b", "future-read", "internal", "G1c", "G1c-process", "causality-violation-process"}
    assert types >= {weak + suffix for weak in ("non-monotonic-read", "fractured-read") for suffix in ("", "-process")}


def text_of(history):
    """A random history as Plume's text, without the transactions of unknown outcome, which it cannot say."""
    lines = []
    calls = [call for call in history.calls() if call.outcome != "info"]
    for number, call in enumerate(calls):
        ok = call.outcome == "ok"
        session = 0 if history.header.get("first_txn") and number == 0 else call.invoke.process + 1
        for f, k, v in call.completion.value if ok else call.invoke.value:
            if ok or f == "w":
                lines.append(f"{f}({10 if k == '1' else k},{v or 0},{session},{number if ok else -1})\n")
    return "".join(lines).encode()


def difference_of_roads(seed):
    """(what the fast road says otherwise, or "", the types that it finds or its verdict)."""
    return difference_in(text_of(drawn(seed)[0]) or b"r(1,0,1,1)\n")  # all of unknown outcome: nothing to write


def difference_in(data):
    """The same of a file."""
    exact = plume.read_lines(Path("text"), data)
    fast = read_plume(data, lambda: exact)
    if fast is None or fast.header != exact.header or list(fast.ops[:]) != exact.ops:
        return f"read as another history: {data!r}", []
    one, other = (WeakIsolation().check(history, CheckContext(expected="causal")) for history in (exact, fast))
    for field in ("valid", "reason", "counts", "not_models", "holds", "facts"):
        if getattr(one, field) != getattr(other, field):
            return f"{field}: {getattr(one, field)} by the exact road, {getattr(other, field)} by the fast one: {data!r}", []
    if [anomaly.type for anomaly in one.anomalies] != [anomaly.type for anomaly in other.anomalies]:
        return f"other witnesses: {data!r}", []
    unproved = [anomaly.message for anomaly in other.anomalies if not verify_witness(exact, anomaly)]
    return f"not proved: {unproved}" if unproved else "", list(other.counts) or [str(other.valid)]


def test_a_value_that_the_reader_writes_too_has_one_explanation_on_both_roads():
    assert difference_in(b"r(2,1,0,0)\nw(1,1,0,0)\nr(1,1,1,1)\nw(1,1,1,1)\nw(2,1,1,1)\n") == ("", ["G1c"])


@pytest.mark.parametrize("clocks", [True, False])
def test_the_fast_road_says_what_the_exact_one_says(clocks, monkeypatch):
    if not clocks:
        monkeypatch.setattr(fast_road, "CLOCKS", 0)  # so that causes take passes
    seen = Counter()
    for seed in range(600):
        difference, types = difference_of_roads(seed)
        assert not difference
        seen.update(types)
    assert min(seen[type_] for type_ in ("True", "unknown", "G1c", "G1b", "causality-violation", "causality-violation-process")) > 0, seen
