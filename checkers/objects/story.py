"""The story of a violation: the window's operations, the states before them, and why nothing that is next can happen.

Why it exists  "not linearizable" is no explanation; what each order leaves, and what the next op would need, is.
Relies on      the model's own words (state_text, why_not).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from checkers.objects.machine import Machine
from checkers.objects.model import Model
from checkers.objects.operations import Operation
from checkers.objects.search import Start
from checkers.objects.window import Window

TOLD = 14  # operations named in a sentence; the witness has them all
SHOWN = 4  # states named in a sentence
KEPT = 16  # states listed in a witness


class Next(NamedTuple):
    """An op that was open when the search got stuck: the states in which it could act, and why not in the others."""

    op: Operation
    possible: list[str]
    impossible: list[tuple[str, str]]


def next_ops(window: Window, model: Model) -> list[Next]:
    """The op that had to act, then the others that were open."""
    machine = Machine(model)
    found = []
    for op in [window.stuck.op, *window.stuck.pending]:
        act = machine.act(op)
        possible, impossible = [], []
        for state in window.stuck.reached[:KEPT]:
            if machine.step(machine.state(state), act):
                possible.append(model.state_text(state))
            else:
                impossible.append((model.state_text(state), model.why_not(state, machine.seen[act]) or "it is not possible there"))
        found.append(Next(op, possible, impossible))
    return found


def tell(window: Window, model: Model, following: Sequence[Next]) -> str:
    """One paragraph: what happened, what was there before, where every order ends and why."""
    told = [op.text() for op in window.operations]
    if len(told) > TOLD:
        told = [*told[:2], f"… {len(told) - TOLD} more", *told[2 - TOLD :]]
    noun = f"the {model.name}" if not model.name.endswith(".py") else "the object"
    start = _alternatives([_start(start, model) for start in window.starts])
    begin = f"At the start {noun} {start}" if window.begin < 0 else f"After #{window.begin} {noun} {start}"
    blocked = following[0]
    reasons = list(dict.fromkeys(why for _, why in blocked.impossible))
    leaves = _alternatives([model.state_text(state) for state in window.stuck.reached])
    because = reasons[0] if len(reasons) == 1 else "in none of them is that possible"
    helpless = [_helpless(other) for other in following[1:] if not other.possible and other.impossible][:2]
    return (
        f"these operations have no order that a {model.name} explains: {'; '.join(told)}. {begin}; when {window.stuck.op.text()} returns, "
        f"every order of what came before leaves one that {leaves}, but {because}{''.join(helpless)}."
    )


def _start(start: Start, model: Model) -> str:
    done = f" (done by then: {', '.join(f'#{call}' for call in sorted(start.acted))})" if start.acted else ""
    return model.state_text(start.state) + done


def _alternatives(texts: Sequence[str]) -> str:
    texts = list(dict.fromkeys(texts))
    more = f" (or {len(texts) - SHOWN} more)" if len(texts) > SHOWN else ""
    return " or ".join(texts[:SHOWN]) + more


def _helpless(other: Next) -> str:
    return f"; nor can {other.op.text()} act: {other.impossible[0][1]}"
