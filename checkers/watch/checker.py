"""The watch checker: every stream by the rules, the writes' revisions against real time, and the sentences.

Decides    see the package's opening.
Right      what came is judged event by event, what is missing by the model; a write's revision by those acknowledged before it began.
Unknown    no watch delivered an event.
Rules out  linearizable, for revisions against real time.
Source     see the package's opening.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar

from checkers.findings import Findings
from checkers.transactions.txns import NEVER, plain, show
from checkers.watch.model import Model
from checkers.watch.rules import (
    BOOKMARK,
    CREATE,
    DUPLICATE,
    FILTER,
    GAP,
    PHANTOM,
    PREV,
    RESUME,
    SPLIT,
    UNORDERED,
    WRONG,
    Broken,
    broken,
)  # fmt: skip
from checkers.watch.streams import Event, Mark, Write, read
from harness.checker import CheckContext
from harness.history.history import History
from harness.verdict import Anomaly, Verdict

ORDER, SHARED = "revision-order", "shared-revision"
SEVERITY = (PHANTOM, WRONG, GAP, RESUME, BOOKMARK, SPLIT, DUPLICATE, UNORDERED, FILTER, PREV, CREATE, SHARED, ORDER)


class Watch:
    """Judges `watch` streams against `put`, `delete` and `txn`; shapes in streams.py and docs/checkers.md."""

    name: ClassVar[str] = "watch"

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"streams", "events", "marks", "writes", "unplaced": writes whose revision nobody knows, "revisions"}. counts: events that
        came or are missing; writes. Cost: O((events + revisions) · streams)."""
        writes, streams = read(history)
        model = Model(writes, streams)
        findings = Findings(context.expected, SEVERITY)
        for stream, event in model.strangers:
            findings.add(PHANTOM, (), partial(_tell, Broken(PHANTOM, stream, event), model))
        for stream, event in model.different:
            findings.add(WRONG, (), partial(_tell, Broken(WRONG, stream, event), model))
        for stream in streams:
            for one in broken(stream, model):
                findings.add(one.type, (), partial(_tell, one, model))
        for type_, first, second in misnumbered(writes):
            models = ("linearizable",) if type_ == ORDER else ()
            findings.add(type_, models, partial(_tell_writes, type_, first, second))
        facts = {
            "streams": len(streams),
            "events": sum(len(stream.events) for stream in streams),
            "marks": sum(len(stream.items) - len(stream.events) for stream in streams),
            "writes": len(writes),
            "unplaced": len(model.loose),
            "revisions": len(model.revisions),
        }
        return findings.verdict(facts, "" if facts["events"] else "no watch delivered an event, so nothing was observed")


def misnumbered(writes: Sequence[Write]) -> Iterator[tuple[str, Write, Write]]:
    """(type, earlier write, later one): two with one revision; one that began after another had ended, and got no higher revision."""
    numbered = [write for write in writes if write.revision is not None]
    holder: dict[int, Write] = {}
    for write in numbered:
        assert write.revision is not None, "it was numbered"
        if write.revision in holder:
            yield SHARED, holder[write.revision], write
        holder.setdefault(write.revision, write)
    by_end = sorted(numbered, key=lambda write: write.ret)
    highest: Write | None = None
    at = 0
    for write in sorted(numbered, key=lambda write: write.call):
        while at < len(by_end) and by_end[at].ret < write.call:
            ended = by_end[at]
            highest = ended if highest is None or _revision(ended) > _revision(highest) else highest
            at += 1
        if highest is not None and _revision(write) < _revision(highest):
            yield ORDER, highest, write


def _revision(write: Write) -> int:
    assert write.revision is not None, "it was numbered"
    return write.revision


def _name(event: Event) -> str:
    value = f" {show(event.value)}" if event.kind == "put" else ""
    return f"{event.kind} {show(event.key)}{value} at revision {event.revision}"


def _tell(one: Broken, model: Model) -> Anomaly:
    stream, event = one.stream, one.event
    watch = f"watch #{stream.call}"
    witness: dict[str, object] = {"stream": stream.call}
    ops = [stream.call, stream.ret]
    if event is not None:
        witness |= {"revision": event.revision, "key": plain(event.key), "delivery": event.at}
        if one.type in (PREV, CREATE):
            _, made = model.before(event.key, event.revision)
            witness |= {"made": made, "known_by": model.at[made][event.key].by if made in model.at else None}
        message = f"{watch} delivered {_name(event)}{_against(one, model)}"
    else:
        assert one.missing is not None, "an event came or is missing"
        revision, key = one.missing
        by = one.reference
        assert isinstance(by, int), "of what is missing somebody knows"
        change = model.at[revision][key]
        witness |= {"revision": revision, "key": plain(key), "missing": True, "known_by": by}
        ops.append(by)
        value = f" {show(change.value)}" if change.kind == "put" else ""
        message = f"{watch} (from revision {stream.start}) never delivered {change.kind} {show(key)}{value} at revision {revision} (#{by})"
        message += _although(one)
    return Anomaly(one.type, message, sorted(set(ops)), witness=witness)


def _although(one: Broken) -> str:
    assert one.missing is not None, "it is missing"
    revision = one.missing[0]
    if one.type == BOOKMARK:
        return ", though a progress mark said that all up to there had come"
    if one.type == SPLIT:
        return ", though it delivered others of that revision: a revision comes whole"
    later = min(event.revision for event in one.stream.events if event.revision > revision)
    return f", though it delivered revision {later}"


def _against(one: Broken, model: Model) -> str:
    event, reference = one.event, one.reference
    assert event is not None, "it came"
    if one.type == PHANTOM:
        return ", but no write that can have happened explains it"
    if one.type == WRONG:
        change = model.at[event.revision][event.key]
        value = f" {show(change.value)}" if change.kind == "put" else ""
        return f", but #{change.by} shows that it was {change.kind}{value}"
    if one.type == RESUME:
        return f", but it was asked for what comes after revision {one.stream.start}"
    if one.type == FILTER:
        return ", which it was not asked for"
    if one.type == PREV:
        return f" with the previous value {show(event.prev)}, but it was {show(reference)}"
    if one.type == CREATE:
        return f" as {'a' if event.create else 'no'} creation, but before it the key held {show(reference)}"
    if isinstance(reference, Mark):
        return f" after a progress mark at {reference.revision}"
    assert isinstance(reference, Event), "all others contradict an event"
    if one.type == DUPLICATE:
        return " twice"
    if one.type == UNORDERED:
        return f" after revision {reference.revision}"
    return f" apart from {_name(reference)}: a revision comes whole"


def _tell_writes(type_: str, first: Write, second: Write) -> Anomaly:
    ops = sorted({first.call, first.ret, second.call, second.ret} - {NEVER})
    if type_ == SHARED:
        message = f"{first.f} #{first.call} and {second.f} #{second.call} were both acknowledged with revision {first.revision}"
    else:
        message = (
            f"{second.f} #{second.call} got revision {second.revision}, though {first.f} #{first.call}, which had ended at #{first.ret} "
            f"before it began, got {first.revision}"
        )
    return Anomaly(type_, message, ops, witness={"writes": [first.call, second.call]})
