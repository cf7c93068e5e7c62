"""The Docker Engine: one connection, its failures as sentences, and the labels that say whose a thing is.

Why it exists  every Docker module needs the same three answers: is the Engine there, what did it refuse, does a run's owner still live.
Relies on      the SDK `docker`; DOCKER_HOST or Docker's current context; /proc (else `ps`) for the start time of an owner, because pids
               are used again.
"""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException, NotFound

from harness.errors import SetupError, SplitbrainError

LABEL = "splitbrain"
RUN, ROLE, OWNER, STARTED, HOST, ATTACHED = (
    f"{LABEL}.{name}" for name in ("run", "role", "owner", "owner-start", "owner-host", "attached")
)
TIMEOUT_S = 30.0
CONNECTIONS = 64


class Engine:
    """A connection. `lost_is`: what its loss raises, SetupError before a run, LostError during it; `left`: what it says is left then."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self.lost_is: type[SplitbrainError] = SetupError
        self.left = "nothing was started"
        try:
            client = docker.from_env(timeout=timeout_s, max_pool_size=CONNECTIONS, environment=_environment())
        except (DockerException, requests.RequestException, OSError, ValueError) as error:
            raise SetupError(f"no Docker Engine answers: {plain_reason(error)}", "nothing was started", way_out(error)) from error
        self.api: Any = client.api

    @property
    def host(self) -> str:
        """Where published ports are: this machine, or the host of a remote Engine."""
        parts = urlsplit(self.api.base_url)
        remote = parts.scheme in ("http", "https", "tcp", "ssh") and not (parts.hostname or "").startswith(("localhost", "127."))
        where = urlsplit(_environment().get("DOCKER_HOST", "")).hostname or "127.0.0.1"
        return where if remote and where != "localhost" else "127.0.0.1"

    @contextlib.contextmanager
    def asking(self, doing: str) -> Iterator[None]:
        """Turn what Docker raises into one sentence: "<doing> failed: <why>"."""
        try:
            yield
        except NotFound as error:
            raise self.lost_is(
                f"{doing} failed: {explanation(error)}", "", "splitbrain heal removes what is left, then run again"
            ) from error
        except APIError as error:
            raise self.lost_is(f"{doing} failed: {explanation(error)}", "", "splitbrain doctor; docker info") from error
        except (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, ConnectionError, TimeoutError) as error:
            raise self.lost_is(f"the Docker Engine was lost while {doing}: {plain_reason(error)}", self.left, way_out(error)) from error

    def image(self, tag: str) -> str:
        """An image's id; "" if it is not here."""
        try:
            return str(self.api.inspect_image(tag)["Id"])
        except NotFound:
            return ""

    def close(self) -> None:
        """Drop the connection."""
        self.api.close()


def _environment() -> dict[str, str]:
    """The environment with the Engine of Docker's current context, where nothing else names one (Docker Desktop has such a context)."""
    found = dict(os.environ)
    if "DOCKER_HOST" not in found:
        with contextlib.suppress(Exception):  # a broken context file is Docker's to report; the default socket is tried all the same
            context = docker.ContextAPI.get_current_context()
            if context is not None and context.name != "default" and context.Host:
                found["DOCKER_HOST"] = context.Host
    return found


def explanation(error: APIError) -> str:
    """What the Engine said."""
    return " ".join(str(error.explanation or error).split())[:400]


def plain_reason(error: BaseException) -> str:
    """The reason at the bottom of a pile of exceptions."""
    found: BaseException | None = error
    reason = str(error)
    for _ in range(12):
        if found is None:
            break
        if isinstance(found, OSError) and found.strerror:
            where = _environment().get("DOCKER_HOST", "unix:///var/run/docker.sock")
            return f"{where}: {found.strerror}"
        nested = next((item for item in found.args if isinstance(item, BaseException)), None)
        found = nested or found.__cause__ or found.__context__
    return " ".join(reason.split())[:300]


def way_out(error: BaseException) -> str:
    """What to do about an Engine that does not answer."""
    if "Permission denied" in plain_reason(error):
        return "join the group docker (usermod -aG docker $USER, then log in again), or run as root"
    return "start Docker (systemctl start docker, or Docker Desktop), or set DOCKER_HOST; without Docker: --cluster local"


def own_labels(run_id: str, owner_pid: int, role: str) -> dict[str, str]:
    """The labels of everything that a run makes."""
    pid = owner_pid or os.getpid()
    return {LABEL: "1", RUN: run_id, ROLE: role, OWNER: str(pid), STARTED: start_time(pid), HOST: host_identity()}


def owner_lives(labels: Mapping[str, str]) -> bool:
    """True if the run's owner may still live: one on another machine is not known to be dead."""
    if labels.get(HOST, "") != host_identity():
        return True
    pid = labels.get(OWNER, "")
    return pid.isdigit() and bool(start_time(int(pid))) and start_time(int(pid)) == labels.get(STARTED)


def start_time(pid: int) -> str:
    """When a process was started, in any unit that stays the same; "" if there is none (a zombie is none)."""
    if os.path.isdir("/proc/self"):
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        return "" if fields[0] in (b"Z", b"X") else fields[19].decode()
    done = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return "_".join(done.stdout.split())


def host_identity() -> str:
    """This machine and its space of pids."""
    space = ""
    with contextlib.suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")
    return f"{platform.node()}/{space}"
