"""Mutation score of the serial checker's tests: break the checker in small ways, one at a time, and see the tests fail.

bench/mutate_serial.py        ten minutes; works on a copy, exit 0 if no mutant survives
"""

from __future__ import annotations

import sys

from mutation import score

TESTS = ["tests/checkers/test_serial.py", "tests/checkers/test_serial_random.py"]
# file of checkers/serial/, text, what it becomes
MUTANTS = [
    ("problem.py", "if key not in writes and key not in reads:", "if key not in writes:"),
    ("problem.py", "for m in txn.mops[place:]", "for m in txn.mops"),
    ("problem.py", "if txn.outcome != FAIL and not (body.trouble and txn.outcome != OK):", "if txn.outcome != FAIL:"),
    ("problem.py", "if txn.outcome != FAIL and not (body.trouble and txn.outcome != OK):", "if not (body.trouble and txn.outcome != OK):"),
    ("problem.py", "            found = [START, *found]\n", "            pass\n"),
    ("problem.py", "return [writer for writer in found if writer != reader] if reader in found else found", "return found"),
    ("problem.py", "                dropped = True\n", ""),
    ("problem.py", "                    self._finals[item].remove(number)\n", "                    pass\n"),
    ("problem.py", "possible - certain if self.bodies[number].reads)", "possible if self.bodies[number].reads)"),
    ("problem.py", "possible - certain if self.bodies[number].reads)", "() if number)"),
    ("problem.py", "if not sole or len(sources) == 1 else ():", ":"),
    ("problem.py", "self.bodies[txn.number].writes[key] != value:", "True:"),
    ("problem.py", 'Finding("future-read" if wrote else "garbage-read"', 'Finding("garbage-read"'),
    ("problem.py", "if body.writes.get(item[0]) != item[1]:", "if True:"),
    ("chains.py", "if number in optional or len(read.sources) > 1:", "if len(read.sources) > 1:"),
    ("chains.py", "elif version in self.after:", "elif False:"),
    ("chains.py", "self._add(key, tuple(members), head == first)", "self._add(key, tuple(members), False)"),
    ("chains.py", "([] if first is None else [first]) + heads", "heads + ([] if first is None else [first])"),
    ("events.py", "step = 2 if snapshots else 1", "step = 1"),
    ("events.py", "                self._edge(self.start[number], self.commit[number], Why(INSIDE))\n", "                pass\n"),
    ("events.py", "                if txns[number].outcome == OK:\n", "                if True:\n"),
    ("events.py", "if number != order.first:", "if False:"),
    ("events.py", "                newest, batch = node, []\n", "                batch = []\n"),
    ("events.py", "                    self._edge(newest, node, why)\n", "                    pass\n"),
    ("events.py", "            if following is not None:\n", "            if False:\n"),
    ("events.py", "            if chains[0].initial:\n", "            if False:\n"),
    ("events.py", "        if blind and not chains[0].initial:\n", "        if False:\n"),
    ("events.py", "        if first.number in self.readers:\n", "        if False:\n"),
    ("events.py", "if len(readers) == 1:", "if True:"),
    ("ordered.py", "            if source in ahead:\n", "            if False:\n"),
    ("ordered.py", "sorted(behind, key=place.__getitem__) + sorted(ahead, key=place.__getitem__)",
     "sorted(ahead, key=place.__getitem__) + sorted(behind, key=place.__getitem__)"),
    ("search.py", "            elif not self._decide():\n", "            elif True:\n"),
    ("search.py", "clause[0], clause[1] = clause[1], clause[0]", "pass"),
    ("search.py", "            if self._is(clause[0], 0):\n", "            if False:\n"),
    ("search.py", "self.graph.take_back(edges)", "pass"),
    ("search.py", "used.append(~variable)", "pass"),
    ("search.py", "                waiting += self.from_[item]\n", "                pass\n"),
    ("choices.py", "return 2 * number + (first is not a)", "return 2 * number"),
    ("choices.py", "edges = [] if writer == START else", "edges = [] if True else"),
    ("choices.py", "                self.search.give([negated(literal), committed])\n", "                pass\n"),
    ("choices.py", "clause if needed is None else [negated(needed), *clause]", "clause"),
    ("choices.py", "return None if mine == other else", "return None if True else"),
    ("certificate.py", "                absent.add(number)\n                continue\n", "                pass\n"),
    ("certificate.py", "if key in writing:", "if False:"),
    ("certificate.py", "if writing.get(key) == number:", "if True:"),
    ("certificate.py", "if any(written.get(key, -1) > started[number] for key in body.writes):", "if False:"),
    ("certificate.py", "any(txns[number].outcome == FAIL for number in started)", "False"),
    ("certificate.py", "if begins and started[txn.number] < newest.get(group, -1):", "if False:"),
    ("certificate.py", "group = txn.process if by_process else 0", "group = 0"),
    ("decide.py", "sessions, real_time = wanted.sessions or (wanted.real_time and by_sessions)", "sessions, real_time = wanted.sessions"),
    ("decide.py", "        if decision.valid:\n                return decision\n", "        return decision\n"),
    ("decide.py", "        if not wrong:\n", "        if True:\n"),
    ("decide.py", "if following is not None and here", "if False and here"),
    ("prune.py", "self.settled[-2 - tag].round < before", "True"),
    ("prune.py", "            if len(ways) == 2:\n", "            if False:\n"),
    ("prune.py", "                return Judged(pair, [], 0)\n", "                continue\n"),
    ("prune.py", "if (dead := np.flatnonzero(not_ab & not_ba)).size:", "if (dead := np.flatnonzero(not_ab & not_ba)).size < 0:"),
    ("prune.py", "(self._read[a] & reach(head_commit[b], readers[a]))", "False"),
    ("prune.py", "np.where(not_ba, a, b)[one], np.where(not_ba, b, a)[one]", "np.where(not_ba, b, a)[one], np.where(not_ba, a, b)[one]"),
    ("prune.py", "rank[second[mine] - start]] == 0", "rank[second[mine] - start]] < 0"),
    ("refute.py", "            if smaller is not None:\n", "            if False:\n"),
    ("refute.py", "        if words.run(TRY_BUDGET) is False:\n", "        if False:\n"),
    ("refute.py", "*_settled(pruned, tags), *_items(choices)", "*_items(choices)"),
    ("story.py", "models & ruled_out", "models | ruled_out"),
    ("story.py", 'if not bases - {"G0", "G1c"} and _rests_on_chains(refutation):', "if False:"),
    ("story.py", "frozenset.intersection(*", "frozenset.union(*"),
    ("checker.py", "if by_sessions and MODELS[expected].real_time:", "if False:"),
    ("checker.py", "(serial or model.snapshots) and", ""),
    ("checker.py", "and (sessions or not model.sessions)", ""),
    ("checker.py", "and (real_time or not model.real_time)", ""),
]  # fmt: skip

if __name__ == "__main__":
    sys.exit(score("serial", "serial", MUTANTS, ["-m", "not slow", *TESTS]))
