"""The compiled part of columns.py: one pass over the bytes of a history, line by line, by the layout of its first line.

Why it exists  numpy cannot express a tokenizer; compiled, it reads a million ops in half a second.
Relies on      numba's cache: compiled once (`splitbrain prepare --kernels`), loaded in a tenth of a second afterwards.

Grammar        Each line is the literals of the layout with one field between two of them: the position, a time (any integer), a process, a
               type, an f, a value, an error, a node, an ext. JSON, or EDN with keywords as words, nil, and blanks for commas in vectors.
               Value: A, {"key":K,"value":A}, or [I,A] (a pair); A: null, true, false, I, or [I,true], [I,false]; K: I or S.
               Error: null, or strings in at most one array. Node: null or S. Ext: null. S: a string of printable ASCII without quotes and
               backslashes. I has no leading zeros and 18 digits at most.
"""

from __future__ import annotations

import numpy as np

from harness.compiled import njit
from harness.history.scan import (
    BRACE,
    BRACE_END,
    CLOSE,
    COMMA,
    MINUS,
    NINE,
    OPEN,
    QUOTE,
    ZERO,
    as_bytes,
    error_at,
    integer_at,
    literal_at,
    string_at,
    text_number,
)

INDEX, TIME, PROCESS, TYPE, F, VALUE, ERROR, NODE, EXT = range(9)
NO_RESULT, IS_TRUE, IS_FALSE, PAIRED = range(4)  # of a value; of [I,true] and [I,false] it is IS_TRUE or IS_FALSE + PAIRED - 1
PLAIN, PAIR = range(2)
MOST_FS = 16
_INVOKE, _OK, _FAIL, _INFO = as_bytes("invoke"), as_bytes("ok"), as_bytes("fail"), as_bytes("info")
_KEY, _VALUE, _NULL, _NIL, _TRUE, _FALSE = (as_bytes(text) for text in ('{"key":', ',"value":', "null", "nil", "true", "false"))
COLON, BLANK, HYPHEN, LETTER_A, LETTER_Z, UNDERSCORE = (ord(c) for c in ": -az_")


@njit(cache=True, nogil=True, _nrt=False)
def _word(d, at, edn):  # type: ignore[no-untyped-def]
    """(past the word, its begin, its end): `"word"` or `:word` of small letters, digits, _ and -; -1 first if there is none."""
    if at < 0 or at >= len(d) or d[at] != (COLON if edn else QUOTE):
        return -1, 0, 0
    at += 1
    begin = at
    while at < len(d) and (LETTER_A <= d[at] <= LETTER_Z or ZERO <= d[at] <= NINE or d[at] == HYPHEN or d[at] == UNDERSCORE):
        at += 1
    if at == begin or at >= len(d) or (not edn and d[at] != QUOTE):
        return -1, 0, 0
    return (at if edn else at + 1), begin, at


@njit(cache=True, nogil=True, _nrt=False)
def _same(d, begin, end, text):  # type: ignore[no-untyped-def]
    return end - begin == len(text) and literal_at(d, begin, text) == end


@njit(cache=True, nogil=True, _nrt=False)
def _kind(d, begin, end):  # type: ignore[no-untyped-def]
    """0 invoke, 1 ok, 2 fail, 3 info; -1: no type."""
    if _same(d, begin, end, _INVOKE):
        return 0
    if _same(d, begin, end, _OK):
        return 1
    if _same(d, begin, end, _FAIL):
        return 2
    return 3 if _same(d, begin, end, _INFO) else -1


@njit(cache=True, nogil=True, _nrt=False)
def _f(d, begin, end, fs, count):  # type: ignore[no-untyped-def]
    """The number of an f; `count` if it is new (then it is noted), -1 if there are too many."""
    for known in range(count):
        if fs[known, 1] - fs[known, 0] == end - begin:
            same = True
            for j in range(end - begin):
                if d[begin + j] != d[fs[known, 0] + j]:
                    same = False
                    break
            if same:
                return known
    if count == len(fs):
        return -1
    fs[count, 0], fs[count, 1] = begin, end
    return count


@njit(cache=True, nogil=True, _nrt=False)
def _atom(d, at, edn):  # type: ignore[no-untyped-def]
    """(past it, number, is it null, result) of null, true, false or an integer; -1 first if it is none."""
    if at < 0 or at >= len(d):
        return -1, 0, False, 0
    if ZERO <= d[at] <= NINE or d[at] == MINUS:
        past, number = integer_at(d, at)
        return past, number, False, NO_RESULT
    past = literal_at(d, at, _NIL) if edn else literal_at(d, at, _NULL)
    if past >= 0:
        return past, 0, True, NO_RESULT
    past = literal_at(d, at, _TRUE)
    if past >= 0:
        return past, 0, False, IS_TRUE
    return literal_at(d, at, _FALSE), 0, False, IS_FALSE


@njit(cache=True, nogil=True, _nrt=False)
def _answer(d, at, edn):  # type: ignore[no-untyped-def]
    """(past it, number, null, result, where A begins) of A or [I,A] (0: no pair of a key and a value); -1 first if it is neither."""
    if at < 0 or at >= len(d) or d[at] != OPEN:
        past, number, null, result = _atom(d, at, edn)
        return past, number, null, result, 0
    past, number = integer_at(d, at + 1)
    if past < 0 or past >= len(d) or d[past] != (BLANK if edn else COMMA):
        return -1, 0, False, 0, 0
    second = past + 1
    past, _, _, result = _atom(d, second, edn)
    if past < 0 or past >= len(d) or d[past] != CLOSE:
        return -1, 0, False, 0, 0
    if result == NO_RESULT:
        return past + 1, number, False, NO_RESULT, second
    return past + 1, number, False, result + PAIRED - 1, 0


@njit(cache=True, nogil=True, _nrt=False)
def _value(d, at, edn):  # type: ignore[no-untyped-def]
    """(past it, key's begin, its end, number, null, result, 1 for a pair of a key and a value); -1 first if it is unusual."""
    unusual = (-1, 0, 0, 0, False, 0, 0)
    if at >= len(d):
        return unusual
    begin = end = at
    keyed = d[at] == BRACE
    if keyed:
        begin = literal_at(d, at, _KEY)
        if begin < 0 or begin >= len(d):
            return unusual
        end = string_at(d, begin) if d[begin] == QUOTE else integer_at(d, begin)[0]
        at = literal_at(d, end, _VALUE)
    past, number, null, result, second = _answer(d, at, edn)
    if past < 0 or (keyed and (second > 0 or past >= len(d) or d[past] != BRACE_END)):
        return unusual
    if keyed:
        return past + 1, begin, end, number, null, result, 0
    if second == 0:
        return past, at, at, number, null, result, 0
    _, number, null, _ = _atom(d, second, edn)
    return past, at + 1, second - 1, number, null, NO_RESULT, 1


@njit(cache=True, nogil=True, _nrt=False)
def _tail(d, at, code):  # type: ignore[no-untyped-def]
    """(past an error, node or ext, begin of an error that is not null)."""
    past = literal_at(d, at, _NULL)
    if past >= 0 or code == EXT:
        return past, 0
    if code == NODE:
        return string_at(d, at), 0
    return error_at(d, at), at


@njit(cache=True, nogil=True)
def _grown(d, table, starts, ends, keys):  # type: ignore[no-untyped-def]
    """Tables of keys with twice the room."""
    starts, ends = np.append(starts, starts), np.append(ends, ends)
    table = np.full(2 * len(starts), -1, np.int64)
    for k in range(keys):
        text_number(d, starts[k], ends[k], table, starts, ends, k)
    return table, starts, ends


@njit(cache=True, nogil=True)
def parse(d, at, edn, codes, texts, parts, kind, f, process, key, value, null, result, line, errors, fs):  # type: ignore[no-untyped-def]
    """Fill the columns by a layout: literal i is texts[parts[i]:parts[i + 1]], codes[i] the field after it; one more literal ends the line.

    Returns (keys, errors, fs, PLAIN or PAIR), or -1 first if any line is unusual.
    """
    table = np.full(2048, -1, np.int64)
    starts, ends = np.empty(1024, np.int64), np.empty(1024, np.int64)
    keys = failed = names = pairs = 0
    unusual = (-1, 0, 0, 0)
    for i in range(len(kind)):
        line[i] = at
        for field in range(len(codes) + 1):
            part, size = parts[field], parts[field + 1] - parts[field]
            if at + size > len(d):
                return unusual
            different = np.uint8(0)
            for j in range(size):
                different |= d[at + j] ^ texts[part + j]
            if different:
                return unusual
            at += size
            if field == len(codes):
                break
            code = codes[field]
            if code == INDEX:
                at, number = integer_at(d, at)
                if number != i:
                    return unusual
            elif code == TIME:
                at, _ = integer_at(d, at)
            elif code == PROCESS:
                at, process[i] = integer_at(d, at)
                if process[i] < 0:
                    return unusual
            elif code == TYPE:
                at, begin, end = _word(d, at, edn)
                kind[i] = _kind(d, begin, end)
                if kind[i] < 0:
                    return unusual
            elif code == F:
                at, begin, end = _word(d, at, edn)
                if at < 0:
                    return unusual
                number = _f(d, begin, end, fs, names)
                if number < 0:
                    return unusual
                names, f[i] = max(names, number + 1), number
            elif code == VALUE:
                at, begin, end, value[i], null[i], result[i], pair = _value(d, at, edn)
                if at < 0:
                    return unusual
                pairs += pair
                number = text_number(d, begin, end, table, starts, ends, keys)
                if number == keys:
                    keys += 1
                    if keys == len(starts):
                        table, starts, ends = _grown(d, table, starts, ends, keys)
                key[i] = number
            else:
                at, begin = _tail(d, at, code)
                if begin:
                    errors[failed, 0], errors[failed, 1], errors[failed, 2] = i, begin, at
                    failed += 1
            if at < 0:
                return unusual
    line[len(kind)] = at
    if at != len(d) or (pairs > 0 and pairs < len(kind)):
        return unusual
    return keys, failed, names, PAIR if pairs > 0 else PLAIN


@njit(cache=True, nogil=True, _nrt=False)
def match(kind, process, key, open_, partner):  # type: ignore[no-untyped-def]
    """Pair invocations with completions: partner[i] is the other's position, -1 for an op that is open at the end.

    Returns how many ops there are, or -1 if a process has two open, completes none, or completes on another key.
    """
    count = 0
    for i in range(len(kind)):
        p = process[i]
        partner[i] = -1
        if kind[i] == 0:
            if open_[p] >= 0:
                return -1
            open_[p] = i
            count += 1
            continue
        at = open_[p]
        if at < 0 or key[at] != key[i]:
            return -1
        open_[p] = -1
        partner[i], partner[at] = at, i
    return count
