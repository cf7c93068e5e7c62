"""The definition of equal replicas, key by key and pair by pair, and random nodes that lose or keep what others do not."""

from checkers.replicas import Replicas
from harness.checker import CheckContext
from tests.checkers.interleave import interleave

CHECKER = Replicas
TYPES = ["replica-divergence"]
KEYS = ["a", "b", "c", "1"]


def random_history(rng):
    count = rng.choice([1, 2, 2, 3, 3, 3])
    nodes = {f"n{i + 1}": {} for i in range(count)}
    lose, odd, shape = rng.choice([0.0, 0.2, 0.4]), rng.choice([0.0, 0.2]), rng.choice(["kv", "kv", "kv", "txn", "list"])

    def ask(rng, client):
        if rng.random() < 0.1:
            return "dump", None
        if rng.random() < 0.2:
            return "read", {"key": rng.choice(KEYS), "value": None}
        key = rng.choice(KEYS)
        key = 1 if key == "1" and rng.random() < 0.5 else key
        if shape == "txn":
            return "txn", [["w", key, rng.randint(1, 3)], ["r", rng.choice(KEYS), None]]
        return "write", {"key": key, "value": rng.randint(1, 3)}

    def act(asked):
        if asked.f == "dump":
            held = nodes[asked.node]
            asked.result = sorted(held.values()) if shape == "list" else dict(held) or None
            return
        if asked.f == "read":
            return
        key, value = (str(asked.value[0][1]), asked.value[0][2]) if asked.f == "txn" else (str(asked.value["key"]), asked.value["value"])
        for held in nodes.values():
            if rng.random() >= lose:
                held[key] = True if value == 1 and rng.random() < odd else value

    final = [("dump", None, node) for node in nodes if rng.random() < 0.93]
    crash = rng.choice([0.0, 0.0, 0.2])
    history = interleave(rng, ask, act, clients=rng.randint(1, 4), count=rng.randint(5, 10), crash=crash, nodes=count, final=final)
    return history, CheckContext(nodes=list(nodes) if rng.random() < 0.5 else []), {}


def expected(history, context, options):
    calls = list(history.calls())
    dumps = {}
    for invoke, done in calls:
        good = invoke.f == "dump" and done and done.type == "ok"
        if good and (invoke.node not in dumps or invoke.index > dumps[invoke.node][0].index):
            dumps[invoke.node] = (invoke, done)
    if len(dumps) < 2:
        return "unknown", {}
    first, last = min(invoke.index for invoke, _ in dumps.values()), max(done.index for _, done in dumps.values())
    moving = set()
    for invoke, done in calls:
        written = invoke.f in ("write", "txn") and not (done and done.type == "fail")
        if written and invoke.index < last and (done is None or done.type == "info" or done.index > first):
            moving |= {str(invoke.value["key"])} if invoke.f == "write" else {str(mop[1]) for mop in invoke.value if mop[0] == "w"}
    held = [done.value or {} for _, done in dumps.values()]
    as_list = any(isinstance(value, list) for value in held)
    held = [dict(enumerate(value)) if isinstance(value, list) else value for value in held]
    differing = settled = 0
    for key in {key for value in held for key in value}:
        views = {repr(value[key]) if key in value else "absent" for value in held}
        if len(views) > 1:
            differing += 1
            settled += not (moving if as_list else key in moving)
    if settled:
        return False, {"replica-divergence": settled}
    lacking = set(context.nodes) - set(dumps)
    return ("unknown" if lacking or differing or not any(held) else True), {}
