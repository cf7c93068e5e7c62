"""What a local run may leave, and what this machine lets one do.

Why it exists  `splitbrain heal` and `splitbrain doctor` ask each cluster the same two things.
Relies on      marks in the environment of each node's processes: the run, and its owner by pid and start time. A bubble leaves nothing:
               only nodes of relay mode can outlive a harness, if they were not killed with it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence

from harness.cluster import Diagnosis, Say
from harness.clusters.relay import NODE_MARK, RUN_MARK

OWNER_MARK = "SPLITBRAIN_OWNER"


def owner_mark(pid: int) -> str:
    """A process for as long as it lives: pid and start time."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return f"{pid}:{file.read().rpartition(b')')[2].split()[19].decode()}"
    except OSError:
        return ""


def end_leftovers(everyone: bool, say: Say) -> tuple[int, int]:
    """SIGKILL node processes whose owner is dead (or all): (ended, could not be ended)."""
    ended = failed = 0
    for pid, marks in _marked():
        owner = marks.get(OWNER_MARK, "")
        alive = bool(owner) and owner_mark(int(owner.partition(":")[0])) == owner
        if alive and not everyone:
            continue
        who = f"{marks.get(NODE_MARK)} of run {marks[RUN_MARK]}"
        try:
            os.kill(pid, signal.SIGKILL)
            ended += 1
            say(f"ended {who} (process {pid})")
        except ProcessLookupError:
            continue
        except PermissionError:
            failed += 1
            say(f"{who} (process {pid}) belongs to another user.\nWay out: sudo splitbrain heal")
    return ended, failed


def _marked() -> Iterator[tuple[int, dict[str, str]]]:
    """Nodes' processes of our own pid namespace: in another one (a bubble, a container) our pids mean other processes."""
    ours = os.readlink("/proc/self/ns/pid")
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{name}/ns/pid") != ours:
                continue
            with open(f"/proc/{name}/environ", "rb") as file:
                pairs = (item.partition(b"=") for item in file.read().split(b"\0"))
                marks = {key.decode(): value.decode(errors="replace") for key, _, value in pairs if key.startswith(b"SPLITBRAIN_")}
            if RUN_MARK in marks and NODE_MARK in marks:
                yield int(name), marks


def diagnose(why_forbidden: str) -> Sequence[Diagnosis]:
    """Lines of `splitbrain doctor`; the cluster itself works everywhere, in one mode or the other."""
    mend = "allow user namespaces (sysctl kernel.unprivileged_userns_clone=1), run as root, or leave the container's seccomp profile"
    return [
        Diagnosis("local nodes", sys.platform == "linux", "Linux" if sys.platform == "linux" else sys.platform, "use --cluster docker"),
        Diagnosis(
            "network namespaces",
            not why_forbidden,
            f"no: {why_forbidden}; nodes run behind relays on loopback, cuts hold TCP alone" if why_forbidden else "each node gets one",
            mend if why_forbidden else "",
        ),
        Diagnosis(
            "nft",
            shutil.which("nft", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None,
            "cuts on the bridge, with counters" if shutil.which("nft", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") else "absent",
            "apt-get install nftables; without it policy rules cut",
        ),
    ]
