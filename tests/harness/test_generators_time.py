"""Time in schedules: limits stop invocations only, rates are totals over all threads, final phases follow a fault that is open."""

import itertools

from harness import generators as gen
from harness.generators import PENDING, Context
from harness.generators.dice import mix64
from harness.simulate import SECOND, quick, simulate
from tests.harness.schedules import a, done_after, fs, invocations, lines


def test_time_limit_counts_from_its_first_op_and_stops_new_invocations_only():
    # ops of 40 ns on one thread; the limit of 100 ns runs from the first op, at 7: the op begun at 87 finishes at 127
    late = gen.delay(7e-9, [a("o"), gen.time_limit(100e-9, gen.repeat(a("x")))])
    assert lines([gen.sleep(7e-9), gen.time_limit(100e-9, gen.repeat(a("x")))], done_after(40), clients=1, nemeses=()) == [
        (7, 0, "invoke", "x"),
        (47, 0, "ok", "x"),
        (47, 0, "invoke", "x"),
        (87, 0, "ok", "x"),
        (87, 0, "invoke", "x"),
        (127, 0, "ok", "x"),
    ]
    assert fs(late, quick, clients=1, nemeses=()).startswith("ox")


def test_time_limit_excludes_its_very_end():
    assert [t for t, _, _ in invocations(gen.time_limit(30e-9, gen.repeat(a("x"))), clients=1, nemeses=())] == [0, 10, 20]


def test_time_limit_ends_while_its_child_is_pending():
    never = gen.on_threads(lambda t: t == "nobody", a("x"))
    limited = gen.time_limit(5e-9, [a("x"), never])
    ctx = Context(0, frozenset((0,)), (0,), {0: 0}, 1)
    _, limited = limited.op(ctx)
    assert limited.op(ctx.at(4))[0] is PENDING
    assert limited.op(ctx.at(5)) == (None, None)


def test_asking_for_an_op_in_the_future_starts_no_limit():
    limited = gen.time_limit(10e-9, gen.delay(100e-9, [a("x"), a("y")]))
    ctx = Context(0, frozenset((0,)), (0,), {0: 0}, 1)
    first, _ = limited.op(ctx)  # thrown away
    again, after = limited.op(ctx.at(50))
    assert (first.time, again.time) == (0, 50)
    assert after.op(ctx.at(51)) == (None, None)  # y is due at 150, the limit ended at 60


def test_stagger_is_a_total_rate_drawn_from_its_state():
    dt, seed = 100, 3 << 20
    due, expected = 0, []
    for n in range(6):  # the definition: the next op is due uniformly within [0, 2 dt) after this one's time
        expected.append(due)
        due += mix64(seed + n) % (2 * dt)
    for clients in (1, 5):  # the same whatever the number of threads
        generator = gen.stagger(100e-9, [a("x")] * 6, seed=3)
        assert [t for t, _, _ in invocations(generator, quick, clients=clients)] == expected
    assert len({b - a for a, b in itertools.pairwise(expected)}) > 2


def test_stagger_is_as_fast_as_asked_on_average():
    found = invocations(gen.stagger(1e-6, [a("x")] * 4000, seed=1), quick)
    assert 0.95e-6 < found[-1][0] / SECOND / 4000 < 1.05e-6


def test_stagger_sends_a_late_op_at_once():
    # an op takes 1000 ns on the only thread, so each next one is late
    assert [t for t, _, _ in invocations(gen.stagger(10e-9, [a("x")] * 3), done_after(1000), clients=1, nemeses=())] == [0, 1000, 2000]


def test_delay_keeps_a_distance_and_catches_nothing_up():
    assert [t for t, _, _ in invocations(gen.delay(30e-9, [a("x")] * 4), quick)] == [0, 30, 60, 90]
    # the second op waits for the thread until 100: the third comes 30 after it, not at 60
    assert [t for t, _, _ in invocations(gen.delay(30e-9, [a("x")] * 3), done_after(100), clients=1, nemeses=())] == [0, 100, 200]
    held = gen.delay(30e-9, [a("x"), gen.synchronize(a("y")), a("z")])
    assert [t for t, _, _ in invocations(held, done_after(100), clients=2, nemeses=())] == [0, 100, 130]


def test_an_op_in_the_future_is_asked_for_again_and_others_go_before_it():
    # y is due at 50; x's completion at 10 comes first, and changes what is asked
    soon = gen.delay(50e-9, [a("x"), a("y")])
    assert lines(soon, clients=1, nemeses=()) == [(0, 0, "invoke", "x"), (10, 0, "ok", "x"), (50, 0, "invoke", "y"), (60, 0, "ok", "y")]


def test_final_phases_follow_a_time_limit_that_ends_inside_a_fault():
    # faults flip-flop every 40 ns for 100 ns: the last one is never ended by its own stop, so the final phases must heal, and then read
    faults = gen.nemesis(gen.delay(40e-9, gen.flip_flop(gen.repeat(a("k")), gen.repeat(a("s")))))
    load = gen.clients(gen.repeat(a("r")))
    run = gen.phases(gen.time_limit(100e-9, gen.any_of(faults, load)), gen.nemesis(a("h")), gen.clients(gen.each_thread(a("f"))))
    found = [(op.time, op.type, op.f) for op in simulate(run)]
    struck = "".join(f for _, type_, f in found if type_ == "invoke" and f in "kshf")
    assert struck == "kskhff"  # starts at 0, 80; stop at 40; the heal comes after, and the final reads after the heal
    ends = {f: max(i for i, (_, _, g) in enumerate(found) if g == f) for f in "rkh"}
    begins = {f: min(i for i, (_, _, g) in enumerate(found) if g == f) for f in "hf"}
    assert ends["r"] < begins["h"] and ends["k"] < begins["h"] and ends["h"] < begins["f"]
    assert max(t for t, type_, f in found if f == "r" and type_ == "ok") == 100  # begun before the limit, finished at its end


def test_sleep_holds_only_its_own_thread():
    generator = gen.any_of(gen.nemesis([gen.sleep(100e-9), a("h")]), gen.clients(gen.time_limit(60e-9, gen.repeat(a("r")))))
    found = invocations(generator, clients=1)
    assert [t for t, _, f in found if f == "r"] == [0, 10, 20, 30, 40, 50]
    assert [(t, p) for t, p, f in found if f == "h"] == [(100, "nemesis")]


def test_load_that_ends_with_its_faults():
    # as a run is driven, with an endless load. A child has ended when its last op is out: for load during a last sleep, something follows
    def run(*last):
        timing = gen.nemesis([gen.sleep(50e-9), a("h"), gen.sleep(20e-9), *last], "nemesis")
        return invocations(gen.shortest_any(gen.clients(gen.delay(10e-9, gen.repeat(a("r")))), timing), quick, clients=2)

    assert [t for t, _, f in run() if f == "h"] == [50] and max(t for t, _, f in run() if f == "r") <= 50
    assert [t for t, _, f in run(gen.log("settled")) if f == "r"][:7] == [0, 10, 20, 30, 40, 50, 60]
