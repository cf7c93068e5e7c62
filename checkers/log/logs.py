"""The log of each key: which values stand at which offsets, who sent them, who polled them, and who certainly committed.

Why it exists  every rule asks for a value's place in its log, or for its writer.
Relies on      values of a key being sent once: of one that was sent twice, nobody knows the writer, and only its offsets are judged.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from checkers.log.ops import LogOp, Polled, Sent, failed

Named = tuple[Hashable, Hashable]  # key and value


class Logs:
    """All logs of a history.

    senders    (key, value) -> ops that may have sent it; losers: ops that failed to
    shown      (key, value) -> ops whose polls showed it; read: those of them that are ok
    committed  by number of the op: it certainly committed
    at         key -> offset -> values that stand there, the one seen first at the front
    rank       key -> offset -> its rank among the occupied offsets
    places     (key, value) -> its offsets, ascending
    """

    def __init__(self, ops: Sequence[LogOp]) -> None:
        self.ops = ops
        self.senders: dict[Named, list[LogOp]] = {}
        self.losers: dict[Named, list[LogOp]] = {}
        self.shown: dict[Named, list[LogOp]] = {}
        self.read: dict[Named, list[LogOp]] = {}
        for op in ops:
            table = self.losers if failed(op) else self.senders
            for sent in op.sends:
                table.setdefault((sent.key, sent.value), []).append(op)
            for name in dict.fromkeys((polled.key, polled.value) for polled in op.polls):
                self.shown.setdefault(name, []).append(op)
                if op.ok:
                    self.read.setdefault(name, []).append(op)
        self.repeated = {name: senders for name, senders in self.senders.items() if len(senders) > 1}
        self.committed = [op.ok or (not failed(op) and any(self._proves(sent) for sent in op.sends)) for op in ops]
        self.at: dict[Hashable, dict[int, list[Hashable]]] = {}
        for op in ops:
            for entry in self._entries(op):
                if entry.offset is not None:
                    values = self.at.setdefault(entry.key, {}).setdefault(entry.offset, [])
                    if entry.value not in values:
                        values.append(entry.value)
        self.rank = {key: {offset: i for i, offset in enumerate(sorted(offsets))} for key, offsets in self.at.items()}
        self.places: dict[Named, list[int]] = {}
        for key, offsets in self.at.items():
            for offset in sorted(offsets):
                for value in offsets[offset]:
                    self.places.setdefault((key, value), []).append(offset)

    def _proves(self, sent: Sent) -> bool:
        """Was it seen by an ok poll, and can nobody else have sent it?"""
        name = (sent.key, sent.value)
        return name in self.read and len(self.senders[name]) == 1

    def _entries(self, op: LogOp) -> Iterable[Sent | Polled]:
        yield from op.polls
        if self.committed[op.number]:
            yield from op.sends

    def index(self, entry: Sent | Polled) -> int | None:
        """The rank of an entry in its log, None if its offset is not known."""
        if entry.offset is not None:
            return self.rank.get(entry.key, {}).get(entry.offset)
        places = self.places.get((entry.key, entry.value), ())
        return self.rank[entry.key][places[0]] if len(places) == 1 else None

    def writer(self, name: Named) -> LogOp | None:
        """The one op that may have sent it, if there is exactly one."""
        senders = self.senders.get(name, ())
        return senders[0] if len(senders) == 1 else None


def step(before: int | None, after: int | None) -> int:
    """How far it is from one rank to the next; 1 where one of them is not known."""
    return 1 if before is None or after is None else after - before
