"""Causal reverse: a read sees a later insert and misses one that was over before it began.

Decides    for each read of all rows that succeeded: does it have a row w, and lack a row x whose insert had succeeded before the insert of
           w began?
Right      the read lacks x, so it comes before x; it has w, so it comes after w; and w came after x in real time. It suffices to look at
           the row whose insert began last of those that it has: what was over before any of them began was over before that one.
Unknown    no read that succeeded and has a row.
Rules out  strong snapshot isolation, hence strict serializability; of inserts of one process, strong session snapshot isolation. A row
           that no insert explains (`phantom-element`) breaks every model.
Source     Jepsen's causal-reverse (YugabyteDB, CockroachDB); semantics.md 10.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any, ClassVar, NamedTuple

from checkers.acts import Act, acts_by_key, in_key, of_key, strange
from checkers.findings import Findings, broken_by
from checkers.transactions.txns import ident, plain, show
from harness.checker import CheckContext
from harness.history.history import History
from harness.op import FAIL
from harness.verdict import Anomaly, Verdict

REVERSE, PHANTOM = "causal-reverse", "phantom-element"


class Rows:
    """The inserts of a table that may have happened.

    first   element -> the insert of it that was invoked first
    tries   element -> how many there are
    done    ok inserts by completion
    """

    def __init__(self, acts: list[Act]) -> None:
        self.first: dict[Hashable, Act] = {}
        self.tries: Counter[Hashable] = Counter()
        self.reads: list[Act] = []
        self.done: list[tuple[Act, Hashable]] = []
        for act in acts:
            if act.f == "read":
                if act.ok and act.given is not None and not isinstance(act.given, list):
                    raise strange(act, f"a read gave {str(act.given)[:60]!r}, not the list of all rows")
                self.reads += [act] if act.ok else []
            elif act.f not in ("write", "insert", "add"):
                raise strange(act, f"{act.f!r} is neither `write` nor `read`")
            elif act.outcome != FAIL:
                element = ident(act.asked)
                self.first.setdefault(element, act)
                self.tries[element] += 1
                self.done += [(act, element)] if act.ok else []
        self.done.sort(key=lambda pair: pair[0].ret)


class Pair(NamedTuple):
    """The insert of a row that a read has, and of one that it lacks, which was over before the other began; kind: process | realtime."""

    later: Act
    missing: Act
    kind: str


class CausalReverse:
    """Judges `write x` (blind inserts; `insert` and `add` are the same) and `read`, which gives the list of all rows; by key."""

    name: ClassVar[str] = "causal-reverse"

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"writes", "reads", "rows": read in all}. counts: reads."""
        findings = Findings(context.expected, [PHANTOM, REVERSE])
        facts = {"writes": 0, "reads": 0, "rows": 0}
        for key, acts in acts_by_key(history).items():
            rows = Rows(acts)
            facts["writes"] += sum(act.f != "read" for act in acts)
            for read in rows.reads:
                seen = dict.fromkeys(map(ident, read.given or ()))
                facts["reads"] += 1
                facts["rows"] += len(seen)
                for element in seen:
                    if element not in rows.first or rows.first[element].call > read.ret:
                        findings.add(PHANTOM, (), partial(_tell_phantom, key, read, element, rows.first.get(element)))
                        break
                if (pair := reversed_pair(read, seen, rows)) is not None:
                    findings.add(REVERSE, broken_by(f"G-single-{pair.kind}"), partial(_tell, key, read, pair))
        unknown = "" if facts["rows"] else "no read that succeeded has a row, so nothing was observed"
        return findings.verdict(facts, unknown)


def reversed_pair(read: Act, seen: Mapping[Hashable, None], rows: Rows) -> Pair | None:
    """What the read shows the wrong way round; None if nothing.

    Of one process if there is such a pair: that rules out more. Only rows that were tried once tell of a process's order.
    Cost: O(rows that it has + inserts that were over).
    """
    has = [rows.first[element] for element in seen if element in rows.first and rows.first[element].call < read.ret]
    if not has:
        return None
    latest = max(has, key=lambda act: act.call)
    of_process: dict[int | str, Act] = {}
    for act in has:
        if rows.tries[ident(act.asked)] == 1 and (act.process not in of_process or act.call > of_process[act.process].call):
            of_process[act.process] = act
    found = None
    for act, element in rows.done:
        if act.ret > latest.call:
            break
        if element not in seen:
            found = found or Pair(latest, act, "realtime")
            own = of_process.get(act.process)
            if own is not None and act.ret < own.call:
                return Pair(own, act, "process")
    return found


def _tell(key: Hashable, read: Act, pair: Pair) -> Anomaly:
    later, missing, kind = pair
    has, lacks = ident(later.asked), ident(missing.asked)
    who = f" by the same process {later.process}" if kind == "process" else ""
    message = (
        f"{in_key(key)}read #{read.call}{read.place} has {show(has)} (written by #{later.call}) and lacks {show(lacks)}, whose write "
        f"#{missing.call}{who} had ended at #{missing.ret}, before that one began"
    )
    ops = sorted({*read.ops, *later.ops, *missing.ops})
    witness = {"read": read.call, "has": plain(has), "lacks": plain(lacks), "later": later.call, "earlier": missing.call}
    return Anomaly(REVERSE, message, ops, kind=kind, key=plain(key), witness=witness)


def _tell_phantom(key: Hashable, read: Act, element: Hashable, write: Act | None) -> Anomaly:
    why = "no write of it can have happened" if write is None else f"its first write began later (#{write.call})"
    message = f"{in_key(key)}read #{read.call}{read.place} has {show(element)}, but {why}"
    return Anomaly(PHANTOM, message, read.ops, key=plain(key), witness={"read": read.call, "has": plain(element)})


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted read and writes stand in the history and show it; every other write of the later element began no earlier."""
    acts, witness = of_key(history, anomaly.key), anomaly.witness
    by_call: dict[Any, Act] = {act.call: act for act in acts}
    read = by_call[witness["read"]]
    seen = [ident(value) for value in read.given or []] if read.ok and read.f == "read" else []
    starts = [a.call for a in acts if a.f != "read" and a.outcome != FAIL and ident(a.asked) == ident(witness["has"])]
    if ident(witness["has"]) not in seen:
        return False
    if anomaly.type == PHANTOM:
        return all(call > read.ret for call in starts)
    earlier, later = by_call[witness["earlier"]], by_call[witness["later"]]
    right = earlier.ok and ident(earlier.asked) == ident(witness["lacks"]) and ident(witness["lacks"]) not in seen
    same = earlier.process == later.process and len(starts) == 1
    return right and earlier.ret < min(starts) <= later.call and (same or anomaly.kind == "realtime")
