"""The definition of predicate G2, pair by pair, and random tables in which an insert looks at an older state now and then."""

from checkers.predicate_g2 import PredicateG2
from harness.checker import CheckContext
from tests.checkers.interleave import interleave

CHECKER = PredicateG2
TYPES = ["G2"]


def random_history(rng):
    keys, blind, taken = [1, "1", "b", 4][: rng.randint(1, 4)], rng.choice([0.0, 0.3, 0.9]), set()
    shape = rng.random() < 0.5

    def ask(rng, client):
        key, pair = rng.choice(keys), rng.choice([[1, None], [None, 2]])
        return "insert", {"key": key, "value": pair} if shape else [key, pair]

    def act(asked):
        key = asked.value["key"] if shape else asked.value[0]
        if (type(key), key) in taken and rng.random() >= blind:
            asked.outcome = "fail" if asked.outcome == "ok" else asked.outcome
        taken.add((type(key), key))

    crash = rng.choice([0.0, 0.3])
    history = interleave(rng, ask, act, clients=rng.randint(1, 4), count=rng.randint(5, 10), crash=crash, haste=rng.choice([0.2, 0.6]))
    models = ["", "serializable", "snapshot-isolation", "strong-snapshot-isolation", "strong-session-snapshot-isolation"]
    return history, CheckContext(expected=rng.choice(models)), {}


def expected(history, context, options):
    tries = {}
    for invoke, done in history.calls():
        key = invoke.value["key"] if isinstance(invoke.value, dict) else invoke.value[0]
        tries.setdefault((type(key), key), []).append(
            (invoke.index, done.index if done else None, invoke.process, done.type if done else "info")
        )
    twice, broken, contested = 0, False, False
    for ops in tries.values():
        ok = sorted(op for op in ops if op[3] == "ok")
        contested |= bool(ok) and len(ops) > 1
        twice += len(ok) > 1
        pairs = [(a, b) for i, a in enumerate(ok) for b in ok[i + 1 :]]
        ordered = any(a[1] < b[0] for a, b in pairs)
        same = any(a[1] < b[0] and a[2] == b[2] for a, b in pairs)
        breaking = {"snapshot-isolation": False, "strong-snapshot-isolation": ordered, "strong-session-snapshot-isolation": same}
        broken |= len(ok) > 1 and breaking.get(context.expected, True)
    return False if broken else True if contested else "unknown", {"G2": twice} if twice else {}
