"""The plane over a real agent and real nodes in namespaces: what it says was broken is seen broken from outside, and whole again after."""

import asyncio
import os
import signal
import time

import pytest

from harness.agent_plane import AgentPlane
from harness.errors import SetupError, Unsupported
from harness.plane import ClockChange
from tests.nemeses.lab import Lab, needs_lab

pytestmark = needs_lab


@pytest.fixture(scope="module")
def lab():
    made = Lab()
    yield made
    made.close()


@pytest.fixture
async def plane(lab):
    events = []
    made = AgentPlane(lab, lambda kind, fields: events.append((kind, dict(fields))), lambda line: None)
    made.events = events
    await made.open()
    yield made
    await made.close()
    await lab.start(["n1", "n2", "n3"])


async def test_every_kind_is_probed_and_named(plane):
    mechanisms = await plane.mechanisms()
    assert {name: mechanisms[name].works for name in ("links", "process", "pause", "clock")} == dict.fromkeys(
        ("links", "process", "pause", "clock"), True
    )
    assert plane.events[0][0] == "mechanisms"
    with pytest.raises(Unsupported, match="this version"):
        await plane.shape("1", [("n1", "n2")], delay_ms=50)


async def test_a_cut_is_seen_by_the_nodes_and_counted_per_pair(lab, plane):
    evidence = await plane.cut("7", [("n1", "n2"), ("n2", "n1"), ("n1", "n3")])
    assert evidence["in_place"], evidence
    assert {(p["src"], p["dst"], p["proof"]) for p in evidence["pairs"]} == {
        ("n1", "n2", "probe"),
        ("n2", "n1", "probe"),
        ("n1", "n3", "probe"),
    }
    assert evidence["took_ms"] < 1000
    assert lab.hears("n1") == {"3", "3v6"}  # one-way: n3 still reaches n1, on both families
    assert lab.hears("n3") == {"2", "2v6"}
    figures = await plane.undo("7")
    assert figures["exercised"] and figures["in_place"] and figures["idle"] == []
    assert all(pair["dropped"] > 5 for pair in figures["pairs"])
    assert lab.hears("n2") == {"1", "1v6", "3", "3v6"}
    assert lab.ask("n1")["errors"] == []  # a cut is silence: the sender sees no error
    assert await plane.undo("7") == {"exercised": False, "in_place": True}  # twice is once
    assert await plane.traces() == []


async def test_a_pair_that_two_tokens_cut_is_whole_when_the_last_has_gone(lab, plane):
    await plane.cut("1", [("n1", "n2"), ("n1", "n3")])
    await plane.cut("2", [("n1", "n2")])
    await plane.undo("1")
    assert "1" not in lab.hears("n2") and "1" in lab.hears("n3")
    assert await plane.traces() == [
        "packets from 198.18.77.1 to 198.18.77.2 are dropped",
        "packets from fd77::1 to fd77::2 are dropped",
    ]
    await plane.undo("2")
    assert "1" in lab.hears("n2")


async def test_pause_kill_and_clock_overlap_and_one_heal_ends_all(lab, plane):
    assert (await plane.pause("1", ["n2"]))["in_place"]
    assert (await plane.skew("2", {"n1": ClockChange(offset_ns=3_000_000_000)}))["nodes"]["n1"]["in_place"]
    killed = await plane.kill("3", ["n3"])
    assert killed["in_place"] and killed["nodes"]["n3"]["was_up"]
    await plane.cut("4", [("n1", "n2")])
    assert abs(lab.ask("n1")["skew"] - 3_000_000_000) < 1_000_000
    await asyncio.sleep(0.1)
    healed = await plane.heal(closing=True)
    assert healed["healed"] and healed["left"] == []
    # n2 slept, so nobody was there to send: but n1's own packets to it were dropped
    assert {token: figures["exercised"] for token, figures in healed["tokens"].items()} == dict.fromkeys("1234", True)
    assert abs(lab.ask("n1")["skew"]) < 1_000_000
    assert lab.hears("n3") == {"1", "1v6", "2", "2v6"}
    assert await plane.heal() == {"healed": True, "left": [], "tokens": {}}
    with pytest.raises(Unsupported, match="healed"):
        await plane.pause("9", ["n1"])


async def test_a_node_that_starts_inside_the_window_has_the_wrong_clock_too(lab, plane):
    await plane.skew("1", {"n1": ClockChange(offset_ns=-2_000_000_000)})
    await plane.kill("2", ["n1"])
    await asyncio.sleep(0.05)
    figures = await plane.undo("2")
    assert figures["exercised"] and figures["nodes"]["n1"]["started"]
    assert abs(lab.ask("n1")["skew"] + 2_000_000_000) < 1_000_000
    assert (await plane.undo("1"))["in_place"]
    assert abs(lab.ask("n1")["skew"]) < 1_000_000


async def test_a_node_killed_twice_stays_down_until_the_last_token_has_gone(lab, plane):
    await plane.kill("1", ["n1", "n2"])
    again = await plane.kill("2", ["n1"])
    assert not again["nodes"]["n1"]["was_up"]
    await plane.undo("1")
    assert not (await lab.status("n1")).running and (await lab.status("n2")).running
    assert await plane.traces() == ["n1 is killed"]
    figures = await plane.undo("2")
    assert (await lab.status("n1")).running and not figures["exercised"]


async def test_a_killed_agent_is_noticed_healed_after_and_replaced(lab, plane):
    await plane.cut("1", [("n1", "n2")])
    await plane.skew("2", {"n1": ClockChange(offset_ns=5_000_000_000)})
    os.kill(plane.agent_pids[0], signal.SIGKILL)
    start = time.monotonic()
    while not any(kind == "agent-lost" for kind, _ in plane.events):
        assert time.monotonic() - start < 3
        await asyncio.sleep(0.02)
    assert abs(lab.ask("n1")["skew"]) < 1_000_000 and "1" in lab.hears("n2")
    figures = await plane.undo("1")
    assert not figures["exercised"] and "watchdog" in figures["why"]
    assert (await plane.cut("3", [("n1", "n2")]))["in_place"]
    assert (await plane.heal())["healed"]


async def test_an_agent_that_does_not_start_is_a_sentence(lab):
    class Broken:
        run_id, nodes, links = "x", (), None

        def agent_argv(self):
            return ["sh", "-c", "echo no such thing >&2; exit 3"]

    with pytest.raises(SetupError, match=r"did not start: .*no such thing"):
        await AgentPlane(Broken(), lambda *_: None, print).open()
