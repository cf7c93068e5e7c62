"""The definition of a log's anomalies, value by value and step by step, and random logs that lose, repeat, hide and reorder.

Cycles are looked for by trying every walk; nothing here is imported from the checker but its class.
"""

from checkers.log import Log
from harness.checker import CheckContext
from tests.checkers.interleave import interleave

CHECKER = Log
CYCLES = ["G1c", "G1c-process", "G1c-realtime"]
TYPES = [
    "inconsistent-offsets", "duplicate", "G1a", "garbage-read", "precommitted-read", "lost-write", "int-poll-skip", "int-nonmonotonic-poll",
    "int-send-skip", "int-nonmonotonic-send", "poll-skip", "nonmonotonic-poll", "nonmonotonic-send", "unseen", *CYCLES,
    "G0", "G0-process", "G0-realtime",
]  # fmt: skip
FAULTS = ["lost", "twice", "same", "skip", "back", "junk", "hidden", "torn", "late"]
RARE = ["G0", "G0-process", "G0-realtime", "G1c-process", "G1c-realtime"]
INF = float("inf")


class Broker:
    """Logs by key, consumers' positions by client, broken in ways drawn once."""

    def __init__(self, rng):
        self.rng, self.logs, self.at, self.keys = rng, {"1": [], "x": []}, {}, {}
        self.fault = {name: rng.random() < 0.1 and rng.random() * 0.7 for name in FAULTS}
        self.next = {"1": 0, "x": 0}

    def strikes(self, name):
        return self.fault[name] and self.rng.random() < self.fault[name]

    def send(self, key, value):
        log, name = self.logs[str(key)], str(key)
        offset = self.next[name]
        if self.strikes("same") and log:
            offset = log[-1][0]
        if not self.strikes("lost"):
            log.append((offset, value))
        if self.strikes("twice"):
            log.append((offset + 2, value))
        self.next[name] = max(self.next[name], offset) + self.rng.choice([1, 1, 1, 2, 3])
        return [None if self.strikes("hidden") else offset, value]

    def poll(self, client):
        shown = {}
        for key in self.keys.get(client, []):
            log = sorted(self.logs[key], key=lambda entry: entry[0])
            at = self.at.get((client, key), 0)
            if self.strikes("back"):
                at = max(0, at - 1)
            if self.strikes("skip"):
                at += 1
            much = self.rng.choice([0, 1, 2, 9])
            seen = [list(entry) for entry in log[at : at + much]]
            if len(seen) > 1 and self.strikes("torn"):
                seen.pop(self.rng.randrange(len(seen))) if self.rng.random() < 0.5 else seen.reverse()
            if seen and self.strikes("junk"):
                seen[-1] = [seen[-1][0], 777]
            self.at[client, key] = at + len(seen)
            if seen:
                shown[key] = seen
        return shown


def random_history(rng):
    broker, values = Broker(rng), [0]
    again, subscribes, mixed = rng.random() < 0.06, rng.random() < 0.25, rng.random() < 0.7
    lazy, eager = rng.random() < 0.5, rng.choice([0, 0, 0.9])
    early = {}  # sends that others see before their transaction ends

    def fresh():
        values[0] += 1
        return rng.randint(1, values[0]) if again and rng.random() < 0.4 else values[0]

    def ask(rng, client):
        draw = rng.random()
        if client not in broker.keys or draw < 0.1:
            keys = rng.choice([[1], ["x"], [1, "x"]])
            broker.keys.setdefault(client, [])
            return "subscribe" if subscribes else "assign", keys
        if draw < 0.13:
            return "crash", None
        number = rng.choice([1, 1, 2, 3]) if not eager else rng.choice([2, 2, 3, 4])
        kinds = [rng.choice(["send", "poll"])] * number if not mixed or draw < 0.6 else rng.choices(["send", "poll"], k=number)
        mops = [["send", rng.choice([1, "x"]), fresh()] if kind == "send" else ["poll"] for kind in kinds]
        for mop in mops if rng.random() < eager else ():
            if mop[0] == "send":
                early[mop[2]] = broker.send(mop[1], mop[2])
        return ("txn" if len(set(kinds)) > 1 else kinds[0]), mops

    def act(asked):
        client = asked.client
        if asked.f in ("assign", "subscribe"):
            names = [str(key) for key in asked.value]
            seek = rng.random() < 0.4
            for key in names:
                if seek or key not in broker.keys.get(client, []):
                    broker.at[client, key] = 0
            broker.keys[client] = names
            asked.ext = {"seek_to_beginning": True} if seek else None
            return
        if asked.f == "crash":
            broker.keys.pop(client, None)
            return
        asked.result, asked.shows = [], rng.random() < 0.5
        for mop in asked.value:
            if mop[0] == "send":
                asked.result.append(["send", mop[1], early.pop(mop[2], None) or broker.send(mop[1], mop[2])])
            else:
                asked.result.append(["poll", broker.poll(client)])
        if broker.strikes("late") and asked.f != "send":
            asked.result = [m if m[0] == "send" else ["poll", broker.poll(client)] for m in asked.result]
        if subscribes and rng.random() < 0.2:
            asked.ext = {"rebalanced": rng.choice([[1], ["x"]])}

    crash, fail, dirty = rng.choice([0.0, 0.2]), rng.choice([0.0, 0.1]), rng.choice([0, 0, 0.5])
    final = [("assign", [1, "x"], "n1"), *[("poll", [["poll"]], "n1")] * 5] if rng.random() < 0.75 else []
    count = rng.randint(6, 14)
    clients = rng.randint(1, 3)
    history = interleave(
        rng, ask, act, clients=clients, count=count, crash=crash, fail=fail, dirty=dirty, final=final, haste=0.3 if lazy else 0.8
    )
    return history, CheckContext(expected=rng.choice(["", "serializable"])), {"final": True} if rng.random() < 0.15 else {}


class One:
    """An op, read naively."""

    def __init__(self, invoke, done):
        self.f, self.process, self.call = invoke.f, invoke.process, invoke.index
        self.outcome = done.type if done else "info"
        self.ok, self.lost = self.outcome == "ok", self.outcome == "fail"
        self.ret = done.index if done and self.outcome != "info" else INF
        shown = done.value if done is not None and isinstance(done.value, list) else invoke.value
        self.asks = self.f in ("send", "poll", "txn") and any(mop[0] == "poll" for mop in invoke.value)
        self.sends, self.polls, self.keys = [], [], []
        ext = (done.ext if done else None) or {}
        self.seek, self.rebalanced = ext.get("seek_to_beginning", False), [str(k) for k in ext.get("rebalanced", [])]
        if self.f in ("assign", "subscribe"):
            self.keys = [str(key) for key in invoke.value]
        elif self.f != "crash":
            for asked, mop in zip(invoke.value, shown, strict=True):
                if asked[0] == "send":
                    offset = mop[2][0] if isinstance(mop[2], list) else None
                    self.sends.append((str(asked[1]), asked[2], offset))
                elif len(mop) > 1:
                    self.polls += [(key, value, offset) for key, pairs in mop[1].items() for offset, value in pairs]


def expected(history, context, options):
    ops = [One(invoke, done) for invoke, done in history.calls()]
    counts = dict.fromkeys(TYPES, 0)
    allowed = set()
    ok_reads = {(k, v) for op in ops if op.ok for k, v, _ in op.polls}
    shown = {(k, v) for op in ops for k, v, _ in op.polls}
    senders = {}
    for op in ops:
        for k, v, _ in op.sends if not op.lost else ():
            senders.setdefault((k, v), []).append(op)
    losers = {(k, v) for op in ops if op.lost for k, v, _ in op.sends}
    repeated = {name for name, who in senders.items() if len(who) > 1}
    sure = [op for op in ops if op.ok or (not op.lost and any((k, v) in ok_reads - repeated for k, v, _ in op.sends))]
    placed, rank, spots = logs_of(ops, sure)
    slots = {(k, o) for k, o, _ in placed}
    counts["inconsistent-offsets"] = sum(len({v for k, o, v in placed if (k, o) == slot}) > 1 for slot in slots)
    counts["duplicate"] = sum(len(o) > 1 and name not in repeated for name, o in spots.items())
    counts["garbage-read"] = sum(name not in senders and name not in losers for name in shown)
    for op in ops:
        own, polled = {(k, v) for k, v, _ in op.sends}, {(k, v) for k, v, _ in op.polls}
        counts["precommitted-read"] += len(own & polled)
        counts["G1a"] += sum(name not in senders and name in losers for name in polled) if op.ok else 0
    lost = set()
    for name, offsets in spots.items():
        if name in ok_reads or len(senders.get(name, [])) != 1 or senders[name][0] not in sure:
            continue
        firsts = [rank[k, spots[k, v][0]] for k, v in ok_reads if k == name[0] and (k, v) in spots]
        if firsts and rank[name[0], offsets[-1]] <= max(firsts):
            lost.add(name)
    counts["lost-write"] = len(lost)

    def index(entry):
        k, v, o = entry
        places = [o] if o is not None else spots.get((k, v), [])
        return rank.get((k, places[0])) if len(places) == 1 else None

    def far(a, b):
        return 1 if index(a) is None or index(b) is None else index(b) - index(a)

    for op in ops:
        for kind, line in (("poll", op.polls), ("send", op.sends if op in sure else [])):
            for key in {k for k, _, _ in line}:
                mine = [e for e in line if e[0] == key]
                for a, b in zip(mine, mine[1:]):  # noqa: RUF007
                    if far(a, b) != 1 and not (kind == "poll" and key in op.rebalanced):
                        counts[f"int-{kind}-skip" if far(a, b) > 1 else f"int-nonmonotonic-{kind}"] += 1
    for type_, _, allow in between(ops, far):
        counts[type_] += 1
        allowed |= {type_} if allow else set()
    breaking = {type_ for type_, _, allow in between(ops, far) if not allow}
    unseen = [n for n, who in senders.items() if n not in ok_reads and n not in lost and any(op.ok for op in who)]
    if options.get("final"):
        counts["unseen"] = sum(n not in repeated for n in unseen)
    else:
        counts["unseen"] = sum(n not in repeated and not_found(n, senders[n][0], ops, index, spots, rank) for n in unseen)
    bad, shown_types = circles(ops, sure, senders, placed, ok_reads)
    for type_ in bad | shown_types:
        counts[type_] = None
    counts = {type_: count for type_, count in counts.items() if count != 0}
    allowed |= {type_ for type_ in shown_types if type_ not in bad} | {"int-send-skip"}
    broken = {type_ for type_ in counts if type_ not in allowed or type_ in breaking or type_ in bad}
    if context.expected == "serializable":
        broken -= {"G1c-process", "G1c-realtime"}
    if broken:
        return False, counts
    return ("unknown" if repeated or not ok_reads or len(unseen) > (counts.get("unseen") or 0) else True), counts


def logs_of(ops, sure):
    """(key, offset, value) of all that is known; the rank of each (key, offset); the offsets of each (key, value)."""
    entries = [e for op in ops for e in op.polls] + [e for op in sure for e in op.sends]
    placed = {(k, o, v) for k, v, o in entries if o is not None}
    rank = {(k, o): len({p for key, p, _ in placed if key == k and p < o}) for k, o, _ in placed}
    spots = {}
    for k, o, v in sorted(placed, key=lambda entry: (entry[0], entry[1])):
        spots.setdefault((k, v), []).append(o)
    return placed, rank, spots


def between(ops, far):
    """(type, key, whether it is allowed) from op to op of a process."""
    for i, op in enumerate(ops):
        if not op.ok:
            continue
        before = [other for other in ops[:i] if other.process == op.process]
        subscribes = ([other.f for other in before if other.f in ("assign", "subscribe") and not other.lost] or [""])[-1] == "subscribe"
        for key in {k for k, _, _ in op.polls}:
            last = None
            for other in before:
                mine = [e for e in other.polls if e[0] == key]
                if other.f in ("assign", "subscribe", "crash"):
                    last = last if other.lost or (key in other.keys and not other.seek) else None
                elif mine:
                    last = mine[-1] if other.ok else None
            first = next(e for e in op.polls if e[0] == key)
            if last is not None and far(last, first) != 1 and key not in op.rebalanced:
                yield "poll-skip" if far(last, first) > 1 else "nonmonotonic-poll", key, subscribes
        for key in {k for k, _, _ in op.sends}:
            sent = [e for other in before if other.ok for e in other.sends if e[0] == key]
            if sent and far(sent[-1], next(e for e in op.sends if e[0] == key)) < 1:
                yield "nonmonotonic-send", key, False


def not_found(name, writer, ops, index, spots, rank):
    """Did some poll that began after the acknowledgement, by an assigned consumer that was before the value, give nothing?"""
    key = name[0]
    place = rank[key, spots[name][0]] if len(spots.get(name, [])) == 1 else None
    for i, op in enumerate(ops):
        if not (op.ok and op.asks and not op.polls and op.call > writer.ret):
            continue
        before = [other for other in ops[:i] if other.process == op.process]
        whole, last, mode = False, None, ""
        for other in before:
            if other.f in ("assign", "subscribe", "crash") and not other.lost:
                whole = key in other.keys and (whole or other.seek)
                last = last if key in other.keys and not other.seek and other.f != "crash" else None
                mode = other.f if other.f != "crash" else mode
            elif other.ok and [e for e in other.polls if e[0] == key]:
                last = [e for e in other.polls if e[0] == key][-1]
        behind = last is not None and index(last) is not None and place is not None and index(last) < place
        if mode != "subscribe" and (whole or behind):
            return True
    return False


def circles(ops, sure, senders, placed, ok_reads):
    """(types of cycles of polls alone, types of cycles that need the log's order)."""
    number = {id(op): i for i, op in enumerate(ops)}
    wr, ww = set(), set()
    for op in ops:
        for k, v, _ in op.polls if op.ok else ():
            who = senders.get((k, v), [])
            if len(who) == 1 and who[0] is not op:
                wr.add((number[id(who[0])], number[id(op)]))
    for k, o, v in placed:
        after = sorted({p for key, p, _ in placed if key == k and p > o})
        here = [x for key, p, x in placed if (key, p) == (k, o)]
        there = [x for key, p, x in placed if after and (key, p) == (k, after[0])]
        if len(here) == len(there) == 1 and all(sum((key, x) == (k, w) for key, _, x in placed) == 1 for w in here + there):
            one, two = senders.get((k, v), []), senders.get((k, there[0]), [])
            if len(one) == len(two) == 1 and one[0] is not two[0] and one[0] in sure and two[0] in sure:
                ww.add((number[id(one[0])], number[id(two[0])]))
    nodes = [number[id(op)] for op in sure if op.sends or op.polls]
    time = {(a, b) for a in nodes for b in nodes if ops[a].ok and ops[a].ret < ops[b].call}
    same = {(a, b) for a, b in time if ops[a].process == ops[b].process}
    other = time - same
    bad = set(names(wr, set(), same, other))
    mixed = set(names(wr - ww, ww, same, other))
    return bad, mixed


def names(wr, ww, same, other):
    """Types of cycles that exist, component by component, those left out that another in the component implies."""
    everything = wr | ww | same | other
    reach = closure(everything)
    components = {frozenset(n for n in reach if n in reach[m] and m in reach[n]) for m in reach}
    for members in components:
        mine = [{(a, b) for a, b in edges if a in members and b in members} for edges in (wr, ww, same, other)]
        found = set()
        for suffix in ("", "-process", "-realtime"):
            for base, plain, must in (("G0", mine[1], mine[1]), ("G1c", mine[0] | mine[1], mine[0])):
                implied = {"G0"} if base == "G0" else {"G0", "G1c"}
                if not any(name + hidden in found for name in implied for hidden in ("", suffix)) and exists(
                    suffix, plain, must, *mine[2:]
                ):
                    found.add(base + suffix)
        yield from found


def closure(edges):
    """Node -> all nodes that it reaches, itself among them."""
    reach = {node: {node} for pair in edges for node in pair}
    for _ in reach:
        for a, b in edges:
            for node in reach:
                if a in reach[node]:
                    reach[node].add(b)
    return reach


def exists(suffix, plain, must, same, other):
    """Is there a closed walk with one of `must`: of plain edges; with one of the process's too; or closed by one step of real time?"""
    reach = closure(plain | same if suffix == "-process" else plain)
    steps = {"": must, "-process": same, "-realtime": other}[suffix]
    for a, b in must:
        for c, d in steps:
            if suffix == "" and a in reach[b]:
                return True
            if suffix and c in reach[b] and a in reach.get(d, ()):
                return True
    return False
