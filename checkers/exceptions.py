"""Unhandled exceptions: which errors left ops without a known outcome, the most frequent first.

Decides    nothing: it shows. Ops that ended `info` are grouped by the class of their error, each with a count and an example.
Right      an error that a client does not know ends its op as `info`; many of one class are a hole in the client's table of errors.
Unknown    no client op at all.
Rules out  nothing.
Source     Jepsen's unhandled-exceptions; semantics.md 10.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from harness.checker import CheckContext
from harness.history.history import History
from harness.op import INFO, Op
from harness.verdict import Verdict

SHOWN = 20
_WORDS = re.compile(r"^\W*([\w.$-]+(?:\s[\w.$-]+){0,3})")


class Exceptions:
    """Groups `info` completions by the class of their error."""

    name: ClassVar[str] = "exceptions"

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"info": n, "classes": [{"class", "count", "example": op index, "error": text of the example}]}, at most 20 classes."""
        clients = unknown = 0
        counts: dict[str, int] = {}
        example: dict[str, Op] = {}
        for op in history.ops:
            clients += op.is_client
            if op.is_client and op.type == INFO:
                unknown += 1
                name = class_of(op.error)
                counts[name] = counts.get(name, 0) + 1
                example.setdefault(name, op)
        ranked = sorted(counts, key=lambda name: (-counts[name], name))[:SHOWN]
        classes = [{"class": name, "count": counts[name], "example": example[name].index, "error": _text(example[name])} for name in ranked]
        facts = {"info": unknown, "classes": classes}
        return Verdict(True, facts=facts) if clients else Verdict("unknown", reason="the history has no client op", facts=facts)


def _text(op: Op) -> str:
    return str(op.error)[:200]


def class_of(error: Any) -> str:
    """The class of an error: of a text what stands before its first colon; of a list its first entry; of a map its class or type."""
    if error is None:
        return "no error was recorded"
    if isinstance(error, list):
        return class_of(error[0]) if error else "an empty error"
    if isinstance(error, dict):
        named = next((error[name] for name in ("class", "type", "via", "name", "code", "error", "cause") if error.get(name)), None)
        return class_of(named) if named is not None else f"a map of {', '.join(sorted(map(str, error)))}"
    text = str(error).strip()
    before = text.lstrip(":").split(":", 1)[0].strip()
    found = _WORDS.match(before or text)
    return found.group(1) if found else text[:60] or "an empty error"
