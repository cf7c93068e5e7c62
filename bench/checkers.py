"""How long each checker takes, whole process, beside the peers' figures and our goals: one table in one sitting.

    bench/checkers.py [NAME ..] [--rounds N] [--small]      default: all rows, 3 rounds; --small: a tenth of each size

Each row is one `splitbrain check` of a history that is made here (histories.py, objects.py) or recorded by others (../shared/corpora),
after one uncounted run: median wall time, user + system time, peak memory of the largest process, the verdict that came out. Peers'
figures are those of ../shared/reference/checkers.md (another day, the same kind of machine: compare as ratios); `loop` is a fixed
calibration loop timed beside each row, so that rows of two sittings can be compared. Rows are stored in bench/figures/checkers.jsonl.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from histories import write_cobra, write_kv, write_plume, write_txns
from objects import write_history
from proof import FIGURES, TOP, commit

CORPORA = TOP.parent / "shared" / "corpora"
COBRA = CORPORA / "DBCobra+CobraLogs" / "one-shot-10k"


class Row(NamedTuple):
    """A measurement: `make` writes the history to a path and gives the paths to check."""

    name: str
    make: Callable[[Path, int], list[Path]]
    size: int
    options: tuple[str, ...]
    want: int
    goal_s: float | None
    peers: str


def one(write: Callable[..., None], *arguments: Any, **options: Any) -> Callable[[Path, int], list[Path]]:
    """A maker of one file: write(path, *arguments with the size in place of "n", **options)."""

    def make(path: Path, size: int) -> list[Path]:
        write(path, *(size if argument == "n" else argument for argument in arguments), **options)
        return [path]

    return make


def there(*paths: Path) -> Callable[[Path, int], list[Path]]:
    """A maker of nothing: histories that others recorded."""
    return lambda path, size: list(paths)


def rows() -> list[Row]:
    """The table, in the order of the goals."""
    return [*_lists(), *_registers(), *_levels(), *_serial(), *_objects(), *_others()]


def _lists() -> list[Row]:
    valid = {10_000: (None, "Elle check 0.5-2.1 s"), 100_000: (0.7, "Elle 10.8 s wall; go-elle 15.3; adya ~1.6")}
    valid[1_000_000] = (3.0, "Elle parse 51.7 + check 84 s, 14 GiB")
    wrong = [
        ("si", 0.0, 100_000, "Elle 11.0 s; go-elle 35.2"),
        ("stale", 0.01, 10_000, "Elle 2.7 s, times out"),
        ("stale", 0.05, 10_000, "Elle 6.5 s, 5 or 6 time-outs"),
        ("stale", 0.0001, 100_000, "Elle 11.4 s, times out; go-elle 70"),
        ("stale", 0.01, 100_000, "Elle 25.9 s, 20 time-outs"),
    ]
    found = [Row(f"list-append {size}", one(write_txns, "append", "n"), size, (), 0, goal, peers) for size, (goal, peers) in valid.items()]
    found.append(Row("list-append edn 100000", one(write_txns, "append", "n", format="edn"), 100_000, (), 0, None, "Elle 10.8 s wall"))
    for anomaly, rate, size, peers in wrong:
        make = one(write_txns, "append", "n", anomaly=anomaly, rate=rate)
        found.append(Row(f"list-append {anomaly} {rate:g} {size}", make, size, (), 1, None, peers))
    return found


def _registers() -> list[Row]:
    linearizable = ("--as", "rw-register", "-o", "linearizable-keys=true")
    make = one(write_txns, "rw", "n")
    return [
        Row("rw-register linearizable keys 10000", make, 10_000, linearizable, 0, None, "Elle 61-75 s, 12.8 GiB"),
        Row("rw-register linearizable keys 100000", make, 100_000, linearizable, 0, 2.0, "Elle unfinished after 110 s"),
        Row("rw-register 100000", make, 100_000, ("--as", "rw-register"), 0, None, "Elle 19.8 s, incomplete"),
    ]


def _levels() -> list[Row]:
    peers = {"read-committed": "2.0 s user; Plume 100k: 5.3", "read-atomic": "2.7 s user; Plume 100k: 6.0"}
    peers["causal"] = "6.4 s wall, 3.9 user; Plume 100k: 7.9"
    found = []
    for size in (10_000, 100_000, 1_000_000):
        for level, million in peers.items():
            shown = {10_000: "< 0.01 s", 100_000: "0.13-0.22 s"}.get(size, million)
            goal = 6.0 if size == 1_000_000 else None
            found.append(Row(f"{level} plume {size}", one(write_plume, "n"), size, ("--consistency", level), 0, goal, f"AWDIT {shown}"))
    return found


def _serial() -> list[Row]:
    logs = [
        ("twitter", there(COBRA / "twitter-10000"), (), "VeriStrong SER 4.35, SI 6.0 s; PolySI SI 10.8"),
        ("rubis", there(COBRA / "rubis-10000"), (), "VeriStrong SER 2.1, SI 2.4 s; PolySI SI 5.1"),
        ("tpcc-like", one(write_cobra, "n"), (), "(tpcc) VeriStrong SER 27.3, SI > 60 s; PolySI SI 33.1"),
        ("hot keys", one(write_txns, "rw", "n"), ("--as", "rw-register"), "PolySI SI > 120 s; dbcop SER > 60"),
    ]
    return [
        Row(f"{model} {name} 10000", make, 10_000, (*options, "--consistency", model), 0, 2.0, peers)
        for name, make, options, peers in logs
        for model in ("serializable", "snapshot-isolation")
    ]


def _objects() -> list[Row]:
    peers = {"register": "Porcupine 10k: 5 clients 0.16 s, 20 > 60", "queue": "fastlin 3.1 s", "stack": "fastlin 3.1 s"}
    peers |= {"set-object": "fastlin 0.06 s", "priority-queue": "fastlin 4.3 s"}
    found = []
    for name, million in peers.items():
        for size in (10_000, 100_000, 1_000_000):
            for clients in (5, 50):
                goal, shown = (2.0, million) if size == 1_000_000 else (None, "")
                make = one(write_history, name, "n", clients, False)
                found.append(Row(f"{name} {size}, {clients} clients", make, size, ("--as", name), 0, goal, shown))
    for format in ("jsonl", "edn"):
        make = one(write_kv, "n", 1000, format=format)
        found.append(Row(f"kv {format} 1000000", make, 1_000_000, ("--as", "register"), 0, 4.0, "Porcupine 6.2 s, 0.66 GiB"))
    return found


def _others() -> list[Row]:
    etcd = sorted((CORPORA / "anishathalye+porcupine" / "jepsen").glob("*.log"))
    return [
        Row(f"{len(etcd)} etcd logs", there(*etcd), len(etcd), (), 1, 1.0, "Porcupine 1.13 s (102 logs, check time alone)"),
        Row("huge-scc", there(CORPORA / "jepsen-io+elle" / "huge-scc.edn"), 10_301, (), 1, None, "Elle 4.7-7.0 s, times out"),
        Row("ten lines", one(_ten), 10, (), 0, 0.35, "Elle: start-up alone 1.4 s"),
    ]


def _ten(path: Path) -> None:
    line = '{"index":%d,"time":%d,"process":0,"type":"%s","f":"%s","value":%s,"error":null,"node":"n1","ext":null}\n'
    ops = [("write", "1"), ("read", "1"), ("write", "2"), ("read", "2"), ("read", "2")]
    shown = [(type_, f, "null" if (f, type_) == ("read", "invoke") else value) for f, value in ops for type_ in ("invoke", "ok")]
    path.write_text("".join(line % (index, index, *op) for index, op in enumerate(shown)))


def loop_s() -> float:
    """A fixed piece of work in plain Python, to compare the machine's speed between sittings."""
    start = time.perf_counter()
    total = 0
    for number in range(3_000_000):
        total += number & 7
    return time.perf_counter() - start


def measured(paths: list[Path], options: tuple[str, ...], rounds: int) -> dict[str, Any]:
    """Medians of the whole process."""
    walls, cpus, peak, code = [], [], 0, 0
    for turn in range(rounds + 1):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = [sys.executable, "-P", "-m", "splitbrain", "check", "--json", *options, *map(str, paths)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=TOP)
        _, status, usage = os.wait4(process.pid, 0)
        code, peak = os.waitstatus_to_exitcode(status), max(peak, usage.ru_maxrss)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if turn:
            walls.append(time.perf_counter() - start)
            cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    figures = {"wall_s": statistics.median(walls), "cpu_s": statistics.median(cpus), "loop_s": loop_s()}
    return {**{name: round(value, 3) for name, value in figures.items()}, "peak_mb": peak >> 10, "exit": code}


def main() -> int:
    arguments = sys.argv[1:]
    rounds = int(arguments[arguments.index("--rounds") + 1]) if "--rounds" in arguments else 3
    wanted = [word for word in arguments if not word.startswith("-") and not word.isdigit()]
    small = "--small" in arguments
    wrong, at = 0, commit()
    print(f"{'':44} {'wall s':>8} {'CPU s':>8} {'MB':>6} {'goal':>6}  peers")
    for row in rows():
        if wanted and not any(word in row.name for word in wanted):
            continue
        with tempfile.TemporaryDirectory() as folder:
            paths = row.make(Path(folder) / "history", row.size // 10 if small else row.size)
            if not all(path.exists() for path in paths) or not paths:
                print(f"{row.name:44} skipped: no recorded histories here")
                continue
            size_mb = sum(path.stat().st_size for path in paths) / 1e6
            figures = measured(paths, row.options, rounds)
        ok = figures["exit"] == row.want
        wrong += not ok
        missed = row.goal_s is not None and figures["wall_s"] > row.goal_s and not small
        mark = "" if ok else f"  WRONG exit {figures['exit']}"
        goal = f"{row.goal_s:.2f}" if row.goal_s is not None else ""
        told = f"{row.name:44} {figures['wall_s']:8.2f} {figures['cpu_s']:8.2f} {figures['peak_mb']:6} {goal:>6}{'!' if missed else ' '}"
        print(f"{told} {row.peers}{mark}", flush=True)
        with (FIGURES / "checkers.jsonl").open("a") as file:
            about = {"commit": at, "case": row.name, "mb": round(size_mb, 1), "goal_s": row.goal_s, "peers": row.peers, "passed": ok}
            file.write(json.dumps({**about, **figures} | ({"small": True} if small else {})) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
