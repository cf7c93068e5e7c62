"""Cobra's logs: a folder of T*.log, each the records of one session, big-endian.

Why it exists  the best known benchmarks of serializability checkers are in this form.
Relies on      write ids being unique: they stand for the values. A read names the transaction and the id of the write that it saw; reads of
               the state before all writes name one of two marks in their place.

Records        S txn (a transaction begins), C txn (it committed), W write-id key value, R writer-txn write-id key value; 8 bytes a field.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from struct import Struct
from typing import NoReturn

from harness.errors import HistoryError
from harness.history.history import History
from harness.history.sessions import SessionTxn, history_of
from harness.op import OK

LARGE = 4_000_000  # bytes; below, reading record by record takes less than loading the kernels does
INITIAL, NULL = 0xBEBEEBEE, 0xDEADBEEF
MARKS = frozenset({INITIAL, NULL})
_NAME = re.compile(r"T(\d+)\.log")
_FIELDS = {ord("S"): Struct(">Q"), ord("C"): Struct(">Q"), ord("W"): Struct(">3Q"), ord("R"): Struct(">4Q")}
_WAY_OUT = "give the folder of logs as Cobra wrote it: records S, W, R, C with fields of 8 bytes"


def recognises(head: bytes) -> bool:
    """The folder has a session's log."""
    return any(_NAME.fullmatch(name) for name in head.decode(errors="replace").split("\n"))


def read(path: Path, data: bytes) -> History:
    """The history, of large logs as columns; sessions by the numbers in their names."""
    names = {int(match[1]): entry for entry in path.iterdir() if (match := _NAME.fullmatch(entry.name)) is not None}
    logs = [(session, names[session], _bytes(names[session])) for session in sorted(names)]
    history = None
    if sum(len(log) for _, _, log in logs) >= LARGE:
        from harness.history.session_columns import read_cobra

        history = read_cobra([(session, log) for session, _, log in logs], lambda: read_logs(path, logs))
    return history or read_logs(path, logs)


def _bytes(log: Path) -> bytes:
    try:
        return log.read_bytes()
    except OSError as error:
        raise HistoryError(f"{log} cannot be read: {error.strerror or error}", way_out=_WAY_OUT) from error


def read_logs(path: Path, logs: Sequence[tuple[int, Path, bytes]]) -> History:
    """The history of (session, file, content), record by record."""
    txns: list[SessionTxn] = []
    writers: dict[int, int] = {}  # write id -> transaction
    claims: list[tuple[int, int, list[object]]] = []  # of each read: the transaction and the write id that it names, the micro-op
    for session, log, content in logs:
        txns += _session(log, content, session, writers, claims)
    if not txns:
        raise HistoryError(f"{path} has no transaction in its logs", way_out=_WAY_OUT)
    for writer, write_id, mop in claims:
        if writers.get(write_id, writer) != writer:
            mop[2] = [writer, write_id]  # a value that nobody wrote: that transaction has no such write
    return history_of(txns)


def _session(
    log: Path, data: bytes, session: int, writers: dict[int, int], claims: list[tuple[int, int, list[object]]]
) -> list[SessionTxn]:
    txns: list[SessionTxn] = []
    at, open_ = 0, -1
    while at < len(data):
        fields = _FIELDS.get(data[at])
        if fields is None:
            _refuse(log, at, f"a record begins with S, W, R or C, not with byte {data[at]:#04x}")
        if at + 1 + fields.size > len(data):
            _refuse(log, at, f"a record {chr(data[at])} has {1 + fields.size} bytes, of which {len(data) - at} are there")
        kind, values = chr(data[at]), fields.unpack_from(data, at + 1)
        if (kind == "S") != (open_ < 0):
            _refuse(log, at, f"record {kind} {'inside' if kind == 'S' else 'outside'} a transaction")
        if kind == "S":
            open_ = values[0]
            txns.append(SessionTxn(session, OK, []))
        elif kind == "C":
            if values[0] != open_:
                _refuse(log, at, f"transaction {open_:#x} began, but {values[0]:#x} commits")
            open_ = -1
        elif kind == "W":
            writers[values[0]] = open_
            txns[-1].mops.append(["w", values[1], values[0]])
        else:
            txns[-1].mops.append(_read(log, at, values, claims))
        at += 1 + fields.size
    if open_ >= 0:
        _refuse(log, at, f"the log ends within transaction {open_:#x}: a record C was expected")
    return txns


def _read(log: Path, at: int, values: tuple[int, ...], claims: list[tuple[int, int, list[object]]]) -> list[object]:
    writer, write_id, key, _ = values
    if (writer in MARKS) != (write_id in MARKS):
        _refuse(
            log, at, f"a read names transaction {writer:#x} and write {write_id:#x}: both or neither may be the mark of the initial state"
        )
    mop: list[object] = ["r", key, None if writer in MARKS else write_id]
    if writer not in MARKS:
        claims.append((writer, write_id, mop))
    return mop


def _refuse(log: Path, at: int, what: str) -> NoReturn:
    raise HistoryError(f"{log}, byte {at}: {what}", way_out=_WAY_OUT)
