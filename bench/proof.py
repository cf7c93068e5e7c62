"""What the large proofs share: running the real command, and a stored table of figures that lets a proof go on where it was cut off.

A proof is a list of named cases. Each finished case is one line in bench/figures/<proof>.jsonl with the commit, so that a proof called
again at the same commit runs only what is missing (`--again` runs all).
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
FIGURES = TOP / "bench" / "figures"


def commit() -> str:
    """The commit that the figures belong to, marked when the tree has other changes than figures."""
    head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=TOP, capture_output=True, text=True).stdout.strip()
    status = subprocess.run(["git", "status", "--porcelain", "--", ":!bench/figures"], cwd=TOP, capture_output=True, text=True).stdout
    return head + ("+" if status.strip() else "")


def splitbrain(*arguments: str, timeout_s: float = 600, env: dict[str, str] | None = None) -> tuple[int, str, float]:
    """Run the command line as a user does: (exit code, stdout and stderr, seconds)."""
    start = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "splitbrain", *arguments],
        cwd=TOP,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=timeout_s,
        env={**os.environ, **(env or {})},
    )
    return ended.returncode, ended.stdout, time.monotonic() - start


class Proof:
    """Cases with stored figures; `finish` prints the table and gives the exit code."""

    def __init__(self, name: str) -> None:
        self.name, self.commit = name, commit()
        self.path = FIGURES / f"{name}.jsonl"
        self.again = "--again" in sys.argv
        self.rows: list[dict[str, Any]] = []

    def case(self, name: str, run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Run a case unless it stands in the table for this commit. `run` gives figures with "passed": bool."""
        row = None if self.again else self._stored(name)
        if row is None:
            print(f"{self.name}: {name} …", flush=True)
            start = time.monotonic()
            figures = run()
            row = {"commit": self.commit, "case": name, "seconds": round(time.monotonic() - start, 1), **figures}
            FIGURES.mkdir(exist_ok=True)
            with self.path.open("a") as file:
                file.write(json.dumps(row) + "\n")
        self.rows.append(row)
        print(
            f"  {'passed' if row['passed'] else 'FAILED'}  " + ", ".join(f"{k}={v}" for k, v in row.items() if k not in ("case", "passed")),
            flush=True,
        )
        return row

    def command(
        self, name: str, line: str, want: int, judge: Callable[[int, str], dict[str, Any]] | None = None, timeout_s: float = 600
    ) -> None:
        """A case that is one command line of ours with the exit code that must come out."""

        def run() -> dict[str, Any]:
            code, output, seconds = splitbrain(*shlex.split(line), timeout_s=timeout_s)
            print("    $ splitbrain " + line)
            print("\n".join("    " + text for text in output.splitlines()[-40:]))
            figures = {"passed": code == want, "exit": code, "want": want, "command_s": round(seconds, 1)}
            return {**figures, **(judge(code, output) if judge is not None else {})}

        self.case(name, run)

    def _stored(self, name: str) -> dict[str, Any] | None:
        if not self.path.is_file():
            return None
        rows = [json.loads(line) for line in self.path.read_text().splitlines()]
        mine = [row for row in rows if row["case"] == name and row["commit"] == self.commit and row["passed"]]
        return mine[-1] if mine else None

    def finish(self) -> int:
        """Exit code: 0 if every case passed."""
        failed = [row["case"] for row in self.rows if not row["passed"]]
        print(
            f"{self.name}: {len(self.rows) - len(failed)} of {len(self.rows)} cases passed"
            + (f"; failed: {', '.join(failed)}" if failed else "")
        )
        return 1 if failed else 0
