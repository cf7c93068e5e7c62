"""JSON lines: ours, with a header line, and any other tool's; one object an op.

Why it exists  it is what runs write, line by line, so that a killed run loses nothing; a torn last line is dropped with a word.
Relies on      columns.py for large files of the usual kind.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import HistoryError
from harness.history.columns import LARGE, LazyOps, read_columns
from harness.history.formats.raw import LOOSE, STRICT, Raw, has_beside, ops_of, regular
from harness.history.history import History
from harness.history.txn_columns import LARGE as LARGE_TXNS
from harness.history.txn_columns import read_txn_columns
from harness.op import Op


def recognises(head: bytes) -> bool:
    """A file that begins with an object whose first key is a JSON string."""
    return re.match(rb"\s*\{\s*\"", head) is not None


def read(path: Path, data: bytes) -> History:
    """The history; of a large one of the usual kind, columns and ops that are decoded when somebody asks for them."""
    if len(data) >= min(LARGE, LARGE_TXNS):
        history = _read_large(path, data)
        if history is not None:
            return history
    return _read_lines(path, data)


def _read_large(path: Path, data: bytes) -> History | None:
    """The history with columns and ops that are decoded when somebody asks for them; None if it is not of that kind."""
    header: dict[str, Any] = {}
    begin = 0
    if b'"splitbrain"' in data[:40]:
        begin = data.find(b"\n") + 1
        try:
            header = msgspec.json.decode(data[:begin], type=dict[str, Any])
        except msgspec.DecodeError:
            return None
    columns = read_columns(data, begin) if len(data) >= LARGE else None
    if columns is None:
        txns = read_txn_columns(data, begin, edn=False, ours=bool(header))
        if txns is None:
            return None
        history = History(LazyOps(txns, lambda: _read_lines(path, data).ops), header)
        history.txns = txns
        return history
    return History(LazyOps(columns, lambda: _read_lines(path, data).ops), header, (), columns)


def _read_lines(path: Path, data: bytes) -> History:
    header: dict[str, Any] = {}
    notes: list[str] = []
    line_end = data.find(b"\n")
    first = data[: line_end if line_end >= 0 else len(data)]
    offset = 0
    if b'"splitbrain"' in first[:40]:
        try:
            header = msgspec.json.decode(first, type=dict[str, Any])
            offset, data = 1, data[len(first) + 1 :]
        except msgspec.DecodeError as error:
            raise HistoryError(f"{path}, line 1: not a header: {error}", way_out="give a history file") from error
    try:
        ops: list[Op] = STRICT.decode_lines(data)  # our own files, and what is as regular
        if (header or not has_beside(data)) and regular(ops, bool(header)):
            return History(ops, header, notes)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    raws = _lines(path, data, offset, bool(header), notes)
    return History(ops_of(path, raws, offset), header, notes)


def _lines(path: Path, data: bytes, offset: int, ours: bool, notes: list[str]) -> list[Raw]:
    """Line by line, to say which one is wrong; only the last line may be torn."""
    lines = data.split(b"\n")
    raws = []
    last = max((i for i, line in enumerate(lines) if line.strip()), default=-1)
    for i, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            raws.append(LOOSE.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if i == last and (raws or ours) and not data.endswith(b"\n") and not _is_json(line):
                notes.append(f"the last line ({i + 1 + offset}) is torn and was dropped")
                break
            seen = f"{path}, line {i + 1 + offset}: not an operation: {error}"
            way_out = 'each line is a JSON object with "type", "f", "value", "process"; or name the format: --format edn'
            raise HistoryError(seen, way_out=way_out) from error
    return raws


def _is_json(line: bytes) -> bool:
    """True if a line is whole: what is wrong with it is not that it is torn."""
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
