"""Total queue: does all that went in come out?

Decides    per element of a queue (enqueue, dequeue, drain): lost, out though it never went in, out more often than it went in.
Right      an ok drain, and an ok dequeue that found nothing, say that the queue was empty: what was acknowledged before it began and never
           came out is lost. A crashed dequeue may have taken one element, a crashed drain any number; only what is missing beyond that is
           lost. Values are counted: one that went in twice must come out twice.
Unknown    elements missing that a crashed dequeue or drain may have taken; elements that went in after the queue was last found empty, and
           did not come out; nothing that went in or came out.
Rules out  linearizable. Lost and phantom elements break every queue; duplicates are legal (at least once) unless exactly-once is asked for.
Limits     the order of elements is not judged here.
Source     Jepsen's total-queue, which calls an element lost that a crashed dequeue took, and one that is still inside; semantics.md 10.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from functools import partial
from typing import Any, ClassVar

from checkers.acts import Act, acts_by_key, in_key, of_key, strange
from checkers.findings import Findings
from checkers.transactions.txns import NEVER, ident, plain, show
from harness.checker import CheckContext
from harness.errors import UsageError
from harness.history.history import History
from harness.op import FAIL, INFO
from harness.verdict import Anomaly, Verdict

LOST, PHANTOM, DUPLICATE = "lost-write", "phantom-element", "duplicate-element"
DELIVERIES = ("at-least-once", "exactly-once")
LINEARIZABLE = ("linearizable",)


class Queue:
    """One queue's ops, read once.

    attempts     element -> enqueues of it that may have happened, by invocation
    acked        element -> completions of its ok enqueues, ascending
    taken        element -> (completion, dequeue or drain) that gave it, by completion
    emptied      the last op, by invocation, that found the queue empty
    crashed      dequeues without a known outcome; drains without one
    """

    def __init__(self, acts: list[Act]) -> None:
        self.attempts: dict[Hashable, list[Act]] = {}
        self.acked: dict[Hashable, list[int]] = {}
        self.taken: dict[Hashable, list[Act]] = {}
        self.emptied: Act | None = None
        self.crashed: dict[str, list[Act]] = {"dequeue": [], "drain": []}
        for act in acts:
            if act.f == "enqueue":
                self._enqueue(act)
            elif act.f not in ("dequeue", "drain"):
                raise strange(act, f"{act.f!r} is none of enqueue, dequeue and drain")
            elif act.outcome == INFO:
                self.crashed[act.f].append(act)
            elif act.ok:
                self._take(act)
        for positions in self.acked.values():
            positions.sort()
        for takers in self.taken.values():
            takers.sort(key=lambda taker: taker.ret)

    def _enqueue(self, act: Act) -> None:
        element = ident(act.asked)
        if act.outcome != FAIL:
            self.attempts.setdefault(element, []).append(act)
        if act.ok:
            self.acked.setdefault(element, []).append(act.ret)

    def _take(self, act: Act) -> None:
        given = act.given if act.f == "drain" else [] if act.given is None else [act.given]
        if not isinstance(given, list):
            raise strange(act, f"a drain gave {str(act.given)[:60]!r}, not the list of what it took")
        for value in given:
            self.taken.setdefault(ident(value), []).append(act)
        if (act.f == "drain" or not given) and (self.emptied is None or act.call > self.emptied.call):
            self.emptied = act

    def explained(self, element: Hashable) -> int:
        """How often the element came out after an attempt to put it in had begun."""
        tries = self.attempts.get(element)
        return sum(taker.ret > tries[0].call for taker in self.taken.get(element, ())) if tries else 0

    def missing(self) -> Counter[Hashable]:
        """Element -> how many acknowledged before the queue was last found empty never came out."""
        moment = self.emptied.call if self.emptied is not None else -1
        return +Counter({e: sum(ret < moment for ret in acks) - self.explained(e) for e, acks in self.acked.items()})

    def unaccounted(self) -> int:
        """How many that were acknowledged never came out, whenever."""
        return sum((+Counter({e: len(acks) - self.explained(e) for e, acks in self.acked.items()})).values())


class TotalQueue:
    """Judges `enqueue v`, `dequeue` (gives v, or null of an empty queue) and `drain` (gives all that it took until the queue was empty)."""

    name: ClassVar[str] = "total-queue"
    options: ClassVar[dict[str, str]] = {"delivery": "at-least-once (an element may come out twice) or exactly-once"}

    def __init__(self, delivery: str = "at-least-once") -> None:
        if delivery not in DELIVERIES:
            raise UsageError(f"no delivery is called {delivery!r}", way_out=f"choose one of: {', '.join(DELIVERIES)}")
        self.delivery = delivery

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts, in elements: {"attempted", "acknowledged", "dequeued", "lost", "unexpected", "duplicated", "recovered"}; the last:
        those that came out though their enqueue has no known outcome. counts: elements, each as often as it is missing or too many."""
        findings = Findings(context.expected, [LOST, PHANTOM, DUPLICATE], () if self.delivery == "exactly-once" else (DUPLICATE,))
        facts: Counter[str] = Counter()
        unknown = []
        for key, acts in acts_by_key(history).items():
            queue = Queue(acts)
            facts.update(_figures(queue, acts))
            self._look_at_taken(key, queue, findings)
            if (why := _look_at_missing(key, queue, findings)) is not None:
                unknown.append(in_key(key) + why)
        names = ("attempted", "acknowledged", "dequeued", "lost", "unexpected", "duplicated", "recovered")
        facts.update(lost=findings.counts[LOST], unexpected=findings.counts[PHANTOM], duplicated=findings.counts[DUPLICATE])
        reason = "; ".join(unknown[:4])
        if not facts["acknowledged"] and not facts["dequeued"]:
            reason = "nothing certainly went in, and nothing came out"
        return findings.verdict({name: facts[name] for name in names}, reason)

    def _look_at_taken(self, key: Hashable, queue: Queue, findings: Findings) -> None:
        """Phantoms and duplicates."""
        for element, takers in queue.taken.items():
            tries = queue.attempts.get(element, [])
            early = [taker for taker in takers if not tries or taker.ret < tries[0].call]
            for taker in early:
                findings.add(PHANTOM, LINEARIZABLE, partial(_tell_phantom, key, element, taker, tries), always=True)
            rest = takers[len(early) :]  # they are in order
            models = LINEARIZABLE if self.delivery == "exactly-once" else ()
            for n in range(len(tries), len(rest)):
                findings.add(DUPLICATE, models, partial(_tell_duplicate, key, element, rest, n, tries), always=True)


def _look_at_missing(key: Hashable, queue: Queue, findings: Findings) -> str | None:
    """Lost elements; why nothing can be said where that is so."""
    missing = queue.missing()
    number, excuses = sum(missing.values()), len(queue.crashed["dequeue"])
    if queue.crashed["drain"] and number:
        drain = queue.crashed["drain"][0]
        return f"{number} acknowledged elements never came out, and drain #{drain.call}, of unknown outcome, may have taken them"
    if number > excuses:
        if not excuses:
            for element, times in missing.items():
                for _ in range(times):
                    findings.add(LOST, LINEARIZABLE, partial(_tell_lost, key, {element: times}, queue), always=True)
        else:
            for _ in range(number - excuses):
                findings.add(LOST, LINEARIZABLE, partial(_tell_lost, key, missing, queue), always=True)
        return None
    if number:
        return (
            f"{number} acknowledged elements never came out, and {excuses} dequeues without a known outcome (the first is "
            f"#{queue.crashed['dequeue'][0].call}) may have taken them"
        )
    if left := queue.unaccounted():
        return f"{left} acknowledged elements did not come out, and the queue was not found empty after that: a final drain is missing"
    return None


def _figures(queue: Queue, acts: list[Act]) -> dict[str, int]:
    recovered = 0
    for element, tries in queue.attempts.items():
        recovered += max(0, min(queue.explained(element), len(tries)) - len(queue.acked.get(element, ())))
    return {
        "attempted": sum(act.f == "enqueue" for act in acts),
        "acknowledged": sum(map(len, queue.acked.values())),
        "dequeued": sum(map(len, queue.taken.values())),
        "recovered": recovered,
    }


def _tell_lost(key: Hashable, missing: dict[Hashable, int], queue: Queue) -> Anomaly:
    assert queue.emptied is not None, "without it, nothing is missing"
    emptied, crashed = queue.emptied, [act.call for act in queue.crashed["dequeue"]]
    listed = list(missing)[:8]
    enqueues = [act for element in listed for act in queue.attempts[element] if act.ret < emptied.call]
    found = f"{emptied.f} #{emptied.call}{emptied.place}, which began later and found the queue empty"
    acks = ", ".join(f"{show(element)} ({_acks(element, queue)})" for element in listed)
    more = f" and {len(missing) - 8} more elements" if len(missing) > 8 else ""
    each = "it" if sum(missing.values()) == 1 else "them"
    excuse = f", and the {len(crashed)} dequeues without a known outcome can have taken one each" if crashed else ""
    message = f"{in_key(key)}{acks}{more} went in, but neither {found}, nor any other op gave {each}{excuse}"
    witness = {"elements": [[plain(e), n] for e, n in missing.items()], "emptied": emptied.call, "crashed": crashed}
    ops = sorted({*(index for act in enqueues for index in act.ops), *emptied.ops})
    return Anomaly(LOST, message, ops, key=plain(key), witness=witness)


def _acks(element: Hashable, queue: Queue) -> str:
    shown = [f"#{act.call}, acknowledged at #{act.ret}{act.place}" for act in queue.attempts[element] if act.ret != NEVER]
    times = queue.explained(element)
    return "; ".join(shown[:3]) + (f"; came out {times} times" if times else "")


def _tell_phantom(key: Hashable, element: Hashable, taker: Act, tries: list[Act]) -> Anomaly:
    why = f"its first enqueue began later (#{tries[0].call})" if tries else "no enqueue of it can have happened"
    message = f"{in_key(key)}{taker.f} #{taker.call}{taker.place} gave {show(element)}, but {why}"
    return Anomaly(PHANTOM, message, taker.ops, key=plain(key), witness={"element": plain(element), "taken": [taker.call]})


def _tell_duplicate(key: Hashable, element: Hashable, rest: list[Act], n: int, tries: list[Act]) -> Anomaly:
    takers = rest[n - len(tries) : n + 1]  # one more than could come out
    quoted = " and ".join(f"{taker.f} #{taker.call}{taker.place}" for taker in takers[-4:])
    message = f"{in_key(key)}{show(element)} went in {len(tries)} times at most, and came out {n + 1} times, lastly of {quoted}"
    ops = sorted({index for act in [*takers, *tries] for index in act.ops})
    return Anomaly(DUPLICATE, message, ops, key=plain(key), witness={"element": plain(element), "taken": [act.call for act in takers]})


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted ops stand in the history and, every op being counted anew, prove the anomaly."""
    acts, witness = of_key(history, anomaly.key), anomaly.witness
    takes = [(act, ident(value)) for act in acts if act.ok and act.f != "enqueue" for value in _values(act)]
    puts = [(act, ident(act.asked)) for act in acts if act.f == "enqueue" and act.outcome != FAIL]
    if anomaly.type == LOST:
        emptied = next(act for act in acts if act.call == witness["emptied"])
        if not emptied.ok or not (emptied.f == "drain" or (emptied.f == "dequeue" and emptied.given is None)):
            return False
        lacking = 0
        for value, _ in witness["elements"]:
            before = [act for act, element in puts if element == ident(value) and act.ret < emptied.call]
            first = min((act.call for act, element in puts if element == ident(value)), default=NEVER)
            out = [act for act, element in takes if element == ident(value) and act.ret > first]
            lacking += max(0, len(before) - len(out))
        unclear = [act for act in acts if act.outcome == INFO and act.f != "enqueue"]
        return lacking > len(unclear) and not any(act.f == "drain" for act in unclear)
    element = ident(witness["element"])
    calls = [act.call for act in (act for act, e in puts if e == element)]
    quoted = [act for act, e in takes if e == element and act.call in witness["taken"]]
    if anomaly.type == PHANTOM:
        return bool(quoted) and all(act.ret < min(calls, default=NEVER) for act in quoted)
    return len(quoted) >= len(witness["taken"]) > len(calls)


def _values(act: Act) -> list[Any]:
    return list(act.given) if act.f == "drain" else [] if act.given is None else [act.given]
