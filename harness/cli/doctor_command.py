"""`splitbrain doctor`: what this machine can and cannot do, with the way to mend it.

Why it exists  most failed first runs are missing permissions or tools; each has one command that helps.
Relies on      every cluster's own diagnosis; exit 0 if at least one cluster can work, else 2.
"""

from __future__ import annotations

import sys

from harness.registry import find, names


def doctor_command() -> int:
    """Print a table a cluster; 0 if one of them can work."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    usable = 0
    python = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    console.print(f"Python {python} at {sys.executable}")
    for name in names("clusters"):
        diagnoses = find("clusters", name).diagnose()
        table = Table(title=f"cluster {name}", title_justify="left", box=None, pad_edge=False, header_style="dim")
        for column in ("", "what", "found", "way to mend it"):
            table.add_column(column, overflow="fold")
        for diagnosis in diagnoses:
            mark, mend = ("[green]yes[/]", "") if diagnosis.good else ("[yellow]no[/]", diagnosis.mend)
            table.add_row(mark, diagnosis.what, diagnosis.says, mend)
        console.print(table)
        usable += bool(diagnoses) and diagnoses[0].good
    return 0 if usable else 2
