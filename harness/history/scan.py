"""Scanning JSON and EDN from bytes, compiled: literals, integers, plain strings, and texts as numbers.

Why it exists  the tokenizers of all kinds of histories are made of these few.
Relies on      numba's cache, which is kept by the file of the caller: whoever changes this one touches the files that import it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.compiled import njit

QUOTE, COMMA, MINUS, ZERO, NINE, BACKSLASH, OPEN, CLOSE, BRACE, BRACE_END, NEWLINE = (ord(c) for c in '",-09\\[]{}\n')
ESCAPES = np.frombuffer(b'"\\/bfnrt', np.uint8)


def as_bytes(text: str) -> Any:
    """ASCII text as a constant of the kernels: uint8[length]."""
    return np.frombuffer(text.encode(), np.uint8)


@njit(cache=True, nogil=True, _nrt=False, inline="always")
def literal_at(d, at, literal):  # type: ignore[no-untyped-def]
    """Past the literal, or -1."""
    if at < 0 or at + len(literal) > len(d):
        return -1
    for j in range(len(literal)):
        if d[at + j] != literal[j]:
            return -1
    return at + len(literal)


@njit(cache=True, nogil=True, _nrt=False)
def integer_at(d, at):  # type: ignore[no-untyped-def]
    """(past the integer, its value), or (-1, 0)."""
    if at < 0 or at >= len(d):
        return -1, 0
    negative = d[at] == MINUS
    if negative:
        at += 1
    start = at
    number = np.int64(0)
    while at < len(d) and ZERO <= d[at] <= NINE:
        number = number * 10 + (np.int64(d[at]) - ZERO)
        at += 1
        if at - start > 18:
            return -1, 0
    if at == start or (d[start] == ZERO and (at - start > 1 or negative)):
        return -1, 0
    return at, (-number if negative else number)


@njit(cache=True, nogil=True, _nrt=False)
def string_at(d, at):  # type: ignore[no-untyped-def]
    """Past a plain string, or -1."""
    if at < 0 or at >= len(d) or d[at] != QUOTE:
        return -1
    at += 1
    while at < len(d) and 32 <= d[at] < 127 and d[at] != BACKSLASH:
        if d[at] == QUOTE:
            return at + 1
        at += 1
    return -1


@njit(cache=True, nogil=True, _nrt=False)
def _escaped_at(d, at):  # type: ignore[no-untyped-def]
    """Past a string of printable ASCII with escapes of one letter, or -1."""
    if at < 0 or at >= len(d) or d[at] != QUOTE:
        return -1
    at += 1
    while at < len(d) and 32 <= d[at] < 127:
        if d[at] == QUOTE:
            return at + 1
        if d[at] == BACKSLASH:
            at += 1
            known = False
            for letter in ESCAPES:
                known = known or (at < len(d) and d[at] == letter)
            if not known:
                return -1
        at += 1
    return -1


@njit(cache=True, nogil=True, _nrt=False)
def error_at(d, at):  # type: ignore[no-untyped-def]
    """Past a string or an array of strings, or -1."""
    if at < 0 or at >= len(d) or d[at] != OPEN:
        return _escaped_at(d, at)
    while True:
        at = _escaped_at(d, at + 1)
        if at < 0 or at >= len(d):
            return -1
        if d[at] == CLOSE:
            return at + 1
        if d[at] != COMMA:
            return -1


@njit(cache=True, nogil=True, _nrt=False)
def text_number(d, begin, end, table, starts, ends, count):  # type: ignore[no-untyped-def]
    """The number of the key whose text is d[begin:end]; `count` if it is new (then it is noted)."""
    hashed = np.uint64(14695981039346656037)
    for j in range(begin, end):
        hashed = (hashed ^ np.uint64(d[j])) * np.uint64(1099511628211)
    mask = len(table) - 1
    slot = np.int64((hashed ^ (hashed >> np.uint64(32))) & np.uint64(mask))
    while table[slot] >= 0:
        known = table[slot]
        if ends[known] - starts[known] == end - begin:
            same = True
            for j in range(end - begin):
                if d[begin + j] != d[starts[known] + j]:
                    same = False
                    break
            if same:
                return known
        slot = (slot + 1) & mask
    table[slot] = count
    starts[count], ends[count] = begin, end
    return count
