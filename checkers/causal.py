"""Causal register: each op of a chain follows, by its link, what it saw last.

Decides    for each key, whether its ok ops, in order, can be read as one register (0 at start) that counts its writes: a link is `init`
           or the position that the op before returned; a write writes the next number; a read gives the current value, or null; a
           `read-init` before the first write gives 0.
Right      one client works at a key, one op after the other. A write that failed leaves its number out; one without a known outcome may
           happen at any later moment, once, with a position that nobody knows: all states that are possible then are kept.
Unknown    ops of a key that overlap, of which nobody knows the order; no op that succeeded; more than 10,000 possible states.
Rules out  causal consistency of a single object, hence sequential and linearizable.
Source     Jepsen's causal register (FaunaDB, MongoDB), which takes a crashed write for one that never happened; semantics.md 10.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial
from typing import ClassVar, NamedTuple

from checkers.acts import Act, acts_by_key, in_key, of_key, strange
from checkers.findings import Findings
from checkers.transactions.txns import Odd, ident, plain, show
from harness.checker import CheckContext
from harness.history.history import History
from harness.op import FAIL, INFO
from harness.verdict import Anomaly, Verdict

LINK, WRITE, READ = "causal-link", "causal-write", "causal-read"
MODELS = ("causal",)
OPS = ("read-init", "read", "write")


class State(NamedTuple):
    """A state that the register may be in: its value, the number of the last write, the position of the last op, and which crashed writes
    (by invocation) have happened."""

    value: Hashable
    counter: int
    position: Hashable
    crashed: frozenset[int]


START = State(0, 0, ident(None), frozenset())
ANY = Odd("position", "a position that nobody knows")
MOST_STATES = 10_000


class Causal:
    """Judges `read-init`, `read` and `write n`; completions carry ext {"position": p, "link": l}. One object for each key."""

    name: ClassVar[str] = "causal"

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"keys", "ok", "overlapping": keys with ops at the same time}. counts: keys; of each only the first op that is wrong."""
        findings = Findings(context.expected, [LINK, WRITE, READ])
        facts = {"keys": 0, "ok": 0, "overlapping": 0}
        overlap = ""
        for key, acts in acts_by_key(history).items():
            for act in acts:
                if act.f not in OPS:
                    raise strange(act, f"{act.f!r} is none of {', '.join(OPS)}")
            facts["keys"] += 1
            facts["ok"] += sum(act.ok for act in acts)
            if (pair := overlapping(acts)) is not None:
                facts["overlapping"] += 1
                overlap = overlap or f"{in_key(key)}ops #{pair[0].call} and #{pair[1].call} overlap, so nobody knows which came first"
                continue
            try:
                wrong = first_wrong(acts)
            except TooMany:
                overlap = overlap or f"{in_key(key)}its crashed writes leave more than {MOST_STATES:,} possible states"
                continue
            if wrong is not None:
                findings.add(wrong[1], MODELS, partial(_tell, wrong[1], key, wrong[0], wrong[2]))
        return findings.verdict(facts, overlap or ("" if facts["ok"] else "no op succeeded, so nothing was observed"))


def overlapping(acts: Sequence[Act]) -> tuple[Act, Act] | None:
    """Two ops, both known to have happened, of which the second began before the first had ended."""
    last: Act | None = None
    for act in acts:  # by invocation
        if not act.ok:
            continue
        if last is not None and act.call < last.ret:
            return last, act
        last = act
    return None


def first_wrong(acts: Sequence[Act]) -> tuple[Act, str, list[State]] | None:
    """The first ok op that no possible state allows, which of its rules it breaks, and those states; None if there is none.

    Raises: TooMany, if crashed writes leave more states than can be kept.
    """
    states = [START]
    pending: list[Act] = []
    failed: set[int] = set()
    for act in acts:
        if act.f == "write" and act.outcome == INFO:
            pending.append(act)
        elif act.f == "write" and act.outcome == FAIL and type(act.asked) is int:
            failed.add(act.asked)
        if not act.ok:
            continue
        states = _with_crashed(states, pending)
        outcomes = [step(state, act, failed) for state in states]
        following = [outcome for outcome in outcomes if isinstance(outcome, State)]
        if not following:
            return act, next(type_ for type_ in (READ, WRITE, LINK) if type_ in outcomes), states
        states = list(dict.fromkeys(following))
    return None


class TooMany(Exception):
    """More states than can be kept."""


def _with_crashed(states: list[State], pending: Sequence[Act]) -> list[State]:
    """These states, and all that crashed writes may have made of them, each of which happens once at most."""
    found = dict.fromkeys(states)
    waiting = list(states)
    while waiting:
        state = waiting.pop()
        for write in pending:
            if write.call not in state.crashed and (made := struck(state, write)) not in found:
                found[made] = None
                waiting.append(made)
                if len(found) > MOST_STATES:
                    raise TooMany
    return list(found)


def struck(state: State, write: Act) -> State:
    """The state after a crashed write has happened."""
    number = max(state.counter, write.asked) if type(write.asked) is int else state.counter
    return State(ident(write.asked), number, ANY, state.crashed | {write.call})


def step(state: State, act: Act, failed: set[int]) -> State | str:
    """The state after the op; the rule that it breaks, if it cannot follow."""
    ext = act.ext if isinstance(act.ext, dict) else {}
    link, position = ext.get("link", "init"), ident(ext.get("position"))
    if link != "init" and ANY != state.position != ident(link):
        return LINK
    if act.f == "write":
        right = type(act.asked) is int and follows(state.counter, act.asked, failed)
        return State(ident(act.asked), act.asked, position, state.crashed) if right else WRITE
    value = ident(act.given)
    if act.f == "read-init" and state.counter == 0 and value != 0:
        return READ
    return state._replace(position=position) if act.given is None or value == state.value else READ


def follows(counter: int, number: int, failed: set[int]) -> bool:
    """Is it the next number, those of failed writes left out?"""
    return 0 < number - counter <= len(failed) + 1 and all(between in failed for between in range(counter + 1, number))


def _tell(type_: str, key: Hashable, act: Act, states: Sequence[State]) -> Anomaly:
    values = " or ".join(dict.fromkeys(show(state.value) for state in states))
    link = act.ext.get("link") if isinstance(act.ext, dict) else None
    if type_ == LINK:
        known = " or ".join(dict.fromkeys(show(s.position) for s in states))
        what = f"{act.f} #{act.call} follows position {link}, but the op before it was at {known}"
    elif type_ == WRITE:
        known = " or ".join(dict.fromkeys(str(state.counter) for state in states))
        what = f"write #{act.call} wrote {act.asked}, but the last write before it was {known}"
    else:
        what = f"{act.f} #{act.call}{act.place} gave {show(ident(act.given))}, but the register had {values} where it follows"
    witness = {"op": act.call, "values": [plain(state.value) for state in states]}
    return Anomaly(type_, in_key(key) + what, act.ops, key=plain(key), witness=witness)


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if, whichever of the key's crashed writes happened and whenever, the ok ops up to the quoted one have no explanation.

    Tries every placement of every crashed write: for short chains.
    """
    acts = [act for act in of_key(history, anomaly.key) if act.call <= anomaly.witness["op"]]
    failed = {act.asked for act in acts if act.f == "write" and act.outcome == FAIL and type(act.asked) is int}

    def explained(state: State, at: int, left: tuple[Act, ...]) -> bool:
        if at == len(acts):
            return True
        if any(explained(struck(state, crashed), at, tuple(act for act in left if act is not crashed)) for crashed in left):
            return True
        act = acts[at]
        if not act.ok:
            return explained(state, at + 1, (*left, act) if act.f == "write" and act.outcome == INFO else left)
        following = step(state, act, failed)
        return isinstance(following, State) and explained(following, at + 1, left)

    quoted = next((act for act in acts if act.call == anomaly.witness["op"]), None)
    return quoted is not None and quoted.ok and not explained(START, 0, ())
