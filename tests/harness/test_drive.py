"""The end of a run's load: the heal is whole and settling keeps its time, also when the run is interrupted in the middle of either."""

import asyncio
import time
from types import SimpleNamespace

import pytest

from harness import generators as gen
from harness.capabilities import ErrorTable
from harness.cluster import Status
from harness.drive import Drive
from harness.errors import SetupError
from harness.events import EventLog
from harness.history.read import read_history
from harness.op import INVOKE
from harness.plan import Plan
from harness.readiness import recovered
from harness.target import Node, Target
from harness.workload import Workload, WorkloadContext

SETTLE_S = 0.6


class Client:
    errors = ErrorTable()

    async def open(self):
        pass

    async def close(self):
        pass

    async def read(self):
        return 1


class Little(Target):
    name, up = "little", True

    def client_class(self):
        return Client

    def client(self, access):
        return Client()

    async def ready(self, access):
        return None if self.up else "it is down"


class Reads(Workload):
    name, read_only = "reads", frozenset({"read"})

    def load(self):
        return gen.repeat({"f": "read"})

    def final(self):
        return gen.limit(1, gen.repeat({"f": "read", "value": "final"}))

    def apply(self, client, op):
        return client.read()


class Plane:
    """Heals as `heals` says, one entry a time: seconds that it takes, or an exception."""

    def __init__(self, heals):
        self.heals, self.begun, self.done = list(heals), 0, []

    async def mechanisms(self):
        return {}

    async def heal(self, closing=False):
        self.begun += 1
        step = self.heals.pop(0)
        if isinstance(step, Exception):
            raise step
        await asyncio.sleep(step)
        self.done.append(time.monotonic())
        return {"healed": True, "left": [], "tokens": {}}


class Nodes:
    def __init__(self, plane):
        self.nodes, self.plane = [Node("n1", 0)], plane

    async def status(self, node):
        return Status(True)


def drive(folder, heals, stop_when=None, up=True, **options):
    """(plane, ops, events, when the final read began), of a run that is interrupted as soon as stop_when(plane) holds."""

    async def whole():
        plane, stop, events = Plane(heals), asyncio.Event(), EventLog(folder / "events.jsonl")
        plan = Plan("little", workload="reads", rate=100.0, healthy=0.05, time_limit=0.2, concurrency="2", nodes=1)
        target = Little({"ready_timeout": 0.2, "T": None, **options})
        target.up = up
        cluster, view = Nodes(plane), SimpleNamespace(on_op=lambda op: None)
        access = lambda name: SimpleNamespace(node=Node(name, 0))  # noqa: E731
        began = {}

        def phase(name):
            began[name] = time.monotonic()
            events.emit("phase", {"phase": name})

        workload = Reads(WorkloadContext(["n1"], 2, "", {}, "", 1))
        run = Drive(plan, target, cluster, workload, events, view, folder, stop, access, phase)
        run.settle_s = SETTLE_S

        async def interrupt():
            while not stop_when(plane):
                await asyncio.sleep(0.005)
            stop.set()

        watch = asyncio.ensure_future(interrupt()) if stop_when else None
        await run.run(lambda: recovered(target, cluster, access, events))
        if watch is not None:
            await watch
        return plane, read_history(folder / "history.jsonl").ops, events.seen, began["final"]

    return asyncio.run(whole())


@pytest.mark.parametrize("stop_when", [None, lambda plane: plane.done], ids=["to its end", "interrupted while it settles"])
def test_final_reads_come_after_the_whole_settling_time(tmp_path, stop_when):
    plane, ops, _, final = drive(tmp_path, [0.05], stop_when)
    assert plane.begun == len(plane.done) == 1
    assert final - plane.done[0] >= SETTLE_S * 0.95
    assert ops[-1].type == "ok" and ops[-1].f == "read"


def test_a_heal_that_was_interrupted_is_done_again_before_the_final_reads(tmp_path):
    plane, ops, _, final = drive(tmp_path, [0.3, 0.05], lambda plane: plane.begun)
    assert (plane.begun, len(plane.done)) == (2, 1)
    assert final - plane.done[0] >= SETTLE_S * 0.95
    assert [op.type for op in ops if op.f == "heal" and op.type != INVOKE] == ["info", "ok"]


def test_nodes_are_asked_also_when_healing_failed(tmp_path):
    _, ops, events, _ = drive(tmp_path, [SetupError("n1 could not be started", "nothing", "see its log")], up=False)
    assert [event["node"] for event in events if event["event"] == "not-recovered"] == ["n1"]
    (heal,) = [op for op in ops if op.f == "heal" and op.type != INVOKE]
    assert heal.type == "fail" and heal.error.startswith("n1 could not be started")
    assert heal.value["not_recovered"][0]["node"] == "n1"


def test_nodes_that_may_take_long_to_be_ready_are_waited_for(tmp_path, monkeypatch):
    for module in ("harness.interpreter", "harness.drive"):
        monkeypatch.setattr(f"{module}.NEMESIS_TIMEOUT_S", 0.3, raising=False)
    _, ops, events, _ = drive(tmp_path, [0.0], up=False, ready_timeout=0.6)
    assert [event["node"] for event in events if event["event"] == "not-recovered"] == ["n1"]
    assert [op.type for op in ops if op.f == "heal" and op.type != INVOKE] == ["ok"]
