"""Who runs what: thread filters, copies for each thread and process, reservations, barriers."""

from collections import Counter

import pytest

from harness import generators as gen
from harness.generators import Context
from harness.simulate import perfect_info, quick, simulate
from tests.harness.schedules import a, done_after, fs, invocations, lines

LINES = ("nemesis", "nemesis:0", "nemesis:1")


def test_clients_and_nemesis_see_only_their_threads():
    assert {p for _, p, _ in invocations(gen.clients([a("x")] * 6), nemeses=LINES)} == {0, 1}
    assert {p for _, p, _ in invocations(gen.nemesis([a("x")] * 6), nemeses=LINES)} == set(LINES)
    assert {p for _, p, _ in invocations(gen.nemesis([a("x")] * 6, "nemesis:1"), nemeses=LINES)} == {"nemesis:1"}
    assert {p for _, p, _ in invocations(gen.on_threads(lambda t: t in (1, 3), [a("x")] * 6), clients=5)} == {1, 3}


def test_updates_come_only_from_own_threads_with_a_filtered_context():
    seen = []

    def note(child, ctx, event):
        seen.append((event.process, sorted(ctx.threads, key=str), event.process in ctx.free))
        return child

    inner = gen.on_threads(lambda t: t == 1, gen.OnUpdate(note, [a("x")]))
    fs(gen.any_of(inner, gen.on_threads(lambda t: t != 1, [a("y")] * 4)), clients=3)
    assert seen == [(1, [1], False), (1, [1], True)]  # busy at its invocation, free at its completion


def test_the_thread_that_has_been_free_for_longest_comes_first():
    def complete(op):  # process 0 is slow
        return done_after(35 if op.process == 0 else 10)(op)

    assert [(t, p) for t, p, _ in invocations(gen.limit(8, gen.repeat(a("x"))), complete, clients=3, nemeses=())] == [
        (0, 0),
        (0, 1),
        (0, 2),
        (10, 1),
        (10, 2),
        (20, 1),
        (20, 2),
        (30, 1),
    ]


def test_the_nemesis_is_never_retired_and_clients_are():
    crashed = [(op.process, op.type) for op in simulate(gen.nemesis([a("x")] * 2), perfect_info)]
    assert crashed == [("nemesis", "invoke"), ("nemesis", "info")] * 2
    processes = [op.process for op in simulate(gen.clients([a("x")] * 6), perfect_info, clients=2) if op.type == "invoke"]
    assert processes == [0, 1, 2, 3, 4, 5]


def test_each_thread_runs_a_copy_and_ends_when_all_have():
    found = invocations(gen.each_thread([a("x"), a("y")]), clients=3)
    assert Counter((p, f) for _, p, f in found) == Counter((p, f) for p in (0, 1, 2, "nemesis") for f in "xy")
    # the barrier behind it opens only when the slowest copy has ended
    slow = done_after(10)
    phases = gen.clients(gen.phases(gen.each_thread([a("x")] * 2), a("z")))
    assert [(t, f) for t, _, f in invocations(phases, slow, clients=2)] == [(0, "x"), (0, "x"), (10, "x"), (10, "x"), (20, "z")]


def test_each_thread_gives_each_node_its_final_read():
    reads = gen.each_thread(gen.until_ok(gen.limit(3, gen.repeat(a("r")))))

    def complete(op):
        return quick(op) if op.process == 0 else done_after(10, "fail")(op)

    assert Counter(p for _, p, _ in invocations(gen.clients(reads), complete, clients=3)) == {0: 1, 1: 3, 2: 3}


def test_each_process_begins_anew_after_a_crash():
    # each op crashes: of the copy's two ops every process gets only its first, for ever
    found = invocations(gen.clients(gen.limit(6, gen.each_process([a("x"), a("y")]))), perfect_info, clients=2)
    assert [(p, f) for _, p, f in found] == [(p, "x") for p in range(6)]
    steady = invocations(gen.clients(gen.each_process([a("x"), a("y")])), clients=2)
    assert Counter((p, f) for _, p, f in steady) == Counter((p, f) for p in (0, 1) for f in "xy")


def test_copies_see_completions_under_the_old_process():
    # until_ok keeps a process by its number: told of the crash under the new one, it would remember a dead process for ever
    seen = []

    def note(child, ctx, event):
        seen.append((event.type, event.process, ctx.process_of[0]))
        return child

    fs(gen.clients(gen.OnUpdate(note, [a("x"), a("x")])), perfect_info, clients=1)
    assert seen == [("invoke", 0, 0), ("info", 0, 0), ("invoke", 1, 1), ("info", 1, 1)]


def test_reserve_gives_each_child_its_own_threads():
    found = invocations(
        gen.clients(gen.limit(200, gen.reserve(2, gen.repeat(a("x")), 1, gen.repeat(a("y")), gen.repeat(a("z"))))), clients=5
    )
    owners = {f: {p for _, p, g in found if g == f} for f in "xyz"}
    assert owners == {"x": {0, 1}, "y": {2}, "z": {3, 4}}


def test_reserve_draws_ties_by_number_of_threads():
    generator = gen.reserve(3, gen.repeat(a("x")), gen.repeat(a("y")))
    ctx = Context(0, frozenset(range(4)), (0, 1, 2, 3), {t: t for t in range(4)}, 4)
    counts = Counter()
    for _ in range(4000):  # asked while all threads are free: every question is a tie of three threads against one
        op, generator = generator.op(ctx)
        counts[op.f] += 1
    assert 2890 < counts["x"] < 3110  # 3000 ± 4 sigma


def test_reserve_ends_when_all_children_have_and_goes_on_with_the_rest():
    assert Counter(fs(gen.clients(gen.reserve(1, [a("x")], [a("y")] * 5)), clients=2)) == {"x": 1, "y": 5}


def test_reserve_says_at_once_that_there_are_too_few_threads():
    with pytest.raises(AssertionError, match="2 client threads are too few"):
        fs(gen.clients(gen.reserve(3, gen.repeat(a("x")), gen.repeat(a("y")))), clients=2)


def test_synchronize_waits_for_every_thread():
    def complete(op):
        return done_after(70 if op.process == 0 else 10)(op)

    assert [(t, f) for t, _, f in invocations(gen.clients([[a("x")] * 2, gen.synchronize([a("y")] * 2)]), complete)] == [
        (0, "x"),
        (0, "x"),
        (70, "y"),
        (70, "y"),
    ]


def test_phases_and_plain_sequences_differ_by_the_barrier():
    def complete(op):
        return done_after(70 if op.process == 0 else 10)(op)

    plain = [(t, f) for t, _, f in invocations(gen.clients([a("x"), a("x"), a("y")]), complete)]
    assert plain == [(0, "x"), (0, "x"), (10, "y")]
    phased = [(t, f) for t, _, f in invocations(gen.clients(gen.phases([a("x")] * 2, a("y"))), complete)]
    assert phased == [(0, "x"), (0, "x"), (70, "y")]


def test_a_barrier_waits_for_its_own_threads_only():
    # the nemesis is busy for long; the clients' barrier does not wait for it
    def complete(op):
        return done_after(1000 if op.process == "nemesis" else 10)(op)

    generator = gen.any_of(gen.nemesis(a("k")), gen.clients(gen.phases(a("x"), a("y"))))
    assert [(t, f) for t, _, f in invocations(generator, complete) if f != "k"] == [(0, "x"), (10, "y")]


def test_a_barrier_waits_for_a_sleeping_thread():
    found = invocations(gen.clients(gen.phases([gen.sleep(50e-9), a("x")], a("y"))))
    assert [(t, f) for t, _, f in found] == [(0, "x"), (50, "y")]


def test_lines_interleave_exactly():
    assert lines(
        gen.any_of(gen.nemesis([a("k")], "nemesis:0"), gen.clients([a("x")])), clients=1, nemeses=("nemesis:0",), complete=quick
    ) in (
        [(0, 0, "invoke", "x"), (0, 0, "ok", "x"), (0, "nemesis:0", "invoke", "k"), (0, "nemesis:0", "ok", "k")],
        [(0, "nemesis:0", "invoke", "k"), (0, "nemesis:0", "ok", "k"), (0, 0, "invoke", "x"), (0, 0, "ok", "x")],
        [(0, 0, "invoke", "x"), (0, "nemesis:0", "invoke", "k"), (0, 0, "ok", "x"), (0, "nemesis:0", "ok", "k")],
        [(0, "nemesis:0", "invoke", "k"), (0, 0, "invoke", "x"), (0, "nemesis:0", "ok", "k"), (0, 0, "ok", "x")],
    )
