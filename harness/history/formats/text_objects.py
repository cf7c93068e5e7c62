"""The text files of fastlin, PolyLin and fptlin: `# type`, then one completed operation a line.

Why it exists  the field's fastest tools for queues, stacks, priority queues, deques, sets and semaphores read these.
Relies on      `method value start end`, or `pid start end METHOD value [result]`; -1 is what an empty object answers. Where an operation
               ends at the very time at which another starts, it precedes it: returns come before calls.
               A set's insert and remove without a result changed it; contains_true and contains_false carry theirs in the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import starmap
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from harness.errors import HistoryError
from harness.history.columns import LARGE, LazyOps, read_columns
from harness.history.history import History
from harness.op import INVOKE, OK, Op

# what stands after `#` -> the name of the model; its methods -> (f, is the value an argument)
OBJECTS = {
    "queue": "queue",
    "stack": "stack",
    "priorityqueue": "priority-queue",
    "pqueue": "priority-queue",
    "deque": "deque",
    "set": "set-object",
    "semaphore": "semaphore",
}
_ENDS = ("front", "back")
METHODS: dict[str, dict[str, str]] = {
    "queue": {"enq": "enqueue", "deq": "dequeue", "peek": "peek"},
    "stack": {"push": "push", "pop": "pop", "peek": "peek"},
    "priority-queue": {"insert": "insert", "poll": "poll", "peek": "peek"},
    "deque": {f"{verb}_{end}": f"{verb}_{end}" for verb in ("push", "pop", "peek") for end in _ENDS},
    "set-object": {method: method for method in ("insert", "remove", "contains", "contains_true", "contains_false")},
    "semaphore": {"incr": "incr", "decr": "decr"},
}
GIVES = frozenset({"enqueue", "push", "insert", "push_front", "push_back"})
_HEADER = re.compile(rb"\s*#[ \t]*([A-Za-z_-]+)[ \t]*\r?(?:\n|$)")
_BY_METHOD = re.compile(r"([A-Za-z_]+)\s+(-?\d+)\s+(-?\d+)\s+(-?\d+)")
_BY_PID = re.compile(r"(\d+)\s+(-?\d+)\s+(-?\d+)\s+([A-Za-z_]+)\s+(-?\d+)(?:\s+(-?\d+))?")


class _Line(NamedTuple):
    process: int
    start: int
    end: int
    f: str
    asked: Any
    answered: Any


def recognises(head: bytes) -> bool:
    """The first line is `#` and a known type."""
    match = _HEADER.match(head)
    return match is not None and match[1].decode().lower() in OBJECTS


def read(path: Path, data: bytes) -> History:
    """The history; of a large file, columns too. The header says which object it is of: {"model": name}."""
    match = _HEADER.match(data)
    object_ = OBJECTS.get(match[1].decode().lower()) if match is not None else None
    if match is None or object_ is None:
        raise HistoryError(f"{path}: the first line names no object", way_out=f"it is `# type`, with one of {', '.join(OBJECTS)}")
    lines: list[_Line] = []
    for number, text in enumerate(data[match.end() :].decode().splitlines(), 2):
        text = text.strip()
        if text and not text.startswith("#"):
            lines.append(_line(path, number, text, object_, len(lines)))
    header = {"model": object_}
    ops = starmap(Op, ((index, *event) for index, event in enumerate(_events(path, lines))))
    if len(data) < LARGE:
        return History(list(ops), header)
    encoder = msgspec.json.Encoder()
    written = b"".join(encoder.encode(op) + b"\n" for op in ops)
    columns = read_columns(written, 0)
    read_all = msgspec.json.Decoder(Op).decode_lines
    if columns is None:
        return History(read_all(written), header)
    return History(LazyOps(columns, lambda: read_all(written)), header, (), columns)


def _line(path: Path, number: int, text: str, object_: str, process: int) -> _Line:
    """One operation; without a pid each is a process of its own."""
    match = _BY_METHOD.fullmatch(text)
    result = None
    if match is not None:
        method, value, start, end = match[1], *map(int, match.groups()[1:])
    elif (match := _BY_PID.fullmatch(text)) is not None:
        process, start, end, method, value = int(match[1]), int(match[2]), int(match[3]), match[4], int(match[5])
        result = None if match[6] is None else int(match[6])
    else:
        way_out = "lines are `method value start end` or `pid start end METHOD value [result]`, all whole numbers"
        raise HistoryError(f"{path}, line {number}: not an operation: {text[:60]!r}", way_out=way_out)
    f = METHODS[object_].get(method.lower())
    if f is None:
        raise HistoryError(f"{path}, line {number}: a {object_} has no {method}", way_out=f"it has {', '.join(METHODS[object_])}")
    if start > end:
        raise HistoryError(f"{path}, line {number}: it ends at {end}, before it starts at {start}", way_out="mend that line")
    return _Line(process, start, end, *_values(object_, f, value, result))


def _values(object_: str, f: str, value: int, result: int | None) -> tuple[str, Any, Any]:
    """(f, value asked, value answered)."""
    if object_ == "set-object":
        named, _, told = f.partition("_")
        known = told == "true" if told else (result != 0 if result is not None else True)
        return named, value, [value, known]
    if object_ == "semaphore":
        return f, None, value
    if f in GIVES:
        return f, value, value
    return f, None, None if value == -1 else value


def _events(path: Path, lines: list[_Line]) -> Iterator[tuple[int, int, str, str, Any]]:
    """(time, process, type, f, value) in order: at one time first what ends, then what takes no time, then what starts."""
    events: list[tuple[int, int, int]] = []
    for number, line in enumerate(lines):
        moment = line.start == line.end
        events.append((line.start, 1 if moment else 3, number))
        events.append((line.end, 2 if moment else 0, number))
    events.sort()
    open_: set[int] = set()
    for time, rank, number in events:
        line = lines[number]
        if rank in (1, 3):
            if line.process in open_:
                seen = f"{path}: process {line.process} starts {line.f} at {time} while its operation before is open"
                raise HistoryError(seen, way_out="a process has one operation at a time: give them pids of their own")
            open_.add(line.process)
            yield time, line.process, INVOKE, line.f, line.asked
        else:
            open_.discard(line.process)
            yield time, line.process, OK, line.f, line.answered
