"""Independent keys, and the laws that hold whatever crashes: one open op a process, retired processes, keys that never mix."""

import itertools
from collections import defaultdict
from functools import partial

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness import generators as gen
from harness.op import FAIL, INFO, OK, Op
from harness.simulate import perfect_info, quick, simulate
from tests.harness.schedules import a, done_after, invocations


def keys(n):
    return lambda i: f"k{i}" if i < n else None


def found(generator, complete=quick, **more):
    return [(op.process, op.value["key"], op.f, op.value["value"]) for op in simulate(generator, complete, **more) if op.type == "invoke"]


def test_sequential_keys_one_after_the_other_on_all_threads():
    generator = gen.clients(gen.sequential_keys(keys(3), lambda key: [a("w", key + "!"), a("r")]))
    assert found(generator, done_after(10)) == [
        (0, "k0", "w", "k0!"),
        (1, "k0", "r", None),
        (0, "k1", "w", "k1!"),
        (1, "k1", "r", None),
        (0, "k2", "w", "k2!"),
        (1, "k2", "r", None),
    ]


def test_concurrent_keys_give_each_group_a_key_and_the_next_unused_one():
    # group 0 is threads 0, 1; group 1 is threads 2, 3. Group 1's ops take three times as long, so that it works on fewer keys
    def complete(op):
        return done_after(30 if op.process > 1 else 10)(op)

    ops = found(gen.clients(gen.concurrent_keys(2, keys(5), lambda key: [a("x")] * 4)), complete, clients=4)
    owners = defaultdict(set)
    for process, key, _, _ in ops:
        owners[key].add(process // 2)
    # a group takes its next key when the last op of its key is out: group 0 takes k2 at 10; at 30 both are so far, group 1 first
    assert owners == {"k0": {0}, "k1": {1}, "k2": {0}, "k3": {1}, "k4": {0}}
    assert len(ops) == 20 and all([key for _, key, _, _ in ops].count(f"k{i}") == 4 for i in range(5))


def test_concurrent_keys_leave_the_nemesis_alone():
    generator = gen.limit(40, gen.concurrent_keys(1, lambda i: i, lambda key: [a("x")] * 3))
    assert {p for p, _, _, _ in found(generator, clients=3)} == {0, 1, 2}


def test_concurrent_keys_want_whole_groups():
    with pytest.raises(AssertionError, match="3 threads cannot be split into groups of 2"):
        found(gen.clients(gen.concurrent_keys(2, keys(3), lambda key: a("x"))), clients=3)


@pytest.mark.parametrize("keyed", [gen.sequential_keys, lambda of, make: gen.concurrent_keys(1, of, make)])
def test_a_keys_generator_sees_its_own_values(keyed):
    seen = []

    def note(child, ctx, event):
        seen.append((event.type, event.value))
        return child

    found(gen.clients(keyed(keys(2), lambda key: gen.OnUpdate(note, [a("w", key + "a"), gen.synchronize(a("w", key + "b"))]))), clients=1)
    wanted = [("invoke", "k0a"), ("ok", "k0a"), ("invoke", "k0b"), ("invoke", "k1a"), ("ok", "k1a"), ("invoke", "k1b")]
    assert [event for event in seen if event[1][-1] == "a" or event[0] == "invoke"] == wanted


@pytest.mark.parametrize("keyed", [gen.sequential_keys, lambda of, make: gen.concurrent_keys(1, of, make)])
def test_sleeps_inside_a_key_are_sleeps(keyed):
    generator = gen.clients(keyed(keys(2), lambda key: [a("x"), gen.sleep(50e-9), gen.log("half"), a("y")]))
    assert [t for t, _, _ in invocations(generator, clients=1)] == [0, 60, 70, 130]


def test_kept_answers_know_of_threads_that_sleep_for_others():
    # the sleep takes thread 1 away and gives it back without an event: its group must not offer it meanwhile, nor forget it after
    sleeper = gen.on_threads(lambda t: t == 1, gen.sleep(50e-9))
    keyed = gen.concurrent_keys(1, lambda i: i, lambda key: [a("x")] * 3)
    times = defaultdict(list)
    for t, p, _ in invocations(gen.clients(gen.any_of(sleeper, gen.time_limit(100e-9, keyed))), clients=2):
        times[p].append(t)
    assert times[0] == list(range(0, 100, 10))
    assert times[1] in (list(range(50, 100, 10)), [0, *range(60, 100, 10)])


def test_a_key_that_waits_for_the_clock_is_asked_again():
    # group 1's first key has nothing to do until its limit ends, at 50, and no event of its own says so: y, the next key's, comes then
    never = gen.on_threads(lambda t: t == "nobody", a("n"))
    of_key = {0: gen.time_limit(200e-9, gen.repeat(a("x"))), 1: gen.time_limit(50e-9, [a("o"), never]), 2: [a("y")]}
    generator = gen.clients(gen.concurrent_keys(1, lambda n: n if n < 3 else None, of_key.__getitem__))
    assert [t for t, _, f in invocations(generator, clients=2) if f in "oy"] == [0, 50]


def test_a_key_that_crashes_too_often_makes_way():
    generator = gen.clients(gen.concurrent_keys(2, keys(2), lambda key: gen.process_limit(4, gen.repeat(a("x")))))
    per_key = defaultdict(set)
    for process, key, _, _ in found(generator, perfect_info, clients=2):
        per_key[key].add(process)
    assert per_key["k0"].isdisjoint(per_key["k1"])
    assert all(len(processes) <= 4 for processes in per_key.values())


# Any nesting of combinators, over keys or not, under any ends and latencies of its ops.
LEAVES = st.sampled_from([lambda: gen.repeat(a("x")), lambda: [a("x")] * 5, lambda: gen.Drawn(1, lambda dice, n: a("x", dice.below(9)))])
WRAPS = {
    "any": lambda g: gen.any_of(g(), g()),
    "shortest": lambda g: gen.shortest_any(g(), g()),
    "mix": lambda g: gen.mix(g(), g(), seed=3),
    "flip": lambda g: gen.flip_flop(g(), g()),
    "stagger": lambda g: gen.stagger(7e-9, g()),
    "delay": lambda g: gen.delay(5e-9, g()),
    "time": lambda g: gen.time_limit(400e-9, g()),
    "limit": lambda g: gen.limit(40, g()),
    "process": lambda g: gen.process_limit(9, g()),
    "until": lambda g: gen.until_ok(g()),
    "phases": lambda g: gen.phases(gen.limit(9, g()), g()),
    "thread": lambda g: gen.each_thread(g()),
    "each-process": lambda g: gen.each_process(g()),
    "reserve": lambda g: gen.reserve(1, g(), g()),
    "cycle-times": lambda g: gen.cycle_times(50e-9, g(), 30e-9, g()),
    "idle": lambda g: [gen.once(g()), gen.sleep(20e-9), gen.log("on"), g()],
    "cycle": lambda g: gen.cycle(gen.limit(3, g())),
    "pass": lambda g: gen.filter_ops(lambda op: True, gen.f_map({"x": "y"}, g())),
}


def nest(leaf, wraps):
    make = leaf
    for name in wraps:
        make = partial(WRAPS[name], make)
    return make


@settings(max_examples=150, deadline=None)
@given(
    leaf=LEAVES,
    wraps=st.lists(st.sampled_from(sorted(WRAPS)), max_size=4),
    keyed=st.sampled_from(["", "sequential", "concurrent"]),
    groups=st.integers(1, 3),
    per_key=st.integers(2, 3),
    ends=st.lists(st.tuples(st.sampled_from([OK, FAIL, INFO]), st.integers(0, 60)), min_size=1, max_size=12),
)
def test_laws_under_any_crashes(leaf, wraps, keyed, groups, per_key, ends):
    if "reserve" in wraps:  # one thread cannot be shared out again: such a child would wait for ever
        assume(wraps.count("reserve") == 1 and not {"thread", "each-process"} & set(wraps))
    make, clients = nest(leaf, wraps), groups * per_key
    generator = {
        "": lambda: make(),
        "sequential": lambda: gen.sequential_keys(lambda n: n, lambda key: gen.limit(7, make())),
        "concurrent": lambda: gen.concurrent_keys(per_key, lambda n: n, lambda key: gen.limit(7, make())),
    }[keyed]
    turn = iter(range(10**9))

    def complete(op):
        type_, after = ends[next(turn) % len(ends)]
        return Op(-1, op.time + after, op.process, type_, op.f, op.value, None, op.node, op.ext)

    history = simulate(gen.clients(generator()), complete, clients=clients, limit=200)
    assert [op.index for op in history] == list(range(len(history)))
    assert all(x.time <= y.time for x, y in itertools.pairwise(history))
    opened, retired, owners = {}, set(), {}
    for op in history:
        if op.type == "invoke":
            assert op.process not in opened, "two open ops of one process"
            assert op.process not in retired, "a crashed process went on"
            assert op.process < clients or op.process - clients in retired, "a process that nobody retired has a successor"
            opened[op.process] = op
            if keyed == "concurrent":  # a key belongs to one group of threads, for ever
                group = op.process % clients // per_key
                assert owners.setdefault(op.value["key"], group) == group
        else:
            asked = opened.pop(op.process)
            assert (asked.f, asked.value) == (op.f, op.value)
            if op.type == INFO:
                retired.add(op.process)
    assert not opened, "all ops have completed at the end"
