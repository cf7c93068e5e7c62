"""Mutation score of the list-append checker's tests: break the checker in small ways, one at a time, and see the tests fail.

bench/mutate_list_append.py        about a minute; works on a copy, exit 0 if no mutant survives
"""

from __future__ import annotations

import sys

from mutation import score

TESTS = ["tests/checkers/test_list_append.py", "tests/checkers/test_list_append_random.py", "tests/checkers/test_models.py"]
# file of checkers/, text, what it becomes
MUTANTS = [
    ("list_append/cycles.py", "(2, 2, 3, -1), (4, 4, -1, -1)", "(2, 2, 3, -1), (4, 4, 3, -1)"),
    ("list_append/cycles.py", "frozenset({4})", "frozenset({3, 4})"),
    ("list_append/cycles.py", "for hidden in (\"\", suffix)", "for hidden in (suffix,)"),
    ("list_append/cycles.py", "limit = FAR if best is None else len(best) - 2", "limit = FAR if best is None else len(best) - 3"),
    ("list_append/cycles.py", "limit = FAR if best is None else len(best) - 1", "limit = FAR if best is None else len(best) + 1"),
    ("list_append/cycles.py", "low=component[start]", "low=component[start] + 1"),
    ("list_append/cycles.py", "reverse=True", "reverse=False"),
    ("list_append/cycles.py", "if len(best) == 2", "if len(best) <= 3"),
    ("list_append/region.py", "self.ret[last] < self.call[first] and", "self.ret[last] <= self.call[first] + 1 and"),
    ("list_append/region.py", " and self.process[last] != self.process[first]", ""),
    ("list_append/region.py", "line[at + 1 :]", "line[at + 2 :]"),
    ("list_append/components.py", "order[target] < low[vertex]", "order[target] > low[vertex]"),
    ("list_append/components.py", "                sealed = True\n", ""),
    ("list_append/dependencies.py", "why.kind < known.kind", "why.kind > known.kind"),
    ("list_append/dependencies.py", "        if element in committed:\n            following = element", "        following = element"),
    ("list_append/dependencies.py", "yield writer, following, Why(WW, name, before, element, unread=True)", "pass"),
    ("list_append/dependencies.py", "yield reading.txn, writer, Why(RW, key.name, before, element, unread=True)", "pass"),
    ("list_append/dependencies.py", "first.number != second.number", "True"),
    ("list_append/versions.py", "append.txn.outcome == OK and element not in placed", "element not in placed"),
    ("list_append/versions.py", "        if not key.compatible:\n            return []\n", ""),
    ("list_append/versions.py", "append.txn.outcome == INFO and", "append.txn.outcome != OK and"),
    ("list_append/versions.py", "tuple(dict.fromkeys(longest))", "longest"),
    ("list_append/versions.py", "self.readings.sort(", "sorted(self.readings, "),
    ("transactions/txns.py", "if type(value) is int or type(value) is str:", "if isinstance(value, int | str):"),
    ("transactions/txns.py", "() if outcome == OK else None", "None"),
    ("transactions/txns.py", "done.index if done is not None and outcome != INFO", "done.index if done is not None"),
    ("list_append/phenomena.py", "known[mop.key] = (True, mop.value)", "pass"),
    ("list_append/phenomena.py", "reversed(txn.mops)", "txn.mops"),
    ("list_append/phenomena.py", "or append.txn is reading.txn or append.txn.outcome == FAIL", "or append.txn.outcome == FAIL"),
    ("list_append/phenomena.py", "or append.txn is reading.txn or append.txn.outcome == FAIL", "or append.txn is reading.txn"),
    ("list_append/phenomena.py", "            dirty = None\n        else", "            pass\n        else"),
    ("list_append/phenomena.py", "if len(txns) > 1:", "if len(txns) > 2:"),
    ("list_append/phenomena.py", "more[: len(less)] != less", "more[: len(less)] < less"),
    ("list_append/checker.py", "why.kind != RW", "why.kind == RW"),
    ("list_append/checker.py", "strongest(DECIDED - violated)", "strongest(DECIDED)"),
    ("models.py", "frozenset(anomaly for anomaly, meaning in relations.meaning.items() if meaning & banned)", "banned"),
]  # fmt: skip

if __name__ == "__main__":
    sys.exit(score("list-append", "", MUTANTS, TESTS))
