"""kill -9 of the harness in the middle of a fault phase: nothing of any fault is left after 10 s, the history up to the kill can be judged.

./dev prove kill9 [local|docker]: ten random moments on each cluster, all four kinds of faults; then `splitbrain heal` twice.
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
    """What of ours is in effect on this machine: nft tables, stopped or skewed processes of nodes, helper containers."""
    left = []
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True).stdout
    left += [line for line in tables.splitlines() if "splitbrain_" in line]
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = status.read_text()
            command = (status.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if b"etcd" in command.split(b"\0")[0] and text.rsplit(")", 1)[1].split()[0] == "T":
            left.append(f"stopped: {status.parent.name} {command[:60]!r}")
    helpers = subprocess.run(["docker", "ps", "-q", "--filter", "label=splitbrain.role=helper"], capture_output=True, text=True).stdout
    left += [f"helper {line}" for line in helpers.split()]
    return left + skewed()


def skewed() -> list[str]:
    """Nodes' processes whose vDSO no longer begins as our own does (the entries of the clock functions are patched)."""
    from nemeses.agent import clock

    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"etcd" not in (folder / "cmdline").read_bytes().split(b"\0")[0]:
                continue
            if clock.is_patched(int(folder.name)):
                found.append(f"skewed: {folder.name}")
        except OSError:
            continue
    return found


def moment(cluster: str, number: int) -> dict[str, object]:
    """Start a run, kill it at a random moment of its fault phase, look again after at most 10 s, judge what was recorded."""
    rng = random.Random(number)
    store = TOP / "store" / f"kill9-{cluster}"
    before = set(store.glob("2*")) if store.is_dir() else set()
    faults = "--nemesis partition,kill,pause,clock --interval 4 --healthy 2 --time-limit 40"
    command = f"run etcd --cluster {cluster} {faults} --quiet --store {store}"
    run = subprocess.Popen(
        [sys.executable, "-P", "-m", "splitbrain", *command.split()], cwd=TOP, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    folder = None
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and run.poll() is None:
        new = sorted(set(store.glob("2*")) - before) if store.is_dir() else []
        if new and (new[-1] / "events.jsonl").is_file() and b'"phase":"fault"' in (new[-1] / "events.jsonl").read_bytes():
            folder = new[-1]
            break
        time.sleep(0.05)
    if folder is None:
        run.kill()
        return {"passed": False, "why": f"the run never reached its fault phase (exit {run.poll()})"}
    time.sleep(rng.uniform(1.0, 25.0))
    active = traces()
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    start = time.monotonic()
    while (left := traces()) and time.monotonic() - start < LIMIT_S:
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


def main() -> int:
    """Ten moments on each cluster."""
    proof = Proof("kill9")
    for cluster in [name for name in ("local", "docker") if name in sys.argv[1:]] or ["local", "docker"]:
        for number in range(1, MOMENTS + 1):
            proof.case(f"{cluster}: killed at moment {number}", lambda c=cluster, n=number: moment(c, n))
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
