"""How long the list-append check takes: the whole process, and the parts inside.

    bench/list_append.py [TRANSACTIONS]       default 100000; makes its histories with ../shared/prototypes/gen.py in a temporary folder

Prints a line for each history: seconds of `splitbrain check` from outside (best of three), and inside: reading, check.
Goals at 100,000 (issue 3): JSON lines below 1.0 s, EDN below 2.5 s, whole process.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
GENERATOR = TOP.parent / "shared" / "prototypes" / "gen.py"
INSIDE = """
import sys, time
from pathlib import Path
start = time.perf_counter()
from harness.checker import CheckContext
from harness.history.read import read_history
from checkers.list_append import ListAppend
imported = time.perf_counter()
history = read_history(Path(sys.argv[1]))
read = time.perf_counter()
verdict = ListAppend().check(history, CheckContext())
done = time.perf_counter()
print(f"imports {imported-start:.2f} read {read-imported:.2f} check {done-read:.2f} s; "
      f"{verdict.valid} {verdict.counts}")
"""


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    cases = [
        ("valid, JSON lines", count, ["--fmt", "jsonl"]),
        ("valid, EDN", count, []),
        ("5 % stale, JSON lines", count // 10, ["--fmt", "jsonl", "--anom", "stale", "--rate", "0.05"]),
        ("snapshot isolation, JSON lines", count // 10, ["--fmt", "jsonl", "--anom", "si"]),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, size, options) in enumerate(cases):
            path = Path(folder) / f"{number}.history"
            subprocess.run([sys.executable, GENERATOR, "append", str(size), path, *options], check=True, stdout=subprocess.DEVNULL)
            times = []
            for _ in range(3):
                start = time.perf_counter()
                command = [sys.executable, "-P", "-m", "splitbrain", "check", str(path), "--json"]
                code = subprocess.run(command, stdout=subprocess.DEVNULL, cwd=TOP, check=False).returncode
                times.append(time.perf_counter() - start)
            inside = subprocess.run(
                [sys.executable, "-c", INSIDE, path], capture_output=True, text=True, cwd=TOP, check=True
            ).stdout.strip()
            print(f"{name}, {size} transactions: whole process {min(times):.2f} s, exit {code}; inside: {inside}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
