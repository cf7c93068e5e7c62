"""The agent's loop: commands as JSON lines on stdin, answers on stdout; beats, leases, and the end of all faults when nobody speaks.

Why it exists  one thread does everything in turn, so that no command overlaps a heal, and ptrace always comes from the same thread.
Relies on      its stdin ending when the harness is gone (heals at once), or falling silent (heals after `silence_s`); its watchdog for the
               case that it is killed itself.

A command: {"id": 7, "do": "cut", ...}; its answer: {"id": 7, "ok": {...}} or {"id": 7, "error": "..."}. {"do": "beat"} has no answer.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from .clock import Clocks, tag_of
from .cuts import Cuts, choose
from .ledger import Ledger
from .nft import NftError
from .pauses import Pauses
from .selftest import clock_mechanism, pause_mechanism
from .vdso import Unpatchable
from .watchdog import fork_agent, watch

SILENCE_S, LEASE_S = 6.0, 8.0
EACH_S, SWEEP_S = 1.0, 0.05
STDIN = 0


class Agent:
    """One run's agent."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.silence_s = SILENCE_S
        self.cuts: Any = None
        self.pauses, self.clocks = Pauses(ledger), Clocks(ledger)
        self.commands: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "open": self.open,
            "cut": self.cut,
            "pause": lambda ask: self.pauses.pause(ask["token"], ask["nodes"]),
            "skew": lambda ask: self.clocks.skew(ask["token"], ask["clocks"], ask["nodes"]),
            "renew": lambda ask: self.clocks.renew(ask["nodes"]),
            "undo": self.undo,
            "heal": self.heal,
            "traces": lambda ask: {"traces": self.traces()},
        }

    def open(self, ask: dict[str, Any]) -> dict[str, Any]:
        """Begin: whose run this is; which mechanisms work here."""
        lease_s = float(ask.get("lease_s", LEASE_S))
        self.ledger.note("run", ask["run"], tag_of(ask["run"]), lease_s)
        self.silence_s = float(ask.get("silence_s", SILENCE_S))
        mechanisms: dict[str, Any] = {"pause": pause_mechanism(), "process": {"name": "SIGKILL", "works": True}}
        if ask.get("links", True):
            way, refused = choose(ask["run"], lease_s, self.ledger)
            self.cuts = Cuts(self.ledger, way) if way is not None else None
            mechanisms["links"] = {"name": way.mechanism if way else "", "works": way is not None, "why": refused}
        mechanisms["clock"] = clock_mechanism(self.ledger.tag)
        return {"mechanisms": mechanisms, "pid": os.getpid(), "watchdog": os.getppid()}

    def cut(self, ask: dict[str, Any]) -> dict[str, Any]:
        """Cut pairs of nodes."""
        assert self.cuts is not None, "the plane asks for no cut where links cannot be cut"
        return dict(self.cuts.cut(ask["token"], [(a, b) for a, b in ask["pairs"]], ask["nodes"]))

    def undo(self, ask: dict[str, Any]) -> dict[str, Any]:
        """End one token's effects, whatever they are."""
        token = ask["token"]
        holders = [holder for holder in (self.cuts, self.pauses, self.clocks) if holder is not None and token in holder.tokens]
        merged: dict[str, Any] = {"exercised": False, "in_place": True}
        for holder in holders:
            figures = holder.undo(token)
            exercised, in_place = merged["exercised"] or figures["exercised"], merged["in_place"] and figures["in_place"]
            merged.update(figures, exercised=exercised, in_place=in_place)
        return merged

    def heal(self, ask: dict[str, Any]) -> dict[str, Any]:
        """Undo every token, with its figures, then whatever the ledger still knows, and look."""
        holders = [holder for holder in (self.cuts, self.pauses, self.clocks) if holder is not None]
        figures = {token: self.undo({"token": token}) for holder in holders for token in holder.tokens}
        left = self.traces()
        return {"healed": not left, "left": left, "tokens": figures}

    def traces(self) -> list[str]:
        """What of ours is in effect, in words."""
        cuts = self.cuts.traces() if self.cuts is not None else []
        return cuts + self.pauses.traces() + self.clocks.traces()

    def answer(self, line: bytes) -> None:
        """Do one command and answer it; a refusal of the world is an answer, not an end."""
        ask = json.loads(line)
        if ask["do"] == "beat":
            return
        try:
            reply = {"id": ask["id"], "ok": self.commands[ask["do"]](ask)}
        except (OSError, NftError, Unpatchable) as error:
            reply = {"id": ask["id"], "error": str(error) or type(error).__name__}
        os.write(1, json.dumps(reply).encode() + b"\n")

    def each_second(self) -> None:
        """Renew leases, look at what is held, tell the watchdog that we live."""
        self.ledger.send({"beat": 1})
        if self.cuts is not None:
            try:
                self.cuts.renew()
            except (OSError, NftError):
                pass  # tried again in a second; the lease bridges seven of them
        self.pauses.look()


def serve(agent: Agent, life: int) -> str:
    """Until stdin ends, falls silent, or the watchdog is gone; which of them."""
    now = time.monotonic()
    heard, due, sweep, rest = now, now, now, b""
    while True:
        wait = min(due, sweep if agent.clocks.busy else due) - time.monotonic()
        ready = select.select([STDIN, life], [], [], max(0.0, wait))[0]
        if life in ready:
            return "its watchdog is gone"
        if STDIN in ready:
            data = os.read(STDIN, 65536)
            if not data:
                return "its stdin ended"
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                agent.answer(line)
            heard = time.monotonic()
        now = time.monotonic()
        if now - heard > agent.silence_s:
            return f"nothing was heard for {agent.silence_s:g} s"
        if now >= due:
            agent.each_second()
            due = time.monotonic() + EACH_S
        if agent.clocks.busy and now >= sweep:
            agent.clocks.sweep()
            sweep = time.monotonic() + SWEEP_S


class _Ended(BaseException):
    """SIGTERM: heal and end."""


def _terminate(*_: object) -> None:
    raise _Ended


def main(arguments: list[str]) -> int:
    """Serve; or `heal RUN PID...`: remove what a dead run left among these processes."""
    if arguments[:1] == ["heal"]:
        return heal_leftovers(arguments[1], [int(text) for text in arguments[2:]])
    is_agent, pipe, other = fork_agent()
    if not is_agent:
        os.close(STDIN)
        return watch(pipe, other)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _terminate)
    ledger = Ledger(pipe)
    agent = Agent(ledger)
    try:
        why = serve(agent, other)
    except _Ended:
        why = "it was told to end"
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    left = ledger.undo()
    print(f"the fault agent ends: {why}" + (f"; left: {left}" if left else ""), file=sys.stderr, flush=True)
    os._exit(0 if not left else 1)


def heal_leftovers(run: str, pids: list[int]) -> int:
    """Remove a dead run's table, continue its stopped processes, give them true time; print what was done. 1 if anything is left."""
    from .leftovers import heal

    done, left = heal(run, pids)
    print(json.dumps({"removed": done, "left": left}))
    return 1 if left else 0
