"""Links of relay mode: the relays' process, asked over a pipe.

Why it exists  relays must not share the loop that drives clients: each message between nodes passes through them.
Relies on      harness/clusters/relay.py; it ends when our end of its stdin does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import LostError, SetupError

ANSWER_LIMIT_S = 10.0


class RelayLinks:
    """harness.cluster.Links by relays."""

    mechanism = "relays on loopback (TCP alone)"

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._serial = 0

    async def open(self, nodes: Mapping[str, Mapping[str, Any]]) -> None:
        """Start the relays. SetupError where a port is taken."""
        pipe = asyncio.subprocess.PIPE
        argv = [sys.executable, "-I", "-m", "harness.clusters.relay", self.run_id]
        self._process = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, start_new_session=True)
        try:
            await self._ask("open", nodes=nodes)
        except OSError as error:
            raise SetupError(f"the relays did not start: {error}", "nothing was run", "end what listens there, or run again") from error

    async def _ask(self, do: str, **fields: Any) -> Any:
        """One question at a time. OSError for a refusal, LostError if the relays are gone."""
        async with self._lock:
            assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
            self._serial += 1
            line = b""
            with contextlib.suppress(OSError, TimeoutError):
                self._process.stdin.write(json.dumps({"id": self._serial, "do": do, **fields}).encode() + b"\n")
                line = await asyncio.wait_for(self._process.stdout.readline(), ANSWER_LIMIT_S)
        if not line:
            raise LostError("the relays between the nodes are gone", "every cut went with them", "run again")
        answer = json.loads(line)
        if "error" in answer:
            raise OSError(answer["error"])
        return answer["ok"]

    async def set_cut(self, pairs: Sequence[tuple[str, str]]) -> None:
        """The whole set of ordered pairs that are cut from now on."""
        await self._ask("cut", pairs=[list(pair) for pair in pairs])

    async def dropped(self) -> Mapping[tuple[str, str], int]:
        """Ordered pair -> bytes and connections held back so far."""
        return {(source, destination): count for source, destination, count in await self._ask("dropped")}

    async def probe(self, src: str, dst: str) -> bool:
        """True if a message sent as src reaches dst."""
        return bool(await self._ask("probe", src=src, dst=dst))

    async def close(self) -> None:
        """End the relays."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), 2.0)
                return
            self._process.kill()
            await self._process.wait()
