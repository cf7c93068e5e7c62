"""What `splitbrain check --as NAME` means: which checkers judge a bare file, with which options.

Why it exists  a file of another tool has no plan; the name of its workload or model says what it promises.
Relies on      checkers being found by their registered names, as in a stored plan.
"""

from __future__ import annotations

from harness.checker import CheckerSpec, Model

STRICTEST_OBJECT, STRICTEST_TXN = "linearizable", "strict-serializable"

SESSIONS = [CheckerSpec("weak-isolation"), CheckerSpec("serial")]  # of register transactions whose sessions alone are known

MODELS: dict[str, Model] = {
    "register": Model(STRICTEST_OBJECT, [CheckerSpec("linearizable-register", {"model": "register"})]),
    "cas-register": Model(STRICTEST_OBJECT, [CheckerSpec("linearizable-register", {"model": "cas-register"})]),
    "kv": Model(STRICTEST_OBJECT, [CheckerSpec("linearizable-register", {"model": "kv"})]),
    "sessions": Model("", [CheckerSpec("sessions")]),
    "staleness": Model("", [CheckerSpec("staleness")]),
    "rw-register": Model(STRICTEST_TXN, [CheckerSpec("rw-register")], "serializable", SESSIONS),
    "serial": Model(STRICTEST_TXN, [CheckerSpec("serial")], "serializable"),
    "list-append": Model(STRICTEST_TXN, [CheckerSpec("list-append")]),
    "set": Model(STRICTEST_OBJECT, [CheckerSpec("set-full", {"mode": "set"})]),
    "set-full": Model(STRICTEST_OBJECT, [CheckerSpec("set-full")]),
    "queue": Model(STRICTEST_OBJECT, [CheckerSpec("queue")]),
    "stack": Model(STRICTEST_OBJECT, [CheckerSpec("stack")]),
    "priority-queue": Model(STRICTEST_OBJECT, [CheckerSpec("priority-queue")]),
    "set-object": Model(STRICTEST_OBJECT, [CheckerSpec("set-object")]),
    "linearizable-set": Model(STRICTEST_OBJECT, [CheckerSpec("set-object")]),
    "linearizable": Model(STRICTEST_OBJECT, [CheckerSpec("linearizable")]),
    "multi-register": Model(STRICTEST_OBJECT, [CheckerSpec("linearizable", {"model": "multi-register"})]),
    "mutex": Model(STRICTEST_OBJECT, [CheckerSpec("linearizable", {"model": "mutex"})]),
    "fenced-mutex": Model(STRICTEST_OBJECT, [CheckerSpec("linearizable", {"model": "fenced-mutex"})]),
    "semaphore": Model(STRICTEST_OBJECT, [CheckerSpec("linearizable", {"model": "semaphore"})]),
    "counter-linearizable": Model(STRICTEST_OBJECT, [CheckerSpec("linearizable", {"model": "counter"})]),
    "unordered-queue": Model(STRICTEST_OBJECT, [CheckerSpec("linearizable", {"model": "unordered-queue"})]),
    "deque": Model(STRICTEST_OBJECT, [CheckerSpec("linearizable", {"model": "deque"})]),
    "total-queue": Model(STRICTEST_OBJECT, [CheckerSpec("total-queue")]),
    "counter": Model(STRICTEST_OBJECT, [CheckerSpec("counter")]),
    "bank": Model(STRICTEST_TXN, [CheckerSpec("bank")]),
    "unique-ids": Model(STRICTEST_OBJECT, [CheckerSpec("unique-ids")]),
    "long-fork": Model(STRICTEST_TXN, [CheckerSpec("long-fork")]),
    "causal": Model(STRICTEST_OBJECT, [CheckerSpec("causal")]),
    "causal-reverse": Model(STRICTEST_TXN, [CheckerSpec("causal-reverse")]),
    "monotonic": Model(STRICTEST_OBJECT, [CheckerSpec("monotonic")]),
    "predicate-g2": Model(STRICTEST_TXN, [CheckerSpec("predicate-g2")]),
    "watch": Model(STRICTEST_OBJECT, [CheckerSpec("watch")]),
    "log": Model(STRICTEST_TXN, [CheckerSpec("log")]),
    "replicas": Model(STRICTEST_OBJECT, [CheckerSpec("replicas")]),
}
