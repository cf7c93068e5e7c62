"""Stopped processes, by token: a node stands still although it is alive, and goes on when its last token has gone.

Why it exists  a long pause is the fault that leases and leaders fear most. SIGSTOP on every process of the node, because Docker's
               freezer has no lease and a process group misses children that left it.
Relies on      looking again: a process that forks while it is stopped leaves a child, so all are stopped until a look finds none running.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any, NamedTuple

from .ledger import Ledger
from .procs import Process, identify, members, stopped, unread_bytes

STOP_LIMIT_S = 2.0
GO_LIMIT_S = 1.0
LOOK_EVERY_S = 0.002


class Pause(NamedTuple):
    """One token's pause: which processes of which node, since when; `broken` names nodes that somebody else continued."""

    nodes: dict[str, set[Process]]
    since: float
    broken: set[str]


class Pauses:
    """All pauses of the run."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._tokens: dict[str, Pause] = {}
        self._foreign: set[Process] = set()  # stopped before we came: not ours to continue

    def pause(self, token: str, places: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """Stop every process of the nodes until none runs."""
        start = time.monotonic()
        held: dict[str, set[Process]] = {node: set() for node in places}
        self._tokens[token] = Pause(held, start, set())
        running = True
        while running and time.monotonic() - start < STOP_LIMIT_S:
            running = False
            for node, place in places.items():
                for process in members(place["pids"], place["netns"]):
                    if process not in held[node]:
                        self._stop(process, held[node])
                        running = True  # its children may have come since: look once more
                    elif not stopped(process.pid):
                        running = True
            if running:
                time.sleep(LOOK_EVERY_S)
        shown = {node: self._proof(node, processes) for node, processes in held.items()}
        whys = [each["why"] for each in shown.values() if each.get("why")]
        evidence = {"mechanism": "SIGSTOP", "in_place": not whys, "nodes": shown, "took_ms": round((time.monotonic() - start) * 1e3, 2)}
        return {**evidence, **({"why": "; ".join(whys)} if whys else {})}

    def _stop(self, process: Process, held: set[Process]) -> None:
        if stopped(process.pid) and not any(process in ours for pause in self._tokens.values() for ours in pause.nodes.values()):
            self._foreign.add(process)
        self._ledger.note("stop", *process)
        held.add(process)
        try:
            os.kill(process.pid, signal.SIGSTOP)
        except ProcessLookupError:
            pass

    def _proof(self, node: str, processes: set[Process]) -> dict[str, Any]:
        alive = sorted(process.pid for process in processes if process.alive())
        if not alive:
            return {"pids": [], "in_place": False, "why": f"{node} has no process to stop: its service is down"}
        run = [pid for pid in alive if not stopped(pid)]
        proof: dict[str, Any] = {"pids": alive, "in_place": not run}
        return {**proof, "why": f"{node}: process {run[0]} still runs after {STOP_LIMIT_S:g} s of SIGSTOP"} if run else proof

    def undo(self, token: str) -> dict[str, Any]:
        """Continue what no other token holds. `exercised`: the node's processes stood still all the time, and there were some."""
        pause = self._tokens.pop(token, None)
        if pause is None:
            return {"exercised": False, "in_place": True, "nodes": {}}
        self._look(pause)
        lasted = time.monotonic() - pause.since
        shown: dict[str, Any] = {}
        for node, processes in pause.nodes.items():
            alive = [process for process in processes if process.alive()]
            unread = unread_bytes(alive[0].pid) if alive else 0
            shown[node] = {"held": bool(processes) and node not in pause.broken, "stopped": len(processes), "unread_bytes": unread}
        others = {process for other in self._tokens.values() for processes in other.nodes.values() for process in processes}
        mine = {process for processes in pause.nodes.values() for process in processes} - others
        still = self._continue(mine)
        evidence = {
            "exercised": any(each["held"] for each in shown.values()),
            "in_place": not still,
            "nodes": shown,
            "lasted_s": round(lasted, 3),
        }
        return {**evidence, **({"why": f"processes {still} are still stopped"} if still else {})}

    def _continue(self, processes: set[Process]) -> list[int]:
        ours = {process for process in processes if process not in self._foreign}
        for process in ours:
            if identify(process.pid) == process:
                try:
                    os.kill(process.pid, signal.SIGCONT)
                except ProcessLookupError:
                    pass
        deadline = time.monotonic() + GO_LIMIT_S
        while (still := [process.pid for process in ours if process.alive() and stopped(process.pid)]) and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY_S)
        for process in processes:
            self._foreign.discard(process)
            self._ledger.note("continued", *process)
        return sorted(still)

    def look(self) -> None:
        """Each second: note which nodes were continued by somebody else."""
        for pause in self._tokens.values():
            self._look(pause)

    def _look(self, pause: Pause) -> None:
        for node, processes in pause.nodes.items():
            if any(process.alive() and not stopped(process.pid) for process in processes):
                pause.broken.add(node)

    @property
    def tokens(self) -> list[str]:
        """Tokens whose pauses are in effect."""
        return list(self._tokens)

    def traces(self) -> list[str]:
        """What we stopped and is still stopped."""
        return [f"process {process.pid} is stopped" for process in sorted(self._ledger.stopped) if process.alive() and stopped(process.pid)]
