"""What must be undone: kept by the agent, and by its watchdog through a pipe.

Why it exists  the agent may be killed at any moment; whoever is left must know what to heal. A line is written before the deed, so the
               watchdog may heal what never happened, and never misses what did.
Relies on      undoing being idempotent: a process that was never stopped is continued without harm, a true clock stays true.
"""

from __future__ import annotations

import json
import os
import signal
from typing import Any

from . import blackhole, vdso
from .nft import BridgeTable, NftError
from .procs import Process, all_pids, stat


class Ledger:
    """Stopped processes, shifted clocks, the table and the rules of one run."""

    def __init__(self, pipe: int | None = None) -> None:
        self.run, self.tag, self.lease_s = "", 0, 8.0
        self.table = False
        self.stopped: set[Process] = set()
        self.skewed: set[Process] = set()
        self.rules: set[tuple[str, str]] = set()  # (path of the receiver's network namespace, source address)
        self._pipe = pipe

    def note(self, what: str, *details: Any) -> None:
        """Remember a deed (or that it was undone), here and in the watchdog."""
        self.learn({"note": what, "details": list(details)})
        self.send({"note": what, "details": list(details)})

    def send(self, line: dict[str, Any]) -> None:
        """One line to the watchdog; if that is gone the agent learns it from its other pipe."""
        if self._pipe is not None:
            try:
                os.write(self._pipe, json.dumps(line).encode() + b"\n")
            except OSError:
                pass

    def learn(self, line: dict[str, Any]) -> None:
        """Take over one line."""
        what, details = line["note"], line["details"]
        if what == "run":
            self.run, self.tag, self.lease_s = details
        elif what == "table":
            self.table = details[0]
        elif what == "stop":
            self.stopped.add(Process(*details))
        elif what == "continued":
            self.stopped.discard(Process(*details))
        elif what == "skew":
            self.skewed.add(Process(*details))
        elif what == "true":
            self.skewed.discard(Process(*details))
        elif what == "rule":
            self.rules.add((details[0], details[1]))
        elif what == "no-rule":
            self.rules.discard((details[0], details[1]))

    def undo(self) -> list[str]:
        """Undo everything; what could not be undone, in words."""
        left = self._cut_nothing()
        for process in sorted(self.stopped):
            if _same(process):
                os.kill(process.pid, signal.SIGCONT)
        self.stopped.clear()
        return left + restore_clocks(self.tag, self.skewed)

    def _cut_nothing(self) -> list[str]:
        left = []
        if self.table:
            try:
                BridgeTable(self.run, 0).remove()
                self.table = False
            except NftError as error:
                left.append(f"the table splitbrain_{self.run} was not removed: {error}")
        for netns, source in sorted(self.rules):
            try:
                blackhole.drop_rule(netns, source)
                if sum(other == netns for other, _ in self.rules) == 1:
                    blackhole.restore_order(netns)
                self.rules.discard((netns, source))
            except FileNotFoundError:
                self.rules.discard((netns, source))  # the namespace is gone, its rules with it
            except OSError as error:
                left.append(f"the rule against {source} in {netns} was not removed: {error}")
        return left


def _same(process: Process) -> bool:
    found = stat(process.pid)
    return found is not None and found.started == process.started


def restore_clocks(tag: int, known: set[Process]) -> list[str]:
    """True time for every process that carries this run's patch: the known ones and, since children inherit it, all others."""
    left = []
    pids = {process.pid for process in known if _same(process)}
    for pid in sorted(pids | (set(all_pids()) if tag and known else set())):
        try:
            if vdso.patched_by(pid) == tag:
                vdso.remove(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile
        except (OSError, vdso.Unpatchable, TimeoutError) as error:
            if pid in pids:
                left.append(f"the clock of process {pid} was not restored: {error}")
    known.clear()
    return left
