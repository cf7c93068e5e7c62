"""The live view: what the run does now, four times a second; where there is no terminal, one line a phase.

Why it exists  a person must see at once that ops flow, that faults strike, and when nothing moves.
Relies on      seeing every op and event as it is recorded; it only counts. Rendering happens between ops, in the loop's own task.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from typing import Any

from harness.intervals import describe_value
from harness.op import INVOKE, OK, Op
from harness.plan import Plan

REFRESH_S = 0.25
WINDOW_NS = 5_000_000_000  # rates and latencies are of the last five seconds


class LiveView:
    """Counts ops and events; `text_only` prints a line a phase instead of drawing."""

    def __init__(self, plan: Plan, text_only: bool, silent: bool = False) -> None:
        self.plan, self.text_only, self.silent = plan, text_only, silent
        self.phase, self.phase_since, self.now = "preparing", 0, 0
        self.counts: dict[str, Counter[str]] = {}
        self.opened: dict[int | str, int] = {}
        self.recent: deque[tuple[int, int, str]] = deque()  # (completion time, latency ns, type)
        self.faults: dict[int, str] = {}
        self.notes: deque[str] = deque(maxlen=4)
        self.struck: Counter[str] = Counter()
        self._live: Any = None

    def on_op(self, op: Op) -> None:
        """See one recorded op."""
        self.now = op.time
        if not op.is_client:
            self._on_fault(op)
            return
        if op.type == INVOKE:
            self.opened[op.process] = op.time
            return
        self.counts.setdefault(op.f, Counter())[op.type] += 1
        self.recent.append((op.time, op.time - self.opened.pop(op.process, op.time), op.type))
        while self.recent and self.recent[0][0] < op.time - WINDOW_NS:
            self.recent.popleft()

    def _on_fault(self, op: Op) -> None:
        if op.type == INVOKE:
            self.opened[op.process] = op.index
            return
        index = self.opened.pop(op.process, -1)
        if op.f == "heal":
            of = op.value.get("of") if isinstance(op.value, dict) else None
            if of == "all":
                self.faults.clear()
            else:
                self.faults.pop(of, None)  # type: ignore[arg-type]
        elif op.type == OK:
            self.struck[op.f] += 1
            self.faults[index] = f"{op.f} {describe_value(op.value)}".strip()
            if op.f == "restart":
                self.faults.pop(index)
        else:
            self.notes.append(f"{op.f} was not injected: {op.error}")

    def on_event(self, event: Mapping[str, Any]) -> None:
        """See one event of the run."""
        self.now = event["time"]
        kind = event["event"]
        if kind == "phase":
            self.phase, self.phase_since = event["phase"], event["time"]
            if self.text_only and not self.silent:
                print(f"{event['time'] / 1e9:7.1f} s  {self.phase}: {event.get('says', '')}".rstrip(": "), flush=True)
        elif kind in ("unexpected-exit", "not-recovered", "agent-lost"):
            self.notes.append(f"{event['time'] / 1e9:.1f} s {kind}: {event.get('node', '')} {event.get('says', '')}")

    def say(self, line: str) -> None:
        """A line for the person who watches."""
        if self.silent:
            return
        if self.text_only:
            print(line, flush=True)
        else:
            self.notes.append(line)

    @contextlib.asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """Draw while the body runs."""
        if self.text_only:
            yield
            return
        from rich.live import Live

        with Live(self.render(), auto_refresh=False, transient=True) as live:
            self._live = live
            task = asyncio.create_task(self._refresh(live))
            try:
                yield
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def restore(self) -> None:
        """Give the terminal back at once: for an end that runs no more code."""
        if self._live is not None:
            self._live.console.show_cursor(True)

    async def _refresh(self, live: Any) -> None:
        while True:
            await asyncio.sleep(REFRESH_S)
            live.update(self.render(), refresh=True)

    def render(self) -> Any:
        """The view as a rich renderable."""
        from rich.console import Group
        from rich.panel import Panel
        from rich.table import Table
        from rich.text import Text

        ops = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("f", "ok", "fail", "info"):
            ops.add_column(column, justify="left" if column == "f" else "right")
        for f, counts in sorted(self.counts.items()):
            ops.add_row(f, f"[green]{counts['ok']}[/]", f"[yellow]{counts['fail']}[/]", f"[magenta]{counts['info']}[/]")
        faults = [Text(f"● {text}", style="red") for text in self.faults.values()] or [Text("no fault is active", style="dim")]
        struck = ", ".join(f"{kind} ×{count}" for kind, count in sorted(self.struck.items()))
        lines: list[Any] = [
            Text(f"{self.phase}  {(self.now - self.phase_since) / 1e9:5.1f} s   (run {self.now / 1e9:.1f} s)", style="bold"),
            Text(self._rates()),
            ops,
            *faults,
            *([Text(f"so far: {struck}", style="dim")] if struck else []),
            *(Text(note, style="yellow") for note in self.notes),
        ]
        title = f"{self.plan.target} on {self.plan.cluster}, {self.plan.workload or 'default workload'}, seed {self.plan.seed}"
        return Panel(Group(*lines), title=title, title_align="left", border_style="dim")

    def _rates(self) -> str:
        if not self.recent:
            return "no operation has completed yet"
        span_s = max(0.5, min(WINDOW_NS, self.now) / 1e9)
        latencies = sorted(latency for _, latency, type_ in self.recent if type_ == OK)
        rate = len(self.recent) / span_s
        if not latencies:
            return f"{rate:.0f} ops/s, none of them ok in the last 5 s"
        half, high = latencies[len(latencies) // 2], latencies[min(len(latencies) - 1, len(latencies) * 99 // 100)]
        return (
            f"{rate:.0f} ops/s; latency of ok ops: median {half / 1e6:.1f} ms, 99 % {high / 1e6:.1f} ms, worst {latencies[-1] / 1e6:.1f} ms"
        )
