"""Mutation score of the weak-isolation checker's tests: break the checker in small ways, one at a time, and see the tests fail.

bench/mutate_weak_isolation.py        works on a copy, exit 0 if no mutant survives
"""

from __future__ import annotations

import os
import sys

from mutation import score

TESTS = ["tests/checkers/test_weak_isolation.py", "tests/checkers/test_weak_isolation_random.py"]
# file of checkers/weak_isolation/, text, what it becomes
MUTANTS = [
    ("reading.py", "if own[mop.key] != mop.value:", "if False:"),
    ("reading.py", "elif mop.key in own:", "elif False:"),
    ("reading.py", "number != reader and self.txns[number].outcome != FAIL and", "self.txns[number].outcome != FAIL and"),
    ("reading.py", "and self.txns[number].outcome != FAIL and self.last", "and self.last"),
    ("reading.py", " and self.last[number][key] == value\n", "\n"),
    ("reading.py", "            explaining.insert(0, INITIAL)\n", "            explaining = [INITIAL]\n"),
    ("reading.py", "                self.committed[explaining[0]] = True\n", "                pass\n"),
    (
        "reading.py",
        "            self.unclear.append(Unclear(reader, at, tuple(explaining)))\n            return None",
        "            return explaining[0]",
    ),
    ("reading.py", "if reader in written:", "if False:"),
    ("reading.py", "        elif alive:", "        elif False:"),
    ("reading.py", "        elif others:", "        elif False:"),
    ("reading.py", "mop.value is UNSEEN or", "False or"),
    ("graph.py", "self.first = 0 if first and txns and reading.committed[0] else INITIAL", "self.first = INITIAL"),
    (
        "graph.py",
        "            if txn.outcome == OK:\n                newest[txn.process]",
        "            if True:\n                newest[txn.process]",
    ),
    ("graph.py", "and self.reading.txns[earlier].outcome == OK\n", "\n"),
    ("graph.py", "one[1] < other[1]", "one[1] <= other[1]"),
    ("graph.py", "                edges.setdefault((root, txn.number), Why(FIRST))", "                pass"),
    ("graph.py", "if target in (INITIAL, order.first) and", "if target == INITIAL and"),
    (
        "graph.py",
        "            for earlier, later in pairwise(same):\n                "
        "yield earlier.writer, later.writer, Why(FORCED, txn.number, later.at, earlier.at)\n"
        "",
        "            pass\n",
    ),
    ("graph.py", "if read.at > at), None)", "), None)"),
    ("graph.py", "first.setdefault(read.writer, read.at)", "first[read.writer] = read.at"),
    (
        "graph.py",
        "            for read in reads:\n                yield newest.get",
        "            for read in reads[:1]:\n                yield newest.get",
    ),
    ("graph.py", "        if order.sessions:\n            for read", "        if True:\n            for read"),
    ("graph.py", "        if txn.outcome == OK:\n            newest.update", "        if True:\n            newest.update"),
    ("graph.py", "        yield from _over_first(order, txn, reads)\n", ""),
    ("graph.py", "        yield from _over_first(order, txn, order.reading.reads[txn.number])\n", "        pass\n"),
    ("graph.py", "                    for read in by_key[key]:\n", "                    for read in by_key[key][:1]:\n"),
    ("graph.py", "if read.writer == INITIAL and read.key in written:", "if read.writer == INITIAL:"),
    ("graph.py", "[key for key in other if key in one]", "[]"),
    ("graph.py", "[key for key in one if key in other]", "[]"),
    ("causes.py", "                    left &= ~(reaching[top] | 1 << bit[top])", "                    break"),
    ("causes.py", "line[place[chosen[0]] : last + 1]", "line[place[chosen[0]] : last]"),
    ("causes.py", "(order.before[number], *(read.writer", "(*(read.writer"),
    ("causes.py", "for read in order.reading.reads[number])):", "for read in order.reading.reads[number][:1])):"),
    ("causes.py", "                found |= reaching[source]\n", ""),
    ("causes.py", "                if source in bit:\n", "                if False:\n"),
    ("causes.py", "        if key in readers:", "        if True:"),
    ("cycle.py", "        if len(best) == 2:\n            break", "        if best:\n            break"),
    ("cycle.py", "if source != target and order.precedes(source, target):", "if False:"),
    ("cycle.py", "and order.writes(earlier.writer, later.key):", ":"),
    ("cycle.py", "and order.writes(other.writer, read.key):", ":"),
    (
        "cycle.py",
        "                    if order.precedes(writer, txn.number):\n                        yield writer",
        "                    if False:\n                        yield writer",
    ),
    ("cycle.py", "reaching[txn.number] >> bit[writer] & 1 or order.precedes(writer, txn.number)", "order.precedes(writer, txn.number)"),
    ("cycle.py", "combinations(order.reading.reads[txn.number], 2)", "combinations(order.reading.reads[txn.number][::-1], 2)"),
    ("levels.py", "        if self.counts:\n", "        if False:\n"),
    ("levels.py", "if level == Level.CAUSAL and topological(order) is None:", "if False:"),
    ("levels.py", "Level(plain.level - 1)", "plain.level"),
    ("levels.py", "Order(order.reading, False, order.first != INITIAL)", "Order(order.reading, True, order.first != INITIAL)"),
    ("levels.py", "Order(order.reading, False, order.first != INITIAL)", "Order(order.reading, False, False)"),
    ("levels.py", "        if level > upto:\n            break\n", ""),
    ("levels.py", "min((max(found.level, Level.READ_COMMITTED)", "max((max(found.level, Level.READ_COMMITTED)"),
    ("levels.py", "for part in found[:SHOWN]]", "for part in found[1:SHOWN]]"),
    ("checker.py", "if not judgement.seen:", "if False:"),
    ("checker.py", "in reversed(NAMES.values()) if", "in NAMES.values() if"),
    ("checker.py", "_unclear(*judgement.unclear), []", "_unclear(*judgement.unclear), kept"),
    ("checker.py", "    elif judgement.unclear is not None:\n        valid", "    elif False:\n        valid"),
    ("checker.py", "    elif not decided(expected):\n", "    elif False:\n"),
    ("checker.py", "for name in below} | ruled_out(counts)\n", "for name in below}\n"),
    ("story.py", "if stronger >= level]", "if stronger > level]"),
    ("story.py", "if len(txn.mops) > QUOTED:", "if False:"),
    ("story.py", "        self.places.add((number, at))\n", ""),
    ("story.py", "edge[\"path\"] = [cast.name(number) for number in way]", "edge[\"path\"] = [cast.name(number) for number in way[1:]]"),
    ("story.py", "direct = level < Level.CAUSAL or", "direct = False and"),
    ("story.py", "if finding.writer in (None, finding.reader)", "if True"),
    ("story.py", "    if by_sessions:\n        told.rules_out", "    if False:\n        told.rules_out"),
    ("kernels.py", "if 2 * count >= len(table):", "if 2 * count > len(table):"),
    ("kernels.py", "final[last[k]] = False", "pass"),
    ("kernels.py", "twice[table[slot]] = True", "pass"),
    ("kernels.py", "                if writer == t:\n                    writer = UNEXPLAINED\n", ""),
    ("kernels.py", "np.sort(w_key[w_start[t] : count])", "w_key[w_start[t] : count]"),
    ("edge_kernels.py", "if writer >= 0 and seen and r_writer[following[k]] != writer:", "if False:"),
    ("edge_kernels.py", "if by[x] == t and r_writer[following[x]] != writer:", "if False:"),
    ("edge_kernels.py", "if r_writer[following[x]] != writer and writes(w_start, w_key, writer, x):", "if False:"),
    (
        "edge_kernels.py",
        "if sessions and owner[k] == chain[t] and newest[k] != writer:",
        "if owner[k] == chain[t] and newest[k] != writer:",
    ),
    ("edge_kernels.py", "if sessions and owner[k] == chain[t] and newest[k] != writer:", "if sessions and newest[k] != writer:"),
    ("edge_kernels.py", "elif r_writer[at[k]] != writer:", "elif False:"),
    ("edge_kernels.py", "and (few or writes(w_start, w_key, writer, x)):", "and few:"),
    ("edge_kernels.py", "row[chain[t]] = place[t]", "pass"),
    ("edge_kernels.py", "row[chain[writer]] = place[writer] + 1", "row[chain[writer]] = place[writer]"),
    ("edge_kernels.py", "if place[k_writer[middle]] < row[s]:", "if place[k_writer[middle]] <= row[s]:"),
    ("edge_kernels.py", "clock[writer, s] <= place[cause]", "clock[writer, s] < place[cause]"),
    ("edge_kernels.py", "if cause != writer and (writer", "if (writer"),
    (
        "edge_kernels.py",
        "step = r_writer[r] if r >= r_start[t] else before[t] if sessions else -1",
        "step = r_writer[r] if r >= r_start[t] else -1",
    ),
    ("edge_kernels.py", "left[i] &= ~reach[source, i]", "left[i] = 0"),
    ("edge_kernels.py", "if jumps and v < len(chain):", "if v < len(chain):"),
    ("resolved.py", "if not type_ and len(writers) == 1]", "if False]"),
    ("resolved.py", "- {reader})", ")"),
    ("resolved.py", "if self.final[w]} -", "} -"),
    ("swift.py", "before[(before < starts[chain]) | ~ok] = -1", "before[~ok] = -1"),
    ("swift.py", "for root in (self.first, self.n) if", "for root in (self.n,) if"),
    ("swift.py", "plain is None or level < plain.level]", "True]"),
    ("swift.py", "self.reads.writer[r] < 0 or int(self.reads.writer[r]) in cast", "True"),
    ("swift.py", "if not best or len(way) < len(best):", "if True:"),
]  # fmt: skip

if __name__ == "__main__":
    os.environ["NUMBA_DISABLE_JIT"] = "1"  # the kernels as plain Python: compiling each mutant would take most of the time
    sys.exit(score("weak-isolation", "weak_isolation", MUTANTS, ["-m", "not slow", *TESTS]))
