"""What the mutation scores share: a copy of the checkers and their tests, broken in one place at a time; do the tests see it?

A mutant is (file below checkers/, text in it, the broken text). One that survives is a hole in the tests, or no change at all.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LIMIT_S = 120  # of CPU; a mutant that never ends fails its tests too, however busy the machine is
Mutant = tuple[str, str, str]


def score(name: str, folder: str, mutants: Sequence[Mutant], tests: Sequence[str]) -> int:
    """Try each mutant of checkers/`folder` on the tests (pytest's arguments); print those that survive; 0 if none does."""
    with tempfile.TemporaryDirectory() as made:
        copy = Path(made)
        for room in ("checkers", "harness", "tests/checkers", "tests/harness"):
            shutil.copytree(TOP / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / "tests" / "__init__.py").touch()
        shutil.copy(TOP / "pyproject.toml", copy)
        assert _pass(copy, tests), "the tests must pass on the unbroken checker"
        alive = [mutant for mutant in mutants if _survives(copy, folder, mutant, tests)]
    for file, text, broken in alive:
        print(f"survived: {file}: {text!r} -> {broken!r}")
    print(f"{name}: {len(mutants) - len(alive)} of {len(mutants)} mutants killed")
    return 1 if alive else 0


def _survives(copy: Path, folder: str, mutant: Mutant, tests: Sequence[str]) -> bool:
    file, text, broken = mutant
    path = copy / "checkers" / folder / file
    whole = path.read_text()
    assert text in whole, f"{file} no longer has {text!r}: mend the list"
    path.write_text(whole.replace(text, broken))
    try:
        return _pass(copy, tests)
    finally:
        path.write_text(whole)


def _pass(copy: Path, tests: Sequence[str]) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    env = {**os.environ, "PYTHONPATH": str(copy)}
    return subprocess.run(command, cwd=copy, env=env, capture_output=True, preexec_fn=_limited, check=False).returncode == 0


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S))
