"""The compiled part of columns.py: one pass over the bytes of a history, line by line, by a grammar that knows our own lines only.

Why it exists  numpy cannot express a tokenizer; compiled, it reads a million ops in half a second.
Relies on      numba's cache: compiled once (`splitbrain prepare --kernels`), loaded in a tenth of a second afterwards.

Grammar        {"index":N,"time":I,"process":N,"type":"..","f":"read|write","value":V,"error":E,"node":S,"ext":null}
               V: null, I, {"key":K,"value":null|I}; K: I or S; E: null, or strings in at most one array; S: null or a string of printable
               ASCII without quotes and backslashes. I has no leading zeros and 18 digits at most. The last three fields may all be absent.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from harness.history.scan import (
    BRACE,
    BRACE_END,
    COMMA,
    NEWLINE,
    QUOTE,
    as_bytes,
    error_at,
    integer_at,
    literal_at,
    string_at,
    text_number,
)

_INDEX, _TIME, _PROCESS, _TYPE = as_bytes('{"index":'), as_bytes(',"time":'), as_bytes(',"process":'), as_bytes(',"type":"')
_INVOKE, _OK, _FAIL, _INFO = as_bytes('invoke","f":"'), as_bytes('ok","f":"'), as_bytes('fail","f":"'), as_bytes('info","f":"')
_READ, _WRITE = as_bytes('read","value":'), as_bytes('write","value":')
_KEY, _VALUE, _NULL, _ERROR, _NODE, _EXT = (
    as_bytes('{"key":'), as_bytes(',"value":'), as_bytes("null"), as_bytes(',"error":'), as_bytes(',"node":'), as_bytes(',"ext":null'),
)  # fmt: skip


@njit(cache=True, nogil=True)
def _head(d, at, i):  # type: ignore[no-untyped-def]
    """(past `"value":`, process, type, f), or -1 first."""
    at, number = integer_at(d, literal_at(d, at, _INDEX))
    if at < 0 or number != i:
        return -1, 0, 0, 0
    at, _ = integer_at(d, literal_at(d, at, _TIME))
    at, process = integer_at(d, literal_at(d, at, _PROCESS))
    at = literal_at(d, at, _TYPE)
    if at < 0 or at + 2 > len(d) or process < 0:
        return -1, 0, 0, 0
    if d[at] == _OK[0]:
        kind, at = 1, literal_at(d, at, _OK)
    elif d[at] == _FAIL[0]:
        kind, at = 2, literal_at(d, at, _FAIL)
    elif d[at + 2] == _INFO[2]:
        kind, at = 3, literal_at(d, at, _INFO)
    else:
        kind, at = 0, literal_at(d, at, _INVOKE)
    if at < 0 or at >= len(d):
        return -1, 0, 0, 0
    if d[at] == _READ[0]:
        return literal_at(d, at, _READ), process, kind, 0
    return literal_at(d, at, _WRITE), process, kind, 1


@njit(cache=True, nogil=True)
def _tail(d, at):  # type: ignore[no-untyped-def]
    """(past the line, error's begin, its end) from past the value on; begin is 0 without an error, -1 first if unusual."""
    begin = end = 0
    if at < 0 or at + 1 >= len(d):
        return -1, 0, 0
    if d[at] == COMMA:
        at = literal_at(d, at, _ERROR)
        null = literal_at(d, at, _NULL)
        if null < 0:
            begin = at
            at = end = error_at(d, at)
        else:
            at = null
        at = literal_at(d, at, _NODE)
        null = literal_at(d, at, _NULL)
        at = literal_at(d, string_at(d, at) if null < 0 else null, _EXT)
        if at < 0 or at + 1 >= len(d):
            return -1, 0, 0
    if d[at] != BRACE_END or d[at + 1] != NEWLINE:
        return -1, 0, 0
    return at + 2, begin, end


@njit(cache=True, nogil=True)
def parse(d, at, kind, f, process, key, value, null, line, errors):  # type: ignore[no-untyped-def]
    """Fill the columns; (keys, errors), or (-1, 0) if any line is unusual."""
    size = 1024
    table = np.full(2 * size, -1, np.int64)
    starts, ends = np.empty(size, np.int64), np.empty(size, np.int64)
    keys = failed = 0
    for i in range(len(kind)):
        line[i] = at
        at, process[i], kind[i], f[i] = _head(d, at, i)
        if at < 0 or at >= len(d):
            return -1, 0
        keyed = d[at] == BRACE
        begin = end = at
        if keyed:
            begin = literal_at(d, at, _KEY)
            if begin < 0 or begin >= len(d):
                return -1, 0
            if d[begin] == QUOTE:
                end = string_at(d, begin)
            else:
                end, _ = integer_at(d, begin)
            at = literal_at(d, end, _VALUE)
            if at < 0:
                return -1, 0
        number = text_number(d, begin, end, table, starts, ends, keys)
        if number == keys:
            keys += 1
            if keys == size:
                size *= 2
                starts, ends = np.append(starts, starts), np.append(ends, ends)
                table = np.full(2 * size, -1, np.int64)
                for k in range(keys):
                    text_number(d, starts[k], ends[k], table, starts, ends, k)
        key[i] = number
        past = literal_at(d, at, _NULL)
        null[i] = past >= 0
        value[i] = 0
        if past < 0:
            past, value[i] = integer_at(d, at)
        if keyed and (past < 0 or past >= len(d) or d[past] != BRACE_END):
            return -1, 0
        at, begin, end = _tail(d, past + 1 if keyed else past)
        if at < 0:
            return -1, 0
        if begin:
            errors[failed, 0], errors[failed, 1], errors[failed, 2] = i, begin, end
            failed += 1
    line[len(kind)] = at
    return (keys, failed) if at == len(d) else (-1, 0)
