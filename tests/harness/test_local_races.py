"""Starts and kills of one node that overlap: a process that we killed is never taken for one that ended by itself."""

import subprocess
import sys

import pytest

from harness.clusters.bubble import why_forbidden

SCRIPT = """
import asyncio, pathlib, sys
from harness.clusters.local import LocalCluster
from harness.cluster import ClusterSpec
from harness.target import Node, Recipe, Service, Target

class Sleeper(Target):
    name, ports = "sleeper", {"client": 7099}
    def recipe(self): return Recipe(python=True)
    def service(self, node, site): return Service(["/bin/sh", "-c", "sleep 60 & wait"])

async def overlap(folder):
    told = []
    emit = lambda *event: told.append(event)
    spec = ClusterSpec(Sleeper({}), {}, [Node("n1", 0)], "races", folder / "logs", folder / "work", emit, print)
    cluster = LocalCluster(spec)
    await cluster.up()
    for turn in range(15):
        await cluster.start(["n1"])
        await cluster.kill(["n1"])
        await asyncio.gather(*(step(["n1"]) for step in (cluster.start, cluster.kill, cluster.start, cluster.kill)))
    assert not (await cluster.status("n1")).running
    await cluster.down()
    print("unexpected:", sum(kind == "unexpected-exit" for kind, _ in told))
    return 0

sys.exit(LocalCluster.enclose(lambda: asyncio.run(overlap(pathlib.Path(sys.argv[1])))))
"""


@pytest.mark.skipif(bool(why_forbidden()), reason=f"no namespaces: {why_forbidden()}")
def test_overlapping_starts_and_kills_are_told_apart(tmp_path):
    done = subprocess.run([sys.executable, "-P", "-c", SCRIPT, tmp_path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("unexpected: 0"), done.stdout
