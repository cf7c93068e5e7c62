"""Small histories that make numba compile every kernel of the fast road.

Why it exists  `splitbrain prepare --kernels` compiles what the first large history would otherwise wait for.
Relies on      each history taking the road to its end: a conflict of each kind, looks, two keys.
"""

from __future__ import annotations

from checkers.monitors.acts import NAMES
from harness.history.columns import Columns, read_columns

_LINE = '{"index":%d,"time":0,"process":0,"type":"%s","f":"%s","value":{"key":"%s","value":%s}}\n'
_CONTAINERS = {"queue": ("enqueue", "dequeue"), "stack": ("push", "pop"), "priority-queue": ("insert", "poll")}


def columns_of(*done: tuple[str, str, str, str]) -> Columns:
    """The columns of ops one after the other: (f, key, value asked, value answered)."""
    lines: list[str] = []
    for f, key, asked, answered in done:
        lines.append(_LINE % (len(lines), "invoke", f, key, asked))
        lines.append(_LINE % (len(lines), "ok", f, key, answered))
    columns = read_columns("".join(lines).encode(), 0)
    assert columns is not None, "the small history is of the usual kind"
    return columns


def compile_all() -> None:
    """Judge them."""
    from checkers.monitors.swift import sift_container, sift_set

    for object_, (add, remove) in _CONTAINERS.items():
        wrong = [(add, "a", "1", "1"), (add, "a", "2", "2"), (add, "a", "3", "3"), (remove, "a", "null", "2"), ("peek", "a", "null", "2")]
        empty = [(add, "b", "1", "1"), ("peek", "b", "null", "1"), (remove, "b", "null", "null"), (remove, "b", "null", "1")]
        sifted = sift_container(columns_of(*wrong, *empty), object_, NAMES[object_], "auto", False)
        assert sifted is not None and sifted.conflicts == 2, object_
    sifted = sift_set(columns_of(("add", "a", "1", "[1,true]"), ("contains", "a", "1", "false")), NAMES["set-object"], "auto")
    assert sifted is not None and sifted.conflicts == 1
