"""Plain things as generators: mappings, lists, functions, endless iterables; repeat, cycle, once, limit.

Two clients and a nemesis; ops take 10 ns.
"""

import itertools

import pytest

from harness import generators as gen
from harness.generators import PENDING, Context
from harness.simulate import imperfect, perfect_info, quick
from tests.harness.schedules import a, fs, invocations, lines, numbered, simulate, values

# Threads in order of how long they have been free: 0, 1, "nemesis". Each op takes the first free one.


def test_a_mapping_is_that_op_once():
    assert lines(a("x")) == [(0, 0, "invoke", "x"), (10, 0, "ok", "x")]


def test_nothing_is_exhausted():
    assert simulate(None) == [] and simulate([]) == [] and simulate([None, [], [None]]) == []


def test_a_list_is_each_element_in_turn_over_threads_as_they_come_free():
    assert lines([a("x"), a("y"), a("z"), a("w")]) == [
        (0, 0, "invoke", "x"),
        (0, 1, "invoke", "y"),
        (0, "nemesis", "invoke", "z"),
        (10, 0, "ok", "x"),
        (10, 0, "invoke", "w"),  # an op that is due goes before a completion of the same moment
        (10, 1, "ok", "y"),
        (10, "nemesis", "ok", "z"),
        (20, 0, "ok", "w"),
    ]


def test_an_endless_iterable_is_drawn_only_as_far_as_it_is_needed():
    drawn = []

    def source():
        for n in itertools.count():
            drawn.append(n)
            yield a("x", n)

    assert values(gen.limit(3, source()), quick) == [("x", 0), ("x", 1), ("x", 2)]
    assert len(drawn) == 3


def test_an_iterable_asked_twice_gives_the_same_op_twice():
    generator = gen.lift(numbered())
    ctx = Context(0, frozenset((0,)), (0,), {0: 0}, 1)
    first, after = generator.op(ctx)
    again, _ = generator.op(ctx)  # the successor was thrown away
    second, _ = after.op(ctx)
    assert (first.value, again.value, second.value) == (0, 0, 1)


def test_a_function_is_called_again_until_it_gives_none():
    gives = [a("x"), [a("y"), a("z")], None]
    asked = []

    def call():
        asked.append(1)
        return gives[min(len(asked), 3) - 1]

    assert fs(call, clients=1, nemeses=()) == "xyz"
    assert len(asked) == 3  # not while no thread is free, and not while what it gave lasts


def test_a_function_may_see_the_context():
    assert [t for t, _, _ in invocations(gen.limit(3, lambda ctx: a("x", ctx.time)), clients=1, nemeses=())] == [0, 10, 20]
    assert values(gen.limit(3, lambda ctx: a("x", ctx.time)), clients=1, nemeses=()) == [("x", 0), ("x", 10), ("x", 20)]


@pytest.mark.parametrize("thing", [7, "text", b"bytes", object()])
def test_what_is_no_generator_is_refused(thing):
    with pytest.raises(TypeError, match="is no generator"):
        gen.lift(thing)


def test_pending_without_a_free_thread():
    op, _ = gen.lift(a()).op(Context(0, frozenset((0,)), (), {0: 0}, 1))
    assert op is PENDING


def test_limit_and_once_count_ops_not_questions():
    assert fs(gen.limit(2, gen.repeat(a("x")))) == "xx"
    assert fs(gen.once([a("x"), a("y")])) == "x"
    assert fs(gen.limit(5, [a("x")])) == "x"
    assert fs(gen.limit(0, gen.repeat(a("x")))) == ""


def test_pending_changes_no_counter():
    busy = Context(0, frozenset((0,)), (), {0: 0}, 1)
    free = Context(0, frozenset((0,)), (0,), {0: 0}, 1)
    for make in (
        lambda: gen.limit(1, gen.repeat(a())),
        lambda: gen.repeat(a(), 1),
        lambda: gen.flip_flop(gen.repeat(a("a")), [a("b")]),
        lambda: gen.stagger(1, [a()]),
        lambda: gen.delay(1, [a()]),
        lambda: gen.mix([a()]),
        lambda: gen.cycle([a()], 1),
        lambda: gen.until_ok([a()]),
        lambda: gen.time_limit(1, [a()]),
        lambda: gen.process_limit(1, [a()]),
        lambda: gen.Drawn(7, lambda dice, n: a("a", n) if n == 0 else None),
    ):
        generator = make()
        for _ in range(3):
            op, generator = generator.op(busy)
            assert op is PENDING
        op, _ = generator.op(free)
        assert op.f == "a" and op.time == 0


def test_repeat_asks_the_unchanged_child():
    assert fs(gen.repeat([a("x"), a("y")], 3)) == "xxx"  # always the first element: the child never advances
    assert fs(gen.repeat(None)) == ""
    assert fs(gen.limit(4, gen.repeat(a("x")))) == "xxxx"


def test_cycle_restarts_the_original():
    assert fs(gen.cycle([a("x"), a("y")], 2)) == "xyxy"
    assert fs(gen.limit(5, gen.cycle([a("x"), a("y")]))) == "xyxyx"
    assert fs(gen.cycle([])) == ""
    assert fs(gen.cycle(gen.limit(2, gen.repeat(a("x"))), 0)) == ""


def test_draws_are_the_same_however_often_they_are_asked():
    generator = gen.Drawn(7, lambda dice, n: a("x", dice.below(1000)) if n < 4 else None)
    ctx = Context(0, frozenset((0,)), (0,), {0: 0}, 1)
    asked = [generator.op(ctx)[0].value for _ in range(5)]
    assert len(set(asked)) == 1
    assert values(generator) == values(generator)
    assert len({value for _, value in values(generator)}) > 1


def test_until_ok_goes_on_over_fail_and_info():
    # one thread: fail, info, ok in turn; the info retires process 0, so the third op is process 1's
    assert lines(gen.until_ok(gen.repeat(a("x"))), imperfect(1), clients=1, nemeses=()) == [
        (0, 0, "invoke", "x"),
        (10, 0, "fail", "x"),
        (10, 0, "invoke", "x"),
        (20, 0, "info", "x"),
        (20, 1, "invoke", "x"),
        (30, 1, "ok", "x"),
    ]


def test_until_ok_is_not_ended_by_the_oks_of_others():
    others = gen.on_threads(lambda t: t == 1, gen.repeat(a("o"), 3))
    mine = gen.on_threads(lambda t: t == 0, gen.until_ok(gen.limit(4, gen.repeat(a("m")))))

    def complete(op):
        return quick(op) if op.f == "o" else perfect_info(op)

    assert sorted(fs(gen.any_of(others, mine), complete)) == list("mmmmooo")


def test_until_ok_does_not_take_a_sleeps_thread_for_an_op_of_its_own():
    def complete(op):
        return quick(op) if op.f == "o" else perfect_info(op)

    mine = gen.until_ok([gen.sleep(1e-9), *[a("m")] * 3])
    assert fs(gen.clients([gen.any_of(mine, gen.limit(1, gen.repeat(a("o")))), a("z")]), complete, clients=1).count("m") == 3


def test_sleep_and_log_take_a_thread_and_are_in_no_history():
    assert lines([a("x"), gen.sleep(1), gen.log("half-way"), a("y")], clients=1, nemeses=()) == [
        (0, 0, "invoke", "x"),
        (10, 0, "ok", "x"),
        (1_000_000_010, 0, "invoke", "y"),
        (1_000_000_020, 0, "ok", "y"),
    ]
