"""All recorded histories of others, in their own formats, by `check` as users call it: the verdict that the manifest expects, row by row.

Two rows are a peer's verdict that a right checker contradicts if it is taken to the letter; they are told where they are judged.
"""

from collections import Counter
from pathlib import Path

import pytest

from harness.case import Question
from harness.judge import judge_path

CORPORA = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"
MANIFEST = CORPORA / "manifest.tsv"
pytestmark = pytest.mark.skipif(not MANIFEST.is_file(), reason="no recorded histories here")
LEVELS = ("read-committed", "read-atomic", "causal")  # weakest first
BROKEN = {"violates SER": "serializable", "violates SI": "snapshot-isolation", "violates TCC": "causal"}
# What the files do not say of themselves: a bank's total, and that its accounts may be overdrawn.
BANKS = {"bank.edn": {"total": 100}, "bank-neg.edn": {"total": 30, "negative": True}, "bank-negative-balances.json": {"total": 100}}


def rows():
    if not MANIFEST.is_file():
        return []
    return [line.split("\t") for line in MANIFEST.read_text().splitlines()[1:]]


def judged(path, **question):
    results = judge_path(CORPORA / path, Question(**question))
    assert results.valid is not None, (path, results.error)
    return results


def as_expected(path, format, expected):
    """(what came out, what was expected)."""
    if expected.startswith("strongest weak level"):
        kept = [level for level in LEVELS if judged(path, consistency=level).valid is True]
        strongest = kept[-1] if kept else "none"
        return (strongest, kept), (expected.split(": ")[1], list(LEVELS[: len(kept)]))
    if expected in BROKEN:
        return judged(path, consistency=BROKEN[expected]).valid, False
    if "bank" in format:
        return judged(path, options=BANKS[Path(path).name]).valid, not expected.startswith("INVALID")
    # EDN set: the manifest's verdict is that of Jepsen's set, the last read alone; elle-cli's set-full verdict takes [0 i] literally,
    # though the reads hold plain i (unwrapped, nothing is lost: test_corpora.py).
    model = {"EDN set": "set", "EDN set-full": "set-full"}.get(format, "")
    return judged(path, as_model=model).valid, not expected.lower().startswith(("not", "invalid"))


def test_every_row_of_the_manifest():
    wrong, kinds = [], Counter()
    for path, format, _, expected, _ in rows():
        found, wanted = as_expected(path, format, expected)
        kinds[path.split("/")[0]] += 1
        if found != wanted:
            wrong.append((path, format, expected, found))
    assert not wrong
    assert sum(kinds.values()) == 162


def test_rw_register_json_reads_what_nobody_wrote():
    """Elle says valid; ours is right: the file's only read returns 3, and no transaction ever tried to write 3."""
    results = judged("ligurio+elle-cli/histories/elle/rw-register.json")
    assert results.valid is False and "garbage-read" in results.counts


def test_cock_g2_is_snapshot_isolated_though_not_serializable():
    for model, valid in (("snapshot-isolation", True), ("serializable", False)):
        assert judged("DBCobra+CobraLogs/ser-violation/cock-G2", consistency=model).valid is valid
