"""dbcop's files: one history in Rust's bincode, little-endian, lengths of 8 bytes.

Why it exists  dbcop, PolySI and AWDIT exchange histories in this form.
Relies on      success flags being certain: a transaction without success is `fail`; a write without success inside a transaction that has
               it is a failed transaction of its own, a read without success returned nothing. 0 is what a key holds at the start, unless
               somebody writes 0 to it.

Layout         5 u64 (id, nodes, variables, transactions, events), 3 strings (info, start, end), sessions of transactions of events
               {write u8, variable u64, value u64, success u8}, each transaction followed by its success u8.
"""

from __future__ import annotations

import re
from pathlib import Path
from struct import Struct
from typing import NoReturn

from harness.errors import HistoryError
from harness.history.history import History
from harness.history.sessions import SessionTxn, history_of, initial_zero
from harness.op import FAIL, OK

_EVENT, _U64 = Struct("<?QQ?"), Struct("<Q")
_DATE = re.compile(rb"\d{4}-\d\d-\d\d[T ]")
PARAMS = 40  # bytes of the five numbers at the start
_WAY_OUT = "give the file as dbcop wrote it (history.bincode), whole"


def recognises(head: bytes) -> bool:
    """After the five numbers and a text comes a date."""
    if len(head) < PARAMS + 16:
        return False
    date = PARAMS + 8 + _U64.unpack_from(head, PARAMS)[0]
    return date + 18 <= len(head) and 10 <= _U64.unpack_from(head, date)[0] <= 64 and _DATE.match(head, date + 8) is not None


def read(path: Path, data: bytes) -> History:
    """The history; sessions are numbered in order."""
    txns = _Cursor(path, data).history()
    initial_zero(txns)
    return history_of(txns)


class _Cursor:
    """A place in the file, and what is expected there."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path, self.data, self.at = path, data, 0

    def history(self) -> list[SessionTxn]:
        self.skip(PARAMS, "five numbers")
        for what in ("info", "start", "end"):
            self.skip(self.number(f"the length of {what}"), what)
        txns: list[SessionTxn] = []
        for session in range(self.number("the number of sessions")):
            for _ in range(self.number(f"the number of transactions of session {session}")):
                txns += self.transaction(session)
        if self.at != len(self.data):
            self.refuse(f"the history ends here, {len(self.data) - self.at} bytes before the file does")
        return txns

    def transaction(self, session: int) -> list[SessionTxn]:
        count = self.number("the number of events of a transaction")
        if count * _EVENT.size > len(self.data) - self.at:
            self.refuse(f"{count} events of {_EVENT.size} bytes were expected, {len(self.data) - self.at} bytes are left")
        done, refused = SessionTxn(session, OK, []), SessionTxn(session, FAIL, [], "writes without success")
        for _ in range(count):
            self.flag(self.at, "whether an event is a write")
            self.flag(self.at + _EVENT.size - 1, "whether an event succeeded")
            write, key, value, success = _EVENT.unpack_from(self.data, self.at)
            self.at += _EVENT.size
            if success:
                done.mops.append(["w" if write else "r", key, value])
            elif write:
                refused.mops.append(["w", key, value])
        self.flag(self.at, "whether a transaction succeeded")
        self.at += 1
        if not self.data[self.at - 1]:
            mops = [mop for mop in done.mops if mop[0] == "w"] + refused.mops
            return [SessionTxn(session, FAIL, mops, "without success")]
        return [done, refused] if refused.mops else [done]

    def flag(self, at: int, what: str) -> None:
        if at >= len(self.data):
            self.refuse(f"a byte was expected ({what}), and the file ends")
        if self.data[at] > 1:
            self.at = at
            self.refuse(f"0 or 1 was expected ({what}), not {self.data[at]}")

    def number(self, what: str) -> int:
        if self.at + 8 > len(self.data):
            self.refuse(f"8 bytes were expected ({what}), {len(self.data) - self.at} are left")
        self.at += 8
        return int(_U64.unpack_from(self.data, self.at - 8)[0])

    def skip(self, length: int, what: str) -> None:
        if self.at + length > len(self.data):
            self.refuse(f"{length} bytes were expected ({what}), {len(self.data) - self.at} are left")
        self.at += length

    def refuse(self, what: str) -> NoReturn:
        raise HistoryError(f"{self.path}, byte {self.at}: {what}", way_out=_WAY_OUT)
