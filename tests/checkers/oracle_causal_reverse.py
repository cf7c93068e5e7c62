"""The definition of causal reverse, row by row for each read, and random tables that show rows out of order."""

from checkers.causal_reverse import CausalReverse
from harness.checker import CheckContext
from tests.checkers.interleave import interleave

CHECKER = CausalReverse
TYPES = ["causal-reverse", "phantom-element"]
NEVER = float("inf")


def random_history(rng):
    rows, next_ = [], [0]
    late, junk, again = rng.choice([0.0, 0.2, 0.4]), rng.choice([0.0, 0.0, 0.2]), rng.choice([0.0, 0.2])

    read = rng.choice([0.3, 0.5])

    def ask(rng, client):
        if rng.random() < read:
            return "read", None
        next_[0] += 1
        return "write", rng.randint(1, next_[0]) if rng.random() < again else next_[0]

    def act(asked):
        if asked.f == "write":
            rows.append(asked.value)
        else:
            asked.result = [row for row in rows if rng.random() >= late] + ([next_[0] + 1] if rng.random() < junk else [])

    crash = rng.choice([0.0, 0.25])
    history = interleave(rng, ask, act, clients=rng.randint(1, 4), count=rng.randint(6, 16), crash=crash, dirty=rng.choice([0, 0, 0.3]))
    models = ["", "strict-serializable", "serializable", "strong-session-snapshot-isolation"]
    return history, CheckContext(expected=rng.choice(models)), {}


def expected(history, context, options):
    writes, reads = [], []
    for invoke, done in history.calls():
        outcome = done.type if done else "info"
        if invoke.f == "write" and outcome != "fail":
            writes.append((invoke.value, invoke.index, done.index if outcome == "ok" else NEVER, invoke.process))
        elif invoke.f == "read" and outcome == "ok":
            reads.append((done.value, done.index))
    start = {}
    for value, call, _, process in sorted(writes, key=lambda write: write[1]):
        start.setdefault(value, (call, process))
    counts = {"causal-reverse": 0, "phantom-element": 0}
    broken, rows = False, 0
    for seen, ret in reads:
        rows += len(seen)
        phantoms = [v for v in seen if v not in start or start[v][0] > ret]
        wrong = [(v, x, ended) for v in seen if v not in phantoms for x, _, ended, _ in writes if ended < start[v][0] and x not in seen]
        counts["phantom-element"] += bool(phantoms)
        counts["causal-reverse"] += bool(wrong)
        broken |= bool(phantoms) or (bool(wrong) and context.expected in ("", "strict-serializable"))
        if wrong and context.expected == "strong-session-snapshot-isolation":
            once = [v for v, _, _ in wrong if sum(value == v for value, _, _, _ in writes) == 1]
            broken |= any(x not in seen and end < start[v][0] and p == start[v][1] for v in once for x, _, end, p in writes)
    counts = {type_: count for type_, count in counts.items() if count}
    return False if broken else True if rows else "unknown", counts
