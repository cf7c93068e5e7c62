"""Monotonic: a value that only grows never goes back.

Decides    of a value that only grows (`read` gives it, `inc` raises it and may give what it became): does an op that began after
           another had ended give less (an inc: not more) than that one? do two incs give the same? do timestamps, where completions
           carry them, order values otherwise than the values themselves?
Right      each op that gave a value saw the object at some moment between its invocation and its completion, and from then on it is no
           less. It suffices to compare with the greatest value given before: of all, and of the same process.
Unknown    fewer than two ops that gave a value.
Rules out  linearizable; within one process the session guarantee of that pair (monotonic reads, read your writes, monotonic writes,
           writes follow reads). Two incs with one value: an update was lost, so sequential, cursor stability and update atomic too.
           What timestamps order the wrong way breaks what they promise, whatever the model.
Source     Jepsen's monotonic tests (CockroachDB, FaunaDB); semantics.md 9.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, ClassVar, NamedTuple

from checkers.acts import Act, acts_by_key, in_key, of_key, strange, whole
from checkers.findings import Findings, broken_by
from checkers.models import weakest
from checkers.transactions.txns import plain
from harness.checker import CheckContext
from harness.history.history import History
from harness.verdict import Anomaly, Verdict

BACK, TWICE, STAMPS = "nonmonotonic-value", "duplicate-value", "nonmonotonic-timestamp"
GUARANTEES = {
    ("read", "read"): "monotonic-reads",
    ("inc", "read"): "read-your-writes",
    ("inc", "inc"): "monotonic-writes",
    ("read", "inc"): "writes-follow-reads",
}


class Seen(NamedTuple):
    """An op that gave a value; `stamp` is its timestamp, if it has one."""

    act: Act
    value: int
    stamp: Decimal | None


class Monotonic:
    """Judges `read` (null: nothing yet) and `inc`; ext {"ts": timestamp} on completions, a number or a decimal string."""

    name: ClassVar[str] = "monotonic"

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"reads", "incs", "stamped", "lowest", "highest"}. counts: pairs; values; neighbours by timestamp.
        Cost: O(n log n)."""
        findings = Findings(context.expected, [TWICE, BACK, STAMPS])
        facts: dict[str, Any] = {"reads": 0, "incs": 0, "stamped": 0}
        values: list[int] = []
        for key, acts in acts_by_key(history).items():
            seen = [one for one in map(_seen, acts) if one is not None]
            values += [one.value for one in seen]
            facts["reads"] += sum(one.act.f == "read" for one in seen)
            facts["incs"] += sum(one.act.f == "inc" for one in seen)
            facts["stamped"] += sum(one.stamp is not None for one in seen)
            for kind, earlier, later in went_back(seen):
                models = [GUARANTEES[earlier.act.f, later.act.f], "linearizable"] if kind == "process" else ["linearizable"]
                findings.add(BACK, weakest(models), partial(_tell, BACK, key, earlier, later, kind))
            for first, second in twice(seen):
                findings.add(TWICE, (*broken_by("lost-update"), "sequential"), partial(_tell, TWICE, key, first, second, None))
            for first, second in misordered(seen):
                findings.add(STAMPS, (), partial(_tell, STAMPS, key, first, second, None))
        if values:
            facts.update(lowest=min(values), highest=max(values))
        return findings.verdict(facts, "" if len(values) > 1 else "fewer than two ops gave a value, so there is nothing to compare")


def _seen(act: Act) -> Seen | None:
    if act.f not in ("read", "inc"):
        raise strange(act, f"{act.f!r} is neither `read` nor `inc`")
    if not act.ok or act.given is None:
        return None
    stamp = act.ext.get("ts") if isinstance(act.ext, dict) else None
    try:
        return Seen(act, whole(act, act.given), None if stamp is None else Decimal(str(stamp)))
    except InvalidOperation:
        raise strange(act, f"the timestamp {str(stamp)[:60]!r} is no number") from None


def too_little(earlier: Seen, later: Seen) -> bool:
    """Does the later op give less than it must: less than the earlier one, an inc no more than it?"""
    return later.value < earlier.value or (later.act.f == "inc" and later.value == earlier.value)


def went_back(seen: Sequence[Seen]) -> list[tuple[str, Seen, Seen]]:
    """(process | realtime, earlier, later) for each op that gives less than it must; pairs of one process, by the earlier f, go first."""
    events = sorted([(one.act.ret, True, one) for one in seen] + [(one.act.call, False, one) for one in seen], key=lambda event: event[0])
    most: dict[Any, Seen] = {}  # by process, and of all at None: the greatest value given so far
    found = []
    for _, ended, one in events:
        names = [(one.act.process, one.act.f), (None, None)]
        if ended:
            most.update({name: one for name in names if name not in most or one.value > most[name].value})
            continue
        own = [most[name] for name in ((one.act.process, "read"), (one.act.process, "inc")) if name in most]
        wrong = [("process", other, one) for other in own if too_little(other, one)]
        if not wrong and (greatest := most.get((None, None))) is not None and too_little(greatest, one):
            wrong = [("realtime", greatest, one)]
        found += wrong
    return found


def twice(seen: Sequence[Seen]) -> list[tuple[Seen, Seen]]:
    """Two incs for each value that more than one gave."""
    first: dict[int, Seen] = {}
    second: dict[int, Seen] = {}
    for one in seen:
        if one.act.f == "inc":
            if one.value in first:
                second.setdefault(one.value, one)
            first.setdefault(one.value, one)
    return [(first[value], other) for value, other in second.items()]


def misordered(seen: Sequence[Seen]) -> list[tuple[Seen, Seen]]:
    """By timestamp, each op that gives less than the greatest value of an earlier timestamp; equal timestamps order nothing."""
    stamped = sorted(((one.stamp, one.act.call, one) for one in seen if one.stamp is not None), key=lambda entry: (entry[0], entry[1]))
    found = []
    most: Seen | None = None  # of timestamps before this one
    waiting: list[Seen] = []
    for (stamp, _, one), following in zip(stamped, [*stamped[1:], None]):
        if most is not None and too_little(most, one):
            found.append((most, one))
        waiting.append(one)
        if following is None or following[0] != stamp:
            most = max([*([most] if most is not None else []), *waiting], key=lambda other: other.value)
            waiting = []
    return found


def _tell(type_: str, key: Hashable, first: Seen, second: Seen, kind: str | None) -> Anomaly:
    a, b = first.act, second.act
    one = f"{a.f} #{a.call}{a.place} (process {a.process}) gave {first.value}"
    if type_ == TWICE:
        message = f"{one}, and {b.f} #{b.call}{b.place} (process {b.process}) gave {second.value} too: one of them was lost"
    elif type_ == STAMPS:
        message = f"{one} at timestamp {first.stamp}, and {b.f} #{b.call}{b.place} gave {second.value} at the later {second.stamp}"
    else:
        who = "the same process" if kind == "process" else f"process {b.process}"
        message = f"{one}; {b.f} #{b.call}{b.place} of {who}, which began after that had ended, gave {second.value}"
    witness = {"first": a.call, "second": b.call}
    return Anomaly(type_, in_key(key) + message, sorted(a.ops + b.ops), kind=kind, key=plain(key), witness=witness)


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if both quoted ops stand in the history and their order and values contradict each other."""
    acts = {act.call: act for act in of_key(history, anomaly.key)}
    first, second = acts[anomaly.witness["first"]], acts[anomaly.witness["second"]]
    less = second.given < first.given or (second.f == "inc" and second.given == first.given)
    if not (first.ok and second.ok):
        return False
    if anomaly.type == TWICE:
        return first.call != second.call and first.f == second.f == "inc" and bool(first.given == second.given)
    if anomaly.type == STAMPS:
        return less and Decimal(str(first.ext["ts"])) < Decimal(str(second.ext["ts"]))
    return less and first.ret < second.call and (anomaly.kind == "realtime" or first.process == second.process)
