"""A finding as an anomaly: the sentence that proves it, the ops it names, and what a verifier needs.

Why it exists  people check a verdict by hand; each sentence names the add, the moment it was known, and the reads, by op number.
Relies on      `judge.py` for what is wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Any

from checkers.set_full.calls import INFINITY, Calls, Change, Read, show, value_of
from checkers.set_full.judge import DUPLICATE, LOST, NEVER, PHANTOM, RESURRECTED, Finding
from checkers.set_full.order import Contradiction
from harness.history.history import History
from harness.verdict import Anomaly

PAIR = "nonlinearizable"
RULED_OUT = ["linearizable", "strict-serializable"]
QUOTED = 8  # reads named in one sentence


def tell(history: History, key: Hashable, calls: Calls, finding: Finding, final: Collection[Read]) -> Anomaly:
    """The anomaly of a finding."""
    element = finding.element
    reads = finding.reads[:QUOTED]
    at_end = {read.call for read in final}
    is_final = bool(reads) and all(read.call in at_end for read in reads)
    message = _message(history, calls, finding, reads, is_final)
    adds = calls.adds.get(element, [])
    ops = {index for read in reads for index in (read.call, read.ret)} | {change.call for change in adds[:QUOTED]}
    ops |= {finding.known} if finding.known else set()
    ops |= {int(remove.ret) for remove in calls.removes.get(element, []) if finding.type == RESURRECTED and remove.ret < INFINITY}
    ops |= {calls.failed[element]} if finding.type == PHANTOM and element in calls.failed else set()
    witness: dict[str, Any] = {"element": value_of(element), "reads": [read.call for read in reads], "known": finding.known or None}
    if finding.type == LOST:
        witness["final"] = is_final
        witness["nodes"] = sorted({read.node for read in finding.reads if read.node})
    rules_out = [] if finding.type == NEVER else list(RULED_OUT)
    return Anomaly(finding.type, message, sorted(ops), key=None if key is None else value_of(key), rules_out=rules_out, witness=witness)


def tell_pair(key: Hashable, calls: Calls, found: Contradiction) -> Anomaly:
    """The anomaly of reads that no order of the adds explains."""
    first, second = (show(element) for element in found.elements)
    read = found.reads[0]
    ops = {index for each in found.reads for index in (each.call, each.ret)} | {calls.adds[element][0].call for element in found.elements}
    if found.rule == "fork":
        other = found.reads[1]
        message = (
            f"{_read(read)} has {first} and not {second}, {_read(other)} has {second} and not {first}: "
            "whichever was added first, one of them misses it"
        )
    else:
        call = calls.adds[found.elements[1]][0].call
        ops.add(found.known)
        message = (
            f"{_read(read)} has {second}, whose add began at #{call}, and misses {first}, which was known from #{found.known}: "
            f"it took place after {second} was added, so after {first}"
        )
    witness = {
        "rule": found.rule,
        "elements": [value_of(element) for element in found.elements],
        "reads": [each.call for each in found.reads],
        "known": found.known or None,
    }
    shown_key = None if key is None else value_of(key)
    return Anomaly(PAIR, message[0].upper() + message[1:], sorted(ops), "contradictory-reads", shown_key, list(RULED_OUT), witness)


def _message(history: History, calls: Calls, finding: Finding, reads: tuple[Read, ...], is_final: bool) -> str:
    name, element = show(finding.element), finding.element
    adds = calls.adds.get(element, [])
    if finding.type == PHANTOM:
        return f"{name} is in {_read(reads[0])}, but {_nobody_added(calls, element, adds)}"
    if finding.type == DUPLICATE:
        times = sum(element == other for other in reads[0].elements)
        return f"{name} is {times} times in {_read(reads[0])}; a set has each element once"
    if finding.type == RESURRECTED:
        remove = max(remove for remove in calls.removes[element] if remove.ret < reads[0].call)
        removed = f"{name} was removed (#{remove.call}, done at #{remove.ret}) after its adds were over"
        return f"{removed}, and is in {_read(reads[0])}, which began later"
    known = _known(history, adds, finding, name)
    if finding.type == NEVER:
        return f"{known}, and no read began after that"
    lacking = ", ".join(_read(read) for read in reads)
    if finding.type != LOST:
        misses = f"{finding.times} reads that began later miss it" if finding.times > 1 else "a read that began later misses it"
        late = f"{staleness(history, finding) / 1e9:.3f} s after it was known"
        return f"{known}, but {misses} ({lacking}, {late}); a later read has it"
    if is_final:
        listed = " and ".join(f"#{read.call}{read.place}" for read in reads)
        final_reads = f"the final read {listed} misses it" if len(reads) == 1 else f"the final reads {listed} miss it"
        since = f"; read #{first.call}{first.place} was the first to miss it" if (first := finding.first) and first not in reads else ""
        return f"{known}, but {final_reads}{since}"
    return f"{known}, but {lacking}, which began later, misses it, and so does every read that could have come after"


def _known(history: History, adds: list[Change], finding: Finding, name: str) -> str:
    op = history.ops[finding.known]
    if op.f == "add":
        call = next(change.call for change in adds if change.ret == finding.known)
        return f"{name} was added (#{call}, acknowledged at #{finding.known}{f' by {op.node}' if op.node else ''})"
    return f"{name} (its add #{adds[0].call} has no known outcome before) was in the read that ended at #{finding.known}"


def _nobody_added(calls: Calls, element: Hashable, adds: list[Change]) -> str:
    if adds:
        return f"its first add began later (#{adds[0].call})"
    if element in calls.failed:
        return f"its add failed (#{calls.failed[element]}), so it certainly had no effect"
    return "nobody added it"


def _read(read: Read) -> str:
    return f"read #{read.call}{read.place}"


def staleness(history: History, finding: Finding) -> int:
    """Nanoseconds from the moment the element was known to the invocation of the last read that misses it."""
    return max(0, history.ops[finding.reads[-1].call].time - history.ops[finding.known].time)
