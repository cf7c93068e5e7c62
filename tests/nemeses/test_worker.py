"""Nemesis ops over a plane that answers from memory: what is recorded is what was proved."""

from random import Random

import pytest

from harness.errors import LostError, Unsupported
from harness.fault import View
from harness.op import Op
from nemeses.clock import Clock
from nemeses.kill import Kill
from nemeses.partition import Partition
from nemeses.pause import Pause
from nemeses.restart import Restart
from nemeses.schedule import parameters
from nemeses.targets_spec import check
from nemeses.worker import NemesisWorker

FAULTS = {fault.name: fault for fault in (Partition(), Kill(), Pause(), Restart(), Clock())}
NODES = ["n1", "n2", "n3"]


class Plane:
    """Everything works unless told otherwise: `leaks`, `down` nodes, `refuses`, `lost`."""

    def __init__(self, leaks=False, down=(), refuses="", lost=False):
        self.leaks, self.down, self.refuses, self.lost, self.calls = leaks, set(down), refuses, lost, []

    def _check(self):
        if self.refuses:
            raise Unsupported(self.refuses)
        if self.lost:
            raise LostError("the fault agent is gone")

    async def cut(self, token, pairs):
        self.calls.append(("cut", token, pairs))
        self._check()
        shown = [{"src": a, "dst": b, "in_place": not self.leaks} for a, b in pairs]
        return {"mechanism": "m", "in_place": not self.leaks, "pairs": shown, "why": "the probes still got through" if self.leaks else ""}

    async def _nodes(self, what, token, nodes):
        self.calls.append((what, token, list(nodes)))
        self._check()
        shown = {n: {"pids": [] if n in self.down else [9], "in_place": what == "kill" or n not in self.down} for n in nodes}
        for node, each in shown.items():
            each["was_up"] = node not in self.down
        return {"mechanism": "m", "in_place": all(each["in_place"] for each in shown.values()), "nodes": shown, "why": "down"}

    async def pause(self, token, nodes):
        return await self._nodes("pause", token, nodes)

    async def kill(self, token, nodes):
        return await self._nodes("kill", token, nodes)

    async def skew(self, token, clocks):
        self.clocks = clocks
        return await self._nodes("skew", token, clocks)

    async def undo(self, token):
        self.calls.append(("undo", token))
        return {"exercised": True, "in_place": True, "nodes": {"n1": {}}}

    async def heal(self, closing=False):
        self.calls.append(("heal", closing))
        return {"healed": True, "left": [], "tokens": {"4": {"exercised": True}}}


def worker(plane, primaries=()):
    async def ask():
        return primaries

    view = View(NODES, {}, ask, Random(0), 1.0)
    return NemesisWorker(plane, FAULTS, view, {}, seed=3)


def op(f, target="one", index=4, **params):
    given = parameters(FAULTS[f], params, "a test", failover_s=1.0)
    return Op(index, 0, "nemesis:0", "invoke", f, {"line": 0, "target": target, "params": given})


async def test_an_injection_and_its_heal_record_whom_how_and_the_proof():
    plane = Plane()
    made = worker(plane, primaries=["n2"])
    done = await made.invoke(op("partition", "primary", shape="split"))
    pairs = [["n1", "n2"], ["n2", "n1"], ["n2", "n3"], ["n3", "n2"]]
    assert (done.type, done.error, done.f, done.process) == ("ok", None, "partition", "nemesis:0")
    assert (done.value["nodes"], done.value["pairs"], done.value["mechanism"], done.value["result"]) == (["n2"], pairs, "m", "injected")
    assert done.value["target"] == "primary" and done.value["params"]["shape"] == "split"
    healed = await made.invoke(Op(9, 0, "nemesis:0", "invoke", "heal", {"of": 4}))
    assert (healed.type, healed.value["of"], healed.value["evidence"]["exercised"]) == ("ok", 4, True)
    again = await made.invoke(Op(11, 0, "nemesis:0", "invoke", "heal", {"of": 4}))
    assert again.type == "ok" and not again.value["evidence"]["exercised"]
    assert [call[:2] for call in plane.calls] == [("cut", "4"), ("undo", "4")]
    last = await made.invoke(Op(13, 0, "nemesis", "invoke", "heal", {"of": "all"}))
    assert last.type == "ok" and last.value["evidence"]["tokens"]["4"]["exercised"] and plane.calls[-1] == ("heal", True)


async def test_what_leaked_is_failed_and_undone_at_once():
    plane = Plane(leaks=True)
    done = await worker(plane).invoke(op("partition", shape="split"))
    assert (done.type, done.value["result"], done.error) == ("fail", "failed", "the probes still got through")
    assert plane.calls[-1] == ("undo", "4")


@pytest.mark.parametrize("f", ["kill", "pause", "clock", "restart"])
async def test_a_fault_on_nodes_that_are_down_is_skipped_and_holds_nothing(f):
    plane = Plane(down=NODES)
    done = await worker(plane).invoke(op(f, "all"))
    if f == "restart":  # it starts what was down, but restarted nothing that ran
        assert done.type == "ok" or done.value["result"] == "skipped"
    else:
        assert (done.type, done.value["result"]) == ("fail", "skipped") and "down" in done.error
    assert ("undo", "4") in plane.calls


@pytest.mark.parametrize("f", ["pause", "clock"])
async def test_a_node_that_is_down_is_left_out_and_named(f):
    done = await worker(Plane(down=["n2"])).invoke(op(f, "all"))
    assert done.type == "ok" and done.value["evidence"]["left_out"] == ["n2"]


async def test_what_cannot_be_made_or_names_nobody_is_skipped_with_the_reason():
    done = await worker(Plane(refuses="ptrace is forbidden")).invoke(op("clock"))
    assert (done.type, done.value["result"], done.error) == ("fail", "skipped", "ptrace is forbidden")
    done = await worker(Plane()).invoke(op("kill", "primary"))
    assert (done.type, done.error) == ("fail", "no node says that it is primary")
    done = await worker(Plane()).invoke(op("partition", "all"))
    assert (done.type, done.error) == ("fail", "all nodes are on one side: nothing is cut")
    done = await worker(Plane()).invoke(op("partition", "", shape="minority-third"))
    assert (done.type, done.error) == ("fail", "minority-third of 3 nodes is no node")


async def test_a_lost_helper_is_info():
    done = await worker(Plane(lost=True)).invoke(op("pause"))
    assert (done.type, done.value["result"]) == ("info", "unknown") and "agent is gone" in done.error


@pytest.mark.parametrize(
    ("target", "params", "cut"),
    [
        ("n1", {"shape": "one-way"}, {("n1", "n2"), ("n1", "n3")}),
        ("n1", {"shape": "one-way", "direction": "in"}, {("n2", "n1"), ("n3", "n1")}),
        (["n1", "n2"], {"shape": "alone"}, {(a, b) for a in NODES for b in NODES if a != b}),
        ("n3", {"shape": "bridge"}, {("n1", "n2"), ("n2", "n1")}),
        ("", {"shape": "custom", "pairs": [["n1", "n3"], ["n1", "n9"]]}, {("n1", "n3")}),
    ],
)
async def test_shapes_cut_the_pairs_that_they_name(target, params, cut):
    plane = Plane()
    await worker(plane).invoke(op("partition", target, **params))
    assert set(plane.calls[0][2]) == cut


async def test_clock_parameters_become_one_change_and_reset_ends_others():
    plane = Plane()
    made = worker(plane)
    await made.invoke(op("clock", "n1", shape="strobe", amplitude=-0.5, period=0.4, index=4))
    assert (plane.clocks["n1"].strobe_ns, plane.clocks["n1"].strobe_period_ns, plane.clocks["n1"].rate) == (-500_000_000, 400_000_000, 1.0)
    done = await made.invoke(op("clock", "n2", shape="reset", index=6))
    assert (done.type, done.error) == ("fail", "no clock of these nodes is wrong")
    done = await made.invoke(op("clock", "all", shape="reset", index=8))
    assert done.type == "ok" and plane.calls[-1] == ("undo", "4")


def test_draws_are_made_of_known_shapes_and_targets():
    for fault in FAULTS.values():
        for seed in range(50):
            target, given = fault.draw(Random(seed), NODES, 1.0)
            check(target, NODES, "drawn")
            parameters(fault, given, "drawn", 1.0)
            if fault.name == "clock" and given["shape"] == "bump":
                assert 0.29 < abs(given["offset"]) < 3.01
