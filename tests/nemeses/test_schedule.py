"""Schedules: from files and from names, as generators in simulated time, and back into files. No node, no sleeping."""

import tomllib
from itertools import pairwise
from random import Random

import pytest

from harness.errors import UsageError
from harness.fault import View
from harness.generators import any_of, clients, limit, repeat, stagger
from harness.op import FAIL, INVOKE, OK, Op
from harness.plane import Mechanism
from harness.simulate import simulate
from nemeses.driver import ScheduleDriver
from nemeses.generator import schedule_generator
from nemeses.schedule import Line
from nemeses.targets_spec import NoTarget, resolve

S = 1_000_000_000
NODES = ["n1", "n2", "n3", "n4", "n5"]


def driver(tmp_path, text="", **changes):
    path = tmp_path / "schedule.toml"
    path.write_text(text)
    plan = {"nemesis": [], "interval_s": 10.0, "seed": 7, "failover_s": 2.0, "time_limit_s": 30.0, "nodes": NODES, **changes}
    return ScheduleDriver(schedule=str(path) if text else "", **plan)


def test_a_file_is_read_with_its_times_in_any_unit(tmp_path):
    lines = driver(
        tmp_path,
        """
        [[line]]
        at = "5s"
        fault = "partition"
        target = "primary"
        shape = "one-way"
        for = "1.5T"
        [[line]]
        every = "10s"
        from = "500ms"
        fault = "clock"
        target = ["n1", "n3"]
        shape = "strobe"
        amplitude = "-200ms"
        [[line]]
        every = "2T"
        until = "8s"
        fault = "restart"
        """,
    ).lines
    assert lines[0] == Line("partition", (5.0,), "primary", {"shape": "one-way", "pairs": [], "direction": "out"}, 3.0)
    assert (lines[1].at, lines[1].target, lines[1].lasts) == ((0.5, 10.5, 20.5), ["n1", "n3"], None)
    assert lines[1].params["amplitude"] == -0.2 and lines[1].params["period"] == 0.4
    assert (lines[2].at, lines[2].target) == ((0.0, 4.0), "one")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[line]]\nat = "5s"\nfault = "fire"', "no fault is called 'fire'"),
        ('[[line]]\nat = "soon"\nfault = "kill"', "at = 'soon' is not a time"),
        ('[[line]]\nat = true\nfault = "kill"', "at = True is not a time"),
        ('[[line]]\nat = "5s"\nfault = "kill"\nfor = "-1s"', "for = '-1s' is not a time"),
        ('[[line]]\nat = "5s"\nevery = "5s"\nfault = "kill"', "it has at and every"),
        ('[[line]]\nfault = "kill"', "it has no time"),
        ('[[line]]\nevery = "0s"\nfault = "kill"', "every = '0s' is too often"),
        ('[[line]]\nat = "5s"\nfault = "kill"\ntarget = "n9"', "target 'n9' names no node"),
        ('[[line]]\nat = "5s"\nfault = "kill"\nshape = "ring"', "kill has no parameter 'shape'"),
        ('[[line]]\nat = "5s"\nfault = "partition"\nshape = "star"', "shape = 'star' is unknown to partition"),
        ('[[line]]\nat = "5s"\nfault = "clock"\nrate = "fast"', "rate = 'fast' is not a number"),
        ('[[line]]\nwhen = "primary-changed"\nfault = "kill"', "`when` is not there yet"),
        ('[[line]]\nat = "5s"\nfault = "partition"\nshape = "custom"\npairs = ["n1"]', "pairs = ['n1'] are not pairs"),
        ("[[line]\n", "is not TOML"),
        ("seed = 1", "has no [[line]]"),
    ],
)
def test_a_wrong_schedule_is_refused_with_a_way_out(tmp_path, text, says):
    with pytest.raises(UsageError) as refusal:
        driver(tmp_path, text)
    assert says in str(refusal.value) and "Way out:" in str(refusal.value) and "schedule.toml" in str(refusal.value)


@pytest.mark.parametrize("limit_s", [12.0, 30.0, 60.0])
def test_names_expand_so_that_every_kind_comes_twice_and_the_first_within_three_seconds(tmp_path, limit_s):
    kinds = ["partition", "kill", "pause", "clock", "restart"]
    for seed in range(60):
        lines = driver(tmp_path, nemesis=kinds, seed=seed, time_limit_s=limit_s).lines
        assert lines == driver(tmp_path, nemesis=kinds, seed=seed, time_limit_s=limit_s).lines
        assert lines[0].at[0] <= 3.0
        for kind in kinds:
            mine = [line for line in lines if line.fault == kind]
            assert len(mine) >= 2
            assert all(line.lasts is None or 1.0 <= line.lasts <= limit_s - line.at[0] + 0.001 for line in mine)
            assert all(a.at[0] + (a.lasts or 0) < b.at[0] for a, b in pairwise(mine))  # a kind never overlaps itself
    assert driver(tmp_path, nemesis=kinds, seed=1).lines != driver(tmp_path, nemesis=kinds, seed=2).lines


def test_kinds_that_expand_overlap(tmp_path):
    lines = driver(tmp_path, nemesis=["partition", "kill", "pause", "clock"], time_limit_s=60.0, interval_s=6.0).lines
    spans = [(line.at[0], line.at[0] + line.lasts) for line in lines]
    inside = sum(any(a < start < b for a, b in spans) for start, _ in spans)
    assert inside >= 0.3 * len(spans)


def complete(after):
    """Completions after so many ns; ops whose target is "fails" fail."""

    def end(op):
        failed = isinstance(op.value, dict) and op.value.get("target") == "fails"
        return Op(-1, op.time + after, op.process, FAIL if failed else OK, op.f, op.value)

    return end


def test_lines_strike_and_heal_on_threads_of_their_own_and_each_heal_names_its_injection():
    lines = [
        Line("partition", (1.0, 6.0), "one", {}, 3.0),
        Line("kill", (2.0,), "one", {}, None),  # until the end: healed with all the rest
        Line("restart", (2.5, 3.0), "one", {}, None),  # instant: nothing to heal, and the next one may come
        Line("pause", (4.0, 8.0), "fails", {}, 1.0),  # failed: nothing to heal
    ]
    threads = [f"nemesis:{n}" for n in range(4)]
    ops = simulate(schedule_generator(lines, frozenset({"restart"}), 10 * S, 18 * S), complete(S // 10), clients=1, nemeses=threads)
    shown = [(op.time / S - 10, op.process, op.f, op.value.get("of")) for op in ops if op.type == INVOKE]
    assert shown == [
        (1.0, "nemesis:0", "partition", None),
        (2.0, "nemesis:1", "kill", None),
        (2.5, "nemesis:2", "restart", None),
        (3.0, "nemesis:2", "restart", None),
        (4.0, "nemesis:0", "heal", 0),  # 3 s after the partition's invocation
        (4.0, "nemesis:3", "pause", None),
        (6.0, "nemesis:0", "partition", None),
    ]  # the second pause would begin at 8 s, and the second partition's heal at 9 s: after the end
    assert ops[0].value == {"line": 0, "target": "one", "params": {}}


def test_a_schedule_beside_client_ops_delays_none_of_them():
    load = clients(limit(20, stagger(0.1, repeat({"f": "read"}))))
    faults = schedule_generator([Line("kill", (0.5,), "one", {}, 0.5)], frozenset(), 0, 2 * S)
    ops = simulate(any_of(load, faults), complete(1000), clients=2, nemeses=["nemesis:0"])
    assert [op.f for op in ops if op.type == INVOKE].count("read") == 20
    assert [(op.time, op.f) for op in ops if op.type == INVOKE and op.process == "nemesis:0"] == [(S // 2, "kill"), (S, "heal")]


def view(primaries=(), seed=1, roles=None):
    async def ask():
        return primaries

    return View(NODES, roles or {}, ask, Random(seed), 1.0)


async def test_specs_mean_what_they_say():
    sizes = {"one": 1, "minority": 2, "majority": 3, "minority-third": 1, "halves": 2, "all": 5}
    for seed in range(20):
        assert {spec: len(await resolve(spec, view(seed=seed))) for spec in sizes} == sizes
        assert 1 <= len(await resolve("any", view(seed=seed))) <= 5
    assert await resolve("primary", view(["n4", "n2"])) == ["n2", "n4"]
    assert await resolve("primary-or-one", view(["n4"])) == ["n4"]
    assert len(await resolve("primary-or-one", view())) == 1
    assert await resolve("role:db", view(roles={"n2": "db", "n3": "web"})) == ["n2"]
    assert await resolve(["n3", "n1"], view()) == ["n1", "n3"]
    assert await resolve("n5", view()) == ["n5"]
    for spec, why in (("primary", "no node says"), ("role:x", "has the role x"), (["n9"], "is a node")):
        with pytest.raises(NoTarget, match=why):
            await resolve(spec, view())


def test_what_cannot_be_made_here_is_said(tmp_path):
    made = driver(tmp_path, nemesis=["partition", "clock"])
    mechanisms = {
        "links": Mechanism("links", "nft"),
        "clock": Mechanism("clock", works=False, why="ptrace is forbidden", mend="add SYS_PTRACE"),
    }
    assert made.possible(mechanisms) == {
        "partition": {"possible": True, "why": "", "mechanism": "nft"},
        "clock": {"possible": False, "why": "ptrace is forbidden; add SYS_PTRACE"},
    }


def test_what_happened_is_a_schedule_that_replays(tmp_path):
    made = driver(tmp_path, nemesis=["partition", "clock"])
    clock = {"line": 1, "target": "one", "params": {"shape": "bump", "offset": -1.25, "rate": 1.5, "amplitude": 1.0, "period": 0.4}}
    ops = [
        Op(0, 6 * S, "nemesis:0", INVOKE, "partition", {"line": 0, "target": "primary", "params": {}}),
        Op(1, 6 * S + 9, 3, INVOKE, "read", None),
        Op(2, 6 * S + 50, "nemesis:0", OK, "partition", {"params": {"shape": "split"}, "nodes": ["n2"], "pairs": [["n2", "n1"]]}),
        Op(3, 7 * S, "nemesis:1", INVOKE, "clock", clock),
        Op(4, 7 * S + 5, "nemesis:1", OK, "clock", {**clock, "nodes": ["n3"]}),
        Op(5, 8 * S, "nemesis:2", INVOKE, "kill", {}),
        Op(6, 8 * S + 1, "nemesis:2", FAIL, "kill", {"nodes": ["n1"]}),
        Op(7, 8 * S + 250_000_000, "nemesis:0", INVOKE, "heal", {"of": 0}),
        Op(8, 8 * S + 250_000_100, "nemesis:0", OK, "heal", {"of": 0}),
        Op(9, 20 * S, "nemesis", INVOKE, "heal", {"of": "all"}),
        Op(10, 20 * S, "nemesis", OK, "heal", {"of": "all"}),
    ]
    text = made.recorded(ops, 5 * S)
    assert tomllib.loads(text)["line"] == [
        {"at": "1s", "fault": "partition", "target": ["n2"], "shape": "custom", "pairs": [["n2", "n1"]], "for": "2250ms"},
        {"at": "2s", "fault": "clock", "target": ["n3"], "offset": "-1250ms", "for": "13s"},
    ]
    again = driver(tmp_path, text).lines
    assert [(line.fault, line.at, line.target, line.lasts) for line in again] == [
        ("partition", (1.0,), ["n2"], 2.25),
        ("clock", (2.0,), ["n3"], 13.0),
    ]
    assert again[1].params == clock["params"]
