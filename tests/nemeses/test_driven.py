"""The whole room together: names expand, the interpreter drives, nodes are broken and healed, the history says so, and it replays."""

import asyncio
import time
import tomllib
from random import Random

import pytest

from harness.agent_plane import AgentPlane
from harness.fault import View
from harness.generators import any_of, on_threads, phases, sleep
from harness.history.history import History
from harness.interpreter import Interpreter
from harness.intervals import fault_intervals
from harness.journal import Journal
from nemeses.driver import ScheduleDriver
from nemeses.worker import NemesisWorker
from tests.nemeses.lab import Lab, needs_lab

S = 1_000_000_000
KINDS = ["partition", "kill", "pause", "clock"]


@pytest.fixture
def lab():
    made = Lab()
    yield made
    made.close()


@needs_lab
async def test_four_kinds_overlap_are_exercised_healed_recorded_and_replayed(lab, tmp_path):
    plane = AgentPlane(lab, lambda *_: None, lambda line: None)
    await plane.open()
    plan = {"interval_s": 3.0, "seed": 5, "failover_s": 0.5, "time_limit_s": 6.0, "nodes": ["n1", "n2", "n3"]}
    driver = ScheduleDriver(nemesis=KINDS, schedule="", **plan)

    async def nobody():
        return []

    view = View(plan["nodes"], {}, nobody, Random(5), 0.5)
    workers = {**driver.workers(plane, view), "nemesis": NemesisWorker(plane, driver.faults, view, {})}
    origin, ops = time.monotonic_ns(), []
    journal = Journal(tmp_path / "history.jsonl", {"splitbrain": 1})
    interpreter = Interpreter(workers, journal, clock=lambda: time.monotonic_ns() - origin, op_timeout_s=2.0, observe=ops.append)
    heal = on_threads(lambda thread: thread == "nemesis", phases(sleep(6.0), {"f": "heal", "value": {"of": "all"}}))
    await interpreter.run(any_of(driver.generator(0, 6 * S), heal), deadline_s=30)
    await interpreter.close()
    journal.close()
    await plane.close()
    intervals = fault_intervals(History(ops))
    for kind in KINDS:
        mine = [each for each in intervals if each.kind == kind]
        assert any(each.in_place and each.exercised for each in mine), (kind, [(each.in_place, each.why) for each in mine])
        assert all(each.in_place or each.skipped for each in mine), [each.why for each in mine]
    assert any(a.start < b.start < (a.end or 0) for a in intervals for b in intervals if a.kind != b.kind)
    assert lab.hears("n1") == {"2", "2v6", "3", "3v6"} and all(abs(lab.ask(n)["skew"]) < 2e6 for n in plan["nodes"])
    text = driver.recorded(ops, 0)
    (tmp_path / "schedule.toml").write_text(text)
    again = ScheduleDriver(nemesis=[], schedule=str(tmp_path / "schedule.toml"), **plan)
    assert len(again.lines) == len(tomllib.loads(text)["line"]) == sum(each.in_place for each in intervals)
    await asyncio.sleep(0)
