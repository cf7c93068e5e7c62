"""`splitbrain list`: what is registered and what is stored, as tables.

Why it exists  names are how users reach everything; each line says in a sentence what it is.
Relies on      the registry; titles come from the classes themselves, never from a copy.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import UsageError
from harness.registry import find, names
from harness.store import runs

KINDS = {
    "targets": "targets",
    "workloads": "workloads",
    "nemeses": "faults",
    "faults": "faults",
    "clusters": "clusters",
    "checkers": "checkers",
    "models": "models",
    "formats": "",
    "runs": "",
}


def list_command(what: str, store: str) -> int:
    """Print one table, or all."""
    if what and what not in KINDS:
        raise UsageError(f"there is no list of {what!r}", way_out=f"choose one of: {', '.join(KINDS)}")
    from rich.console import Console

    console = Console()
    for kind in [what] if what else ["targets", "workloads", "nemeses", "clusters", "checkers", "models", "formats", "runs"]:
        console.print(_runs(Path(store)) if kind == "runs" else _registered(kind))
    return 0


def _table(title: str, *columns: str) -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _registered(kind: str) -> Any:
    from rich.markup import escape

    table = _table(kind, "name", "what it is")
    if kind == "models":
        from harness.case import known_models

        for name, model in sorted(known_models().items()):
            promise = f"as {model.consistency} " if model.consistency else ""
            table.add_row(name, f"judged {promise}by {', '.join(spec.name for spec in model.checkers)}")
        return table
    if kind == "formats":
        from harness.history.formats import NAMES, format_named

        for name in NAMES[1:]:
            table.add_row(name, escape((format_named(name).__doc__ or "").splitlines()[0]))
        return table
    for name in names(KINDS[kind]):
        cls = find(KINDS[kind], name)
        options = "".join(f"\n  -o {option}: {told}" for option, told in getattr(cls, "options", {}).items()) if kind == "checkers" else ""
        table.add_row(name, escape(_title(cls) + options))
    return table


def _title(cls: Any) -> str:
    """Its own title; else what the file or package that it stands in says of itself first."""
    if title := getattr(cls, "title", ""):
        return str(title)
    module = sys.modules[cls.__module__]
    room, _, name = module.__name__.partition(".")
    package = sys.modules[f"{room}.{name.partition('.')[0]}"] if room in ("checkers", "workloads", "nemeses") else module
    said = (package.__doc__ or cls.__doc__ or "").strip().splitlines()[0]
    return said.partition(": ")[2] or said


def _runs(store: Path) -> Any:
    table = _table(f"runs in {store}", "run", "verdict", "anomalies")
    for folder in runs(store):
        verdict, kinds = "not judged", ""
        try:
            results = msgspec.json.decode((folder / "results.json").read_bytes())
            verdict = {True: "valid", False: "invalid"}.get(results["valid"], "unknown")
            kinds = ", ".join(f"{kind} ×{count}" for kind, count in results["counts"].items())
        except (OSError, msgspec.DecodeError, KeyError, TypeError):
            pass
        table.add_row(folder.name, verdict, kinds)
    return table
