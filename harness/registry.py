"""Finding targets, workloads, clusters, faults and checkers by name, so that no room imports another.

Why it exists  a third party adds one by an entry point or a file (`./mydb.py:Class`), never by editing ours.
Relies on      entry points of groups `splitbrain.<kind>`; a name is loaded only when it is asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from harness.errors import UsageError

KINDS = ("targets", "workloads", "clusters", "faults", "checkers", "models", "schedules", "consistency", "parts")


@cache
def _points(kind: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"splitbrain.{kind}")}


def names(kind: str) -> list[str]:
    """Registered names of a kind, sorted."""
    return sorted(_points(kind))


def find(kind: str, name: str, accept: Callable[[Any], bool] | None = None) -> Any:
    """The class registered as `name`, or from `path.py[:Class]` or `module:Class`. UsageError says what there is.

    accept: picks the class in a file that names none (exactly one must pass).
    """
    if name.endswith(".py") or ".py:" in name:
        path, _, wanted = name.partition(".py")
        return _from_file(Path(path + ".py"), wanted.lstrip(":"), kind, accept)
    point = _points(kind).get(name)
    if point is not None:
        return point.load()
    if ":" in name:
        module, _, attribute = name.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise UsageError(f"{name} cannot be loaded: {error}", way_out="check module and class") from error
    singular = kind.rstrip("s")
    there = ", ".join(names(kind)) or "none"
    raise UsageError(f"no {singular} is called {name!r}", way_out=f"there are: {there}; or give a file, ./my.py:Class")


def check_consistency(name: str) -> None:
    """UsageError if no consistency model is called so; empty is the default."""
    if name:
        for rule in names("consistency"):
            find("consistency", rule)(name)


def _from_file(path: Path, wanted: str, kind: str, accept: Callable[[Any], bool] | None) -> Any:
    if not path.is_file():
        raise UsageError(f"{path} is not a file", way_out="give the path of a Python file, with :Class if it has several")
    spec = importlib.util.spec_from_file_location(f"splitbrain_user_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a user's file may fail in any way, and may end the process
        line = next((f"line {e.tb_lineno}" for e in _frames(error) if e.tb_frame.f_code.co_filename == str(path)), "")
        raise UsageError(f"{path} cannot be loaded: {type(error).__name__}: {error} {line}".rstrip(), way_out="mend the file") from error
    if wanted:
        if not hasattr(module, wanted):
            raise UsageError(f"{path} has no class {wanted!r}", way_out=f"it has: {', '.join(_own(module)) or 'none'}")
        return getattr(module, wanted)
    found = [value for name in _own(module) if (accept is None or accept(value := getattr(module, name)))]
    if not found:
        raise UsageError(f"{path} has no class that could be a {kind.rstrip('s')}", way_out="write one; `splitbrain list` shows examples")
    if len(found) != 1:
        raise UsageError(f"{path} has {len(found)} classes that could be a {kind.rstrip('s')}", way_out=f"name one: {path}:Class")
    return found[0]


def _own(module: Any) -> list[str]:
    return [name for name, value in vars(module).items() if isinstance(value, type) and value.__module__ == module.__name__]


def _frames(error: BaseException) -> list[Any]:
    frames, traceback = [], error.__traceback__
    while traceback is not None:
        frames.append(traceback)
        traceback = traceback.tb_next
    return frames[::-1]
