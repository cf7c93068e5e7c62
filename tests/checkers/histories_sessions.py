"""Histories of sessions of our own making: clients against one store, and anomalies to plant in them; as ops and as Plume's text."""

import random
from typing import NamedTuple

from harness.history.sessions import SessionTxn, history_of


class Line(NamedTuple):
    session: int
    ok: bool
    mops: list


def valid(count, seed, sessions=12, keys=40, life=24):
    """Serial: each transaction reads the newest values; 3 % abort. Keys are retired after `life` writes."""
    rng = random.Random(seed)
    live, fresh, written, store, made = list(range(keys)), keys, {}, {}, []
    for _ in range(count):
        own, mops = {}, []
        ok = rng.random() < 0.97
        for _ in range(rng.randint(1, 5)):
            at = rng.randrange(keys)
            if written.get(live[at], 0) >= life:
                live[at], fresh = fresh, fresh + 1
            k = live[at]
            if rng.random() < 0.5:
                mops.append(["r", k, own[k] if k in own else store.get(k)])
            else:
                own[k] = written[k] = written.get(k, 0) + 1
                mops.append(["w", k, own[k]])
        if ok:
            store.update(own)
        made.append(Line(rng.randrange(sessions), ok, mops if ok else [mop for mop in mops if mop[0] == "w"] or [["w", -1, count]]))
    return made


# name -> transactions (session, micro-ops) in order; sessions and keys of their own. "!" before the micro-ops: aborted.
PLANTS = {
    "garbage-read": [(0, "r x 7")],
    "G1a": [(0, "! w x 1"), (1, "r x 1")],
    "G1b": [(0, "w x 1, w x 2"), (1, "r x 1")],
    "future-read": [(0, "r x 1, w x 1")],
    "internal": [(0, "w x 1"), (1, "w x 2, r x 1")],
    "G1c": [(0, "r y 1, w x 1"), (1, "r x 1, w y 1")],
    "G1c-process": [(0, "r x 1"), (0, "w y 1"), (1, "r y 1"), (1, "w x 1")],
    "non-monotonic-read": [(0, "w x 1, w y 1"), (1, "w x 2, w y 2"), (2, "r x 1, r y 2"), (3, "r x 2, r y 1")],
    "non-monotonic-read-process": [(0, "w x 1"), (0, "w x 2, w y 2"), (1, "r y 2, r x 1")],
    "fractured-read": [(0, "w x 1, w y 1"), (1, "w x 2, w y 2"), (2, "r x 2, r y 1")],
    "fractured-read-process": [(0, "w x 1"), (0, "r x null")],
    "causality-violation": [(0, "w x 1"), (1, "r x 1, w x 2, w y 1"), (2, "r y 1, w z 1"), (3, "r z 1, r x 1")],
    "causality-violation-process": [(0, "w x 1"), (0, "w x 2, w y 1"), (1, "r y 1, w z 1"), (2, "r z 1, r x 1")],
}  # fmt: skip
LEVEL = {  # what each breaks first
    "fractured-read": "read-atomic", "fractured-read-process": "read-atomic",
    "causality-violation": "causal", "causality-violation-process": "causal",
}  # fmt: skip


def plant(made, name, seed=0, keys=10**6):
    """The transactions with those of an anomaly at random places, in their order."""
    rng = random.Random(seed)
    planted = list(made)
    places = sorted(rng.randrange(len(made) + 1) for _ in PLANTS[name])
    for shift, (at, (session, text)) in enumerate(zip(places, PLANTS[name], strict=True)):
        mops = []
        for mop in text.removeprefix("! ").split(", "):
            f, k, v = mop.split()
            mops.append([f, keys + "xyz".index(k), None if v == "null" else int(v)])
        planted.insert(at + shift, Line(100 + session, not text.startswith("!"), mops))
    return planted


def as_history(made):
    """Session after session."""
    txns = [SessionTxn(line.session, "ok" if line.ok else "fail", [list(mop) for mop in line.mops]) for line in made]
    return history_of(sorted(txns, key=lambda txn: txn.session))


def as_plume(made):
    """In the order of the list, as a file that was written while it ran."""
    lines = []
    for number, (session, ok, mops) in enumerate(made):
        lines += [f"{f}({k},{v or 0},{session},{number if ok else -1})\n" for f, k, v in mops if ok or f == "w"]
    return "".join(lines).encode()
