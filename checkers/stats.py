"""Stats: how many ops of each kind ended how.

Decides    nothing about consistency; says `unknown` where a run has no client op, or an f that never once succeeded.
Right      an f with no ok op observed nothing, so every promise about it holds vacuously; peers call that valid (or false).
Unknown    no client op at all (also of a bare file); in a run, an f without an ok.
Rules out  nothing.
Source     Jepsen's stats checker; semantics.md 10 (its documentation says unknown, its code says false).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, ClassVar

import msgspec

from harness.checker import CheckContext, Phase
from harness.history.columns import TYPES, Columns
from harness.history.history import History
from harness.history.session_columns import SessionColumns, session_columns
from harness.history.sessions import ABORTED_ERROR
from harness.history.txn_columns import TxnColumns
from harness.op import INVOKE, Op
from harness.verdict import Verdict


class Stats:
    """Counts of client ops by f and outcome."""

    name: ClassVar[str] = "stats"

    def __init__(self, **options: Any) -> None:
        self.options = options

    @staticmethod
    def warm(history: History) -> None:
        """Count before the fork: a child that touches every op copies every page of them."""
        history.shared[Stats.name] = tally(history)

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"by_f": {f: {"ok", "fail", "info"}}, "ops": n, "errors": {text: n}}, the most frequent 8 errors; "ok_fraction": {f:
        of all that were tried}; of a run also "by_phase": {phase: {f: {"ok", "fail", "info"}}}."""
        opened, by_f, errors = history.shared.get(self.name) or tally(history)
        for f, count in opened.items():
            ended = by_f.setdefault(f, Counter())
            ended["info"] += count - sum(ended.values())
        facts: dict[str, Any] = {
            "ops": sum(opened.values()),
            "by_f": {f: {kind: counts[kind] for kind in ("ok", "fail", "info")} for f, counts in sorted(by_f.items())},
            "errors": dict(sorted(errors.items(), key=lambda item: (-item[1], item[0]))[:8]),
        }
        facts["ok_fraction"] = {f: round(by_f[f]["ok"] / count, 4) for f, count in sorted(opened.items()) if count}
        if context.phases and isinstance(history.ops, list):
            facts["by_phase"] = by_phase(history.ops, context.phases)
        if not opened:
            return Verdict("unknown", reason="the history has no client op, so it proves nothing", facts=facts)
        barren = sorted(f for f in opened if not by_f[f]["ok"])
        if context.is_run and barren:
            worst = next((error for error in facts["errors"]), "no error was recorded")
            return Verdict("unknown", reason=f"not one {barren[0]} succeeded ({opened[barren[0]]} were tried; {worst})", facts=facts)
        return Verdict(True, facts=facts)


def by_phase(ops: Sequence[Op], phases: Sequence[Phase]) -> dict[str, dict[str, dict[str, int]]]:
    """Completions by the phase in which they came, by f and type."""
    counts: dict[str, dict[str, dict[str, int]]] = {phase.name: {} for phase in phases}
    starts = [phase.start for phase in phases]
    for op in ops:
        if op.is_client and op.type != INVOKE and phases:
            phase = phases[max(0, bisect_right(starts, op.time) - 1)].name
            counts[phase].setdefault(op.f, {"ok": 0, "fail": 0, "info": 0})[op.type] += 1
    return {phase: dict(sorted(of_phase.items())) for phase, of_phase in counts.items()}


Tally = tuple[Counter[str], dict[str, Counter[str]], Counter[str]]


def tally(history: History) -> Tally:
    """Invocations by f, completions by f and type, errors by text."""
    if history.txns is not None:
        return _tally_txns(history.txns)
    if (sessions := session_columns(history)) is not None:
        return _tally_sessions(sessions)
    return _tally(history.ops) if history.columns is None else _tally_columns(history.columns)


def _tally(ops: Sequence[Op]) -> Tally:
    kind = attrgetter("f", "type")
    counts = Counter(map(kind, ops))
    counts.subtract(Counter(kind(op) for op in ops if not op.is_client))
    by_f: dict[str, Counter[str]] = {}
    opened: Counter[str] = Counter()
    for (f, type_), count in (+counts).items():
        if type_ == INVOKE:
            opened[f] = count
        else:
            by_f.setdefault(f, Counter())[type_] = count
    errors = Counter([f"{op.type}: {str(op.error)[:120]}" for op in ops if op.error is not None and op.is_client and op.type != INVOKE])
    return opened, by_f, errors


def _tally_columns(columns: Columns) -> Tally:
    """The same from columns, which only clients' ops have."""
    import numpy as np

    shape = (len(columns.fs), len(TYPES))
    counts = np.bincount(columns.f.astype(np.int64) * len(TYPES) + columns.kind, minlength=shape[0] * shape[1]).reshape(shape)
    named = list(zip(columns.fs, counts, strict=True))
    opened = Counter({f: int(row[0]) for f, row in named if row[0]})
    by_f = {f: Counter(dict(zip(TYPES[1:], map(int, row[1:]), strict=True))) for f, row in named if row[1:].any()}
    texts = Counter((TYPES[columns.kind[op]], columns.data[begin:end]) for op, begin, end in columns.errors.tolist())
    errors: Counter[str] = Counter()
    for (type_, text), count in texts.items():
        if type_ != INVOKE:
            errors[f"{type_}: {str(msgspec.json.decode(text))[:120]}"] += count
    return opened, by_f, errors


def _tally_txns(txns: TxnColumns) -> Tally:
    """The same from columns of transactions."""
    import numpy as np

    invoked, *ended = np.bincount(txns.kind[txns.process >= 0], minlength=len(TYPES)).tolist()
    errors: Counter[str] = Counter()
    for (type_, text), count in txns.error_texts().items():
        errors[f"{type_}: {text[:120]}"] += count
    return Counter({"txn": invoked}), {"txn": Counter(dict(zip(TYPES[1:], ended, strict=True)))}, errors


def _tally_sessions(sessions: SessionColumns) -> Tally:
    """The same from columns of sessions."""
    ok, count = int(sessions.ok.sum()), len(sessions.ok)
    ended = Counter({type_: number for type_, number in (("ok", ok), ("fail", count - ok)) if number})
    errors = Counter({f"fail: {ABORTED_ERROR}": count - ok} if ok < count else {})
    return Counter({"txn": count}), {"txn": ended}, errors
