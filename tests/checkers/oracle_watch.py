"""The definition of the rules of streams, event by event and revision by revision, and random stores whose streams break them.

An event of a revision that nobody acknowledged is that of the first crashed write with the same change, invoked before the stream ended
and not used for another revision; streams are taken by their end.
"""

from checkers.watch import Watch
from harness.checker import CheckContext
from tests.checkers.interleave import interleave

CHECKER = Watch
TYPES = [
    "watch-unordered", "watch-duplicate", "watch-split", "watch-gap", "watch-resume", "watch-bookmark", "watch-prev", "watch-create",
    "watch-filter", "watch-wrong-event", "watch-phantom-event", "revision-order", "shared-revision",
]  # fmt: skip
FAULTS = ["drop", "twice", "split", "swap", "prev", "create", "filter", "mark", "value", "junk", "early", "number", "late"]


class Store:
    """A store with revisions, and streams of it that are broken in ways drawn once."""

    def __init__(self, rng):
        self.rng, self.kv, self.log, self.revision, self.values = rng, {}, [], 0, 0
        self.dense = rng.random() < 0.7
        self.fault = {name: rng.random() < 0.08 and rng.random() * 0.8 for name in FAULTS}

    def strikes(self, name):
        return self.fault[name] and self.rng.random() < self.fault[name]

    def write(self, changes):
        """The revision, None if nothing changed."""
        changes = [change for change in changes if change[0] == "put" or change[1] in self.kv]
        if not changes:
            return None
        self.revision += 1 if self.dense else self.rng.choice([1, 1, 2])
        events = []
        for kind, key, value in changes:
            prev = self.kv.pop(key, None)
            if kind == "put":
                self.kv[key] = value
            events.append({"revision": self.revision, "key": key, "kind": kind, "value": value, "prev": prev,
                           "create": kind == "put" and prev is None})  # fmt: skip
        self.log.append(events)
        if self.strikes("number"):
            return max(1, self.revision - self.rng.choice([1, 2]))
        return self.revision

    def stream(self, asked):
        start = asked["from"] - (2 if self.strikes("early") else 0)
        shown = []
        for events in self.log:
            if events[0]["revision"] <= start:
                continue
            mine = [self.bent(dict(event)) for event in events if self.wants(asked, event) or self.strikes("filter")]
            mine = [event for event in mine if not self.strikes("drop")]
            shown += [[event] for event in mine] if self.strikes("split") else [mine] if mine else []
            if mine and self.strikes("twice"):
                shown.append([dict(mine[0])])
            if self.rng.random() < 0.15:
                shown.append({"progress": events[0]["revision"] + (1 if self.strikes("mark") else 0)})
        if len(shown) > 1 and self.strikes("swap"):
            at = self.rng.randrange(len(shown) - 1)
            shown[at], shown[at + 1] = shown[at + 1], shown[at]
        if self.strikes("junk"):
            shown.append({"revision": self.revision + 1, "key": "a", "kind": "put", "value": 999})
        return shown[: self.rng.randint(0, len(shown))] if self.rng.random() < 0.3 else shown

    def wants(self, asked, event):
        return asked.get("key") in (None, event["key"]) and event["kind"] in asked.get("kinds", ["put", "delete"])

    def bent(self, event):
        if self.strikes("prev"):
            event["prev"] = self.rng.choice([None, 77])
        if self.strikes("create"):
            event["create"] = not event["create"]
        if self.strikes("value"):
            event["value"] = 55
        if self.strikes("late"):
            event["revision"] = max(1, event["revision"] + self.rng.choice([1, -1]))
        for name in ("prev", "create"):
            if self.rng.random() < 0.2:
                del event[name]
        return event


def random_history(rng):
    store, keys = Store(rng), ["a", "b", "c"][: rng.randint(1, 3)]

    def change():
        store.values += 1
        return ["put", rng.choice(keys), store.values] if rng.random() < 0.7 else ["delete", rng.choice(keys)]

    def ask(rng, client):
        draw = rng.random()
        if draw < 0.3:
            asked = {"from": rng.randint(0, store.revision)}
            asked |= {"key": rng.choice(keys)} if rng.random() < 0.3 else {}
            return "watch", asked | ({"kinds": [rng.choice(["put", "delete"])]} if rng.random() < 0.2 else {})
        if draw < 0.45:
            first, second = change(), change()
            return "txn", [first] if first[1] == second[1] else [first, second]
        kind, key, *value = change()
        return kind, {"key": key, "value": value[0]} if kind == "put" else {"key": key}

    def act(asked):
        if asked.f == "watch":
            asked.result, asked.shows = store.stream(asked.value), True
            return
        changes = asked.value if asked.f == "txn" else [[asked.f, *asked.value.values()]]
        asked.ext = {"revision": store.write([[kind, key, value[0] if value else None] for kind, key, *value in changes])}

    crash, fail = rng.choice([0.0, 0.2]), rng.choice([0.0, 0.1])
    final = [("watch", {"from": 0}, "n1")] if rng.random() < 0.6 else []
    count = rng.randint(6, 13)
    history = interleave(rng, ask, act, clients=rng.randint(1, 4), count=count, crash=crash, fail=fail, final=final)
    return history, CheckContext(expected=rng.choice(["", "linearizable", "sequential"])), {}


def expected(history, context, options):
    writes, streams = parsed(history)
    known = {}  # (revision, key) -> [kind, value, sure]
    for f, _, _, revision, changes in writes:
        for key, (kind, value) in changes.items() if revision is not None else ():
            known.setdefault((revision, key), [kind, value, kind == "put" or f == "delete"])
    counts = dict.fromkeys(TYPES, 0)
    used = set()
    for _, ret, _, items in sorted(streams, key=lambda stream: stream[1]):
        for event in (item for item in items if "key" in item):
            place, change = (event["revision"], event["key"]), (event["kind"], event["value"])
            if place in known:
                counts["watch-wrong-event"] += tuple(known[place][:2]) != change
                known[place][2] |= tuple(known[place][:2]) == change
                continue
            maker = next((call for _, call, _, revision, changes in writes if revision is None and call < ret
                          and changes.get(event["key"]) == change and (call, event["key"]) not in used), None)  # fmt: skip
            if maker is None:
                counts["watch-phantom-event"] += 1
            else:
                used.add((maker, event["key"]))
                known[place] = [*change, True]
    loose = [(key, value) for _, call, _, revision, changes in writes if revision is None for key, (_, value) in changes.items()
             if (call, key) not in used]  # fmt: skip
    for stream in streams:
        for type_ in wrong(stream, known, loose):
            counts[type_] += 1
    acked = [(call, ret, revision) for _, call, ret, revision, _ in writes if revision is not None]
    counts["revision-order"] = sum(any(a[1] < b[0] and a[2] > b[2] for a in acked) for b in acked)
    counts["shared-revision"] = sum(any(a[0] < b[0] and a[2] == b[2] for a in acked) for b in acked)
    counts = {type_: count for type_, count in counts.items() if count}
    if set(counts) - ({"revision-order"} if context.expected == "sequential" else set()):
        return False, counts
    return (True if any("key" in item for _, _, _, items in streams for item in items) else "unknown"), counts


def parsed(history):
    """Writes (f, call, ret, revision, {key: (kind, value)}) that may have changed something; streams (call, ret, asked, items)."""
    writes, streams = [], []
    for invoke, done in history.calls():
        outcome = done.type if done else "info"
        if invoke.f == "watch":
            if done is not None and isinstance(done.value, list) and outcome != "fail":
                items = []
                for at, delivery in enumerate(done.value):
                    for item in delivery if isinstance(delivery, list) else [delivery]:
                        items.append(item | {"at": at, "value": item.get("value") if item.get("kind") == "put" else None})
                streams.append((invoke.index, done.index, invoke.value, items))
        elif outcome != "fail" and not (outcome == "ok" and done.ext["revision"] is None):
            changes = invoke.value if invoke.f == "txn" else [[invoke.f, *invoke.value.values()]]
            table = {key: (kind, value[0] if value else None) for kind, key, *value in changes}
            ok = outcome == "ok"
            writes.append((invoke.f, invoke.index, done.index if ok else float("inf"), done.ext["revision"] if ok else None, table))
    return writes, streams


def wrong(stream, known, loose):
    """The types that one stream breaks, one for each event that came or is missing."""
    _, _, asked, items = stream
    events = [item for item in items if "key" in item]
    for i, item in enumerate(items):
        if "key" not in item:
            continue
        revision, key, kind = item["revision"], item["key"], item["kind"]
        before = [other for other in items[:i] if "key" in other]
        marks = [other["progress"] for other in items[:i] if "progress" in other]
        if asked.get("key", key) != key or kind not in asked.get("kinds", [kind]):
            yield "watch-filter"
        if revision <= asked["from"]:
            yield "watch-resume"
        if any(revision <= mark for mark in marks):
            yield "watch-bookmark"
        if any((other["revision"], other["key"]) == (revision, key) for other in before):
            yield "watch-duplicate"
            continue
        if any(other["revision"] > revision for other in before):
            yield "watch-unordered"
        elif any(other["revision"] == revision and other["at"] != item["at"] for other in before):
            first = next(other for other in before if other["revision"] == revision)
            if first["at"] != item["at"]:
                yield "watch-split"
        made = max((r for r, k in known if k == key and r < revision), default=0)
        prev = known[made, key][1] if made else None
        free = [r for r in range(made + 1, revision) if not any(other == r for other, _ in known)]
        others = [value for k, value in loose if k == key] if free else []
        if "prev" in item and item["prev"] != prev and item["prev"] not in others:
            yield "watch-prev"
        creates, excused = kind == "put" and prev is None, kind == "put" and [(value is None) for value in others]
        if "create" in item and item["create"] != creates and not (excused and item["create"] in excused):
            yield "watch-create"
    marked = max((item["progress"] for item in items if "progress" in item), default=0)
    revisions = [event["revision"] for event in events]
    for (revision, key), (kind, _, sure) in known.items():
        came = any((event["revision"], event["key"]) == (revision, key) for event in events)
        if came or not sure or revision <= asked["from"] or asked.get("key", key) != key or kind not in asked.get("kinds", [kind]):
            continue
        if revision <= marked:
            yield "watch-bookmark"
        elif revision in revisions:
            yield "watch-split"
        elif revisions and revision < max(revisions):
            yield "watch-resume" if revision < min(revisions) else "watch-gap"
