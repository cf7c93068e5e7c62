"""Counter: does every read lie between what must have been added and what may have been?

Decides    for each read that succeeded, whether some choice of the adds around it explains its value: between the start (0) and the read,
           and, where nothing is ever taken away, between an earlier read and a later one.
Right      at least what certainly was added before the read began, and taken away by the time that it ended, has happened; at most what may
           have been added by its end, and was certainly taken away before it began. An op that failed counts for nothing; one without a
           known outcome may happen at any later time. For an earlier read a and a later one b (a ended before b began), adds that began
           after a ended and ended before b began come on top of what a saw.
Unknown    a run without a read that succeeded; no op at all. A file of adds alone is valid, with the word that nothing was seen of them.
Rules out  linearizable. A value that no choice of all adds ever tried reaches (`impossible-value`) is wrong under every model.
Limits     the bounds are necessary, not sufficient: that a value between them is a sum of some of the adds is not asked.
Source     Jepsen's counter, which takes no decrements and compares no two reads; semantics.md 10.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from itertools import accumulate
from typing import Any, ClassVar, NamedTuple

from checkers.acts import Act, acts_by_key, in_key, of_key, strange, whole
from checkers.findings import Findings
from checkers.transactions.txns import plain
from harness.checker import CheckContext
from harness.history.history import History
from harness.op import FAIL
from harness.verdict import Anomaly, Verdict

OUTSIDE, BACKWARDS, IMPOSSIBLE = "counter-out-of-bounds", "counter-went-back", "impossible-value"
LINEARIZABLE = ("linearizable",)


class Bounded(NamedTuple):
    """A read with the bounds of what it may have seen."""

    read: Act
    low: int
    high: int


class Counter:
    """Judges `add n` (n may be negative) and `read`."""

    name: ClassVar[str] = "counter"

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"adds": {outcome: n}, "reads", "outside", "furthest": how far the worst read lies outside, "lowest", "highest": of what
        was read}. counts: reads. Cost: O(n log n)."""
        findings = Findings(context.expected, [IMPOSSIBLE, OUTSIDE, BACKWARDS])
        outcomes = {"ok": 0, "fail": 0, "info": 0}
        values: list[int] = []
        furthest = 0
        for key, acts in acts_by_key(history).items():
            adds, reads = _split(acts)
            for act in acts:
                if act.f == "add":
                    outcomes[act.outcome] += 1
            ever = [sum(n for _, n in adds if n < 0), sum(n for _, n in adds if n > 0)]
            sound = []
            for bounded in bounds(adds, reads):
                value = bounded.read.given
                values.append(value)
                furthest = max(furthest, bounded.low - value, value - bounded.high)
                if not ever[0] <= value <= ever[1]:
                    findings.add(IMPOSSIBLE, (), partial(_tell, IMPOSSIBLE, key, Bounded(bounded.read, *ever)))
                elif not bounded.low <= value <= bounded.high:
                    findings.add(OUTSIDE, LINEARIZABLE, partial(_tell, OUTSIDE, key, bounded))
                else:
                    sound.append(bounded.read)
            if ever[0] == 0:
                for earlier, later, between in went_back(adds, sound):
                    findings.add(BACKWARDS, LINEARIZABLE, partial(_tell_pair, key, earlier, later, between))
        facts: dict[str, Any] = {"adds": outcomes, "reads": len(values), "outside": sum(findings.counts.values()), "furthest": furthest}
        if values:
            facts.update(lowest=min(values), highest=max(values))
        unseen = "" if values else "no read succeeded, so nobody knows what the counter was"
        absent = context.is_run or not sum(outcomes.values())  # a file with adds alone breaks nothing, and says so
        return findings.verdict(facts, unseen if absent else "", "" if absent else unseen)


Adds = list[tuple[Act, int]]  # those that may have happened, by invocation


def _split(acts: Sequence[Act]) -> tuple[Adds, list[Act]]:
    adds: Adds = []
    reads = []
    for act in acts:
        if act.f == "add":
            amount = whole(act, act.asked)
            if act.outcome != FAIL:
                adds.append((act, amount))
        elif act.f != "read":
            raise strange(act, f"{act.f!r} is neither `add` nor `read`")
        elif act.ok:
            whole(act, act.given)
            reads.append(act)
    return adds, reads


def bounds(adds: Adds, reads: Sequence[Act]) -> list[Bounded]:
    """Each read, in order of invocation, with the least and the most that it may have seen."""
    begun = [(act.call, max(amount, 0), min(amount, 0)) for act, amount in adds]  # position, what it adds, what it takes away
    sure = sorted((act.ret, max(amount, 0), min(amount, 0)) for act, amount in adds)
    started, ended = _sums(begun), _sums(sure)
    return [Bounded(read, ended(read.call)[0] + started(read.ret)[1], started(read.ret)[0] + ended(read.call)[1]) for read in reads]


def _sums(steps: list[tuple[int, int, int]]) -> Callable[[int], tuple[int, int]]:
    """A function: position -> (what was added, what was taken away) by the steps before it."""
    positions = [position for position, _, _ in steps]
    ups = [0, *accumulate(up for _, up, _ in steps)]
    downs = [0, *accumulate(down for _, _, down in steps)]

    def before(position: int) -> tuple[int, int]:
        at = bisect_left(positions, position)
        return ups[at], downs[at]

    return before


def went_back(adds: Adds, reads: Sequence[Act]) -> list[tuple[Act, Act, int]]:
    """(earlier read, later read, what was added between them for certain) of later reads that saw too little; for adds >= 0. O(n log n)."""
    events: list[tuple[int, int, Any]] = [(act.ret, 0, (act.call, amount)) for act, amount in adds if amount]
    events += [(read.ret, 1, read) for read in reads]
    events += [(read.call, 2, read) for read in reads]
    demands = _Demands()
    found = []
    for _, kind, what in sorted(events, key=lambda event: event[0]):
        if kind == 0:
            demands.added(*what)
        elif kind == 1:
            demands.read(what)
        elif demands.earlier and what.given < demands.top:
            earlier = demands.earlier[demands.last]
            found.append((earlier, what, demands.top - earlier.given))
    return found


class _Demands:
    """What each earlier read demands of a read that begins now: its value and the adds that certainly came after it.

    A chain from old to new, in which each read demands more than those before it: an add that comes on top of a read comes on top of all
    older ones too, so a read that demands no more than an older one never will again, and leaves the chain. `gaps` are the differences
    along it; the newest, `last`, demands the most, `top`. Each read enters and leaves once.
    """

    def __init__(self) -> None:
        self.earlier: list[Act] = []
        self.ends: list[int] = []
        self.gaps: list[int] = []
        self.older: list[int] = []  # towards the next older one that is in the chain; itself for one that is
        self.newer: list[int] = []
        self.last, self.top = -1, 0

    def read(self, read: Act) -> None:
        """A read ended."""
        if self.earlier and read.given <= self.top:
            return
        self.earlier.append(read)
        self.ends.append(read.ret)
        self.gaps.append(read.given - self.top)
        self.older.append(len(self.older))
        self.newer.append(-1)
        if self.last >= 0:
            self.newer[self.last] = len(self.newer) - 1
        self.last, self.top = len(self.earlier) - 1, read.given

    def added(self, began: int, amount: int) -> None:
        """An add ended that began at this position."""
        at = self._in_chain(bisect_left(self.ends, began) - 1)
        if at < 0:
            return
        if at == self.last:
            self.top += amount
            return
        after = self.newer[at]
        self.gaps[after] -= amount
        while self.gaps[after] <= 0:
            gap, beyond = self.gaps[after], self.newer[after]
            self.older[after], self.newer[at] = at, beyond
            if beyond < 0:
                self.last, self.top = at, self.top - gap
                return
            self.gaps[beyond] += gap
            after = beyond

    def _in_chain(self, at: int) -> int:
        start = at
        while at >= 0 and self.older[at] != at:
            at = self.older[at]
        while start >= 0 and self.older[start] != at:
            self.older[start], start = at, self.older[start]
        return at


def _tell(type_: str, key: Hashable, bounded: Bounded) -> Anomaly:
    read, low, high = bounded
    value = read.given
    side = f"at most {high} can have been" if value > high else f"at least {low} must have been"
    when = "added and taken away at any time, even counting all that has no known outcome" if type_ == IMPOSSIBLE else "there by then"
    message = f"{in_key(key)}read #{read.call}{read.place} gave {value}, but {side} {when}"
    return Anomaly(
        type_,
        message,
        read.ops,
        kind="too-high" if value > high else "too-low",
        key=plain(key),
        witness={"read": read.call, "value": value, "low": low, "high": high},
    )


def _tell_pair(key: Hashable, earlier: Act, later: Act, between: int) -> Anomaly:
    added = f", and {between} more was certainly added between them" if between else ""
    message = (
        f"{in_key(key)}read #{later.call}{later.place} gave {later.given}, though read #{earlier.call}{earlier.place}, which ended "
        f"before it began, gave {earlier.given}{added}; nothing is ever taken away"
    )
    witness = {"earlier": earlier.call, "later": later.call, "between": between}
    return Anomaly(BACKWARDS, message, earlier.ops + later.ops, key=plain(key), witness=witness)


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted reads stand in the history and its adds, counted one by one, leave no room for them. Cost: O(n)."""
    witness = anomaly.witness
    mine = of_key(history, anomaly.key)
    reads = {act.call: act for act in mine if act.f == "read" and act.ok}
    adds = [act for act in mine if act.f == "add" and act.outcome != FAIL]
    if anomaly.type == BACKWARDS:
        earlier, later = reads[witness["earlier"]], reads[witness["later"]]
        between = sum(act.asked for act in adds if act.call > earlier.ret and act.ret < later.call)
        return earlier.ret < later.call and later.given < earlier.given + between and all(act.asked >= 0 for act in adds)
    read = reads[witness["read"]]
    if anomaly.type == IMPOSSIBLE:
        return not sum(min(act.asked, 0) for act in adds) <= read.given <= sum(max(act.asked, 0) for act in adds)
    ended, begun = [act.asked for act in adds if act.ret < read.call], [act.asked for act in adds if act.call < read.ret]
    low = sum(n for n in ended if n > 0) + sum(n for n in begun if n < 0)
    high = sum(n for n in begun if n > 0) + sum(n for n in ended if n < 0)
    return not low <= read.given <= high
