"""Mutation score of the monitors' tests: break the monitors in small ways, one at a time, and see the tests fail.

bench/mutate_monitors.py [rules | swift]       some minutes; works on a copy, exit 0 if no mutant survives

Not among them, since they change no verdict: comparing gaps with `>` instead of `>=` (what covers a gap ends at a call, never at a
return); keeping adds that nobody saw; looks that may act after the remove of their value (its remove then has a moment before, and that
serves both); a remove that ended before its add began, which the rules of all objects refuse as well.
"""

from __future__ import annotations

import sys

from mutation import score

TESTS = ["tests/checkers/test_monitors.py", "tests/checkers/test_monitors_random.py"]
SWIFT_TESTS = ["tests/checkers/test_monitors_swift.py"]
# file, text, what it becomes
RULES = [
    ("acts.py", "if outcome == FAIL or (outcome != OK and kind == PEEK):", "if outcome != OK and kind == PEEK:"),
    ("acts.py", "        if value is None:\n            kind = EMPTY\n", ""),
    ("acts.py", "if answer is not None and freeze(answer) != freeze(value):", "if answer is not None and answer != value:"),
    ("table.py", "if act.ret < add.call:", "if act.call < add.call:"),
    ("table.py", "if (other := removes.get(act.value)) is not None:", "if (other := None) is not None:"),
    ("table.py", "remove.ret < act.call:", "remove.ret < act.call - 99:"),
    ("table.py", "max(rank[act.call], called[row]), rank.get(act.ret, end)", "rank[act.call], rank.get(act.ret, end)"),
    ("table.py", "        first[row] = min(first[row], rank[act.ret])\n", ""),
    ("table.py", "            leaving[row] = max(leaving[row], call)\n", "            pass\n"),
    ("table.py", "inside = [min(pair) for pair in zip(inside, first, strict=True)]", "pass"),
    ("queue.py", "latest < 0 or leaving[row] > leaving[latest]", "latest < 0 or leaving[row] < leaving[latest]"),
    ("queue.py", "first[row] < leaving[latest]", "first[row] <= leaving[latest] - 2"),
    ("queue.py", "if pair[0] < 0 and table.looks:", "if False:"),
    ("queue.py", "0 < begin <= end < never and 0 <= owner[begin - 1] == owner[end]", "False"),
    ("cover.py", "        if free[gap] == 0:\n", "        if free[gap] <= 1:\n"),
    ("cover.py", "leaving[row] > leaving[best[-1]]", "leaving[row] < leaving[best[-1]]"),
    ("priority_queue.py", "reverse=not smallest", "reverse=True"),
    ("priority_queue.py", "to_free(free, calls[look]) >= rets[look]", "False"),
    ("priority_queue.py", "return value if isinstance(value, int) else None", "return value"),
    ("priority_queue.py", "len(set(numbers)) == len(numbers)", "True"),
    ("stack.py", "return hollow(table)", "return None"),
    ("stack.py", "Front(table.inside[row], call, ret, row)", "Front(table.inside[row], ret, ret, row)"),
    ("peel.py", "segment[gone[row] - 1] + 1, row", "segment[gone[row] - 1], row"),
    ("peel.py", "windows, need[row] = windows + 1, 2", "windows, need[row] = windows + 1, 1"),
    ("peel.py", "begin, end) > 1:", "begin, end) > 2:"),
    ("peel.py", "if latest[1] <= segment or before == 0:", "if latest[1] < segment or before == 0:"),
    ("peel.py", "_sink(low, add, size, segment[inside[row]], segment[leaving[row]])", "_mend(low, add, size)"),
    ("deadlines.py", "calls[served] >= deadlines[x]", "calls[served] > deadlines[x] + 1"),
    ("deadlines.py", "while y < len(before) and before[y] < keys[x]:", "while y < len(before):"),
    ("deadlines.py", "place = size - inside[x]", "place = size - 1"),
    ("crashed.py", "if relaxed is not None:", "if False:"),
    ("crashed.py", "if any(_with(acts, chosen, rule) is None for chosen in _choices(loose, missing)):", "if True:"),
    ("crashed.py", "act.call < before and act.index not in used", "act.call < before"),
    ("set_object.py", "adds <= 1 and", ""),
    ("set_object.py", "if adds and adds[0].crashed and not saw", "if adds and adds[0].crashed"),
    ("set_object.py", "if act.ret < add.call:", "if act.call < add.call:"),
    ("set_object.py", "(leaving is None or act.ret < leaving.call):", "leaving is None:"),
    ("set_object.py", "act.ret < acts[first[alike]].ret", "act.ret > acts[first[alike]].ret"),
    ("set_object.py", "return act.kind == CONTAINS or act.result is False", "return act.kind == CONTAINS or act.result is not True"),
    ("window.py", "act.kind in (ADD, REMOVE) and act.call < found.until)", "False)"),
    ("checker.py", "        if not judged.seen:\n", "        if False:\n"),
    ("checker.py", "if context.expected in DECIDED:", "if True:"),
    ("witness.py", "len(values) > removes and all(", "all("),
    ("witness.py", "value != kept] if vanish", "True] if vanish"),
    ("witness.py", "            return False\n    return not _some_order", "            pass\n    return not _some_order"),
]  # fmt: skip
SWIFT = [
    ("kernels.py", "            if null[i] or table[place] >= 0:\n", "            if null[i]:\n"),
    ("kernels.py", "(role[i] == REMOVES and gone[row] < end)", "False"),
    ("kernels.py", "if gone[row] < look_call[look] and status[k] == FINE:", "if False:"),
    ("kernels.py", "inside[row] = min(inside[row], first[row])", "pass"),
    ("kernels.py", "if odd[element] or adds[element] > 1 or removes[element] > 1:", "if odd[element] or adds[element] > 1:"),
    ("kernels.py", "or removal[element] < seen[element]:", "or False:"),
    ("kernels.py", "done < max(left[element], seen[element])", "True"),
    ("swift.py", "return role if asking.any() and columns.null[asking].all() else None", "return role"),
    ("swift.py", "or columns.result.any():", "or False:"),
    ("swift.py", "chosen |= ~adding & (outcome == 3)", "pass"),
    ("swift.py", "look[0] = (np.cumsum(kept) - 1)[look[0]]", "pass"),
    ("swift.py", "np.argsort(self.value if smallest else -self.value", "np.argsort(-self.value"),
    ("swift.py", "if served == len(rows):", "if True:"),
]  # fmt: skip

if __name__ == "__main__":
    chosen = sys.argv[1:] or ["rules", "swift"]
    wrong = score("monitors", "monitors", RULES, TESTS) if "rules" in chosen else 0
    if "swift" in chosen:
        wrong += score("the monitors' fast road", "monitors", SWIFT, SWIFT_TESTS)
    sys.exit(1 if wrong else 0)
