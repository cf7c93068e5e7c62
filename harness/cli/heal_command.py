"""`splitbrain heal`: remove what killed runs left behind.

Why it exists  leases and watchdogs undo faults by themselves; containers, networks and stopped services need a command.
Relies on      every cluster finding its own leftovers by label; runs whose owner lives are left alone unless asked for.
"""

from __future__ import annotations

from harness.errors import SplitbrainError
from harness.registry import find, names


def heal_command(everyone: bool) -> int:
    """Heal on every cluster; 0 if nothing is left, 1 if something could not be removed."""
    removed = failed = 0
    for name in names("clusters"):
        try:
            done, left = find("clusters", name).heal_leftovers(everyone, print)
        except SplitbrainError as error:
            print(f"{name}: not looked at: {error.seen}")
            continue
        removed, failed = removed + done, failed + left
    if failed:
        print(f"{removed} things removed; {failed} could not be removed (see above)")
        return 1
    print(f"{removed} things removed; nothing is left" if removed else "nothing is left")
    return 0
