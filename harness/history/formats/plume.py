"""Plume's and IsoVista's text: a line for each micro-op, `r(key,value,session,txn)` or `w(key,value,session,txn)`.

Why it exists  the histories of Plume, IsoVista, PolySI and AWDIT's benchmarks are in this form.
Relies on      txn -1 being an aborted transaction, of which lines that follow each other are one. 0 is what a key holds at the start,
               unless somebody writes 0 to it. IsoVista writes the initial values in transaction 0, alone in session 0: it precedes all
               others if the file begins with it and it writes every key of the file.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.errors import HistoryError
from harness.history.history import History
from harness.history.sessions import ABORTED_ERROR, Micro, SessionTxn, history_of, initial_zero, is_first
from harness.op import FAIL, OK

LARGE = 4_000_000  # bytes; below, reading line by line takes less than loading the kernels does
_LINE = re.compile(rb"([rw])\((-?\d{1,18}),(-?\d{1,18}),(\d{1,18}),(-1|\d{1,18})\)")
ABORTED = -1


def recognises(head: bytes) -> bool:
    """The first line is a micro-op."""
    return re.match(rb"\s*[rw]\(\s*-?\d+\s*,", head) is not None


def read(path: Path, data: bytes) -> History:
    """The history; of a large file as columns."""
    history = None
    if len(data) >= LARGE:
        from harness.history.session_columns import read_plume

        history = read_plume(data, lambda: read_lines(path, data))
    return history or read_lines(path, data)


def read_lines(path: Path, data: bytes) -> History:
    """The history; transactions of a session in the order of their first lines, sessions by number."""
    sessions: dict[int, dict[int, SessionTxn]] = {}
    aborts: dict[int, int] = {}  # session -> id of the aborted transaction that its next line goes on
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            seen = f"{path}, line {number}: not a micro-op: {line.strip()[:60].decode(errors='replace')!r}"
            raise HistoryError(seen, way_out="lines look like w(key,value,session,txn) or r(key,value,session,txn), all whole numbers")
        f, key, value, session, txn = match[1].decode(), *map(int, match.groups()[1:])
        members = sessions.setdefault(session, {})
        if txn == ABORTED:
            txn = aborts.setdefault(session, -2 - len(members))
        else:
            aborts.pop(session, None)
        if txn not in members:
            members[txn] = SessionTxn(session, FAIL if txn < 0 else OK, [], ABORTED_ERROR if txn < 0 else None)
        mop: Micro = [f, key, value]
        members[txn].mops.append(mop)
    return _history(sessions, data.lstrip())


def _history(sessions: dict[int, dict[int, SessionTxn]], data: bytes) -> History:
    txns = [txn for session in sorted(sessions) for txn in sessions[session].values()]
    initial_zero(txns)
    head = _LINE.match(data)
    begins = head is not None and (head[4], head[5]) == (b"0", b"0")
    first = begins and list(sessions[0]) == [0] and is_first(txns[0], txns)
    return history_of(txns, first)
