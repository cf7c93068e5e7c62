"""One run's containers, as nodes: looked at, started, killed, spoken to. Everything here blocks; the cluster calls it in threads.

Why it exists  what is done to one container is the same whether the run made it or found it; only its conf files are not.
Relies on      names: a container that was made anew by its owner is still the same node. Docker's own kill, which also keeps a restart
               policy from bringing the container back.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from docker.errors import APIError, NotFound

from harness.cluster import Completed
from harness.clusters.docker_engine import Engine, explanation, own_labels
from harness.clusters.docker_helper import run_once
from harness.clusters.docker_look import Looker, Seen
from harness.clusters.docker_made import Made, archive, unpack
from harness.clusters.docker_watch import Exits, ServiceLog
from harness.errors import LostError, SetupError
from harness.target import Node, Service

GONE_S, LAST_WORDS_S = 12, 1.0
UnexpectedExit = Callable[[str, int, str], None]  # node, exit code, what it said last; called in the events thread


class Nodes:
    """The containers of `nodes`. `made` is None where the run attached to them; `service` gives a made one's conf files."""

    def __init__(
        self,
        engine: Engine,
        nodes: Sequence[Node],
        made: Made | None,
        service: Callable[[Node], Service],
        logs: Path,
        on_exit: UnexpectedExit,
    ) -> None:
        self._engine, self._made, self._service, self._on_exit = engine, made, service, on_exit
        self._looker = Looker(engine)
        self._by_name = {node.name: node for node in nodes}
        self._logs = {node.name: ServiceLog(engine, logs / node.name / "service.log") for node in nodes}
        self._exits = Exits(engine, {self.container(node): node.name for node in nodes}, self._started, self._ended)
        self._closing = False
        self.seen: dict[str, Seen] = {}  # as last looked at; addresses are kept current by start events

    def watch(self) -> None:
        """Take note of starts and exits from now on."""
        self._exits.start()

    def container(self, node: Node) -> str:
        """The container's name."""
        return self._made.container(node) if self._made is not None else node.label

    def look(self, node: Node) -> Seen:
        """The container now."""
        with self._engine.asking(f"looking at {node.name}"):
            seen = self.seen[node.name] = self._looker.look(self.container(node))
        return seen

    def look_closely(self, node: Node) -> tuple[Seen, list[int]]:
        """The container now, and its processes."""
        seen = self.look(node)
        with self._engine.asking(f"looking at {node.name}'s processes"):
            return seen, self._looker.pids(seen)

    def follow(self, node: Node) -> None:
        """Take the output of a container that runs already, from now on."""
        seen = self.look(node)
        with self._engine.asking(f"reading {node.name}'s output"):
            self._logs[node.name].follow(seen.container, seen.terminal)

    def start(self, node: Node) -> None:
        """Start it, with its conf files written anew; a running one is left. SetupError says why it does not start."""
        seen = self.look(node)
        if seen.running and not seen.paused:
            return
        with self._engine.asking(f"starting {node.name}"):
            try:
                if seen.paused:
                    self._engine.api.unpause(seen.container)
                else:
                    if self._made is not None:
                        self._made.write_conf(node, self._service(node))
                    self._logs[node.name].ended(LAST_WORDS_S)
                    self._logs[node.name].follow(seen.container, seen.terminal)
                    self._engine.api.start(seen.container)
            except APIError as error:
                way_out = f"docker logs {self.container(node)}; the target's service() says what is run"
                raise SetupError(f"{node.name} does not start: {explanation(error)}", "", way_out) from error
        self.look(node)

    def kill(self, node: Node) -> None:
        """SIGKILL all its processes; wait until they are gone. Its exit is expected."""
        seen = self.look(node)
        if not seen.running:
            return
        self._exits.ask(node.name)
        with self._engine.asking(f"killing {node.name}"):
            try:
                if seen.paused:
                    self._engine.api.unpause(seen.container)
                self._engine.api.kill(seen.container, "SIGKILL")
            except APIError as error:
                self._exits.ask(node.name, -1)
                if error.status_code != 409:  # it ended by itself just before
                    raise
            with contextlib.suppress(NotFound):
                if self.look(node).running:
                    self._engine.api.wait(seen.container, timeout=GONE_S, condition="not-running")

    def exec(self, node: Node, argv: list[str], timeout_s: float, run_id: str, owner_pid: int) -> Completed:
        """Run a command in the container. One that takes too long is killed from outside."""
        api = self._engine.api
        box: list[tuple[bytes | None, bytes | None]] = []
        with self._engine.asking(f"running {argv[0]} in {node.name}"):
            try:
                ident = api.exec_create(self.container(node), argv)["Id"]
            except APIError as error:
                return Completed(125, "", explanation(error))

            def run() -> None:
                with contextlib.suppress(APIError, OSError):
                    box.append(api.exec_start(ident, demux=True))

            runner = threading.Thread(target=run, daemon=True)
            runner.start()
            runner.join(timeout_s)
            found = api.exec_inspect(ident)
            if box:
                out, err = ((part or b"").decode(errors="replace") for part in box[0])
                return Completed(int(found["ExitCode"] or 0), out, err)
            if found.get("Running") and found.get("Pid"):
                labels = own_labels(run_id, owner_pid, "once")
                run_once(self._engine, ["python3", "-c", f"import os; os.kill({int(found['Pid'])}, 9)"], labels)
        return Completed(124, "", f"no end within {timeout_s:g} s")

    def put(self, node: Node, path: str, content: bytes) -> None:
        """Write a file."""
        with self._engine.asking(f"writing {path} on {node.name}"):
            self._engine.api.put_archive(self.container(node), "/", archive({path: content}))

    def get(self, node: Node, path: str) -> bytes:
        """Read a file. FileNotFoundError if there is none."""
        with self._engine.asking(f"reading {path} of {node.name}"):
            try:
                stream, _ = self._engine.api.get_archive(self.container(node), path)
            except NotFound as error:
                raise FileNotFoundError(2, explanation(error), path) from error
            return unpack(b"".join(stream))

    def ending(self) -> None:
        """Whatever ends or starts from now on is of no interest."""
        self._closing = True

    def close(self) -> None:
        """No more events and lines."""
        self._exits.close()
        for log in self._logs.values():
            log.close()

    def _started(self, name: str) -> None:
        if not self._closing:
            with contextlib.suppress(SetupError, LostError):
                self.follow(self._by_name[name])  # restarted by itself, or by others: its address may be another

    def _ended(self, name: str, code: int, asked: bool) -> None:
        if not asked and not self._closing:
            self._logs[name].ended(LAST_WORDS_S)
            self._on_exit(name, code, " | ".join(self._logs[name].last)[-400:])
