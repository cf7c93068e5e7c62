"""The definition of monotonic values, pair by pair, and random counters that go back."""

from fractions import Fraction

from checkers.monotonic import Monotonic
from harness.checker import CheckContext
from tests.checkers.interleave import interleave

CHECKER = Monotonic
TYPES = ["nonmonotonic-value", "duplicate-value", "nonmonotonic-timestamp"]
MODELS = ["", "linearizable", "sequential", "causal", "monotonic-reads", "read-your-writes", "monotonic-writes", "writes-follow-reads"]


def random_history(rng):
    stale, twice, skew = (rng.choice([0.0, 0.0, 0.4]) for _ in range(3))
    stamped = rng.random() < 0.5
    state = {"now": 0, "old": [0], "clock": 0}

    def ask(rng, client):
        return ("inc" if rng.random() < 0.4 else "read"), None

    def act(asked):
        state["clock"] += rng.choice([0, 1, 1, 2])
        if asked.f == "inc":
            state["now"] += 0 if rng.random() < twice else rng.choice([1, 1, 3])
            state["old"].append(state["now"])
        asked.result = rng.choice(state["old"]) if rng.random() < stale else state["now"]
        if asked.f == "inc" and rng.random() < 0.1:
            asked.result = None
        if stamped and rng.random() < 0.9:
            now = state["clock"] - (rng.randint(0, 3) if rng.random() < skew else 0)
            asked.ext = {"ts": rng.choice([now, f"{now}.000"])}

    history = interleave(rng, ask, act, clients=rng.randint(1, 4), count=rng.randint(5, 13), crash=rng.choice([0, 0.2]))
    return history, CheckContext(expected=rng.choice(MODELS)), {}


def expected(history, context, options):
    seen = []
    for invoke, done in history.calls():
        if done and done.type == "ok" and done.value is not None:
            stamp = Fraction(str(done.ext["ts"])) if done.ext else None
            seen.append((invoke.index, done.index, invoke.process, invoke.f, done.value, stamp))

    def less(a, b):
        return b[4] < a[4] or (b[3] == "inc" and b[4] == a[4])

    back, broken = 0, False
    wants = MODELS[4:] if context.expected in ("", "linearizable", "sequential", "causal") else [context.expected]
    names = {("read", "read"): MODELS[4], ("inc", "read"): MODELS[5], ("inc", "inc"): MODELS[6], ("read", "inc"): MODELS[7]}
    for b in seen:
        own = {(a[3], b[3]) for a in seen if a[1] < b[0] and a[2] == b[2] and less(a, b)}
        other = any(a[1] < b[0] and less(a, b) for a in seen)
        back += len(own) or other
        broken |= any(names[pair] in wants for pair in own) or (other and context.expected in ("", "linearizable"))
    incs = [one[4] for one in seen if one[3] == "inc"]
    twice = sum(incs.count(value) > 1 for value in set(incs))
    stamps = sum(any(a[5] is not None and b[5] is not None and a[5] < b[5] and less(a, b) for a in seen) for b in seen)
    broken |= bool(stamps) or (bool(twice) and context.expected in ("", "linearizable", "sequential"))
    counts = {"nonmonotonic-value": back, "duplicate-value": twice, "nonmonotonic-timestamp": stamps}
    counts = {type_: count for type_, count in counts.items() if count}
    return False if broken else True if len(seen) > 1 else "unknown", counts
