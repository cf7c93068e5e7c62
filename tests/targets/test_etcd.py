"""etcd: real members on loopback addresses; what the client does, and what each failure proves."""

import asyncio
import contextlib
import signal
import time
from types import SimpleNamespace

import pytest
import pytest_asyncio

from harness.capabilities import CasRegister, Register, Replica, Set, Transactions, missing
from harness.clusters.recipes import local_programs
from harness.errors import Definite, Indefinite, SetupError, UsageError
from harness.options import read_options
from harness.target import declared_options
from targets.etcd import RECIPES, Etcd
from targets.etcd_client import DEFINITE, PAGE, EtcdClient
from tests.targets.lab import Lab, LoopbackSite


def programs(version):
    try:
        return local_programs(RECIPES[version], offline=False, say=print)
    except SetupError as error:
        pytest.skip(f"etcd {version} cannot be had here: {error.seen}")


@contextlib.asynccontextmanager
async def cluster(folder, version, **options):
    lab = Lab(Etcd, LoopbackSite(folder, 3, programs(version)), version=version, **options)
    try:
        lab.start()
        await lab.ready()
        yield lab
    finally:
        for process in lab.processes.values():
            process.send_signal(signal.SIGCONT)
        lab.kill()


@pytest_asyncio.fixture(params=sorted(RECIPES))
async def lab(tmp_path, request):
    async with cluster(tmp_path, request.param) as lab:
        yield lab


async def until(ask, limit_s=10.0):
    end = time.monotonic() + limit_s
    while not (answer := await ask()):
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.02)
    return answer


async def test_registers_sets_and_transactions(lab):
    clients = [await lab.client(name) for name in ("n1", "n2", "n3")]
    one, two, three = clients
    assert await one.read("k") is None
    for i, value in enumerate([1, "1", True, 1.0, None, [1, {"a": "ü"}], ""]):
        await clients[i % 3].write("k", value)
        read = await clients[(i + 1) % 3].read("k")
        assert read == value and type(read) is type(value)

    assert await one.cas("c", None, 1) and not await two.cas("c", None, 2)
    assert await two.cas("c", 1, 2) and not await three.cas("c", 1, 3) and not await one.cas("c", "2", 3)
    assert await three.read("c") == 2
    wins = await asyncio.gather(*(client.cas("c", 2, 10 + i) for i, client in enumerate(clients)))
    assert sorted(wins) == [False, False, True]

    assert await one.elements("s") == []
    await asyncio.gather(*(worker(client, range(i, 60, 3)) for i, client in enumerate(clients)))
    await one.add("s2", 7)  # a set whose name begins alike
    for client in clients:
        assert sorted(await client.elements("s")) == list(range(60))

    done = await one.txn([["r", "l", None], ["append", "l", 1], ["r", "l", None], ["append", "l", 2], ["append", "m", 3], ["w", "w", 9]])
    assert done == [["r", "l", None], ["append", "l", 1], ["r", "l", [1]], ["append", "l", 2], ["append", "m", 3], ["w", "w", 9]]
    assert await two.txn([["r", "l", None], ["r", "m", None], ["r", "w", None], ["r", "none", None]]) == [
        ["r", "l", [1, 2]],
        ["r", "m", [3]],
        ["r", "w", 9],
        ["r", "none", None],
    ]

    async def arrived():  # what a member alone holds comes a moment after the quorum's word
        return await three.dump("l") == {"l": [1, 2]}

    await until(arrived)
    assert len(await lab.target.primaries(lab.site)) == 1


async def worker(client, numbers):
    for n in numbers:
        await client.add("s", n)


async def test_appends_of_all_nodes_at_once_are_all_there_once(lab):
    clients = [await lab.client(name) for name in ("n1", "n2", "n3")]
    kept = []

    async def append(client, numbers):
        for n in numbers:
            with contextlib.suppress(Definite):  # the key changed under it, thrice: certainly not appended
                await client.txn([["append", "hot", n], ["append", f"cold{n}", n]])
                kept.append(n)

    await asyncio.gather(*(append(client, range(i, 90, 3)) for i, client in enumerate(clients)))
    [[_, _, found]] = await clients[0].txn([["r", "hot", None]])
    assert sorted(found) == sorted(kept) and len(kept) > 10


async def test_a_set_larger_than_a_page_is_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("targets.etcd_client.PAGE", 7)
    async with cluster(tmp_path, "3.5.1", unsafe_no_fsync=True) as lab:
        client = await lab.client("n2")
        for n in range(22):
            await client.add("s", n)
        assert sorted(await client.elements("s")) == list(range(22)) and len(await client.dump()) == 22
    assert PAGE > 1000


async def test_kill_of_the_leader_is_outlived_and_what_was_acked_stays(lab):
    [leader] = await lab.target.primaries(lab.site)
    others = [node.name for node in lab.site.nodes if node.name != leader]
    client, other = await lab.client(leader), await lab.client(others[0])
    await client.write("k", 1)
    lab.kill(leader)
    with pytest.raises((Indefinite, ConnectionRefusedError)):
        await client.write("k", 2)
    with pytest.raises(ConnectionRefusedError):  # Definite by the client's table
        await client.write("k", 2)
    with pytest.raises(ConnectionRefusedError):
        await lab.client(leader)

    async def elected():
        return [name for name in await lab.target.primaries(lab.site) if name != leader]

    assert (await until(elected))[0] in others
    await lab.ready(*others)
    assert await other.read("k") == 1
    await other.write("k", 3)
    lab.start(leader)
    await lab.ready(leader)
    assert await client.read("k") == 3  # the same client: it connects anew


async def test_a_paused_member_is_indefinite_and_a_quorum_lost_too(lab):
    for name in ("n1", "n2", "n3"):
        await (await lab.client(name)).write("k", 1)
        assert await (await lab.client(name)).read("k") == 1  # now this member has it too
    [leader] = await lab.target.primaries(lab.site)
    follower = next(node.name for node in lab.site.nodes if node.name != leader)
    for name in (follower, leader):
        client = await lab.client(name, timeout_s=0.3)
        lab.signal(name)
        with pytest.raises(Indefinite, match="no answer in time"):
            await client.write("k", 2)
        assert "no answer in time" in await lab.target.ready(lab.access(name, 0.2))
    left = next(node.name for node in lab.site.nodes if node.name not in (leader, follower))
    lonely = await lab.client(left, timeout_s=0.4)
    with pytest.raises(Indefinite):
        await lonely.cas("k", 1, 3)
    assert (await lonely.dump("k"))["k"] in (1, 2)  # its own state needs nobody
    assert leader not in await lab.target.primaries(lab.site)


async def test_serializable_reads_are_stale_where_linearizable_ones_fail(tmp_path):
    async with cluster(tmp_path, "3.4.23", reads="serializable", unsafe_no_fsync=True) as lab:
        await (await lab.client("n1")).write("k", 1)
        [leader] = await lab.target.primaries(lab.site)
        left = next(node.name for node in lab.site.nodes if node.name != leader)
        client = await lab.client(left, timeout_s=0.5)

        async def arrived():
            return await client.read("k") == 1

        await until(arrived)
        lab.kill(*(node.name for node in lab.site.nodes if node.name != left))
        assert await client.read("k") == 1 and await client.txn([["r", "k", None]]) == [["r", "k", 1]]
        assert await lab.target.ready(lab.access(left, 0.3)) is not None  # ready means linearizable


UNKNOWN = (
    "etcdserver: request timed out",
    "etcdserver: request timed out, possibly due to previous leader failure",
    "etcdserver: leader changed",
    "etcdserver: server stopped",
    "etcdserver: mvcc: database space exceeded",
    "context deadline exceeded",
    "something new",
)
ANSWERS = dict.fromkeys(DEFINITE, Definite) | dict.fromkeys(UNKNOWN, Indefinite)


@pytest.mark.parametrize("said", sorted(ANSWERS))
async def test_what_each_error_proves(said):
    access = SimpleNamespace(options={"reads": "linearizable"}, endpoint=lambda port: ("", port), timeout_s=1.0)
    client = EtcdClient(access)

    async def post(path, body):
        return 503, {"error": said, "code": 14}

    client.http = SimpleNamespace(post=post)
    with pytest.raises(ANSWERS[said], match=said.split(" (")[0]):
        await client.write("k", 1)


def test_capabilities_and_options(tmp_path):
    for capability in (Register, CasRegister, Transactions, Set, Replica):
        assert not missing(EtcdClient, capability)
    with pytest.raises(UsageError, match=r"3\.4\.23\|3\.5\.1"):
        read_options(declared_options(Etcd), {"version": "9"}, "target etcd")
    for fsync in (True, False):
        target = Etcd(read_options(declared_options(Etcd), {"unsafe_no_fsync": str(fsync)}, "target etcd"))
        site = LoopbackSite(tmp_path, 3, {"etcd": "etcd"})
        assert ("--unsafe-no-fsync=true" in target.service(site.nodes[0], site).argv) is fsync
