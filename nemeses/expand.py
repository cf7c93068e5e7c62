"""From `--nemesis partition,kill,pause,clock` to a schedule: drawn from the seed, at the system's own pace.

Why it exists  most people name kinds of faults, not times; the times that find bugs follow the system's failover time T, not constants.
Relies on      each fault's `draw` for whom and how; lengths log-uniform in [0.3 T, 4 T] (faults.md 6.2), never below what an idle pair of
               nodes needs to send something; wrong clocks last longer, so that other faults fall into them. `interval` is the mean time
               between two starts of the same kind; kinds begin one after the other, and overlap freely.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random

from harness.fault import Fault
from nemeses.schedule import Line, parameters

FIRST_S = 3.0  # the first fault of all; a quarter of the time limit if that is less
SHORTEST_S = 1.0  # heartbeats of idle nodes are up to a second apart: a shorter cut may drop nothing
LENGTH_T = (0.3, 4.0)
AT_LEAST = 2  # times that each kind comes, when time allows


def expand(
    kinds: Sequence[str],
    faults: Mapping[str, Fault],
    interval_s: float,
    seed: int,
    failover_s: float,
    time_limit_s: float,
    nodes: Sequence[str],
) -> list[Line]:
    """Lines in order of time. The same arguments give the same lines."""
    wanted = list(dict.fromkeys(kinds))
    order = Random(seed).sample(range(len(wanted)), len(wanted))
    lines = []
    for kind, place in zip(wanted, order, strict=True):
        lines += _of_kind(faults[kind], place / len(wanted), interval_s, seed, failover_s, time_limit_s, nodes)
    return sorted(lines, key=lambda line: (line.at, line.fault))


def _of_kind(
    fault: Fault, offset: float, interval_s: float, seed: int, failover_s: float, limit_s: float, nodes: Sequence[str]
) -> list[Line]:
    """One kind's lines; its first one comes `offset` of a spacing after the first fault of all."""
    rng = Random(f"{seed} {fault.name}")
    first_s = min(FIRST_S, limit_s / 4)
    spacing = min(interval_s, (limit_s - first_s) / (AT_LEAST + offset))
    at = rng.uniform(0.1, 1.0) * first_s + offset * spacing
    lines = []
    while at < limit_s - min(SHORTEST_S, limit_s / 4):
        target, given = fault.draw(rng, nodes, failover_s)
        # a kind never overlaps itself: some time without it lies before its next start
        longest = min(0.75 * spacing, limit_s - at)
        length = max(SHORTEST_S, rng.uniform(0.5, 1.0) * longest) if getattr(fault, "long", False) else _length(rng, failover_s)
        lasts = None if getattr(fault, "instant", False) else round(min(longest, length), 3)
        lines.append(Line(fault.name, (round(at, 3),), target, parameters(fault, given, "drawn", failover_s), lasts))
        at += spacing * rng.uniform(0.8, 1.2)
    return lines


def _length(rng: Random, failover_s: float) -> float:
    low, high = (max(SHORTEST_S, factor * failover_s) for factor in LENGTH_T)
    return math.exp(rng.uniform(math.log(low), math.log(high)))
