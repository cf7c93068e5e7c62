"""The story of a violation, in sentences that a person can check against the history.

Why it exists  "not linearizable" is no explanation; who was added before whom, and which remove came too early, is.
Relies on      the conflict's own rule: each has its sentence, which names the acts that prove it.
"""

from __future__ import annotations

from collections.abc import Sequence

from checkers.linearizable.operations import show
from checkers.monitors.acts import ADD, EMPTY, MISSING, NOUN, PEEK, REMOVE, Act
from checkers.monitors.table import Found

TOLD = 10  # values named in a sentence; the witness has them all


def tell(found: Found, acts: Sequence[Act], crashed: Sequence[Act], object_: str, smallest: bool) -> str:
    """The message of a conflict on its smallest window; crashed: the removes of unknown outcome that were called before it was wrong."""
    noun = NOUN[object_]
    if found.kind in ("fresh", "repeat", "lost"):
        return _tell_value(found, noun)
    if found.rule in ("search", "choices"):
        return f"these operations have no order that a {noun} explains: {_listed(acts)}{_missing(crashed)}."
    if found.rule == "crowded":
        return _tell_crowded(found, crashed)
    if found.rule == "empty":
        hole = next(act for act in acts if act.kind == EMPTY)
        return f"{hole.text()}, though at each moment of it something was inside: {_spans(acts)}{_missing(crashed)}."
    if object_ == "stack":
        return _tell_stack(acts, crashed)
    if object_ == "priority-queue":
        value = found.names[0]
        out = next(act for act in acts if act.value == value and act.kind == (PEEK if found.rule == "look" else REMOVE))
        above = [act for act in acts if act.value != value]
        prior = "smaller" if smallest else "larger"
        return f"{out.text()}, though at each moment of it a {prior} value was inside: {_spans(above)}{_missing(crashed)}."
    return _tell_queue(found, acts, crashed)


def _tell_crowded(found: Found, crashed: Sequence[Act]) -> str:
    told = []
    for value, acts, until in found.due[-3:]:
        own = next(act for act in acts if act.kind == ADD and act.value == value)
        other = next(act for act in acts if act.ret == until)
        told.append(f"{show(value)} ({own.text()}) had to be gone before {other.text()}")
    more = f"; and {len(found.due) - len(told)} more" if len(found.due) > len(told) else ""
    calls = [act for act in crashed if act.call < found.until]
    known = f"only {len(calls)} remove{'' if len(calls) == 1 else 's'} of unknown outcome"
    return (
        f"nobody is known to have removed these {len(found.due)} values, yet all were gone by #{found.until}: {'; '.join(told)}{more}. "
        f"But {known} had been called by then ({', '.join(f'#{act.index}' for act in calls[:TOLD])}{', …' if len(calls) > TOLD else ''})."
    )


def _tell_value(found: Found, noun: str) -> str:
    first, *others = found.acts
    if found.rule == "nobody":
        return f"{first.text()}, but nobody ever put {show(first.value)} into the {noun} (or only an add that certainly failed)."
    if found.rule == "early":
        return f"{others[0].text()} before the add of that value was even called: {first.text()}."
    if found.rule == "inside":
        missed = next(act for act in found.acts if act.result is False and act.kind != ADD)
        known = "; ".join(act.text() for act in found.acts if act is not missed)
        return f"{missed.text()}, though {show(missed.value)} was in the {noun} from before its call until after its return: {known}."
    what = "it was removed twice" if found.rule == "twice" else "it was gone by then"
    return f"{others[0].text()} and {others[1].text()}, but {show(first.value)} was added once ({first.text()}): {what}."


def _tell_stack(acts: Sequence[Act], crashed: Sequence[Act]) -> str:
    """The commonest case shortly: another value lay above the one that was popped or seen."""
    adds = {act.value: act for act in acts if act.kind == ADD}
    for out in sorted((act for act in acts if act.kind in (REMOVE, PEEK)), key=lambda act: act.ret):
        for above, push in adds.items():
            later = [act for act in acts if act.kind in (REMOVE, PEEK) and act.value == above]
            inside = min([push, *later], key=lambda act: act.ret)
            if above == out.value or adds[out.value].ret >= push.call or inside.ret >= out.call:
                continue
            gone = next((act for act in later if act.kind == REMOVE), None)
            last = max(later, key=lambda act: act.call, default=push)
            if gone is None or last.call > out.ret:
                kept = f"{show(above)} never left" if gone is None else f"{last.text()} was called only after that"
                pushed = (
                    f"{adds[out.value].text()} had returned before {push.text()} was called, so {show(above)} lay above {show(out.value)}"
                )
                return f"{pushed}; but {out.text()}, and {kept}{_missing(crashed)}."
    return (
        f"no order of these operations is a stack's: whichever of their values lay lowest, it was pushed, seen or popped at no moment "
        f"at which the others may all have been outside: {_listed(acts)}{_missing(crashed)}."
    )


def _tell_queue(found: Found, acts: Sequence[Act], crashed: Sequence[Act]) -> str:
    x, y = found.names
    if found.rule == "front":
        return f"both {show(x)} and {show(y)} were certainly at the front of the queue at one moment: {_listed(acts)}{_missing(crashed)}."
    adds = {act.value: act for act in acts if act.kind == ADD}
    out = min((act for act in acts if act.value == y and act.kind in (REMOVE, PEEK)), key=lambda act: act.ret)
    later = [act for act in acts if act.value == x and act.kind in (REMOVE, PEEK)]
    last = max(later, key=lambda act: act.call) if later else None
    gone = any(act.kind == REMOVE for act in later)
    late = f"{last.text()} was called only after that" if gone and last is not None else f"{show(x)} never left"
    seen = min([adds[x], *later], key=lambda act: act.ret)
    entered = f"{adds[x].text()} had returned" if seen is adds[x] else f"{adds[x].text()} had acted (seen by {seen.text()})"
    before = f"{entered} before {adds[y].text()} was called, so {show(x)} is in front of {show(y)}"
    return f"{before}; but {out.text()}, and {late}{_missing(crashed)}."


def _spans(acts: Sequence[Act]) -> str:
    """Of each value from when until when it was certainly inside."""
    values = list(dict.fromkeys(act.value for act in acts if act.kind == ADD))
    told = []
    for value in values[:TOLD]:
        of = [act for act in acts if act.kind != MISSING and act.value == value and act.kind != EMPTY]
        entered = min(of, key=lambda act: act.ret)
        removed = any(act.kind == REMOVE for act in of)
        last = max((act for act in of if act.kind != ADD), key=lambda act: act.call, default=None)
        until = f"until the call of {last.text()}" if removed and last is not None else "and nobody removed it"
        told.append(f"{show(value)} from the return of {entered.text()} {until}")
    more = f"; and {len(values) - TOLD} more" if len(values) > TOLD else ""
    return "; ".join(told) + more


def _listed(acts: Sequence[Act]) -> str:
    told = [act.text() for act in acts if act.kind != MISSING]
    if len(told) > 2 * TOLD:
        told = [*told[:TOLD], f"… {len(told) - 2 * TOLD} more", *told[-TOLD:]]
    return "; ".join(told)


def _missing(crashed: Sequence[Act]) -> str:
    if not crashed:
        return ""
    count = "the remove of unknown outcome" if len(crashed) == 1 else f"the {len(crashed)} removes of unknown outcome"
    return f"; whatever {count} took ({', '.join(f'#{act.index}' for act in crashed[:TOLD])}{', …' if len(crashed) > TOLD else ''})"
