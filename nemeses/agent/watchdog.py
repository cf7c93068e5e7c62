"""The watchdog: the agent's parent, which does nothing but wait, and heals if the agent dies or hangs.

Why it exists  a killed agent leaves stopped processes and wrong clocks that no kernel lease ends.
Relies on      the ledger's lines through a pipe (end of file: the agent is gone) and one more a second. If the watchdog itself dies, the
               agent sees the end of its other pipe, heals and ends.
"""

from __future__ import annotations

import json
import os
import select
import signal

from .ledger import Ledger


def fork_agent() -> tuple[bool, int, int]:
    """Fork: (True, pipe to write the ledger to, pipe that ends with the watchdog) in the agent; (False, its pipe, agent's pid) here."""
    ledger_read, ledger_write = os.pipe()
    life_read, life_write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ledger_read)
        os.close(life_write)
        return True, ledger_write, life_read
    os.close(ledger_write)
    os.close(life_read)
    return False, ledger_read, child


def watch(pipe: int, agent: int) -> int:
    """Wait for the agent's end; undo what it had not undone. 0 if it ended in order, 3 if it had to be healed after."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(agent, signal.SIGTERM))
    ledger, rest, hung = Ledger(), b"", False
    while True:
        if not select.select([pipe], [], [], ledger.lease_s)[0]:  # silent for the length of a lease: it has lost what it held
            hung = True
            os.kill(agent, signal.SIGKILL)
            continue
        data = os.read(pipe, 65536)
        if not data:
            break
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            record = json.loads(line)
            if "note" in record:
                ledger.learn(record)
    _, status = os.waitpid(agent, 0)
    ledger.undo()
    return 0 if status == 0 and not hung else 3
