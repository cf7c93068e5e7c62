"""Counters and banks recorded by others get the verdicts that their tests expect, with and without --as."""

import csv
from pathlib import Path

import pytest

from checkers.as_models import MODELS
from harness.checker import CheckContext
from harness.history.infer import infer_model
from harness.history.read import read_history
from harness.registry import find

CORPORA = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"
MANIFEST = CORPORA / "manifest.tsv"
pytestmark = pytest.mark.skipif(not MANIFEST.is_file(), reason="the corpora are not beside the repository")
TOTALS = {"bank.edn": 100, "bank-neg.edn": 30, "bank-negative-balances.json": 100}  # not in the files
TYPES = {"bank-negative-balances.json": {"negative-value": 1}}


def recorded():
    if not MANIFEST.is_file():
        return []
    with MANIFEST.open(newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["format"].split()[-1] in ("bank", "counter")]
    return [(row["path"], row["format"].split()[1], row["expected"] == "valid") for row in rows]


def test_the_manifest_has_banks_and_a_counter():
    assert len(recorded()) >= 4


@pytest.mark.parametrize(("path", "model", "valid"), recorded())
def test_a_recorded_history_gets_its_verdict(path, model, valid):
    history = read_history(CORPORA / path)
    assert infer_model(history) == model
    name = Path(path).name
    for options in ({}, {"total": TOTALS[name]} if model == "bank" else {}):
        [spec] = MODELS[model].checkers
        verdict = find("checkers", spec.name)(**options).check(history, CheckContext(expected=MODELS[model].consistency))
        assert (verdict.valid, verdict.counts) == (valid, TYPES.get(name, {}))
