"""Recorded histories of other tools, each in its own format, get their known verdict.

They lie beside this checkout (corpora/manifest.tsv names each with its format and verdict) and are no part of it.
"""

import time
from pathlib import Path

import msgspec
import pytest

from checkers.linearizable import verify_witness as verify_register
from checkers.list_append import verify_witness as verify_lists
from harness.case import known_models
from harness.checker import CheckContext
from harness.history.history import History
from harness.history.infer import infer_model
from harness.history.read import read_history
from harness.registry import find

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"
MANIFEST = CORPORA / "manifest.tsv"
pytestmark = pytest.mark.skipif(not MANIFEST.is_file(), reason="the recorded histories of others are not beside this checkout")
BUDGET_S = 60


def rows(*words):
    """(path, expected verdict) of the rows whose format has one of the words."""
    if not MANIFEST.is_file():
        return []
    table = [line.split("\t") for line in MANIFEST.read_text().splitlines()[1:]]
    wanted = [row for row in table if any(word in row[1] for word in words)]
    return [(row[0], not row[3].lower().startswith(("not", "invalid"))) for row in wanted]


def judge(path, model=""):
    """The verdict by the model that the ops show (or the one given), and the history; all checkers of the model but the counts."""
    history = read_history(CORPORA / path)
    found = known_models()[model or infer_model(history)]
    return judged(history, found), history


def judged(history, model):
    (spec,) = model.checkers
    return find("checkers", spec.name)(**spec.options).check(history, CheckContext(expected=model.consistency))


REGISTERS = [row for row in rows("cas-register", "kv EDN") if "rw-register" not in row[0]]


def test_all_register_histories_get_their_known_verdict_in_a_minute():
    """49 logs of Jepsen's etcd test, 5 of Porcupine's kv, 62 of Knossos', 5 of elle-cli's."""
    start, wrong, invalid, sizes = time.perf_counter(), [], 0, []
    for path, expected in REGISTERS:
        verdict, history = judge(path)
        if verdict.valid is not expected:
            wrong.append((path, verdict.valid, verdict.reason))
        invalid += verdict.valid is False
        for anomaly in verdict.anomalies:
            sizes.append(len(anomaly.witness["operations"]))
            if sizes[-1] <= 14:  # a proof by trying every order
                assert verify_register(history, anomaly), (path, anomaly.message)
    assert not wrong
    assert sorted(sizes)[len(sizes) // 2] <= 4 and max(sizes) <= 30  # of up to 2,000 operations
    assert (len(REGISTERS), invalid) == (121, 46)
    assert time.perf_counter() - start < BUDGET_S


def test_failed_cas_that_observe_change_none_of_these_verdicts():
    specs = known_models()["cas-register"].checkers
    for path, expected in REGISTERS[:49]:
        history = read_history(CORPORA / path)
        checker = find("checkers", specs[0].name)(**specs[0].options, failed_cas="observes")
        verdict = checker.check(history, CheckContext(expected="linearizable"))
        assert verdict.valid is expected, path
        small = [anomaly for anomaly in verdict.anomalies if len(anomaly.witness["operations"]) <= 14]
        assert all(verify_register(history, anomaly) for anomaly in small)


@pytest.mark.parametrize(("path", "types"), [("huge-scc.edn", {"G-single-item-realtime"}), ("paper-example.edn", {"G-single-item"})])
def test_list_append(path, types):
    verdict, history = judge(f"jepsen-io+elle/{path}")
    assert verdict.valid is False and set(verdict.counts) == types
    assert all(verify_lists(history, anomaly) for anomaly in verdict.anomalies if len(anomaly.ops) <= 8)


SETS = "ligurio+elle-cli/histories/jepsen"


def test_set():
    verdict, _ = judge(f"{SETS}/set.edn", "set")
    assert verdict.valid is True


def test_set_full_taken_literally_and_unwrapped():
    """The adds are of [0, i], keyed tuples, the reads of plain i. Literally all are lost (so the manifest); unwrapped, all are there."""
    verdict, history = judge(f"{SETS}/set_full.edn", "set-full")
    assert verdict.valid is False and verdict.counts["lost-write"] == 293
    unwrapped = [msgspec.structs.replace(op, value=op.value[1]) if op.f == "add" else op for op in history.ops]
    assert judged(History(unwrapped), known_models()["set-full"]).valid is True
