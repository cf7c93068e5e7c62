"""A plan: everything that describes a run. A TOML file and the command line's options are two spellings of it.

Why it exists  a run is stored with its plan, replayed from it, judged again from it; everything random derives from its seed.
Relies on      option names being the keys: `--time-limit 30` is `time_limit = 30`. Secrets stay `env:NAME` and are read at use.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from harness.cluster import Attach
from harness.errors import UsageError


class Plan(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """All of one run. Durations are seconds."""

    target: str
    cluster: str = "local"
    nodes: int = 3
    workload: str = ""
    nemesis: list[str] = []
    schedule: str = ""
    interval: float = 10.0
    rate: float = 200.0
    concurrency: str = "2n"
    time_limit: float = 30.0
    healthy: float = 5.0
    seed: int = 0
    consistency: str = ""
    op_timeout: float = 2.0
    target_options: dict[str, Any] = {}
    workload_options: dict[str, Any] = {}
    compose: str = ""
    service: list[str] = []
    label: str = ""
    containers: list[str] = []
    store: str = "store"
    keep: bool = False
    offline: bool = False
    require_faults: bool = False
    check_timeout: float = 120.0
    check_memory_mb: int = 4096

    @property
    def attach(self) -> Attach:
        return Attach(self.compose, tuple(self.service), self.label, tuple(self.containers))

    def threads(self, nodes: int) -> int:
        """Client threads: a number, or `2n` for twice the nodes."""
        text = self.concurrency.strip()
        try:
            count = int(text[:-1] or 1) * nodes if text.endswith("n") else int(text)
        except ValueError:
            count = 0
        if count < 1:
            raise UsageError(f"concurrency {text!r} is not a number of threads", way_out="give a number such as 6, or 2n for two per node")
        return count

    def secret_free(self) -> Plan:
        """The plan as stored: values stay as written, `env:NAME` included."""
        return self


def resolve_secrets(options: dict[str, Any]) -> dict[str, Any]:
    """Options with `env:NAME` replaced by the environment's value; UsageError if it is not set."""
    resolved = {}
    for key, value in options.items():
        if isinstance(value, str) and value.startswith("env:"):
            name = value[4:]
            if name not in os.environ:
                raise UsageError(f"option {key} wants the environment variable {name}, which is not set", way_out=f"export {name}=…")
            value = os.environ[name]
        resolved[key] = value
    return resolved


def plan_from_mapping(mapping: dict[str, Any], source: str) -> Plan:
    """A plan from TOML data; UsageError names the key that is wrong."""
    try:
        return msgspec.convert(mapping, Plan, strict=True)
    except msgspec.ValidationError as error:
        raise UsageError(f"{source}: {error}", way_out=f"the keys are: {', '.join(Plan.__struct_fields__)}") from error


def read_plan(path: Path) -> Plan:
    """A plan from a TOML file."""
    try:
        return plan_from_mapping(tomllib.loads(path.read_text()), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", way_out="give the path of a plan.toml") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}", way_out="mend the line named") from error


def write_plan(plan: Plan, path: Path) -> None:
    """Store a plan; every key is written, so that a later default changes nothing."""
    full = {name: getattr(plan, name) for name in plan.__struct_fields__}
    path.write_text(tomli_w.dumps(msgspec.to_builtins(full)))
