"""Set histories recorded by others get the verdicts that their tests expect."""

import csv
from pathlib import Path

import pytest

from checkers.as_models import MODELS
from checkers.set_full import SetFull, verify_witness
from harness.checker import CheckContext
from harness.history.infer import infer_model
from harness.history.read import read_history

CORPORA = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"
MANIFEST = CORPORA / "manifest.tsv"
pytestmark = pytest.mark.skipif(not MANIFEST.is_file(), reason="the corpora are not beside the repository")


def recorded():
    """(path, name for --as, whether it is valid) of the manifest's histories of sets."""
    if not MANIFEST.is_file():
        return []
    with MANIFEST.open(newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["format"] in ("EDN set", "EDN set-full")]
    return [(row["path"], row["format"].split()[1], row["expected"] == "valid") for row in rows]


def test_the_manifest_has_histories_of_sets():
    assert len(recorded()) >= 2


@pytest.mark.parametrize(("path", "model", "valid"), recorded())
def test_a_recorded_history_gets_its_verdict(path, model, valid):
    history = read_history(CORPORA / path)
    assert infer_model(history) == "set-full"
    for name in (model, "set-full"):
        [spec] = MODELS[name].checkers
        verdict = SetFull(**spec.options).check(history, CheckContext(expected=MODELS[name].consistency))
        assert verdict.valid is valid
        assert bool(verdict.anomalies) is not valid
        assert all(verify_witness(history, anomaly) for anomaly in verdict.anomalies)
