"""The public names, for people who write their own targets or call runs from Python: `import splitbrain as sb`.

Why it exists  a user's file needs one import, and may rely on these names alone.
Relies on      lazy loading: importing this loads no room until a name is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.capabilities import ErrorTable as ErrorTable
    from harness.capabilities import Result as Result
    from harness.errors import Definite as Definite
    from harness.errors import Indefinite as Indefinite
    from harness.op import Op as Op
    from harness.options import Option as Option
    from harness.target import Access as Access
    from harness.target import Node as Node
    from harness.target import Recipe as Recipe
    from harness.target import Service as Service
    from harness.target import Site as Site
    from harness.target import Target as Target
    from harness.target import Wheel as Wheel

_HOME = {
    "Access": "harness.target",
    "Definite": "harness.errors",
    "ErrorTable": "harness.capabilities",
    "Indefinite": "harness.errors",
    "Node": "harness.target",
    "Op": "harness.op",
    "Option": "harness.options",
    "Recipe": "harness.target",
    "Result": "harness.capabilities",
    "Service": "harness.target",
    "Site": "harness.target",
    "Target": "harness.target",
    "Wheel": "harness.target",
}

__all__ = sorted(_HOME)  # noqa: PLE0605 (a list of literals is not possible here: one table is the decision)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"splitbrain has no public name {name!r}; it has {', '.join(__all__)}")
