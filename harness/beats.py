"""The small process between the event loop and the fault agent: it beats for the loop, as long as the loop says that it lives.

Why it exists  one long call into C starves every thread of the harness for seconds, and a harness that merely computes must not lose its
               faults; but one that hangs must. So the loop says "alive until t", and this process, which does nothing heavy, beats.
Relies on      the standard library alone (it starts in 20 ms); the monotonic clock being the same for both; pipes that end with a process:
               when the loop's ends, the agent's stdin is closed at once, and the agent heals.

Lines from the loop are the agent's commands and are passed on, except {"alive_until": s}. The agent's answers are passed back as they are.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time

BEAT_S = 1.0
LAST_WORDS_S = 15.0  # the agent heals before it ends
ALIVE, BEAT = b'{"alive_until"', b'{"do": "beat"}\n'


def relay(agent: subprocess.Popen[bytes]) -> int:
    """Pass lines both ways and beat, until one side ends; the agent's exit code."""
    assert agent.stdin is not None and agent.stdout is not None
    to_agent, from_agent = agent.stdin.fileno(), agent.stdout.fileno()
    alive_until, beat_at, rest = 0.0, 0.0, b""
    while True:
        ready = select.select([0, from_agent], [], [], max(0.0, beat_at - time.monotonic()))[0]
        try:
            if from_agent in ready:
                data = os.read(from_agent, 65536)
                if not data:
                    return agent.wait()
                _write(1, data)
            if 0 in ready:
                data = os.read(0, 65536)
                if not data:
                    break
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    if line.startswith(ALIVE):
                        alive_until = json.loads(line)["alive_until"]
                    else:
                        _write(to_agent, line + b"\n")
            now = time.monotonic()
            if now >= beat_at:
                beat_at = now + BEAT_S
                if now < alive_until:
                    _write(to_agent, BEAT)
        except BrokenPipeError:  # whichever end it was: close the agent's stdin, so that it heals
            break
    return _end(agent)


def _end(agent: subprocess.Popen[bytes]) -> int:
    """The loop is gone: no more words to the agent; pass on its last ones to whoever may still listen."""
    assert agent.stdin is not None and agent.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        agent.stdin.close()
    deadline = time.monotonic() + LAST_WORDS_S
    while time.monotonic() < deadline:
        if not select.select([agent.stdout], [], [], 0.5)[0]:
            continue
        data = os.read(agent.stdout.fileno(), 65536)
        if not data:
            break
        with contextlib.suppress(OSError):
            _write(1, data)
    try:
        return agent.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return 1


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def main() -> int:
    """`beats.py -- AGENT ARGV...`: start the agent and stand between."""
    with contextlib.suppress(OSError):
        os.nice(-5)  # on a loaded machine a beat that comes late ends the faults
    agent = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    return relay(agent)


if __name__ == "__main__":
    sys.exit(main())
