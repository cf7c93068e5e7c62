"""The example target: loaded as a user's file, its protocol against a server of this test."""

import asyncio
from pathlib import Path

import pytest

from harness.capabilities import Set, missing
from harness.errors import Definite, UsageError
from harness.plan import Plan
from harness.registry import find
from harness.run import run_plan
from harness.setup import check_fit, make_target, workload_class
from harness.target import Access, Node

FILE = str(Path(__file__).parents[2] / "examples" / "shop_redis.py")


def test_it_is_found_in_its_file_and_serves_the_set_workload():
    plan = Plan(target=FILE)
    target = make_target(plan)
    assert target.name == "shop_redis" and target.recipe() is None
    workload = workload_class(plan, target)
    check_fit(target, workload, {})
    assert workload is find("workloads", "set") and not missing(target.client_class(), Set)


def test_without_a_cluster_to_attach_to_it_is_refused_with_the_way_out():
    with pytest.raises(UsageError) as refused:
        run_plan(Plan(target=FILE), quiet=True)
    assert "--compose" in refused.value.way_out


class Site:
    """Each node an endpoint; one speaks as primary, in canned RESP."""

    run_id, options = "t", {}

    def __init__(self, **endpoints):
        self.endpoints = endpoints
        self.nodes = [Node(name, i) for i, name in enumerate(endpoints)]

    def endpoint(self, node, port):
        return self.endpoints[node.name]


async def test_adds_go_to_the_primary_and_reads_to_the_own_node():
    asked = {"n1": [], "n2": []}
    roles = {"n1": b"*3\r\n$6\r\nmaster\r\n:10\r\n*0\r\n", "n2": b"*5\r\n$5\r\nslave\r\n$1\r\np\r\n:6379\r\n$9\r\nconnected\r\n:10\r\n"}
    answers = {b"SADD": b":1\r\n", b"SMEMBERS": b"*2\r\n$1\r\n7\r\n$1\r\n8\r\n"}

    def serving(name):
        async def accept(reader, writer):
            while head := await reader.readline():
                words = []
                for _ in range(int(head[1:])):
                    size = int((await reader.readline())[1:])
                    words.append((await reader.readexactly(size + 2))[:-2])
                asked[name].append(words)
                writer.write(roles[name] if words == [b"ROLE"] else answers[words[0]])
            writer.close()

        return accept

    servers = [await asyncio.start_server(serving(name), "127.0.0.1", 0) for name in asked]
    site = Site(**{name: server.sockets[0].getsockname()[:2] for name, server in zip(asked, servers)})
    target = make_target(Plan(target=FILE))
    client = target.client(Access(site.nodes[1], site, {}, 1.0))
    await client.open()
    await client.add("t-set", 7)
    assert await client.elements("t-set") == [7, 8]
    assert [b"SADD", b"t-set", b"7"] in asked["n1"] and [b"SMEMBERS", b"t-set"] in asked["n2"]
    assert not any(words[0] == b"SADD" for words in asked["n2"])
    assert await target.primaries(site) == ["n1"]
    assert [await target.ready(Access(node, site, {}, 1.0)) for node in site.nodes] == [None, None]
    roles["n2"] = roles["n2"].replace(b"$9\r\nconnected", b"$4\r\nsync")
    assert await target.ready(Access(site.nodes[1], site, {}, 1.0)) == "a replica whose link is sync"
    answers[b"SADD"] = b"-READONLY You can't write against a read only replica.\r\n"
    with pytest.raises(Definite, match="READONLY"):
        await client.add("t-set", 8)
    await client.close()
    for server in servers:
        server.close()
