"""The slow oracle of measured staleness: every order of a key's writes that keeps real time is tried, write by write.

Nothing here is imported from the checker.
"""

from __future__ import annotations

from typing import Any

from harness.history.history import History
from tests.checkers.oracle_memory import Event, events, extensions, same, write_value


def figures(history: History) -> dict[int, tuple[int, int, int, int] | str]:
    """Of each ok read, by its invocation: (least, most) versions behind and (least, most) ns behind; "unsure" or "garbage" instead."""
    ops = events(history, False)
    found: dict[int, tuple[int, int, int, int] | str] = {}
    for read in (op for op in ops if op.f == "read"):
        writes = [op for op in ops if op.key == read.key and op.f in ("write", "cas")]
        mine = [i for i, op in enumerate(writes) if same(write_value(op), read.result) and op.call < read.ret]
        if len(mine) > 1 or (mine and read.result is None):
            found[read.call] = "unsure"
        elif not mine and read.result is not None:
            found[read.call] = "garbage"
        else:
            found[read.call] = _behind(history, read, writes, mine[0] if mine else -1)
    return found


def _behind(history: History, read: Event, writes: list[Event], seen: int) -> tuple[int, int, int, int]:
    real_time = {(i, j) for i, a in enumerate(writes) for j, b in enumerate(writes) if a.ret < b.call}
    versions, late = [], []
    for order in extensions(list(range(len(writes))), real_time):
        newer = order[order.index(seen) + 1 :] if seen >= 0 else order
        acknowledged = [writes[i] for i in newer if writes[i].ret < read.call]
        versions.append(len(acknowledged))
        late.append(max((time(history, read.call) - time(history, op.ret) for op in acknowledged), default=0))
    return min(versions), max(versions), min(late), max(late)


def time(history: History, index: Any) -> int:
    return history.ops[int(index)].time
