"""AWDIT's text: `w key value` or `r key value` a line, a line of dashes between transactions, one of equals signs between sessions.

Why it exists  AWDIT's own tests are in this form, and it is the shortest to write by hand.
Relies on      nothing having a value before it is written: 0 is a value like any other. Transactions and sessions without a micro-op are
               none.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.errors import HistoryError
from harness.history.history import History
from harness.history.sessions import SessionTxn, history_of
from harness.op import OK

LARGE = 4_000_000  # bytes; below, reading line by line takes less than loading the kernels does
_LINE = re.compile(rb"([rw])[ \t]+(\d{1,18})[ \t]+(\d{1,18})")
_RULE = re.compile(rb"-+|=+")


def recognises(head: bytes) -> bool:
    """The first line is a micro-op or a separator, and a micro-op follows."""
    return re.match(rb"\s*(?:-+\s*\n\s*|=+\s*\n\s*)*[rw][ \t]+\d+[ \t]+\d+[ \t\r]*(?:\n|$)", head) is not None


def read(path: Path, data: bytes) -> History:
    """The history; of a large file as columns."""
    history = None
    if len(data) >= LARGE:
        from harness.history.session_columns import read_awdit

        history = read_awdit(data, lambda: read_lines(path, data))
    return history or read_lines(path, data)


def read_lines(path: Path, data: bytes) -> History:
    """The history; sessions are numbered in order."""
    txns: list[SessionTxn] = []
    session, ended = 0, True
    for number, line in enumerate(data.split(b"\n"), 1):
        line = line.strip()
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if match is not None:
            if ended:
                txns.append(SessionTxn(session, OK, []))
                ended = False
            txns[-1].mops.append([match[1].decode(), int(match[2]), int(match[3])])
        elif _RULE.fullmatch(line):
            ended = True
            if line.startswith(b"=") and txns and txns[-1].session == session:
                session += 1
        else:
            seen = f"{path}, line {number}: not a micro-op: {line[:60].decode(errors='replace')!r}"
            raise HistoryError(seen, way_out="lines look like `w key value` or `r key value`; ----- ends a transaction, ===== a session")
    return history_of(txns)
