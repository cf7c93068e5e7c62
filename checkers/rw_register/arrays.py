"""Steps of a large history of registers, straight from its file's columns.

Why it exists  a million transactions as Python objects take longer than putting them in order does.
Relies on      nothing being repaired here: what is irregular in any way has no steps, and the exact rules say what is wrong with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkers.rw_register.serial_order import Steps

if TYPE_CHECKING:
    from harness.history.txn_columns import TxnColumns


def steps_from(columns: TxnColumns) -> Steps | None:
    """The same as serial_order.steps_of, as arrays. Cost: about 0.2 us a micro-op."""
    import numpy as np

    from checkers.rw_register.kernels import OK, WRITE, arrange, note_reads, note_writes
    from harness.history.txn_columns import NEVER, NULL

    txns, keys, writes = len(columns.call), len(columns.key_texts[0]), int(np.count_nonzero(columns.f == WRITE))
    if (columns.f == 1).any():
        return None
    mops = (columns.outcome, columns.first, columns.size, columns.f, columns.key, columns.value)
    table = np.full(1 << max(4, (2 * writes).bit_length()), -1, np.int64)
    of_key, of_value, of_txn = (np.empty(writes, np.int64) for _ in range(3))
    final = np.empty(writes, np.bool_)
    written = (table, of_key, of_value, of_txn, final)
    last, stamp = np.empty(keys, np.int64), np.full(keys, -1, np.int64)
    # Lines that are no transaction's have micro-ops too: only those of transactions are numbered.
    if not note_writes(*mops, NULL, *written, last, stamp):
        return None
    numbered = int((table >= 0).sum())
    of_key, of_value, of_txn, final = of_key[:numbered], of_value[:numbered], of_txn[:numbered], final[:numbered]
    stamp[:] = -1
    committed, read_at = np.zeros(txns, np.bool_), np.empty(txns + 1, np.int64)
    read = np.empty(int(columns.size.sum()), np.int64)
    if not note_reads(*mops, columns.length, NULL, table, of_key, of_value, of_txn, final, last, stamp, committed, read_at, read):
        return None
    read = read[: read_at[txns]]
    kept = final & committed[of_txn]
    versions = numbered + keys
    key, writer, first, latest, chain = (np.empty(versions, np.int64) for _ in range(5))
    reader_at, reader = np.zeros(versions + 1, np.int64), np.empty(len(read), np.int64)
    write_at, write = np.empty(txns + 1, np.int64), np.empty(numbered, np.int64)
    ok = columns.outcome == OK
    ret = np.where(ok, columns.ret, NEVER)
    made = (key, writer, reader_at, reader, write_at, write, first, latest, chain)
    count = arrange(columns.call, ret, of_key, of_txn, kept, read_at, read, *made, NEVER)
    ranked = np.flatnonzero(kept)
    ranked = ranked[np.lexsort((first[ranked], of_key[ranked]))]
    rank_at = np.concatenate(([0], np.cumsum(np.bincount(of_key[ranked], minlength=keys))))
    due = np.flatnonzero(ok)
    due = due[np.argsort(ret[due], kind="stable")]
    return Steps(
        columns.call,
        ret,
        due,
        read_at,
        read,
        write_at,
        write[:count],
        reader_at,
        reader,
        key,
        writer,
        chain,
        rank_at,
        ranked,
        first,
        latest,
    )
