"""What `splitbrain check --as NAME` means: which checkers judge a bare file, with which options.

Why it exists  a file of another tool has no plan; the name of its workload or model says what it promises.
Relies on      checkers being found by their registered names, as in a stored plan.
"""

from __future__ import annotations

from harness.checker import CheckerSpec, Model

STRICTEST_OBJECT, STRICTEST_TXN = "linearizable", "strict-serializable"

MODELS: dict[str, Model] = {
    "register": Model(STRICTEST_OBJECT, [CheckerSpec("linearizable-register", {"model": "register"})]),
    "cas-register": Model(STRICTEST_OBJECT, [CheckerSpec("linearizable-register", {"model": "cas-register"})]),
    "kv": Model(STRICTEST_OBJECT, [CheckerSpec("linearizable-register", {"model": "kv"})]),
    "list-append": Model(STRICTEST_TXN, [CheckerSpec("list-append")]),
    "set": Model(STRICTEST_OBJECT, [CheckerSpec("set-full", {"mode": "set"})]),
    "set-full": Model(STRICTEST_OBJECT, [CheckerSpec("set-full")]),
}
