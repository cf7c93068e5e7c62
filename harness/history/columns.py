"""Columns of a large history of registers, straight from the bytes of our own JSON lines.

Why it exists  a million ops as Python objects take ten seconds before a checker has seen the first; as arrays they take less than one.
Relies on      the lines being exactly as we write them. For a file that is unusual in any way (other fields, floats, escapes, cas, nemesis
               ops, a torn end) there are no columns, and the ordinary reader says what it is. So nothing is repaired or guessed here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, overload

import msgspec

from harness.op import Op

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DECODER = msgspec.json.Decoder(Op)
LARGE = 4_000_000  # bytes; below, the ordinary reader takes less than loading the kernels does
TYPES = ("invoke", "ok", "fail", "info")
FS = ("read", "write")
# What the first lines must look like for the kernels to be loaded at all.
_USUAL = re.compile(
    rb'\{"index":0,"time":-?\d+,"process":\d+,"type":"invoke","f":"(?:read|write)","value":(?:\{"key":[^{\[]{1,200}?,"value":)?(?:null|-?\d+)[,}]'
)


class Columns(NamedTuple):
    """One entry a line, in order; `index` is the position.

    kind     number in TYPES; f: number in FS; process
    key      number of the key; those without one share a number
    value    0 where `null`
    line     where each line begins in `data`; one more entry: the end
    errors   (op, begin, end in `data`) of each error that is not null
    keys     how many keys there are
    """

    data: bytes
    kind: NDArray[np.int8]
    f: NDArray[np.int8]
    process: NDArray[np.int64]
    key: NDArray[np.int64]
    value: NDArray[np.int64]
    null: NDArray[np.bool_]
    line: NDArray[np.int64]
    errors: NDArray[np.int64]
    keys: int

    def fs(self) -> set[str]:
        """Which f there are."""
        import numpy as np

        return {FS[number] for number in np.unique(self.f)}

    def ops(self, numbers: NDArray[np.int64]) -> list[Op]:
        """The ops at these positions."""
        begins, ends = self.line[numbers].tolist(), self.line[numbers + 1].tolist()
        return [_DECODER.decode(self.data[begin:end]) for begin, end in zip(begins, ends, strict=True)]

    def of_keys(self, keys: NDArray[np.int64]) -> list[Op]:
        """All ops on these keys."""
        import numpy as np

        wanted = np.zeros(self.keys, np.bool_)
        wanted[keys] = True
        return self.ops(np.flatnonzero(wanted[self.key]))


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
            self.all = self.read()
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


def read_columns(data: bytes, begin: int) -> Columns | None:
    """Columns of the lines from `begin` on, or None if any line is unusual. Cost: about 2 ns a byte."""
    if not data.endswith(b"\n") or _USUAL.match(data, begin) is None:
        return None
    import numpy as np

    try:
        from harness.history.kernels import parse
    except RuntimeError:  # numba finds no folder that it may keep compiled code in
        return None
    count = data.count(b"\n", begin)
    kind, f = np.empty(count, np.int8), np.empty(count, np.int8)
    process, key, value = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.int64)
    null, line, errors = np.empty(count, np.bool_), np.empty(count + 1, np.int64), np.empty((count, 3), np.int64)
    keys, failed = parse(np.frombuffer(data, np.uint8), begin, kind, f, process, key, value, null, line, errors)
    if keys < 0:
        return None
    return Columns(data, kind, f, process, key, value, null, line, errors[:failed], keys)
