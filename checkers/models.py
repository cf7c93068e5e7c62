"""Consistency models: which implies which, and what each anomaly rules out.

Why it exists  every checker of transactions names the models that its anomalies rule out and those that still hold; the relations stand in
               one table (data/models.tsv), printed from Elle's public functions, not in code.
Relies on      an anomaly rules a model out if the model, or one that it implies, prohibits it or something that it implies.
Limits         `linearizable` and ten others prohibit nothing in that table: a history of transactions can neither break nor confirm them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from harness.errors import UsageError

TABLE = Path(__file__).parent / "data" / "models.tsv"


class Table(NamedTuple):
    """The relations, closed: each name stands for itself too.

    implies   model -> itself and all models that it implies (weaker or equal)
    meaning   anomaly -> itself and all anomalies that it implies
    direct    model -> what it prohibits beside what the models that it implies prohibit
    names     every name and other name -> the model's name
    """

    implies: Mapping[str, frozenset[str]]
    meaning: Mapping[str, frozenset[str]]
    direct: Mapping[str, frozenset[str]]
    names: Mapping[str, str]


@cache
def table() -> Table:
    """Read the table once."""
    models: dict[str, list[str]] = {}
    anomalies: dict[str, list[str]] = {}
    direct: dict[str, frozenset[str]] = {}
    names: dict[str, str] = {}
    for line in TABLE.read_text().splitlines():
        kind, *fields = line.split("\t")
        if kind == "model":
            name, others, implied, prohibited = fields
            models[name], direct[name] = implied.split(), frozenset(prohibited.split())
            names.update(dict.fromkeys([name, *others.split()], name))
        elif kind == "anomaly":
            anomalies[fields[0]] = fields[1].split()
    for named in frozenset().union(*direct.values()) - anomalies.keys():
        anomalies[named] = []
    return Table(_closed(models), _closed(anomalies), direct, names)


def _closed(edges: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    def reach(start: str) -> frozenset[str]:
        found, waiting = {start}, [start]
        while waiting:
            for following in edges.get(waiting.pop(), ()):
                if following not in found:
                    found.add(following)
                    waiting.append(following)
        return frozenset(found)

    return {start: reach(start) for start in edges}


def model_named(name: str, *, transactions: bool = True) -> str:
    """The model's own name; of transactions `causal` means causal-cerone.

    Raises: UsageError for a name that no model has.
    """
    if transactions and name == "causal":
        return "causal-cerone"
    known = table().names
    lowered = {other.lower(): model for other, model in known.items()}
    if name.lower() not in lowered:
        raise UsageError(f"no consistency model is called {name!r}", way_out=f"choose one of: {', '.join(sorted(set(known.values())))}")
    return lowered[name.lower()]


@cache
def prohibited(model: str) -> frozenset[str]:
    """All anomalies that a model prohibits."""
    relations = table()
    banned = frozenset().union(*(relations.direct[weaker] for weaker in relations.implies[model]))
    return frozenset(anomaly for anomaly, meaning in relations.meaning.items() if meaning & banned)


def ruled_out(anomalies: Iterable[str]) -> frozenset[str]:
    """All models that at least one of the anomalies rules out."""
    found = frozenset(anomalies)
    return frozenset(model for model in table().implies if prohibited(model) & found)


def implied(models: Iterable[str]) -> frozenset[str]:
    """These models and all that they imply."""
    relations = table().implies
    return frozenset(weaker for model in models for weaker in relations[model])


def weakest(models: Iterable[str]) -> list[str]:
    """Those that imply no other of them, by name."""
    chosen, implies = frozenset(models), table().implies
    return sorted(model for model in chosen if not (implies[model] - {model}) & chosen)


def strongest(models: Iterable[str]) -> list[str]:
    """Those that no other of them implies, by name."""
    chosen, implies = frozenset(models), table().implies
    return sorted(model for model in chosen if not any(model in implies[other] for other in chosen - {model}))
