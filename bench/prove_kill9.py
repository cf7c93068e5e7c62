"""kill -9 of the harness in the middle of a fault phase: nothing of any fault is left after 10 s, the history up to the kill can be judged.

./dev prove kill9 [local|docker]: ten random moments on each cluster, all four kinds of faults; then `splitbrain heal` twice; then the event
loop blocked for 20 s by force (SIGSTOP of the process that holds it): the faults heal all the same, and the run goes on to a verdict.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from proof import TOP, Proof, splitbrain

MOMENTS = 10
LIMIT_S = 10.0


def traces() -> list[str]:
    """What of ours is in effect on this machine: nft tables with cuts in them, stopped or skewed nodes, helper containers."""
    left = [f"cut: {line}" for line in cuts()]
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = status.read_text()
            command = (status.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if is_etcd(command) and text.rsplit(")", 1)[1].split()[0] == "T":
            left.append(f"stopped: {status.parent.name} {command[:60]!r}")
    return left + skewed()


def is_etcd(command: bytes) -> bool:
    return command.split(b"\0")[0].endswith(b"etcd")


def helpers() -> list[str]:
    """Helper containers that run."""
    found = subprocess.run(["docker", "ps", "-q", "--filter", "label=splitbrain.role=helper"], capture_output=True, text=True).stdout
    return [f"helper {line}" for line in found.split()]


def cuts() -> list[str]:
    """Elements of our nft tables: here, and in the network namespace of each local agent."""
    places = {os.readlink("/proc/self/ns/net"): os.getpid()}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"nemeses/agent" in (folder / "cmdline").read_bytes():
                places.setdefault(os.readlink(folder / "ns" / "net"), int(folder.name))
        except OSError:
            continue
    found = []
    for pid in places.values():
        listed = subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", "nft", "list", "ruleset"], capture_output=True, text=True).stdout
        if "splitbrain_" in listed:
            found += [line.strip()[:80] for line in listed.splitlines() if " . " in line and "expires" in line]
    return found


def skewed() -> list[str]:
    """Nodes' processes whose vDSO no longer begins as our own does (the entries of the clock functions are patched)."""
    from nemeses.agent import clock

    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if not is_etcd((folder / "cmdline").read_bytes()):
                continue
            if clock.is_patched(int(folder.name)):
                found.append(f"skewed: {folder.name}")
        except OSError:
            continue
    return found


def begin(cluster: str, time_limit: int) -> tuple[subprocess.Popen[bytes], Path | None]:
    """Start a run and wait for its fault phase; its folder, None if it never came."""
    store = TOP / "store" / f"kill9-{cluster}"
    before = set(store.glob("2*")) if store.is_dir() else set()
    faults = f"--nemesis partition,kill,pause,clock --interval 4 --healthy 2 --time-limit {time_limit}"
    command = f"run etcd --cluster {cluster} {faults} --quiet --store {store}"
    run = subprocess.Popen(
        [sys.executable, "-P", "-m", "splitbrain", *command.split()], cwd=TOP, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and run.poll() is None:
        new = sorted(set(store.glob("2*")) - before) if store.is_dir() else []
        if new and (new[-1] / "events.jsonl").is_file() and b'"phase":"fault"' in (new[-1] / "events.jsonl").read_bytes():
            return run, new[-1]
        time.sleep(0.05)
    run.kill()
    return run, None


def moment(cluster: str, number: int) -> dict[str, object]:
    """Start a run, kill it at a random moment of its fault phase, look again after at most 10 s, judge what was recorded."""
    rng = random.Random(number)
    run, folder = begin(cluster, 40)
    if folder is None:
        return {"passed": False, "why": f"the run never reached its fault phase (exit {run.poll()})"}
    time.sleep(rng.uniform(1.0, 25.0))
    active = traces()
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    start = time.monotonic()
    while (left := traces() + helpers()) and time.monotonic() - start < LIMIT_S:
        time.sleep(0.2)
    gone_s = round(time.monotonic() - start, 1)
    code, output, _ = splitbrain("check", str(folder))
    heal, said, _ = splitbrain("heal")
    again, said_again, _ = splitbrain("heal")
    passed = not left and code in (0, 1, 2) and "Traceback" not in output and heal == 0 and again == 0 and "nothing is left" in said_again
    return {
        "passed": passed,
        "active_at_kill": len(active),
        "left_after_10s": left[:3],
        "gone_after_s": gone_s,
        "check": code,
        "heal": said.strip().splitlines()[-1:] or heal,
        "heal_again": said_again.strip().splitlines()[-1:] or again,
    }


def blocked(cluster: str) -> dict[str, object]:
    """Stop the process that holds the event loop for 20 s while faults are active; then let it go on."""
    run, folder = begin(cluster, 45)
    if folder is None:
        return {"passed": False, "why": f"the run never reached its fault phase (exit {run.poll()})"}
    deadline = time.monotonic() + 20
    while not (active := traces()) and time.monotonic() < deadline:
        time.sleep(0.05)
    holder = max(
        [run.pid, *descendants(run.pid)], key=lambda pid: (b"-m\0splitbrain\0run" in Path(f"/proc/{pid}/cmdline").read_bytes(), pid)
    )
    os.kill(holder, signal.SIGSTOP)
    start = time.monotonic()
    while (left := traces()) and time.monotonic() - start < 20:
        time.sleep(0.2)
    gone_s = round(time.monotonic() - start, 1)
    time.sleep(max(0.0, 20 - (time.monotonic() - start)))
    left = left or traces()
    os.kill(holder, signal.SIGCONT)
    code = run.wait(180)
    passed = bool(active) and not left and gone_s <= 16 and code in (0, 2)
    return {"passed": passed, "active": active[:3], "left_after_20s": left[:3], "gone_after_s": gone_s, "exit": code}


def descendants(pid: int) -> list[int]:
    """Children of a process, their children, and so on."""
    found: list[int] = []
    todo = [pid]
    while todo:
        parent = todo.pop()
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True).stdout
        children = [int(line) for line in listed.split()]
        found += children
        todo += children
    return found


def main() -> int:
    """Ten moments on each cluster, then the blocked loop."""
    proof = Proof("kill9")
    for cluster in [name for name in ("local", "docker") if name in sys.argv[1:]] or ["local", "docker"]:
        for number in range(1, MOMENTS + 1):
            proof.case(f"{cluster}: killed at moment {number}", lambda c=cluster, n=number: moment(c, n))
        proof.case(f"{cluster}: event loop blocked for 20 s", lambda c=cluster: blocked(c))
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
