"""The process on the controller whose stdin and stdout are the fault agent's, in its container.

Why it exists  the plane starts an agent as a command; this is that command for Docker, without needing the `docker` program.
Relies on      Docker closing the container's stdin when this process ends, however it ends: the agent then heals, ends, and its container
               removes itself. Run with -P: a file of this folder is named like the SDK.

If its stdin ended because the harness was killed, attached containers that the harness had killed are started again.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading

import requests
from docker.errors import APIError, NotFound

from harness.clusters.docker_engine import Engine, explanation, owner_lives
from harness.clusters.docker_helper import Frames, attach, create, remove
from harness.errors import SplitbrainError

CHUNK = 1 << 16
END_LIMIT_S = 10


def main(text: str) -> int:
    """Create the container, pass bytes both ways until it ends; its exit code."""
    plan = json.loads(text)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    engine = Engine()
    with engine.asking("starting the helper container"):
        container = create(engine, plan["name"], plan["command"], plan["labels"])
        try:
            stream = attach(engine, container)
            engine.api.start(container)
        except BaseException:
            remove(engine, container)
            raise
    threading.Thread(target=_pass_in, args=(stream,), daemon=True).start()
    _pass_out(stream)
    code = _end(engine, container)
    if plan["keep"] and not owner_lives(plan["labels"]):
        _start_again(engine, plan["keep"])
    return code


def _pass_in(stream: socket.socket) -> None:
    try:
        while data := os.read(0, CHUNK):
            stream.sendall(data)
    except OSError:
        pass  # the container is gone; the other direction sees it
    with contextlib.suppress(OSError):
        stream.shutdown(socket.SHUT_WR)


def _pass_out(stream: socket.socket) -> None:
    frames = Frames()
    with contextlib.suppress(OSError):
        while data := stream.recv(CHUNK):
            for kind, part in frames.feed(data):
                with contextlib.suppress(BrokenPipeError):  # nobody listens any more; the agent must still be let end in order
                    _write(kind, part)


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _end(engine: Engine, container: str) -> int:
    """The exit code; a container that does not end is removed."""
    try:
        return int(engine.api.wait(container, timeout=END_LIMIT_S)["StatusCode"])
    except NotFound:
        return 0
    except (APIError, requests.RequestException):
        with contextlib.suppress(APIError, requests.RequestException):
            remove(engine, container)
        return 1


def _start_again(engine: Engine, names: list[str]) -> None:
    for name in names:
        with contextlib.suppress(APIError, requests.RequestException):
            if not engine.api.inspect_container(name)["State"]["Running"]:
                engine.api.start(name)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except SplitbrainError as error:
        print(error.seen, file=sys.stderr)
    except APIError as error:
        print(explanation(error), file=sys.stderr)
    sys.exit(1)
