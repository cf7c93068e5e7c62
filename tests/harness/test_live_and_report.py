"""What people look at: the live view and the verdict's words. Nothing is decided there; everything that was decided must be there."""

import io
import json

import pytest
from rich.console import Console

from harness.live import LiveView
from harness.op import Op
from harness.plan import Plan
from harness.report import markdown, run_text, verdict_text
from harness.results import Results
from harness.verdict import Anomaly

S = 1_000_000_000


def drawn(view):
    console = Console(file=io.StringIO(), width=140, force_terminal=False)
    console.print(view.render())
    return console.file.getvalue()


def test_the_live_view_counts_what_was_recorded_and_shows_what_is_broken_now():
    view = LiveView(Plan(target="etcd", cluster="docker", workload="register", seed=5), text_only=False)
    assert "no operation has completed yet" in drawn(view) and "etcd on docker, register, seed 5" in drawn(view)
    view.on_event({"time": S, "event": "phase", "phase": "fault"})
    for i in range(10):
        view.on_op(Op(4 * i, S + i * S // 10, 0, "invoke", "read", None))
        view.on_op(Op(4 * i + 1, S + i * S // 10 + 7_000_000, 0, "ok", "read", 3))
    view.on_op(Op(50, 2 * S, 1, "invoke", "write", 4))
    view.on_op(Op(51, 2 * S, 1, "info", "write", 4, "timeout"))
    view.on_op(Op(60, 2 * S, "nemesis:0", "invoke", "pause", {"line": 0}))
    view.on_op(Op(61, 2 * S, "nemesis:0", "ok", "pause", {"nodes": ["n2"]}))
    view.on_op(Op(62, 2 * S, "nemesis:1", "invoke", "clock", {}))
    view.on_op(Op(63, 2 * S, "nemesis:1", "fail", "clock", {}, "no such clock"))
    text = drawn(view)
    assert "fault" in text and "median 7.0 ms" in text
    assert next(line.split() for line in text.splitlines() if " read " in line)[1:5] == ["read", "10", "0", "0"]
    assert next(line.split() for line in text.splitlines() if " write " in line)[1:5] == ["write", "0", "0", "1"]
    assert "● pause of n2" in text and "pause ×1" in text and "clock was not injected: no such clock" in text
    view.on_op(Op(64, 3 * S, "nemesis:0", "invoke", "heal", {"of": 60}))
    view.on_op(Op(65, 3 * S, "nemesis:0", "ok", "heal", {"of": 60}))
    assert "● pause" not in drawn(view) and "no fault is active" in drawn(view)


def test_where_there_is_no_terminal_each_phase_is_a_line(capsys):
    view = LiveView(Plan(target="etcd"), text_only=True)
    view.on_event({"time": 3 * S, "event": "phase", "phase": "heal"})
    view.say("something")
    LiveView(Plan(target="etcd"), text_only=True, silent=True).on_event({"time": 3 * S, "event": "phase", "phase": "heal"})
    assert capsys.readouterr().out == "    3.0 s  heal\nsomething\n"


def results(**fields):
    lost = Anomaly("lost-write", "element 7 was acknowledged (#3) and n2's final read (#9) misses it.", [3, 9], faults=["kill of n2"])
    stats = {"facts": {"ops": 4, "by_f": {"add": {"ok": 3, "fail": 0, "info": 1}}}}
    faults = {
        "kill": {"possible": True, "asked": 2, "in_place": 1, "exercised": 1, "mechanism": "SIGKILL", "why": "n1 was down"},
        "clock": {"possible": False, "asked": 0, "in_place": 0, "exercised": 0, "why": "ptrace is forbidden"},
    }
    coverage = {"cluster": "local: behind relays", "faults": faults}
    base = {
        "schema": 1,
        "path": "store/x",
        "valid": False,
        "anomalies": [lost] * 5,
        "counts": {"lost-write": 5},
        "expected": "linearizable",
    }
    return Results(**{**base, "checkers": {"stats": stats}, "coverage": coverage, "seed": 3, **fields})


def test_an_invalid_verdict_tells_the_story_and_what_it_covers():
    text = verdict_text(results(not_=["linearizable"]))
    assert text.splitlines()[0] == "INVALID  store/x: linearizable was broken: lost-write"
    assert text.count("element 7 was acknowledged (#3) and n2's final read (#9) misses it.") == 3
    for words in (
        "ops: #3, #9",
        "active then: kill of n2",
        "2 more: lost-write ×5",
        "ruled out: linearizable",
        "cluster local: behind relays",
        "kill (by SIGKILL): 2 tried, 1 in place by probe, 1 exercised (1 not: n1 was down)",
        "clock: cannot be made here: ptrace is forbidden",
        "4 ops: add 3 ok, 0 fail, 1 info",
    ):
        assert words in text, words


@pytest.mark.parametrize(
    ("valid", "head"), [(True, "VALID    store/x: no violation of linearizable was found"), ("unknown", "UNKNOWN  store/x: why")]
)
def test_the_other_verdicts(valid, head):
    text = verdict_text(results(valid=valid, anomalies=[], counts={}, reason="why"))
    assert text.splitlines()[0].startswith(head)


def test_the_page_has_phases_faults_anomalies_and_events(tmp_path):
    ops = [
        Op(0, S, "nemesis:0", "invoke", "kill", {"line": 0, "target": "one"}),
        Op(1, 2 * S, "nemesis:0", "ok", "kill", {"line": 0, "nodes": ["n2"]}),
        Op(2, 4 * S, "nemesis:0", "invoke", "heal", {"of": 0}),
        Op(3, 5 * S, "nemesis:0", "ok", "heal", {"of": 0, "evidence": {"exercised": True}}),
    ]
    lines = [{name: getattr(op, name) for name in op.__struct_fields__} for op in ops]
    (tmp_path / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    events = [{"time": S * i, "event": "phase", "phase": name} for i, name in enumerate(("healthy", "fault", "end"))]
    events.insert(1, {"time": S, "event": "primary-changed", "primaries": ["n1"]})
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    page = markdown(tmp_path, results())
    assert "| fault | 1.0 s | 2.0 s |" in page
    assert "| 0 | kill of n2 | 1.0 s | 5.0 s | True | True |  |" in page
    assert page.count("  lost-write") >= 5 and "`primary-changed` primaries=['n1']" in page
    assert f"--schedule {tmp_path / 'schedule.toml'}" in run_text(tmp_path, results())
