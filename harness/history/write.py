"""Writing a history to a file: our JSON lines, or EDN as Jepsen and Elle read it.

Why it exists  a history should travel: to another checker, into an issue, out of a format that nobody else reads.
Relies on      what is written being read back as the same ops (a test holds that for every format and for random values). EDN has no place
               for "only the order within sessions is known": such a history is refused there, rather than given a real-time order that
               it never had.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import HistoryError, SetupError
from harness.history.history import History
from harness.op import Op

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9*+!?<>=_-]*\Z")
_SAFE = re.compile(r"[A-Za-z_*+!?<>=-][A-Za-z0-9*+!?<>=_-]*\Z")  # keys of maps that may stand as keywords
REGISTER = frozenset({"read", "write", "cas"})
_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def write_history(history: History, path: Path, format: str = "") -> str:
    """Write it; the format is jsonl or edn, by the name's ending if none is given. Returns the format.

    Raises: HistoryError if the format cannot hold the history or no format is meant; SetupError if the file cannot be written.
    """
    chosen = format or {".jsonl": "jsonl", ".json": "jsonl", ".edn": "edn"}.get(path.suffix, "")
    if chosen not in WRITERS:
        seen = f"no format to write is called {chosen!r}" if chosen else f"{path} does not say by its ending what to write"
        raise HistoryError(seen, way_out="end it in .jsonl or .edn, or say --to jsonl | edn")
    part = path.with_name(path.name + ".part")  # OUT is whole or not there, and may be the file that was read
    try:
        with part.open("wb") as file:
            file.writelines(WRITERS[chosen](history, path))
        part.replace(path)
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror or error}", "nothing was written", "give another path") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return chosen


def jsonl(history: History, path: Path) -> Iterable[bytes]:
    """Our own lines, after a header."""
    encode = msgspec.json.Encoder(enc_hook=str).encode
    yield encode({"splitbrain": 1, **history.header}) + b"\n"
    for op in history.ops:
        yield encode(op) + b"\n"


def edn(history: History, path: Path) -> Iterable[bytes]:
    """A map a line: names as keywords, independent keys as Jepsen's tuples."""
    if history.by_sessions:
        raise HistoryError(
            f"{path}: EDN has an order of real time, and this history knows only the order within each session",
            way_out="convert it to .jsonl, whose header says so",
        )
    tuples = _keyed_registers(history)
    for op in history.ops:
        yield _edn_op(op, tuples).encode() + b"\n"


WRITERS: dict[str, Callable[[History, Path], Iterable[bytes]]] = {"jsonl": jsonl, "edn": edn}


def _keyed_registers(history: History) -> bool:
    """Registers with independent keys: these Jepsen writes as [key value], and `check` knows them by their reads' [key nil]."""
    clients = [op for op in history.ops if op.is_client]
    return any(op.f == "read" for op in clients) and all(op.f in REGISTER and _has_key(op.value) for op in clients)


def _has_key(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"key", "value"}


def _edn_op(op: Op, tuples: bool) -> str:
    process = str(op.process) if isinstance(op.process, int) else _name(op.process)
    value = _value(op, tuples)
    parts = [f":index {op.index}, :time {op.time}, :type :{op.type}, :process {process}, :f {_name(op.f)}, :value {value}"]
    parts += [f":{name} {_edn(value)}" for name, value in (("error", op.error), ("node", op.node), ("ext", op.ext)) if value is not None]
    return "{" + ", ".join(parts) + "}"


def _name(text: str) -> str:
    return f":{text}" if _WORD.match(text) else _edn(text)


def _value(op: Op, tuples: bool) -> str:
    value = op.value
    if op.f == "txn" and isinstance(value, list):
        return "[" + " ".join(map(_micro, value)) + "]"
    if tuples and op.is_client:
        return f"[{_edn(value['key'])} {_edn(value['value'])}]"
    return _edn(value)


def _micro(mop: Any) -> str:
    if not (isinstance(mop, list) and mop and isinstance(mop[0], str)):
        return _edn(mop)
    return "[" + " ".join([_name(mop[0]), *map(_edn, mop[1:])]) + "]"


def _edn_key(key: Any) -> str:
    return f":{key}" if isinstance(key, str) and _SAFE.match(key) else _edn(key)


def _edn(value: Any) -> str:
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return '"' + "".join(_ESCAPES.get(letter, letter) for letter in value) + '"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_edn_key(key)} {_edn(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + " ".join(map(_edn, value)) + "]"
    return _edn(str(value))
