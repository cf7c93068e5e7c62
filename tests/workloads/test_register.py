"""The register workload in simulated time: values, keys, groups of threads, crashes, final reads."""

from collections import defaultdict
from itertools import pairwise

import pytest

from harness.generators import limit
from harness.op import FAIL, INFO, OK, Op
from harness.simulate import imperfect, perfect, perfect_info, simulate
from harness.workload import WorkloadContext
from workloads.register import CRASHES, RegisterWorkload, group_size

NODES = ("n1", "n2", "n3")


def made(concurrency=6, cas=False, seed=7, nodes=NODES, **options):
    return RegisterWorkload(WorkloadContext(nodes, concurrency, "run1-", {"cas": cas, **options}, "linearizable", seed))


def invoked(history):
    return [op for op in history if op.type == "invoke"]


def by_key(ops):
    keys = defaultdict(list)
    for op in ops:
        keys[op.value["key"]].append(op)
    return keys


@pytest.mark.parametrize("complete", [perfect, perfect_info, imperfect()])
@pytest.mark.parametrize("cas", [False, True])
def test_values_of_a_key_are_unique_and_growing_over_all_phases(complete, cas):
    load = made(cas=cas).load()
    history = simulate(limit(1400, load), complete, 6)
    for key, ops in by_key(invoked(history)).items():
        assert key.startswith("run1-r")
        values = [op.value["value"][1] if op.f == "cas" else op.value["value"] for op in ops if op.f != "read"]
        assert values == list(range(1, len(values) + 1))


def test_one_group_of_six_reads_on_every_node_while_the_key_is_written():
    # processes 0-2 read (n1, n2, n3: worker i sits on node i mod n), 3-5 write
    history = simulate(limit(300, made().load()), perfect, 6)
    for ops in by_key(invoked(history)).values():
        assert {op.process for op in ops if op.f == "read"} <= {0, 1, 2}
        assert {op.process for op in ops if op.f == "write"} <= {3, 4, 5}
    first = by_key(invoked(history))["run1-r0"]
    assert {op.process for op in first if op.f == "read"} == {0, 1, 2}
    assert 25 < len(first) <= 50


def test_keys_follow_one_another_and_every_eighth_lives_longer():
    keys = by_key(invoked(simulate(limit(3000, made().load()), perfect, 6)))
    lengths = [len(ops) for ops in keys.values()][:-1]
    assert all(25 < length <= 50 for i, length in enumerate(lengths) if i % 8 != 7)
    assert all(200 < length <= 400 for i, length in enumerate(lengths) if i % 8 == 7)
    ends = [(ops[0].index, ops[-1].index) for ops in keys.values()]
    assert all(end < start for (_, end), (start, _) in pairwise(ends))


def test_a_key_ends_after_so_many_crashes():
    # every op crashes, reads too (a simulation knows nothing of read_only): six are in flight when the last crash is seen
    keys = by_key(invoked(simulate(limit(200, made().load()), perfect_info, 6)))
    assert all(CRASHES <= len(ops) <= CRASHES + 6 for ops in list(keys.values())[:-1])


def test_two_groups_work_on_two_keys_at_once():
    history = invoked(simulate(limit(40, made(concurrency=12).load()), perfect, 12))
    keys = by_key(history)
    assert list(keys)[:2] in (["run1-r0", "run1-r1"], ["run1-r1", "run1-r0"])
    assert {op.process for op in keys["run1-r0"]} <= set(range(6)) and {op.process for op in keys["run1-r1"]} <= set(range(6, 12))


def test_fewer_readers_than_nodes_go_from_node_to_node():
    history = invoked(simulate(limit(60, made(concurrency=2).load()), perfect, 2))
    assert [op.node for op in history if op.f == "read"][:6] == ["n1", "n2", "n3"] * 2


def test_a_single_thread_writes_and_reads_in_turn():
    history = invoked(simulate(limit(8, made(concurrency=1).load()), perfect, 1))
    assert [(op.f, op.node) for op in history] == [
        ("write", None), ("read", "n1"), ("write", None), ("read", "n2"), ("write", None), ("read", "n3"), ("write", None), ("read", "n1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("nodes", "concurrency", "size"),
    # 7: one group of seven; 13: 13 = 2 * 6 + 1, a thread stays idle; 100 threads on 5 nodes: ten groups of ten
    [(3, 6, 6), (3, 12, 6), (3, 7, 7), (3, 13, 6), (5, 100, 10), (3, 1, 1), (3, 2, 2), (1, 8, 2), (3, 24, 6)],
)
def test_groups_have_about_two_threads_a_node(nodes, concurrency, size):
    assert group_size(nodes, concurrency) == size


@pytest.mark.parametrize("concurrency", range(1, 26))
def test_every_concurrency_works(concurrency):
    history = invoked(simulate(limit(100, made(concurrency=concurrency).load()), perfect, concurrency))
    used = {op.process for op in history}
    assert len(history) == 100 and len(used) >= concurrency - concurrency % group_size(3, concurrency) * 1


def test_a_cas_expects_one_of_the_last_values_that_were_left_there():
    history = simulate(limit(600, made(cas=True).load()), perfect, 6)
    left, seen = defaultdict(list), 0
    for op in history:
        key, value = op.value["key"], op.value["value"]
        if op.type == "invoke" and op.f == "cas":
            seen += 1
            assert value[0] in left[key][-3:]
        elif op.type == OK and op.f != "read":
            left[key].append(value[1] if op.f == "cas" else value)
    assert seen > 100


def test_the_same_seed_makes_the_same_ops_and_another_does_not():
    def shape(seed):
        return [(op.f, op.value["key"]) for op in invoked(simulate(limit(200, made(cas=True, seed=seed).load()), perfect, 6))]

    assert shape(1) == shape(1) != shape(2)


class Client:
    def __init__(self):
        self.calls = []

    def read(self, key, ext=None):
        self.calls.append(("read", key))
        return 5

    def write(self, key, value, ext=None):
        self.calls.append(("write", key, value))

    def cas(self, key, old, new, ext=None):
        self.calls.append(("cas", key, old, new))
        return False


def test_ops_become_calls_and_answers_become_completions():
    workload, client = made(cas=True), Client()
    read = Op(0, 0, 0, "invoke", "read", {"key": "k", "value": None})
    cas = Op(0, 0, 0, "invoke", "cas", {"key": "k", "value": [1, 2]})
    assert workload.complete(read, workload.apply(client, read))[:2] == (OK, {"key": "k", "value": 5})
    assert workload.complete(cas, workload.apply(client, cas))[:2] == (FAIL, {"key": "k", "value": [1, 2]})
    assert client.calls == [("read", "k"), ("cas", "k", 1, 2)]


@pytest.mark.parametrize("concurrency", [1, 2, 3, 6])
def test_the_latest_keys_are_read_on_every_node_at_the_end(concurrency):
    workload, client = made(concurrency=concurrency), Client()
    for number in range(4):
        workload.apply(client, Op(0, 0, 0, "invoke", "write", {"key": f"run1-r{number}", "value": 1}))
    history = invoked(simulate(workload.final(), perfect, concurrency))
    for node in NODES:
        assert [op.value["key"] for op in history if op.node == node] == [f"run1-r{number}" for number in range(4)]


def test_a_run_without_ops_has_no_final_reads():
    assert made().final() is None


def test_a_final_read_that_fails_is_tried_three_times():
    workload = made()
    workload.apply(Client(), Op(0, 0, 0, "invoke", "write", {"key": "run1-r0", "value": 1}))
    history = simulate(workload.final(), lambda op: Op(-1, op.time + 10, op.process, FAIL, op.f, op.value, "refused", op.node), 6)
    assert len(invoked(history)) == 9 and not [op for op in history if op.type == INFO]
