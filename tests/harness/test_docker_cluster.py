"""The Docker cluster on a real Engine: what it makes, how faults are made in it, what it leaves alone, and that it leaves nothing."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import docker
import pytest
import pytest_asyncio
from docker.types import IPAMConfig, IPAMPool

from harness.cluster import Attach, ClusterSpec
from harness.clusters.docker import DockerCluster
from harness.clusters.docker_endpoints import Forwarder, reach
from harness.clusters.docker_engine import Engine, own_labels, owner_lives
from harness.clusters.docker_images import helper_tag, make_ready, recipe_tag
from harness.errors import SetupError, UsageError
from harness.plane import ClockChange
from harness.target import Node, Recipe, Service
from tests.harness.docker_target import PORT, PROGRAM, Echo, ask

SECOND = 1_000_000_000
TOP = Path(__file__).parents[2]


def why_not():
    """Why there is no Docker here; "" if there is."""
    try:
        docker.from_env(timeout=5).close()
    except Exception as error:
        return f"no Docker Engine: {error}"
    return ""


pytestmark = [
    pytest.mark.docker,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "Docker"),
]


@pytest.fixture(scope="module", autouse=True)
def images():
    DockerCluster.prepare(Echo({}), False, print)


@pytest.fixture(scope="module")
def client():
    made = docker.from_env()
    yield made
    made.close()


def make(tmp, run_id, target=None, **more):
    """A cluster, not up, with its events in `.events`."""
    events = []
    nodes = [] if more.get("attach") else [Node(f"n{i + 1}", i) for i in range(3)]

    def emit(kind, fields):
        events.append((kind, dict(fields)))

    cluster = DockerCluster(ClusterSpec(target or Echo({}), {}, nodes, run_id, tmp / "logs", tmp / "work", emit, events.append, **more))
    cluster.events = events
    return cluster


async def until(condition, seconds):
    """Wait until something holds; how long that took."""
    start = time.monotonic()
    while True:
        with contextlib.suppress(OSError, TimeoutError, TypeError):
            found = condition()
            if await found if asyncio.iscoroutine(found) else found:
                return time.monotonic() - start
        assert time.monotonic() - start < seconds, f"not within {seconds} s"
        await asyncio.sleep(0.02)


def left_of(client, run_id):
    """Names of what exists with a run's label."""
    wanted = {"label": f"splitbrain.run={run_id}"}
    kinds = (client.containers.list(all=True, filters=wanted), client.networks.list(filters=wanted), client.volumes.list(filters=wanted))
    return [thing.name for kind in kinds for thing in kind]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(tmp_path_factory, images):
    made = make(tmp_path_factory.mktemp("made"), f"t{os.getpid()}")
    try:
        await made.up()
        await made.start(["n1", "n2", "n3"])
        yield made
    finally:
        await made.down()


async def heard(cluster, i):
    return (await ask(cluster, cluster.nodes[i]))["heard"]


async def hears(cluster, i, seconds=0.15):
    """Peers that a node hears now."""
    before = await heard(cluster, i)
    await asyncio.sleep(seconds)
    return {peer for peer, count in (await heard(cluster, i)).items() if count > before.get(peer, 0)}


async def test_nodes_answer_and_are_where_it_says(cluster):
    for node in cluster.nodes:
        await until(lambda node=node: ask(cluster, node), 5)
    said = await ask(cluster, cluster.nodes[1])
    assert (said["me"], said["env"]) == ("n2", "hello")
    place = await cluster.place("n2")
    assert len(place.pids) == 2 and place.netns == f"/proc/{place.pids[0]}/ns/net"
    ((network, address),) = place.addresses
    assert address == cluster.address(cluster.nodes[1]) and address.startswith(("198.18.", "198.19."))
    assert Path("/sys/class/net", place.bridges[network]).is_dir() or not Path("/sys/class/net/docker0").is_dir()
    shown = cluster.describe()
    assert shown["endpoints"]["n2"] == f"container address {address}:{PORT}" and shown["mode"] == "made"


async def test_data_and_address_survive_kill_and_start_and_the_log_goes_on(cluster):
    first = await ask(cluster, cluster.nodes[0])
    before = cluster.address(cluster.nodes[0])
    await cluster.kill(["n1", "n2"])
    for name in ("n1", "n2"):
        status = await cluster.status(name)
        assert not status.running and not status.pids and status.exit_code == 137
    await cluster.kill(["n1"])  # twice is once
    await cluster.start(["n1", "n2", "n3"])  # n3 runs: it is left
    await until(lambda: ask(cluster, cluster.nodes[0]), 5)
    again = await ask(cluster, cluster.nodes[0])
    assert again["starts"] == first["starts"] + 1 and (await cluster.place("n1")).addresses[0][1] == before
    assert (await ask(cluster, cluster.nodes[2]))["starts"] == 1
    log = cluster.spec.logs / "n1" / "service.log"
    await until(lambda: f"start {again['starts']} of n1" in log.read_text(), 2)
    assert [line.split(" ", 1)[1] for line in log.read_text().splitlines()] == [f"start {i + 1} of n1" for i in range(again["starts"])]
    assert [kind for kind, *_ in cluster.events].count("unexpected-exit") == 0


async def test_an_exit_that_nobody_asked_for_is_told_with_its_last_words(cluster):
    await ask(cluster, cluster.nodes[2], "die")
    await until(lambda: any(event[0] == "unexpected-exit" for event in cluster.events), 5)
    (fields,) = [event[1] for event in cluster.events if event[0] == "unexpected-exit"]
    assert fields["node"] == "n3" and fields["code"] == 3 and fields["says"].endswith("dying as asked")
    assert (await cluster.status("n3")).exit_code == 3
    await cluster.start(["n3"])
    await until(lambda: ask(cluster, cluster.nodes[2]), 5)
    cluster.events.clear()


async def test_commands_and_files(cluster):
    done = await cluster.exec("n1", ["sh", "-c", "echo out; echo err >&2; exit 7"])
    assert done == (7, "out\n", "err\n")
    await cluster.put("n1", "/deep/er/file", b"\x00bytes")
    assert await cluster.get("n1", "/deep/er/file") == b"\x00bytes"
    with pytest.raises(FileNotFoundError):
        await cluster.get("n1", "/no/such")
    slow = await cluster.exec("n1", ["sleep", "99"], timeout_s=0.2)
    assert slow.code == 124
    pids = (await cluster.place("n1")).pids
    assert not any("99" in Path(f"/proc/{pid}/cmdline").read_text() for pid in pids)  # it was ended, not left behind


async def test_cut_pause_and_clock_bite_and_are_healed(cluster):
    plane = cluster.plane
    cut = await plane.cut("1", [("n1", "n2"), ("n2", "n1")])
    assert cut["in_place"] and {pair["proof"] for pair in cut["pairs"]} == {"probe"}
    assert await hears(cluster, 1) == {"n3"}
    figures = await plane.undo("1")
    assert figures["exercised"] and figures["in_place"] and figures["idle"] == []
    assert await hears(cluster, 1) == {"n1", "n3"}
    assert (await plane.pause("2", ["n2"]))["in_place"]
    assert (await plane.skew("3", {"n1": ClockChange(offset_ns=-5 * SECOND)}))["in_place"]
    assert (await plane.kill("4", ["n3"]))["in_place"]
    assert abs((await ask(cluster, cluster.nodes[0]))["skew_ns"] + 5 * SECOND) < SECOND // 100
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ask(cluster, cluster.nodes[1]), 0.2)
    healed = await plane.heal()
    assert healed["healed"], healed
    assert {token: found["exercised"] for token, found in healed["tokens"].items()} == {"2": True, "3": True, "4": True}
    assert abs((await ask(cluster, cluster.nodes[0]))["skew_ns"]) < SECOND // 100
    await until(lambda: ask(cluster, cluster.nodes[2]), 5)
    assert await hears(cluster, 1) == {"n1", "n3"}


async def test_a_killed_helper_is_replaced_and_what_it_held_is_healed(cluster, client):
    plane = cluster.plane
    await plane.cut("1", [("n1", "n2")])
    await plane.pause("2", ["n3"])
    await plane.skew("3", {"n1": ClockChange(offset_ns=9 * SECOND)})
    (helper,) = client.containers.list(filters={"label": [f"splitbrain.run={cluster.run_id}", "splitbrain.role=helper"]})
    helper.kill()  # agent and watchdog at once
    await until(lambda: ask(cluster, cluster.nodes[2]), 8)

    async def true_time():
        return abs((await ask(cluster, cluster.nodes[0]))["skew_ns"]) < SECOND // 100

    await until(true_time, 2)
    assert "n1" in await hears(cluster, 1)
    assert any(event[0] == "agent-lost" for event in cluster.events)
    for token in "123":
        assert not (await plane.undo(token))["exercised"]
    assert (await plane.cut("4", [("n1", "n2")]))["in_place"]
    assert (await plane.heal())["healed"]


def nft(*arguments, text=""):
    subprocess.run(["nft", *arguments], input=text, text=True, check=True)


@pytest.mark.skipif(shutil.which("nft") is None or os.geteuid() != 0, reason="needs nft and root for a firewall rule")
async def test_where_addresses_are_closed_a_forwarder_is_used(tmp_path, client):
    made = make(tmp_path, f"f{os.getpid()}")
    table = f"sbtest{os.getpid()}"
    try:
        await made.up()
        subnet = made.describe()["networks"][0]["subnet"]
        rules = f"table inet {table} {{ chain out {{ type filter hook output priority 0; ip daddr {subnet} drop; }}; }}"
        nft("-f", "-", text=rules)
        await made.start(["n1", "n2", "n3"])
        await until(lambda: ask(made, made.nodes[1]), 5)
        assert made.describe()["endpoints"]["n2"].startswith("forwarder 127.0.0.1:")
        assert (await ask(made, made.nodes[1]))["me"] == "n2"
        await made.plane.cut("1", [("n1", "n2"), ("n2", "n1")])
        await made.kill(["n2"])
        assert await reach(*made.endpoint(made.nodes[1], PORT), stays_s=0.2) == "refused"
        await made.start(["n2"])  # another pid, another namespace
        await until(lambda: ask(made, made.nodes[1]), 5)
        assert "n1" not in await heard(made, 1)  # it came back cut, and is reached all the same
    finally:
        nft("delete", "table", "inet", table)
        await made.down()
    assert left_of(client, made.run_id) == []


async def test_a_forwarder_can_publish_its_ports(cluster):
    engine = Engine()
    forwarder = Forwarder(engine, cluster.run_id, 0)
    try:
        container = cluster._all.seen["n1"].container
        await asyncio.to_thread(forwarder.open, [("n1", container, PORT)], True)
        assert await reach(*forwarder.listens["n1", PORT], stays_s=0.2) == "open"
    finally:
        forwarder.close()
        engine.close()


@pytest.fixture
def theirs(client):
    """Two containers of somebody, as compose would make them, with a state that must not change."""
    project = f"theirs{os.getpid()}"
    pools = [IPAMPool(subnet="fd00:5b:77::/64")]
    network = client.networks.create(f"{project}_default", enable_ipv6=True, ipam=IPAMConfig(pool_configs=pools))
    second = client.networks.create(f"{project}_second")
    made = []
    config = '{"me": "x", "peers": {}, "data": "/tmp"}'
    command = ["sh", "-c", f"echo '{config}' > /tmp/c; exec python3 -I -u /splitbrain/files/node.py /tmp/c"]
    for service, number in (("web", 1), ("db", 1)):
        labels = {
            "com.docker.compose.project": project,
            "com.docker.compose.service": service,
            "com.docker.compose.container-number": str(number),
        }
        name = f"{project}-{service}-{number}"
        made.append(client.containers.run(image_of(), command, name=name, labels=labels, network=network.name, detach=True))
        second.connect(made[-1])
    yield project, made
    for container in made:
        container.remove(force=True)
    network.remove()
    second.remove()


def image_of():
    return recipe_tag(Echo({}), Echo({}).recipe())


def identity(container):
    """What must stay the same of an attached container."""
    container.reload()
    attrs = container.attrs
    return (
        attrs["Id"],
        attrs["Image"],
        attrs["Config"],
        attrs["HostConfig"],
        attrs["Mounts"],
        sorted(attrs["NetworkSettings"]["Networks"]),
    )


async def test_attached_containers_are_broken_and_left_as_they_were(tmp_path, client, theirs):
    project, containers = theirs
    before = [identity(each) for each in containers]
    made = make(tmp_path, f"a{os.getpid()}", attach=Attach(compose=project))
    try:
        await made.up()
        assert [(n.name, n.role, n.label) for n in made.nodes] == [("n1", "db", f"{project}-db-1"), ("n2", "web", f"{project}-web-1")]
        await until(lambda: ask(made, made.nodes[0]), 5)
        assert made.describe()["mode"] == "attached"
        place = await made.place("n1")
        shown = (await made.exec("n1", ["ip", "-o", "address", "show", "scope", "global"])).stdout
        shown += (await made.exec("n1", ["ip", "-o", "address", "show", "scope", "link"])).stdout
        assert len({network for network, _ in place.addresses}) == len(place.bridges) == 2
        assert sorted(address for _, address in place.addresses) == sorted(line.split()[3].split("/")[0] for line in shown.splitlines())
        assert sum(":" in address for _, address in place.addresses) == 2  # its own, and the link's
        cut = await made.plane.cut("1", [("n1", "n2"), ("n2", "n1")])
        assert cut["in_place"] and {pair["proof"] for pair in cut["pairs"]} == {"probe"}, cut
        assert len(await made.plane.traces()) == 2 * (2 * 2 + 2 * 2)  # both ways, each v4 to each v4, each v6 to each v6
        assert (await made.plane.skew("2", {"n1": ClockChange(offset_ns=SECOND)}))["in_place"]
        assert (await made.plane.undo("1"))["in_place"] and (await made.plane.undo("2"))["exercised"]
        containers[0].kill()  # somebody else's
        await until(lambda: [event for event in made.events if event[0] == "unexpected-exit"], 5)
        assert [event[1]["node"] for event in made.events if event[0] == "unexpected-exit"] == ["n2"]
        await made.kill(["n1"])  # and nobody starts it again before the end
    finally:
        await made.down()
    assert [identity(each) for each in containers] == before
    assert [each.status for each in containers] == ["running", "running"]
    assert left_of(client, made.run_id) == []


async def test_what_cannot_be_attached_to_is_one_sentence(tmp_path, theirs):
    project, containers = theirs
    for attach, words in (
        (Attach(compose="nosuch"), f"there are: .*{project}"),
        (Attach(compose=project, services=("cache",)), "its services: db, web"),
        (Attach(containers=("nosuch",)), f"there are: .*{project}-db-1"),
        (Attach(label="no=such"), "docker ps"),
    ):
        made = make(tmp_path, "x1", attach=attach)
        with pytest.raises(UsageError, match=words):
            await made.up()
        await made.down()
    containers[1].pause()
    made = make(tmp_path, "x2", attach=Attach(label=f"com.docker.compose.project={project}"))
    with pytest.raises(SetupError, match=r"not running: .*-db-1 \(paused\)"):
        await made.up()
    await made.down()
    containers[1].unpause()


HARNESS = """
import asyncio, sys, json
from pathlib import Path
sys.path.insert(0, {top!r})
from harness.cluster import Attach
from harness.plane import ClockChange
from tests.harness.test_docker_cluster import make
async def main():
    attach = Attach(containers=tuple(sys.argv[3].split(","))) if len(sys.argv) > 3 else Attach()
    cluster = make(Path(sys.argv[1]), sys.argv[2], attach=attach)
    await cluster.up()
    if not attach: await cluster.start(["n1", "n2", "n3"])
    await cluster.plane.cut("1", [("n1", "n2"), ("n2", "n1")])
    await cluster.plane.pause("2", ["n2"])
    await cluster.plane.kill("3", ["n1"])
    print("broken", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


@contextlib.contextmanager
def harness(tmp_path, run_id, *attach):
    """A harness in a process of its own, with its faults in place."""
    command = [sys.executable, "-P", "-c", HARNESS.format(top=str(TOP)), str(tmp_path), run_id, *attach]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "broken\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def helpers(client, run_id):
    return client.containers.list(all=True, filters={"label": [f"splitbrain.run={run_id}", "splitbrain.role=helper"]})


def healed_of(run_id):
    """What `heal` says of one run; there may be others on this Engine."""
    said = []
    DockerCluster.heal_leftovers(False, said.append)
    return [line for line in said if f" {run_id}:" in line]


async def test_after_kill_9_faults_heal_by_themselves_and_heal_removes_the_rest(tmp_path, client):
    run_id = f"k{os.getpid()}"
    with harness(tmp_path, run_id) as process:
        assert len(helpers(client, run_id)) == 1
        assert healed_of(run_id) == []  # its owner lives
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert await until(lambda: not helpers(client, run_id), 10) < 10
        pid = client.containers.get(f"sb-{run_id}-n2").attrs["State"]["Pid"]
        assert "\nState:\tS" in Path(f"/proc/{pid}/status").read_text()  # continued
    assert healed_of(run_id) == [f"docker, run {run_id}: 7 things removed"]  # three containers and volumes, one network
    assert left_of(client, run_id) == [] and healed_of(run_id) == []


async def test_after_kill_9_attached_containers_come_back_or_are_brought_back(tmp_path, client, theirs):
    _, containers = theirs
    run_id = f"b{os.getpid()}"
    with harness(tmp_path, run_id, ",".join(each.name for each in containers)) as process:
        containers[0].reload()
        assert containers[0].status == "exited"
        process.send_signal(signal.SIGKILL)
        process.wait()

        def back():
            containers[0].reload()
            return containers[0].status == "running"

        await until(back, 10)
        containers[0].kill()  # as if even that had been killed: the record says that it was attached to
    await until(lambda: not helpers(client, run_id), 10)
    assert healed_of(run_id) == [f"docker, run {run_id}: 2 things removed"] and back()
    assert left_of(client, run_id) == []


async def test_an_owner_is_known_by_its_start_time():
    mine = own_labels("r", os.getpid(), "node")
    assert owner_lives(mine)
    assert not owner_lives({**mine, "splitbrain.owner-start": "1"})  # the pid was used again
    assert owner_lives({**mine, "splitbrain.owner": "999999999", "splitbrain.owner-host": "elsewhere"})
    assert not owner_lives({**mine, "splitbrain.owner": "999999999"})


async def test_what_is_missing_is_one_sentence(tmp_path, monkeypatch):
    class Other(Echo):
        name = "other_test"

        def recipe(self):
            return Recipe(python=True, files={"another": PROGRAM}, binaries=("no-such-program",))

    with pytest.raises(SetupError, match=r"--offline forbids(.|\n)*splitbrain prepare other_test --cluster docker"):
        DockerCluster.prepare(Other({}), True, print)
    with pytest.raises(SetupError, match=r"build said last:(.|\n)*the program no-such-program is not there"):
        DockerCluster.prepare(Other({}), False, print)
    made = make(tmp_path, "x3", target=Other({}))
    made.nodes = [Node("n1", 0)]
    with pytest.raises(SetupError, match="not here: the image splitbrain/other_test"):
        await made.up()
    await made.down()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(SetupError, match=r"no Docker Engine answers: .*No such file(.|\n)*Way out: start Docker"):
        DockerCluster.prepare(Echo({}), False, print)
    assert not DockerCluster.diagnose()[0].good


async def test_a_service_that_cannot_start_says_why(tmp_path, client):
    class Broken(Echo):
        def service(self, node, site):
            return Service(["/no/such/program"])

    made = make(tmp_path, f"c{os.getpid()}", target=Broken({}))
    try:
        await made.up()
        with pytest.raises(SetupError, match=r"n\d does not start: .*no such file"):
            await made.start(["n1", "n2", "n3"])
    finally:
        await made.down()
    assert left_of(client, made.run_id) == []


async def test_prepare_is_quick_and_silent_when_nothing_is_missing():
    said = []
    start = time.monotonic()
    DockerCluster.prepare(Echo({}), True, said.append)
    assert said == [] and time.monotonic() - start < 0.5
    engine = Engine()
    make_ready(engine, None, True, said.append)
    assert engine.image(helper_tag()) and [each.good for each in DockerCluster.diagnose()] == [True] * 3
    engine.close()


async def test_down_leaves_nothing_and_twice_is_once(cluster, client):
    assert len(left_of(client, cluster.run_id)) == 8  # with the helper
    await cluster.down()
    await cluster.down()
    assert left_of(client, cluster.run_id) == []
