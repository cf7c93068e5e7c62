"""Columns of a large history of objects (registers, queues, sets, ..), straight from the bytes of its lines, JSON or EDN.

Why it exists  a million ops as Python objects take ten seconds before a checker has seen the first; as arrays they take less than one.
Relies on      all lines being laid out like the first one. For a file that is unusual in any way (other fields, floats, escapes, nemesis
               ops, a torn end) there are no columns, and the ordinary reader says what it is. So nothing is repaired or guessed here.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, overload

import msgspec

from harness.history.edn import forms, plain_to_json
from harness.op import Op

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DECODER = msgspec.json.Decoder(Op)
LARGE = 4_000_000  # bytes; below, the ordinary reader takes less than loading the kernels does
TYPES = ("invoke", "ok", "fail", "info")
FIELDS = ("index", "time", "process", "type", "f", "value", "error", "node", "ext")  # by the kernels' codes
_ATOM = rb"(?:null|true|false|-?\d+)"
# What the values of the first line may look like, field by field; anything else has no columns.
_JSON = {
    "index": rb"0(?=[,}])", "time": rb"-?\d+", "process": rb"\d+", "type": rb'"[a-z]+"', "f": rb'"[a-z0-9_-]+"',
    "value": rb'(?:\{"key":(?:"[^"\\]{0,200}"|-?\d+),"value":)?(?:%s|\[-?\d+,%s\])\}?(?=[,}])' % (_ATOM, _ATOM),
    "error": rb'(?:null|"[^"\\]*"|\[[^\]]*\])', "node": rb'(?:null|"[^"\\]*")', "ext": rb"null",
}  # fmt: skip
_EDN = {
    "index": rb"0(?=[,}])", "time": rb"-?\d+", "process": rb"\d+", "type": rb":[a-z]+", "f": rb":[a-z0-9_-]+",
    "value": rb"(?:nil|true|false|-?\d+|\[-?\d+ (?:nil|true|false|-?\d+)\])(?=[,}])",
}  # fmt: skip


class Columns(NamedTuple):
    """One entry a line, in order; `index` is the position.

    kind     number in TYPES; f: number in `fs`; process
    key      number of the key; those without one share a number
    value    0 where it is not a number; null: whether it is `null`
    result   1 where it is true, 2 where it is false, 3 where it is [value, true], 4 where it is [value, false], else 0
    line     where each line begins in `data`; one more entry: the end
    errors   (op, begin, end in `data`) of each error that is not null
    keys     how many keys there are
    fs       the names of f
    pairs    True if the values are [key, value]: whether that means keys, the f that ask must say
    edn      True if the lines are EDN
    """

    data: bytes
    kind: NDArray[np.int8]
    f: NDArray[np.int8]
    process: NDArray[np.int64]
    key: NDArray[np.int64]
    value: NDArray[np.int64]
    null: NDArray[np.bool_]
    result: NDArray[np.int8]
    line: NDArray[np.int64]
    errors: NDArray[np.int64]
    keys: int
    fs: tuple[str, ...]
    pairs: bool
    edn: bool

    def ops(self, numbers: NDArray[np.int64]) -> list[Op]:
        """The ops at these positions."""
        begins, ends = self.line[numbers].tolist(), self.line[numbers + 1].tolist()
        lines = [self.data[begin:end] for begin, end in zip(begins, ends, strict=True)]
        return _edn_ops(lines) if self.edn else [_DECODER.decode(line) for line in lines]

    def of_keys(self, keys: NDArray[np.int64]) -> list[Op]:
        """All ops on these keys."""
        import numpy as np

        wanted = np.zeros(self.keys, np.bool_)
        wanted[keys] = True
        return self.ops(np.flatnonzero(wanted[self.key]))

    def pair(self) -> NDArray[np.int64] | None:
        """Of each invocation the position of its completion and the other way round, -1 for an op that is open at the end.

        None if a process has two ops open, completes none, or completes on another key.
        """
        import numpy as np

        from harness.history.kernels import match

        count, most = len(self.kind), int(self.process.max(initial=0))
        if most >= 4 * count + 1024:
            return None
        partner = np.empty(count, np.int64)
        paired = match(self.kind, self.process, self.key, np.full(most + 1, -1, np.int64), partner)
        return partner if paired >= 0 else None


def _edn_ops(lines: Sequence[bytes]) -> list[Op]:
    rewritten = plain_to_json(b"".join(lines))
    if rewritten is not None:
        try:
            return _DECODER.decode_lines(rewritten)
        except msgspec.DecodeError:
            pass
    return [msgspec.convert(form, Op) for line in lines for _, form in forms(line)]


class Decodable(Protocol):
    """Columns from which single ops can be decoded."""

    @property
    def kind(self) -> NDArray[np.int8]: ...

    def ops(self, numbers: NDArray[np.int64]) -> list[Op]: ...


class LazyOps(Sequence[Op]):
    """The ops of a history that has columns: one or a slice is decoded alone, all of them when somebody goes through them."""

    def __init__(self, columns: Decodable, read: Callable[[], Sequence[Op]]) -> None:
        self.columns, self.read = columns, read
        self.all: Sequence[Op] | None = None

    def __len__(self) -> int:
        return len(self.columns.kind)

    def _whole(self) -> Sequence[Op]:
        if self.all is None:
            collecting = gc.isenabled()
            gc.disable()  # millions of new objects, none of them garbage: see read.py
            try:
                self.all = self.read()
            finally:
                if collecting:
                    gc.freeze()
                    gc.enable()
        return self.all

    def __iter__(self) -> Iterator[Op]:
        return iter(self._whole())

    @overload
    def __getitem__(self, at: int) -> Op: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Op]: ...

    def __getitem__(self, at: int | slice) -> Op | Sequence[Op]:
        if self.all is None:
            import numpy as np

            if isinstance(at, slice):
                return self.columns.ops(np.arange(*at.indices(len(self))))
            return self.columns.ops(np.array([range(len(self))[at]]))[0]
        return self._whole()[at]


class Layout(NamedTuple):
    """How a line is laid out: literal, field, literal, field, .. literal."""

    literals: list[bytes]
    fields: list[str]
    edn: bool


def layout_of(data: bytes, begin: int) -> Layout | None:
    """The layout of the first line; None if the kernels do not know it."""
    edn = data[begin : begin + 2] == b"{:"
    values, ends_name = (_EDN, rb" ") if edn else (_JSON, rb'":')
    name_of = re.compile(rb"([{]|, ?)%s([a-z]+)%s" % (rb":" if edn else rb'"', ends_name))
    at, literals, fields = begin, list[bytes](), list[str]()
    while (name := name_of.match(data, at)) is not None:
        field = name[2].decode()
        if field not in values or field in fields:
            return None
        past = re.compile(values[field]).match(data, name.end())
        if past is None:
            return None
        literals.append(name[0])
        fields.append(field)
        at = past.end()
    if data[at : at + 2] != b"}\n" or not {"index", "process", "type", "f", "value"} <= set(fields):
        return None
    return Layout([*literals, b"}\n"], fields, edn)


def read_columns(data: bytes, begin: int) -> Columns | None:
    """Columns of the lines from `begin` on, or None if any line is unusual. Cost: about 2 ns a byte."""
    if not data.endswith(b"\n") or (layout := layout_of(data, begin)) is None:
        return None
    import numpy as np

    try:
        from harness.compiled import announce
        from harness.history.kernels import MOST_FS, PAIR, parse
    except RuntimeError:  # numba finds no folder that it may keep compiled code in
        return None
    announce(parse, "reading a large history of objects")
    count = data.count(b"\n", begin)
    codes = np.array([FIELDS.index(field) for field in layout.fields])
    texts = np.frombuffer(b"".join(layout.literals), np.uint8)
    parts = np.cumsum([0, *map(len, layout.literals)])
    kind, f, result = np.empty(count, np.int8), np.empty(count, np.int8), np.empty(count, np.int8)
    process, key, value = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.int64)
    null, line, errors = np.empty(count, np.bool_), np.empty(count + 1, np.int64), np.empty((count, 3), np.int64)
    names = np.zeros((MOST_FS, 2), np.int64)
    filled = (kind, f, process, key, value, null, result, line, errors, names)
    keys, failed, fs, shape = parse(np.frombuffer(data, np.uint8), begin, layout.edn, codes, texts, parts, *filled)
    if keys < 0:
        return None
    called = tuple(data[a:b].decode() for a, b in names[:fs].tolist())
    return Columns(data, kind, f, process, key, value, null, result, line, errors[:failed], keys, called, shape == PAIR, layout.edn)
