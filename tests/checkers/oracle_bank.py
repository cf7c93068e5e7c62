"""The definition of the bank's rules, and random banks whose reads are torn, whose transfers get lost, with accounts that nobody opened."""

from checkers.bank import Bank
from harness.checker import CheckContext
from tests.checkers.interleave import interleave

CHECKER = Bank
TYPES = ["unexpected-key", "nil-balance", "wrong-total", "negative-value"]


def random_history(rng):
    accounts = ["0", "1", "2", "3"][: rng.randint(2, 4)]
    bank = dict.fromkeys(accounts, 10)
    fault = {kind: rng.random() < 0.2 and rng.random() * 0.7 for kind in ("torn", "half", "nil", "new", "debt")}

    def strikes(kind):
        return fault[kind] and rng.random() < fault[kind]

    def ask(rng, client):
        if rng.random() < 0.4:
            return "read", None
        one, other = rng.sample(accounts, 2)
        return "transfer", {"from": one, "to": other, "amount": rng.randint(1, 5)}

    def act(asked):
        if asked.f == "transfer":
            moved = asked.value["amount"] * (8 if strikes("debt") else 1)
            if bank[asked.value["from"]] >= moved or fault["debt"]:
                bank[asked.value["from"]] -= moved
                bank[asked.value["to"]] += 0 if strikes("half") else moved
            return
        seen = dict(bank)
        if strikes("torn"):
            seen[rng.choice(accounts)] += rng.choice([-1, 1, -20])
        if strikes("nil"):
            seen[rng.choice(accounts)] = None
        if strikes("new"):
            seen["9"] = rng.choice([0, 1, None])
        asked.result = seen

    history = interleave(rng, ask, act, clients=rng.randint(1, 4), count=rng.randint(5, 14), crash=rng.choice([0.0, 0.2]))
    options = {"total": 10 * len(accounts)} if rng.random() < 0.7 else {}
    options |= {"accounts": list(map(int, accounts))} if rng.random() < 0.7 else {}
    options |= {"negative": True} if rng.random() < 0.2 else {}
    return history, CheckContext(expected=rng.choice(["", "serializable", "read-committed", "parallel-snapshot-isolation"])), options


def expected(history, context, options):
    reads = [call.completion for call in history.calls() if call.outcome == "ok" and call.invoke.f == "read"]
    reads = [op.value for op in sorted(reads, key=lambda op: op.index)]
    whole = [sum(read.values()) for read in reads if None not in read.values()]
    total = options.get("total", whole[0] if whole else None)
    counts = dict.fromkeys(TYPES, 0)
    for read in reads:
        if "accounts" in options and {str(a) for a in read} - {str(a) for a in options["accounts"]}:
            counts["unexpected-key"] += 1
        elif None in read.values():
            counts["nil-balance"] += 1
        elif sum(read.values()) != total:
            counts["wrong-total"] += 1
        elif min(read.values()) < 0 and not options.get("negative"):
            counts["negative-value"] += 1
    counts = {type_: count for type_, count in counts.items() if count}
    tolerated = {"wrong-total", "negative-value"} if context.expected == "read-committed" else set()
    return (not set(counts) - tolerated) if reads else "unknown", counts
