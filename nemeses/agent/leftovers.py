"""What a dead run left where no agent of its lives any more: its table, stopped processes, wrong clocks.

Why it exists  agent and watchdog can both be killed; then a command, or the next run, removes the rest by the run's name.
Relies on      the run's table bearing its name, its patches its mark; stopped processes are continued only among the nodes' pids given.
"""

from __future__ import annotations

import os
import signal

from . import vdso
from .clock import tag_of
from .nft import BridgeTable, NftError
from .procs import all_pids, stat


def heal(run: str, pids: list[int]) -> tuple[list[str], list[str]]:
    """(what was removed, what could not be), in words. Nothing there is nothing done."""
    done: list[str] = []
    left: list[str] = []
    table = BridgeTable(run, 0)
    try:
        if table.exists():
            table.remove()
            done.append(f"the table {table.name}")
    except NftError as error:
        if "not there" not in str(error):  # without nft there is no table of ours
            left.append(f"the table {table.name}: {error}")
    for pid in pids:
        found = stat(pid)
        if found is not None and found.state == "T":
            os.kill(pid, signal.SIGCONT)
            done.append(f"process {pid} was stopped")
    tag = tag_of(run)
    for pid in all_pids():
        try:
            if vdso.patched_by(pid) == tag:
                vdso.remove(pid)
                done.append(f"the clock of process {pid} was wrong")
        except (OSError, vdso.Unpatchable):
            continue  # not ours to read, or gone
    return done, left
