"""Consistency models: the table against Elle's own, where that is at hand, and the relations that everyone relies on."""

import re
from pathlib import Path

import pytest

from checkers.models import model_named, prohibited, ruled_out, strongest, table, weakest
from harness.errors import UsageError

ELLE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "elle_models.tsv"


def test_there_are_36_models_and_each_name_means_one():
    assert len(table().implies) == 36
    assert model_named("PL-3") == model_named("serializable") == "serializable"
    assert model_named("PL-SS") == model_named("strong-serializable") == model_named("Strict-Serializable") == "strict-serializable"
    assert model_named("causal") == "causal-cerone" and model_named("causal", transactions=False) == "causal"
    with pytest.raises(UsageError, match="'acid'"):
        model_named("acid")


def test_implication_is_an_order():
    implies = table().implies
    for model, weaker in implies.items():
        for other in weaker:
            assert implies[other] <= weaker
            assert other == model or model not in implies[other]
            assert prohibited(other) <= prohibited(model)


def test_what_each_anomaly_rules_out_at_least():
    assert weakest(ruled_out(["G0"])) == ["read-uncommitted"]
    assert weakest(ruled_out(["G1a"])) == weakest(ruled_out(["garbage-read"])) == ["read-committed"]
    assert weakest(ruled_out(["G-single-item"])) == ["consistent-view", "repeatable-read"]
    assert weakest(ruled_out(["G-nonadjacent-item"])) == ["repeatable-read", "snapshot-isolation"]
    assert weakest(ruled_out(["G2-item"])) == ["repeatable-read"]
    assert weakest(ruled_out(["fractured-read"])) == ["consistent-view", "read-atomic", "repeatable-read"]
    assert weakest(ruled_out(["lost-update"])) == ["cursor-stability", "update-atomic"]
    assert weakest(ruled_out(["G2-item-process"])) == ["strong-session-serializable"]
    assert weakest(ruled_out(["G1c-realtime"])) == ["strong-read-committed"]
    assert ruled_out(["G2-item-realtime"]) == {"strict-serializable"}
    assert ruled_out([]) == frozenset()


def test_the_strongest_of_several():
    assert strongest(["read-committed", "snapshot-isolation", "serializable", "strong-snapshot-isolation"]) == [
        "serializable",
        "strong-snapshot-isolation",
    ]


def test_ten_models_and_linearizable_prohibit_nothing():
    nothing = sorted(model for model in table().implies if not prohibited(model))
    assert nothing == [
        "1SR", "PRAM", "causal", "linearizable", "monotonic-reads", "monotonic-writes", "read-your-writes", "sequential",
        "session-serializable", "view-serializable", "writes-follow-reads",
    ]  # fmt: skip


@pytest.mark.skipif(not ELLE.is_file(), reason="Elle's table is not beside this checkout")
def test_the_table_says_what_elle_says():
    models, anomalies, _ = ELLE.read_text().split("\n\n")
    written = {"GSI": "G-SI", "GSIa": "G-SIa", "GSIb": "G-SIb"}  # Elle's two parts write these differently
    for line in models.splitlines()[1:]:
        name, _, listed = [*line.split("\t"), "", ""][:3]
        expected = {anomaly for anomaly in listed.split() if not anomaly.endswith("-cycle-exists")}
        ours = prohibited(model_named(re.sub(r" \(.*", "", name), transactions=False))
        cycles = {weak + suffix for weak in ("non-monotonic-read", "fractured-read", "causality-violation") for suffix in ("", "-process")}
        whole = {name + suffix for name in ("nonserializable", "not-snapshot-isolated") for suffix in ("", "-process", "-realtime")}
        assert ours - {"garbage-read", "G-SIa"} - cycles - whole == expected, name
    for line in anomalies.splitlines()[1:]:
        name, _, implied = line.partition("\t")
        meaning = table().meaning[written.get(name, name)]
        assert {written.get(other, other) for other in implied.split()} <= meaning
