"""The objects of a history: its keys, and the independent objects that a model sees in each.

Why it exists  the checker, the witness's proof and others that call the search must mean the same operations by the same object.
Relies on      locality: a history is linearizable exactly if each object's part is.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from checkers.objects.machine import Machine
from checkers.objects.model import Model
from checkers.objects.operations import Operation, Vocabulary, by_key
from harness.history.history import History

Objects = dict[tuple[Any, Hashable], list[Operation]]


def vocabulary(model: Model) -> Vocabulary:
    """What the model calls its ops."""
    return Vocabulary(model.name, model.names, model.fs, model.asks, model.refusals)


def objects_of(history: History, words: Vocabulary, model: Model, keyed: str = "auto", failed_cas: str = "nothing") -> Objects:
    """(key, label within the key or None) -> its operations in order of invocation. Raises HistoryError naming the op."""
    found: Objects = {}
    for key, operations in by_key(history, words, keyed, failed_cas).items():
        machine = Machine(model)
        acts = [machine.seen[machine.act(op)] for op in operations]
        labels = machine.model.split(acts)
        if labels is None:
            found[key, None] = operations
            continue
        for op, label in zip(operations, labels, strict=True):
            found.setdefault((key, label), []).append(op)
    return found
