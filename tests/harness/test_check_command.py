"""`splitbrain check` as a user calls it: exit codes, JSON, results.json's fields, and paths that are no history."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
VALID = [(0, "invoke", "write", 1), (0, "ok", "write", 1), (0, "invoke", "read", None), (0, "ok", "read", 1)]
STALE = [*VALID[:2], (0, "invoke", "write", 2), (0, "ok", "write", 2), (0, "invoke", "read", None), (0, "ok", "read", 1)]
LOST = [(0, "invoke", "add", 1), (0, "ok", "add", 1), (0, "invoke", "read", None), (0, "ok", "read", [])]
UNREAD = [(0, "invoke", "add", 1), (0, "ok", "add", 1)]
FIELDS = {"schema", "path", "valid", "reason", "error", "checkers", "anomalies", "counts", "expected", "not", "holds"}
FIELDS |= {"coverage", "notes", "seed"}


def splitbrain(*arguments):
    command = [sys.executable, "-P", "-m", "splitbrain", *map(str, arguments)]
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=60)


@pytest.fixture
def files(tmp_path):
    """One file of each outcome by name."""

    def write(name, ops):
        path = tmp_path / f"{name}.jsonl"
        lines = [{"index": i, "time": i, "process": p, "type": t, "f": f, "value": v} for i, (p, t, f, v) in enumerate(ops)]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return path

    (tmp_path / "unreadable.jsonl").write_text('{"index": 0, "type": "invoke"\n{"no": "history"}\n')
    return {
        "valid": write("valid", VALID),
        "invalid": write("invalid", STALE),
        "lost": write("lost", LOST),
        "unknown": write("unknown", UNREAD),
        "unreadable": tmp_path / "unreadable.jsonl",
        "missing": tmp_path / "missing.jsonl",
    }


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("valid", 0, "VALID"),
        ("invalid", 1, "INVALID"),
        ("lost", 1, "lost-write"),
        ("unknown", 2, "UNKNOWN"),
        ("unreadable", 254, "line 1"),
        ("missing", 254, "cannot be read"),
    ],
)
def test_the_exit_code_is_the_verdicts(files, name, code, says):
    ended = splitbrain("check", files[name])
    assert (ended.returncode, "Traceback" in ended.stderr) == (code, False), ended.stderr
    assert says in (ended.stderr if code == 254 else ended.stdout)
    assert str(files[name]) in ended.stdout + ended.stderr
    assert ("Way out:" in ended.stderr) == (code == 254)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (["valid", "valid"], 0),
        (["unknown", "valid"], 2),
        (["invalid", "unknown", "valid"], 1),
        (["unreadable", "invalid", "valid"], 254),
    ],
)
def test_of_several_paths_the_worst_decides_and_json_has_a_line_each(files, given, code):
    ended = splitbrain("check", *(files[name] for name in given), "--json")
    objects = [json.loads(line) for line in ended.stdout.splitlines()]
    assert ended.returncode == code
    assert [found["path"] for found in objects] == [str(files[name]) for name in given]
    by_name = {"valid": True, "unknown": "unknown", "invalid": False, "unreadable": None}
    assert [found["valid"] for found in objects] == [by_name[name] for name in given]


def test_json_has_the_fields_that_docs_name(files):
    ended = splitbrain("check", files["lost"], files["unreadable"], "--json")
    found, error = (json.loads(line) for line in ended.stdout.splitlines())
    assert set(found) == FIELDS
    documented = (TOP / "docs" / "results.md").read_text()
    assert all(f"`{field}`" in documented for field in FIELDS)
    assert (found["schema"], found["expected"], found["counts"], found["not"]) == (1, "linearizable", {"lost-write": 1}, ["linearizable"])
    facts = {"reads": 1, "elements": 1, "known": 1, "seen": 0, "lost": 1, "stale": 0, "never_read": 0}
    facts["adds"] = {"ok": 1, "fail": 0, "info": 0}
    assert found["checkers"]["set-full"] == {"valid": False, "counts": {"lost-write": 1}, "facts": facts}
    assert found["checkers"]["stats"]["facts"]["ops"] == 2
    (anomaly,) = found["anomalies"]
    assert set(anomaly) <= {"type", "kind", "key", "message", "ops", "rules_out", "witness", "faults"}
    assert (anomaly["type"], anomaly["ops"], anomaly["witness"]["element"]) == ("lost-write", [0, 1, 2, 3], 1)
    assert set(error) == {"schema", "path", "valid", "error"}
    assert (error["schema"], error["valid"], error["path"]) == (1, None, str(files["unreadable"]))
    assert "Way out" in error["error"]


def test_what_cannot_be_told_from_the_ops_asks_for_a_name(tmp_path, files):
    path = tmp_path / "odd.jsonl"
    path.write_text('{"type":"invoke","f":"frobnicate","process":0}\n{"type":"ok","f":"frobnicate","process":0}\n')
    ended = splitbrain("check", path)
    assert ended.returncode == 254 and "--as" in ended.stderr
    assert splitbrain("check", files["valid"], "--as", "nonsense").returncode == 254
    assert splitbrain("check", files["valid"], "--as", "set").returncode == 2  # a write is no set's op


def test_a_weaker_model_tolerates_a_stale_element_and_says_so(tmp_path):
    path = tmp_path / "stale.jsonl"
    ops = [*LOST, (0, "invoke", "read", None), (0, "ok", "read", [1])]
    path.write_text("".join(json.dumps({"process": p, "type": t, "f": f, "value": v}) + "\n" for p, t, f, v in ops))
    assert splitbrain("check", path).returncode == 1
    weak = splitbrain("check", path, "--consistency", "sequential")
    assert weak.returncode == 0 and "stale-read ×1" in weak.stdout
