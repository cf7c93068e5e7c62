"""Ops from what other tools write of an op: what a line lacks (index, process, time) is filled from its position.

Why it exists  the readers of JSON, EDN and Porcupine's logs end here, so that what may be missing is decided once.
Relies on      order in the file being real-time order.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import HistoryError
from harness.op import INFO, INVOKE, Op

TYPES = frozenset({"invoke", "ok", "fail", "info"})


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
    position: Any = None
    link: Any = None
    rebalance_log: Any = msgspec.field(default=None, name="rebalance-log")
    seek: Any = msgspec.field(default=None, name="seek-to-beginning?")


# What Jepsen writes beside the value; where one of these names stands in a file, its lines are read as Raw. All but the key go to `ext`.
BESIDE = (b'"key":', b'"position":', b'"link":', b'"rebalance-log":', b'"seek-to-beginning?":')
STRICT = msgspec.json.Decoder(Op)
LOOSE = msgspec.json.Decoder(Raw)


def has_beside(data: bytes) -> bool:
    """Does a file have fields that an op of ours has not?"""
    return any(name in data for name in BESIDE)


def regular(ops: Sequence[Op], ours: bool) -> bool:
    """Nothing needs to be filled in: indices are positions, types are types, and what others wrote has no info without its value."""
    if any(op.index != i for i, op in enumerate(ops)) or not TYPES.issuperset({op.type for op in ops}):
        return False
    return ours or not any(op.value is None and op.type == INFO for op in ops)


def ops_of(path: Path, raws: Sequence[Raw], offset: int) -> list[Op]:
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
            value = value_of(asked)
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
                raw.ext if raw.ext is not None else _beside(raw),
            )
        )
    return ops


def _beside(raw: Raw) -> dict[str, Any] | None:
    fields = {"position": raw.position, "link": raw.link, "rebalance-log": raw.rebalance_log, "seek-to-beginning?": raw.seek}
    found = {name: value for name, value in fields.items() if value is not None}
    return found or None


def _nanoseconds(time: float | None) -> int:
    return int(time) if time is not None and abs(time) < 1 << 63 else 0


def value_of(raw: Raw) -> Any:
    """The value of an invocation, keyed where it has a key."""
    return raw.value if raw.key is msgspec.UNSET else {"key": raw.key, "value": raw.value}
