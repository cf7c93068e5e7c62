"""The same history, the same bytes: every recorded history and a real run, judged with three hash seeds, give byte-equal results.

    bench/prove_determinism.py [--again]

Cases: the recorded histories of ../shared/corpora by format; a run of our own store that loses writes, whose results.json is compared with
what `check` says of it again.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from proof import TOP, Proof, splitbrain

CORPORA = TOP.parent / "shared" / "corpora"
SEEDS = ("0", "1", "4711")
FOLDERS = {"rubis-10000", "twitter-10000", "cock-G2", "yuga-G2-a"}


def recorded() -> dict[str, list[Path]]:
    """Paths that `check` takes, by the repository they come from."""
    found: dict[str, list[Path]] = {}
    if not CORPORA.is_dir():
        return found
    for path in sorted(CORPORA.rglob("*")):
        is_history = path.name in FOLDERS if path.is_dir() else path.parent.name not in FOLDERS and path.name != "manifest.tsv"
        if is_history:
            found.setdefault(path.relative_to(CORPORA).parts[0], []).append(path)
    return found


def answers(paths: list[Path], seed: str, *options: str) -> bytes:
    """What `check --json` prints of all paths, one object a line."""
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "splitbrain", "check", "--json", *options, *map(str, paths)],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        cwd=TOP,
        env={**os.environ, "PYTHONHASHSEED": seed},
        timeout=1200,
    )
    return ended.stdout


def compared(paths: list[Path], *options: str) -> dict[str, Any]:
    """Figures of a case: how many results, and whether they are the same bytes each time (twice with the first seed)."""
    first, *others = [answers(paths, seed, *options) for seed in (SEEDS[0], *SEEDS)]
    lines = first.splitlines()
    differ = [number for other in others for number, (a, b) in enumerate(zip(lines, other.splitlines(), strict=False)) if a != b]
    whole = len(lines) == len(paths) and all(len(other.splitlines()) == len(lines) for other in others)
    digest = hashlib.sha256(first).hexdigest()[:16]
    return {
        "passed": whole and not differ,
        "files": len(paths),
        "bytes": len(first),
        "sha256": digest,
        "differ": [str(paths[n]) for n in differ[:3]],
    }


def run_again() -> dict[str, Any]:
    """A real run's results.json against what three checks of the folder say."""
    with tempfile.TemporaryDirectory() as store:
        load = "run quorum_store --workload register --nemesis partition --time-limit 8 --seed 7 --quiet -o mode=lww -o r=1 -o w=1"
        code, _, _ = splitbrain(*load.split(), "--store", store)
        run = next(path for path in Path(store).iterdir() if not path.is_symlink() and (path / "results.json").is_file())
        stored = (run / "results.json").read_bytes().strip()
        same = [answers([run], seed).strip() == stored for seed in SEEDS]
        return {"passed": all(same) and code == 1, "exit": code, "bytes": len(stored), "same": same}


def main() -> int:
    proof = Proof("determinism")
    for name, paths in recorded().items():
        proof.case(name, lambda paths=paths: compared(paths))
    for model in ("read-committed", "read-atomic", "causal", "snapshot-isolation"):
        paths = [path for name, found in recorded().items() if name.startswith(("lasse", "hengxin")) for path in found]
        proof.case(f"sessions, {model}", lambda paths=paths, model=model: compared(paths, "--consistency", model))
    proof.case("a run of our own store", run_again)
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
