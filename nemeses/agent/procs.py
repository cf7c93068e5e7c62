"""Processes as /proc shows them: which belong to a node, which state each thread is in, and that a pid is still the same process.

Why it exists  process groups and names lie (servers leave their group, pids are reused); namespaces, descent and start times do not.
Relies on      /proc of a pid namespace that contains the nodes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple


class Process(NamedTuple):
    """One process for as long as it lives: a reused pid has another start time."""

    pid: int
    started: int

    def alive(self) -> bool:
        """True while this very process runs (a zombie does not)."""
        found = stat(self.pid)
        return found is not None and found.started == self.started and found.state not in "ZX"


class Stat(NamedTuple):
    """The part of /proc/PID/stat that we need."""

    state: str
    parent: int
    started: int


def stat(pid: int, tid: int | None = None) -> Stat | None:
    """A process's (or thread's) state; None if there is none."""
    path = f"/proc/{pid}/stat" if tid is None else f"/proc/{pid}/task/{tid}/stat"
    try:
        with open(path, "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Stat(fields[0].decode(), int(fields[1]), int(fields[19]))


def identify(pid: int) -> Process | None:
    """The live process with this pid now."""
    found = stat(pid)
    return None if found is None or found.state in "ZX" else Process(pid, found.started)


def stopped(pid: int) -> bool:
    """True if no thread of the process can run: each is stopped (by a signal or a tracer) or dead. Gone counts as stopped."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except (FileNotFoundError, ProcessLookupError):
        return True
    states = (stat(pid, int(tid)) for tid in threads)
    return all(state is None or state.state in "TtZX" for state in states)


def namespace(pid: int, kind: str) -> str:
    """Identity of a process's namespace ("net", "pid"); "" if it cannot be seen."""
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except OSError:
        return ""


def netns_of_path(path: str) -> str:
    """Identity of a network namespace given by path; "" if there is none."""
    try:
        return f"net:[{os.stat(path).st_ino}]" if path else ""
    except OSError:
        return ""


def all_pids() -> list[int]:
    """Every process visible here."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def members(seeds: Iterable[int], netns: str) -> list[Process]:
    """All live processes of a node: `seeds`, what shares its network namespace (and pid namespace, where it has its own), descendants.

    A node without a network namespace of its own (relay mode) is its seeds and their descendants. The agent and its parent never count.
    """
    seeds = [pid for pid in seeds if stat(pid) is not None]
    never = {os.getpid(), os.getppid()}
    network = netns_of_path(netns)
    if network and network != namespace(os.getpid(), "net"):
        own = namespace(os.getpid(), "pid")
        rooms = {namespace(pid, "pid") for pid in seeds} - {own, ""}
        pids = {pid for pid in all_pids() if namespace(pid, "net") == network and (not rooms or namespace(pid, "pid") in rooms)}
    else:
        pids = descendants(seeds)
    found = (identify(pid) for pid in sorted((pids | set(seeds)) - never))
    return [process for process in found if process is not None]


def descendants(seeds: Iterable[int]) -> set[int]:
    """The seeds' children, their children, and so on."""
    wanted = set(seeds)
    if not wanted:
        return set()
    children: dict[int, list[int]] = {}
    for pid in all_pids():
        found = stat(pid)
        if found is not None:
            children.setdefault(found.parent, []).append(pid)
    todo, result = list(wanted), set()
    while todo:
        for child in children.get(todo.pop(), ()):
            if child not in result:
                result.add(child)
                todo.append(child)
    return result


def unread_bytes(pid: int) -> int:
    """Bytes (and unaccepted connections) that wait in the sockets of the process's network namespace."""
    waiting = 0
    for name in ("tcp", "tcp6", "udp", "udp6"):
        try:
            with open(f"/proc/{pid}/net/{name}") as file:
                lines = file.readlines()[1:]
        except OSError:
            continue
        waiting += sum(int(line.split()[4].partition(":")[2], 16) for line in lines)
    return waiting
