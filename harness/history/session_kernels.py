"""The compiled part of session_columns.py: one pass over the bytes of a file, and the grouping of micro-ops.

Why it exists  a million transactions are 50 MB of text; a line at a time in Python takes half a minute, compiled half a second.
Relies on      numba's cache. The grammar is that of the formats' own readers, without blanks where there need be none; a file with any
               other line is left to them.
"""

from __future__ import annotations

import numpy as np

from harness.compiled import njit
from harness.history.scan import COMMA, MINUS, NEWLINE, integer_at

R, W, PAREN, PAREN_END, BLANK, EQUALS, ONE = (ord(c) for c in "rw() =1")
ABORTED = -1
S, C, BIG_W, BIG_R = (ord(c) for c in "SCWR")  # records of Cobra's logs
INITIAL, NULL = 0xBEBEEBEE, 0xDEADBEEF
SHORTEST = 9  # bytes of a record


@njit(cache=True, nogil=True)
def plume(d, write, key, value, session, txn):  # type: ignore[no-untyped-def]
    """Fill the columns from lines f(key,value,session,txn); how many, or -1 if a line is unusual."""
    at = count = 0
    while at < len(d):
        if at + 2 >= len(d) or (d[at] != R and d[at] != W) or d[at + 1] != PAREN:
            return -1
        write[count] = d[at] == W
        at, key[count] = integer_at(d, at + 2)
        if at < 0 or at >= len(d) or d[at] != COMMA:
            return -1
        at, value[count] = integer_at(d, at + 1)
        if at < 0 or at >= len(d) or d[at] != COMMA:
            return -1
        at, session[count] = integer_at(d, at + 1)
        if at < 0 or at >= len(d) or d[at] != COMMA or session[count] < 0:
            return -1
        at, txn[count] = integer_at(d, at + 1)
        if at < 0 or at >= len(d) or d[at] != PAREN_END or txn[count] < ABORTED:
            return -1
        at += 1
        if at < len(d):
            if d[at] != NEWLINE:
                return -1
            at += 1
        count += 1
    return count


@njit(cache=True, nogil=True)
def awdit(d, write, key, value, session, txn):  # type: ignore[no-untyped-def]
    """Fill the columns from lines `f key value` between rules; how many, or -1 if a line is unusual."""
    at = count = sessions = txns = 0
    open_txn = open_session = False
    while at < len(d):
        if d[at] == R or d[at] == W:
            if at + 1 >= len(d) or d[at + 1] != BLANK:
                return -1
            write[count] = d[at] == W
            at, key[count] = integer_at(d, at + 2)
            if at < 0 or at >= len(d) or d[at] != BLANK or key[count] < 0:
                return -1
            at, value[count] = integer_at(d, at + 1)
            if at < 0 or value[count] < 0:
                return -1
            open_txn = open_session = True
            session[count], txn[count] = sessions, txns
            count += 1
        elif d[at] == MINUS or d[at] == EQUALS:
            rule = d[at]
            while at < len(d) and d[at] == rule:
                at += 1
            txns += open_txn
            open_txn = False
            if rule == EQUALS:
                sessions += open_session
                open_session = False
        if at < len(d):
            if d[at] != NEWLINE:
                return -1
            at += 1
    return count


@njit(cache=True, nogil=True)
def _field(d, at, number):  # type: ignore[no-untyped-def]
    """A field of a record: 8 bytes, big-endian, as bits."""
    bits = np.uint64(0)
    for j in range(at + 1 + 8 * number, at + 9 + 8 * number):
        bits = (bits << np.uint64(8)) | np.uint64(d[j])
    return np.int64(bits)


@njit(cache=True, nogil=True)
def cobra(d, counts, write, null, key, value, claim, start, size):  # type: ignore[no-untyped-def]
    """Add the records of one log; `counts`: micro-ops and transactions so far. False if a record is unusual."""
    at = 0
    inside = False
    name = np.int64(0)
    mops, txns = counts[0], counts[1]
    while at < len(d):
        kind = d[at]
        length = 9 if kind in (S, C) else 25 if kind == BIG_W else 33 if kind == BIG_R else 0
        if length == 0 or at + length > len(d) or (kind == S) == inside:
            return False
        if kind == S:
            name, inside = _field(d, at, 0), True
            start[txns], size[txns] = mops, 0
        elif kind == C:
            if _field(d, at, 0) != name:
                return False
            inside = False
            txns += 1
        else:
            shift = kind == BIG_R
            claim[mops] = _field(d, at, 0) if shift else name
            value[mops], key[mops] = _field(d, at, shift), _field(d, at, shift + 1)
            write[mops] = not shift
            marked = value[mops] == INITIAL or value[mops] == NULL
            null[mops] = shift and marked
            if shift and marked != (claim[mops] == INITIAL or claim[mops] == NULL):
                return False
            size[txns] += 1
            mops += 1
        at += length
    counts[0], counts[1] = mops, txns
    return not inside


@njit(cache=True, nogil=True)
def _slot(table, ids, others, one, other):  # type: ignore[no-untyped-def]
    """Where in an open table the pair stands, or should."""
    mixed = (np.uint64(one) * np.uint64(0x9E3779B97F4A7C15)) ^ (np.uint64(other) * np.uint64(0xC2B2AE3D27D4EB4F))
    mask = len(table) - 1
    slot = np.int64((mixed ^ (mixed >> np.uint64(29))) & np.uint64(mask))
    while table[slot] >= 0 and (ids[table[slot]] != one or others[table[slot]] != other):
        slot = (slot + 1) & mask
    return slot


@njit(cache=True, nogil=True)
def group(session, txn, of_op, txn_session, txn_id):  # type: ignore[no-untyped-def]
    """Number the transactions by their first lines: of_op per line; session and id (below 0: aborted) per transaction.

    Returns (how many, True if the lines of each are together). Aborted lines of a session are one transaction as long as no other
    transaction of that session comes between them.
    """
    count = 0
    together = True
    table = np.full(1 << 12, -1, np.int64)
    newest = np.full(1 << 8, -1, np.int64)  # per session: its line of the newest transaction, in a table by session
    named = np.zeros(1 << 8, np.int64)
    zeros = np.zeros(1 << 8, np.int64)
    sessions = 0
    of_session = np.full(1 << 10, -1, np.int64)
    for i in range(len(session)):
        if i > 0 and session[i] == session[i - 1] and txn[i] == txn[i - 1]:
            of_op[i] = of_op[i - 1]
            continue
        slot = _slot(of_session, named, zeros, session[i], 0)
        here = of_session[slot]
        if here < 0:
            here = sessions
            of_session[slot], named[here] = here, session[i]
            sessions += 1
            if sessions == len(named):
                named, newest, zeros = np.append(named, named), np.append(newest, np.full(sessions, -1, np.int64)), np.append(zeros, zeros)
                of_session = np.full(8 * len(named), -1, np.int64)
                for k in range(sessions):
                    of_session[_slot(of_session, named, zeros, named[k], 0)] = k
        known = newest[here]
        if txn[i] == ABORTED:
            if known < 0 or txn_id[known] != ABORTED:
                known = -1
        else:
            slot = _slot(table, txn_id, txn_session, txn[i], session[i])
            known = table[slot]
            if known < 0:
                table[slot] = count
        if known < 0:
            txn_session[count], txn_id[count] = session[i], txn[i]
            known = count
            count += 1
            if 2 * count >= len(table):
                table = np.full(4 * len(table), -1, np.int64)
                for k in range(count):
                    if txn_id[k] != ABORTED:
                        table[_slot(table, txn_id, txn_session, txn_id[k], txn_session[k])] = k
        else:
            together = False
        of_op[i] = newest[here] = known
    return count, together


@njit(cache=True, nogil=True)
def bounds(of_op, start, size):  # type: ignore[no-untyped-def]
    """Where each transaction's micro-ops begin, and how many there are, if they are together."""
    size[:] = 0
    for i in range(len(of_op)):
        if size[of_op[i]] == 0:
            start[of_op[i]] = i
        size[of_op[i]] += 1
