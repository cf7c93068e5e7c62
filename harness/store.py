"""The store: one folder a run, written as the run goes.

Why it exists  a run that was killed at any moment can still be judged and cleaned up, because what it knew is on disk.
Relies on      plain files with documented names (DESIGN 9): plan.toml, history.jsonl, events.jsonl, schedule.toml, results.json, report.md,
               logs/<node>/, harness.log.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from harness.errors import SetupError, UsageError
from harness.plan import Plan, write_plan

LATEST = "latest"


def new_run(store: Path, plan: Plan, run_id: str) -> Path:
    """A fresh folder `<time>-<target>-<run id>` with the plan in it; `latest` points to it."""
    name = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{Path(plan.target.split(':')[0]).stem}-{run_id}"
    folder = store / name
    try:
        (folder / "logs").mkdir(parents=True)
        write_plan(plan, folder / "plan.toml")
        link = store / f".{LATEST}-{run_id}"
        link.symlink_to(name)
        os.replace(link, store / LATEST)
    except OSError as error:
        raise SetupError(
            f"the store {store} cannot be written: {error.strerror or error}",
            "nothing was started",
            "free some space, or name another folder: --store DIR",
        ) from error
    return folder


def run_folder(store: Path, name: str) -> Path:
    """A stored run by path, by name or by `latest`; UsageError with those there are."""
    for folder in (Path(name), store / name):
        if (folder / "plan.toml").is_file():
            return folder
    found = [path.name for path in runs(store)]
    if name and (matching := [run for run in found if name in run]) and len(matching) == 1:
        return store / matching[0]
    there = ", ".join(found[-5:]) or "none"
    raise UsageError(f"no run {name!r} is stored in {store}", way_out=f"the latest runs are: {there}; see `splitbrain list runs`")


def runs(store: Path) -> list[Path]:
    """Stored runs, oldest first."""
    if not store.is_dir():
        return []
    return sorted(path for path in store.iterdir() if not path.is_symlink() and (path / "plan.toml").is_file())
