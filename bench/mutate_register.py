"""Mutation score of the register checker's tests: break the checker in small ways, one at a time, and see the tests fail.

bench/mutate_register.py        some minutes; works on a copy, exit 0 if no mutant survives
"""

from __future__ import annotations

import sys

from mutation import score

TESTS = ["tests/checkers/test_linearizable.py", "tests/checkers/test_linearizable_random.py", "tests/checkers/test_linearizable_swift.py"]
# file, text, what it becomes
MUTANTS = [
    ("zones.py", "after.low < before.high", "after.high < before.high"),
    ("zones.py", "zone.high < forward[at].high", "zone.high <= forward[at].low"),
    ("zones.py", "bisect_right(lows, zone.low) - 1", "bisect_right(lows, zone.low)"),
    ("zones.py", "if write.crashed and value not in observed:", "if value not in observed:"),
    ("zones.py", "if write.crashed and value not in observed:", "if write.crashed:"),
    ("zones.py", "if op.ret < group[0].call:", "if op.call < group[0].call:"),
    ("zones.py", "if len(changes) > 1:", "if len(changes) > 2:"),
    ("zones.py", "if latest is not None and op.ret < latest.call:", "if latest is not None and op.ret < latest.ret:"),
    ("zones.py", "if used < len(groups):", "if used < len(groups) - 99:"),
    ("zones.py", "found._replace(ops=_with_evidence(found.ops, operations))", "found"),
    ("zones.py", "if write.f == CAS and write.a not in writer:", "if False:"),
    ("zones.py", "not (op.crashed and op.b not in observed)", "not op.crashed"),
    ("search.py", "return state == op.a, state", "return True, state"),
    ("search.py", "return state != op.a, state", "return state == op.a, state"),
    ("search.py", "return state == op.a, op.b", "return True, op.b"),
    ("search.py", "return state if until >= now else LOST", "return state if until > now else LOST"),
    ("search.py", "INFINITY if op.crashed else op.ret)", "op.call)"),
    ("search.py", "while at < len(self.texts) and self.texts[at].startswith(state):", "while False:"),
    ("search.py", "op.f not in (READ, NOT) and not (op.f == CAS and op.a == op.b)", "False"),
    ("search.py", "if op.f in (READ, NOT)]", "if op.f in (READ,)]"),
    ("search.py", "if op.f in (READ, NOT, CAS)]", "if op.f in (READ, NOT)]"),
    ("search.py", "if op.f in (READ, NOT, CAS)]", "if op.f in (READ, CAS)]"),
    ("search.py", "if self.strings or any(", "if any("),
    ("search.py", "        del searching.pending[bit]\n", "        searching.pending.pop(0, None)\n"),
    ("search.py", "keep_all = any(op.f in (NOT, APPEND) for op in operations)", "keep_all = False"),
    ("search.py", "if self.budget < 0:", "if False:"),
    ("search.py", "self.known: dict[Any, int] = {} if self.appends else self.last", "self.known: dict[Any, int] = self.last"),
    ("crashed.py", "if (guarded - other) & guard == guard:", "if (guarded - other) & guard != guard:"),
    ("crashed.py", "((other | guard) - used) & guard != guard", "((other | guard) - used) & guard == guard"),
    ("crashed.py", "< count for kind, count", "<= count for kind, count"),
    ("crashed.py", "not free(self.cas_of.get((state, value)))", "False"),
    ("crashed.py", "paths.append(((*path, value), after + self.one[kind], wrote))", "pass"),
    ("crashed.py", "self.guard = sum(1 << field", "self.guard = sum(0 << field"),
    ("crashed.py", "self.width = most.bit_length() + 1", "self.width = 2"),
    ("crashed.py", "sets += [(write, *some)", "sets += [tuple(some)"),
    ("crashed.py", "self.one = [0] * len(kinds)", "pass"),
    ("crashed.py", "            self.cut = True\n", ""),
    ("search.py", "if stuck is None or not narrow.crashed.cut:", "if True:"),
    ("search.py", "                    mask |= idle\n", "                    mask |= idle | 1\n"),
    ("search.py", " and canonical(op.a, now) is LOST)", ")"),
    ("search.py", "(0 if op.f == CAS else idle)", "idle"),
    ("operations.py", "    if call.outcome == FAIL:\n", "    if False:\n"),
    ("operations.py", 'if f != CAS or failed_cas != "observes":', "if f != CAS:"),
    ("operations.py", 'if f != CAS or failed_cas != "observes":', "if f != CAS or failed_cas == 'never':"),
    ("operations.py", "return (type(value).__name__, value) if isinstance(value, bool | float) else value", "return value"),
    ("operations.py", "        if op.written in seen:\n", "        if False:\n"),
    ("operations.py", "    seen = {initial}\n", "    seen: set[Any] = set()\n"),
    ("operations.py", "or (op.f == CAS and op.a == op.b)", ""),
    ("operations.py", "if freeze(same) != freeze(key):", "if False:"),
    ("operations.py", "call.outcome in (OK, FAIL)", "call.outcome in (OK,)"),
    ("window.py", "for op in operations if op.call < end]", "for op in operations if op.call < end - 2]"),
    ("window.py", "(op.f not in (READ, NOT) or op.call > anchor.ret)", "True"),
    ("window.py", "if any(op.f == CAS and op.call < anchor.ret for op in part):", "if False:"),
    ("window.py", "if op.f == HELD or any(other.f == NOT for other in rest):", "if op.f == HELD:"),
    ("window.py", "return op.written in text if op.f == APPEND else text.startswith(op.written)", "return False"),
    ("window.py", "(other.f in (READ, CAS) and other.a == op.written", "(other.f in () and other.a == op.written"),
    ("checker.py", "return Verdict(True, holds", "return Verdict('unknown', holds"),
    ("checker.py", "if context.expected in DECIDED:", "if True:"),
    ("checker.py", "absent = {op.written for op in operations if op.f != READ} -", "absent = set() and"),
    ("checker.py", "self.initial is not None or", ""),
    ("witness.py", "if len(ops) < len(quoted)", "if False"),
    ("witness.py", "return _rest_does_not_matter(list(recorded.values()), ops) and not", "return not"),
    ("witness.py", "if appended else op.written in asked", "if appended else False"),
    ("kernels.py", "if open_[p] >= 0:", "if False:"),
    ("kernels.py", "        if op < 0:\n", "        if False:\n"),
    ("kernels.py", "if null[i] or table[place] >= 0:", "if null[i]:"),
    ("kernels.py", "if null[i] or table[place] >= 0:", "if table[slot] >= 0:"),
    ("kernels.py", "if c < 0 or ret[i] < begin[c]:", "if c < 0:"),
    ("kernels.py", "most[c] = max(most[c], call[i])", "most[c] = max(most[c], ret[i])"),
    ("kernels.py", "if kind[i] == 2:", "if kind[i] == 3:"),
    ("swift.py", "(low[first][1:] < ends[:-1])", "(high[first][1:] < ends[:-1])"),
    ("swift.py", "(high[back] < ends[outer])", "(high[back] < starts[outer])"),
    ("swift.py", "(keys[outer] == key[back])", "(keys[outer] >= 0)"),
    ("swift.py", "(keys[1:] == keys[:-1]) &", ""),
    ("swift.py", "int(there.sum())", "columns.keys"),
    ("swift.py", "columns.process.max() >= 4 * count + 1024", "False"),
]  # fmt: skip

if __name__ == "__main__":
    sys.exit(score("register", "linearizable", MUTANTS, TESTS))
