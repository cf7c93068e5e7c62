"""Targets as real processes on loopback addresses of their own, for tests: a Site without a cluster, and links that lose messages.

Each ordered pair of nodes has a proxy of its own; it forwards JSON lines, and drops each with a probability, or all while the pair is cut.
"""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from harness import generators as gen
from harness.client_worker import ClientWorker
from harness.history.read import read_history
from harness.interpreter import Interpreter
from harness.journal import Journal
from harness.options import read_options
from harness.target import Access, Node, declared_options
from harness.workload import WorkloadContext


class LoopbackSite:
    """Nodes n1.. on 127.x.y.1.. with this machine's programs; data below a folder."""

    run_id = "test"

    def __init__(self, folder: Path, count=3, programs=None, python=sys.executable):
        self.folder, self.programs, self.python = folder, programs or {}, python
        self.nodes = [Node(f"n{i + 1}", i) for i in range(count)]
        self.options = {}
        self.net = f"127.{random.SystemRandom().randint(64, 250)}.{random.SystemRandom().randint(0, 250)}."
        self.target = None

    def listen(self, node):
        return f"{self.net}{node.index + 1}"

    def address(self, node):
        return self.listen(node)

    def endpoint(self, node, port):
        return self.listen(node), port

    def data(self, node):
        path = self.folder / node.name / "data"
        path.mkdir(parents=True, exist_ok=True)
        return str(path)

    def conf(self, node):
        path = self.folder / node.name / "conf"
        path.mkdir(parents=True, exist_ok=True)
        return str(path)

    def program(self, name):
        return self.python if name == "python3" else str(self.programs[name])

    def file(self, name):
        return str(self.target.recipe().files[name])


class LossySite(LoopbackSite):
    """A site whose nodes reach each other through proxies: peer `b` is another address for each node `a`."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.seen_by = None

    def address(self, node):
        return self.listen(node) if self.seen_by in (None, node) else f"{self.net}{10 * (self.seen_by.index + 1) + node.index + 1}"


class Links:
    """Proxies between the nodes of a LossySite."""

    def __init__(self, site, port, seed=7):
        self.site, self.port, self.rng = site, port, random.Random(seed)
        self.loss = 0.0
        self.cut = set()  # ordered pairs (src, dst) of names
        self.servers = []
        self.dropped = 0

    async def open(self):
        for a in self.site.nodes:
            for b in self.site.nodes:
                if a is not b:
                    self.site.seen_by = a
                    accept = self.forwarder(a.name, b)
                    self.servers.append(await asyncio.start_server(accept, self.site.address(b), self.port, limit=1 << 26))
        self.site.seen_by = None

    def forwarder(self, a, b):
        async def accept(reader, writer):
            try:
                far_reader, far_writer = await asyncio.open_connection(self.site.listen(b), self.port, limit=1 << 26)
            except OSError:
                writer.transport.abort()
                return
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(self.pump(reader, far_writer, a, b.name), self.pump(far_reader, writer, b.name, a))

        return accept

    async def pump(self, reader, writer, src, dst):
        with contextlib.suppress(OSError, ValueError):
            while line := await reader.readline():
                if (src, dst) in self.cut or self.rng.random() < self.loss:
                    self.dropped += 1
                elif not writer.transport.is_closing():
                    writer.write(line)
        writer.transport.abort()

    def isolate(self, *names):
        """Cut these from all others, both ways."""
        inside = set(names)
        self.cut = {(a.name, b.name) for a in self.site.nodes for b in self.site.nodes if (a.name in inside) != (b.name in inside)}

    def close(self):
        for server in self.servers:
            server.close()


class Lab:
    """A target's nodes as processes of this test."""

    def __init__(self, target_class, site, **options):
        self.site = site
        self.target = target_class(read_options(declared_options(target_class), options, "target"))
        site.target = self.target
        self.processes = {}

    def access(self, node, timeout_s=2.0):
        found = next(n for n in self.site.nodes if n.name == node) if isinstance(node, str) else node
        return Access(found, self.site, self.target.opt, timeout_s)

    def start(self, *names, **env):
        for node in self.site.nodes:
            if names and node.name not in names:
                continue
            self.site.seen_by = node
            service = self.target.service(node, self.site)
            self.site.seen_by = None
            for name, text in service.files.items():
                (Path(self.site.conf(node)) / name).write_text(text)
            log = (self.site.folder / node.name / "log").open("ab")
            self.processes[node.name] = subprocess.Popen(
                list(service.argv), env={**os.environ, **service.env, **env}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            log.close()

    def log(self, name):
        return (self.site.folder / name / "log").read_text()

    async def ready(self, *names, limit_s=20.0):
        end = time.monotonic() + limit_s
        for node in self.site.nodes:
            if names and node.name not in names:
                continue
            while (says := await self.asked(node)) is not None:
                assert time.monotonic() < end, f"{node.name}: {says}; {self.log(node.name)}"
                await asyncio.sleep(0.05)

    async def asked(self, node):
        try:
            return await self.target.ready(self.access(node))
        except OSError as error:
            return str(error)

    async def client(self, node, timeout_s=2.0):
        client = self.target.client(self.access(node, timeout_s))
        await client.open()
        return client

    def kill(self, *names):
        for name in names or list(self.processes):
            process = self.processes.pop(name, None)
            if process is not None:
                process.kill()
                process.wait()

    def signal(self, name, number=signal.SIGSTOP):
        self.processes[name].send_signal(number)


async def drive(lab, workload_class, folder, seconds, rate=600.0, threads=6, options=None, chaos=None, op_timeout_s=1.0):
    """A workload against a lab, with a coroutine that breaks things meanwhile; then final reads. The history."""
    names = tuple(node.name for node in lab.site.nodes)
    workload = workload_class(WorkloadContext(names, threads, "t-", options or {}, "", 7))
    start = time.monotonic_ns()
    journal = Journal(folder / "history.jsonl", {"splitbrain": 1, "workload": workload.name})
    workers = {
        i: ClientWorker(workload, lambda node: lab.target.client(lab.access(node, op_timeout_s)), names[i % len(names)])
        for i in range(threads)
    }
    interpreter = Interpreter(workers, journal, clock=lambda: time.monotonic_ns() - start, op_timeout_s=op_timeout_s)
    breaking = asyncio.ensure_future(chaos()) if chaos else None
    await interpreter.run(gen.clients(gen.time_limit(seconds, gen.stagger(1 / rate, workload.load(), 7))), seconds + 20)
    if breaking is not None:
        await breaking
    await lab.ready()
    final = workload.final()
    if final is not None:
        await interpreter.run(gen.clients(final), 20)
    await interpreter.close()
    journal.close()
    return read_history(folder / "history.jsonl")
