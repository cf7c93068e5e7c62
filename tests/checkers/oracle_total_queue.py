"""The definition of the total queue by counting, and random queues that lose, repeat and invent elements.

`excusable` tries every way in which crashed dequeues may have taken what is missing, and so knows nothing of the checker's subtraction.
"""

from itertools import product

from checkers.total_queue import TotalQueue
from harness.checker import CheckContext
from tests.checkers.interleave import interleave

CHECKER = TotalQueue
TYPES = ["lost-write", "phantom-element", "duplicate-element"]
NEVER = float("inf")


def random_history(rng):
    queue, given, next_ = [], [], [0]
    fault = {kind: rng.random() < 0.27 and rng.random() * 0.8 for kind in ("lost", "again", "junk", "early")}
    crash, fail, repeat = rng.choice([0.0, 0.0, 0.25]), rng.choice([0.0, 0.2]), rng.choice([0.0, 0.3])

    def strikes(kind):
        return fault[kind] and rng.random() < fault[kind]

    def ask(rng, client):
        draw = rng.random()
        if draw < 0.5:
            next_[0] += 1
            return "enqueue", rng.randint(1, next_[0]) if rng.random() < repeat else next_[0]
        return ("dequeue", None) if draw < 0.93 else ("drain", None)

    def take():
        if given and strikes("again"):
            return rng.choice(given)
        if strikes("junk"):
            return rng.choice([77, next_[0] + 1])
        if not queue:
            return None
        given.append(queue.pop(rng.randrange(len(queue))))
        return given[-1]

    def act(asked):
        if asked.f == "enqueue":
            queue.extend([] if strikes("lost") else [asked.value])
        elif asked.f == "dequeue":
            asked.result = None if strikes("early") else take()
        else:
            taken = []
            while len(taken) < 20 and (value := take()) is not None:
                taken.append(value)
            asked.result = taken

    final = [("drain", None, "n1")] if rng.random() < 0.7 else []
    count = rng.randint(5, 13)
    history = interleave(rng, ask, act, clients=rng.randint(1, 4), count=count, crash=crash, fail=fail, final=final, dirty=0.1)
    return history, CheckContext(expected="linearizable"), {"delivery": rng.choice(["at-least-once", "at-least-once", "exactly-once"])}


def expected(history, context, options):
    puts, takes, empty, unclear = [], [], -1, []
    for invoke, done in history.calls():
        outcome = done.type if done else "info"
        if invoke.f == "enqueue":
            puts += [(invoke.value, invoke.index, done.index if outcome == "ok" else NEVER)] if outcome != "fail" else []
        elif outcome == "info":
            unclear.append(invoke.f)
        elif outcome == "ok":
            values = done.value if invoke.f == "drain" else [] if done.value is None else [done.value]
            takes += [(value, done.index) for value in values]
            empty = max(empty, invoke.index) if invoke.f == "drain" or not values else empty
    phantoms = [(v, at) for v, at in takes if not any(v == w and call < at for w, call, _ in puts)]
    rest = [v for v, at in takes if (v, at) not in phantoms]
    values = {v for v, _, _ in puts}
    duplicates = sum(max(0, rest.count(v) - sum(w == v for w, _, _ in puts)) for v in values)
    missing, left = [], []
    for v in sorted(values):
        acked = [ret for w, _, ret in puts if w == v and ret < NEVER]
        missing += [v] * max(0, sum(ret < empty for ret in acked) - rest.count(v))
        left += [v] * max(0, len(acked) - rest.count(v))
    lost = 0 if "drain" in unclear else surely_lost(missing, unclear.count("dequeue"))
    counts = {"lost-write": lost, "phantom-element": len(phantoms), "duplicate-element": duplicates}
    counts = {type_: count for type_, count in counts.items() if count}
    if set(counts) - ({"duplicate-element"} if options["delivery"] == "at-least-once" else set()):
        return False, counts
    something = takes or any(ret < NEVER for _, _, ret in puts)
    return ("unknown" if missing or left or not something else True), counts


def surely_lost(missing, dequeues):
    """The least number of elements that stay missing, over all choices of what each crashed dequeue took, one or none."""
    if not missing or not dequeues:
        return len(missing)
    least = len(missing)
    for chosen in product([None, *range(len(missing))], repeat=min(dequeues, len(missing))):
        least = min(least, len(missing) - len(set(chosen) - {None}))
    return least
