"""Proving a witness of a watch again, from the quoted stream and the writes alone.

Why it exists  whatever found it, this small function must agree that the quoted ops show it.
Relies on      streams.py for the shape of ops, and on nothing of model.py or rules.py.
"""

from __future__ import annotations

from collections.abc import Hashable

from checkers.transactions.txns import ident
from checkers.watch.streams import ABSENT, NULL, Event, Mark, Stream, Write, read
from harness.history.history import History
from harness.verdict import Anomaly


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted watch, or the quoted writes, break the rule that the type names. Cost: a pass over all writes and streams."""
    writes, streams = read(history)
    witness = anomaly.witness
    if "writes" in witness:
        first, second = (next(write for write in writes if write.call == call) for call in witness["writes"])
        if first.revision is None or second.revision is None:
            return False
        same = first.call != second.call and first.revision == second.revision
        return same if anomaly.type == "shared-revision" else first.ret < second.call and second.revision < first.revision
    stream = next(stream for stream in streams if stream.call == witness["stream"])
    name = (witness["revision"], ident(witness["key"]))
    if witness.get("missing"):
        return _is_missing(anomaly, stream, name, writes, streams)
    places = [i for i, item in enumerate(stream.items) if isinstance(item, Event) and (item.revision, item.key) == name]
    places = [i for i in places if stream.items[i].at == witness["delivery"]]
    if anomaly.type in ("watch-prev", "watch-create"):
        values = _before(anomaly, name, writes, streams)
        return any(_unlike(anomaly.type, stream.items[i], before) for i in places for before in values)
    return any(_breaks(anomaly.type, stream, i, writes, streams) for i in places)


def _is_missing(anomaly: Anomaly, stream: Stream, name: tuple[int, Hashable], writes: list[Write], streams: list[Stream]) -> bool:
    """Somebody knows of the event, the stream lacks it, and came past it."""
    revision, key = name
    by = anomaly.witness["known_by"]
    written = any(write.call == by and write.revision == revision and key in write.changes for write in writes)
    delivered = any(other.call == by and any((event.revision, event.key) == name for event in other.events) for other in streams)
    revisions = [event.revision for event in stream.events]
    marks = [item.revision for item in stream.items if isinstance(item, Mark)]
    if not (written or delivered) or any((event.revision, event.key) == name for event in stream.events) or revision <= stream.start:
        return False
    return {
        "watch-bookmark": bool(marks) and revision <= max(marks),
        "watch-split": revision in revisions,
        "watch-resume": bool(revisions) and revision < min(revisions),
        "watch-gap": bool(revisions) and min(revisions) < revision < max(revisions),
    }[anomaly.type]


def _breaks(type_: str, stream: Stream, at: int, writes: list[Write], streams: list[Stream]) -> bool:
    event = stream.items[at]
    assert isinstance(event, Event), "found by its key"
    earlier = [item for item in stream.items[:at] if isinstance(item, Event)]
    marks = [item.revision for item in stream.items[:at] if isinstance(item, Mark)]
    if type_ == "watch-phantom-event":
        return _unexplained(event, stream, writes, streams)
    if type_ == "watch-wrong-event":
        others = [write.changes[event.key] for write in writes if write.revision == event.revision and event.key in write.changes]
        others += [(e.kind, e.value) for s in streams for e in s.events if (e.revision, e.key) == (event.revision, event.key)]
        return any(other != (event.kind, event.value) for other in others)
    return {
        "watch-filter": not stream.wants(event.key, event.kind),
        "watch-resume": event.revision <= stream.start,
        "watch-bookmark": any(event.revision <= mark for mark in marks),
        "watch-duplicate": any((e.revision, e.key) == (event.revision, event.key) for e in earlier),
        "watch-unordered": any(e.revision > event.revision for e in earlier),
        "watch-split": any(e.revision == event.revision and e.at != event.at for e in earlier),
    }[type_]


def _before(anomaly: Anomaly, name: tuple[int, Hashable], writes: list[Write], streams: list[Stream]) -> list[Hashable]:
    """What the quoted op gave the key before; nothing if it did not, or if an acknowledged write changed it since."""
    made, by, (revision, key) = anomaly.witness["made"], anomaly.witness["known_by"], name
    if any(w.revision is not None and made < w.revision < revision and key in w.changes for w in writes):
        return []
    values: list[Hashable] = [ABSENT] if by is None else []
    values += [w.changes[key][1] for w in writes if w.call == by and w.revision == made and key in w.changes]
    values += [e.value for s in streams if s.call == by for e in s.events if (e.revision, e.key) == (made, key)]
    return values if made < revision else []


def _unlike(type_: str, event: Event | Mark, before: Hashable) -> bool:
    assert isinstance(event, Event), "found by its key"
    if type_ == "watch-prev":
        return event.prev is not None and event.prev != (NULL if before == ABSENT else before)
    return event.create is not None and event.create != (event.kind == "put" and before == ABSENT)


def _unexplained(event: Event, stream: Stream, writes: list[Write], streams: list[Stream]) -> bool:
    """Streams that ended by then show this change at more revisions than there are writes of unknown revision that may have made it."""
    change = (event.kind, event.value)
    told = {write.revision for write in writes if write.revision is not None and event.key in write.changes}
    shown = {
        e.revision for s in streams if s.ret <= stream.ret for e in s.events if e.key == event.key and (e.kind, e.value) == change
    } - told
    makers = [w for w in writes if w.revision is None and w.changes.get(event.key) == change and w.call < stream.ret]
    return event.revision not in told and len(shown) > len(makers)
