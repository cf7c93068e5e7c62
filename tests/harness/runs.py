"""Short real runs through the command line, for tests: what a user types, what comes back, what is stored."""

import os
import subprocess
import sys
import time
from pathlib import Path

from harness.events import read_events

QUICK = ["--healthy", "1", "--time-limit", "3", "--seed", "11"]


def command(*arguments):
    return [sys.executable, "-P", "-m", "splitbrain", *map(str, arguments)]


def splitbrain(*arguments, cwd=None, env=None, timeout=120):
    """Run the command: the finished process; nothing of ours may ever show a traceback."""
    done = subprocess.run(command(*arguments), cwd=cwd, capture_output=True, text=True, timeout=timeout, env={**os.environ, **(env or {})})
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return done


def begin(*arguments, env=None):
    """Start the command and leave it running."""
    return subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})}
    )


def folder_of(store):
    """The one run in a store."""
    (found,) = [path for path in Path(store).iterdir() if not path.is_symlink()]
    return found


def phases(folder):
    return [event["phase"] for event in read_events(folder / "events.jsonl") if event["event"] == "phase"]


def until_phase(store, phase, limit_s=60.0):
    """Wait until the run in a store has reached a phase; its folder."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if Path(store).is_dir() and any(not path.is_symlink() for path in Path(store).iterdir()):
            folder = folder_of(store)
            if phase in phases(folder):
                return folder
        time.sleep(0.05)
    raise AssertionError(f"the run never reached {phase}")


def processes_of(mark):
    """Pids whose environment holds a text (runs mark their nodes)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def gone(condition, seconds):
    """True as soon as the condition no longer holds; False if it still does after so long."""
    end = time.monotonic() + seconds
    while condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
