"""quorum_store as three real processes: what was acknowledged survives kill -9; atomic registers hold under message loss; lww does not."""

import asyncio
import json
import random
import signal
import zlib

import pytest

from checkers.linearizable import LinearizableRegister
from harness.capabilities import CasRegister, Register, Replica, Set, missing
from harness.checker import CheckContext
from harness.errors import Definite, Indefinite, UsageError
from harness.options import read_options
from harness.target import declared_options
from targets.quorum_store import QuorumStore
from targets.quorum_store.client import PORT, QuorumClient
from tests.targets.lab import Lab, Links, LoopbackSite, LossySite, drive
from workloads.register import RegisterWorkload


def options(**given):
    return read_options(declared_options(QuorumStore), given, "target quorum_store")


@pytest.fixture
async def lab(tmp_path, request):
    """A cluster with links that can be cut; options by @pytest.mark.parametrize("lab", [{...}], indirect=True)."""
    made = Lab(QuorumStore, LossySite(tmp_path), **getattr(request, "param", {}))
    made.links = Links(made.site, PORT)
    await made.links.open()
    made.start()
    await made.ready()
    yield made
    made.kill()
    made.links.close()


LWW = {"mode": "lww", "r": 1, "w": 1}


def judged(history):
    return LinearizableRegister().check(history, CheckContext(expected="linearizable"))


def count(history, type_, f):
    return sum(op.type == type_ and op.f == f for op in history.ops)


async def chaos_of_links_and_kills(lab, seconds, seed):
    """Every 0.3 s: other cuts, other losses, sometimes a kill -9 and a restart."""
    rng, names = random.Random(seed), [node.name for node in lab.site.nodes]
    lab.links.loss = 0.05
    for _ in range(int(seconds / 0.3)):
        pairs = [(a, b) for a in names for b in names if a != b]
        lab.links.cut = set(rng.sample(pairs, rng.choice([0, 1, 2, 4])))
        if rng.random() < 0.3:
            name = rng.choice(names)
            lab.kill(name)
            await asyncio.sleep(0.1)
            lab.start(name)
        await asyncio.sleep(0.3)
    lab.links.cut, lab.links.loss = set(), 0.0


@pytest.mark.parametrize("seed", [1, 2])
async def test_atomic_registers_hold_under_lost_messages_cuts_and_kills(lab, tmp_path, seed):
    history = await drive(lab, RegisterWorkload, tmp_path, 4, chaos=lambda: chaos_of_links_and_kills(lab, 3.5, seed))
    verdict = judged(history)
    assert lab.links.dropped > 50 and count(history, "ok", "write") > 100 and count(history, "ok", "read") > 100
    assert verdict.valid is True, verdict.anomalies


@pytest.mark.parametrize("lab", [LWW], indirect=True)
async def test_one_replica_a_request_is_caught_within_seconds(lab, tmp_path):
    async def cut():
        await asyncio.sleep(0.5)
        lab.links.isolate("n1")
        await asyncio.sleep(1.0)
        lab.links.cut = set()

    verdict = judged(await drive(lab, RegisterWorkload, tmp_path, 2, rate=200, chaos=cut))
    assert verdict.valid is False
    assert {anomaly.type for anomaly in verdict.anomalies} == {"nonlinearizable"}


async def test_what_was_acknowledged_survives_kill_9_of_all(lab):
    # eight writers over all nodes until all three are killed at once; the values read afterwards are acknowledged ones, or later ones
    acked, sent = {}, {}

    async def writer(i):
        client = await lab.client(f"n{i % 3 + 1}")
        for value in range(1, 10_000):
            sent[f"k{i}"] = value
            await client.write(f"k{i}", value)
            await client.add("s", [i, value])
            acked[f"k{i}"] = value

    writers = [asyncio.ensure_future(writer(i)) for i in range(8)]
    for _ in range(3):
        await asyncio.sleep(0.3)
    lab.kill()
    assert all(isinstance(end, Exception) for end in await asyncio.gather(*writers, return_exceptions=True))
    lab.start()
    await lab.ready()
    client = await lab.client("n2")
    assert sum(acked.values()) > 50
    for key, value in acked.items():
        assert value <= await client.read(key) <= sent[key]
    held = {tuple(element) for element in await client.elements("s")}
    assert {(i, value) for i in range(8) for value in range(1, acked[f"k{i}"] + 1)} <= held
    assert "entries recovered, epoch 2" in lab.log("n1")


async def test_a_torn_tail_is_cut_off_and_damage_in_the_middle_is_refused(lab, tmp_path):
    client = await lab.client("n1")
    for value in range(5):
        await client.write("k", value)
    lab.kill("n1")
    log = tmp_path / "n1" / "data" / "log"
    whole = log.read_bytes()
    text = json.dumps([["put", "k", [99, "n9", 1, 1], "never acknowledged"]]).encode()
    log.write_bytes(whole + (b"%08x %s\n" % (zlib.crc32(text), text))[:-3])
    lab.start("n1")
    await lab.ready()
    assert "a torn tail of" in lab.log("n1")
    assert await (await lab.client("n1")).dump() == {"k": 4}
    lab.kill("n1")
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0] + lines[1][:-5] + b"xxxx\n" + b"".join(lines[2:]))
    lab.start("n1")
    assert lab.processes["n1"].wait(10) == 1
    assert "is damaged, and good lines follow" in lab.log("n1").splitlines()[-1]


async def test_without_a_majority_it_answers_nothing_and_says_what_is_certain(lab):
    client = await lab.client("n1")
    await client.write("k", 1)
    lab.links.isolate("n1")
    with pytest.raises(Definite, match="no majority, nothing was stored: 1 of the 2"):
        await client.write("k", 2)
    with pytest.raises(Definite, match="no majority"):
        await client.read("k")
    assert await client.dump() == {"k": 1}
    # requests get through, answers do not: the second phase can never be known to have failed
    lab.links.cut = set()
    await client.write("k", 3)
    lab.signal("n2"), lab.signal("n3")
    with pytest.raises((Definite, Indefinite)):
        await client.write("k", 4)
    lab.signal("n2", signal.SIGCONT), lab.signal("n3", signal.SIGCONT)
    assert await (await lab.client("n2")).read("k") == 3


@pytest.mark.parametrize("lab", [{"mode": "lww", "w": 2, "r": 1}], indirect=True)
async def test_a_write_that_lacks_answers_is_indeterminate_and_a_request_may_say_how_many_it_wants(lab):
    client = await lab.client("n1")
    lab.links.isolate("n1")
    with pytest.raises(Indefinite, match="it may still take effect: 1 of the 2"):
        await client.write("k", 1)
    await client.write("k", 2, ext={"w": 1})
    assert await client.read("k") == 2
    with pytest.raises(Definite, match="timed out: 1 of the 3"):
        await client.read("k", ext={"r": 3})
    with pytest.raises(Definite, match="n=3, r=4, w=2 with 3 nodes"):
        await client.read("k", ext={"r": 4})
    lab.links.cut = set()
    assert await (await lab.client("n3")).read("k", ext={"r": 3}) == 2


@pytest.mark.parametrize("lab", [{"mode": "lww"}], indirect=True)
async def test_a_later_write_is_lost_when_the_clock_of_an_earlier_one_was_ahead(lab):
    # stamps are set by hand here, as a coordinator whose clock is an hour ahead would set them; the majority of all three does not help
    reader, writer = await asyncio.open_connection(lab.site.listen(lab.site.nodes[0]), PORT)
    for node in lab.site.nodes:
        reader, writer = await asyncio.open_connection(lab.site.listen(node), PORT)
        ahead = [int((asyncio.get_running_loop().time() + 4e9) * 1e6), "n3", 1, 1]
        writer.write(json.dumps({"op": "put", "id": 1, "key": "k", "tag": ahead, "value": "early"}).encode() + b"\n")
        assert json.loads(await reader.readline()) == {"id": 1}
        writer.close()
    client = await lab.client("n2")
    await client.write("k", "late")
    assert await client.read("k") == "early"


async def test_a_refused_connection_is_definite_and_a_silent_node_is_not(lab):
    client = await lab.client("n3", timeout_s=0.3)
    lab.signal("n3")
    with pytest.raises(TimeoutError):
        await client.write("k", 1)
    assert not issubclass(TimeoutError, QuorumClient.errors.definite)
    lab.kill("n3")
    with pytest.raises(QuorumClient.errors.definite):
        await lab.client("n3")


async def test_connections_come_back_soon_after_a_cut(lab):
    client = await lab.client("n1")
    lab.links.isolate("n1")
    with pytest.raises(Definite):
        await client.read("k")
    lab.links.cut = set()
    before = asyncio.get_running_loop().time()
    await client.read("k")
    assert asyncio.get_running_loop().time() - before < 0.9


async def test_reads_of_a_set_agree_whichever_node_answers(lab):
    clients = [await lab.client(f"n{i}") for i in (1, 2, 3)]
    for element in (1, True, 1.0, "1", None, [1]):
        await clients[0].add("s", element)
    for client in clients:
        assert sorted(map(json.dumps, await client.elements("s"))) == sorted(map(json.dumps, [1, True, 1.0, "1", None, [1]]))
    assert await clients[0].elements("other") == []


async def test_nonsense_ends_a_connection_and_nothing_else(lab):
    host = lab.site.listen(lab.site.nodes[0])
    for nonsense in (b"hello\n", b"[1]\n", b'{"op": 5}\n', b'{"id": 1, "op": "write"}\n', b'{"id": 1, "op": "fly", "key": 1, "name": 1}\n'):
        reader, writer = await asyncio.open_connection(host, PORT)
        writer.write(nonsense)
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 5)
        assert answer == b"" or "error" in json.loads(answer)
        writer.close()
    assert await (await lab.client("n1")).read("k") is None


@pytest.mark.parametrize(
    ("given", "nodes", "says"),
    [
        ({"mode": "abd", "r": 1}, 3, "mode abd has majorities"),
        ({"n": 4}, 3, "n=4, r=3, w=3 do not fit 3 nodes"),
        ({"mode": "lww", "w": 4}, 3, "n=3, r=2, w=4 do not fit 3 nodes"),
        ({"mode": "paxos"}, 3, "lww|abd"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path, given, nodes, says):
    site = LoopbackSite(tmp_path, nodes)

    def configured():
        site.target = QuorumStore(options(**given))
        return site.target.service(site.nodes[0], site)

    with pytest.raises(UsageError) as refused:
        configured()
    assert says in str(refused.value)


def test_capabilities():
    assert not missing(QuorumClient, Register) and not missing(QuorumClient, Set) and not missing(QuorumClient, Replica)
    assert missing(QuorumClient, CasRegister) == ["cas"]  # quorums of registers cannot agree on a cas


def test_every_file_of_the_node_is_in_the_recipe():
    recipe = QuorumStore(options()).recipe()
    folder = next(iter(recipe.files.values())).parent
    assert {path.name for path in folder.glob("*.py")} - {"__init__.py"} == set(recipe.files)
    assert recipe.python and all(path.is_file() for path in recipe.files.values())
