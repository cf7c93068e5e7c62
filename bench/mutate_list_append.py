"""Mutation score of the list-append checker's tests: break the checker in small ways, one at a time, and see the tests fail.

bench/mutate_list_append.py [arrays]       some minutes; works on a copy, exit 0 if no mutant survives

The kernels are run as plain Python here, so that no mutant waits for a compiler.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module, reload
from itertools import product
from pathlib import Path
from types import ModuleType

os.environ["NUMBA_DISABLE_JIT"] = "1"  # before any kernel is imported
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pytest
from mutation import TOP, Mutant, score

TESTS = ["tests/checkers/test_list_append.py", "tests/checkers/test_list_append_random.py", "tests/checkers/test_models.py"]
# file of checkers/, text, what it becomes
MUTANTS = [
    ("transactions/cycles.py", "(2, 2, 3, -1), (4, 4, -1, -1)", "(2, 2, 3, -1), (4, 4, 3, -1)"),
    ("transactions/cycles.py", "frozenset({4})", "frozenset({3, 4})"),
    ("transactions/cycles.py", "for hidden in (\"\", suffix)", "for hidden in (suffix,)"),
    ("transactions/cycles.py", "limit = FAR if best is None else len(best) - 2", "limit = FAR if best is None else len(best) - 3"),
    ("transactions/cycles.py", "limit = FAR if best is None else len(best) - 1", "limit = FAR if best is None else len(best) + 1"),
    ("transactions/cycles.py", "low=component[start]", "low=component[start] + 1"),
    ("transactions/cycles.py", "reverse=True", "reverse=False"),
    ("transactions/cycles.py", "if len(best) == 2", "if len(best) <= 3"),
    ("transactions/region.py", "self.ret[last] < self.call[first] and", "self.ret[last] <= self.call[first] + 1 and"),
    ("transactions/region.py", " and self.process[last] != self.process[first]", ""),
    ("transactions/region.py", "line[at + 1 :]", "line[at + 2 :]"),
    ("transactions/components.py", "order[target] < low[vertex]", "order[target] > low[vertex]"),
    ("transactions/components.py", "                sealed = True\n", ""),
    ("list_append/dependencies.py", "why.kind < known.kind", "why.kind > known.kind"),
    ("list_append/dependencies.py", "        if element in committed:\n            following = element", "        following = element"),
    ("list_append/dependencies.py", "yield writer, following, Why(WW, name, before, element, unread=True)", "pass"),
    ("list_append/dependencies.py", "yield reading.txn, writer, Why(RW, key.name, before, element, unread=True)", "pass"),
    ("list_append/dependencies.py", "first.number != second.number", "True"),
    ("list_append/versions.py", "self.committed[append.txn.number] and element", "append.txn.outcome == OK and element"),
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
    ("transactions/composition.py", "holds=strongest(holding)", "holds=strongest(decided)"),
    ("models.py", "frozenset(anomaly for anomaly, meaning in relations.meaning.items() if meaning & banned)", "banned"),
]  # fmt: skip

# The arrays' mutants are tried in this process, module by module: with kernels as plain Python a start costs more than most tests do.
KERNELS, EDGES, GRAPH = "list_append/kernels.py", "list_append/edge_kernels.py", "transactions/graph_kernels.py"
SELECTED, SWIFT, SCAN = "list_append/selected.py", "list_append/swift.py", "../harness/history/txn_kernels.py"
OF_ARRAYS = [
    (KERNELS, "length[m] = 0 if outcome[t] == OK else -1", "length[m] = -1"),
    (KERNELS, "(outcome[t] == FAIL or length[m] < 0)", "length[m] < 0"),
    (KERNELS, "and owner[last[k]] == t:", "and owner[last[k]] >= 0:"),
    (KERNELS, "outcome[owner[a]] == INFO and not", "not"),
    (KERNELS, "seen_length[k] if seen_start[k] == start[m] else 0", "seen_length[k]"),
    (KERNELS, "length[m] > length[best[key[m]]]", "length[m] >= length[best[key[m]]]"),
    (KERNELS, "observed or outcome[t] == OK", "True"),
    (KERNELS, "elements[whole + j] != elements[mine + j]", "elements[whole + j] < elements[mine + j]"),
    (KERNELS, "or not committed[owner[a]] or place[a] >= 0", "or place[a] >= 0"),
    (KERNELS, "or not committed[owner[a]] or place[a] >= 0", "or not committed[owner[a]]"),
    (KERNELS, "place[m] = -2 - at[key[m]]", "pass"),
    (KERNELS, "own > length[m] or elements[start[m] + length[m] - own] != value[i]", "own > length[m]"),
    (KERNELS, "length[before] + own != length[m]", "length[before] + own > length[m]"),
    (KERNELS, "0 <= place[i] < length[m]:\n                        odd", "0 <= place[i] <= length[m]:\n                        odd"),
    (KERNELS, "0 <= place[i] < length[m]:\n                        odd", "0 < place[i] < length[m]:\n                        odd"),
    (KERNELS, "outcome[t] == INFO or bad[key[m]] or", "outcome[t] == INFO or"),
    (KERNELS, "outcome[t] == INFO or bad[key[m]] or", "bad[key[m]] or"),
    (KERNELS, "final[a] or owner[a] == t", "final[a]"),
    (KERNELS, "            if not told:\n                half", "            if True:\n                half"),
    (KERNELS, "if fresh and updates:", "if updates:"),
    (KERNELS, "if fresh and updates:", "if fresh:"),
    (KERNELS, "or key[b] == shown:", "or False:"),
    (KERNELS, "not 0 <= place[b] < length[m]", "not 0 <= place[b] <= length[m]"),
    (KERNELS, "            mixed[t] = True\n", ""),
    (KERNELS, "w == t or size[w] < 2 or", "size[w] < 2 or"),
    (EDGES, "if s == t or ret[s] < call[t]:", "if s == t or ret[s] <= call[t] + 1:"),
    (EDGES, "source[edges], target[edges], kind[edges] = t, up + begin[k], what", "pass"),
    (EDGES, "if low > begin[k]:", "if low > begin[k] + 1:"),
    (EDGES, "if high + 1 < begin[k + 1]:", "if high + 2 < begin[k + 1]:"),
    (EDGES, "range(offset[k] + 1, offset[k + 1]):\n            edges", "range(offset[k] + 2, offset[k + 1]):\n            edges"),
    (EDGES, "begin[k + 1]):\n                    noted", "begin[k]):\n                    noted"),
    (EDGES, "component[s] != component[t]", "False"),
    (EDGES, "t, WR, -1, a, m)", "t, WR, a, a, m)"),
    (EDGES, "at = offset[k + 1] - offset[k] + j - begin[k]", "at = 0"),
    (GRAPH, "latest[v] >= ret[v]", "latest[v] > ret[v] + 1"),
    (GRAPH, "latest[w] = max(latest[w], latest[v])", "latest[w] = latest[v]"),
    (GRAPH, "return end == count", "return True"),
    (GRAPH, "                sealed = False\n", ""),
    (GRAPH, "source[edges], target[edges] = newest, newest + 1\n                    edges += 1", "pass"),
    (GRAPH, "order[w] < low[v]", "order[w] > low[v]"),
    (SWIFT, "graph.kind != 2", "graph.kind != 1"),
    (SWIFT, "[found[0]] > 1)", "[found[0]] > 2)"),
    (SWIFT, "found[:, 5], rank, found[:, 2]", "rank, found[:, 5], found[:, 2]"),
    (SWIFT, "found[:, 5], rank, found[:, 2], found[:, 1]", "found[:, 5], rank, found[:, 1]"),
    (SWIFT, "lists.ret[s] >= lists.call[t]", "lists.ret[s] < lists.call[t]"),
    (SELECTED, "fractured(versions, frozenset(mixed))", "fractured(versions)"),
    (SELECTED, "by_key.sort(key=lambda pair: pair[0])", "pass"),
    (SELECTED, "one.txns == cast_]", "True]"),
    (SELECTED, "versions.keys = {name: versions.keys[name] for name in names if name in versions.keys}", "pass"),
    (SELECTED, "if parts is None or len(sifted.odd) else parts.cyclic", "if parts is None else parts.cyclic"),
    (SELECTED, "if len(part) > 1]", "if len(part) > 2]"),
    (SELECTED, "bool(orders.place[proof] < 0)", "False"),
    (SELECTED, "if not counts and not orders.observed:", "if not orders.observed:"),
    (SELECTED, "(int(calls[w]), int(calls[r]), int(lists", "(int(calls[r]), int(calls[w]), int(lists"),
    (SCAN, "(same == size or d[base + same] == separator)", "True"),
    (SCAN, "same == size and d[at + same] == separator", "d[at + same] == separator"),
    (SCAN, "if start + length != counts[ELEMENTS]:", "if False:"),
    (SCAN, "return at + same + 1, -1, before + 1", "return at + same + 1, -1, before"),
    (SCAN, "if past >= 0 and longest[3] == 0:", "if past >= 0:"),
    (SCAN, "past - 1 if plain else at, start", "past - 1, start"),
    (SCAN, "    if not plain:\n        return past, start, length + more", "    if False:\n        return past, start, length + more"),
    (SCAN, "seen & (1 << field)", "False"),
    (SCAN, "if number != i:", "if False:"),
    (SCAN, "seen & needed == needed", "True"),
    (SCAN, "counts[MOPS] = mops_before\n            odd", "odd"),
    (SCAN, "if kind[i] == 1 or (kind[i] == 3 and count[i] >= 0):", "if kind[i] == 1:"),
    (SCAN, "        if kind[i] != 3:\n            ret", "        if True:\n            ret"),
    (SCAN, "        if count[source[t]] < 0:\n            return -1\n", "        pass\n"),
]  # fmt: skip

LIMIT_S = 60  # of CPU; a mutant that never ends is found too


def roads() -> Iterator[Callable[[], None]]:
    """The tests that compare both roads and the two readers, the quick ones first."""
    from tests.checkers import test_list_append_swift as swift
    from tests.harness import test_txn_columns as columns

    yield swift.test_all_that_read_nothing_and_appended_lose_their_updates
    yield swift.test_an_update_may_be_lost_without_a_cycle
    yield swift.test_rules_that_see_a_part_of_the_history_count_nothing_twice
    yield swift.test_a_writer_half_read_in_a_good_and_a_bad_key_is_told_in_their_order
    yield swift.test_an_unknown_writer_that_only_an_odd_read_shows_committed
    yield columns.test_what_is_unusual_has_no_columns
    yield columns.test_ops_are_decoded_alone
    for ops in ([], [[["r", 1, None]]], [[["append", 1, 1]], [["append", 1, 1]]], [[]]):
        yield partial(swift.test_nothing_observed_or_an_element_twice_is_unknown_by_both, ops)
    for seed in range(3):
        yield partial(_patched, swift.test_both_roads_say_the_same_of_random_histories, seed)
    for edn, registers in product((False, True), repeat=2):
        yield partial(columns.test_columns_hold_what_the_ordinary_reader_reads, edn, registers)
    for seed in range(2):
        yield partial(swift.test_both_roads_say_the_same_of_large_broken_histories, seed)


def _patched(test: Callable[[int, pytest.MonkeyPatch], None], seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        test(seed, patch)


def survives(mutant: Mutant) -> bool:
    """Break a module in place, run the tests, mend it."""
    file, text, broken = mutant
    path = (TOP / "checkers" / file).resolve()
    module = import_module(".".join(path.relative_to(TOP).with_suffix("").parts))
    whole = path.read_text()
    assert text in whole, f"{file} no longer has {text!r}: mend the list"
    _set(module, path, whole.replace(text, broken))
    signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
    try:
        for test in roads():
            test()
        return True
    except (Exception, pytest.fail.Exception):
        return False
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        _set(module, path, whole)


def _set(module: ModuleType, path: Path, source: str) -> None:
    """Run the source in the module, and take its names again where they were imported."""
    exec(compile(source, path, "exec"), module.__dict__)
    selected = import_module("checkers.list_append.selected")
    if module.__name__.endswith("swift"):
        reload(selected)
    import_module("tests.checkers.test_list_append_swift").judge_lists = selected.judge_lists


def _ended(*_: object) -> None:
    raise TimeoutError("the mutant never ends")


def score_arrays(mutants: Sequence[Mutant]) -> int:
    """The same as `score`, in this process."""
    signal.signal(signal.SIGPROF, _ended)
    for test in roads():
        test()
    alive = [mutant for mutant in mutants if survives(mutant)]
    for file, text, broken in alive:
        print(f"survived: {file}: {text!r} -> {broken!r}")
    print(f"list-append by arrays: {len(mutants) - len(alive)} of {len(mutants)} mutants killed", flush=True)
    return 1 if alive else 0


if __name__ == "__main__":
    exact = score("list-append", "", MUTANTS, TESTS) if "arrays" not in sys.argv else 0
    sys.exit(score_arrays(OF_ARRAYS) or exact)
