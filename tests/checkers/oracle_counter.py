"""The definition of the counter's bounds, read by read and pair by pair, and random counters that lose, repeat and forget adds."""

from checkers.counter import Counter
from harness.checker import CheckContext
from tests.checkers.interleave import interleave

CHECKER = Counter
TYPES = ["impossible-value", "counter-out-of-bounds", "counter-went-back"]
NEVER = float("inf")


def random_history(rng):
    amounts = rng.choice([[1], [1, 2, 0], [1, 3, -1, -2], [5]])
    fault = {kind: rng.random() < 0.25 and rng.random() for kind in ("lost", "stale", "twice", "junk")}
    state = {"now": 0, "old": [0]}

    def strikes(kind):
        return fault[kind] and rng.random() < fault[kind]

    def ask(rng, client):
        return ("add", rng.choice(amounts)) if rng.random() < 0.5 else ("read", None)

    def act(asked):
        if asked.f == "add":
            state["now"] += 0 if strikes("lost") else asked.value * (2 if strikes("twice") else 1)
            state["old"].append(state["now"])
        else:
            off = rng.choice([-9, 1, 40]) if strikes("junk") else 0
            asked.result = rng.choice(state["old"]) if strikes("stale") else state["now"] + off

    crash, fail = rng.choice([0.0, 0.2]), rng.choice([0.0, 0.2])
    count = rng.randint(5, 14)
    history = interleave(rng, ask, act, clients=rng.randint(1, 5), count=count, crash=crash, fail=fail, haste=rng.choice([0.2, 0.7]))
    return history, CheckContext(expected=rng.choice(["", "linearizable", "sequential"])), {}


def expected(history, context, options):
    adds, reads = [], []
    for invoke, done in history.calls():
        outcome = done.type if done else "info"
        ret = done.index if outcome == "ok" else NEVER
        if invoke.f == "add" and outcome != "fail":
            adds.append((invoke.index, ret, invoke.value))
        elif invoke.f == "read" and outcome == "ok":
            reads.append((invoke.index, ret, done.value))
    counts = dict.fromkeys(TYPES, 0)
    sound = []
    for call, ret, value in reads:
        low = high = least = most = 0
        for began, ended, n in adds:
            may, must = began < ret, ended < call
            least, most = least + min(n, 0), most + max(n, 0)
            low += n if (must and n > 0) or (may and n < 0) else 0
            high += n if (may and n > 0) or (must and n < 0) else 0
        if not least <= value <= most:
            counts["impossible-value"] += 1
        elif not low <= value <= high:
            counts["counter-out-of-bounds"] += 1
        else:
            sound.append((call, ret, value))
    if all(n >= 0 for _, _, n in adds):
        for call, _, value in sound:
            demands = [v + sum(n for began, ended, n in adds if began > r and ended < call) for _, r, v in sound if r < call]
            counts["counter-went-back"] += any(value < demand for demand in demands)
    counts = {type_: count for type_, count in counts.items() if count}
    broken = [type_ for type_ in counts if type_ == "impossible-value" or context.expected != "sequential"]
    return (not broken) if reads or any(call.invoke.f == "add" for call in history.calls()) else "unknown", counts
