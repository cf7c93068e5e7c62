"""The definition of unique-ids, and random services that give an id twice now and then."""

from checkers.unique_ids import UniqueIds
from harness.checker import CheckContext
from tests.checkers.interleave import interleave

CHECKER = UniqueIds
TYPES = ["duplicate-id"]
ODD = [1, 1.0, True, "1", None, [1], {"a": 1}]


def random_history(rng):
    ids, again, odd = [], rng.choice([0.0, 0.15, 0.3]), rng.random() < 0.3
    keys = rng.choice([[None], ["a", "b"]])

    def ask(rng, client):
        key = rng.choice(keys)
        return "generate", None if key is None else {"key": key, "value": None}

    def act(asked):
        fresh = ODD[len(ids)] if odd and len(ids) < len(ODD) else len(ids) + 10
        given = rng.choice(ids) if ids and rng.random() < again else fresh
        ids.append(given)
        asked.result = given if asked.value is None else {"key": asked.value["key"], "value": given}

    crash = rng.choice([0.0, 0.3])
    return interleave(rng, ask, act, clients=rng.randint(1, 4), count=rng.randint(4, 14), crash=crash), CheckContext(), {}


def expected(history, context, options):
    given = []
    for call in history.calls():
        if call.outcome == "ok":
            value = call.completion.value
            given.append((value["key"], value["value"]) if type(call.invoke.value) is dict else (None, value))
    twice = set()
    for i, (key, a) in enumerate(given):
        for j, (other, b) in enumerate(given):
            if i < j and key == other and type(a) is type(b) and a == b:
                twice.add((key, repr(a)))
    return (not twice) if given else "unknown", {"duplicate-id": len(twice)} if twice else {}
