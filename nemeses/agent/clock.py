"""Wrong wall clocks, by token: each node's processes see the sum of what all tokens ask for, from the moment that they start.

Why it exists  faults overlap, processes fork and are started again; each must see the same wrong time while a token lives, and the true
               one right after.
Relies on      vdso for the patch, observe for the proof, a sweep every 50 ms for children and restarts.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any, NamedTuple

from . import vdso
from .ledger import Ledger
from .observe import Seen, observe
from .procs import Process, members
from .vdso import Params, Unpatchable

READ_BACK_NS = 50_000_000  # further than this from what was asked is not in place
RELEASE_PASSES = 3  # a process that forks while we restore leaves a child with the patch
OBSERVE_TRIES = 3  # a read that straddles an edge of the wave proves nothing either way


def tag_of(run: str) -> int:
    """The mark that a run's patches carry, so that nobody undoes another's."""
    return int.from_bytes(hashlib.sha256(run.encode()).digest()[:8], "little") | 1


def is_patched(pid: int) -> bool:
    """True if some run's patch is in effect in this process. OSError if it cannot be read."""
    try:
        return vdso.patched_by(pid) != 0
    except Unpatchable:
        return False


class Change(NamedTuple):
    """What one token asks of one node, and since when (true wall clock, ns)."""

    since: int
    offset: int
    rate: int  # (rate - 1) in 2^-32
    amplitude: int
    slice: int


def together(changes: list[Change], now: int) -> Params:
    """The sum of several changes as one bank that starts now: no jump beyond what they ask for. Of several waves the last is used."""
    offset = sum(change.offset + (((now - change.since) * change.rate) >> 32) for change in changes)
    wave = next((change for change in reversed(changes) if change.slice), None)
    return Params(now, sum(change.rate for change in changes), offset, wave.slice if wave else 0, wave.amplitude if wave else 0)


class Clocks:
    """All wrong clocks of the run."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._tokens: dict[str, dict[str, Change]] = {}
        self._places: dict[str, dict[str, Any]] = {}
        self._params: dict[str, Params] = {}
        self._began: dict[str, float] = {}
        self._patched: dict[str, set[Process]] = {}  # node -> every process that got it, over the whole window
        self._refused: dict[str, str] = {}

    def skew(self, token: str, clocks: dict[str, dict[str, Any]], places: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """Make these nodes' clocks run as asked, on top of what other tokens ask."""
        start, now = time.monotonic(), time.time_ns()
        self._tokens[token] = {node: _change(asked, now) for node, asked in clocks.items()}
        self._began[token] = start
        for node in clocks:
            self._places[node] = places[node]
            self._retune(node, now)
        took_ms = (time.monotonic() - start) * 1e3
        shown = {node: self._proof(node) for node in clocks}
        whys = [each["why"] for each in shown.values() if each.get("why")]
        evidence = {"mechanism": "vDSO patch", "in_place": not whys, "nodes": shown, "took_ms": round(took_ms, 2)}
        return {**evidence, **({"why": "; ".join(whys)} if whys else {})}

    def undo(self, token: str) -> dict[str, Any]:
        """Take one token's part away. `exercised`: processes ran under the wrong clock for the whole window."""
        changes = self._tokens.pop(token, None)
        if changes is None:
            return {"exercised": False, "in_place": True, "nodes": {}}
        lasted = time.monotonic() - self._began.pop(token)
        shown: dict[str, Any] = {}
        left: list[str] = []
        for node in changes:
            before = self._patched.get(node, set())
            alive = [process.pid for process in before if process.alive()]
            skewed = [pid for pid in alive if _is_ours(pid, self._ledger.tag)]
            shown[node] = {"patched": len(before), "skewed_at_end": sorted(skewed)}
            left += self._release(node)
        evidence = {
            "exercised": any(each["skewed_at_end"] for each in shown.values()),
            "in_place": not left,
            "nodes": shown,
            "lasted_s": round(lasted, 3),
        }
        return {**evidence, **({"why": "; ".join(left)} if left else {})}

    def _release(self, node: str) -> list[str]:
        """Retune a node that lost a token; with none left, true time in every process of it."""
        if any(node in changes for changes in self._tokens.values()):
            self._retune(node, time.time_ns())
            return []
        self._params.pop(node, None)
        place = self._places.pop(node)
        known = self._patched.pop(node, set())
        left: list[str] = []
        for _ in range(RELEASE_PASSES):
            known |= set(members(place["pids"], place["netns"]))
            ours = sorted(process for process in known if process.alive() and _is_ours(process.pid, self._ledger.tag))
            if not ours:
                break
            left = [why for process in ours if (why := _restore(process, node))]
        for process in known:
            self._ledger.note("true", *process)
        return left

    def renew(self, places: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """Nodes were started again elsewhere (new pids, new namespace): what tokens ask of them goes on there."""
        for node, place in places.items():
            if node in self._places:
                self._places[node] = place
                self._sweep(node)
        return {"nodes": {node: sorted(p.pid for p in self._patched.get(node, ()) if p.alive()) for node in places}}

    def sweep(self) -> None:
        """Every 50 ms: children that inherited nothing (exec) and processes that were started inside the window."""
        for node in list(self._params):
            self._sweep(node)

    @property
    def busy(self) -> bool:
        """True while sweeps are needed."""
        return bool(self._params)

    @property
    def tokens(self) -> list[str]:
        """Tokens whose clocks are in effect."""
        return list(self._tokens)

    def _retune(self, node: str, now: int) -> None:
        self._params[node] = together([changes[node] for changes in self._tokens.values() if node in changes], now)
        self._sweep(node)

    def _sweep(self, node: str) -> None:
        place, params = self._places[node], self._params[node]
        patched = self._patched.setdefault(node, set())
        for process in members(place["pids"], place["netns"]):
            try:
                if process in patched and vdso.read_params(process.pid) == params:
                    continue
                if process not in patched:
                    self._ledger.note("skew", *process)
                vdso.apply(process.pid, params, self._ledger.tag)
                patched.add(process)
            except (OSError, Unpatchable) as error:
                if process.alive():
                    self._refused[node] = f"{node}: the clock of process {process.pid} cannot be changed: {error}"

    def _proof(self, node: str) -> dict[str, Any]:
        """Run each process's clock code and compare; every live process of the node must agree."""
        place, params = self._places[node], self._params[node]
        pids = [process.pid for process in members(place["pids"], place["netns"])]
        if not pids:
            return {"pids": [], "in_place": False, "why": f"{node} has no process: its service is down"}
        wrong, seen = self._compare(pids, params)
        shown: dict[str, Any] = {"pids": pids, "offset_ns": _offset(seen), "in_place": not wrong, "proof": "its clock code, run in a child"}
        refused = self._refused.pop(node, "")
        return {**shown, "why": refused or f"{node}: {wrong}"} if wrong else shown

    def _compare(self, pids: list[int], params: Params) -> tuple[str, dict[int, Seen]]:
        wrong, seen = "", {}
        for _ in range(OBSERVE_TRIES):
            images = {}
            for pid in pids:
                try:
                    images[pid] = vdso.read_whole(pid)
                except (OSError, Unpatchable):
                    continue  # ended meanwhile, or 32 bits: the comparison below misses it
            seen = observe(images)
            wrong = _disagreement(pids, params, seen)
            if not wrong:
                break
        return wrong, seen

    def traces(self) -> list[str]:
        """Processes that still carry this run's patch."""
        known = {process for processes in self._patched.values() for process in processes} | self._ledger.skewed
        return [
            f"the clock of process {process.pid} is wrong"
            for process in sorted(known)
            if process.alive() and _is_ours(process.pid, self._ledger.tag)
        ]


def _change(asked: dict[str, Any], now: int) -> Change:
    period = int(asked.get("strobe_period_ns") or 0)
    return Change(
        now,
        int(asked.get("offset_ns") or 0),
        round((float(asked.get("rate", 1.0)) - 1.0) * 2**32),
        int(asked.get("strobe_ns") or 0),
        period // 2,
    )


def _restore(process: Process, node: str) -> str:
    """True time again; why not, if it cannot be."""
    try:
        vdso.remove(process.pid)
    except (OSError, Unpatchable) as error:
        if process.alive():
            return f"the clock of process {process.pid} of {node} was not restored: {error}"
    return ""


def _is_ours(pid: int, tag: int) -> bool:
    try:
        return vdso.patched_by(pid) == tag
    except (OSError, Unpatchable):
        return False


def _disagreement(pids: list[int], params: Params, seen: dict[int, Seen]) -> str:
    for pid in pids:
        if pid not in seen:
            return f"the clock of process {pid} could not be read"
        before, shown, after = seen[pid]
        low, high = params.shown(before) - READ_BACK_NS, params.shown(after) + READ_BACK_NS
        if not min(low, high) <= shown <= max(low, high):
            return f"process {pid} should see {(params.shown(before) - before) / 1e9:.3f} s, it sees {(shown - before) / 1e9:.3f} s"
    return ""


def _offset(seen: dict[int, Seen]) -> int:
    return next((each.shown - (each.before + each.after) // 2 for each in seen.values()), 0)
