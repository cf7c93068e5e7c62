"""What executes ops: one worker a thread, for clients and for faults alike.

Why it exists  the interpreter knows threads and time; what an op does is a worker's business.
Relies on      `invoke` giving the completion (or an awaitable of it) under the same process and f; it may raise nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from harness.op import Op


class Worker(Protocol):
    """Executes the ops of one thread, one at a time.

    blocking   `invoke` blocks and needs a thread of its own
    read_only  f's that change nothing: past their deadline they fail, and retire no process
    """

    blocking: bool
    read_only: frozenset[str]
    node: str | None

    def invoke(self, op: Op) -> Op | Awaitable[Op]:
        """Execute; the completion. Past its deadline the call is abandoned: cancelled if it can be, never waited for."""
        ...

    def retire(self) -> bool | None:
        """The process has crashed: close its client in the background; the next op opens a new one.

        True: the call in progress, if any, has certainly not sent its op, and never will.
        """
        ...

    async def close(self) -> None:
        """The run is over."""
        ...
