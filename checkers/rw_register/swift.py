"""The fast road: a history that has a serial order keeps every model, and shows no anomaly.

Why it exists  most histories are valid; then nothing needs to be inferred or searched.
Relies on      serial_order.py, which executes the order that it found; it says "valid" or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from checkers.rw_register.serial_order import PLAIN, Loops, Steps, explains, serial_order, steps_of
from checkers.transactions.txns import NEVER, Txn
from harness.history.history import History

LARGE = 20_000  # transactions; below, plain Python takes less than a second, compiled code has to be loaded


def evident(history: History) -> dict[str, Any] | None:
    """Facts of a large history, read as columns, that has a serial order; else None."""
    columns = history.txns
    if columns is None:
        return None
    try:
        from checkers.rw_register.arrays import steps_from
        from checkers.rw_register.compiled import compiled

        loops = compiled()
    except RuntimeError:  # numba finds no folder that it may keep compiled code in
        return None
    steps = steps_from(columns)
    if steps is None or not _explained(steps, loops):
        return None
    count, ok, fail = len(columns.call), int((columns.outcome == 1).sum()), int((columns.outcome == 2).sum())
    return {"txns": count, "ok": ok, "fail": fail, "info": count - ok - fail, "keys": len(columns.key_texts[0])}


def prepare() -> None:
    """Say that compiling takes a while, and compile, if numba has not kept what is needed."""
    try:
        from checkers.rw_register.kernels import note_writes
        from harness.compiled import announce
    except RuntimeError:
        return
    if announce(note_writes, "judging a large history of registers"):
        compile_all()


def compile_all() -> None:
    """Compile the loops, by a small history."""
    from harness.history.txn_columns import read_txn_columns

    line = '{"index":%d,"time":0,"process":%d,"type":"%s","f":"txn","value":[["r",1,%s],["w",1,%d]]}\n'
    ops = [(0, 0, "invoke", "null", 1), (1, 1, "invoke", "null", 2), (2, 0, "ok", "null", 1), (3, 1, "ok", "1", 2)]
    columns = read_txn_columns("".join(line % op for op in ops).encode(), 0, edn=False, ours=False)
    assert columns is not None, "the small history is of the usual kind"
    history = History([])
    history.txns = columns
    assert evident(history) is not None, "the small history is valid"


def has_serial_order(txns: Sequence[Txn], slacks: Sequence[int] = (0,)) -> bool:
    """Whether an order was found that keeps real time, give or take one of `slacks`, in positions of the history; False says nothing.

    An order that only nearly keeps real time is a serial order all the same: few real systems that are serializable stray far from it.
    """
    steps = steps_of(txns)
    if steps is None:
        return False
    loops = PLAIN
    if len(txns) > LARGE:
        try:
            from checkers.rw_register.compiled import as_arrays, compiled

            loops, steps = compiled(), as_arrays(steps)
        except RuntimeError:
            pass
    return any(_explained(_loosened(steps, slack), loops) for slack in slacks)


def _loosened(steps: Steps, slack: int) -> Steps:
    """Each transaction may act so much before its invocation, or after its completion."""
    ranked, first, last = steps.rank.copy(), steps.first.copy(), steps.last.copy()
    if not slack:
        return steps._replace(rank=ranked, first=first, last=last)
    if isinstance(steps.call, list):
        call = [at - slack for at in steps.call]
        ret = [at if at == NEVER else at + slack for at in steps.ret]
    else:
        call, ret = steps.call - slack, steps.ret + slack * (steps.ret < NEVER)
    return steps._replace(call=call, ret=ret, rank=ranked, first=first, last=last)


def _explained(steps: Steps, loops: Loops) -> bool:
    """At least something was read, and an order explains it."""
    if not len(steps.read):
        return False
    order = serial_order(steps, loops)
    return order is not None and explains(steps, order, loops)
