"""The sequence of writes that the revisions give: what happened at which revision, and what is not settled.

Why it exists  every rule compares a stream with what it must have shown.
Relies on      a revision that was acknowledged is certain; an event that a stream delivered is, too, if a write without a known revision
               explains it. A write that nobody saw may be at any revision that is free, or at none.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from checkers.watch.streams import ABSENT, DELETE, PUT, Event, Stream, Write


class Change(NamedTuple):
    """What happened to a key at a revision.

    sure    it certainly made an event (a txn's delete of a key that may have been absent may have made none)
    by      invocation of the write that was acknowledged with it, or of the watch that delivered it first
    """

    kind: str
    value: Hashable
    sure: bool
    by: int


class Model:
    """All that is known of the sequence of writes.

    at          revision -> key -> what happened
    revisions   those, ascending
    of_key      key -> its revisions, ascending
    loose       writes without a known revision that no delivered event placed
    strangers   (stream, event) that no write explains
    different   (stream, event) that is not what happened to that key at that revision
    """

    def __init__(self, writes: Sequence[Write], streams: Sequence[Stream]) -> None:
        self.at: dict[int, dict[Hashable, Change]] = {}
        self.strangers: list[tuple[Stream, Event]] = []
        self.different: list[tuple[Stream, Event]] = []
        for write in writes:
            if write.revision is not None:
                for key, (kind, value) in write.changes.items():
                    sure = kind == PUT or write.f == DELETE
                    self.at.setdefault(write.revision, {}).setdefault(key, Change(kind, value, sure, write.call))
        waiting = [write for write in writes if write.revision is None]
        placed: set[tuple[int, Hashable]] = set()  # changes of waiting writes that an event placed
        for stream in sorted(streams, key=lambda stream: stream.ret):  # so that what may explain an event only grows
            for event in stream.events:
                self._place(stream, event, waiting, placed)
        self.loose = [write for write in waiting if any((write.call, key) not in placed for key in write.changes)]
        self._placed = placed
        self.revisions = sorted(self.at)
        self.of_key: dict[Hashable, list[int]] = {}
        for revision in self.revisions:
            for key in self.at[revision]:
                self.of_key.setdefault(key, []).append(revision)

    def _place(self, stream: Stream, event: Event, waiting: Sequence[Write], placed: set[tuple[int, Hashable]]) -> None:
        """Hold an event against what is known of its revision; give it a place there if a waiting write explains it."""
        change = self.at.get(event.revision, {}).get(event.key)
        if change is not None:
            if (change.kind, change.value) != (event.kind, event.value):
                self.different.append((stream, event))
            elif not change.sure:
                self.at[event.revision][event.key] = change._replace(sure=True)
            return
        for write in waiting:
            name = (write.call, event.key)
            fits = write.changes.get(event.key) == (event.kind, event.value) and write.call < stream.ret
            if fits and name not in placed:
                placed.add(name)
                self.at.setdefault(event.revision, {})[event.key] = Change(event.kind, event.value, True, stream.call)
                return
        self.strangers.append((stream, event))

    def before(self, key: Hashable, revision: int) -> tuple[Hashable, int]:
        """(value of the key before the revision as far as is known, the revision that made it; 0 if none did)."""
        revisions = self.of_key.get(key, [])
        at = bisect_left(revisions, revision)
        if at == 0:
            return ABSENT, 0
        made = revisions[at - 1]
        return self.at[made][key].value, made

    def unsettled(self, key: Hashable, made: int, revision: int) -> list[tuple[str, Hashable]]:
        """What writes that nobody placed may have done to the key between these two revisions; nothing, if none between is free."""
        taken = bisect_left(self.revisions, revision) - bisect_right(self.revisions, made)
        if revision - made - 1 <= taken:
            return []
        return [write.changes[key] for write in self.loose if key in write.changes and (write.call, key) not in self._placed]
