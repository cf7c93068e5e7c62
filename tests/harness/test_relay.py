"""Relays between real processes: the caller is known from the first packet on, each ordered pair is cut by itself, nothing is lost."""

import asyncio
import os
import sys

import pytest

from harness.clusters.local_links import RelayLinks
from harness.errors import SetupError

RUN, PORT = f"relay{os.getpid()}", 7071
NET = f"127.77.{os.getpid() % 250}."
# a node: answers each line with its own name, and on "call ADDRESS" in its stdin prints what the node there answers, or nothing in time
NODE = """
import asyncio, sys
me, listen, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
links = {}
async def accept(reader, writer):
    while line := await reader.readline():
        writer.write(me.encode() + b" heard " + line)
async def call(address):
    if address not in links:
        links[address] = await asyncio.open_connection(address, port)
    reader, writer = links[address]
    writer.write(b"hello\\n")
    try:
        return (await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(reader.readline())), 0.3)).decode().strip()
    except TimeoutError:
        links.pop(address)
        return "nothing"
async def main():
    await asyncio.start_server(accept, listen, port)
    print("up", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(await call(line.split()[1]), flush=True)
asyncio.run(main())
"""


class Nodes:
    def __init__(self):
        self.processes = {}

    async def start(self, i):
        env = {**os.environ, "SPLITBRAIN_RUN": RUN, "SPLITBRAIN_NODE": f"n{i}"}
        pipe = asyncio.subprocess.PIPE
        argv = [sys.executable, "-c", NODE, f"n{i}", f"{NET}{i}", str(PORT)]
        self.processes[i] = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, env=env)
        assert await self.processes[i].stdout.readline() == b"up\n"

    async def call(self, i, j):
        self.processes[i].stdin.write(f"call {NET}{100 + j}\n".encode())
        return (await self.processes[i].stdout.readline()).decode().strip()

    async def close(self):
        for process in self.processes.values():
            process.kill()
            await process.wait()


@pytest.fixture
async def world():
    nodes, links = Nodes(), RelayLinks(RUN)
    await links.open({f"n{i}": {"relay": f"{NET}{100 + i}", "listen": f"{NET}{i}", "ports": [PORT]} for i in (1, 2)})
    await nodes.start(1)
    await nodes.start(2)
    yield nodes, links
    await nodes.close()
    await links.close()


async def test_a_cut_holds_its_ordered_pair_alone_and_counts_what_it_held(world):
    nodes, links = world
    assert [await nodes.call(1, 2), await nodes.call(2, 1)] == ["n2 heard hello", "n1 heard hello"]
    assert await links.probe("n1", "n2") and await links.probe("n2", "n1")
    await links.set_cut([("n1", "n2")])
    assert not await links.probe("n1", "n2") and await links.probe("n2", "n1")
    assert await nodes.call(1, 2) == "nothing"  # its question is held
    assert await nodes.call(2, 1) == "nothing"  # the question arrives, but the answer is of the pair that is cut
    held = await links.dropped()
    assert held[("n1", "n2")] >= len("hello\n") and ("n2", "n1") not in held
    await links.set_cut([])
    assert await links.probe("n1", "n2")
    assert [await nodes.call(1, 2), await nodes.call(2, 1)] == ["n2 heard hello", "n1 heard hello"]


async def test_a_node_that_starts_under_a_cut_is_cut_from_its_first_packet_on(world):
    nodes, links = world
    await links.set_cut([("n1", "n2")])
    nodes.processes[1].kill()
    await nodes.processes[1].wait()
    await nodes.start(1)
    assert await nodes.call(1, 2) == "nothing"
    await links.set_cut([])
    assert await nodes.call(1, 2) == "n2 heard hello"


async def test_who_is_no_node_passes(world):
    _nodes, links = world
    await links.set_cut([("n1", "n2"), ("n2", "n1")])
    reader, writer = await asyncio.open_connection(f"{NET}102", PORT)
    writer.write(b"hello\n")
    assert await asyncio.wait_for(reader.readline(), 2) == b"n2 heard hello\n"
    writer.close()


async def test_a_taken_address_is_one_sentence():
    taken = await asyncio.start_server(lambda reader, writer: None, f"{NET}109", PORT)
    links = RelayLinks(RUN)
    with pytest.raises(SetupError, match="address already in use"):
        await links.open({"n9": {"relay": f"{NET}109", "listen": f"{NET}9", "ports": [PORT]}})
    await links.close()
    taken.close()
