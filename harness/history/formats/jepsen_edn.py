"""EDN as Jepsen, Knossos and Elle write it: a map a line, or one vector of maps.

Why it exists  the field's histories are EDN.
Relies on      edn.py for the language; plain files are rewritten as JSON lines first, which C code decodes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from harness.errors import HistoryError
from harness.history.columns import LARGE as LARGE_COLUMNS
from harness.history.columns import LazyOps, read_columns
from harness.history.edn import EdnError, forms, plain_to_json
from harness.history.formats.raw import LOOSE, STRICT, Raw, has_beside, ops_of, regular
from harness.history.history import History
from harness.history.txn_columns import LARGE, read_txn_columns
from harness.op import Op


def recognises(head: bytes) -> bool:
    """Whatever no other format knows: what is wrong with it is said by the reader."""
    return True


def read(path: Path, data: bytes) -> History:
    """The history; of a large one of the usual kind, columns and ops that are decoded when somebody asks for them."""
    columns = read_columns(data, 0) if len(data) >= LARGE_COLUMNS else None
    if columns is not None:
        return History(LazyOps(columns, lambda: _read_all(path, data).ops), columns=columns)
    txns = read_txn_columns(data, 0, edn=True, ours=False) if len(data) >= LARGE else None
    if txns is None:
        return _read_all(path, data)
    history = History(LazyOps(txns, lambda: _read_all(path, data).ops))
    history.txns = txns
    return history


def _read_all(path: Path, data: bytes) -> History:
    """The history; an EdnError is told with its line."""
    rewritten = plain_to_json(data) if data[:2] == b"{:" else None
    if rewritten is not None:
        try:
            ops: list[Op] = STRICT.decode_lines(rewritten)
            if not has_beside(rewritten) and regular(ops, False):
                return History(ops)
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
        try:
            return History(ops_of(path, LOOSE.decode_lines(rewritten), 0))
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass  # not as plain as it looked: the parser says where
    try:
        found = forms(data)
    except EdnError as error:
        line = data.count(b"\n", 0, error.offset) + 1
        way_out = "a history is EDN maps, JSON objects or a log of Porcupine's; name it with --format"
        raise HistoryError(f"{path}, line {line}: {error}", way_out=way_out) from error
    items: list[Any] = [value for _, value in found]
    if len(items) == 1 and isinstance(items[0], list):
        items = items[0]
    raws = []
    for i, item in enumerate(items):
        if not isinstance(item, dict):
            seen = f"{path}, operation {i}: {str(item)[:40]!r} is no operation, and no other format knows the file"
            raise HistoryError(seen, way_out="`splitbrain list formats` shows what a history looks like; name it with --format")
        try:
            raws.append(msgspec.convert(item, Raw, strict=False))
        except msgspec.ValidationError as error:
            way_out = "each operation is a map with :type, :f, :value, :process"
            raise HistoryError(f"{path}, operation {i}: {error}", way_out=way_out) from error
    return History(ops_of(path, raws, 0))
