"""Choosing between children: the soonest rule, mixes, alternation, renaming, filters."""

from collections import Counter

from harness import generators as gen
from harness.generators import PENDING
from harness.generators.choose import Candidate, soonest
from harness.op import INVOKE, Op
from harness.simulate import perfect_info, quick
from tests.harness.schedules import a, done_after, fs, invocations, lines, simulate, values


def asked(time):
    return Op(-1, time, 0, INVOKE, "a")


def test_soonest_rule():
    none, pending, early, late = Candidate(None, "n"), Candidate(PENDING, "p"), Candidate(asked(1), "e"), Candidate(asked(2), "l")
    for other in (pending, early, late):
        assert soonest(none, other) is other and soonest(other, none) is other
    for other in (early, late):
        assert soonest(pending, other) is other and soonest(other, pending) is other
    assert soonest(early, late) is early and soonest(late, early) is early
    assert soonest(None, none) is none


def test_ties_are_uniform_over_a_fold_of_children_with_unlike_weights():
    wins = Counter()
    for seed in range(12_000):
        best = None
        for tag, weight in (("a", 1), ("b", 2), ("c", 3)):
            best = soonest(best, Candidate(asked(5), tag, weight, seed))
        wins[best.tag] += 1
    assert best.weight == 6
    assert 1800 < wins["a"] < 2200 and 3800 < wins["b"] < 4200 and 5800 < wins["c"] < 6200  # 2000, 4000, 6000 ± 4 sigma


def test_any_takes_the_soonest_and_only_that_child_advances():
    slow = gen.delay(25e-9, [a("s")] * 3)  # due at 0, 25, 50
    fast = gen.delay(10e-9, [a("f")] * 4)  # due at 0, 10, 20, 30
    found = invocations(gen.clients(gen.any_of(slow, fast)), quick)
    assert sorted(t for t, _, f in found if f == "s") == [0, 25, 50]
    assert sorted(t for t, _, f in found if f == "f") == [0, 10, 20, 30]
    assert [t for t, _, _ in found] == [0, 0, 10, 20, 25, 30, 50]


def test_any_ends_when_all_have_ended_and_shortest_any_when_one_has():
    assert Counter(fs(gen.any_of([a("x")] * 3, [a("y")] * 5))) == {"x": 3, "y": 5}
    short = Counter(fs(gen.shortest_any([a("x")] * 3, gen.repeat(a("y"))), quick))
    assert short["x"] == 3
    assert fs(gen.shortest_any([], gen.repeat(a("y")))) == ""
    assert fs(gen.shortest_any([a("x")], [a("x")])) == "x"


def test_any_starves_nobody():
    counts = Counter(fs(gen.limit(900, gen.any_of(*(gen.repeat(a(f)) for f in "xyz"))), quick, clients=1, nemeses=()))
    assert min(counts.values()) > 240  # 300 ± 4 sigma


def test_updates_reach_all_children_so_that_a_barrier_opens():
    # x waits for both clients; it is asked beside y, and must hear of y's completions through `any`
    generator = gen.clients(gen.any_of(gen.synchronize([a("x")] * 2), gen.limit(4, gen.repeat(a("y")))))
    assert Counter(fs(generator)) == {"x": 2, "y": 4}
    for wrap in (
        lambda g: gen.mix(g, gen.limit(2, gen.repeat(a("y")))),
        lambda g: gen.reserve(1, g, gen.limit(2, gen.repeat(a("y")))),
        lambda g: gen.flip_flop(g, gen.repeat(a("y"))),
        lambda g: gen.cycle_times(1, g, 1, gen.repeat(a("y"))),
        lambda g: gen.time_limit(1, g),
        lambda g: gen.limit(9, g),
        lambda g: gen.stagger(1e-9, g),
        lambda g: gen.delay(1e-9, g),
        lambda g: gen.process_limit(9, g),
        lambda g: gen.map_ops(lambda op: op, g),
        lambda g: gen.filter_ops(lambda op: True, g),
        lambda g: gen.cycle(g, 1),
        lambda g: gen.repeat(g, 5),
        lambda g: gen.synchronize(g),
        lambda g: [g],
        lambda g: gen.each_thread(g),
        lambda g: gen.each_process(g),
        lambda g: gen.on_threads(lambda t: True, g),
        lambda g: gen.OnUpdate(lambda child, ctx, event: child, g),
    ):
        seen = []
        fs(gen.clients(gen.limit(3, wrap(Listener(seen)))), clients=2)
        assert {type_ for type_, _ in seen} >= {"invoke", "ok"}, wrap(Listener(seen))


class Listener(gen.Generator):
    """Gives x for ever, and notes the events that reach it."""

    def __init__(self, seen):
        self.seen = seen

    def op(self, ctx):
        op, _ = gen.repeat(a("x")).op(ctx)
        return op, self

    def update(self, ctx, event):
        self.seen.append((event.type, event.process))
        return self


def test_mix_draws_in_proportion_to_weights_and_replays():
    one = fs(gen.limit(4000, gen.weighted((3, gen.repeat(a("x"))), (1, gen.repeat(a("y"))), seed=5)), quick)
    assert 2890 < Counter(one)["x"] < 3110  # 3000 ± 4 sigma
    assert one == fs(gen.limit(4000, gen.weighted((3, gen.repeat(a("x"))), (1, gen.repeat(a("y"))), seed=5)), quick)
    assert one != fs(gen.limit(4000, gen.weighted((3, gen.repeat(a("x"))), (1, gen.repeat(a("y"))), seed=6)), quick)


def test_mix_drops_exhausted_children_and_passes_by_pending_ones():
    assert Counter(fs(gen.mix([a("x")] * 2, [a("y")] * 7, []))) == {"x": 2, "y": 7}
    busy = gen.on_threads(lambda t: t == "nobody", a("p"))  # pending for ever
    assert fs(gen.clients(gen.limit(5, gen.mix(busy, gen.repeat(a("x")))))) == "xxxxx"
    assert fs(gen.mix()) == ""


def test_flip_flop_alternates_and_ends_with_the_one_that_is_due():
    assert fs(gen.flip_flop([a("x")] * 2, gen.repeat(a("y"))), quick) == "xyxy"
    assert fs(gen.flip_flop(gen.repeat(a("x")), [a("y")]), quick) == "xyx"
    assert fs(gen.flip_flop([a("x")] * 2, [a("y")] * 2, [a("z")] * 2), quick) == "xyzxyz"


def test_flip_flop_counts_no_update_of_others():
    hits = gen.nemesis(gen.flip_flop(gen.repeat(a("k")), gen.repeat(a("s"))))
    assert fs(gen.any_of(gen.limit(4, hits), gen.clients(gen.limit(9, gen.repeat(a("r")))))).replace("r", "") == "ksks"


def test_map_and_f_map_change_ops_and_nothing_else():
    def louder(op):
        op.value = (op.value or 0) + 100
        return op

    assert values(gen.map_ops(louder, [a("x", 1), a("y", 2)])) == [("x", 101), ("y", 102)]
    assert values(gen.f_map({"x": "q"}, [a("x", 1), a("y", 2)])) == [("q", 1), ("y", 2)]
    once = a("x", 1)
    assert values(gen.f_map({"x": "q"}, gen.repeat(once, 2))) == [("q", 1), ("q", 1)]
    assert once["f"] == "x"


def test_filter_asks_again_until_one_passes():
    assert values(gen.filter_ops(lambda op: op.value % 2, [a("x", n) for n in range(6)])) == [("x", 1), ("x", 3), ("x", 5)]
    assert values(gen.filter_ops(lambda op: False, [a("x", n) for n in range(6)])) == []


def test_process_limit_ends_before_a_process_too_many_takes_part():
    # every op crashes, and each crash makes a new process: of two clients five processes may take part
    history = simulate(gen.clients(gen.process_limit(5, gen.repeat(a("x")))), perfect_info, clients=2)
    assert [op.process for op in history if op.type == "invoke"] == [
        0,
        1,
        2,
        3,
        4,
    ]  # when 5 becomes possible it is over, for 4's thread too
    steady = gen.clients(gen.limit(7, gen.process_limit(2, gen.repeat(a("x")))))
    assert fs(steady) == "x" * 7


def test_cycle_times_rotates_by_the_clock_and_keeps_each_childs_state():
    # spans of 30 and 20 ns; one client, ops of 10 ns
    generator = gen.cycle_times(30e-9, [a("x", n) for n in range(9)], 20e-9, [a("y", n) for n in range(9)])
    found = [(op.time, op.f, op.value) for op in simulate(generator, clients=1, nemeses=(), limit=9) if op.type == "invoke"]
    assert found == [
        (0, "x", 0),
        (10, "x", 1),
        (20, "x", 2),
        (30, "y", 0),
        (40, "y", 1),
        (50, "x", 3),
        (60, "x", 4),
        (70, "x", 5),
        (80, "y", 2),
    ]


def test_cycle_times_asks_a_later_child_when_its_window_opens():
    # x comes every 40 ns: its second op, due at 40, lies in no window of x ([0, 10), [30, 40), [60, 70)): it comes at 60
    generator = gen.cycle_times(10e-9, gen.delay(40e-9, [a("x")] * 3), 20e-9, gen.delay(15e-9, [a("y")] * 9))
    found = [(op.time, op.f) for op in simulate(generator, quick, clients=1, nemeses=(), limit=7) if op.type == "invoke"]
    assert found == [(0, "x"), (10, "y"), (25, "y"), (40, "y"), (55, "y"), (60, "x"), (70, "y")]
    assert fs(gen.cycle_times(10e-9, [a("x")], 10e-9, gen.repeat(a("y"))), done_after(10), clients=1, nemeses=()) == "xy"


def test_on_update_changes_the_child_at_events():
    def stop_at_fail(child, ctx, event):
        return gen.lift(None) if event.type == "fail" else child

    assert fs(gen.OnUpdate(stop_at_fail, gen.repeat(a("x"))), done_after(10, "fail"), clients=1, nemeses=()) == "x"


def test_completions_keep_what_was_asked():
    assert [op.ext for op in simulate(a("x", 1, ext={"level": "ONE"}, node="n2"))] == [{"level": "ONE"}] * 2
    assert [op.node for op in simulate(a("x", 1, node="n2"))] == ["n2", "n2"]
    assert lines(a("x", process=1)) == [(0, 1, "invoke", "x"), (10, 1, "ok", "x")]
