"""The list-append checker: phenomena, cycles, the models that they rule out, and those that still hold.

Decides    see the package's opening.
Right      small histories by the rules of phenomena.py and cycles.py; large ones by arrays (swift.py), and those rules on what matters.
Unknown    an element appended twice to a key; no read that succeeded.
Rules out  what checkers/data/models.tsv says for each type.
Source     Kingsbury & Alvaro, Elle, PVLDB 2020; Adya, Weak Consistency, 1999.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from checkers.list_append.dependencies import Edges, dependencies
from checkers.list_append.phenomena import phenomena
from checkers.list_append.story import tell_cycle, tell_finding
from checkers.list_append.unordered import FAMILY, ties, unsettled
from checkers.list_append.versions import Versions
from checkers.models import model_named, prohibited, ruled_out
from checkers.transactions.components import cyclic_components, strong_components, with_real_time
from checkers.transactions.composition import DECIDED, SHOWN, STRICT, compose, first_of_each, shown
from checkers.transactions.cycles import Cycle, cycles
from checkers.transactions.edges import RW, group
from checkers.transactions.region import Region
from checkers.transactions.txns import NEVER, Txn, read_txns, show
from harness.checker import CheckContext
from harness.history.history import History
from harness.op import INVOKE, OK, Op
from harness.verdict import Verdict

if TYPE_CHECKING:
    from checkers.list_append.arrays import Lists
    from harness.history.columns import Columns

# What needs no order between transactions, of one process or of several, but what their reads and appends show.
UNTIMED = frozenset(model for model in DECIDED if not model.startswith("strict-") and not model.startswith("strong-"))
LARGE = 15_000  # ops; below, the exact rules take less than loading numba does


class ListAppend:
    """Option: consistency, the model promised; without it the context's, else strict-serializable."""

    name: ClassVar[str] = "list-append"

    def __init__(self, consistency: str = "") -> None:
        self.consistency = model_named(consistency) if consistency else ""

    @staticmethod
    def warm(history: History) -> None:
        """Make what the check shares with the process that it is forked from; what is not compiled yet is, outside its budget."""
        if len(history) > LARGE and not history.by_sessions and _compilable():
            from checkers.list_append.edge_kernels import named
            from harness.compiled import announce

            if announce(named, "judging a large history of lists"):
                ListAppend.compile_kernels(None)
            history.shared[ListAppend.name] = _lists(history)

    @staticmethod
    def compile_kernels(columns: Columns | None) -> None:
        """Compile what large histories are judged with, by judging a small one: an update was lost. columns: not needed."""
        values: list[Any] = [[["r", 1, []], ["append", 1, 1], ["append", 2, 1]], [["r", 1, []], ["append", 1, 2], ["r", 2, [1]]]]
        ops = [Op(0, 0, i % 2, type_, "txn", values[i % 2]) for i, type_ in enumerate((INVOKE, INVOKE, OK, OK))]
        lists = _lists(History(ops))
        assert lists is not None, "the small history is regular"
        _judge_lists(lists, STRICT)

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"txns", "ok", "fail", "info", "keys"}. Anomalies: those that the promised model prohibits first, at most 8 of a type;
        counts: of a cycle's type, components that have it; of the others, transactions that show it."""
        expected = self.consistency or model_named(context.expected or STRICT)
        if history.by_sessions:
            txns = [txn._replace(ret=NEVER) for txn in read_txns(history)]
            return judge(txns, expected, UNTIMED, "of processes, this file knows only each one's own order")
        if len(history) > LARGE:
            lists = history.shared[self.name] if self.name in history.shared else _lists(history)
            verdict = None if lists is None else _judge_lists(lists, expected)
            if verdict is not None:
                return verdict
        return judge(read_txns(history), expected)


def _lists(history: History) -> Lists | None:
    """The history as arrays; None if it is irregular, or no compiled code can be kept here."""
    if not _compilable():
        return None
    from checkers.list_append.arrays import lists_of

    return lists_of(history)


def _compilable() -> bool:
    try:
        from checkers.list_append import kernels
    except RuntimeError:  # numba finds no folder that it may keep compiled code in
        return False
    return kernels is not None


def _judge_lists(lists: Lists, expected: str) -> Verdict | None:
    from checkers.list_append.selected import judge_lists

    return judge_lists(lists, expected)


def judge(txns: Sequence[Txn], expected: str, decided: frozenset[str] = DECIDED, undecided: str = "") -> Verdict:
    """The verdict on transactions by all rules, which decide the models given; undecided: why no others."""
    versions = Versions(txns)
    outcomes = Counter(txn.outcome for txn in txns)
    facts: dict[str, Any] = {
        "txns": len(txns),
        "ok": outcomes["ok"],
        "fail": outcomes["fail"],
        "info": outcomes["info"],
        "keys": len(versions.keys),
    }
    if not prohibited(expected):
        return Verdict("unknown", reason=f"transactions of lists neither break nor confirm {expected}", facts=facts)
    if versions.repeated is not None:
        key, element, first, second = versions.repeated
        reason = f"{show(element)} is appended to {show(key)} twice (#{first}, #{second}): a read of it does not say which one it saw"
        return Verdict("unknown", reason=reason, facts=facts)
    findings = phenomena(versions)
    edges = dependencies(versions)
    found = find_cycles(versions, edges)
    counts = Counter(finding.type for finding in findings) + Counter(cycle.type for cycle in found)
    if not counts and not any(reading.txn.outcome == OK for key in versions.keys.values() for reading in key.readings):
        return Verdict("unknown", reason="no transaction that read anything succeeded, so nothing was observed", facts=facts)
    anomalies = [tell_finding(finding) for finding in first_of_each(findings, SHOWN)]
    anomalies += [tell_cycle(cycle, versions, edges) for cycle in shown(found)]
    if found and not (violated := ruled_out(counts)) >= FAMILY:
        open_ = unsettled(txns, _groups(versions, edges), group(edges), ties(versions), violated)
        if open_ is not None:
            decided, undecided = decided - open_.models, open_.reason if expected in open_.models else undecided
    return compose(counts, anomalies, expected, facts, decided, undecided)


def _groups(versions: Versions, edges: Edges) -> list[list[int]]:
    """Components with a cycle, of dependencies and real time."""
    nodes = [txn.number for txn in versions.txns if versions.committed[txn.number]]
    return cyclic_components(with_real_time(versions.txns, nodes, edges), len(versions.txns))


def find_cycles(versions: Versions, edges: Edges) -> list[Cycle]:
    """All cycles to report, by component."""
    txns = versions.txns
    groups = _groups(versions, edges)
    if not groups:
        return []
    nodes = [txn.number for txn in txns if versions.committed[txn.number]]
    calm = with_real_time(txns, nodes, (pair for pair, why in edges.items() if why.kind != RW))
    rank = strong_components(calm)
    following = group(edges)
    return [cycle for members in groups for cycle in cycles(Region(txns, members, following, rank))]
