"""One line of a history: an operation's invocation or its completion.

Why it exists  everything downstream (checkers, reports, replays) rests on these records alone, so their meaning is fixed here once.
Relies on      index order is real-time order. `time` is for people and plots; it is never sorted by.

A client op is invoked once and completes at most once: `ok` it happened, `fail` it certainly did not, `info` nobody knows (and it may
still happen at any later time). Nemesis ops have the same four types: `ok` means injected *and* verified.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

INVOKE: Final = "invoke"
OK: Final = "ok"
FAIL: Final = "fail"
INFO: Final = "info"
COMPLETIONS: Final = frozenset({OK, FAIL, INFO})
NEMESIS: Final = "nemesis"


class Op(msgspec.Struct, gc=False):
    """An invocation or a completion, in the field order of `history.jsonl` (DESIGN 3).

    index    position in the history, dense from 0
    time     ns since the run's start on the controller's monotonic clock
    process  int for clients; "nemesis" or "nemesis:<line>" for faults
    type     invoke | ok | fail | info
    f        what was asked: read, write, cas, txn, add, partition, heal, ...
    value    JSON; the completion carries the completed value
    error    JSON; why a completion is fail or info
    node     the node that a client op was sent to
    ext      what the workload needs beside the value (level asked for, revision, token)
    """

    index: int
    time: int
    process: int | str
    type: str
    f: str
    value: Any = None
    error: Any = None
    node: str | None = None
    ext: Any = None

    @property
    def is_client(self) -> bool:
        """True for a client's op, False for a nemesis's."""
        return isinstance(self.process, int)
