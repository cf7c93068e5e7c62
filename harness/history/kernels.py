"""The compiled part of columns.py: one pass over the bytes of a history, line by line, by a grammar that knows our own lines only.

Why it exists  numpy cannot express a tokenizer; compiled, it reads a million ops in half a second.
Relies on      numba's cache: compiled once (`splitbrain prepare --kernels`), loaded in a tenth of a second afterwards.

Grammar        {"index":N,"time":I,"process":N,"type":"..","f":"read|write","value":V,"error":E,"node":S,"ext":null}
               V: null, I, {"key":K,"value":null|I}; K: I or S; E: null, or strings in at most one array; S: null or a string of printable
               ASCII without quotes and backslashes. I has no leading zeros and 18 digits at most. The last three fields may all be absent.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


def _bytes(text: str) -> Any:
    return np.frombuffer(text.encode(), np.uint8)


_INDEX, _TIME, _PROCESS, _TYPE = _bytes('{"index":'), _bytes(',"time":'), _bytes(',"process":'), _bytes(',"type":"')
_INVOKE, _OK, _FAIL, _INFO = _bytes('invoke","f":"'), _bytes('ok","f":"'), _bytes('fail","f":"'), _bytes('info","f":"')
_READ, _WRITE = _bytes('read","value":'), _bytes('write","value":')
_KEY, _VALUE, _NULL, _ERROR, _NODE, _EXT = (
    _bytes('{"key":'), _bytes(',"value":'), _bytes("null"), _bytes(',"error":'), _bytes(',"node":'), _bytes(',"ext":null'),
)  # fmt: skip
QUOTE, COMMA, MINUS, ZERO, NINE, BACKSLASH, OPEN, CLOSE, BRACE, BRACE_END, NEWLINE = (ord(c) for c in '",-09\\[]{}\n')


@njit(cache=True, nogil=True, inline="always")
def _literal(d, at, literal):  # type: ignore[no-untyped-def]
    """Past the literal, or -1."""
    if at < 0 or at + len(literal) > len(d):
        return -1
    for j in range(len(literal)):
        if d[at + j] != literal[j]:
            return -1
    return at + len(literal)


@njit(cache=True, nogil=True)
def _integer(d, at):  # type: ignore[no-untyped-def]
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


@njit(cache=True, nogil=True)
def _string(d, at):  # type: ignore[no-untyped-def]
    """Past a plain string, or -1."""
    if at < 0 or at >= len(d) or d[at] != QUOTE:
        return -1
    at += 1
    while at < len(d) and 32 <= d[at] < 127 and d[at] != BACKSLASH:
        if d[at] == QUOTE:
            return at + 1
        at += 1
    return -1


@njit(cache=True, nogil=True)
def _error(d, at):  # type: ignore[no-untyped-def]
    """Past a string or an array of strings, or -1."""
    if at < 0 or at >= len(d) or d[at] != OPEN:
        return _string(d, at)
    while True:
        at = _string(d, at + 1)
        if at < 0 or at >= len(d):
            return -1
        if d[at] == CLOSE:
            return at + 1
        if d[at] != COMMA:
            return -1


@njit(cache=True, nogil=True)
def _key_number(d, begin, end, table, starts, ends, count):  # type: ignore[no-untyped-def]
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


@njit(cache=True, nogil=True)
def _head(d, at, i):  # type: ignore[no-untyped-def]
    """(past `"value":`, process, type, f), or -1 first."""
    at, number = _integer(d, _literal(d, at, _INDEX))
    if at < 0 or number != i:
        return -1, 0, 0, 0
    at, _ = _integer(d, _literal(d, at, _TIME))
    at, process = _integer(d, _literal(d, at, _PROCESS))
    at = _literal(d, at, _TYPE)
    if at < 0 or at + 2 > len(d) or process < 0:
        return -1, 0, 0, 0
    if d[at] == _OK[0]:
        kind, at = 1, _literal(d, at, _OK)
    elif d[at] == _FAIL[0]:
        kind, at = 2, _literal(d, at, _FAIL)
    elif d[at + 2] == _INFO[2]:
        kind, at = 3, _literal(d, at, _INFO)
    else:
        kind, at = 0, _literal(d, at, _INVOKE)
    if at < 0 or at >= len(d):
        return -1, 0, 0, 0
    if d[at] == _READ[0]:
        return _literal(d, at, _READ), process, kind, 0
    return _literal(d, at, _WRITE), process, kind, 1


@njit(cache=True, nogil=True)
def _tail(d, at):  # type: ignore[no-untyped-def]
    """(past the line, error's begin, its end) from past the value on; begin is 0 without an error, -1 first if unusual."""
    begin = end = 0
    if at < 0 or at + 1 >= len(d):
        return -1, 0, 0
    if d[at] == COMMA:
        at = _literal(d, at, _ERROR)
        null = _literal(d, at, _NULL)
        if null < 0:
            begin = at
            at = end = _error(d, at)
        else:
            at = null
        at = _literal(d, at, _NODE)
        null = _literal(d, at, _NULL)
        at = _literal(d, _string(d, at) if null < 0 else null, _EXT)
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
            begin = _literal(d, at, _KEY)
            if begin < 0 or begin >= len(d):
                return -1, 0
            if d[begin] == QUOTE:
                end = _string(d, begin)
            else:
                end, _ = _integer(d, begin)
            at = _literal(d, end, _VALUE)
            if at < 0:
                return -1, 0
        number = _key_number(d, begin, end, table, starts, ends, keys)
        if number == keys:
            keys += 1
            if keys == size:
                size *= 2
                starts, ends = np.append(starts, starts), np.append(ends, ends)
                table = np.full(2 * size, -1, np.int64)
                for k in range(keys):
                    _key_number(d, starts[k], ends[k], table, starts, ends, k)
        key[i] = number
        past = _literal(d, at, _NULL)
        null[i] = past >= 0
        value[i] = 0
        if past < 0:
            past, value[i] = _integer(d, at)
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
