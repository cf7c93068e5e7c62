"""How long the register check takes: the whole process, from outside.

    bench/register.py [OPS] [KEYS]      default 1000000 1000; makes its histories in a temporary folder

Histories: keys one after the other, 5 clients that overlap, unique values, valid; and the same with one stale read. Prints for each the
median of three runs of `splitbrain check`, after one that may compile. Goal (issue 3): 1,000,000 ops below 3 s, whole process.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LINE = '{"index":%d,"time":%d,"process":%d,"type":"%s","f":"%s","value":{"key":"r%d","value":%s},"error":null,"node":"n%d","ext":null}\n'


def write_history(path: Path, count: int, keys: int, stale: bool, clients: int = 5, seed: int = 1) -> None:
    """A history in our own format; each op takes effect at a moment between its two lines."""
    rng = random.Random(seed)
    each = count // keys
    with path.open("w") as file:
        file.write('{"splitbrain":1}\n')
        index = 0
        for key in range(keys):
            now, written, started = "null", 0, 0
            spoil = each // 2 if stale and key == keys // 2 else each
            open_: dict[int, list[str]] = {}
            while started < each or open_:
                client = rng.randrange(clients)
                if client not in open_:
                    if started == each:
                        continue
                    started += 1
                    f, value = "read", "null"
                    if rng.random() < 0.35:
                        written += 1
                        f, value = "write", str(written)
                    open_[client] = [f, value]
                    type_, shown = "invoke", value
                elif len(open_[client]) == 2:
                    f, value = open_[client]
                    now = value if f == "write" else now
                    open_[client].append("null" if f == "read" and started > spoil else now)
                    if f == "read" and started > spoil:
                        spoil = each
                    continue
                else:
                    f, value, seen = open_.pop(client)
                    type_, shown = "ok", seen if f == "read" else value
                file.write(LINE % (index, index * 1000, client, type_, f, key, shown, client % 3))
                index += 1


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    keys = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, stale in (("valid", False), ("one stale read", True)):
            path = Path(folder) / "history.jsonl"
            write_history(path, count, keys, stale)
            times, code = [], 0
            for _ in range(4):
                start = time.perf_counter()
                command = [sys.executable, "-P", "-m", "splitbrain", "check", str(path), "--json"]
                code = subprocess.run(command, stdout=subprocess.DEVNULL, cwd=TOP, check=False).returncode
                times.append(time.perf_counter() - start)
            wrong += code != stale
            size = path.stat().st_size / 1e6
            print(
                f"{name}, {count} ops, {keys} keys, {size:.0f} MB: whole process {statistics.median(times[1:]):.2f} s "
                f"({', '.join(f'{t:.2f}' for t in times[1:])}; the first {times[0]:.2f}), exit {code}",
                flush=True,
            )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
