"""The definition of a long fork: any two reads of a group of which each sees a key that the other misses; random stores that fork."""

from itertools import combinations

from checkers.long_fork import LongFork
from harness.checker import CheckContext
from tests.checkers.interleave import interleave

CHECKER = LongFork
TYPES = ["long-fork", "G1a", "garbage-read"]


def random_history(rng):
    groups = [[0, 1], ["a", "b"], [1.0, True]][: rng.randint(1, 3)] if rng.random() < 0.6 else [[0, 1, 2]]
    unwritten = [key for group in groups for key in group]
    again, fork, junk = rng.choice([0.0, 0.0, 0.0, 0.2]), rng.choice([0.0, 0.3, 0.5]), rng.choice([0.0, 0.0, 0.1])
    store = []

    def ask(rng, client):
        if rng.random() < 0.4 and (unwritten or again):
            key = unwritten.pop(rng.randrange(len(unwritten))) if unwritten and rng.random() >= again else rng.choice(rng.choice(groups))
            return "txn", [["w", key, 1]]
        keys = list(rng.choice(groups))
        rng.shuffle(keys)
        return "txn", [["r", key, None] for key in keys]

    def act(asked):
        if asked.value[0][0] == "w":
            store.append((type(asked.value[0][1]), asked.value[0][1]))
        else:
            seen = [place for place in store if rng.random() >= fork]
            asked.result = [["r", k, 7 if rng.random() < junk else 1 if (type(k), k) in seen else None] for _, k, _ in asked.value]

    history = interleave(
        rng,
        ask,
        act,
        clients=rng.randint(1, 4),
        count=rng.randint(6, 12),
        crash=rng.choice([0, 0.2]),
        fail=0.1,
        dirty=rng.choice([0, 0, 0.4]),
    )
    models = ["", "serializable", "snapshot-isolation", "parallel-snapshot-isolation", "prefix"]
    return history, CheckContext(expected=rng.choice(models)), {"group": len(groups[0])}


def expected(history, context, options):
    writes, failed, reads = [], [], []
    for invoke, done in history.calls():
        outcome = done.type if done else "info"
        kind, key, value = invoke.value[0]
        if kind == "w":
            (failed if outcome == "fail" else writes).append((type(key), key, value))
        elif outcome == "ok":
            reads.append({(type(k), k): v for _, k, v in done.value})
    twice = {(t, k) for t, k, _ in writes if sum(w[:2] == (t, k) for w in writes) > 1}
    counts = {"long-fork": 0, "G1a": 0, "garbage-read": 0}
    for read in reads:
        for (t, k), v in read.items():
            if v is not None and (t, k, v) not in writes:
                counts["G1a" if (t, k, v) in failed else "garbage-read"] += 1
    groups = {frozenset(read) for read in reads}
    for group in groups:
        if group & twice:
            continue
        seen = [{k for k, v in read.items() if v is not None} for read in reads if frozenset(read) == group]
        if any(a - b and b - a for a, b in combinations(seen, 2)):
            counts["long-fork"] = None  # how many neighbours fork depends on the order; that there is a fork does not
    broken = {type_ for type_, count in counts.items() if count != 0}
    if context.expected == "parallel-snapshot-isolation":
        broken -= {"long-fork"}
    counts = {type_: count for type_, count in counts.items() if count != 0}
    if broken:
        return False, counts
    doubtful = any(group & twice for group in groups)
    return (True if not doubtful and any(v is not None for read in reads for v in read.values()) else "unknown"), counts
