"""The models that there are, by name; each is loaded when it is asked for."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from checkers.objects.model import Model
from harness.errors import UsageError
from harness.registry import find

KNOWN = {
    "register": "register:Register",
    "cas-register": "register:CasRegister",
    "multi-register": "multi_register:MultiRegister",
    "mutex": "mutex:Mutex",
    "fenced-mutex": "fenced_mutex:FencedMutex",
    "semaphore": "semaphore:Semaphore",
    "counter": "counter:Counter",
    "queue": "queue:Queue",
    "unordered-queue": "unordered_queue:UnorderedQueue",
    "stack": "stack:Stack",
    "priority-queue": "priority_queue:PriorityQueue",
    "deque": "deque:Deque",
    "set": "sets:Set",
}


def make_model(name: str, settings: Mapping[str, Any]) -> Model:
    """A model by its name, or of a user's file (`./my_model.py:Class`), with its settings.

    Raises: UsageError for a name that there is not, a class that is no model, or a setting that it has not.
    """
    if name in KNOWN:
        module, _, attribute = KNOWN[name].partition(":")
        made = getattr(importlib.import_module(f"checkers.objects.models.{module}"), attribute)
    else:
        if ".py" not in name and ":" not in name:
            raise UsageError(f"no model is called {name!r}", way_out=f"there are: {', '.join(KNOWN)}; or give a file, ./my_model.py:Class")
        made = find("models", name, accept=lambda value: hasattr(value, "step") and not inspect.isabstract(value))
        if not isinstance(made, type) or not callable(getattr(made, "step", None)):
            raise UsageError(f"{name} is no model: it has no step(state, act)", way_out="docs/checkers.md shows a model of 15 lines")
    takes = [] if made.__init__ is object.__init__ else list(inspect.signature(made.__init__).parameters)[1:]
    wrong = sorted(set(settings) - set(takes))
    if wrong:
        there = ", ".join(takes) or "none"
        raise UsageError(f"the model {name} has no setting {wrong[0]!r}", way_out=f"its settings: {there}")
    if issubclass(made, Model):
        model: Model = made(**settings)
        return model
    from checkers.objects.models.users import UsersModel

    return UsersModel(name, made, settings)
