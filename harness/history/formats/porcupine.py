"""Porcupine's etcd logs: lines of Jepsen's log among others, `INFO  jepsen.util - PROC :type :f value`.

Why it exists  the field's best known recorded histories of registers are in this form.
Relies on      `:timed-out` meaning that nobody knows: info.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from harness.errors import HistoryError
from harness.history.edn import EdnError, forms
from harness.history.formats.raw import Raw, ops_of
from harness.history.history import History
from harness.op import INFO

_LINE = re.compile(r"INFO\s+jepsen\.util - (\S+)\s+:(\w+)\s+:([\w-]+)\s+(.*?)\s*$")


def recognises(head: bytes) -> bool:
    """A line of the history stands among the first."""
    return re.search(rb"INFO\s+jepsen\.util - ", head) is not None


def read(path: Path, data: bytes) -> History:
    """The history; other lines of the log are passed over."""
    raws = []
    for number, line in enumerate(data.decode().splitlines(), 1):
        match = _LINE.search(line)
        if match is None:
            if "jepsen.util - " in line:
                raise HistoryError(f"{path}, line {number}: not an operation: {line.strip()[:80]}", way_out="mend or remove that line")
            continue
        process, type_, f, rest = match.groups()
        timed_out = ":timed-out" in rest
        value: Any = None
        if not timed_out:
            try:
                read = forms(rest.encode())
                value = read[0][1] if read else None
            except EdnError as error:
                raise HistoryError(f"{path}, line {number}: {error}", way_out="mend that line") from error
        raws.append(Raw(INFO if timed_out else type_, f, value, int(process) if process.isdigit() else process))
    if not raws:
        raise HistoryError(f"{path} has no line of a history", way_out="lines look like: INFO  jepsen.util - 3 :invoke :read nil")
    return History(ops_of(path, raws, 0))
