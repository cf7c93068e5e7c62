"""The weak levels by definition, slowly: is there a set of committed transactions, and an order of them, that makes every read right?

Shares nothing with the checker. Values are compared by their JSON. Every choice of the unknown transactions and every explanation of a
value with several writers is tried; orders are built one transaction at a time, and a set of placed transactions that led nowhere is not
tried again.
"""

import json
from itertools import product
from typing import NamedTuple

from harness.history.history import History
from harness.op import Op

LEVELS = ("read-committed", "read-atomic", "causal")
START = "start"  # the state before all


class T(NamedTuple):
    number: int
    process: int
    outcome: str
    mops: list
    finals: dict  # key -> the value that it wrote last


def transactions(history):
    if "oracle" in history.shared:
        return history.shared["oracle"]
    found = history.shared["oracle"] = []
    for number, call in enumerate(history.calls()):
        mops = call.completion.value if call.outcome == "ok" else call.invoke.value
        mops = [[f, json.dumps(k), json.dumps(v)] for f, k, v in mops]
        found.append(T(number, call.invoke.process, call.outcome, mops, {k: v for f, k, v in mops if f == "w"}))
    return found


def explanations(txns, reader, at):
    """Who may have been read: transactions that did not fail and wrote the value last, and the initial state for null."""
    _, key, value = reader.mops[at]
    found = [t.number for t in txns if t is not reader and t.outcome != "fail" and t.finals.get(key) == value]
    return ([START] if value == "null" else []) + found


def external(txn, wrong_too=False):
    """Places of reads of an ok transaction that are not of its own writes; None if one of its own is wrong (unless `wrong_too`)."""
    own, places = {}, []
    for at, (f, k, v) in enumerate(txn.mops):
        if f == "w":
            own[k] = v
        elif k not in own:
            places.append(at)
        elif own[k] != v and not wrong_too:
            return None
    return places


def keeps(history, level, sessions=True, first=False):
    """Does some choice of committed transactions, explanations and order satisfy the level?"""
    txns = transactions(history)
    readers = [(t, at) for t in txns if t.outcome == "ok" for at in external(t) or ()]
    if any(t.outcome == "ok" and external(t) is None for t in txns):
        return False
    crashed = [t for t in txns if t.outcome == "info"]
    for chosen in product(*(explanations(txns, t, at) for t, at in readers)):
        for happened in product([True, False], repeat=len(crashed)):
            gone = {t.number for t, did in zip(crashed, happened, strict=True) if not did} | {t.number for t in txns if t.outcome == "fail"}
            if gone.isdisjoint(chosen):
                reads = [(t.number, at, t.mops[at][1], writer) for (t, at), writer in zip(readers, chosen, strict=True)]
                if _some_order([t for t in txns if t.number not in gone], reads, level, sessions, first):
                    return True
    return False


def _some_order(txns, reads, level, sessions, first):
    must = relation(txns, reads, level, sessions, first)
    return _extend(frozenset(), frozenset([START, *(t.number for t in txns)]), must, set())


def relation(txns, reads, level, sessions, first):
    """Every pair (a, b) such that a must come before b."""
    known = set()
    for a in txns:
        known.add((START, a.number))
        for b in txns:
            if first and a.number == 0 and b.number != 0:
                known.add((0, b.number))
            if sessions and a.process == b.process and a.number < b.number and a.outcome == "ok":
                known.add((a.number, b.number))
    session = set(known)
    known |= {(writer, reader) for reader, _, _, writer in reads}
    causes = closed(known) if level == "causal" else known
    must = set(known)
    for reader, at, key, t1 in reads:
        for t2 in [START, *(t.number for t in txns if key in t.finals)]:
            if t2 in (t1, reader):
                continue
            if level == "read-committed":
                premise = any(r == reader and writer == t2 and p < at for r, p, _, writer in reads)
            elif level == "read-atomic":
                premise = (t2, reader) in session or any(r == reader and writer == t2 for r, _, _, writer in reads)
            else:
                premise = level == "causal" and (t2, reader) in causes
            if premise:
                must.add((t2, t1))
    return must


def closed(pairs):
    """With all pairs that follow by going on."""
    after = {a: {b for c, b in pairs if c == a} for a, _ in pairs}
    while True:
        before = sum(map(len, after.values()))
        for reached in after.values():
            reached.update(*[after[b] for b in list(reached) if b in after])
        if sum(map(len, after.values())) == before:
            return {(a, b) for a, reached in after.items() for b in reached}


def shortest_cycle(history, level, sessions, first):
    """The length of the shortest cycle of all pairs, 0 if there is none; of a history in which no read has several explanations."""
    txns = transactions(history)
    found = [(t, at, explanations(txns, t, at)) for t in txns if t.outcome == "ok" for at in external(t, wrong_too=True)]
    reads = [(t.number, at, t.mops[at][1], who[0]) for t, at, who in found if who]
    read = {writer for _, _, _, writer in reads}
    pairs = relation([t for t in txns if t.outcome == "ok" or t.number in read], reads, level, sessions, first)
    best = 0
    for a in {a for a, _ in pairs}:
        reached = {a}
        for steps in range(1, len(txns) + 2):
            reached = {d for c, d in pairs if c in reached}
            if a in reached:
                best = min(best or steps, steps)
                break
    return best


def _extend(placed, everyone, must, failed):
    if placed == everyone:
        return True
    if placed in failed:
        return False
    for candidate in sorted(everyone - placed, key=str):
        if all(a in placed for a, b in must if b == candidate) and _extend(placed | {candidate}, everyone, must, failed):
            return True
    failed.add(placed)
    return False


def unclear(history):
    """True if a read has several explanations."""
    txns = transactions(history)
    return any(len(explanations(txns, t, at)) > 1 for t in txns if t.outcome == "ok" for at in external(t, wrong_too=True))


KEYS = (1, "1", 2)


def random_history(rng, first=False):
    """Sessions of register transactions: mostly the newest committed value is read, sometimes an older one, rarely nonsense; in a third of
    the histories any value that somebody wrote last, whenever that was."""
    keys = KEYS[: rng.randint(1, 3)]
    processes = list(range(rng.randint(1, 4)))
    stale, odd, repeats = rng.choice([0.1, 0.3, 0.6]), rng.choice([0, 0, 0, 0.05]), rng.random() < 0.06
    values, fresh, trash = {k: [None] for k in keys}, dict.fromkeys(keys, 0), {k: [99] for k in keys}
    ops, external = [], []

    def emit(process, type_, mops):
        ops.append(Op(len(ops), 0, process, type_, "txn", mops))

    if first:
        mops = [["w", k, 0] for k in keys]
        emit(len(processes), "invoke", mops)
        emit(len(processes), "ok", mops)
        for k in keys:
            values[k].append(0)
    for _ in range(rng.randint(4, 9)):
        process = rng.choice(processes)
        outcome = rng.choices(["ok", "info", "fail"], [85, 8, 7])[0]
        asked, done, own = [], [], {}
        for _ in range(rng.randint(1, 4)):
            k = rng.choice(keys)
            if rng.random() < 0.45:
                if not (repeats and fresh[k] and rng.random() < 0.4):
                    fresh[k] += 1
                if k in own:
                    trash[k].append(own[k])
                own[k] = fresh[k]
                asked.append(["w", k, own[k]])
                done.append(asked[-1])
                continue
            asked.append(["r", k, None])
            done.append(["r", k, own.get(k) if k in own else values[k][-1] if rng.random() > stale else rng.choice(values[k])])
            if rng.random() < odd:
                done[-1][2] = rng.choice([*trash[k], fresh[k] + 1])
            elif k not in own and outcome == "ok":
                external.append(done[-1])
        emit(process, "invoke", asked)
        if outcome != "info" or rng.random() < 0.7:
            emit(process, outcome, done if outcome == "ok" else asked)
        for k, v in own.items():
            if outcome == "ok" or (outcome == "info" and rng.random() < 0.6):
                values[k].append(v)
            elif outcome == "fail":
                trash[k].append(v)
        if outcome == "info":
            processes[processes.index(process)] = max(processes) + 5
    if rng.random() < 0.35:
        for mop in external:
            if rng.random() < 0.6:
                mop[2] = rng.choice(values[mop[1]])
    return History(ops, {"order": "session", **({"first_txn": True} if first else {})})
