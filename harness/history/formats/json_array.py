"""A JSON array of ops, as elle-cli's histories are.

Why it exists  many languages write an array more easily than lines.
Relies on      raw.py for what an op may lack.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from harness.errors import HistoryError
from harness.history.formats.raw import Raw, ops_of
from harness.history.history import History


def recognises(head: bytes) -> bool:
    """An array whose first element is an object."""
    return re.match(rb"\s*\[\s*\{\s*\"", head) is not None


def read(path: Path, data: bytes) -> History:
    """All ops, decoded at once."""
    try:
        return History(ops_of(path, msgspec.json.decode(data, type=list[Raw]), 0))
    except msgspec.DecodeError as error:
        raise HistoryError(f"{path} is not a JSON array of operations: {error}", way_out="mend the file, or name its format") from error
