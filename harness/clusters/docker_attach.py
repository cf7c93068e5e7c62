"""Containers of others that a run attaches to: found by compose project, label or names, and never changed but for faults.

Why it exists  most systems to be tested run already; their images, capabilities, users, volumes and networks are theirs.
Relies on      the labels that compose puts on containers; a name staying the same when a container is restarted or made anew.
"""

from __future__ import annotations

from typing import Any

from harness.cluster import Attach
from harness.clusters.docker_engine import LABEL, ROLE, Engine
from harness.errors import SetupError, UsageError
from harness.target import Node

PROJECT, SERVICE, NUMBER, ONEOFF = (f"com.docker.compose.{name}" for name in ("project", "service", "container-number", "oneoff"))
SHOWN = 12


def find_nodes(engine: Engine, attach: Attach) -> list[Node]:
    """Nodes n1.. for the containers asked for; label = the container's name, role = its compose service. Each must run now."""
    with engine.asking("looking for the containers to attach to"):
        everything = [each for each in engine.api.containers(all=True) if _labels(each).get(ROLE) in (None, "node")]
    if attach.compose:
        found = _of_project(everything, attach)
    elif attach.label:
        found = _with_label(everything, attach.label)
    else:
        found = _by_name(everything, attach.containers)
    down = [f"{_name(each)} ({each['State']})" for each in found if each["State"] != "running"]
    if down:
        names = " ".join(_name(each) for each in found if each["State"] != "running")
        raise SetupError(f"not running: {', '.join(down)}", "nothing was touched", f"docker start {names} (docker unpause, if paused)")
    return [Node(f"n{i + 1}", i, _labels(each).get(SERVICE, "node"), _name(each)) for i, each in enumerate(found)]


def _of_project(everything: list[dict[str, Any]], attach: Attach) -> list[dict[str, Any]]:
    projects = sorted({_labels(each)[PROJECT] for each in everything if PROJECT in _labels(each)})
    mine = [each for each in everything if _labels(each).get(PROJECT) == attach.compose and _labels(each).get(ONEOFF, "False") != "True"]
    if not mine:
        there = f"there are: {', '.join(projects[:SHOWN])}" if projects else "start it first: docker compose up -d"
        raise UsageError(f"no container belongs to a compose project {attach.compose!r}", "nothing was touched", there)
    services = sorted({_labels(each).get(SERVICE, "") for each in mine})
    missing = [name for name in attach.services if name not in services]
    if missing:
        raise UsageError(
            f"the project {attach.compose} has no container of {', '.join(missing)}",
            "nothing was touched",
            f"its services: {', '.join(services)}",
        )
    chosen = [each for each in mine if not attach.services or _labels(each).get(SERVICE) in attach.services]
    return sorted(chosen, key=lambda each: (_labels(each).get(SERVICE, ""), int(_labels(each).get(NUMBER, "0") or 0), _name(each)))


def _with_label(everything: list[dict[str, Any]], wanted: str) -> list[dict[str, Any]]:
    key, equals, value = wanted.partition("=")
    found = [each for each in everything if key in _labels(each) and (not equals or _labels(each)[key] == value)]
    if not found:
        raise UsageError(
            f"no container has the label {wanted}", "nothing was touched", "docker ps --format '{{.Names}} {{.Labels}}' shows what there is"
        )
    return sorted(found, key=_name)


def _by_name(everything: list[dict[str, Any]], names: tuple[str, ...]) -> list[dict[str, Any]]:
    by_name = {_name(each): each for each in everything} | {each["Id"][:12]: each for each in everything}
    missing = [name for name in names if name not in by_name]
    if missing:
        there = ", ".join(sorted(_name(each) for each in everything)[:SHOWN]) or "none"
        raise UsageError(f"no container is called {', '.join(missing)}", "nothing was touched", f"there are: {there}")
    if len(set(names)) < len(names):
        raise UsageError("a container is named twice", "nothing was touched", "name each once")
    return [by_name[name] for name in names]


def _labels(container: dict[str, Any]) -> dict[str, str]:
    return container.get("Labels") or {}


def _name(container: dict[str, Any]) -> str:
    """Its own name; links show it under other names too, which have another slash."""
    names = [name.lstrip("/") for name in container["Names"]]
    return str(next((name for name in names if "/" not in name), names[0]))


def is_ours(labels: dict[str, str]) -> bool:
    """True for what a run of ours made."""
    return LABEL in labels
