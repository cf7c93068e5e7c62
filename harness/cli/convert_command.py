"""`splitbrain convert IN OUT`: a history of any format as our JSON lines or as Jepsen's EDN.

Why it exists  a history that only one tool can read convinces only its users.
Relies on      write.py for what a format can hold.
"""

from __future__ import annotations

import sys
from pathlib import Path

from harness.history.read import read_history
from harness.history.write import write_history


def convert_command(source: Path, to: Path, format: str, to_format: str) -> int:
    """Read, write, say how much."""
    history = read_history(source, format)
    written = write_history(history, to, to_format)
    for note in history.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"{to}: {len(history)} operations as {written}")
    return 0
