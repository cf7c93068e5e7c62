"""Options that targets and workloads declare: name, kind, default, what they do; and the reading of `key=value` texts.

Why it exists  `-o r=1` on the command line, `r = 1` in a plan file and `--help`'s table all come from one declaration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from harness.errors import UsageError


class Option(NamedTuple):
    """One declared option. `choices` empty: any value of the default's type (or of `kind`)."""

    default: Any
    doc: str
    choices: tuple[Any, ...] = ()
    kind: type | None = None

    def read(self, name: str, value: Any) -> Any:
        """Bring a text (or a TOML value) to the option's type; UsageError says what is allowed."""
        kind = self.kind or (type(self.default) if self.default is not None else str)
        try:
            read = _as(kind, value)
        except (TypeError, ValueError) as error:
            raise UsageError(f"option {name}={value!r} is not a {kind.__name__}", way_out=f"give {name} as {self.shape()}") from error
        if self.choices and read not in self.choices:
            raise UsageError(f"option {name}={value!r} is not known", way_out=f"use one of {self.shape()}")
        return read

    def shape(self) -> str:
        """What may be written, for people."""
        return "|".join(map(str, self.choices)) if self.choices else f"{(self.kind or type(self.default)).__name__}"


def _as(kind: type, value: Any) -> Any:
    if kind is bool:
        if isinstance(value, bool):
            return value
        text = str(value).lower()
        if text in ("true", "yes", "on", "1"):
            return True
        if text in ("false", "no", "off", "0"):
            return False
        raise ValueError(text)
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    return kind(value)


def read_options(declared: Mapping[str, Option], given: Mapping[str, Any], of: str) -> dict[str, Any]:
    """Defaults overlaid with what was given. UsageError names an unknown option and those there are."""
    for name in given:
        if name not in declared:
            known = ", ".join(sorted(declared)) or "none"
            raise UsageError(f"{of} has no option {name!r}", way_out=f"its options: {known}; see `splitbrain show {of.split()[-1]}`")
    return {
        name: option.read(name, given.get(name, option.default)) if (name in given or option.default is not None) else None
        for name, option in declared.items()
    }
