"""Version orders as far as reads alone prove them: a transaction that reads a key and writes it follows its source at once.

Why it exists  what is left to decide is only which chain of a key comes first; most keys have one chain, and nothing to decide.
Relies on      under snapshot isolation and above no version comes between the one that a transaction read and the one that it wrote: two
               such transactions on one version are a lost update. Chains of a key never mix, so one order of chains orders all versions.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from checkers.serial.problem import START, Finding, Problem


class Chain(NamedTuple):
    """Writers of a key in the order of their versions; `initial` if the first of them read the null of the beginning.

    readers   who surely read the last version and does not write the key
    """

    number: int
    key: Hashable
    members: tuple[int, ...]
    initial: bool
    readers: tuple[int, ...]

    @property
    def head(self) -> int:
        """The writer of its first version."""
        return self.members[0]

    @property
    def last(self) -> int:
        """The writer of its last version."""
        return self.members[-1]


class Chains:
    """All chains of a problem; findings: lost updates. Cost: O(reads + writes).

    of          (key, writer) -> its chain
    by_key      key -> its chains
    after       (key, writer or START) -> the writer that surely comes next
    seen_by     (key, writer or START) -> who surely read that version and does not write the key
    ambiguous   transaction -> its reads that are not sure: several sources, or the reader is optional
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.findings: list[Finding] = []
        self.after: dict[tuple[Hashable, int], int] = {}
        self.seen_by: dict[tuple[Hashable, int], list[int]] = {}
        self.ambiguous: dict[int, list[int]] = {}
        self._read_all()
        self.all: list[Chain] = []
        self.of: dict[tuple[Hashable, int], Chain] = {}
        self.by_key: dict[Hashable, list[Chain]] = {}
        for key, writers in problem.writers.items():
            self._link(key, writers)

    def _read_all(self) -> None:
        bodies, optional = self.problem.bodies, self.problem.optional
        rivals: dict[tuple[Hashable, int], list[int]] = {}
        for number in self.problem.taken:
            for place, read in enumerate(self.problem.reads[number]):
                if number in optional or len(read.sources) > 1:
                    self.ambiguous.setdefault(number, []).append(place)
                    continue
                version = (read.key, read.sources[0])
                if read.key not in bodies[number].writes:
                    self.seen_by.setdefault(version, []).append(number)
                elif version in self.after:
                    rivals.setdefault(version, [self.after[version]]).append(number)
                else:
                    self.after[version] = number
        for (key, source), updates in rivals.items():
            value = None if source == START else bodies[source].writes[key]
            self.findings.append(Finding("lost-update", tuple(updates), key, value))

    def _link(self, key: Hashable, writers: list[int]) -> None:
        """Chains of a key, by number of their first writer, the initial one first; what reads in a ring makes chains of one each."""
        if len(writers) == 1:
            self._add(key, tuple(writers), self.after.get((key, START)) == writers[0])
            return
        follows = {self.after[key, writer] for writer in (START, *writers) if (key, writer) in self.after}
        heads = [writer for writer in writers if writer not in follows]
        first = self.after.get((key, START))
        linked: set[int] = set()
        for head in ([] if first is None else [first]) + heads:
            members = [head]
            while (key, members[-1]) in self.after:
                members.append(self.after[key, members[-1]])
            linked.update(members)
            self._add(key, tuple(members), head == first)
        for writer in writers:
            if writer not in linked:
                self._add(key, (writer,), False)

    def _add(self, key: Hashable, members: tuple[int, ...], initial: bool) -> None:
        readers = tuple(self.seen_by.get((key, members[-1]), ()))
        chain = Chain(len(self.all), key, members, initial, readers)
        self.all.append(chain)
        self.by_key.setdefault(key, []).append(chain)
        for member in members:
            self.of[key, member] = chain
