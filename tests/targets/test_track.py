"""The track record: every file is a plan that this version takes, with what must come out and a control that differs from it."""

import tomllib
from pathlib import Path

import pytest

from harness.plan import plan_from_mapping
from harness.registry import find, names
from harness.setup import check_fit, make_target, workload_class
from nemeses.schedule import read_schedule

TRACK = Path(__file__).parents[2] / "targets" / "track"
FINDINGS = sorted(path for path in TRACK.glob("*.toml") if "plan" in tomllib.loads(path.read_text()))
SCHEDULES = sorted({*TRACK.glob("*.toml")} - {*FINDINGS})
IDENTIFIERS = {"nonlinearizable", "lost-write", "stale-read"}


def overlaid(plan, control):
    return plan | {key: plan.get(key, {}) | value if isinstance(value, dict) else value for key, value in control.items()}


@pytest.mark.parametrize("path", FINDINGS, ids=lambda path: path.stem)
def test_a_finding_is_a_plan_a_promise_and_a_control(path):
    finding = tomllib.loads(path.read_text())
    assert set(finding) == {"source", "measured", "plan", "expect", "control"}
    assert set(finding["expect"]) == {"valid", "anomalies", "facts"} and finding["source"]
    assert finding["expect"]["valid"] is False and set(finding["expect"]["anomalies"]) <= IDENTIFIERS
    assert finding["control"], "a control that differs in nothing proves nothing"
    for mapping in (finding["plan"], overlaid(finding["plan"], finding["control"])):
        plan = plan_from_mapping(mapping, path.name)
        target = make_target(plan)
        workload = workload_class(plan, target)
        check_fit(target, workload, {name: option.default for name, option in workload.options.items()})
        assert bool(plan.nemesis) != bool(plan.schedule) and set(plan.nemesis) <= set(names("faults"))
        assert not plan.schedule or (TRACK / plan.schedule) in SCHEDULES
    assert overlaid(finding["plan"], finding["control"]) != finding["plan"]


@pytest.mark.parametrize("path", SCHEDULES, ids=lambda path: path.stem)
def test_a_schedule_of_the_track_record_is_one(path):
    faults = {name: find("faults", name)() for name in names("faults")}
    lines = read_schedule(path, faults, 1.5, 60.0, ["n1", "n2", "n3"])
    assert lines and all(line.at for line in lines)


def test_the_kills_of_13766_are_many_and_of_all_nodes():
    [line] = read_schedule(TRACK / "kill-all-fast.toml", {"kill": find("faults", "kill")()}, 1.5, 60.0, ["n1", "n2", "n3"])
    assert line.fault == "kill" and line.target == "all" and len(line.at) == 30 and line.lasts < 0.2
