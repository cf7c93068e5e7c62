"""What the ops of a file show: the name that `--as` would take.

Why it exists  most histories say by their f's what they are of; nobody should have to name it.
Relies on      the first ops being like the others. Where two models share their f's, nothing is guessed: the name is "".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from harness.history.history import History
from harness.op import Op

# An f that only one model has.
TELLING = {
    "transfer": "bank",
    "drain": "total-queue",
    "generate": "unique-ids",
    "read-init": "causal",
    "inc": "monotonic",
    "dump": "replicas",
    "watch": "watch",
    "send": "log",
    "subscribe": "log",
    "assign": "log",
}
# An f that only one object has; a set by `contains`, since others add and remove too.
OBJECTS = {
    "queue": {"enqueue", "dequeue", "enq", "deq", "offer"},
    "stack": {"push", "pop"},
    "priority-queue": {"poll"},
    "set-object": {"contains"},
    "deque": {f"{verb}_{end}" for verb in ("push", "pop", "peek") for end in ("front", "back")},
}
# Every f of models that share some: what is unclear is asked about these alone.
WORDS = {
    "list-append": {"txn"},
    "rw-register": {"txn"},
    "multi-register": {"txn", "read", "write"},
    "queue": {"enqueue", "enq", "offer", "dequeue", "deq", "poll", "peek"},
    "unordered-queue": {"enqueue", "dequeue"},
    "stack": {"push", "pop", "peek"},
    "priority-queue": {"insert", "add", "enqueue", "enq", "poll", "dequeue", "deq", "peek"},
    "set-object": {"add", "insert", "remove", "contains"},
    "deque": OBJECTS["deque"],
    "mutex": {"acquire", "release", "lock", "unlock"},
    "fenced-mutex": {"acquire", "release", "lock", "unlock"},
    "semaphore": {"acquire", "release", "decr", "incr", "down", "up"},
    "counter-linearizable": {
        *("add", "subtract", "sub", "increment", "inc", "incr", "decrement", "dec", "decr", "add-and-get", "get-and-add", "read")
    },
}


def infer_model(history: History) -> str:
    """What the ops show: the name that `--as` would take, or "" if nobody can tell."""
    if isinstance(named := history.header.get("model"), str):
        return named
    if history.txns is not None and (model := _txn_model(op for op in history.ops[:100] if op.is_client)):
        return model
    clients = [op for op in history.ops[:5000] if op.is_client]
    fs = {op.f for op in clients}
    if (telling := next((name for f, name in TELLING.items() if f in fs), "")) != "":
        return telling
    if fs & {"txn"} or (not fs - {"", "txn"}):
        return _txn_model(clients)
    if fs <= {"get", "put", "append"}:
        return "kv"
    if fs == {"read"}:
        return _read_model(clients)
    if fs <= {"read", "write"}:
        return _write_model(clients)
    if fs <= {"read", "write", "cas"}:
        return "cas-register"
    if fs <= {"add", "read", "remove"}:
        return _add_model(history)
    if fs == {"insert"}:
        return "predicate-g2"
    objects = [model for model, own in OBJECTS.items() if fs & own]
    if sure := next((model for model in objects if fs <= WORDS[model]), ""):
        return sure
    possible = possible_models(fs)
    if possible == ["semaphore"]:
        return ""  # nobody says how many permits there are
    return possible[0] if len(possible) == 1 else next(iter([] if possible else objects), "")


def possible_models(fs: Collection[str]) -> list[str]:
    """The models among WORDS whose ops these f's could be."""
    return [model for model, words in WORDS.items() if fs and words.issuperset(fs)]


def _txn_model(clients: Iterable[Op]) -> str:
    for op in clients:
        for mop in op.value if isinstance(op.value, list) else []:
            if isinstance(mop, list) and len(mop) == 3:
                if mop[0] == "append" or (mop[0] == "r" and isinstance(mop[2], list)):
                    return "list-append"
                if mop[0] == "w":
                    return "rw-register"
    return ""


def _add_model(history: History) -> str:
    """A set's reads give lists, a counter's numbers; without a read, who adds one number again and again counts."""
    for op in history.ops:
        if op.is_client and op.f == "read" and op.type == "ok":
            value = op.value.get("value") if isinstance(op.value, dict) else op.value
            if value is not None:
                return "set-full" if isinstance(value, list) else "counter"
    added = [op.value for op in history.ops if op.is_client and op.f == "add" and op.type == "ok"]
    numbers = bool(added) and all(type(value) is int for value in added)
    return "counter" if numbers and len(set(added)) < len(added) else "set-full"


def _write_model(clients: Iterable[Op]) -> str:
    """Who writes micro-ops looks for a long fork; who writes values and reads lists of them, for causality the wrong way round."""
    written = [op.value for op in clients if op.f == "write"]
    given = [op.value for op in clients if op.f == "read" and op.type == "ok" and op.value is not None]
    if written and all(isinstance(value, list) and value and isinstance(value[0], list) and value[0][:1] == ["w"] for value in written):
        return "long-fork"
    lists = bool(given) and all(isinstance(value, list) for value in given)
    return "causal-reverse" if lists and written and not any(isinstance(value, list) for value in written) else "register"


def _read_model(clients: Iterable[Op]) -> str:
    """Of reads alone: those of a bank give a map of balances; any others are a register's."""
    given = [op.value for op in clients if op.type == "ok" and op.value is not None]
    banks = bool(given) and all(isinstance(value, dict) and value and value.keys() != {"key", "value"} for value in given)
    return "bank" if banks and all(type(n) is int for value in given for n in value.values()) else "register"
