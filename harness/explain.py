"""An anomaly in full: the sentence, its operations as a picture in time and one by one, each edge or state with the reason that proves it.

Why it exists  `check` says what is wrong; whoever has to believe it, or to mend the system, wants to see it.
Relies on      the verdict and the history alone; nothing is decided here.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from harness.history.history import History
from harness.op import INVOKE, OK, Op
from harness.report import WIDTH
from harness.verdict import Anomaly

BARS = 56  # columns of the picture
MOST = 40  # operations that are drawn and listed
IN_TIME = "In time (to the right; … is the end that nobody saw):"


class Bar(NamedTuple):
    """An operation in the picture: its ops' places among all ends that are drawn; `end` is None if it was never seen to end."""

    invoke: Op
    done: Op | None
    begin: int
    end: int | None


def explain(anomaly: Anomaly, history: History) -> str:
    """Everything that is known of an anomaly, as text."""
    name = f"{anomaly.type} ({anomaly.kind})" if anomaly.kind else anomaly.type
    lines = [name + (f", key {_key(anomaly.key)}" if anomaly.key is not None else ""), ""]
    for paragraph in anomaly.message.splitlines():
        lines += textwrap.wrap(paragraph, WIDTH, initial_indent="  ", subsequent_indent="  ") or [""]
    ops = _ops(history, anomaly.ops[: 2 * MOST])
    bars = bars_of(ops)
    if len(bars) > 1:
        order = "By session (one after the other within each; between sessions nothing is known):" if history.by_sessions else IN_TIME
        lines += ["", f"  {order}", "", *(f"  {line}" for line in picture(bars))]
    if ops:
        lines += ["", "  The operations, by their number in the history:", "", *(f"  {line}" for line in listed(ops))]
        if len(anomaly.ops) > len(ops):
            lines.append(f"  … and {len(anomaly.ops) - len(ops)} more")
    lines += _edges(anomaly.witness)
    lines += _states(anomaly.witness)
    if anomaly.rules_out:
        lines += ["", *_wrapped("  It rules out: ", anomaly.rules_out)]
    if anomaly.faults:
        lines += ["", "  Faults that were active then:", *(f"    {fault}" for fault in anomaly.faults)]
    return "\n".join(lines)


def _ops(history: History, indices: Sequence[int]) -> list[Op]:
    """The quoted ops, and the completions of those invocations that were quoted without: they were seen to end."""
    quoted = [history.ops[index : index + 1][0] for index in indices if 0 <= index < len(history)]
    seen = {op.index for op in quoted}
    last: dict[int | str, int] = {}
    alone: set[int] = set()
    for op in sorted(quoted, key=lambda op: op.index):
        if op.type == INVOKE:
            alone.add(op.index)
            last[op.process] = op.index
        elif op.process in last:
            alone.discard(last[op.process])
    return quoted + [op for op in _completions(history, alone) if op.index not in seen]


def _completions(history: History, alone: set[int]) -> list[Op]:
    """Of these invocations, as far as they ended. Cost: one pass, to the last one's end."""
    open_: dict[int | str, int] = {}
    found: list[Op] = []
    for op in history.ops[min(alone, default=len(history)) :]:
        if op.type == INVOKE and op.index in alone:
            open_[op.process] = op.index
        elif (begun := open_.pop(op.process, None)) is not None:
            alone.discard(begun)
            if op.type != INVOKE:
                found.append(op)
            if not alone:
                break
    return found


def bars_of(ops: Sequence[Op]) -> list[Bar]:
    """The client operations that these ops begin and end, in order of invocation."""
    place = {index: at for at, index in enumerate(sorted(op.index for op in ops))}
    open_: dict[int | str, Op] = {}
    bars: list[Bar] = []
    for op in sorted(ops, key=lambda op: op.index):
        if op.type == INVOKE:
            open_[op.process] = op
        elif (invoke := open_.pop(op.process, None)) is not None:
            bars.append(Bar(invoke, op, place[invoke.index], place[op.index] if op.type in (OK, "fail") else None))
    bars += [Bar(invoke, None, place[invoke.index], None) for invoke in open_.values()]
    return sorted(bars, key=lambda bar: bar.begin)


def picture(bars: Sequence[Bar]) -> Iterable[str]:
    """One line an operation: who, what, and its interval between the other ends."""
    last = max([bar.begin for bar in bars] + [bar.end for bar in bars if bar.end is not None])
    step = min(6.0, (BARS - 4) / max(1, last))
    labels = [f"{_who(bar.invoke)}  {_what(bar)}" for bar in bars]
    width = min(52, max(map(len, labels)))
    for bar, label in zip(bars, labels, strict=True):
        begin = round(bar.begin * step)
        end = round(bar.end * step) if bar.end is not None else round(last * step) + 2
        line = " " * begin + "├" + "─" * max(0, end - begin - 1) + ("┤" if bar.end is not None else "…")
        yield f"{label[:width]:<{width}}  {line}"


def listed(ops: Iterable[Op]) -> Iterable[str]:
    """One line an op: its number, time, who, what happened."""
    ops = sorted(ops, key=lambda op: op.index)
    timed = any(op.time for op in ops)
    for op in ops:
        error = f"  error {_short(op.error)}" if op.error is not None else ""
        time = f"{op.time / 1e9:>10.4f} s  " if timed else ""
        yield f"#{op.index:<8} {time}{_who(op):<18} {op.type:<6} {op.f} {_short(op.value)}{error}"


def _who(op: Op) -> str:
    return f"process {op.process}" + (f" on {op.node}" if op.node else "")


def _what(bar: Bar) -> str:
    asked, done = bar.invoke, bar.done
    value = done.value if done is not None and done.value is not None else asked.value
    outcome = "" if done is not None and done.type == OK else " ?" if done is None or done.type != "fail" else " failed"
    plain = asked.value is not None and not isinstance(asked.value, list | dict)
    argument = f"{_short(asked.value, 16)} → " if plain and _short(value) != _short(asked.value) else ""
    return f"{asked.f} {argument}{_short(value, 34)}{outcome}"


def _key(key: Any) -> str:
    return key if isinstance(key, str) else _short(key, 40)


def _short(value: Any, most: int = 90) -> str:
    if isinstance(value, dict) and value.keys() == {"key", "value"}:
        return f"{_key(value['key'])}: {_short(value['value'], most)}"
    text = msgspec.json.encode(value, enc_hook=str).decode()
    return text if len(text) <= most else f"{text[: most - 15]}…{text[-12:]}"


def _edges(witness: dict[str, Any]) -> list[str]:
    edges = witness.get("edges") or []
    if not edges:
        return []
    lines = ["", "  The cycle, edge by edge:", ""]
    for edge in edges:
        told = textwrap.wrap(str(edge.get("why", "")), WIDTH - 26) or [""]
        arrow = f"{edge.get('from')} ─{edge.get('kind')}→ {edge.get('to')}"
        lines += [f"    {arrow:<20} {told[0]}", *(" " * 25 + more for more in told[1:])]
    first = edges[0].get("from")
    return [*lines, f"    so {first} comes before itself."]


def _states(witness: dict[str, Any]) -> list[str]:
    """What was possible before the window, and for each operation that could come next why it does not fit, or what it leads to."""
    lines: list[str] = []
    if starts := witness.get("starts"):
        lines += ["", "  What was possible before these operations:"]
        for start in starts[:MOST]:
            acted = f", after {_names(start['acted'])} had acted" if start.get("acted") else ""
            lines.append(f"    it {start['state']}{acted}")
    if following := witness.get("next"):
        lines += ["", f"  Which of them could act next, before #{witness.get('stuck', '?')} returns:"]
        for one in following[:MOST]:
            told = [f"where it {state}" for state in one.get("possible", [])[:4]]
            refused = [f"not where it {no['state']}: {no['why']}" for no in one.get("impossible", [])[:4]]
            text = f"#{one['call']}: {'; '.join([*told, *refused]) or 'nowhere'}"
            lines += textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="      ")
    return lines


def _names(calls: Sequence[int]) -> str:
    return ", ".join(f"#{call}" for call in calls)


def _wrapped(head: str, names: Sequence[str]) -> list[str]:
    return textwrap.wrap(head + ", ".join(names), WIDTH, subsequent_indent=" " * len(head), break_on_hyphens=False)
