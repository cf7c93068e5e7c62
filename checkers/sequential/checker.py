"""Checkers of registers for models weaker than linearizability: sequential, causal and PRAM consistency.

Decides    sequential: one order of all operations, all keys together, that keeps each process's order. Causal and PRAM: a view for each
           process (views.py). Histories may have crashed and failed operations, and values written twice.
Right      the order that is forced (graph.py) has a cycle, or else the search (search.py) tries all that is left open.
Unknown    more states than the budget; causal and PRAM: a read whose value has several writers, unless what is certain breaks the model;
           no operation that observed anything; more operations times processes than fit into memory.
Rules out  the model itself and all that imply it.
Source     see graph.py, search.py, views.py.
"""

from __future__ import annotations

from typing import Any, ClassVar

from checkers.linearizable.operations import APPEND, CAS, NOT, READ, freeze, thaw
from checkers.linearizable.search import OutOfBudget
from checkers.models import table, weakest
from checkers.sequential.programs import Program, Sources, read_program
from checkers.sequential.search import has_order
from checkers.sequential.shrink import SEQUENTIAL, forced_order, smallest
from checkers.sequential.story import tell
from checkers.sequential.views import CAUSAL, CONVERGENT, PRAM, broken
from checkers.settings import refuse_nonsense
from harness.checker import CheckContext
from harness.errors import UsageError
from harness.history.history import History
from harness.verdict import Anomaly, Verdict

TYPES = {SEQUENTIAL: "nonsequential", CAUSAL: "noncausal", CONVERGENT: "nonconvergent", PRAM: "nonpram"}
MOST_CLOCKS = 40_000_000  # operations times processes
SHRUNK = 20_000  # operations of a violation beyond which no smaller part is looked for


class _Memory:
    """Options: register (register | cas-register | kv), keyed, initial, failed_cas as of the register checker; budget in states."""

    name: ClassVar[str] = ""
    model: ClassVar[str] = SEQUENTIAL
    options: ClassVar[dict[str, str]] = {
        "keyed": "how keys are given: auto | tuple",
        "initial": "what every key holds at the start (null; of a kv the empty string)",
        "budget": "states that the search may look at",
    }

    def __init__(
        self, register: str = "register", keyed: str = "auto", initial: Any = None, failed_cas: str = "nothing", budget: int = 300_000
    ) -> None:
        refuse_nonsense(keyed=keyed, failed_cas=failed_cas, budget=budget)
        self.register, self.keyed, self.failed_cas, self.budget = register, keyed, failed_cas, budget
        self.initial = "" if register == "kv" and initial is None else freeze(initial)
        self.decided = self.model

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"operations", "processes", "keys"}. At most one anomaly: the first violation, as small as could be made."""
        program = read_program(history, self.keyed, self.failed_cas, self.register, self.initial)
        processes = len({node.process for node in program.nodes})
        facts = {"operations": len(program.nodes), "processes": processes, "keys": len({node.key for node in program.nodes})}
        if not any(node.op.f in (READ, CAS, NOT) and not node.op.crashed for node in program.nodes):
            return Verdict("unknown", reason="no read and no cas succeeded, so nothing was observed", facts=facts)
        crashed = sum(node.op.crashed for node in program.nodes)
        if len(program.nodes) * (processes + crashed) > MOST_CLOCKS:
            reason = f"{len(program.nodes)} operations of {processes} processes are more than this checker can order in memory"
            return Verdict("unknown", reason=reason, facts=facts)
        sources = Sources(program)
        verdict = self._sequential(program, sources) if self.model == SEQUENTIAL else self._views(program, sources)
        verdict.facts = facts
        return verdict

    def _sequential(self, program: Program, sources: Sources) -> Verdict:
        if sources.unwritten:
            return self._invalid(program, {sources.unwritten[0]})
        graph, cycle = forced_order(program, sources)
        if cycle is not None:
            return self._invalid(program, graph.support(cycle))
        try:
            if has_order(program, graph, self.budget):
                return Verdict(True, holds=[self.model])
        except OutOfBudget:
            return Verdict("unknown", reason=f"it needs more than {self.budget} states to say whether there is a sequential order")
        return self._invalid(program, set(range(len(program.nodes))))

    def _views(self, program: Program, sources: Sources) -> Verdict:
        if sources.unwritten:
            return self._invalid(program, {sources.unwritten[0]})
        found = broken(program, sources, self.decided)
        if found is not None:
            return self._invalid(program, found.graph.support(found.cycle))
        if sources.unsure:
            node = program.nodes[sources.unsure[0]]
            what = "was refused" if node.op.f == NOT else "saw a string" if self._strings(program) else "saw a value with several writers"
            reason = (
                f"{len(sources.unsure)} operations, first #{node.op.index}, {what}: what they saw is not certain; nothing certain is wrong"
            )
            return Verdict("unknown", reason=reason)
        return Verdict(True, holds=[self.decided] if self.decided in table().implies else [])

    def _strings(self, program: Program) -> bool:
        return any(node.op.f == APPEND for node in program.nodes)

    def _invalid(self, program: Program, start: set[int]) -> Verdict:
        part = smallest(program, self.decided, start) if len(start) <= SHRUNK else program.part(start)
        names = _ruled_out(self.decided)
        quoted = [
            {
                "f": node.op.f,
                "a": thaw(node.op.a),
                "b": thaw(node.op.b),
                "key": thaw(node.key),
                "process": node.process,
                "index": node.op.index,
            }
            for node in part.nodes
        ]
        witness: dict[str, Any] = {"operations": quoted, "register": self.register, "keyed": self.keyed}
        witness |= {"failed_cas": self.failed_cas, "initial": thaw(self.initial)}
        ops = sorted({index for node in part.nodes for index in (node.op.index, node.op.done) if index >= 0})
        keys = {node.key for node in part.nodes}
        key = thaw(next(iter(keys))) if len(keys) == 1 else None
        anomaly = Anomaly(TYPES[self.decided], tell(part, self.decided), ops, self.decided, key, names, witness)
        return Verdict(False, anomalies=[anomaly], counts={anomaly.type: 1}, not_models=weakest(names))


def _ruled_out(model: str) -> list[str]:
    """The model and all that imply it; convergence stands between sequential and nothing that has a name."""
    known = table().implies
    named = model if model in known else SEQUENTIAL
    return sorted(other for other, implied in known.items() if named in implied)


class SequentialRegister(_Memory):
    """Sequential consistency, all keys together."""

    name = "sequential-register"
    model = SEQUENTIAL


class PramRegister(_Memory):
    """PRAM (FIFO) consistency: each process sees every other's writes in their order."""

    name = "pram-register"
    model = PRAM


class CausalRegister(_Memory):
    """Causal memory; option one_order: all processes must also agree on one order of the writes (convergent causal consistency)."""

    name = "causal-register"
    model = CAUSAL
    options: ClassVar[dict[str, str]] = {**_Memory.options, "one_order": "true: all processes agree on one order of the writes"}

    def __init__(self, one_order: bool = False, **options: Any) -> None:
        super().__init__(**options)
        if not isinstance(one_order, bool):
            raise UsageError(f"one_order is {one_order!r}", way_out="say true or false")
        self.decided = CONVERGENT if one_order else CAUSAL
