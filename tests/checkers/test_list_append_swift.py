"""The road of arrays says, word for word, what the exact rules say: on small random histories, on large ones with each anomaly planted."""

import importlib.abc
import random
import sys

import msgspec
import pytest

from checkers.list_append import ListAppend, checker, edge_kernels, kernels
from checkers.list_append.arrays import lists_of
from checkers.list_append.checker import judge
from checkers.list_append.selected import judge_lists
from checkers.stats import Stats
from checkers.transactions import graph_kernels
from checkers.transactions.txns import read_txns
from harness.checker import CheckContext
from harness.compiled import is_cold
from harness.errors import HistoryError
from harness.history import txn_columns
from harness.history.formats import jsonl
from harness.history.history import History
from harness.history.txn_columns import read_txn_columns
from harness.judge import Question, judge_path
from harness.op import Op
from tests.checkers.histories_list_append import valid_history
from tests.checkers.oracle_list_append import random_history
from tests.checkers.test_list_append import ONE_OF_EACH, dense

STRICT = "strict-serializable"


def by_file(history):
    """The same history, its arrays made from the bytes of its file."""
    data = b"".join(msgspec.json.encode(msgspec.structs.replace(op, error=None)) + b"\n" for op in history.ops)
    read = History(list(history.ops))
    read.txns = read_txn_columns(data, 0, edn=False, ours=True)
    assert read.txns is not None
    return read


def difference(history, exact=None):
    """What both roads say differently; None if nothing. exact: what the exact rules say, if that is known."""
    exact = exact or judge(read_txns(history), STRICT)
    swift = judge_lists(lists_of(history), STRICT)
    if swift is None:
        return "the arrays say nothing"
    return None if msgspec.json.encode(swift) == msgspec.json.encode(exact) else (swift, exact)


def unusual(history, rng):
    """Spoiled in ways that the generator does not know: values swapped between completions, reads altered, types changed."""
    ops = [msgspec.structs.replace(op) for op in history.ops]
    for _ in range(rng.randint(1, 3)):
        op = rng.choice([op for op in ops if op.type != "invoke"])
        choice = rng.randrange(4)
        if choice == 0:
            op.type = rng.choice(["ok", "fail", "info"])
        elif choice == 1:
            op.value = [[f, k, [e for e in v if rng.random() < 0.7] if isinstance(v, list) else v] for f, k, v in op.value]
        elif choice == 2:
            op.value = [[f, k, [*v, rng.randint(1, 9)] if isinstance(v, list) else v] for f, k, v in op.value]
        else:
            op.value = [[f, k, v[::-1] if isinstance(v, list) else v] for f, k, v in op.value]
    for op in ops:  # an ok read is a list, whatever the completion was before
        if op.type == "ok":
            op.value = [[f, k, v] for f, k, v in op.value]
    return History(ops)


@pytest.mark.parametrize("seed", range(3))
def test_both_roads_say_the_same_of_random_histories(seed, monkeypatch):
    monkeypatch.setattr("checkers.list_append.selected.SHARE", 1.0)
    types, valid = set(), 0
    for i in range(500):
        rng = random.Random(seed * 10**6 + i)
        history = random_history(rng) if i % 2 else valid_history(rng.randint(1, 40), i, clients=3, keys=2, stale=0.2 * (i % 3))
        if i % 5 == 0:
            history = unusual(history, rng)
        assert difference(history) is None, (seed, i)
        assert difference(by_file(history)) is None, (seed, i)
        verdict = judge(read_txns(history), STRICT)
        types |= verdict.counts.keys()
        valid += verdict.valid is True
    assert len(types) >= 18 and 50 < valid < 450, (len(types), valid)


@pytest.fixture(scope="module")
def large():
    return valid_history(10_000, seed=1)


@pytest.mark.parametrize("type_", ONE_OF_EACH)
def test_each_anomaly_planted_in_ten_thousand_transactions_is_found(large, type_):
    planted = ONE_OF_EACH[type_]
    renamed = [
        msgspec.structs.replace(op, process=op.process + 10**6, value=[[f, f"planted {k}", v] for f, k, v in op.value])
        for op in planted.ops
    ]
    half = len(large) // 2
    recorded = dense([*large.ops[:half], *renamed, *large.ops[half:]])
    verdict, alone = judge_lists(lists_of(recorded), STRICT), judge(read_txns(planted), STRICT)
    assert verdict.valid is False and verdict.counts == alone.counts and type_ in verdict.counts
    assert (verdict.not_models, verdict.holds) == (alone.not_models, alone.holds)


def test_a_large_valid_history_is_valid_by_arrays_alone(large, monkeypatch):
    monkeypatch.setattr(checker, "read_txns", None)  # the exact road is closed
    verdict = ListAppend().check(large, CheckContext())
    assert (verdict.valid, verdict.counts, verdict.holds) == (True, {}, [STRICT])
    broken = History([*large.ops, Op(len(large), 0, 77, "ok", "txn", [])])
    monkeypatch.undo()
    with pytest.raises(HistoryError, match="process 77 completes"):
        ListAppend().check(broken, CheckContext())


@pytest.mark.parametrize("seed", range(2))
def test_both_roads_say_the_same_of_large_broken_histories(seed):
    for stale in (0.003, 0.05):
        assert difference(valid_history(1500, seed, stale=stale)) is None, stale
    assert difference(by_file(valid_history(1500, seed, stale=0.02))) is None


def test_where_most_of_a_history_matters_the_exact_rules_judge_it():
    history = valid_history(6000, 3)
    ops = [msgspec.structs.replace(op, value=[[f, k, v[::-1] if f == "r" and v else v] for f, k, v in op.value]) for op in history.ops]
    assert judge_lists(lists_of(History(ops)), STRICT) is None


@pytest.mark.parametrize("ops", [[], [[["r", 1, None]]], [[["append", 1, 1]], [["append", 1, 1]]], [[]]])
def test_nothing_observed_or_an_element_twice_is_unknown_by_both(ops):
    history = dense([op for i, value in enumerate(ops) for op in (Op(0, 0, i, "invoke", "txn", value), Op(0, 0, i, "info", "txn", value))])
    assert judge(read_txns(history), STRICT).valid == "unknown"
    assert difference(history) is None
    assert judge_lists(lists_of(history), "causal-cerone").valid == judge(read_txns(history), "causal-cerone").valid


def test_odd_keys_and_elements_stay_apart():
    def rename(op):
        return msgspec.structs.replace(op, value=[[f, [k], odd(v) if f == "append" else v and [*map(odd, v)]] for f, k, v in op.value])

    def odd(element):
        return [1, 1.0, True, "1", None, 1 << 70][element] if element < 6 else {"n": element}

    for stale in (0, 0.02):
        history = History([rename(op) for op in valid_history(300, seed=5, stale=stale).ops])
        assert difference(history) is None
        assert judge_lists(lists_of(history), STRICT).valid is (not stale)


@pytest.mark.parametrize("value", [None, 5, [["w", 1, 2]], [["r", 1, 7]], [["append", 1]]])
def test_an_irregular_history_has_no_arrays(value):
    ops = [Op(0, 0, 0, "invoke", "txn", [["r", 1, None]]), Op(1, 0, 0, "ok", "txn", value)]
    assert lists_of(History(ops)) is None
    assert lists_of(History(ops[1:])) is None
    assert lists_of(History([ops[0], ops[0]])) is None


def test_all_that_read_nothing_and_appended_lose_their_updates():
    """Many last readers, many unread appends: the ladder leads each to all but its own."""
    ops = []
    for type_ in ("invoke", "ok"):
        ops += [Op(0, 0, p, type_, "txn", [["r", 1, None], ["append", 1, 2 * p], ["append", 1, 2 * p + 1]]) for p in range(6)]
        ops += [Op(0, 0, 7, type_, "txn", [["r", 1, []]])]
    history = dense(ops)
    assert difference(history) is None
    assert judge(read_txns(history), STRICT).counts["lost-update"] == 1


def test_an_update_may_be_lost_without_a_cycle():
    """One of the two saw its own append before it made it, so nothing leads from the other back to it."""
    ops = []
    for type_ in ("invoke", "ok"):
        ops.append(Op(0, 0, 0, type_, "txn", [["append", 1, 1]]))
        ops.append(Op(0, 0, 1, type_, "txn", [["r", 1, [1, 2]], ["append", 1, 2]]))
        ops.append(Op(0, 0, 2, type_, "txn", [["r", 1, [1, 2]], ["append", 1, 3], ["r", 1, [1, 2, 3]]]))
    history = dense([*ops[:2], ops[2], *ops[3:]])
    assert difference(history) is None
    assert judge(read_txns(history), STRICT).counts == {"future-read": 1, "lost-update": 1}


def test_where_no_compiled_code_can_be_kept_the_exact_rules_judge(monkeypatch):
    class Refused(importlib.abc.MetaPathFinder):
        """As numba behaves where it finds no folder for its cache."""

        def find_spec(self, name, path, target=None):
            if name == "checkers.list_append.kernels":
                raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.delitem(sys.modules, "checkers.list_append.kernels", raising=False)
    monkeypatch.delattr("checkers.list_append.kernels", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Refused(), *sys.meta_path])
    monkeypatch.setattr(checker, "LARGE", 0)
    history = valid_history(60, 2, stale=0.3)
    ListAppend.warm(history)
    assert not history.shared
    assert ListAppend().check(history, CheckContext()) == judge(read_txns(history), STRICT)


def test_what_is_not_compiled_yet_is_announced_before_the_check(monkeypatch, capsys):
    def never(kernel):
        return True

    monkeypatch.setattr("harness.compiled.is_cold", never)
    monkeypatch.setattr(checker, "LARGE", 0)
    history = valid_history(60, 2)
    ListAppend.warm(history)
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "prepare --kernels" in said
    assert history.shared["list-append"] is not None


def test_each_kernel_is_compiled_for_one_kind_of_arrays():
    """Those of files and those of ops: a second kind would be compiled at its first need, inside the checker's budget."""
    ListAppend.compile_kernels(None)
    broken = valid_history(400, 1, stale=0.1)
    judge_lists(lists_of(by_file(broken)), STRICT)
    judge_lists(lists_of(broken), STRICT)
    for module in (kernels, edge_kernels, graph_kernels):
        own = {name: f for name, f in vars(module).items() if hasattr(f, "signatures") and f.__module__ == module.__name__}
        compiled = [f for name, f in own.items() if not name.startswith("_")]  # the others are called by kernels alone, as they need them
        assert compiled, module
        assert all(len(f.signatures) <= 1 for f in compiled), module
        assert all(not is_cold(f) for f in compiled if f.signatures)


@pytest.mark.parametrize("stale", [0, 0.01])
def test_a_large_file_is_judged_without_decoding_it(tmp_path, monkeypatch, stale):
    history = valid_history(11_000, 7, stale=stale)
    path = tmp_path / "history.jsonl"
    nemesis = [Op(len(history) + i, 0, "nemesis", type_, "cut", None) for i, type_ in enumerate(("invoke", "info"))]
    path.write_bytes(b'{"splitbrain":1}\n' + b"".join(msgspec.json.encode(op) + b"\n" for op in [*history.ops, *nemesis]))
    assert path.stat().st_size > txn_columns.LARGE
    monkeypatch.setattr(jsonl, "_read_lines", None)
    results = judge_path(path, Question())
    counted, exact = Stats().check(History(history.ops), CheckContext()), judge(read_txns(history), STRICT)
    assert results.valid is (not stale) and results.checkers["stats"]["facts"] == counted.facts
    assert [anomaly.message for anomaly in results.anomalies] == [anomaly.message for anomaly in exact.anomalies]


def test_rules_that_see_a_part_of_the_history_count_nothing_twice():
    """Key 1 is bad, and its reader brings keys 2 and 3 along, of which another reader saw a half; the failed one saw nothing."""
    values = [
        [["append", 1, 1]],
        [["append", 1, 2]],
        [["append", 2, 1], ["append", 3, 1]],
        [["r", 1, [1]]],
        [["r", 1, [2]], ["r", 2, [1]], ["r", 3, [1]]],
        [["r", 2, [1]], ["r", 3, []]],
        [["r", 4, [7]], ["append", 4, 1]],
        [["r", 4, [1]]],
    ]
    outcomes = ["ok"] * 6 + ["fail", "ok"]
    ops = [Op(0, 0, p, "invoke", "txn", value) for p, value in enumerate(values)]
    history = dense([*ops, *(Op(0, 0, p, outcomes[p], "txn", value) for p, value in enumerate(values))])
    assert judge(read_txns(history), STRICT).counts["fractured-read"] == 1
    assert difference(history) is None
    assert difference(by_file(history)) is None


def test_a_writer_half_read_in_a_good_and_a_bad_key_is_told_in_their_order():
    half = [["append", 1, 1], ["append", 1, 2], ["append", 2, 1], ["append", 2, 2]]
    values = [half, [["r", 1, [1]], ["r", 2, [1]]], [["r", 2, [9]]]]
    history = dense([Op(0, 0, p, type_, "txn", value) for type_ in ("invoke", "ok") for p, value in enumerate(values)])
    assert judge(read_txns(history), STRICT).counts["G1b"] == 2
    assert difference(history) is None


def test_an_unknown_writer_that_only_an_odd_read_shows_committed():
    """The read that shows it begins otherwise than the longer one before it; so it closes a cycle with its reader."""
    values = [
        [["append", 1, 1], ["append", 1, 2]],
        [["r", 1, [1, 2]]],
        [["r", 1, [9]], ["append", 3, 1]],
        [["append", 1, 9], ["r", 3, [1]]],
    ]
    ends = [Op(0, 0, p, "info" if p == 3 else "ok", "txn", value) for p, value in enumerate(values)]
    history = dense([*(Op(0, 0, p, "invoke", "txn", value) for p, value in enumerate(values)), *ends])
    assert judge(read_txns(history), STRICT).counts["G1c"] == 1
    assert difference(history) is None and difference(by_file(history)) is None


@pytest.mark.parametrize("ended", [True, False])
def test_nobody_saw_the_reads_that_an_invocation_names(ended):
    asked = [["append", 1, 1], ["r", 2, [1]]]  # as if it had seen who saw it
    saw = [["append", 2, 1], ["r", 1, [1]]]
    rows = [(0, "invoke", asked), (1, "invoke", saw), (1, "ok", saw), (0, "info", None)]
    history = History([Op(i, i, process, type_, "txn", value) for i, (process, type_, value) in enumerate(rows[: 3 + ended])])
    assert judge(read_txns(history), STRICT).valid is True
    assert difference(history) is None
    assert difference(by_file(history)) is None
