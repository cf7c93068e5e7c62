"""Faults as intervals of the run: which was in place from when to when, on what, and whether it was exercised.

Why it exists  coverage, explanations and the report all ask "which faults were active then?"; the history alone answers it.
Relies on      nemesis ops (DESIGN 7): an injection `f: <kind>` completes ok if it was verified in place; its end is `f: "heal"` with value
               {"of": index of the injection's invoke}, or {"of": "all"}; *exercised* stands in the heal's completion.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from harness.history.history import Call, History
from harness.op import INFO, OK


class FaultInterval(NamedTuple):
    """One injection. Times in ns since the run's start, positions are op indices; `end`s are None if nothing ended it."""

    kind: str
    invoked: int  # index of the injection's invocation: its name in the history
    start: int
    end: int | None
    first: int  # op index from which it was (or may have been) in effect
    last: int | None  # op index of its heal's completion
    in_place: bool
    exercised: bool
    skipped: bool  # nothing was done, and the completion says why
    value: Any
    why: str

    def text(self) -> str:
        """A phrase for people: kind, on what, when, proof."""
        until = f"to {self.end / 1e9:.1f} s" if self.end is not None else "to the end"
        return f"{self.kind} {describe_value(self.value)} from {self.start / 1e9:.1f} s {until}".replace("  ", " ")


def describe_value(value: Any) -> str:
    """Where a fault struck, from its completion's value: nodes or pairs, in short."""
    if not isinstance(value, dict):
        return ""
    parts = []
    if shape := (value.get("params") or {}).get("shape"):
        parts.append(f"({shape})")
    if pairs := value.get("pairs"):
        shown = [f"{pair[0]}→{pair[1]}" if not isinstance(pair, dict) else f"{pair['src']}→{pair['dst']}" for pair in pairs]
        parts.append(", ".join(shown[:6]) + (f" and {len(shown) - 6} more" if len(shown) > 6 else ""))
    elif nodes := value.get("nodes"):
        parts.append("of " + ", ".join(nodes))
    return " ".join(parts)


def fault_intervals(history: History) -> list[FaultInterval]:
    """All injections of a run, in order of invocation."""
    injections: list[Call] = []
    heals: list[Call] = []
    for call in history.calls(nemesis=True):
        (heals if call.invoke.f == "heal" else injections).append(call)
    return [_interval(injection, _ending(injection, heals)) for injection in injections]


def _ending(injection: Call, heals: Iterable[Call]) -> Call | None:
    """The first heal of it that completed, known to have been done or not; one of unknown outcome only if there is no other."""
    unknown = None
    for heal in heals:
        of = heal.invoke.value.get("of") if isinstance(heal.invoke.value, dict) else None
        if heal.invoke.index > injection.invoke.index and of in (injection.invoke.index, "all"):
            if heal.outcome != INFO:
                return heal
            unknown = unknown or heal
    return unknown


def _interval(injection: Call, heal: Call | None) -> FaultInterval:
    done = injection.completion
    value = done.value if done is not None and done.value is not None else injection.invoke.value
    healed = heal.completion if heal is not None else None
    evidence = _evidence(healed.value) if healed is not None else {}
    exercised = bool(evidence.get("exercised"))
    of_all = evidence.get("tokens")  # a heal of everything lists each token's figures
    if isinstance(of_all, dict):
        exercised = bool((of_all.get(str(injection.invoke.index)) or {}).get("exercised"))
    in_place = done is not None and done.type == OK
    if injection.invoke.f == "restart" and in_place:  # over within its own op
        exercised, healed = bool(_evidence(value).get("exercised", True)), done
    return FaultInterval(
        kind=injection.invoke.f,
        invoked=injection.invoke.index,
        start=injection.invoke.time,
        end=healed.time if healed is not None else None,
        first=injection.invoke.index,
        last=healed.index if healed is not None else None,
        in_place=in_place,
        exercised=exercised,
        skipped=bool(isinstance(value, dict) and value.get("result") == "skipped"),
        value=value,
        why=str(done.error or "") if done is not None else "the run ended before it completed",
    )


def _evidence(value: Any) -> dict[str, Any]:
    if isinstance(value, dict) and isinstance(value.get("evidence"), dict):
        return value["evidence"]  # type: ignore[no-any-return]
    return {}


def active(intervals: Iterable[FaultInterval], first: int, last: int) -> list[FaultInterval]:
    """Those that were in place at some moment between two op indices."""
    return [i for i in intervals if i.in_place and i.first <= last and (i.last is None or i.last >= first)]
