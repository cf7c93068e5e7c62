"""Reading histories: ours, Jepsen's and Elle's EDN and JSON, Porcupine's logs; the format is recognised by the content.

Why it exists  a verdict on any tool's history should need no conversion by hand.
Relies on      order in the file being real-time order; what a line lacks (index, process, time) is filled from its position.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import HistoryError
from harness.history.columns import LARGE, LazyOps, read_columns
from harness.history.edn import EdnError, forms, plain_to_json
from harness.history.history import History
from harness.op import INFO, INVOKE, Op

FORMATS = ("auto", "jsonl", "edn", "json", "porcupine")
TYPES = frozenset({"invoke", "ok", "fail", "info"})
_PORCUPINE = re.compile(r"INFO\s+jepsen\.util - (\S+)\s+:(\w+)\s+:([\w-]+)\s+(.*?)\s*$")


class Raw(msgspec.Struct, gc=False):
    """A line as other tools write it: fields in any order, several of them optional."""

    type: str
    f: Any = None
    value: Any = None
    process: Any = None
    index: int | None = None
    time: int | float | None = None
    error: Any = None
    node: Any = None
    ext: Any = None
    key: Any = msgspec.UNSET


_STRICT = msgspec.json.Decoder(Op)
_LOOSE = msgspec.json.Decoder(Raw)


def read_history(path: Path, format: str = "auto", model: str = "") -> History:
    """The history in a file or a run's folder.

    Raises: HistoryError naming the file, the line and what was expected. A torn last line of ours is dropped with a note.
    """
    try:
        if path.is_dir():
            path = path / "history.jsonl"
        data = path.read_bytes()
    except OSError as error:
        raise HistoryError(f"{path} cannot be read: {error.strerror or error}", way_out="give a run's folder or a history file") from error
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise HistoryError(f"{path} is empty", way_out="a run that recorded nothing cannot be judged")
    if format not in FORMATS:
        raise HistoryError(f"no format is called {format!r}", way_out=f"choose one of: {', '.join(FORMATS)}")
    chosen = recognise(data) if format == "auto" else format
    collecting = gc.isenabled()
    # Millions of new lists, none of them garbage: the collector would walk them again and again, for longer than reading takes. Frozen, it
    # never will, and a forked checker does not copy their pages for it.
    gc.disable()
    reader = {"jsonl": _read_jsonl, "json": _read_json, "edn": _read_edn, "porcupine": _read_porcupine}[chosen]
    try:
        return reader(path, data)
    except UnicodeDecodeError as error:
        raise HistoryError(f"{path} is not text (byte {error.start})", way_out="give a history file") from error
    except RecursionError as error:
        raise HistoryError(f"{path} nests deeper than any history", way_out="give a history file") from error
    finally:
        if collecting:
            gc.freeze()
            gc.enable()


def recognise(data: bytes) -> str:
    """The format of a file's content."""
    head = data[:4096].lstrip()
    if head.startswith(b"[") and re.match(rb"\[\s*\{\s*\"", head):
        return "json"
    if re.match(rb"\{\s*\"", head):
        return "jsonl"
    if re.search(rb"INFO\s+jepsen\.util - ", head):
        return "porcupine"
    return "edn"


def _read_jsonl(path: Path, data: bytes) -> History:
    if len(data) >= LARGE:
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
    columns = read_columns(data, begin)
    if columns is None:
        return None
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
        ops: list[Op] = _STRICT.decode_lines(data)  # our own files, and what is as regular
        if (header or b'"key":' not in data) and _regular(ops, bool(header)):
            return History(ops, header, notes)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    raws = _lines(path, data, offset, bool(header), notes)
    return History(_ops(path, raws, offset), header, notes)


def _regular(ops: Sequence[Op], ours: bool) -> bool:
    """Nothing needs to be filled in: indices are positions, types are types, and what others wrote has no info without its value."""
    if any(op.index != i for i, op in enumerate(ops)) or not TYPES.issuperset({op.type for op in ops}):
        return False
    return ours or not any(op.value is None and op.type == INFO for op in ops)


def _lines(path: Path, data: bytes, offset: int, ours: bool, notes: list[str]) -> list[Raw]:
    """Line by line, to say which one is wrong; only the last line may be torn."""
    lines = data.split(b"\n")
    raws = []
    last = max((i for i, line in enumerate(lines) if line.strip()), default=-1)
    for i, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            raws.append(_LOOSE.decode(line))
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


def _read_json(path: Path, data: bytes) -> History:
    try:
        return History(_ops(path, msgspec.json.decode(data, type=list[Raw]), 0))
    except msgspec.DecodeError as error:
        raise HistoryError(f"{path} is not a JSON array of operations: {error}", way_out="mend the file, or name its format") from error


def _read_edn(path: Path, data: bytes) -> History:
    rewritten = plain_to_json(data) if data[:2] == b"{:" else None
    if rewritten is not None:
        try:
            ops: list[Op] = _STRICT.decode_lines(rewritten)
            if b'"key":' not in rewritten and _regular(ops, False):
                return History(ops)
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
        try:
            return History(_ops(path, _LOOSE.decode_lines(rewritten), 0))
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
        try:
            raws.append(msgspec.convert(item, Raw, strict=False))
        except msgspec.ValidationError as error:
            way_out = "each operation is a map with :type, :f, :value, :process"
            raise HistoryError(f"{path}, operation {i}: {error}", way_out=way_out) from error
    return History(_ops(path, raws, 0))


def _read_porcupine(path: Path, data: bytes) -> History:
    raws = []
    for number, line in enumerate(data.decode().splitlines(), 1):
        match = _PORCUPINE.search(line)
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
    return History(_ops(path, raws, 0))


def _ops(path: Path, raws: Sequence[Raw], offset: int) -> list[Op]:
    """Ops from raw lines: positions as indices where there are none, completions' missing values and processes from their invocations."""
    dense = all(raw.index == i for i, raw in enumerate(raws))
    follow = all(raw.process is None for raw in raws)  # elle's paper example: completions follow their invocations
    ops: list[Op] = []
    invoked: dict[Any, Raw] = {}
    client = 0
    for i, raw in enumerate(raws):
        if raw.type not in TYPES:
            seen = f"{path}, operation {i + offset}: type {raw.type!r}"
            raise HistoryError(seen, way_out="a type is one of invoke, ok, fail, info")
        process = raw.process
        if follow:
            client += raw.type == INVOKE and i > 0
            process = client
        elif isinstance(process, float | bool) or process is None or not isinstance(process, int | str):
            raise HistoryError(f"{path}, operation {i + offset}: process {process!r}", way_out="a process is a number, or nemesis")
        elif isinstance(process, str) and process.isdigit():
            process = int(process)
        value = raw.value if raw.key is msgspec.UNSET else {"key": raw.key, "value": raw.value}
        f = raw.f if raw.f is not None else ("txn" if follow else "")
        if raw.type == INVOKE:
            invoked[process] = raw
        elif (asked := invoked.pop(process, None)) is not None and raw.type == INFO and raw.value is None:
            value = ops_value(asked)
        ops.append(
            Op(
                raw.index if dense and raw.index is not None else i,
                _nanoseconds(raw.time),
                process,
                raw.type,
                str(f),
                value,
                raw.error,
                raw.node,
                raw.ext,
            )
        )
    return ops


def _nanoseconds(time: float | None) -> int:
    return int(time) if time is not None and abs(time) < 1 << 63 else 0


def ops_value(raw: Raw) -> Any:
    """The value of an invocation, keyed where it has a key."""
    return raw.value if raw.key is msgspec.UNSET else {"key": raw.key, "value": raw.value}


def infer_model(history: History) -> str:
    """What the ops show: the name that `--as` would take, or "" if nobody can tell."""
    clients = [op for op in history.ops[:5000] if op.is_client]
    fs = {op.f for op in clients}
    if fs & {"txn"} or (not fs - {"", "txn"}):
        return _txn_model(clients)
    if fs <= {"get", "put", "append"}:
        return "kv"
    if fs <= {"read", "write"}:
        return "register"
    if fs <= {"read", "write", "cas"}:
        return "cas-register"
    if fs <= {"add", "read", "remove"}:
        return _add_model(history)
    if fs <= {"transfer", "read"}:
        return "bank"
    if fs & {"enqueue", "dequeue"}:
        return "queue"
    return ""


def _txn_model(clients: Iterable[Op]) -> str:
    for op in clients:
        for mop in op.value if isinstance(op.value, list) else []:
            if isinstance(mop, list) and len(mop) == 3:
                if mop[0] == "append" or (mop[0] == "r" and isinstance(mop[2], list)):
                    return "list-append"
                if mop[0] == "w":
                    return "rw-register"
    return ""


def _add_model(history: History) -> str:
    """A set's reads give lists, a counter's numbers."""
    for op in history.ops:
        if op.is_client and op.f == "read" and op.type == "ok":
            value = op.value.get("value") if isinstance(op.value, dict) else op.value
            if value is not None:
                return "set-full" if isinstance(value, list) else "counter"
    return "set-full"


def compile_kernels() -> None:
    """Compile what is compiled for large histories, by reading and judging a small one; cached by numba for all later processes."""
    from harness.registry import find, names

    line = '{"index":%d,"time":0,"process":0,"type":"%s","f":"%s","value":{"key":"a","value":%s},"error":null,"node":"n1","ext":null}\n'
    ops = [("invoke", "write", 1), ("ok", "write", 1), ("invoke", "read", "null"), ("ok", "read", 1)]
    columns = read_columns("".join(line % (i, *op) for i, op in enumerate(ops)).encode(), 0)
    assert columns is not None, "the small history is of the usual kind"
    for name in names("checkers"):
        if (compile_own := getattr(find("checkers", name), "compile_kernels", None)) is not None:
            compile_own(columns)
