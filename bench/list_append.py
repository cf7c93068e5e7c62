"""How long the list-append check takes: the whole process, seconds of wall and of CPU, and its memory.

    bench/list_append.py [TRANSACTIONS] [MOST]     default 100000 and 1000000; makes its histories with ../shared/prototypes/gen.py in a
                                                   temporary folder, and takes huge-scc.edn of ../shared/corpora where it is

Prints a line for each history, the median of three by wall time. Goals for valid ones, strict serializability: 100,000 in JSON lines below
0.7 s, 1,000,000 below 3 s and 3 GB. CPU seconds are what to look at where others work on the machine too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
SHARED = TOP.parent / "shared"
GENERATOR = SHARED / "prototypes" / "gen.py"
HUGE = SHARED / "corpora" / "jepsen-io+elle" / "huge-scc.edn"


def check(path: Path) -> str:
    """Whole process, median of three: times, memory, what came out."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        command = [sys.executable, "-P", "-m", "splitbrain", "check", str(path), "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=TOP) as process:
            assert process.stdout is not None
            answer = json.loads(process.stdout.read())
            _, _, used = os.wait4(process.pid, 0)
            process.returncode = 0
        times.append((time.perf_counter() - start, used.ru_utime, used.ru_stime, used.ru_maxrss >> 10))
    wall, user, system, memory = sorted(times)[1]
    counts = answer["checkers"]["list-append"].get("counts", {})
    return f"{wall:.2f} s wall, {user:.2f} user + {system:.2f} sys, {memory} MB; {answer['valid']} {counts}"


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    most = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    stale = ["--anom", "stale", "--rate"]
    cases = [
        ("valid", count // 10, ["--fmt", "jsonl"]),
        ("valid", count, ["--fmt", "jsonl"]),
        ("valid, EDN", count, []),
        ("valid", most, ["--fmt", "jsonl"]),
        ("snapshot isolation", count, ["--fmt", "jsonl", "--anom", "si"]),
        ("0.01 % stale", count, ["--fmt", "jsonl", *stale, "0.0001"]),
        ("1 % stale", count, ["--fmt", "jsonl", *stale, "0.01"]),
        ("1 % stale", count // 10, ["--fmt", "jsonl", *stale, "0.01"]),
        ("5 % stale", count // 10, ["--fmt", "jsonl", *stale, "0.05"]),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, size, options) in enumerate(cases):
            path = Path(folder) / f"{number}.history"
            subprocess.run([sys.executable, GENERATOR, "append", str(size), path, *options], check=True, stdout=subprocess.DEVNULL)
            print(f"{name}, {size} transactions: {check(path)}", flush=True)
            path.unlink()
    if HUGE.is_file():
        print(f"huge-scc.edn: {check(HUGE)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
