"""Why there is no order, in plain words: the transactions by name, a sentence for each edge, and what every way to choose comes to.

Why it exists  a verdict that nobody can follow convinces nobody; and what the small verifier re-checks is the same witness.
Relies on      a type that all cycles of a refutation share being present in every version order; where they differ, only the model
               that was asked for is broken for certain, and those that forbid every one of the cycles.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from checkers.models import ruled_out, weakest
from checkers.serial.chains import Chain
from checkers.serial.choices import Before, Committed, Saw
from checkers.serial.events import FIRST
from checkers.serial.problem import START, Finding
from checkers.serial.refute import Refutation, Ring, Step
from checkers.transactions.edges import KINDS, PROCESS, REALTIME, RW, WR, WW
from checkers.transactions.txns import UNSEEN, WRITE, Txn, plain, show

NAMES = (*KINDS, "first")
QUOTED = 8  # transactions, ways and cycles that a sentence shows; the witness has all
Choice = Before | Saw | Committed


def ring_type(steps: Sequence[Step]) -> str:
    """The name of a cycle by its edges."""
    kinds = [step.kind for step in steps]
    rw = kinds.count(RW)
    if rw == 0:
        base = "G1c" if WR in kinds or FIRST in kinds else "G0"
    elif rw == 1:
        base = "G-single-item"
    else:
        touching = any(a == b == RW for a, b in pairwise([*kinds, kinds[0]]))
        base = "G2-item" if touching else "G-nonadjacent-item"
    return base + ("-realtime" if REALTIME in kinds else "-process" if PROCESS in kinds else "")


def refutation_type(refutation: Refutation) -> tuple[str, frozenset[str]]:
    """The type of a refutation, and the models that it rules out: those that forbid each of its cycles, and what the cycles rest on."""
    types = sorted({ring_type(ring.steps) for ring in refutation.rings})
    models = frozenset.intersection(*(ruled_out([type_]) for type_ in types))
    suffix = next((suffix for suffix in ("-realtime", "-process") if any(type_.endswith(suffix) for type_ in types)), "")
    bases = {type_.removesuffix("-realtime").removesuffix("-process") for type_ in types}
    if not bases - {"G0", "G1c"} and _rests_on_chains(refutation):
        return "not-snapshot-isolated" + suffix, models & ruled_out(["G-single-item" + suffix])
    if len(bases) == 1:
        return bases.pop() + suffix, models
    return ("nonserializable" if "G2-item" in bases else "not-snapshot-isolated") + suffix, models


def _rests_on_chains(refutation: Refutation) -> bool:
    """Whether an order of versions follows from updates coming next to what they read, which models that allow G-single do not promise."""
    if any(len(chain.members) > 1 or chain.initial for chain in refutation.chains.values()):
        return True
    sure = [ring for ring in refutation.rings if not any(isinstance(choice, Before) for choice, _ in ring.when)]
    return any(step.kind == WW for ring in sure for step in ring.steps)


class Cast:
    """Transactions by name, in the order in which the story needs them."""

    def __init__(self, txns: Sequence[Txn]) -> None:
        self._txns = txns
        self.names: dict[int, str] = {}

    def name(self, number: int) -> str:
        """T1, T2, ..: the first transaction that is named is T1."""
        return self.names.setdefault(number, f"T{len(self.names) + 1}")

    def wrote(self, number: int, key: Hashable) -> Hashable:
        """What a transaction left in a key."""
        writes = [mop.value for mop in self._txns[number].mops if mop.kind == WRITE and mop.key == key]
        value: Hashable = writes[-1]
        return value

    def version(self, number: int, key: Hashable) -> str:
        """A version in a sentence."""
        return "the initial null" if number == START else f"{self.name(number)}'s {_shown(self.wrote(number, key))}"

    def quoted(self) -> str:
        """The transactions: name, micro-ops, process, ops."""
        told = []
        for number, name in list(self.names.items())[:QUOTED]:
            txn = self._txns[number]
            mops = "; ".join(f"{mop.kind} {show(mop.key)} {_shown(mop.value)}" for mop in txn.mops)
            unsure = "" if txn.outcome == "ok" else f", {txn.outcome}"
            told.append(f"{name} = ({mops}) by process {txn.process}, {'–'.join(f'#{index}' for index in txn.ops)}{unsure}")
        more = len(self.names) - len(told)
        return ". ".join(told) + (f". {more} more in the witness" if more else "")

    def witness(self) -> list[dict[str, Any]]:
        """The same for the verifier."""
        return [
            {"name": name, "process": txn.process, "ops": txn.ops, "outcome": txn.outcome, "value": _value(txn)}
            for name, txn in ((name, self._txns[number]) for number, name in self.names.items())
        ]

    def ops(self) -> list[int]:
        """Indices of all ops named."""
        return sorted({index for number in self.names for index in self._txns[number].ops})


def _shown(value: Any) -> str:
    return "?" if value is UNSEEN else "null" if value is None else show(value)


def _json(value: Any) -> Any:
    return None if value is None or value is UNSEEN else plain(value)


def _value(txn: Txn) -> list[list[Any]]:
    return [[mop.kind, plain(mop.key), _json(mop.value)] for mop in txn.mops]


class Told(NamedTuple):
    """An anomaly in words, with the models that it rules out."""

    type: str
    models: frozenset[str]
    message: str
    ops: list[int]
    witness: dict[str, Any]


def tell_refutation(refutation: Refutation, txns: Sequence[Txn]) -> Told:
    """A refutation as an anomaly."""
    cast = Cast(txns)
    for ring in refutation.rings:
        for step in ring.steps:
            cast.name(step.first)
    choices: dict[Choice, int] = {}
    cycles = [_cycle(ring, refutation, cast, choices) for ring in refutation.rings]
    witness = {
        "choices": [_choice(choice, refutation.chains, cast) for choice in choices],
        "reads": [
            {
                "reader": cast.name(read.txn),
                "key": plain(read.key),
                "value": _json(read.value),
                "writers": [None if writer == START else cast.name(writer) for writer in read.sources],
            }
            for read in refutation.reads
        ],
        "cycles": cycles,
    }
    type_, models = refutation_type(refutation)
    said = "; ".join(_said(ring, cycle, refutation, cast) for ring, cycle in list(zip(refutation.rings, cycles))[:QUOTED])
    more = len(cycles) - QUOTED
    if more > 0:
        said += f"; and {more} more cycles in the witness"
    end = " Every way to choose leads to one of these" if len(cycles) > 1 else " So it comes before itself"
    message = f"{cast.quoted()}. {said}.{end}, a contradiction."
    return Told(type_, models, message, cast.ops(), {"txns": cast.witness(), **witness})


def _cycle(ring: Ring, refutation: Refutation, cast: Cast, choices: dict[Choice, int]) -> dict[str, Any]:
    when = [[choices.setdefault(choice, len(choices)), holds] for choice, holds in ring.when]
    edges = [
        {
            "from": cast.name(step.first),
            "to": cast.name(step.second),
            "kind": NAMES[step.kind],
            "key": _json(step.key) if step.kind in (WW, WR, RW) else None,
            "saw": cast.name(step.source) if step.kind == RW and step.source != START else None,
            "why": _why(step, cast),
        }
        for step in ring.steps
    ]
    return {"when": when, "edges": edges}


def _choice(choice: Choice, chains: dict[int, Chain], cast: Cast) -> dict[str, Any]:
    if isinstance(choice, Before):
        first, second = chains[choice.first], chains[choice.second]
        return {"kind": "order", "key": plain(first.key), "first": cast.name(first.head), "second": cast.name(second.head)}
    if isinstance(choice, Saw):
        writer = None if choice.writer == START else cast.name(choice.writer)
        return {"kind": "saw", "reader": cast.name(choice.reader), "key": plain(choice.key), "writer": writer}
    return {"kind": "committed", "txn": cast.name(choice.txn)}


def _why(step: Step, cast: Cast) -> str:
    first, second, key = cast.name(step.first), cast.name(step.second), show(step.key) if step.key is not None else "null"
    if step.kind == WR:
        return f"{second} read {_shown(cast.wrote(step.first, step.key))} from {key}, which {first} wrote"
    if step.kind == RW:
        return f"{first} read {cast.version(step.source, step.key)} from {key}, which {cast.version(step.second, step.key)} came after"
    if step.kind == WW:
        return f"{cast.version(step.second, step.key)} came after {cast.version(step.first, step.key)} in {key}"
    if step.kind == FIRST:
        return f"{first} is the file's first transaction, before all others"
    return f"{first} was over before {second} began" + (" in the same process" if step.kind == PROCESS else "")


def _said(ring: Ring, cycle: dict[str, Any], refutation: Refutation, cast: Cast) -> str:
    edges = ", ".join(edge["why"] for edge in cycle["edges"])
    if not ring.when:
        return edges
    return f"if {' and '.join(_if(choice, holds, refutation, cast) for choice, holds in ring.when)}: {edges}"


def _if(choice: Choice, holds: bool, refutation: Refutation, cast: Cast) -> str:
    if isinstance(choice, Before):
        first, second = refutation.chains[choice.first], refutation.chains[choice.second]
        if not holds:
            first, second = second, first
        return f"{cast.version(first.head, first.key)} came before {cast.version(second.head, first.key)} in {show(first.key)}"
    if isinstance(choice, Saw):
        saw = "saw" if holds else "did not see"
        return f"{cast.name(choice.reader)} {saw} {cast.version(choice.writer, choice.key)} in {show(choice.key)}"
    return f"{cast.name(choice.txn)} {'committed' if holds else 'did not commit'}"


def rules_out(models: Iterable[str]) -> list[str]:
    """Models, the weakest first."""
    chosen = frozenset(models)
    first = weakest(chosen)
    return first + sorted(chosen - set(first))


def tell_finding(finding: Finding, txns: Sequence[Txn]) -> Told:
    """A read that nothing explains, or a lost update, as an anomaly."""
    cast = Cast(txns)
    names = [cast.name(number) for number in finding.txns]
    key, value, reader = show(finding.key), _shown(finding.value), names[-1]
    said = {
        "internal": f"{reader} read {value} from {key}, though its own micro-ops before say otherwise",
        "future-read": f"{reader} read {value} from {key} before it wrote it",
        "garbage-read": f"{reader} read {value} from {key}, though nobody ever tried to write it",
        "G1a": f"{names[0]} failed and so never wrote {value} to {key}, yet {reader} read it",
        "G1b": f"{reader} read {value} from {key}, which {names[0]} wrote and then replaced itself: {reader} saw {names[0]} half done",
        "lost-update": f"{', '.join(names)} all read {value} from {key} and wrote {key}: only one of them can have come directly after it",
    }[finding.type]
    witness = {"txns": cast.witness(), "key": plain(finding.key), "value": _json(finding.value)}
    return Told(finding.type, ruled_out([finding.type]), f"{cast.quoted()}. {said}, a contradiction.", cast.ops(), witness)
