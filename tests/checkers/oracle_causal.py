"""The definition of the causal register by trying, for every crashed write, every moment at which it may have happened, and never."""

from itertools import pairwise, permutations

from checkers.causal import Causal
from harness.checker import CheckContext
from tests.checkers.interleave import interleave

CHECKER = Causal
TYPES = ["causal-link", "causal-write", "causal-read"]
ANYWHERE = "anywhere"


def random_history(rng):
    keys = ["a", "b", 3][: rng.randint(1, 3)]
    bad = {kind: rng.random() < 0.3 and rng.random() * 0.5 for kind in ("link", "value", "stale", "number", "null")}
    crash, fail, clients = rng.choice([0.0, 0.2]), rng.choice([0.0, 0.15]), rng.choice([1, 1, 1, 2])
    state = {key: {"value": 0, "old": 0, "written": 0, "position": None, "n": 0} for key in keys}

    def strikes(kind):
        return bad[kind] and rng.random() < bad[kind]

    def ask(rng, client):
        key = rng.choice(keys)
        at = state[key]
        at["n"] += 1
        if at["n"] == 1 and rng.random() < 0.7:
            return "read-init", {"key": key, "value": None}
        if rng.random() < 0.45:
            at["written"] += 2 if strikes("number") else 1
            return "write", {"key": key, "value": at["written"]}
        return "read", {"key": key, "value": None}

    def act(asked):
        key = asked.value["key"]
        at = state[key]
        if asked.f == "write":
            at["old"], at["value"] = at["value"], asked.value["value"]
        elif not strikes("null"):
            given = at["old"] if strikes("stale") else at["value"]
            asked.result = {"key": key, "value": 9 if strikes("value") else given}
        link = 99 if strikes("link") else at["position"] if rng.random() < 0.8 else "init"
        asked.ext = {"link": link, "position": rng.randrange(1000)}
        if asked.outcome != "fail":
            at["position"] = asked.ext["position"]

    history = interleave(rng, ask, act, clients=clients, count=rng.randint(5, 11), crash=crash, fail=fail, haste=0.9)
    return history, CheckContext(expected=rng.choice(["", "causal", "sequential", "PRAM"])), {}


def expected(history, context, options):
    chains = {}
    for invoke, done in history.calls():
        chains.setdefault(invoke.value["key"], []).append((invoke, done, done.type if done else "info"))
    counts, overlap, ok = dict.fromkeys(TYPES, 0), False, 0
    for chain in chains.values():
        good = [(invoke, done) for invoke, done, outcome in chain if outcome == "ok"]
        ok += len(good)
        if any(a[1].index > b[0].index for a, b in pairwise(good)):
            overlap = True
        elif (type_ := wrong_of(chain)) is not None:
            counts[type_] += 1
    counts = {type_: count for type_, count in counts.items() if count}
    if counts and context.expected != "PRAM":
        return False, counts
    return (True if ok and not overlap else "unknown"), counts


def wrong_of(chain):
    """The rule that breaks in all explanations that come furthest; None if one of them comes through."""
    crashed = [invoke for invoke, _, outcome in chain if invoke.f == "write" and outcome == "info"]
    ends = set()
    for number in range(len(crashed) + 1):
        for some in permutations(crashed, number):
            for places in moments(len(chain) + 1, number):
                ends.add(replay(chain, list(zip(places, some))))
    furthest = max(at for at, _ in ends)
    types = {type_ for at, type_ in ends if at == furthest}
    return None if None in types else next(t for t in ("causal-read", "causal-write", "causal-link") if t in types)


def moments(positions, number, least=0):
    """All ascending choices of a place before an op (or the end) for each of `number` writes."""
    if number == 0:
        yield ()
        return
    for place in range(least, positions):
        for rest in moments(positions, number - 1, place):
            yield (place, *rest)


def replay(chain, struck):
    """(how many ops of the chain fit, the rule that the next one breaks, or None at the end). A write strikes only after it was invoked."""
    value, counter, position, failed = 0, 0, None, set()
    for at, (invoke, done, outcome) in enumerate(chain):
        for place, write in struck:
            if place == at:
                if write.index > invoke.index:
                    return -1, "causal-link"  # no explanation at all
                value, counter, position = write.value["value"], max(counter, write.value["value"]), ANYWHERE
        if outcome == "fail" and invoke.f == "write":
            failed.add(invoke.value["value"])
        if outcome != "ok":
            continue
        link = done.ext["link"]
        if link != "init" and position != ANYWHERE and link != position:
            return at, "causal-link"
        given = done.value["value"]
        if invoke.f == "write":
            if given <= counter or any(n not in failed for n in range(counter + 1, given)):
                return at, "causal-write"
            value = counter = given
        elif (invoke.f == "read-init" and counter == 0 and given != 0) or (given is not None and given != value):
            return at, "causal-read"
        position = done.ext["position"]
    return len(chain), None
