"""Generators: pure values that say which op comes next. All combinators by name.

Why it exists  workloads and schedules are written with these names; each idea has a file of its own.
Relies on      core.py for what a generator is, basic.py for how Python things lift into one.
"""

from harness.generators.basic import LOG, SLEEP, Chain, Drawn, Fn, Once, Repeat, lift
from harness.generators.bounds import (
    OnUpdate,
    cycle,
    cycle_times,
    delay,
    filter_ops,
    limit,
    log,
    once,
    process_limit,
    sleep,
    stagger,
    time_limit,
    until_ok,
)
from harness.generators.choose import any_of, f_map, flip_flop, map_ops, mix, shortest_any, weighted
from harness.generators.core import PENDING, Context, Generator, Thread
from harness.generators.dice import Dice
from harness.generators.independent import concurrent_keys, sequential_keys
from harness.generators.threads import (
    clients,
    each_process,
    each_thread,
    is_client,
    is_nemesis,
    nemesis,
    on_threads,
    phases,
    reserve,
    synchronize,
)

__all__ = [
    "LOG",
    "PENDING",
    "SLEEP",
    "Chain",
    "Context",
    "Dice",
    "Drawn",
    "Fn",
    "Generator",
    "OnUpdate",
    "Once",
    "Repeat",
    "Thread",
    "any_of",
    "clients",
    "concurrent_keys",
    "cycle",
    "cycle_times",
    "delay",
    "each_process",
    "each_thread",
    "f_map",
    "filter_ops",
    "flip_flop",
    "is_client",
    "is_nemesis",
    "lift",
    "limit",
    "log",
    "map_ops",
    "mix",
    "nemesis",
    "on_threads",
    "once",
    "phases",
    "process_limit",
    "repeat",
    "reserve",
    "sequential_keys",
    "shortest_any",
    "sleep",
    "stagger",
    "synchronize",
    "time_limit",
    "until_ok",
    "weighted",
]


def repeat(child: object, n: int = -1) -> Generator:
    """The same unchanged child asked again each time, for ever or n times."""
    return Repeat(child, n)
