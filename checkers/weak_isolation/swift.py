"""The fast road: a large history of sessions as arrays, each level decided by compiled code.

Why it exists  a million transactions are judged in a few seconds; the exact road in plain Python takes minutes.
Relies on      the rules of reading.py, graph.py and causes.py, compiled in kernels.py and edge_kernels.py. Here it is only decided which
               levels are broken and which transactions show it: those few go the exact road, which finds the shortest cycle among them
               and tells it.
Limits         whether a broken causal level would be broken without session order too is asked only up to WORK: beyond, the cycle is told
               as one that needs it, and models without sessions are not ruled out. Nothing false is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from checkers.weak_isolation.cycle import STARTS, parts, shortest
from checkers.weak_isolation.graph import Level, Order, demanded
from checkers.weak_isolation.levels import SHOWN, TYPES, Cycles, Judgement
from checkers.weak_isolation.reading import INITIAL, Reading
from checkers.weak_isolation.resolved import Resolved
from harness.history.history import History
from harness.history.session_columns import SessionColumns, read_awdit, read_cobra, read_plume, session_columns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]
    Flags = NDArray[np.bool_]
    Steps = tuple[Ints, Small]

CLOCKS = 400_000_000  # entries of all clocks (1.6 GB): transactions times sessions
MOST = 1 << 31  # transactions and micro-ops fit into 32 bits
WORK = 3_000_000_000  # words of bits that passes may take
WIDTH = 512  # writers of a pass
PASS = 100_000_000  # words of bits of one pass (0.8 GB)


class _Paths(NamedTuple):
    """Session order: per transaction its session (dense), its place among the committed ones there, the one before it or -1; per session
    its end."""

    chain: Ints
    place: Ints
    before: Ints
    session_end: Ints


def judge_columns(columns: SessionColumns, first: bool) -> Judgement | None:
    """Judge a history up to causal consistency, or None if the exact road must.

    Cost: O(n^1.5 + n k), k sessions, and 4 n k bytes for their clocks; where that exceeds CLOCKS, causes take passes instead.
    """
    try:
        from checkers.weak_isolation import edge_kernels, kernels  # noqa: F401
    except RuntimeError:  # numba finds no folder that it may keep compiled code in
        return None
    if max(len(columns.key), len(columns.ok)) >= MOST:
        return None
    try:
        return _Swift(columns, first).judgement()
    except _TooMuch:
        return None


class _TooMuch(Exception):
    """Causes with session order would take more than WORK."""


def compile_all() -> None:
    """Read and judge a small history whose causal violation needs no session order: that calls every kernel."""
    text = b"w(1,1,0,0)\nr(1,1,1,1)\nw(1,2,1,1)\nw(2,1,1,1)\nr(2,1,2,2)\nw(3,1,2,2)\nr(3,1,3,3)\nr(1,1,3,3)\n"
    history = read_plume(text, lambda: History([]))
    log = b"S" + bytes(8) + b"W" + bytes(24) + b"C" + bytes(8)
    others = (read_awdit(b"w 1 1\n", lambda: History([])), read_cobra([(0, log)], lambda: History([])))
    assert history is not None and None not in others, "the compiled readers know their formats"
    columns = session_columns(history)
    judgement = None if columns is None else judge_columns(columns, first=False)
    assert judgement is not None and judgement.broken == Level.CAUSAL, "it reads what a cause of it overwrote"


class _Swift:
    """One history on its way."""

    def __init__(self, columns: SessionColumns, first: bool) -> None:
        self.columns, self.n = columns, len(columns.ok)
        self.resolved = Resolved(columns)
        self.reads, self.of = self.resolved.reads, self.resolved.of
        self.first = 0 if first and columns.ok[0] else INITIAL
        self.paths = self._paths()

    def _paths(self) -> _Paths:
        import numpy as np

        ok = self.columns.ok
        starts = np.flatnonzero(np.r_[True, self.columns.session[1:] != self.columns.session[:-1]])
        chain = np.zeros(self.n, np.int64)
        chain[starts[1:]] = 1
        chain = np.cumsum(chain)
        counted: Ints = np.cumsum(ok) - ok
        place: Ints = counted - counted[starts][chain]
        newest = np.maximum.accumulate(np.where(ok, np.arange(self.n), -1))
        before = np.r_[np.int64(-1), newest[:-1]]
        before[(before < starts[chain]) | ~ok] = -1
        return _Paths(chain, place, before, np.r_[starts[1:], self.n].astype(np.int64))

    def judgement(self) -> Judgement:
        """Which levels are broken, with a few of the transactions that show it."""
        shown, counts, unclear = self.resolved.odd_reads()
        seen = int((~self.columns.write & self.columns.ok[self.of]).sum())
        outcomes = {"ok": int(self.columns.ok.sum()), "fail": int((~self.columns.ok).sum()), "info": 0}
        figures: dict[str, Any] = {"txns": self.n, **outcomes, "sessions": len(self.paths.session_end)}
        return Judgement(figures, seen, counts, shown, unclear, self._cycles())

    def _cycles(self) -> list[Cycles]:
        base = self._sorted(sessions=True)
        if base is not None:
            self.line = base
            self.strongest = self._edges(Level.CAUSAL, sessions=True)
            if not self._cyclic(self.strongest, sessions=True):
                return []
        plain = self._weakest(Level, False)
        strict = self._weakest([level for level in Level if plain is None or level < plain.level], True)
        return [found for found in (plain, strict) if found is not None]

    def _sorted(self, sessions: bool) -> Ints | None:
        """The transactions so that the base goes forward; None if it has a cycle."""
        import numpy as np

        from checkers.weak_isolation import edge_kernels as kernels

        line = np.empty(self.n, np.int64)
        return line if kernels.sort(self.n, *self._base(sessions), line) == self.n else None

    def _base(self, sessions: bool) -> tuple[Small, Small]:
        """Reads-from and the steps of sessions."""
        import numpy as np

        known = np.flatnonzero(self.reads.writer >= 0)
        source, target = self.reads.writer[known], self.of[self.reads.op[known]]
        if sessions:
            later = np.flatnonzero(self.paths.before >= 0)
            source, target = np.r_[source, self.paths.before[later]], np.r_[target, later]
        return source.astype(np.int32), target.astype(np.int32)

    def _edges(self, level: Level, sessions: bool) -> Small:
        """What the axiom forces: before, after, place of the read, place of the premise or -1."""
        import numpy as np

        from checkers.weak_isolation import edge_kernels as kernels

        reads, paths = self.reads, self.paths
        by_read = (reads.start, reads.key, reads.writer)
        by_write = (reads.w_start, reads.w_key, reads.keys)
        if level == Level.DEPENDENCY:
            return np.empty((0, 4), np.int32)
        if level == Level.READ_COMMITTED:
            return np.asarray(kernels.read_committed(*by_read, *by_write))
        if level == Level.CAUSAL:
            return np.concatenate([self._causal(sessions), self._over_first()])
        return np.concatenate([kernels.read_atomic(paths.chain, *by_read, *by_write, sessions), self._over_first()])

    def _causal(self, sessions: bool) -> Small:
        """Asked for a base without a cycle."""
        import numpy as np

        from checkers.weak_isolation import edge_kernels as kernels

        reads, paths = self.reads, self.paths
        k_start, k_writer = np.zeros(reads.keys + 2, np.int64), np.empty(len(reads.w_key), np.int64)
        kernels.writers_of(reads.w_start, reads.w_key, reads.keys, k_start, k_writer)
        by_read = (reads.start, reads.key, reads.writer)
        if sessions and self.n * len(paths.session_end) <= CLOCKS:
            clock = np.zeros((self.n, len(paths.session_end)), np.int32)
            kernels.clocks(self.line, paths.chain, paths.place, paths.before, reads.start, reads.writer, clock)
            return np.asarray(kernels.causal(paths.chain, paths.place, paths.session_end, *by_read, k_start, k_writer, clock))
        rank, batch, spans = self._rank(), np.empty(reads.keys, np.int64), np.empty((reads.keys, 3), np.int64)
        spans = spans[: kernels.batches(rank, *by_read[:2], k_start, k_writer, WIDTH, batch, spans)]
        words = (spans[:, 1] - spans[:, 0] + 1) * ((spans[:, 2] + 63) // 64)
        if words.sum() > WORK or words.max(initial=0) > PASS:
            if sessions:
                raise _TooMuch
            return np.empty((0, 4), np.int32)
        by_write = (reads.w_start, reads.w_key)
        return np.asarray(kernels.causal_by_passes(self.line, rank, paths.before, sessions, *by_read, *by_write, batch, spans))

    def _rank(self) -> Ints:
        import numpy as np

        rank = np.empty(self.n, np.int64)
        rank[self.line] = np.arange(self.n)
        return rank

    def _over_first(self) -> Small:
        """Reads of the initial state of what the first transaction wrote."""
        import numpy as np

        if self.first == INITIAL:
            return np.empty((0, 4), np.int32)
        written = np.zeros(self.reads.keys, np.bool_)
        written[self.reads.w_key[: self.reads.w_start[1]]] = True
        missed = np.flatnonzero((self.reads.writer == INITIAL) & written[self.reads.key] & (self.of[self.reads.op] != self.first))
        edges = np.full((len(missed), 4), -1, np.int32)
        edges[:, 0], edges[:, 2] = self.first, missed
        return edges

    def _graph(self, edges: Small, sessions: bool) -> tuple[Small, Small]:
        """The base and the edges; the initial state is vertex n. What precedes all has edges to all if anything is before it."""
        import numpy as np

        source, target = self._base(sessions)
        source, target = np.r_[source, edges[:, 0]], np.r_[target, np.where(edges[:, 1] < 0, self.n, edges[:, 1])]
        late = [root for root in (self.first, self.n) if root >= 0 and (target == root).any()]
        followers = [np.flatnonzero(self.columns.ok & (np.arange(self.n) != root)) for root in late]
        roots = [np.full(len(all_), root) for root, all_ in zip(late, followers, strict=True)]
        return np.concatenate([source, *roots]).astype(np.int32), np.concatenate([target, *followers]).astype(np.int32)

    def _cyclic(self, edges: Small, sessions: bool) -> bool:
        import numpy as np

        from checkers.weak_isolation import edge_kernels as kernels

        source, target = self._graph(edges, sessions)
        return bool(kernels.sort(self.n + 1, source, target, np.empty(self.n + 1, np.int64)) <= self.n)

    def _weakest(self, levels: Iterable[Level], sessions: bool) -> Cycles | None:
        for level in levels:
            if level == Level.CAUSAL and not sessions and self._sorted(sessions=True) is None:
                line = self._sorted(sessions=False)
                assert line is not None, "a cycle of the base is found first"
                self.line = line
            edges = self._edges(level, sessions) if level < Level.CAUSAL or not sessions else self.strongest
            if self._cyclic(edges, sessions):
                return self._shown(level, edges, sessions)
        return None

    def _shown(self, level: Level, edges: Small, sessions: bool) -> Cycles:
        """The strongly connected parts; of the smallest few a cycle, told by the exact road."""
        import numpy as np
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        from checkers.weak_isolation import edge_kernels as kernels

        source, target = self._graph(edges, sessions)
        graph = coo_array((np.ones(len(source), np.int8), (source, target)), shape=(self.n + 1, self.n + 1))
        _, label = connected_components(graph.tocsr(), directed=True, connection="strong")
        sizes = np.bincount(label)
        first = np.full(len(sizes), self.n + 1, np.int64)
        np.minimum.at(first, label, np.arange(self.n + 1))
        cyclic = np.flatnonzero(sizes > 1)
        chosen = sorted(cyclic.tolist(), key=lambda part: (sizes[part], first[part]))[:SHOWN]
        steps = kernels.adjacency(self.n + 1, source, target)
        ways = [self._cycle(edges, label == part, steps, sessions) for part in chosen]
        cycles = [self._exact(level, edges, sessions, way) for way in ways]
        return Cycles(TYPES[level] + ("-process" if sessions else ""), level, len(cyclic), cycles)

    def _cycle(self, edges: Small, inside: Flags, steps: Steps, sessions: bool) -> list[int]:
        """A short cycle of a strongly connected part: the shortest through one of its first edges that are no session order."""
        import numpy as np

        forced = np.where(edges[:, :2] < 0, self.n, edges[:, :2])
        if not len(forced):
            known = np.flatnonzero(self.reads.writer >= 0)
            forced = np.stack([self.reads.writer[known], self.of[self.reads.op[known]]], axis=1)
        forced = np.unique(forced[inside[forced[:, 0]] & inside[forced[:, 1]]], axis=0)
        forced = forced[np.argsort(-forced[:, 1], kind="stable")]  # those into the initial state first: their cycles have two steps
        best: list[int] = []
        for source, target in forced[:STARTS].tolist():
            way = self._way(target, source, steps, inside, sessions)
            if not best or len(way) < len(best):
                best = way
        return best

    def _way(self, source: int, goal: int, steps: Steps, inside: Flags, sessions: bool) -> list[int]:
        import numpy as np

        from checkers.weak_isolation import edge_kernels as kernels

        paths = self.paths
        came, waiting = np.full(self.n + 1, -1, np.int64), np.empty(self.n + 1, np.int64)
        sessions_of = (sessions, paths.chain, paths.session_end, paths.session_end.copy())
        kernels.shortest_way(source, goal, *steps, inside, *sessions_of, came, waiting)
        found = [goal]
        while found[-1] != source:
            found.append(int(came[found[-1]]))
        return found[::-1]

    def _exact(self, level: Level, edges: Small, sessions: bool, way: list[int]) -> tuple[Order, list[Any]]:
        """The shortest cycle among the transactions of a cycle and of its proofs."""
        import numpy as np

        from checkers.weak_isolation import edge_kernels as kernels

        cast = {t for t in way if t < self.n}
        ahead = dict(zip(way, [*way[1:], way[0]], strict=True))
        near = np.zeros(self.n, np.bool_)
        near[list(cast)] = True
        base = kernels.adjacency(self.n + 1, *self._base(sessions)) if level == Level.CAUSAL else None
        committed = np.r_[self.columns.ok, False]
        for before, after, read, _ in edges[near[edges[:, 0]]].tolist():
            if ahead.get(before) == (after if after >= 0 else self.n):
                del ahead[before]  # one proof is enough
                reader = int(self.of[self.reads.op[read]])
                cast.add(reader)
                if base is not None and before != self.first:
                    cast.update(self._way(before, reader, base, committed, sessions))
        if self.first >= 0:
            cast.add(self.first)
        numbers = sorted(cast)
        txns = [self.resolved.txn(number, t) for number, t in enumerate(numbers)]
        known = self._known(numbers, cast)
        order = Order(Reading(txns, lambda number, at: (number, at) in known), sessions, self.first >= 0)
        few = demanded(order, level)
        part = parts(few, len(txns))[0]
        return order, shortest(order, level, part, few)

    def _known(self, numbers: list[int], cast: set[int]) -> set[tuple[int, int]]:
        """(number, place) of the reads of these transactions that saw one of them, or the initial state."""
        known = set()
        for number, t in enumerate(numbers):
            for r in range(int(self.reads.start[t]), int(self.reads.start[t + 1])):
                if self.reads.writer[r] < 0 or int(self.reads.writer[r]) in cast:
                    known.add((number, int(self.reads.op[r] - self.columns.start[t])))
        return known
