"""The helper container: where the fault agent runs, in the host's network and pid namespaces, with single capabilities, never privileged.

Why it exists  the agent must see every node's processes and the bridge between them, and nodes' own containers must stay as they are.
Relies on      the helper's image; `docker_pipe` as the process on the controller whose stdin and stdout are the agent's.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import requests
from docker.errors import APIError, NotFound

from harness.clusters.docker_engine import Engine
from harness.clusters.docker_images import AGENT, helper_tag

CAPABILITIES = ("NET_ADMIN", "NET_RAW", "SYS_PTRACE", "DAC_OVERRIDE", "KILL", "SYS_ADMIN")
HEADER = 8  # of a frame of an attached stream
STDERR = 2
END_LIMIT_S = 30.0


class Done(NamedTuple):
    """A helper command's end."""

    code: int
    out: str
    err: str


def create(engine: Engine, name: str, command: Sequence[str] | None, labels: Mapping[str, str], **extra: Any) -> str:
    """A helper container, not yet started, that removes itself when it ends; its id."""
    api = engine.api
    settings: dict[str, Any] = {"network_mode": "host", "pid_mode": "host", "auto_remove": True, **extra.pop("host", {})}
    host = api.create_host_config(cap_drop=["ALL"], cap_add=list(CAPABILITIES), **settings)
    made = api.create_container(
        helper_tag(), list(command) if command else None, name=name, labels=dict(labels), stdin_open=True, host_config=host, **extra
    )
    return str(made["Id"])


def attach(engine: Engine, container: str) -> socket.socket:
    """The container's stdin, stdout and stderr as a socket; attach before it is started and nothing is missed."""
    stream = engine.api.attach_socket(container, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
    raw: socket.socket = getattr(stream, "_sock", stream)
    with contextlib.suppress(AttributeError, OSError):
        raw.settimeout(None)
    return raw


class Frames:
    """Takes an attached stream apart: (1 stdout | 2 stderr, data). A terminal's stream has no frames."""

    def __init__(self, terminal: bool = False) -> None:
        self._terminal, self._rest = terminal, b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The whole frames so far."""
        if self._terminal:
            return [(1, data)]
        self._rest += data
        found = []
        while len(self._rest) >= HEADER:
            size = int.from_bytes(self._rest[4:HEADER], "big")
            if len(self._rest) < HEADER + size:
                break
            found.append((self._rest[0], self._rest[HEADER : HEADER + size]))
            self._rest = self._rest[HEADER + size :]
        return found


def agent_argv(run_id: str, labels: Mapping[str, str], keep_running: Sequence[str], heal_pids: Sequence[int] | None) -> list[str]:
    """The command on the controller that is the agent.

    keep_running: containers that must not stay down if the harness dies. heal_pids: given for an agent that follows one whose container
    was killed, watchdog and all: it first undoes what that one left, among these processes.
    """
    command = ["python3", "-I", "-u", AGENT]
    if heal_pids is not None:
        first = " ".join([*command, "heal", run_id, *(str(pid) for pid in heal_pids)])
        command = ["sh", "-c", f"{first} >&2; exec {' '.join(command)}"]
    plan = {"name": f"sb-{run_id}-helper-{secrets.token_hex(2)}", "command": command, "labels": dict(labels), "keep": list(keep_running)}
    return [sys.executable, "-P", "-u", "-m", "harness.clusters.docker_pipe", json.dumps(plan)]


def run_once(engine: Engine, command: Sequence[str], labels: Mapping[str, str]) -> Done:
    """Run a command in a helper container to its end. Raises what Docker raises."""
    container = create(engine, f"sb-once-{secrets.token_hex(4)}", command, labels, host={"auto_remove": False})
    try:
        engine.api.start(container)
        try:
            code = engine.api.wait(container, timeout=END_LIMIT_S)["StatusCode"]
        except requests.RequestException:
            return Done(124, "", f"it did not end within {END_LIMIT_S:g} s")
        out, err = (engine.api.logs(container, stdout=not error, stderr=error).decode(errors="replace") for error in (False, True))
        return Done(int(code), out, err)
    finally:
        remove(engine, container)


def remove(engine: Engine, container: str) -> bool:
    """Remove a container whatever it does; False if it was not there."""
    try:
        engine.api.remove_container(container, force=True, v=True)
    except NotFound:
        return False
    except APIError as error:
        if error.status_code != 409:  # its removal is already under way
            raise
    return True
