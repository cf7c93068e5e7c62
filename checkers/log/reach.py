"""How far polls came: what was acknowledged and never polled, how far consumers were behind, how often each value was consumed.

Why it exists  a log whose consumers never come to its end breaks no rule by what they read; these figures show it.
Relies on      times for figures alone; whether an unseen value is a finding is decided by the order of ops.

An acknowledged value that no ok poll gave is certainly unseen only if some consumer was before it, by an `assign` of its key (from the
beginning, or with an earlier value of the key polled since), and a poll of that consumer that began after the acknowledgement gave nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Any, NamedTuple

from checkers.log.logs import Logs, Named
from checkers.log.ops import LogOp
from checkers.log.rules import LOST, UNSEEN, Consumer, Finding, findings

QUANTILES = (0, 0.5, 0.95, 0.99, 1)
SAMPLES = 32


class Empty(NamedTuple):
    """An ok poll that gave nothing, of an assigned consumer: the keys that it has from the beginning, and the ranks polled last."""

    op: LogOp
    whole: frozenset[Hashable]
    last: dict[Hashable, int]


def unseen(logs: Logs, lost: set[Named]) -> list[Named]:
    """What was acknowledged and never given by an ok poll, in order of the sends; what is known to be lost is left out."""
    return [
        name
        for name, senders in logs.senders.items()
        if name not in logs.read and name not in lost and any(sender.ok for sender in senders)
    ]


def proved(logs: Logs, names: list[Named]) -> Iterator[Finding]:
    """Those of the unseen values that a consumer before them did not find."""
    empties = list(_empties(logs)) if names else []
    for key, value in names:
        writer = logs.writer((key, value))
        if writer is None:
            continue
        places = logs.places.get((key, value), ())
        rank = logs.rank[key][places[0]] if len(places) == 1 else None
        for empty in reversed(empties):
            if empty.op.call < writer.ret:
                break
            before = key in empty.whole or (rank is not None and key in empty.last and empty.last[key] < rank)
            if before:
                yield Finding(UNSEEN, key, (writer, empty.op), (value,))
                break


def _empties(logs: Logs) -> Iterator[Empty]:
    consumers: dict[int, Consumer] = {}
    whole: dict[int, frozenset[Hashable]] = {}
    for op in logs.ops:
        consumer = consumers.setdefault(op.process, Consumer())
        if op.f in ("assign", "subscribe", "crash") and op.outcome != "fail":
            consumer.forget(op)
            held = whole.get(op.process, frozenset())
            whole[op.process] = frozenset(op.keys) if op.seeks else held & frozenset(op.keys)
        elif op.ok and op.asks:
            consumer.polled.update({polled.key: (op, polled) for polled in op.polls})
            if not op.polls and not consumer.subscribes:
                ranks = {key: logs.index(last) for key, (_, last) in consumer.polled.items()}
                known = {key: rank for key, rank in ranks.items() if rank is not None}
                yield Empty(op, whole.get(op.process, frozenset()), known)


def figures(logs: Logs, names: list[Named]) -> dict[str, Any]:
    """Facts: {"unseen": n, "unseen_over_time": [[ms, n]..], "consumed": {times: values}, "lag_ms": quantiles, "worst_lag": {..}}."""
    times = Counter(len(logs.read.get(name, ())) for name, senders in logs.senders.items() if any(sender.ok for sender in senders))
    found: dict[str, Any] = {"unseen": len(names), "unseen_over_time": _over_time(logs)}
    found["consumed"] = {str(number): times[number] for number in sorted(times)}
    lags = sorted(_lags(logs), key=lambda lag: lag[0])
    if lags:
        found["lag_ms"] = {str(q): round(lags[min(len(lags) - 1, int(q * len(lags)))][0] / 1e6, 6) for q in QUANTILES}
        worst, key, op = lags[-1]
        if worst:
            found["worst_lag"] = {"ms": round(worst / 1e6, 6), "key": str(key), "op": op.call, "process": op.process}
    return found


def _over_time(logs: Logs) -> list[list[float]]:
    """How many values were acknowledged and not yet polled, at 32 moments."""
    events: list[tuple[int, int, int]] = []
    for name, senders in logs.senders.items():
        acked = min((sender.ret, sender.ended) for sender in senders)
        if any(sender.ok for sender in senders):
            events.append((*acked, 1))
            if readers := logs.read.get(name):
                first = min((reader.ret, reader.ended) for reader in readers)
                events.append((*max(first, acked), -1))
    events.sort()
    level, line = 0, []
    for _, ended, change in events:
        level += change
        line.append([round(ended / 1e6, 3), level])
    return [line[(i + 1) * len(line) // SAMPLES - 1] for i in range(SAMPLES)] if len(line) > SAMPLES else line


def _lags(logs: Logs) -> Iterator[tuple[int, Hashable, LogOp]]:
    """(ns, key, poll): how long, when an ok poll began, the value after the last one that its process has seen by then had been known."""
    known: dict[tuple[Hashable, int], int] = {}
    for op in logs.ops:
        for entry in (*op.polls, *(op.sends if op.ok else ())):
            rank = logs.index(entry)
            if rank is not None and op.done is not None:
                known[entry.key, rank] = min(op.ended, known.get((entry.key, rank), op.ended))
    consumers: dict[int, Consumer] = {}
    for op in logs.ops:
        consumer = consumers.setdefault(op.process, Consumer())
        if op.f in ("assign", "subscribe", "crash") and op.outcome != "fail":
            consumer.forget(op)
        elif op.ok and op.asks:
            consumer.polled.update({polled.key: (op, polled) for polled in op.polls})
            for key, (_, last) in consumer.polled.items():
                rank = logs.index(last)
                if rank is not None:
                    yield max(0, op.began - known.get((key, rank + 1), op.began)), key, op


def all_findings(logs: Logs, final: bool) -> tuple[list[Finding], list[Named]]:
    """The findings that need no cycle, and the values that nobody has seen. `final`: the history ends with polls of everything."""
    found = list(findings(logs))
    names = unseen(logs, {(one.key, one.values[0]) for one in found if one.type == LOST})
    if final:
        writers = [(name, logs.writer(name)) for name in names]
        return found + [Finding(UNSEEN, key, (writer,), (value,)) for (key, value), writer in writers if writer is not None], names
    return found + list(proved(logs, names)), names
