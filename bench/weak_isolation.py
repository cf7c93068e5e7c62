"""How long the weak levels take: whole process, by level and size, on what gen.py's rw makes, as Plume's text.

    bench/weak_isolation.py [--again]

20 clients, 10 live keys, 32 writes a key, 2 % aborted. A row each in bench/figures/weak_isolation_speed.jsonl: median of five wall times,
of user + system seconds, peak memory. Goal at 1,000,000 transactions: below 6 s for each level (AWDIT: 6.4 s wall, 1.2 GiB for causal).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from proof import TOP, Proof

GENERATOR = TOP.parent / "shared" / "prototypes" / "gen.py"
LEVELS = ("read-committed", "read-atomic", "causal")
SIZES = (10_000, 100_000, 1_000_000)


def make(count: int, path: Path) -> None:
    """gen.py's history, session = client; null is 0, of an aborted transaction the writes."""
    lines = path.with_suffix(".jsonl")
    subprocess.run(
        [sys.executable, GENERATOR, "rw", str(count), lines, "--fmt", "jsonl", "--info", "0"], check=True, stdout=subprocess.DEVNULL
    )
    invoked: dict[int, Any] = {}
    number = 0
    with lines.open() as source, path.open("w") as out:
        for line in source:
            op = json.loads(line)
            if op["type"] == "invoke":
                invoked[op["process"]] = op["value"]
                continue
            ok = op["type"] == "ok"
            for f, k, v in op["value"] if ok else invoked[op["process"]]:
                if ok or f == "w":
                    out.write(f"{f}({k},{v or 0},{op['process']},{number if ok else -1})\n")
            number += 1
    lines.unlink()


def timed(path: Path, level: str) -> dict[str, Any]:
    """Five runs of `splitbrain check`."""
    command = [sys.executable, "-P", "-m", "splitbrain", "check", str(path), "--as", "rw-register", "--consistency", level, "--json"]
    wall, used, peak, code = [], [], 0, 0
    for _ in range(5):
        start = time.monotonic()
        child = subprocess.Popen(command, cwd=TOP, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = code = os.waitstatus_to_exitcode(status)
        wall.append(time.monotonic() - start)
        used.append(usage.ru_utime + usage.ru_stime)
        peak = max(peak, usage.ru_maxrss)
    seconds = statistics.median(wall)
    return {"passed": code == 0, "wall_s": round(seconds, 2), "cpu_s": round(statistics.median(used), 2), "peak_mib": peak // 1024}


def main() -> int:
    proof = Proof("weak_isolation_speed")
    with tempfile.TemporaryDirectory() as folder:
        for count in SIZES:
            path = Path(folder) / f"{count}.txt"
            make(count, path)
            for level in LEVELS:
                proof.case(f"{count} transactions, {level}", partial(timed, path, level))
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
