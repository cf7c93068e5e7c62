"""Mutation score of the tests of weaker registers: break the checkers in small ways, one at a time, and see the tests fail.

bench/mutate_weak_registers.py [sequential | sessions | staleness]        some minutes; works on a copy, exit 0 if no mutant survives
"""

from __future__ import annotations

import sys

from mutation import score

# file, text, what it becomes
SEQUENTIAL = [
    ("programs.py", "        if not op.crashed:\n            last.setdefault", "        if True:\n            last.setdefault"),
    ("programs.py", "while not any(op.f in (NOT, APPEND) for op in operations):", "while True:"),
    ("programs.py", "elif len(writers) == 1 and others and node.op.a != initial:", "elif others and node.op.a != initial:"),
    ("programs.py", "if node.op.a == initial and not writers:", "if node.op.a == initial:"),
    ("programs.py", "(not node.op.crashed or place in seen)", "True"),
    ("programs.py", "(not node.op.crashed or place in seen)", "not node.op.crashed"),
    ("programs.py", "(self.op.f == CAS and not self.op.crashed)", "self.op.f == CAS"),
    ("graph.py", "                    if other != read:\n", "                    if True:\n"),
    ("graph.py", "at = bisect_right(positions, clock[chain]) - 1", "at = bisect_right(positions, clock[chain]) - 2"),
    ("graph.py", "                if later:\n", "                if False:\n"),
    ("graph.py", "if node.op.crashed or chain is None:", "if chain is None:"),
    ("graph.py", "if clock[self.chain[before]] < self.position[before]:", "if False:"),
    ("views.py", "if graph.precedes(other, read):", "if True:"),
    ("views.py", "graph = Graph(program, sources, writes | set(reads))", "graph = Graph(program, sources)"),
    ("views.py", "graph.saturate(reads, later=False)", "graph.saturate(reads, later=False, rounds=1)"),
    ("views.py", "    graph.derive(reads, later=False)\n", ""),
    ("views.py", "                causality.add(write, read, Why(READS))\n", "                pass\n"),
    ("search.py", "if any(not mask & ~used for mask in masks):", "if masks:"),
    ("search.py", "if self._left(self.asks, (key, held[self.keys[key]]), lines, place):", "if False:"),
    ("search.py", "other != line and not graph.precedes", "False and not graph.precedes"),
    ("search.py", "used & bit or other == place or", "True or"),
    ("search.py", "return not (self._left(self.makes", "return True or not (self._left(self.makes"),
    ("search.py", " or self.may_make.get((key, before), 0) & ~used)", ")"),
    ("search.py", "(node.op.f == NOT and node.op.a != value)", "False"),
    ("search.py", "if used & self.bit[place] or kind in tried", "if kind in tried"),
    ("search.py", "or not self._called(node.after, lines)", ""),
    ("shrink.py", "if everything or program.nodes[place].op.f != NOT", "if True"),
    ("shrink.py", "if looker.op.f in (NOT, APPEND) or", "if looker.op.f in (APPEND,) or"),
    ("shrink.py", "looker.op.a == node.op.written:", "False:"),
    ("checker.py", "        if sources.unsure:\n", "        if False:\n"),
    ("checker.py", "if not any(node.op.f in (READ, CAS, NOT) and not node.op.crashed", "if not any(True"),
    ("witness.py", "len(ops) < len(quoted)", "False"),
    ("witness.py", "if one.key in strict or", "if"),
    ("witness.py", "or (one.key, one.op.written) in asked", ""),
    ("witness.py", "one.process != quote[\"process\"]", "False"),
    ("witness.py", "return not _one_order(ops, initial)", "return True"),
]  # fmt: skip
SESSIONS = [
    ("versions.py", "            if not node.op.crashed:\n                last_write[at] = place", "            last_write[at] = place"),
    ("versions.py", "one.order.append(Edge(INITIAL, version, FIRST, (place,)))", "pass"),
    ("versions.py", 'one.session if versions != "ext" else ()', "one.session"),
    ("versions.py", "if program.nodes[other].op.ret > program.nodes[done].op.call]", "if False]"),
    ("versions.py", "program.nodes[by_return[at]].op.ret < op.call:", "program.nodes[by_return[at]].op.call < op.call:"),
    ("versions.py", "order = sorted(example)", "order = list(example)"),
    ("cycles.py", "if edge.older != edge.newer and", "if"),
    ("cycles.py", "        if start not in came:\n", "        if False:\n"),
    ("monotonic_reads.py", "    if one_order:\n", "    if True:\n"),
    ("monotonic_reads.py", "circle([*one.given, *edges])", "circle([*one.order, *edges])"),
    ("read_your_writes.py", "    if one_order:\n", "    if False:\n"),
    ("read_your_writes.py", "circle([*one.given, *edges])", "circle([*edges])"),
    ("monotonic_writes.py", "if circle([*one.order, *edges]) is None and", "if"),
    ("monotonic_writes.py", "(groups if one_order else one.reads)", "groups"),
    ("writes_follow_reads.py", "if circle([*one.given, *edges]) is None and", "if"),
    ("writes_follow_reads.py", "(groups if one_order else one.reads)", "one.reads"),
    ("writes_follow_reads.py", "(found := circle(demanded)) is not None:", "(found := circle([])) is not None:"),
    ("checker.py", "        if unsure:\n", "        if False:\n"),
    ("checker.py", "        if idle:\n", "        if False:\n"),
    ("checker.py", 'if self.versions != "ext" and sources.unwritten:', "if False:"),
    ("witness.py", 'if len(who) > 1 and not witness["one_order"]:', "if False:"),
    ("witness.py", "if first.crashed or first.ret >= last.call:", "if first.crashed:"),
    ("witness.py", "self.process[first.index] != self.process[last.index]", "False"),
    ("witness.py", "return before and after", "return before"),
]  # fmt: skip
STALENESS = [
    ("staleness.py", "if seen.ret >= before:\n            return 0", "if False:\n            return 0"),
    ("staleness.py", "+ bisect_left(self.crashed, seen.ret)", ""),
    ("staleness.py", "min(seen.call, before)", "seen.call"),
    ("staleness.py", "- older - (seen.ret < before)", "- older"),
    ("staleness.py", "insort(running, done[following])", "pass"),
    ("staleness.py", "at += at < len(writes.returns) and writes.returns[at] == seen.ret", "pass"),
    ("staleness.py", "writes.earliest[bisect_right(writes.calls, seen.ret)]", "writes.earliest[0]"),
    ("staleness.py", "if (op.a == initial and mine) or len(mine) > 1:", "if len(mine) > 1:"),
    ("staleness.py", "elif op.a != initial and not mine:", "elif False:"),
    ("staleness.py", "one.versions[which] > self.max_versions:", "one.versions[which] >= self.max_versions:"),
    ("staleness.py", "if self._beyond(one, 1)]", "if False]"),
    ("staleness.py", "        if found.unsure:\n", "        if False:\n"),
    ("staleness.py", "if self.max_seconds is not None and not timed:", "if False:"),
    ("staleness.py", 'if len(newer) != witness["versions"][0]:', "if False:"),
]  # fmt: skip
PARTS = {
    "sequential": ("sequential", SEQUENTIAL, ["tests/checkers/test_sequential.py", "tests/checkers/test_sequential_random.py"]),
    "sessions": ("sessions", SESSIONS, ["tests/checkers/test_sessions.py", "tests/checkers/test_sessions_random.py"]),
    "staleness": ("", STALENESS, ["tests/checkers/test_staleness.py"]),
}

if __name__ == "__main__":
    chosen = [name for name in sys.argv[1:] if name in PARTS] or list(PARTS)
    sys.exit(max(score(f"weak registers, {name}", *PARTS[name]) for name in chosen))
