"""What there is to explain: the transactions that may have committed, what each reads from outside, who may have written it.

Why it exists  later steps speak of writers and readers of keys, not of micro-ops; reads that nothing can explain are found here.
Relies on      a transaction of unknown outcome whose reads nobody saw can always be placed last, where it disturbs nobody: it is taken if
               anybody may have read it, and left out if not. One that also saw something committed only if it explains what it saw: it
               is optional, unless a read has no other source.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from checkers.transactions.txns import UNSEEN, WRITE, Txn
from harness.op import FAIL, OK

START = -1  # the writer of every key's null at the beginning


class Finding(NamedTuple):
    """A read that nothing explains, or several updates of one version; txns: writers first, the reader last."""

    type: str
    txns: tuple[int, ...]
    key: Hashable
    value: Hashable


class Body(NamedTuple):
    """A transaction from outside: what it reads first of a key, what it writes last to it.

    trouble   (type, key, value) of a read that contradicts the transaction's own micro-ops
    """

    reads: dict[Hashable, Hashable]
    writes: dict[Hashable, Hashable]
    trouble: tuple[str, Hashable, Hashable] | None


class Read(NamedTuple):
    """An external read with all its possible sources, in order of number; START comes first."""

    txn: int
    key: Hashable
    value: Hashable
    sources: tuple[int, ...]


def body_of(txn: Txn) -> Body:
    """The outside of a transaction. Cost: O(micro-ops)."""
    reads: dict[Hashable, Hashable] = {}
    writes: dict[Hashable, Hashable] = {}
    trouble = None
    for place, mop in enumerate(txn.mops):
        kind, key, value = mop
        if kind == WRITE:
            writes[key] = value
        elif value is not UNSEEN:
            if key not in writes and key not in reads:
                reads[key] = value
            elif trouble is None and value != (writes[key] if key in writes else reads[key]):
                later = any(m.kind == WRITE and m.key == key and m.value == value for m in txn.mops[place:])
                trouble = ("future-read" if later else "internal", key, value)
    return Body(reads, writes, trouble)


class Problem:
    """txns by number; taken: those in the order, ascending; optional: those of them that may not have committed and saw something.

    bodies     of every transaction, by number
    reads      external reads of the taken, by transaction; a read has several sources, or one
    writers    key -> taken transactions that write it, ascending
    """

    def __init__(self, txns: Sequence[Txn]) -> None:
        self.txns = txns
        self.bodies = [body_of(txn) for txn in txns]
        self.findings: list[Finding] = []
        self._finals: dict[tuple[Hashable, Hashable], list[int]] = {}
        for txn, body in zip(txns, self.bodies):
            if txn.outcome != FAIL and not (body.trouble and txn.outcome != OK):
                for item in body.writes.items():
                    self._finals.setdefault(item, []).append(txn.number)
        self._lacking: dict[int, tuple[Hashable, Hashable]] = {}
        self._drop_impossible()
        self._find()
        self.taken, self.optional = self._choose()
        chosen = frozenset(self.taken)
        left_out = {txn.number for txn in txns if txn.outcome not in (OK, FAIL)} - chosen
        self.reads: dict[int, list[Read]] = {}
        self.writers: dict[Hashable, list[int]] = {}
        known: dict[tuple[Hashable, Hashable], tuple[int, ...]] = {}
        for number in self.taken:
            body, reads = self.bodies[number], []
            for item in body.reads.items():
                sources = known.get(item)
                if sources is None or number in sources:
                    sources = tuple(w for w in self._sources(number, *item) if w not in left_out)
                    if body.writes.get(item[0]) != item[1]:
                        known[item] = sources
                reads.append(Read(number, *item, sources))
            self.reads[number] = reads
            for key in body.writes:
                self.writers.setdefault(key, []).append(number)

    def _sources(self, reader: int, key: Hashable, value: Hashable) -> list[int]:
        found = self._finals.get((key, value), [])
        if value is None:
            found = [START, *found]
        return [writer for writer in found if writer != reader] if reader in found else found

    def _drop_impossible(self) -> None:
        """Take away writers of unknown outcome that saw what nothing explains: they did not commit. Repeats as others lose their source."""
        infos = [t.number for t in self.txns if t.outcome not in (OK, FAIL) and self.bodies[t.number].reads]
        waiting = [number for number in infos if not self.bodies[number].trouble]
        dropped = True
        while dropped:
            dropped = False
            for number in waiting:
                lacking = next((item for item in self.bodies[number].reads.items() if not self._sources(number, *item)), None)
                if lacking is None:
                    continue
                self._lacking[number] = lacking
                for item in self.bodies[number].writes.items():
                    self._finals[item].remove(number)
                waiting = [other for other in waiting if other != number]
                dropped = True

    def _choose(self) -> tuple[list[int], frozenset[int]]:
        """The taken, and which of them are optional: followed from the ok ones along all sources, and along sole sources."""
        unsure = {item for item, writers in self._finals.items() if any(self.txns[writer].outcome != OK for writer in writers)}
        certain = self._follow(unsure, sole=True)
        possible = self._follow(unsure, sole=False)
        optional = frozenset(number for number in possible - certain if self.bodies[number].reads)
        return sorted(possible), optional

    def _follow(self, unsure: set[tuple[Hashable, Hashable]], *, sole: bool) -> set[int]:
        """unsure: what transactions of unknown outcome may have written."""
        found = {txn.number for txn in self.txns if txn.outcome == OK}
        waiting = sorted(found) if unsure else []
        while waiting:
            reader = waiting.pop()
            for item in unsure.intersection(self.bodies[reader].reads.items()):
                sources = self._sources(reader, *item)
                for writer in sources if not sole or len(sources) == 1 else ():
                    if writer != START and writer not in found:
                        found.add(writer)
                        waiting.append(writer)
        return found

    def _find(self) -> None:
        """Reads of ok transactions that nothing explains."""
        for txn, body in zip(self.txns, self.bodies):
            if txn.outcome != OK:
                continue
            if body.trouble:
                self.findings.append(Finding(body.trouble[0], (txn.number,), *body.trouble[1:]))
            for item in body.reads.items():
                if (item not in self._finals or self._finals[item] in ([], [txn.number])) and not self._sources(txn.number, *item):
                    self.findings.append(self._unexplained(txn.number, *item))

    def _unexplained(self, reader: int, key: Hashable, value: Hashable) -> Finding:
        wrote = [txn for txn in self.txns if any(m.kind == WRITE and m.key == key and m.value == value for m in txn.mops)]
        others = [txn for txn in wrote if txn.number != reader]
        for txn in others:
            if txn.outcome != FAIL and self.bodies[txn.number].writes[key] != value:
                return Finding("G1b", (txn.number, reader), key, value)
        for txn in others:
            if txn.outcome != FAIL:
                return self._why_impossible(txn.number)
        if others:
            return Finding("G1a", (others[0].number, reader), key, value)
        return Finding("future-read" if wrote else "garbage-read", (reader,), key, value)

    def _why_impossible(self, number: int) -> Finding:
        """The read of a transaction of unknown outcome, which must have committed since it was read, that nothing explains."""
        trouble = self.bodies[number].trouble
        if trouble:
            return Finding(trouble[0], (number,), *trouble[1:])
        return self._unexplained(number, *self._lacking[number])
