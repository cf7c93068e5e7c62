"""Whether register transactions have an order: the question for every checker of transactions.

Why it exists  serializable, snapshot isolation and their session and real-time variants are one search with different certain edges.
Right      an order is tried out (certificate.execute); where it goes wrong, the choice that it got wrong becomes a variable, and the
           search looks for an order that gets all chosen ones right. Every round adds a choice, and there are finitely many, so it
           ends: with an order that explains all reads, or with choices that contradict each other, which no order escapes.
Unknown    more conflicts than the budget.
Source     abstraction refinement: Clarke et al. 2000; the rest in the package's opening.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from checkers.serial.certificate import Moment, Wrong, execute
from checkers.serial.chains import Chains
from checkers.serial.choices import Choices, Saw
from checkers.serial.events import HELPER, Events, Order
from checkers.serial.guess import Guess, hints
from checkers.serial.ordered import Ordered
from checkers.serial.problem import START, Finding, Problem
from checkers.serial.prune import Pruned
from checkers.serial.refute import Refutation, refute, refute_settled
from checkers.transactions.txns import Txn

BUDGET = 20_000  # conflicts; the hardest of the recorded histories takes less than a hundredth of it
LAGS = (200, 4_000)  # positions by which a system that breaks real time may be late, and still be found to keep the rest
FIRST_BUDGET = 500  # conflicts of the search for an order that keeps more than it must: enough for what is easy


@dataclass(frozen=True)
class Model:
    """What an order must respect: snapshots instead of one after another; sessions; real time."""

    snapshots: bool
    sessions: bool
    real_time: bool


MODELS = {
    "serializable": Model(False, False, False),
    "strong-session-serializable": Model(False, True, False),
    "strict-serializable": Model(False, False, True),
    "snapshot-isolation": Model(True, False, False),
    "strong-session-snapshot-isolation": Model(True, True, False),
    "strong-snapshot-isolation": Model(True, False, True),
}


@dataclass
class Decision:
    """valid: True with `moments`, an order that explains every read; False with findings or a refutation; None: the budget was spent.

    conflicts, choices   what the search took
    """

    valid: bool | None
    moments: list[Moment] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    refutation: Refutation | None = None
    conflicts: int = 0
    choices: int = 0


def decide(txns: Sequence[Txn], model: str, *, by_sessions: bool = False, first: int | None = None, budget: int = BUDGET) -> Decision:
    """Decide one of MODELS.

    Args:   txns: as read_register_txns gives them; by_sessions: positions say nothing about real time (real time then means sessions);
            first: the number of a transaction that precedes all others; budget: conflicts.
    Cost:   near linear where reads fix the order or the scheduler guesses it; exponential at worst, cut off by the budget.
    """
    problem = Problem(txns)
    if problem.findings:
        return Decision(False, findings=problem.findings)
    chains = Chains(problem)
    if chains.findings:
        return Decision(False, findings=chains.findings)
    wanted = MODELS[model]
    sessions, real_time = wanted.sessions or (wanted.real_time and by_sessions), wanted.real_time and not by_sessions
    own, fullest = Order(sessions, real_time, first), Order(by_sessions, not by_sessions, first)
    # Most systems keep orders that nobody asked for, and an order that keeps more is easier to find.
    tries = [(False, fullest), (wanted.snapshots, fullest)]
    if fullest.real_time and not real_time:
        tries += [(wanted.snapshots, Order(sessions, True, first, lag)) for lag in LAGS if lag < txns[-1].call]
    for snapshots, known in dict.fromkeys(tries):
        if (snapshots, known) != (wanted.snapshots, own):
            decision = _decide(chains, known, snapshots, by_sessions, min(budget, FIRST_BUDGET))
            if decision.valid:
                return decision
    return _decide(chains, own, wanted.snapshots, by_sessions, budget)


def _decide(chains: Chains, known: Order, snapshots: bool, by_sessions: bool, budget: int) -> Decision:
    events = Events(chains, known, snapshots=snapshots)
    pruned = Pruned(events)
    if pruned.dead is not None or len(pruned.order) < len(events.txn):
        return Decision(False, refutation=refute_settled(pruned))
    guessed = Guess(events, pruned.order, zip(pruned.source, pruned.target), hints(events, by_sessions=by_sessions)).order()
    done = execute(chains.problem, _steps(events, guessed), {})
    if not done.wrong:
        return Decision(True, _moments(events, guessed, done.absent))
    return _search(pruned, guessed, done.wrong, budget)


def _steps(events: Events, order: Sequence[int]) -> list[tuple[int, bool, bool]]:
    """An order of nodes as starts and commits."""
    found = []
    for node in order:
        number = events.txn[node]
        if number != HELPER:
            found.append((number, events.start[number] == node, events.commit[number] == node))
    return found


def _moments(events: Events, order: Sequence[int], absent: Sequence[int]) -> list[Moment]:
    return [Moment(*step) for step in _steps(events, order) if step[0] not in absent]


def _search(pruned: Pruned, order: list[int], wrong: list[Wrong], budget: int) -> Decision:
    events, graph = pruned.events, Ordered(order, pruned.source, pruned.target, pruned.tag)
    choices = Choices(events, graph)
    search = choices.search
    while True:
        values = list(search.value)  # as the order was made; giving clauses takes decisions back
        news = [_choose(choices, values, one) for one in wrong]
        assert any(news), "every round must add a choice"
        answer = search.run(budget)
        if answer is None:
            return Decision(None, conflicts=search.conflicts, choices=len(choices.all))
        if answer is False:
            return Decision(False, refutation=refute(choices, pruned), conflicts=search.conflicts, choices=len(choices.all))
        order = sorted(range(len(graph.place)), key=graph.place.__getitem__)
        decided = {txn: fate for txn in events.problem.optional if (fate := choices.fate(txn)) is not None}
        done = execute(events.problem, _steps(events, order), decided)
        wrong = done.wrong
        if not wrong:
            return Decision(True, _moments(events, order, done.absent), conflicts=search.conflicts, choices=len(choices.all))


def _choose(choices: Choices, values: Sequence[int], wrong: Wrong) -> bool:
    """Make the choice that an order got wrong. False if another of the same round has made it."""
    chains, count = choices.events.chains, len(choices.all)
    if wrong.reader is None:
        choices.before(chains.of[wrong.key, wrong.found], chains.of[wrong.key, wrong.other])
        return len(choices.all) > count
    reader, key, found = wrong.reader, wrong.key, wrong.found
    read = next(read for read in chains.problem.reads[reader] if read.key == key)
    if len(read.sources) == 1 and reader not in chains.problem.optional:
        choices.before(chains.of[key, read.sources[0]], chains.of[key, found])
        return len(choices.all) > count
    if choices.read(read):
        return True
    writer = next((w for w in read.sources if values[choices.number[Saw(reader, key, w)]] == 1), None)
    if writer is None:
        return False
    saw = Saw(reader, key, writer)
    following = chains.after.get((key, writer))
    here = choices.graph.place
    if following is not None and here[choices.events.commit[following]] < here[choices.events.start[reader]]:
        return choices.overwritten(saw, following)
    if writer != START and following is not None:
        choices.before(chains.of[key, writer], chains.of[key, found])
        return len(choices.all) > count
    return choices.overwritten(saw, chains.of[key, found].head)
