"""The checkers of queues, stacks, priority queues and sets: each key by its object's monitor, or by the search where values repeat.

Decides    linearizability of one object a key; see queue.py, stack.py, priority_queue.py, set_object.py.
Right      linearizability is local (Herlihy & Wing 1990, theorem 1): a history is linearizable exactly if each key's part is.
Unknown    a history in which nobody observed anything; a key that the search does not settle within its budget of configurations.
Rules out  linearizable, strict-serializable.
Source     see the files of the objects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from checkers.linearizable.operations import show, thaw
from checkers.monitors import priority_queue, queue, set_object, stack
from checkers.monitors.acts import ADD, MISSING, NAMES, NOUN, Act, acts_by_key
from checkers.monitors.crashed import Rule, Undecided, decide, whatever
from checkers.monitors.deadlines import Front
from checkers.monitors.story import tell
from checkers.monitors.table import Found, Table, unique
from checkers.monitors.window import smallest, smallest_of_element
from checkers.settings import refuse_nonsense
from harness.checker import CheckContext
from harness.errors import UsageError
from harness.history.history import History
from harness.verdict import Anomaly, Verdict

if TYPE_CHECKING:
    from checkers.monitors.swift import Sifted
    from harness.history.columns import Columns

SHOWN = 8
RULED_OUT = ["linearizable", "strict-serializable"]
DECIDED = frozenset({"", "linearizable", "strict-serializable"})


class _Judged(NamedTuple):
    """What was found in a history's parts: anomalies, keys not settled, how many keys, how many parts by search, was anything observed."""

    bad: list[Anomaly]
    spent: list[Any]
    keys: int
    searched: int
    seen: bool


class Monitor:
    """What the four checkers share. Options: keyed auto | tuple; budget (configurations of a search)."""

    name: ClassVar[str]
    object_: ClassVar[str]
    options: ClassVar[dict[str, str]] = {
        "keyed": "auto (keys are found by themselves) or tuple (every value is [key, value])",
        "budget": "how many configurations a search may take for one key (2000000)",
    }
    smallest_first = False

    def __init__(self, keyed: str = "auto", budget: int = 2_000_000) -> None:
        refuse_nonsense(keyed=keyed, budget=budget)
        self.keyed, self.budget = keyed, budget

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"keys": n, "by_monitor": n, "by_search": n}. Anomalies: one a key (of a set: an element), 8 at most."""
        if history.by_sessions:
            return Verdict("unknown", reason="only the order within each session is known, so real time proves nothing")
        sifted = None if history.columns is None else self.sift(history.columns)
        if sifted is not None and history.columns is not None:
            left = History(history.columns.ops(sifted.left))
            judged = self._judge_all(acts_by_key(left, self.object_, "tuple" if history.columns.pairs else self.keyed))
            if len(judged.bad) + len(judged.spent) >= sifted.conflicts:
                return self._verdict(judged._replace(keys=sifted.keys, seen=sifted.seen), context)
        return self._verdict(self._judge_all(acts_by_key(history, self.object_, self.keyed)), context)

    @staticmethod
    def compile_kernels(columns: Columns) -> None:
        """Compile the kernels of all objects by judging small histories."""
        from checkers.monitors.small import compile_all

        compile_all()

    @staticmethod
    def warm(history: History) -> None:
        """Compile what was never compiled before the fork, where no budget runs."""
        if history.columns is not None:
            from checkers.monitors.kernels import judge_elements
            from checkers.monitors.small import compile_all
            from harness.compiled import announce

            if announce(judge_elements, "judging a large history of an object"):
                compile_all()

    def sift(self, columns: Columns) -> Sifted | None:
        """What the fast road leaves to judge, or None if it does not apply."""
        from checkers.monitors.swift import sift_container

        return sift_container(columns, self.object_, NAMES[self.object_], self.keyed, self.smallest_first)

    def _judge_all(self, keys: dict[Any, list[Act]]) -> _Judged:
        judged = _Judged([], [], len(keys), 0, any(self.observes(act) for acts in keys.values() for act in acts))
        for key, acts in keys.items():
            for part in self.parts(acts):
                by_monitor = self.by_monitor(part)
                judged = judged._replace(searched=judged.searched + (not by_monitor))
                try:
                    anomaly = self.judge(key, part) if by_monitor else self.search(key, part)
                except Undecided:
                    judged.spent.append(key)
                    continue
                if anomaly is not None:
                    judged.bad.append(anomaly)
        return judged

    def _verdict(self, judged: _Judged, context: CheckContext) -> Verdict:
        noun, bad, spent = NOUN[self.object_], judged.bad, judged.spent
        facts = {"keys": judged.keys, "by_monitor": judged.keys - judged.searched, "by_search": judged.searched}
        if bad:
            anomalies = sorted(bad, key=lambda anomaly: (len(anomaly.ops), anomaly.ops))[:SHOWN]
            if context.expected in DECIDED:
                return Verdict(False, anomalies=anomalies, counts={"nonlinearizable": len(bad)}, not_models=list(RULED_OUT), facts=facts)
            reason = f"it is not linearizable; whether it is {context.expected} is not decided by this checker"
            return Verdict("unknown", reason=reason, not_models=list(RULED_OUT), facts={**facts, "nonlinearizable": len(bad)})
        if spent:
            of = "" if spent[0] is None else f" (first: key {show(spent[0])})"
            reason = f"the search did not settle {len(spent)} object{'' if len(spent) == 1 else 's'} within its budget{of}"
            return Verdict("unknown", reason=reason, facts=facts)
        if not judged.seen:
            return Verdict("unknown", reason=f"nobody observed anything of the {noun}: no ok answer tells what was in it", facts=facts)
        return Verdict(True, holds=["linearizable"], facts=facts)

    def observes(self, act: Act) -> bool:
        """Whether an act tells something of what was inside."""
        return act.kind not in (ADD, MISSING)

    def parts(self, acts: list[Act]) -> list[list[Act]]:
        """The parts of one key that are judged by themselves."""
        return [acts]

    def by_monitor(self, acts: Sequence[Act]) -> bool:
        """Whether the monitor decides these acts."""
        return unique(acts)

    def rule(self) -> Rule:
        """The object's rule."""
        raise NotImplementedError

    def judge(self, key: Any, acts: Sequence[Act]) -> Anomaly | None:
        """The anomaly of a part, by the monitor. Raises Undecided."""
        rule = self.rule()
        try:
            found = decide(acts, rule)
        except Undecided:
            return self.search(key, acts)
        if found is None:
            return None
        missing = next((act for act in acts if act.kind == MISSING), None)
        if found.rule == "crowded":
            return self.anomaly(key, found, found.acts, acts)
        if found.rule == "choices":
            window = smallest(found, acts, partial(_decided, rule))
            again = _decided(rule, window)
        else:
            window = smallest(found, acts, lambda some: whatever(some, missing, rule))
            again = found if found.until >= 0 else whatever(window, missing, rule)
        assert again is not None, "the window of what has no order has none"
        return self.anomaly(key, again, window, acts)

    def search(self, key: Any, acts: Sequence[Act]) -> Anomaly | None:
        """The anomaly of a part, by the complete search. Raises Undecided."""
        from checkers.objects import OutOfBudget, judge_object, make_model

        settings: dict[str, Any] = {"smallest_first": True} if self.smallest_first else {}
        witness = {"rule": "search", "model": self.object_, "settings": settings, "keyed": self.keyed, "failed_cas": "nothing"}
        model = make_model(self.object_, settings)
        try:
            return judge_object(key, [act.operation(model.names) for act in acts], model, witness, self.budget)
        except OutOfBudget:
            raise Undecided from None

    def anomaly(self, key: Any, found: Found, window: Sequence[Act], acts: Sequence[Act]) -> Anomaly:
        """The anomaly of a conflict on its smallest window."""
        indices = sorted({index for act in window for index in (act.index, act.done) if index >= 0})
        until = found.until if found.until >= 0 else max(act.ret for act in window if not act.crashed)
        crashed = [act for act in acts if act.kind == MISSING and act.call < until]
        witness: dict[str, Any] = {"object": self.object_, "rule": found.rule, "keyed": self.keyed, "until": until}
        witness["acts"] = [act.index for act in window]
        if found.due:
            witness["due"] = [{"value": thaw(value), "until": at, "acts": [act.index for act in some]} for value, some, at in found.due]
        if self.smallest_first:
            witness["smallest"] = True
        message = tell(found, window, crashed, self.object_, self.smallest_first)
        return Anomaly("nonlinearizable", message, indices, found.kind, thaw(key), list(RULED_OUT), witness)


class _Rule:
    """The rule of an object's file."""

    def __init__(self, conflict: Callable[[Table], Found | None], fronts: Callable[[Table], tuple[list[int], list[Front]]]) -> None:
        self.conflict, self.fronts = conflict, fronts

    def __call__(self, table: Table, /) -> Found | None:
        return self.conflict(table)


class Queue(Monitor):
    """FIFO queues: enqueue (enq), dequeue (deq), peek."""

    name, object_ = "queue", "queue"

    def rule(self) -> Rule:
        return _Rule(queue.conflict, queue.fronts)


class Stack(Monitor):
    """Stacks: push, pop, peek."""

    name, object_ = "stack", "stack"

    def rule(self) -> Rule:
        return _Rule(stack.conflict, stack.fronts)


class PriorityQueue(Monitor):
    """Priority queues of numbers: insert (add), poll, peek; the largest goes first unless first is "smallest"."""

    name, object_ = "priority-queue", "priority-queue"
    options: ClassVar[dict[str, str]] = {**Monitor.options, "first": "largest or smallest: which value goes first"}

    def __init__(self, keyed: str = "auto", budget: int = 2_000_000, first: str = "largest") -> None:
        super().__init__(keyed, budget)
        if first not in ("largest", "smallest"):
            raise UsageError(f"first = {first!r}", way_out="say which value goes first: largest or smallest")
        self.smallest_first = first == "smallest"

    def rule(self) -> Rule:
        smallest = self.smallest_first
        return _Rule(partial(priority_queue.conflict, smallest=smallest), partial(priority_queue.fronts, smallest=smallest))

    def by_monitor(self, acts: Sequence[Act]) -> bool:
        return priority_queue.comparable([act.value for act in acts if act.kind == ADD])


class SetObject(Monitor):
    """Sets of elements: add (insert), remove, contains."""

    name, object_ = "set-object", "set-object"

    def parts(self, acts: list[Act]) -> list[list[Act]]:
        elements: dict[Any, list[Act]] = {}
        for act in acts:
            elements.setdefault(act.value, []).append(act)
        return list(elements.values())

    def sift(self, columns: Columns) -> Sifted | None:
        from checkers.monitors.swift import sift_set

        return sift_set(columns, NAMES[self.object_], self.keyed)

    def observes(self, act: Act) -> bool:
        return act.result is not None

    def by_monitor(self, acts: Sequence[Act]) -> bool:
        return True

    def judge(self, key: Any, acts: Sequence[Act]) -> Anomaly | None:
        found = self._conflict(acts)
        if found is None:
            return None
        window = smallest_of_element(found, acts, self._conflict, set_object.quiet)
        return self.anomaly(key, found, window, acts)

    def _conflict(self, acts: Sequence[Act]) -> Found | None:
        try:
            return set_object.conflict(acts, self.budget)
        except set_object.OutOfBudget:
            raise Undecided from None


def _decided(rule: Rule, acts: Sequence[Act]) -> Found | None:
    try:
        return decide(acts, rule)
    except Undecided:
        return None
