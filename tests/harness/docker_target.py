"""A small target of the tests' own: each node answers one JSON line with what it sees, and greets its peers by UDP."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from harness.target import Recipe, Service, Target

PORT, PEERS = 7000, 7001
PROGRAM = Path(__file__).with_name("docker_node.py")


class Echo(Target):
    name: ClassVar[str] = "echo_test"
    workloads = ("register",)
    ports: ClassVar[Mapping[str, int]] = {"client": PORT}

    def recipe(self):
        return Recipe(python=True, files={"node.py": PROGRAM}, binaries=("python3",))

    def service(self, node, site):
        config = {"me": node.name, "peers": {n.name: site.address(n) for n in site.nodes if n != node}, "data": site.data(node)}
        argv = [site.program("python3"), "-I", "-u", site.file("node.py"), f"{site.conf(node)}/sub/node.json"]
        return Service(argv, env={"GREETING": "hello"}, files={"sub/node.json": json.dumps(config)})


async def ask(site, node, word="?", port=PORT):
    """What a node says: {"me", "starts", "heard": {peer: count}, "skew_ns", "pid"}."""
    reader, writer = await asyncio.wait_for(asyncio.open_connection(*site.endpoint(node, port)), 2)
    try:
        writer.write(word.encode() + b"\n")
        line = await asyncio.wait_for(reader.readline(), 2)
        return json.loads(line) if line else None
    finally:
        writer.close()
