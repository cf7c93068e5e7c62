"""The rules of one stream, each by the type of what breaks it.

Why it exists  a stream is walked once; what is missing from it is looked up in the model afterwards.
Relies on      an event counts as missing only if the stream came past it: it delivered a later revision, or a mark at or after it.

Each event that is missing has one name: `watch-bookmark` if a mark says that it came, else `watch-split` if others of its revision came,
else `watch-resume` if nothing had come before it, else `watch-gap`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterator
from typing import NamedTuple

from checkers.watch.model import Model
from checkers.watch.streams import ABSENT, NULL, PUT, Event, Mark, Stream

UNORDERED, DUPLICATE, SPLIT, GAP, RESUME = "watch-unordered", "watch-duplicate", "watch-split", "watch-gap", "watch-resume"
BOOKMARK, PREV, CREATE, FILTER = "watch-bookmark", "watch-prev", "watch-create", "watch-filter"
WRONG, PHANTOM = "watch-wrong-event", "watch-phantom-event"


class Broken(NamedTuple):
    """A rule that a stream broke: by an event that came, or by one that is missing (revision and key).

    reference   what it contradicts: the earlier event, mark or revision; of previous values the value that must stand there
    """

    type: str
    stream: Stream
    event: Event | None = None
    missing: tuple[int, Hashable] | None = None
    reference: Event | Mark | Hashable | None = None


def broken(stream: Stream, model: Model) -> Iterator[Broken]:
    """All that is wrong with a stream, what came first, then what is missing, by revision."""
    yield from _came(stream, model)
    yield from _missing(stream, model)


def _came(stream: Stream, model: Model) -> Iterator[Broken]:
    seen: dict[tuple[int, Hashable], Event] = {}
    first_of: dict[int, Event] = {}
    highest: Event | None = None
    mark: Mark | None = None
    for item in stream.items:
        if isinstance(item, Mark):
            mark = item if mark is None or item.revision > mark.revision else mark
            continue
        if not stream.wants(item.key, item.kind):
            yield Broken(FILTER, stream, item)
        if item.revision <= stream.start:
            yield Broken(RESUME, stream, item)
        if mark is not None and item.revision <= mark.revision:
            yield Broken(BOOKMARK, stream, item, reference=mark)
        if (item.revision, item.key) in seen:
            yield Broken(DUPLICATE, stream, item, reference=seen[item.revision, item.key])
        else:
            if highest is not None and item.revision < highest.revision:
                yield Broken(UNORDERED, stream, item, reference=highest)
            elif item.revision in first_of and first_of[item.revision].at != item.at:
                yield Broken(SPLIT, stream, item, reference=first_of[item.revision])
            yield from _previous(stream, item, model)
        seen.setdefault((item.revision, item.key), item)
        first_of.setdefault(item.revision, item)
        highest = item if highest is None or item.revision > highest.revision else highest


def _previous(stream: Stream, event: Event, model: Model) -> Iterator[Broken]:
    """Previous value and is-create, as far as no write that nobody placed may explain them."""
    before, made = model.before(event.key, event.revision)
    others = model.unsettled(event.key, made, event.revision)
    if event.prev is not None and event.prev != _as_prev(before) and not any(event.prev == _as_prev(value) for _, value in others):
        yield Broken(PREV, stream, event, reference=before)
    if event.create is not None and event.create != (event.kind == PUT and before == ABSENT):
        excused = event.kind == PUT and any((value == ABSENT) == event.create for _, value in others)
        if not excused:
            yield Broken(CREATE, stream, event, reference=before)


def _as_prev(value: Hashable) -> Hashable:
    """An absent key's previous value is null."""
    return NULL if value == ABSENT else value


def _missing(stream: Stream, model: Model) -> Iterator[Broken]:
    events = stream.events
    marked = max((item.revision for item in stream.items if isinstance(item, Mark)), default=stream.start)
    came_to = max((event.revision for event in events), default=stream.start)
    came = {(event.revision, event.key) for event in events}
    revisions = {event.revision for event in events}
    first = min(revisions, default=0)
    at = bisect_right(model.revisions, stream.start)
    while at < len(model.revisions) and (revision := model.revisions[at]) <= max(marked, came_to):
        at += 1
        for key, change in model.at[revision].items():
            if not change.sure or (revision, key) in came or not stream.wants(key, change.kind):
                continue
            if revision <= marked:
                yield Broken(BOOKMARK, stream, missing=(revision, key), reference=change.by)
            elif revision in revisions:
                yield Broken(SPLIT, stream, missing=(revision, key), reference=change.by)
            else:
                yield Broken(RESUME if revision < first else GAP, stream, missing=(revision, key), reference=change.by)
