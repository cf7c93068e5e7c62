"""Three nodes in network namespaces on a bridge, in a namespace of their own: what the tests of the fault agent break.

The whole lab is one network namespace (`home`, with the bridge and the agent) and one for each node; it dies with its holders.
"""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.cluster import Place, Status
from harness.target import Node

AGENT = Path(__file__).parents[2] / "nemeses" / "agent"
NET = "198.18.77."

SERVICE = """
import ctypes, json, os, select, socket, struct, sys, threading, time
me, spin = int(sys.argv[1]), "spin" in sys.argv
libc, raw = ctypes.CDLL(None), (ctypes.c_long * 2)()
number = {"x86_64": 228, "aarch64": 113}[os.uname().machine]
def skew():
    libc.syscall(number, 0, raw)
    return time.time_ns() - (raw[0] * 10**9 + raw[1])
def hot():
    while True: time.time()
if spin:
    for _ in range(2): threading.Thread(target=hot, daemon=True).start()
sockets = {}
for family, any_ in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    sockets[family] = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6: sockets[family].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sockets[family].bind((any_, 9000))
heard, errors, beat = {}, [], 0.0
while True:
    if time.monotonic() - beat > 0.02:
        beat = time.monotonic()
        for j in (1, 2, 3):
            for family, address in ((socket.AF_INET, "PREFIX%d" % j), (socket.AF_INET6, "fd77::%d" % j)):
                if j != me:
                    try: sockets[family].sendto(b"%d" % me, (address, 9000))
                    except OSError as error: errors.append(str(error))
    for ready in select.select([sys.stdin, *sockets.values()], [], [], 0.01)[0]:
        if ready is sys.stdin:
            line = sys.stdin.readline()
            if not line: sys.exit()
            if "fork" in line and os.fork() == 0:
                while True: time.sleep(0.05)
            answer = {"skew": skew(), "heard": heard, "errors": errors[:3], "mono": time.monotonic()}
            print(json.dumps(answer), flush=True)
        else:
            who = ready.recv(99).decode() + ("v6" if ready.family == socket.AF_INET6 else "")
            heard[who] = heard.get(who, 0) + 1
""".replace("PREFIX", NET)


def why_not():
    """Why the lab cannot be built here; "" if it can."""
    if os.geteuid() != 0:
        return "needs root: it makes network namespaces"
    missing = [name for name in ("unshare", "nsenter", "ip") if shutil.which(name) is None]
    return f"{', '.join(missing)} not installed" if missing else ""


needs_lab = pytest.mark.skipif(bool(why_not()), reason=why_not() or "lab")


class Lab:
    """The lab; also the AgentHost of its nodes."""

    links = None

    def __init__(self, spin=False):
        self.run_id = f"lab{os.getpid()}"
        self.nodes = [Node(f"n{i}", i - 1) for i in (1, 2, 3)]
        self.spin = spin
        self.holders, self.services = {}, {}
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self):
        self.home = self._hold("home", "unshare", "--net")
        self._home("ip link add lab0 type bridge mcast_snooping 0; ip link set lab0 up; ip link set lo up")
        for i in (1, 2, 3):
            node = self._hold(f"n{i}", "nsenter", "--net=" + self.netns("home"), "unshare", "--net")
            self._home(f"ip link add lab{i} type veth peer name eth0 netns {node}; ip link set lab{i} master lab0 up")
            inside = f"ip link set lo up; ip addr add {NET}{i}/24 dev eth0; ip addr add fd77::{i}/64 dev eth0 nodad; ip link set eth0 up"
            subprocess.run(["nsenter", "--net=" + self.netns(f"n{i}"), "sh", "-c", inside], check=True)
        for node in self.nodes:
            self.start_node(node.name)

    def _hold(self, name, *command):
        holder = self.holders[name] = subprocess.Popen([*command, "sleep", "600"], stdin=subprocess.DEVNULL)
        own = os.readlink("/proc/self/ns/net")
        parents = {own, *(os.readlink(f"/proc/{h.pid}/ns/net") for n, h in self.holders.items() if n != name)}
        deadline = time.monotonic() + 5
        while os.readlink(f"/proc/{holder.pid}/ns/net") in parents or b"sleep" not in Path(f"/proc/{holder.pid}/cmdline").read_bytes()[:5]:
            assert time.monotonic() < deadline, "a namespace was not made"
            time.sleep(0.002)
        return holder.pid

    def _home(self, script):
        subprocess.run(["nsenter", "--net=" + self.netns("home"), "sh", "-ec", script], check=True)

    def netns(self, name):
        return f"/proc/{self.holders[name].pid}/ns/net"

    def start_node(self, name):
        """Start a node's service; wait until it answers."""
        command = ["nsenter", "--net=" + self.netns(name), sys.executable, "-I", "-c", SERVICE, name[1:], *(["spin"] if self.spin else [])]
        self.services[name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.ask(name)

    def ask(self, name, question="?"):
        """What a node sees: {"skew" (ns, by its own clock against the kernel's), "heard" (packets by peer), "errors"}."""
        service = self.services[name]
        service.stdin.write(question + "\n")
        return json.loads(service.stdout.readline())

    def hears(self, name, seconds=0.15):
        """Peers that a node heard within the last moment, e.g. {"2", "2v6"}."""
        before = self.ask(name)["heard"]
        time.sleep(seconds)
        after = self.ask(name)["heard"]
        return {peer for peer in after if after[peer] > before.get(peer, 0)}

    def tables(self):
        """Our table, as nft lists it in the lab."""
        done = subprocess.run(["nsenter", "--net=" + self.netns("home"), "nft", "list", "tables"], capture_output=True, text=True)
        return done.stdout.strip()

    def agent_argv(self, python=sys.executable):
        return ["nsenter", "--net=" + self.netns("home"), python, "-I", "-u", str(AGENT)]

    async def place(self, node):
        service = self.services[node]
        pids = [service.pid] if service.poll() is None else []
        addresses = [("lab", NET + node[1:]), ("lab", f"fd77::{node[1:]}")]
        return Place(pids, self.netns(node), addresses, {"lab": "lab0"})

    def places(self):
        """All places as the agent's JSON."""
        found = {node.name: asyncio.run(self.place(node.name)) for node in self.nodes}
        return {name: {**place._asdict(), "addresses": [list(a) for a in place.addresses]} for name, place in found.items()}

    async def kill(self, nodes):
        for node in nodes:
            self.services[node].kill()
        for node in nodes:
            self.services[node].wait()

    async def start(self, nodes):
        for node in nodes:
            if self.services[node].poll() is not None:
                await asyncio.to_thread(self.start_node, node)

    async def status(self, node):
        service = self.services[node]
        return Status(service.poll() is None, [service.pid], service.poll())

    def close(self):
        for process in [*self.services.values(), *self.holders.values()]:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()


@contextlib.contextmanager
def bare_agent(argv):
    """An agent without beats or a plane: `ask(do, ...)` gives its answer. Ends with its stdin."""
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    numbers = iter(range(1, 1000))

    def ask(do, **fields):
        process.stdin.write(json.dumps({"id": next(numbers), "do": do, **fields}) + "\n")
        answer = json.loads(process.stdout.readline())
        assert "ok" in answer, answer
        return answer["ok"]

    ask.process = process
    try:
        yield ask
    finally:
        if not process.stdin.closed:
            process.stdin.close()
        process.wait(10)


def until(condition, seconds):
    """Wait until something holds; how long it took. Fails after `seconds`."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - start
