"""The compiled part of txn_columns.py: one pass over the bytes of a history of transactions.

Why it exists  a million transactions are 300 MB of text; as Python objects they take a minute and 10 GB, as arrays a second.
Relies on      numba's cache. Lists of integers that begin as the longest one so far of their key does are compared as bytes and share its
               elements: lists grow at their end, so most reads cost a comparison and no memory.

Grammar        a line is a map of these fields, each once, in any order: index N, time I, process N, type, f "txn",
               value, error E, node S, ext null. Value: null or micro-ops [f K V]: append (V integer or string), w (or null), r (null,
               integer, string, or a list of integers and strings). K: integer or string. Integers: at most 18 digits. Strings: of printable
               ASCII without quotes and backslashes. JSON without blanks, or EDN with keywords as Elle writes it. Other lines are `odd`.
"""

from __future__ import annotations

import numpy as np

from harness.compiled import njit
from harness.history.scan import (
    BRACE,
    BRACE_END,
    CLOSE,
    COMMA,
    NEWLINE,
    OPEN,
    QUOTE,
    as_bytes,
    error_at,
    integer_at,
    literal_at,
    string_at,
    text_number,
)
from harness.history.txn_columns import NULL, STRING

UNUSUAL, FULL = -1, -2  # in place of a position: not of the grammar; a table must grow
READ, APPEND, WRITE = 0, 1, 2
NULL_LENGTH, SCALAR = -1, -2  # in place of a read's length
MOPS, ELEMENTS, KEYS, STRINGS = 0, 1, 2, 3  # places in `counts`
BLANK, COLON = ord(" "), ord(":")
_INVOKE, _OK, _FAIL, _INFO = as_bytes("invoke"), as_bytes("ok"), as_bytes("fail"), as_bytes("info")
_NULL, _NIL, _TXN, _APPEND = as_bytes("null"), as_bytes("nil"), as_bytes("txn"), as_bytes("append")
_INDEX, _TIME, _PROCESS, _TYPE, _F, _VALUE, _ERROR, _NODE, _EXT = (
    as_bytes(name) for name in ("index", "time", "process", "type", "f", "value", "error", "node", "ext")
)
F_INDEX, F_TIME, F_PROCESS, F_TYPE, F_F, F_VALUE, F_ERROR, F_NODE, F_EXT = range(9)
NEEDED = (1 << F_INDEX) | (1 << F_PROCESS) | (1 << F_TYPE) | (1 << F_F) | (1 << F_VALUE)


@njit(cache=True, nogil=True, _nrt=False, inline="always")
def _null(d, at, edn):  # type: ignore[no-untyped-def]
    """Past a null, or -1."""
    return literal_at(d, at, _NIL) if edn else literal_at(d, at, _NULL)


@njit(cache=True, nogil=True, _nrt=False, inline="always")
def _byte(d, at, byte):  # type: ignore[no-untyped-def]
    """Past the byte, or -1."""
    return at + 1 if 0 <= at < len(d) and d[at] == byte else -1


@njit(cache=True, nogil=True, _nrt=False, inline="always")
def _word(d, at, edn, text):  # type: ignore[no-untyped-def]
    """Past a word, a keyword in EDN and a string in JSON, or -1; what follows is looked at by the caller."""
    if edn:
        return literal_at(d, _byte(d, at, COLON), text)
    return _byte(d, literal_at(d, _byte(d, at, QUOTE), text), QUOTE)


@njit(cache=True, nogil=True, _nrt=False)
def _keyword(d, at):  # type: ignore[no-untyped-def]
    """Past an EDN keyword of letters, digits and dashes that begins with a letter, or -1."""
    at = _byte(d, at, COLON)
    if at < 0 or at >= len(d) or not (97 <= (d[at] | 32) <= 122):
        return -1
    while at < len(d) and (97 <= (d[at] | 32) <= 122 or 48 <= d[at] <= 57 or d[at] == 45):
        at += 1
    return at


@njit(cache=True, nogil=True, _nrt=False)
def _error(d, at, edn):  # type: ignore[no-untyped-def]
    """Past an error that is not null, or -1."""
    if not edn:
        return error_at(d, at)
    if at < 0 or at >= len(d):
        return -1
    if d[at] != OPEN:
        return string_at(d, at) if d[at] == QUOTE else _keyword(d, at)
    while True:
        at += 1
        at = string_at(d, at) if at < len(d) and d[at] == QUOTE else _keyword(d, at)
        if at < 0 or at >= len(d):
            return -1
        if d[at] == CLOSE:
            return at + 1
        if d[at] != BLANK:
            return -1


@njit(cache=True, nogil=True, _nrt=False)
def _scalar(d, at, counts, table, starts, ends):  # type: ignore[no-untyped-def]
    """(past an integer or string, its value)."""
    if at < 0 or at >= len(d):
        return -1, 0
    if d[at] != QUOTE:
        return integer_at(d, at)
    end = string_at(d, at)
    if end < 0:
        return -1, 0
    if counts[STRINGS] >= len(starts):
        return FULL, 0
    number = text_number(d, at, end, table, starts, ends, counts[STRINGS])
    if number == counts[STRINGS]:
        counts[STRINGS] += 1
    return end, STRING + number


@njit(cache=True, nogil=True, _nrt=False)
def _elements(d, at, separator, counts, elements, strings):  # type: ignore[no-untyped-def]
    """(past the closing bracket, how many elements, all are integers) of a list from its first element on, which are noted."""
    first, plain = counts[ELEMENTS], True
    while True:
        plain = plain and at < len(d) and d[at] != QUOTE
        at, value = _scalar(d, at, counts, *strings)
        if at < 0 or at >= len(d) or counts[ELEMENTS] >= len(elements):
            return min(at, -1), 0, False
        elements[counts[ELEMENTS]] = value
        counts[ELEMENTS] += 1
        if d[at] == CLOSE:
            return at + 1, counts[ELEMENTS] - first, plain
        if d[at] != separator:
            return -1, 0, False
        at += 1


@njit(cache=True, nogil=True, _nrt=False)
def _list(d, at, separator, counts, elements, longest, strings):  # type: ignore[no-untyped-def]
    """(past a list, where its elements begin, how many; begin -1: those of its key's longest). `longest`: begin and end of the text of the
    key's longest list, where its elements begin, how many; its text is empty unless they are integers."""
    if at < len(d) and d[at] == CLOSE:
        return at + 1, 0, 0
    size, same, before = longest[1] - longest[0], 0, 0
    base = longest[0]
    while same < size and at + same < len(d) and d[at + same] == d[base + same]:
        before += d[at + same] == separator
        same += 1
    if size > 0 and at + same < len(d):
        if d[at + same] == CLOSE and (same == size or d[base + same] == separator):
            return at + same + 1, -1, before + 1
        if same == size and d[at + same] == separator:
            return _longer(d, at, separator, counts, elements, longest, strings)
    start = counts[ELEMENTS]
    past, length, plain = _elements(d, at, separator, counts, elements, strings)
    if past >= 0 and longest[3] == 0:
        longest[0], longest[1], longest[2], longest[3] = at, past - 1 if plain else at, start, length
        return past, -1, length
    return past, start, length


@njit(cache=True, nogil=True, _nrt=False)
def _longer(d, at, separator, counts, elements, longest, strings):  # type: ignore[no-untyped-def]
    """A list that goes on where its key's longest ends: it becomes the longest; its elements stand together."""
    size, start, length = longest[1] - longest[0], longest[2], longest[3]
    if start + length != counts[ELEMENTS]:
        to = counts[ELEMENTS]
        if to + length > len(elements):
            return -1, 0, 0
        for j in range(length):
            elements[to + j] = elements[start + j]
        counts[ELEMENTS] += length
        start = to
    past, more, plain = _elements(d, at + size + 1, separator, counts, elements, strings)
    if past < 0:
        return past, 0, 0
    if not plain:
        return past, start, length + more  # text with strings in it is not compared: this list stays for itself
    longest[0], longest[1], longest[2], longest[3] = at, past - 1, start, length + more
    return past, -1, length + more


@njit(cache=True, nogil=True, _nrt=False)
def _micro_op(d, at, edn, counts, mops, keys, strings, elements):  # type: ignore[no-untyped-def]
    """Past a micro-op from after its bracket to before its end, noted in `mops`; or a negative number."""
    fs, key, value, start, length = mops
    table, starts, ends, longest = keys
    separator = BLANK if edn else COMMA
    m = counts[MOPS]
    if m >= len(fs) or at + 3 >= len(d):
        return -1
    if d[at + 1] == 114:  # r
        f, at = READ, at + (2 if edn else 3)
        if not edn and d[at - 1] != QUOTE:
            return -1
    elif d[at + 1] == 119:  # w
        f, at = WRITE, at + (2 if edn else 3)
        if not edn and d[at - 1] != QUOTE:
            return -1
    else:
        f, at = APPEND, _word(d, at, edn, _APPEND)
    begin = at = _byte(d, at, separator)
    if at < 0 or at >= len(d):
        return -1
    at = string_at(d, at) if d[at] == QUOTE else integer_at(d, at)[0]
    end, at = at, _byte(d, at, separator)
    if at < 0 or at >= len(d):
        return -1
    if counts[KEYS] >= len(starts):
        return FULL
    number = text_number(d, begin, end, table, starts, ends, counts[KEYS])
    if number == counts[KEYS]:
        for j in range(4):
            longest[number, j] = 0
        counts[KEYS] += 1
    fs[m], key[m], value[m], start[m], length[m] = f, number, NULL, 0, NULL_LENGTH
    if d[at] == OPEN and f == READ:
        at, start[m], length[m] = _list(d, at + 1, separator, counts, elements, longest[number], strings)
    elif d[at] == 110 and f != APPEND:  # n
        at = _null(d, at, edn)
    else:
        length[m] = SCALAR
        at, value[m] = _scalar(d, at, counts, *strings)
    counts[MOPS] += 1
    return at


@njit(cache=True, nogil=True, _nrt=False)
def _value(d, at, edn, counts, mops, keys, strings, elements):  # type: ignore[no-untyped-def]
    """Past the list of micro-ops, from after its bracket on; or a negative number."""
    mark = COLON if edn else QUOTE
    if at < len(d) and d[at] == CLOSE:
        return at + 1
    while True:
        at = _byte(d, at, OPEN)
        if at < 0 or at >= len(d) or d[at] != mark:
            return -1
        at = _micro_op(d, at, edn, counts, mops, keys, strings, elements)
        if at == FULL:
            return FULL
        at = _byte(d, at, CLOSE)
        if at < 0 or at >= len(d):
            return -1
        if d[at] == CLOSE:
            return at + 1
        if d[at] != (BLANK if edn else COMMA):
            return -1
        at += 1


@njit(cache=True, nogil=True, _nrt=False)
def _name(d, at, edn):  # type: ignore[no-untyped-def]
    """(past a field's name and what separates it from its value, which field), or -1 first."""
    at += 1
    if at < 1 or at + 2 >= len(d) or d[at - 1] != (COLON if edn else QUOTE):
        return -1, 0
    first, second = d[at], d[at + 1]
    field, past = F_F, literal_at(d, at, _F)
    if first == 105:
        field, past = F_INDEX, literal_at(d, at, _INDEX)
    elif first == 116:
        field, past = (F_TIME, literal_at(d, at, _TIME)) if second == 105 else (F_TYPE, literal_at(d, at, _TYPE))
    elif first == 112:
        field, past = F_PROCESS, literal_at(d, at, _PROCESS)
    elif first == 118:
        field, past = F_VALUE, literal_at(d, at, _VALUE)
    elif first == 101:
        field, past = (F_ERROR, literal_at(d, at, _ERROR)) if second == 114 else (F_EXT, literal_at(d, at, _EXT))
    elif first == 110:
        field, past = F_NODE, literal_at(d, at, _NODE)
    if edn:
        return _byte(d, past, BLANK), field
    return _byte(d, _byte(d, past, QUOTE), COLON), field


@njit(cache=True, nogil=True, _nrt=False)
def _kind(d, at, edn):  # type: ignore[no-untyped-def]
    """(past a type, its number), or -1 first."""
    past = _word(d, at, edn, _INVOKE)
    if past >= 0:
        return past, 0
    past = _word(d, at, edn, _OK)
    if past >= 0:
        return past, 1
    past = _word(d, at, edn, _FAIL)
    if past >= 0:
        return past, 2
    return _word(d, at, edn, _INFO), 3


@njit(cache=True, nogil=True, _nrt=False)
def _line(d, at, edn, i, row, counts, mops, keys, strings, elements):  # type: ignore[no-untyped-def]
    """Past a line, or a negative number. `row` gets kind, process, first micro-op, how many (-1: null), begin and end of the error."""
    seen = 0
    row[5] = 0
    if _byte(d, at, BRACE) < 0:
        return -1
    while True:
        at, field = _name(d, at + 1, edn)
        if at < 0 or at >= len(d) or seen & (1 << field):
            return -1
        seen |= 1 << field
        if field == F_TIME:
            at, _ = integer_at(d, at)
        elif field == F_INDEX:
            at, number = integer_at(d, at)
            if number != i:
                return -1
        elif field == F_PROCESS:
            at, row[1] = integer_at(d, at)
            if row[1] < 0:
                return -1
        elif field == F_TYPE:
            at, row[0] = _kind(d, at, edn)
        elif field == F_F:
            at = _word(d, at, edn, _TXN)
        elif field == F_VALUE:
            row[2], row[3] = counts[MOPS], -1
            if d[at] == OPEN:
                at = _value(d, at + 1, edn, counts, mops, keys, strings, elements)
                row[3] = counts[MOPS] - row[2]
            else:
                at = _null(d, at, edn)
        else:
            past = _null(d, at, edn)
            if past < 0 and field == F_ERROR:
                past = _error(d, at, edn)
                row[4], row[5] = at, past
            elif past < 0 and field == F_NODE:
                past = string_at(d, at)
            at = past
        if at < 0 or at + 1 >= len(d):
            return FULL if at == FULL else -1
        if d[at] == BRACE_END:
            needed = NEEDED if edn else NEEDED | (1 << F_TIME)  # in EDN a missing time is 0, for the ordinary reader too
            return at + 2 if d[at + 1] == NEWLINE and seen & needed == needed else -1
        if d[at] != COMMA or (edn and d[at + 1] != BLANK):
            return -1
        at += edn


@njit(cache=True, nogil=True)
def _grown(d, count, table, starts, ends):  # type: ignore[no-untyped-def]
    """A table of texts of twice the size."""
    size = 2 * len(starts)
    starts, ends = np.append(starts, starts), np.append(ends, ends)
    table = np.full(2 * size, -1, np.int64)
    for number in range(count):
        text_number(d, starts[number], ends[number], table, starts, ends, number)
    return table, starts, ends


@njit(cache=True, nogil=True)
def parse(d, at, edn, kind, process, first, count, line, errors, odd, counts, mops, elements, size):  # type: ignore[no-untyped-def]
    """Fill the arrays. `size`: of the first tables, a power of two. Gives (texts of keys: begins, ends; where each key's shared elements
    begin; texts of strings: begins, ends; errors, odd lines); odd lines is -1 if there are more than `odd` has room for."""
    keys = (np.full(2 * size, -1, np.int64), np.empty(size, np.int64), np.empty(size, np.int64), np.zeros((size, 4), np.int64))
    strings = (np.full(2 * size, -1, np.int64), np.empty(size, np.int64), np.empty(size, np.int64))
    row = np.zeros(6, np.int64)
    failed = strange = i = 0
    while i < len(kind):
        line[i] = at
        mops_before = counts[MOPS]
        past = _line(d, at, edn, i, row, counts, mops, keys, strings, elements)
        if past == FULL:
            counts[MOPS] = mops_before  # what its lists noted stays: a key's longest may be among them
            if counts[KEYS] >= len(keys[1]):
                table, starts, ends = _grown(d, counts[KEYS], keys[0], keys[1], keys[2])
                keys = (table, starts, ends, np.concatenate((keys[3], keys[3])))
            else:
                strings = _grown(d, counts[STRINGS], strings[0], strings[1], strings[2])
            continue
        if past < 0:
            if strange == len(odd):
                strange = -1
                break
            counts[MOPS] = mops_before
            odd[strange] = i
            strange += 1
            row[0], row[1], row[2], row[3], row[5] = 0, -1, mops_before, 0, 0
            past = at
            while past < len(d) and d[past] != NEWLINE:
                past += 1
            past += 1
        kind[i], process[i], first[i], count[i] = row[0], row[1], row[2], row[3]
        if row[5]:
            errors[failed, 0], errors[failed, 1], errors[failed, 2] = i, row[4], row[5]
            failed += 1
        at = past
        i += 1
    line[len(kind)] = at
    begins = keys[3][: counts[KEYS], 2].copy()
    return keys[1], keys[2], begins, strings[1], strings[2], failed, strange


@njit(cache=True, nogil=True)
def pair(kind, process, count, open_, call, ret, done, outcome, source, never):  # type: ignore[no-untyped-def]
    """Transactions from lines: positions of call, return (`never` of unknown ones) and completion (-1: none), outcome, and the line whose
    value counts. How many, or -1 if lines do not pair or a value that counts is null."""
    n = 0
    for i in range(len(kind)):
        p = process[i]
        if p < 0:
            continue
        t = open_[p]
        if kind[i] == 0:
            if t >= 0:
                return -1
            open_[p] = n
            call[n], ret[n], done[n], outcome[n], source[n] = i, never, -1, 3, i
            n += 1
            continue
        if t < 0:
            return -1
        open_[p] = -1
        done[t], outcome[t] = i, kind[i]
        if kind[i] != 3:
            ret[t] = i
        if kind[i] == 1 or (kind[i] == 3 and count[i] >= 0):
            source[t] = i
    for t in range(n):
        if count[source[t]] < 0:
            return -1
    return n
