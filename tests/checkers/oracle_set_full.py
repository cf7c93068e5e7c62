"""The slow oracle of the set-full checker: its definitions, written down naively, and random small histories to try them on.

Nothing here is imported from the checker. Three oracles: `by_definition` asks every read about every element for every rule; `has_order`
tries every order of one element's adds, removes and reads, and `is_linearizable` of all ops, so they know nothing of the rules at all.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any, NamedTuple

from harness.checker import CheckContext, Phase
from harness.history.history import History
from harness.op import Op

NEVER = float("inf")
VALUES: list[Any] = [1, 2, 3, True, 1.0, "1", [1], None, {"a": 1, "b": [2]}]


class Done(NamedTuple):
    f: str
    call: int
    ret: float
    outcome: str
    node: str | None
    value: Any
    final: bool


def name(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def operations(history: History, context: CheckContext) -> list[Done]:
    starts = [phase.start for phase in context.phases if phase.name == "final"]
    found = []
    for invoke, done in history.calls():
        outcome = done.type if done else "info"
        ret = done.index if done and outcome == "ok" else NEVER
        value = [name(v) for v in (done.value or [])] if invoke.f == "read" and done and outcome == "ok" else name(invoke.value)
        found.append(Done(invoke.f, invoke.index, ret, outcome, invoke.node, value, bool(starts) and invoke.time >= starts[0]))
    return found


def by_definition(history: History, context: CheckContext) -> dict[str, Any]:
    """{"types": {(type, element)}, "nodes": {lost element: nodes}, "strict", "weak": the verdicts}."""
    ops = operations(history, context)
    reads = [o for o in ops if o.f == "read" and o.outcome == "ok"]
    adds = [o for o in ops if o.f == "add" and o.outcome != "fail"]
    removes = [o for o in ops if o.f == "remove" and o.outcome != "fail"]
    elements = {o.value for o in adds + removes} | {e for r in reads for e in r.value}
    types, nodes, lasting, proved = set(), {}, set(), False
    final = [r for r in reads if r.final]
    at_end = final or [r for r in reads if all(r.call >= s.call for s in reads)]
    for e in elements:
        mine, gone = [a for a in adds if a.value == e], [m for m in removes if m.value == e]
        have = [r for r in reads if e in r.value and any(a.call < r.ret for a in mine)]
        moments = [a.ret for a in mine if a.outcome == "ok"] + [r.ret for r in have]
        known = min(moments, default=NEVER)
        types |= {("phantom-element", e) for r in reads if e in r.value and not any(a.call < r.ret for a in mine)}
        types |= {("duplicate-element", e) for r in reads if r.value.count(e) > 1}
        for r in have:
            for m in gone:
                if m.ret < r.call and not any(a.call < r.ret and a.ret > m.call for a in mine):
                    types.add(("resurrected", e))
                    lasting |= {e} if r in at_end else set()
        miss = [r for r in reads if known < r.call and e not in r.value and not any(m.call < r.ret for m in gone)]
        lacking = [r for r in miss if r.final]
        seen_later = {r.call: any(h.ret > r.call for h in reads if e in h.value) for r in miss}
        if lacking or not all(seen_later.values()):
            types.add(("lost-write", e))
            nodes[e] = {r.node for r in lacking}
        elif miss:
            types.add(("stale-read", e))
        if known < NEVER and not have and not gone and not any(r.call > known for r in reads):
            types.add(("never-read", e))
        proved |= bool(have) or any(m.ret < r.call and e not in r.value for m in gone for r in reads)
    bad = {type_ for type_, _ in types} - {"never-read"}
    weak = (bad - {"stale-read", "resurrected"}) | ({"resurrected"} if lasting else set())
    ground = True if proved else "unknown"
    return {"types": types, "nodes": nodes, "strict": False if bad else ground, "weak": False if weak else ground}


def has_order(history: History, context: CheckContext, element: str) -> bool:
    """Whether one element's ops have an order that respects real time and explains every read of it; failed ops never happened."""
    ops = [(o.call, o.ret, o.f, element in o.value) for o in operations(history, context)
           if (o.f == "read" and o.outcome == "ok") or (o.f != "read" and o.outcome != "fail" and o.value == element)]  # fmt: skip

    def order(left: tuple[Any, ...], there: bool) -> bool:
        if all(ret == NEVER for _, ret, _, _ in left):
            return True
        first = min(ret for _, ret, _, _ in left)
        for i, (call, _, f, has) in enumerate(left):
            legal = call < first and (f != "read" or has == there)
            if legal and order(left[:i] + left[i + 1 :], there if f == "read" else f == "add"):
                return True
        return False

    return order(tuple(ops), False)


def is_linearizable(history: History, context: CheckContext) -> bool:
    """Whether all ops have one order that respects real time and explains every read. Adds and reads only."""
    ops = [o for o in operations(history, context) if (o.outcome == "ok" if o.f == "read" else o.outcome != "fail")]
    seen: set[tuple[int, ...]] = set()

    def order(left: tuple[int, ...], there: frozenset[str]) -> bool:
        if all(ops[i].ret == NEVER for i in left):
            return True
        if left in seen:
            return False
        seen.add(left)  # what is there follows from what was done
        first = min(ops[i].ret for i in left)
        for i in left:
            o, rest = ops[i], tuple(j for j in left if j != i)
            if o.call < first and o.f == "add" and order(rest, there | {o.value}):
                return True
            if o.call < first and o.f == "read" and sorted(there) == sorted(o.value) and order(rest, there):
                return True
        return False

    return order(tuple(range(len(ops))), frozenset())


class Replica:
    """The truth, an older copy of it that a stale read gets, and ways to fail drawn once."""

    def __init__(self, rng: random.Random, values: list[Any]) -> None:
        self.rng, self.unused = rng, values
        self.store: list[Any] = []
        self.old: list[Any] = []
        self.fault = {kind: rng.random() < 0.27 and rng.random() for kind in ("stale", "lost", "dirty", "twice", "junk", "early")}
        self.fault["torn"] = rng.random() < 0.4 and rng.random()
        self.fault["undead"] = rng.random() < 0.5 and rng.random()

    def strikes(self, kind: str) -> bool:
        return bool(self.fault[kind]) and self.rng.random() < self.fault[kind] * 0.6

    def act(self, f: str, value: Any) -> Any:
        if f == "add" and not self.strikes("lost"):
            self.store += [value] if not any(name(value) == name(v) for v in self.store) else []
        if f == "remove" and not self.strikes("undead"):
            self.store = [v for v in self.store if name(v) != name(value)]
        if f != "read":
            return value
        seen = list(self.old) if self.strikes("stale") else list(self.store)
        if self.rng.random() < 0.5:
            self.old = list(self.store)
        if seen and self.strikes("torn"):
            seen.pop(self.rng.randrange(len(seen)))
        seen += [self.rng.choice(seen)] if seen and self.strikes("twice") else []
        seen += ["junk"] if self.strikes("junk") else []
        seen += [v for v in self.unused[:1] if self.strikes("early")]
        self.rng.shuffle(seen)
        return seen


def random_history(rng: random.Random) -> tuple[History, CheckContext]:
    """One of the two kinds below."""
    return crowded_history(rng) if rng.random() < 0.35 else broken_store(rng)


def crowded_history(rng: random.Random) -> tuple[History, CheckContext]:
    """Many long ops at once, of distinct adds on two replicas that hear of each add at moments of their own: mostly right, or nearly."""
    clients, target = rng.randint(4, 6), rng.randint(8, 13)
    crash, readers, lag = rng.choice([0.0, 0.2]), rng.choice([0.4, 0.6]), rng.choice([0.5, 0.8, 0.95])
    hasty = rng.choice([0.0, 0.1, 0.6])  # how often an add is acknowledged before both have it
    ops: list[Op] = []
    replicas: list[list[int]] = [[], []]
    waiting: list[tuple[int, int]] = []  # (replica, element) on its way
    open_: dict[int, list[Any]] = {}
    processes, started = list(range(clients)), 0
    while started < target or open_:
        for heard in [each for each in waiting if rng.random() >= lag]:
            waiting.remove(heard)
            replicas[heard[0]].append(heard[1])
        c = rng.randrange(clients)
        if c not in open_:
            if started < target:
                f = "read" if rng.random() < readers else "add"
                value = None if f == "read" else started
                ops.append(Op(len(ops), len(ops), processes[c], "invoke", f, value))
                open_[c], started = [f, value, False], started + 1
            continue
        f, value, acted = open_[c]
        if not acted and rng.random() < 0.5:
            at = rng.randrange(2)
            if f == "read":
                open_[c][1] = list(replicas[at])
            else:
                replicas[at].append(value)
                waiting.append((1 - at, value))
            open_[c][2] = True
        elif acted and rng.random() < 0.4 and (f == "read" or rng.random() < hasty or value not in [element for _, element in waiting]):
            del open_[c]
            outcome = "info" if rng.random() < crash else "ok"
            ops.append(Op(len(ops), len(ops), processes[c], outcome, f, value if outcome == "ok" or f == "add" else None))
            if outcome == "info":
                processes[c] = max(processes) + 1
    return History(ops), CheckContext()


def broken_store(rng: random.Random) -> tuple[History, CheckContext]:
    """A few clients against a store that is broken in ways drawn for the history, or not at all; half end with reads of every node."""
    nodes = ["n1", "n2", "n3"][: rng.randint(1, 3)]
    values = rng.sample(VALUES, rng.randint(2, 6))
    unused = list(values)
    replica = Replica(rng, unused)
    weights = {"add": 5, "read": rng.choice([1, 4, 8]), "remove": rng.choice([0, 0, 4])}
    crash, fail, again = rng.choice([0.0, 0.1, 0.4]), rng.choice([0.0, 0.2]), rng.choice([0.0, 0.3])
    ops: list[Op] = []
    processes, open_ = list(range(rng.randint(1, 4))), {}
    target, started, finals, phase = rng.randint(6, 14), 0, None, 0

    def emit(c: int, type_: str, f: str, value: Any, node: str) -> None:
        ops.append(Op(len(ops), len(ops), processes[c], type_, f, value, node=node))

    while started < target or open_ or finals:
        c = rng.randrange(len(processes))
        if c not in open_:
            f, node, value = "read", rng.choice(nodes), None
            if started < target:
                f = rng.choices(list(weights), list(weights.values()))[0]
                if f == "add":
                    value = unused.pop(0) if unused and rng.random() >= again else rng.choice(values)
                elif f == "remove":
                    value = rng.choice(values)
                started += 1
            elif finals:
                node = finals.pop()
            else:
                continue
            emit(c, "invoke", f, value, node)
            outcome = rng.choices(["ok", "fail", "info"], [1, fail, crash])[0] if finals is None else "ok"
            open_[c] = [f, value, node, outcome, False]
            continue
        f, value, node, outcome, done = open_[c]
        if not done:
            happens = outcome == "ok" or (outcome == "info" and rng.random() < 0.5) or (f == "add" and replica.strikes("dirty"))
            open_[c][1:] = [replica.act(f, value) if happens else value, node, outcome, True]
        elif rng.random() < 0.6:
            del open_[c]
            if outcome != "info" or rng.random() < 0.7:
                emit(c, outcome, f, value if outcome == "ok" or f != "read" else None, node)
            if outcome == "info":
                processes[c] = max(processes) + 1
        if started >= target and not open_ and finals is None:
            finals = list(nodes) if rng.random() < 0.5 else []
            phase = len(ops)
    phases = [Phase("fault", 0, phase), Phase("final", phase, len(ops))] if len(ops) > phase else []
    return History(ops), CheckContext(phases=phases, nodes=nodes, is_run=bool(phases))


def size(history: History) -> Counter[str]:
    """What the history has: calls, crashed calls, removes."""
    calls = list(history.calls())
    return Counter({
        "calls": len(calls),
        "crashed": sum(call.outcome == "info" for call in calls),
        "removes": sum(call.invoke.f == "remove" for call in calls),
    })  # fmt: skip
