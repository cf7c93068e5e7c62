"""The session guarantees of registers: each by itself, and all four together with the models that they make up.

Decides    monotonic reads, monotonic writes, read your writes, writes follow reads: see the file of each for what exactly.
Right      each guarantee demands that one version is no newer than another; it can be kept exactly if no circle arises.
Unknown    no pair of ops that a guarantee speaks of; values with several writers (`versions` = "ext": without a revision) unless what is
           certain breaks it.
Rules out  the guarantee and all models that imply it.
Source     Terry et al., PDIS 1994; see the files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NamedTuple

from checkers.linearizable.operations import freeze, show, thaw
from checkers.models import model_named, strongest, table, weakest
from checkers.sequential import CausalRegister, PramRegister
from checkers.sequential.programs import Program, Sources, read_program
from checkers.sessions import monotonic_reads, monotonic_writes, read_your_writes, writes_follow_reads
from checkers.sessions.guarantee import Broken
from checkers.sessions.story import tell
from checkers.sessions.versions import KeyVersions, by_key, versions_seen
from checkers.settings import refuse_nonsense
from harness.checker import CheckContext
from harness.errors import UsageError
from harness.history.history import History
from harness.verdict import Anomaly, Verdict

SHOWN = 8
VERSIONS = ("session", "realtime", "ext")


class Guarantee(NamedTuple):
    """violations(key, one_order) gives what is broken; pairs(key) how much there was to look at."""

    violations: Callable[[KeyVersions, bool], Iterator[Broken]]
    pairs: Callable[[KeyVersions], int]


GUARANTEES = {
    module.NAME: Guarantee(module.violations, module.pairs)
    for module in (monotonic_reads, monotonic_writes, read_your_writes, writes_follow_reads)
}


class _Sessions:
    """Options: versions (what orders them), one_order; register, keyed, initial as of the register checker."""

    name: ClassVar[str] = ""
    asked: tuple[str, ...] = ()
    options: ClassVar[dict[str, str]] = {
        "versions": "what orders versions beside what guarantees demand: session (each process's own writes) | realtime | ext",
        "one_order": "true: all processes must agree on one order of the versions",
        "keyed": "how keys are given: auto | tuple",
        "initial": "what every key holds at the start (null; of a kv the empty string)",
    }

    def __init__(
        self,
        versions: str = "session",
        one_order: bool = False,
        register: str = "register",
        keyed: str = "auto",
        initial: Any = None,
        failed_cas: str = "nothing",
    ) -> None:
        if versions not in VERSIONS:
            raise UsageError(f"versions are not ordered by {versions!r}", way_out=f"choose one of: {', '.join(VERSIONS)}")
        refuse_nonsense(keyed=keyed, failed_cas=failed_cas)
        if not isinstance(one_order, bool):
            raise UsageError(f"one_order is {one_order!r}", way_out="say true or false")
        self.versions, self.one_order, self.register, self.keyed, self.failed_cas = versions, one_order, register, keyed, failed_cas
        self.initial = "" if register == "kv" and initial is None else freeze(initial)

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"pairs": {guarantee: n}}. Anomalies: at most 8 of a guarantee, short circles first; counts: (process, key) pairs."""
        program = read_program(history, self.keyed, "nothing", self.register, self.initial)
        sources = Sources(program)
        revisions = self._revisions(history, program) if self.versions == "ext" else None
        seen = versions_seen(program, sources, revisions)
        if self.versions != "ext" and sources.unwritten:
            return self._garbage(program, sources)
        keys = by_key(program, seen, self.versions)
        pairs = {name: sum(map(GUARANTEES[name].pairs, keys)) for name in self.asked}
        broken = {name: [found for one in keys for found in GUARANTEES[name].violations(one, self.one_order)] for name in self.asked}
        verdict = self._verdict(program, broken, pairs, self._unsure(program, seen))
        verdict.facts = {"pairs": pairs, "keys": len(keys)}
        return verdict

    def _unsure(self, program: Program, seen: Any) -> list[int]:
        return [place for place, node in enumerate(program.nodes) if node.reads and place not in seen.read]

    def _revisions(self, history: History, program: Program) -> dict[int, int]:
        """Of each node the revision in `ext` of its completion, where there is one."""
        given = {}
        for call in history.calls():
            ext = call.completion.ext if call.completion is not None and call.completion.type == "ok" else None
            revision = ext.get("revision") if isinstance(ext, dict) else None
            if isinstance(revision, int) and not isinstance(revision, bool):
                given[call.invoke.index] = revision
        return {place: given[node.op.index] for place, node in enumerate(program.nodes) if node.op.index in given}

    def _verdict(self, program: Program, broken: dict[str, list[Broken]], pairs: dict[str, int], unsure: list[int]) -> Verdict:
        bad = [name for name in self.asked if broken[name]]
        if bad:
            shown = [self._tell(program, one) for name in bad for one in sorted(broken[name], key=lambda one: len(one.circle))[:SHOWN]]
            counts = {name: len(broken[name]) for name in bad}
            holds = [name for name in self.asked if not broken[name] and pairs[name]] if not unsure else []
            names = {model for model, implied in table().implies.items() if implied & set(bad)}
            return Verdict(False, anomalies=shown, counts=counts, not_models=weakest(names), holds=holds)
        if unsure:
            node = program.nodes[unsure[0]]
            reason = f"{len(unsure)} operations saw a value whose version is not certain (first: {node.text()}); nothing certain is wrong"
            return Verdict("unknown", reason=reason)
        idle = [name for name in self.asked if not pairs[name]]
        if idle:
            reason = f"no process did what {', '.join(idle)} speaks of (twice on one key), so nothing was observed"
            return Verdict("unknown", reason=reason, holds=[name for name in self.asked if pairs[name]])
        return Verdict(True, holds=list(self.asked))

    def _tell(self, program: Program, broken: Broken) -> Anomaly:
        anomaly = tell(program, broken)
        anomaly.witness |= {"register": self.register, "keyed": self.keyed, "initial": thaw(self.initial), "one_order": self.one_order}
        return anomaly

    def _garbage(self, program: Program, sources: Sources) -> Verdict:
        """A value that nobody wrote is no version at all: it breaks every model of a register."""
        names = sorted(model for model, implied in table().implies.items() if implied & set(GUARANTEES))
        anomalies = []
        for place in sources.unwritten[:SHOWN]:
            node = program.nodes[place]
            message = f"{node.text()}, but nobody ever wrote {show(node.op.a)} (or only a write that certainly failed)."
            ops = [index for index in (node.op.index, node.op.done) if index >= 0]
            anomalies.append(Anomaly("garbage-read", message, ops, key=None if node.key is None else thaw(node.key), rules_out=names))
        counts = {"garbage-read": len(sources.unwritten)}
        return Verdict(False, anomalies=anomalies, counts=counts, not_models=weakest(names))


class MonotonicReads(_Sessions):
    """Monotonic reads alone."""

    name = "monotonic-reads"
    asked = (monotonic_reads.NAME,)


class MonotonicWrites(_Sessions):
    """Monotonic writes alone."""

    name = "monotonic-writes"
    asked = (monotonic_writes.NAME,)


class ReadYourWrites(_Sessions):
    """Read your writes alone."""

    name = "read-your-writes"
    asked = (read_your_writes.NAME,)


class WritesFollowReads(_Sessions):
    """Writes follow reads alone."""

    name = "writes-follow-reads"
    asked = (writes_follow_reads.NAME,)


class Sessions(_Sessions):
    """All four, and whether PRAM and causal consistency, which are more than their sum, hold too."""

    name = "sessions"
    asked = tuple(GUARANTEES)

    def check(self, history: History, context: CheckContext) -> Verdict:
        """As of each; `holds` and `not` name PRAM and causal too. A model asked for with --consistency decides alone."""
        wanted = model_named(context.expected, transactions=False) if context.expected else ""
        implied = table().implies.get(wanted, frozenset())
        self.asked = tuple(name for name in GUARANTEES if not wanted or name in implied)
        verdict = super().check(history, context)
        if verdict.valid == "unknown" and self._is_linearizable(history):
            return Verdict(True, reason="it is linearizable, which implies all of these", holds=["linearizable"], facts=verdict.facts)
        holds, against = list(verdict.holds), list(verdict.not_models)
        for checker in (PramRegister, CausalRegister):
            more = checker(register=self.register, keyed=self.keyed, initial=thaw(self.initial)).check(history, context)
            verdict.facts[checker.model] = more.valid
            if more.valid is True:
                holds.append(checker.model)
            against += more.not_models
            if checker.model == wanted:  # it decides; the guarantees say more of what is wrong
                verdict.valid, verdict.reason = more.valid, more.reason
                verdict.anomalies, verdict.counts = verdict.anomalies + more.anomalies, {**verdict.counts, **more.counts}
        verdict.holds, verdict.not_models = strongest(set(holds)), weakest(set(against))
        if wanted not in ("", PramRegister.model, CausalRegister.model, *GUARANTEES) and verdict.valid is True:
            verdict.valid, verdict.reason = "unknown", f"whether it is {wanted} is not decided by this checker, but by --as register"
        return verdict

    def _is_linearizable(self, history: History) -> bool:
        """Where guarantees alone leave it open."""
        from checkers.linearizable import LinearizableRegister

        strict = LinearizableRegister(self.register, self.keyed, thaw(self.initial), self.failed_cas)
        return strict.check(history, CheckContext(expected="linearizable")).valid is True
