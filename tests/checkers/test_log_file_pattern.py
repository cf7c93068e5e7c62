"""Words in the nodes' logs that are findings; logs are read when they are asked for; stats by phase."""

import pytest

from checkers.log_file_pattern import LogFilePattern, matches, verify_witness
from checkers.stats import Stats
from harness.checker import CheckContext, Phase
from harness.errors import UsageError
from harness.history.history import History
from harness.op import Op
from harness.run_logs import RunLogs

LOGS = {
    "n1": {"db.log": ["all is well", "panic: nil pointer", "Assertion failed: x > 0"]},
    "n2": {"db.log": ["ok"], "gc.log": ["panic: no"]},
}


def judge(logs, **options):
    return LogFilePattern(**options).check(History([]), CheckContext(logs=logs, is_run=True))


def test_each_line_that_matches_is_a_finding_with_its_place():
    verdict = judge(LOGS, file="db.*")
    assert (verdict.valid, verdict.counts) == (False, {"log-pattern": 2})
    assert [anomaly.message for anomaly in verdict.anomalies] == [
        "n1, db.log, line 2: panic: nil pointer",
        "n1, db.log, line 3: Assertion failed: x > 0",
    ]
    assert verdict.facts == {"files": 2, "lines": 4}
    assert all(verify_witness(History([]), anomaly) for anomaly in verdict.anomalies)
    assert judge(LOGS).counts == {"log-pattern": 3}
    assert judge(LOGS, pattern="well$").counts == {"log-pattern": 1}


def test_a_file_that_is_not_there_has_no_match_and_no_log_at_all_is_unknown():
    assert judge(LOGS, file="gc.log", pattern="never").valid is True
    assert judge(LOGS, file="x.log").reason == "no log of any node was kept whose name is x.log"
    assert judge({}).reason == "no log of any node was kept"
    with pytest.raises(UsageError, match="is no regular expression"):
        LogFilePattern(pattern="(")


@pytest.mark.parametrize("line", [
    "panic: x", "thread 'main' panicked at src/x.rs", "assertion failed: `(left == right)`", "SIGSEGV: segmentation violation",
    "fatal error: concurrent map writes", "==1==ERROR: AddressSanitizer: heap-use-after-free",
])  # fmt: skip
def test_without_a_pattern_what_is_usual_is_found(line):
    assert list(matches(["fine", line], LogFilePattern().pattern)) == [(2, line)]


def test_no_harmless_words_are_found():
    assert list(matches(["no panic", "assert_ok=1", "the assertion of a lease"], LogFilePattern().pattern)) == []


def test_a_runs_logs_are_read_when_they_are_taken(tmp_path):
    (tmp_path / "n1" / "old").mkdir(parents=True)
    (tmp_path / "n1" / "db.log").write_bytes(b"one\npanic: \xff two\n")
    (tmp_path / "n1" / "old" / "db.log").write_text("three\n")
    logs = RunLogs(tmp_path)
    assert {node: dict(files) for node, files in logs.items()} == {"n1": {"db.log": ["one", "panic: \ufffd two"], "old/db.log": ["three"]}}
    assert judge(logs).counts == {"log-pattern": 1}
    assert len(RunLogs(tmp_path / "none")) == 0


def test_stats_tell_ops_by_phase_and_the_fraction_that_succeeded():
    ops = []
    for n, (time, outcome) in enumerate([(5, "ok"), (15, "fail"), (15, "info"), (25, "ok")]):
        ops += [Op(2 * n, time, n, "invoke", "read"), Op(2 * n + 1, time, n, outcome, "read")]
    phases = [Phase("healthy", 0, 10), Phase("fault", 10, 20), Phase("final", 20, 30)]
    facts = Stats().check(History(ops), CheckContext(phases=phases, is_run=True)).facts
    assert facts["ok_fraction"] == {"read": 0.5}
    assert facts["by_phase"] == {
        "healthy": {"read": {"ok": 1, "fail": 0, "info": 0}},
        "fault": {"read": {"ok": 0, "fail": 1, "info": 1}},
        "final": {"read": {"ok": 1, "fail": 0, "info": 0}},
    }
    assert "by_phase" not in Stats().check(History(ops), CheckContext()).facts
