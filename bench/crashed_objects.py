"""How long histories with many crashed operations take, for the general models (of registers: crashed_register.py).

    bench/crashed_objects.py [MODEL ...]      all of them by default; a case that takes more than 60 s is cut off and said to be

Each history once as it should be, and once with a violation near its very end: 200 ops with 11 crashed ones, 200 with 9 of 10 clients,
1000 with 14, 58, and 30 of 10 clients. Porcupine does not know crashed ops at all: given them as concurrent with everything, it did not
settle invalid cas-registers of these sizes within 30 s. Prints seconds of this process's own time (as it should be / violated); figures go
to the stored table; exit 1 if a verdict is wrong.
"""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.proof import Proof
from checkers.objects import Linearizable
from harness.checker import CheckContext
from tests.checkers.histories_objects import PLANTED, crashed, plant

CASES = [(200, 11, 5), (200, 9, 10), (1000, 14, 5), (1000, 58, 5), (1000, 30, 10)]
LIMIT_S = 60


class TooLong(Exception):
    """The case was cut off."""


def stop(*_: object) -> None:
    raise TooLong


def judge(model: str) -> dict[str, Any]:
    """Seconds of each case: as it should be / violated."""
    figures: dict[str, Any] = {"passed": True}
    for count, crashing, clients in CASES:
        history = crashed(model, count, crashing, 1, clients)
        spent = []
        for recorded, expected in ((history, True), (plant(model, history)[0], False)):
            signal.alarm(LIMIT_S)
            start = time.process_time()
            try:
                verdict = Linearizable(model).check(recorded, CheckContext(expected="linearizable")).valid
                spent.append(f"{time.process_time() - start:.2f}" + ("" if verdict != "unknown" else " unknown"))
                figures["passed"] &= verdict in (expected, "unknown")
            except TooLong:
                spent.append(f"more than {LIMIT_S}")
            finally:
                signal.alarm(0)
        figures[f"{count} ops, {crashing} crashed, {clients} clients"] = " / ".join(spent)
    return figures


def main() -> int:
    signal.signal(signal.SIGALRM, stop)
    proof = Proof("crashed_objects")
    for model in sys.argv[1:] or PLANTED:
        proof.case(model, lambda model=model: judge(model))
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
