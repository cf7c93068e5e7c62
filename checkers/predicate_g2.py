"""Predicate G2: two transactions each looked whether a key was taken, found it free, and both took it.

Decides    for each key, whether more than one insert succeeded. Each insert reads both tables by predicate, and inserts only if both are
           empty; so of two that succeeded, each must have come before the other.
Right      one that comes second in any serial order sees the other's row, and gives up.
Unknown    no insert that succeeded; no key that two inserts tried for, one of them with success.
Rules out  serializable (G2, a cycle of two anti-dependencies). Where one had ended before the other began, the later one read a state
           without it: also strong snapshot isolation, and of one process strong session snapshot isolation.
Source     Jepsen's adya G2 test; Adya, Weak Consistency, 1999, section 3.2; semantics.md 10.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial
from itertools import combinations
from typing import Any, ClassVar

from checkers.acts import Act, acts, strange
from checkers.findings import Findings, broken_by
from checkers.transactions.txns import ident, plain, show
from harness.checker import CheckContext
from harness.history.history import History
from harness.verdict import Anomaly, Verdict

G2 = "G2"


class PredicateG2:
    """Judges `insert`, whose value is {"key": k, "value": [a, b]} or [k, [a, b]], one of a and b being null."""

    name: ClassVar[str] = "predicate-g2"

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"keys", "ok", "contested": keys that two inserts tried for, one with success}. counts: keys."""
        findings = Findings(context.expected, [G2])
        keys: dict[Hashable, list[Act]] = {}
        for act in acts(history):
            keys.setdefault(key_of(act), []).append(act)
        contested = done = 0
        for key, tries in keys.items():
            ok = [act for act in tries if act.ok]
            done += len(ok)
            contested += bool(ok) and len(tries) > 1
            if len(ok) > 1:
                first, second = _worst(ok)
                findings.add(G2, models_of(first, second), partial(_tell, key, first, second, len(ok)))
        unknown = "" if contested else "no key was contested: two inserts for one key, one of them with success, are needed"
        return findings.verdict({"keys": len(keys), "ok": done, "contested": contested}, unknown)


def key_of(act: Act) -> Hashable:
    """The key of an insert. Raises: HistoryError for an op that is none."""
    if act.f != "insert":
        raise strange(act, f"{act.f!r} is not `insert`")
    value = act.asked
    if isinstance(value, dict) and "key" in value:
        return ident(value["key"])
    if isinstance(value, list) and len(value) == 2:
        return ident(value[0])
    raise strange(act, f"an insert of {str(value)[:60]!r} names no key; its value is [key, [a, b]]")


def _kind(first: Act, second: Act) -> str:
    if first.ret > second.call:
        return "concurrent"
    return "process" if first.process == second.process else "realtime"


def _worst(ok: Sequence[Act]) -> tuple[Act, Act]:
    """Two of them that rule the most out, the earliest such."""
    rank = {"process": 0, "realtime": 1, "concurrent": 2}
    by_call = sorted(ok, key=lambda act: act.call)[:64]
    return min(combinations(by_call, 2), key=lambda pair: rank[_kind(*pair)])


def models_of(first: Act, second: Act) -> tuple[str, ...]:
    """The weakest models that two ok inserts of one key rule out; `first` was invoked first."""
    kind = _kind(first, second)
    return broken_by(G2) if kind == "concurrent" else broken_by(G2, f"G-single-{kind}")


def _tell(key: Hashable, first: Act, second: Act, times: int) -> Anomaly:
    order = {
        "concurrent": "each must have read before the other wrote",
        "realtime": f"#{second.call} began after #{first.ret}, and still read a state without it",
        "process": f"the same process began #{second.call} after #{first.ret}, and still read a state without it",
    }[_kind(first, second)]
    more = f" ({times} in all)" if times > 2 else ""
    message = (
        f"{show(key)}: insert #{first.call} (process {first.process}) and insert #{second.call} (process {second.process}) both found the "
        f"key free and both succeeded{more}: {order}"
    )
    ops = sorted(first.ops + second.ops)
    return Anomaly(G2, message, ops, kind=_kind(first, second), key=plain(key), witness={"inserts": [first.call, second.call]})


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the two quoted ops are inserts of that key that succeeded, in the order that `kind` says."""
    calls = {call.invoke.index: call for call in history.calls()}
    pair = [calls[index] for index in anomaly.witness["inserts"]]
    keys: list[Any] = [c.invoke.value["key"] if isinstance(c.invoke.value, dict) else c.invoke.value[0] for c in pair]
    if len(set(anomaly.witness["inserts"])) != 2 or not all(c.outcome == "ok" and c.invoke.f == "insert" for c in pair):
        return False
    ordered = pair[0].completion is not None and pair[0].completion.index < pair[1].invoke.index
    same = pair[0].invoke.process == pair[1].invoke.process
    return (
        all(ident(key) == ident(anomaly.key) for key in keys)
        and ordered == (anomaly.kind != "concurrent")
        and (anomaly.kind == "concurrent" or same == (anomaly.kind == "process"))
    )
