"""Mutation score of the set-full checker's tests: break the checker in small ways, one at a time, and see the tests fail.

bench/mutate_set_full.py        about two minutes; works on a copy, exit 0 if no mutant survives
"""

from __future__ import annotations

import sys

from mutation import score

TESTS = ["tests/checkers/test_set_full.py", "tests/checkers/test_set_full_random.py"]
# file of checkers/set_full/, text, what it becomes
MUTANTS = [
    ("calls.py", "if outcome == FAIL:", "if False:"),
    ("calls.py", "and outcome == OK else INFINITY", "else INFINITY"),
    ("calls.py", "calls.reads.sort(key=lambda read: read.ret)", "pass"),
    ("calls.py", "elif call.outcome != FAIL:", "else:"),
    ("calls.py", "values if set(map(type, values)) <= PLAIN else [key_of(value) for value in values]", "values"),
    ("calls.py", "type(value) is int or type(value) is str", "isinstance(value, int | str)"),
    ("calls.py", ', order="deterministic"', ""),
    ("calls.py", "sorted(reads, key=lambda read: read.call)", "sorted(reads, key=lambda read: -read.call)"),
    ("calls.py", "latest[read.node] = read", "latest[None] = read"),
    ("calls.py", 'value.keys() == {"key", "value"}', "False"),
    ("sweep.py", "acks.sort(key=itemgetter(0))", "acks.sort(key=itemgetter(0), reverse=True)"),
    ("sweep.py", "acks[at][0] < moment", "acks[at][0] < moment - 1"),
    ("sweep.py", "known_before[number] = len(self._order)", "known_before[number] = 0"),
    ("sweep.py", "must = self._order[:known_before]", "must = self._order"),
    ("sweep.py", "            self._acknowledge(element, ret)\n        self._gather", "            pass\n        self._gather"),
    ("sweep.py", "        if element not in self.known:\n", "        if True:\n"),
    ("sweep.py", "self.first_remove.get(element, INFINITY) > read.ret", "True"),
    ("sweep.py", "self.first_remove.get(element, INFINITY) > read.ret", "element not in self.first_remove"),
    ("sweep.py", "if self._first_call.get(element, INFINITY) < read.ret:", "if element in self._first_call:"),
    ("sweep.py", "self.known[element] = read.ret", "self.known[element] = read.call"),
    ("sweep.py", "                self.seen.add(element)\n", ""),
    ("sweep.py", "            self.seen |= newly\n", ""),
    ("sweep.py", "if count > 1:", "if count > 2:"),
    ("sweep.py", "pair[0].call", "-pair[0].call"),
    ("sweep.py", "times.update(elements)", "times.update(set(elements) - set(times))"),
    ("sweep.py", "remove.ret < read.call]", "remove.ret < read.ret]"),
    ("sweep.py", "remove.ret < read.call]", "remove.call < read.call]"),
    ("sweep.py", "                self.gone.add(element)\n", ""),
    ("sweep.py", "newest = max(", "newest = min("),
    ("sweep.py", "if add.call < read.ret]", "]"),
    ("sweep.py", "if adds and all(", "if all("),
    ("sweep.py", "add.ret < newest", "add.call < newest"),
    ("sweep.py", "read.call > shown.call", "False"),
    ("sweep.py", "elements.intersection(read.elements), read.ret", "elements.intersection(read.elements), read.call"),
    ("judge.py", "or {last}", "and {last}"),
    ("judge.py", "lasts=read.call in at_end", "lasts=True"),
    ("judge.py", "lasts=read.call in at_end", "lasts=False"),
    ("judge.py", "if known > last and", "if"),
    ("judge.py", "element not in sweep.seen and", ""),
    ("judge.py", " and element not in calls.removes", ""),
    ("judge.py", "if element in lacking:", "if False:"),
    ("judge.py", "< miss.last.call", "< miss.first.call"),
    ("judge.py", "sweep.known[element] < read.call and", ""),
    ("judge.py", "and sweep.first_remove.get(element, INFINITY) > read.ret", ""),
    ("checker.py", ">= min(starts)", "> min(starts)"),
    ("checker.py", "starts and history.ops", "history.ops"),
    ("checker.py", "calls.reads = final = last_reads(calls.reads)", "final = last_reads(calls.reads)"),
    ("checker.py", "sweep.seen | sweep.gone", "sweep.seen"),
    ("checker.py", "sweep.seen | sweep.gone", "sweep.known"),
    ("checker.py", "return not expected or", "return"),
    ("checker.py", "is_strict or finding.lasts", "is_strict"),
    ("checker.py", "is_strict or finding.lasts", "finding.lasts"),
    ("judge.py", "lasts=lost", "lasts=True"),
    ("checker.py", "return finding.type != NEVER", "return True"),
    ("checker.py", "if counts.keys() - {NEVER} else []", "if counts else []"),
    ("checker.py", "-staleness(history, one.finding))", "staleness(history, one.finding))"),
    ("checker.py", "[:SHOWN]", ""),
    ("checker.py", 'self.mode == "set-full" and ', ""),
    ("checker.py", "and strict(context.expected):", ":"),
    ("checker.py", "and not any(calls.removes for _, calls, _ in sets)", ""),
    ("order.py", "if element not in calls.removes]", "]"),
    ("order.py", "reversed(during)", "during"),
    ("order.py", "bisect_left(moments, call)", "bisect_left(moments, read.ret)"),
    ("order.py", "bisect_right(moments, read.call) :", "bisect_right(moments, call) :"),
    ("order.py", "if e not in removable] if removable else read.elements", "] if removable else read.elements"),
    ("order.py", "stays.sort(key=lambda pair: len(pair[1]))", "pass"),
    ("order.py", "return _order(calls, sweep) or _fork(calls, sweep)", "return _order(calls, sweep)"),
    ("order.py", "return _order(calls, sweep) or _fork(calls, sweep)", "return _fork(calls, sweep)"),
]  # fmt: skip

if __name__ == "__main__":
    sys.exit(score("set-full", "set_full", MUTANTS, ["-m", "not slow", *TESTS]))
