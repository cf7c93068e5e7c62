"""`splitbrain show`: a stored run's verdict again, or what a target or workload offers.

Why it exists  a verdict must be readable long after the run; options must be found without reading code.
Relies on      results.json (judged anew when it is missing); declared options.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import UsageError
from harness.registry import find, names
from harness.results import Results
from harness.store import run_folder


def show_command(what: str, store: str, as_json: bool) -> int:
    """Show a run (exit code: its verdict's), a target or a workload (0)."""
    if what in names("targets") or ".py" in what:
        return _show_target(what)
    if what in names("workloads"):
        return _show_options(find("workloads", what), "workload", "-w")
    folder = run_folder(Path(store), what)
    results = stored_results(folder)
    if as_json:
        sys.stdout.buffer.write(results.to_json() + b"\n")
    else:
        from harness.report import run_text

        print(run_text(folder, results))
    return results.exit_code


def stored_results(folder: Path) -> Results:
    """results.json of a run; a run that was killed before its verdict is judged now, and the verdict stored."""
    path = folder / "results.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Results)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        pass
    from harness.case import Question, read_case
    from harness.judge import judge_case

    results = judge_case(read_case(folder, Question()), Question())
    try:
        path.write_bytes(results.to_json())
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", way_out=f"splitbrain check {folder}") from error
    return results


def _show_target(name: str) -> int:
    from harness.setup import target_class
    from harness.target import declared_options

    cls = target_class(name)
    code = _show_options(cls, "target", "-o", declared_options(cls))
    print(f"\nworkloads: {', '.join(cls.workloads) or 'choose one with --workload'}")
    print(f"failover time T: {cls.failover_s:g} s")
    return code


def _show_options(cls: Any, kind: str, flag: str, options: Any = None) -> int:
    from rich.console import Console
    from rich.table import Table

    print(f"{kind} {cls.name}: {cls.title}\n")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in (f"option ({flag} key=value)", "values", "default", "what it does"):
        table.add_column(column, overflow="fold")
    for name, option in sorted((options if options is not None else cls.options).items()):
        table.add_row(name, option.shape(), "" if option.default is None else str(option.default), option.doc)
    Console().print(table)
    return 0
