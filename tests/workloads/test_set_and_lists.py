"""The set and list-append workloads in simulated time: unique values, live keys, a final read of every node."""

from collections import Counter, defaultdict

import pytest

from harness.generators import limit
from harness.op import FAIL, OK, Op
from harness.simulate import imperfect, perfect, perfect_info, simulate
from harness.workload import WorkloadContext
from workloads.list_append import ListAppendWorkload
from workloads.set import SetWorkload

NODES = ("n1", "n2", "n3")


def made(cls, concurrency=6, seed=7, nodes=NODES, **options):
    return cls(WorkloadContext(nodes, concurrency, "run1-", options, "linearizable", seed))


def invoked(history):
    return [op for op in history if op.type == "invoke"]


@pytest.mark.parametrize("complete", [perfect, perfect_info, imperfect()])
@pytest.mark.parametrize("reads", [0.0, 0.1])
def test_each_element_is_added_once(complete, reads):
    ops = invoked(simulate(limit(900, made(SetWorkload, reads=reads).load()), complete, 6))
    added = [op.value for op in ops if op.f == "add"]
    assert added == list(range(len(added)))
    share = 1 - len(added) / len(ops)
    assert share == 0 if not reads else 0.05 < share < 0.16


@pytest.mark.parametrize("concurrency", [1, 2, 3, 5, 6, 12])
@pytest.mark.parametrize("nodes", [1, 3, 5])
def test_every_node_gets_a_final_read_whatever_the_concurrency(concurrency, nodes):
    names = tuple(f"n{i + 1}" for i in range(nodes))
    history = simulate(made(SetWorkload, concurrency, nodes=names).final(), perfect, concurrency)
    assert Counter(op.node for op in history if op.type == OK) == dict.fromkeys(names, 1)


def test_a_thread_that_sits_on_a_node_reads_it():
    history = invoked(simulate(made(SetWorkload).final(), perfect, 6))
    assert sorted((op.process, op.node) for op in history) == [(0, "n1"), (1, "n2"), (2, "n3")]


def test_a_final_read_is_asked_again_until_it_is_ok_and_others_go_on():
    # n2 answers at its fifth try; it holds up nobody else
    tries = Counter()

    def complete(op):
        tries[op.node] += 1
        good = op.node != "n2" or tries["n2"] == 5
        return Op(-1, op.time + 10, op.process, OK if good else FAIL, op.f, op.value, None, op.node)

    simulate(made(SetWorkload).final(), complete, 6)
    assert tries == {"n1": 1, "n2": 5, "n3": 1}


def test_a_node_that_never_answers_is_given_up():
    history = simulate(made(SetWorkload).final(), lambda op: Op(-1, op.time + 10, op.process, FAIL, op.f, None, "refused", op.node), 6)
    assert Counter(op.node for op in invoked(history)) == dict.fromkeys(NODES, 20)


@pytest.mark.parametrize("complete", [perfect, perfect_info])
def test_appends_to_a_key_are_unique_and_at_most_32(complete):
    appended, lengths = defaultdict(list), Counter()
    for op in invoked(simulate(limit(2000, made(ListAppendWorkload).load()), complete, 6)):
        lengths[len(op.value)] += 1
        for kind, key, value in op.value:
            if kind == "append":
                appended[key].append(value)
    assert set(lengths) == {1, 2, 3, 4} and min(lengths.values()) > 400
    assert all(values == list(range(1, len(values) + 1)) and len(values) <= 32 for values in appended.values())
    assert len(appended) > 60  # 2000 txns, 2.5 micro-ops each, half of them appends, 32 a key


def test_hot_keys_are_twice_as_hot_as_the_next():
    uses = Counter()
    for op in invoked(simulate(limit(1500, made(ListAppendWorkload, max_writes_per_key=100_000).load()), perfect, 6)):
        uses.update(key for _, key, _ in op.value)
    assert len(uses) == 10
    assert 0.45 < uses["run1-l0"] / sum(uses.values()) < 0.55 and 0.2 < uses["run1-l1"] / sum(uses.values()) < 0.3


def test_every_key_is_read_on_every_node_at_the_end():
    class Client:
        def txn(self, micro_ops, ext=None):
            return micro_ops

    workload = made(ListAppendWorkload)
    used = set()
    for op in invoked(simulate(limit(500, workload.load()), perfect, 6)):
        workload.apply(Client(), op)
        used |= {key for _, key, _ in op.value}
    history = invoked(simulate(workload.final(), perfect, 6))
    for node in NODES:
        assert {key for op in history if op.node == node for _, key, _ in op.value} == used
    assert all(kind == "r" and value is None for op in history for kind, _, value in op.value)
