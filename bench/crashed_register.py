"""How long cas-registers with crashed operations take: the histories that Porcupine cannot settle, and those with many clients.

    bench/crashed_register.py [--rounds N]      makes its histories in a temporary folder

First part (reference/checkers.md, section 1): a violation at the very end of 200 ops with 9 or 11 crashed ones, and of 1000 with 14 to 58.
Porcupine took 4 to 14 s for the small ones, and more than 30 s for the others. Second part: 10,000 ops on 5 values, 10 and 20 clients, 20
crashed ops; Porcupine took 0.24 s and more than 30 s, Knossos 1.1 and 17 s. Prints the median of the whole process (wall, and user + system
time); exit 1 if a verdict is not the one that must come out.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import msgspec

from harness.op import Op
from tests.checkers.histories_linearizable import valid_history

TOP = Path(__file__).resolve().parent.parent
AT_END = [(200, 5, 11), (200, 10, 9), *((1000, clients, crashed) for crashed in (14, 20, 30, 40, 58) for clients in (5, 10))]
MANY = [(10_000, 10, 20), (10_000, 20, 20)]


def spoiled(ops: list[Op]) -> list[Op]:
    """The ops, and after all of them a process that writes 77, changes it to 78, and then reads 77 all the same."""
    process, added = 10**6, []
    for f, value in (("write", 77), ("cas", [77, 78]), ("read", 77)):
        for type_ in ("invoke", "ok"):
            index = len(ops) + len(added)
            shown = None if (f, type_) == ("read", "invoke") else value
            added.append(Op(index, index * 1000, process, type_, f, {"key": "k0", "value": shown}))
    return ops + added


def measure(path: Path, rounds: int) -> tuple[float, float, int]:
    """(median wall seconds, median user + system seconds, exit code) of the whole process."""
    walls, spent, code = [], [], 0
    command = [sys.executable, "-P", "-m", "splitbrain", "check", str(path), "--as", "cas-register", "--json"]
    for _ in range(rounds):
        before, start = os.times(), time.perf_counter()
        code = subprocess.run(command, stdout=subprocess.DEVNULL, cwd=TOP, check=False).returncode
        after = os.times()
        walls.append(time.perf_counter() - start)
        spent.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return statistics.median(walls), statistics.median(spent), code


def main() -> int:
    rounds = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else 3
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.jsonl"
        for spoil, cases in ((True, AT_END), (False, MANY)):
            for count, clients, crashed in cases:
                ops = list(valid_history(count, 1, clients=clients, kind="cas", crashed=crashed).ops)
                ops = spoiled(ops) if spoil else ops
                path.write_bytes(b'{"splitbrain":1}\n' + b"".join(msgspec.json.encode(op) + b"\n" for op in ops))
                wall, cpu, code = measure(path, rounds)
                wrong += code != spoil
                name = f"{count} ops, {clients} clients, {crashed} crashed, {'violation at the end' if spoil else 'valid'}"
                print(f"{name}: wall {wall:.2f} s, user+sys {cpu:.2f} s, exit {code}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
