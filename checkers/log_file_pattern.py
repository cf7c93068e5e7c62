"""Log-file pattern: does a node's log say what no log should say?

Decides    whether a line of the nodes' log files matches a pattern (a panic, an assertion that failed): each match is a finding.
Right      a line is searched as it stands, by Python's regular expressions; a file that is not there has no match.
Unknown    no log of any node was kept, or none whose name was asked for; a bare history file, which has no logs.
Rules out  no consistency model; it is a finding of its own, `log-pattern`.
Source     Jepsen's log-file-pattern; semantics.md 10.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from functools import partial
from typing import ClassVar

from checkers.findings import Findings
from harness.checker import CheckContext
from harness.errors import UsageError
from harness.history.history import History
from harness.verdict import Anomaly, Verdict

MATCH = "log-pattern"
DEFAULT = r"(?i)\bpanic(ked|:)|\bassert(ion)? (failed|failure)|\bSIGSEGV\b|segmentation fault|fatal error:|AddressSanitizer"


def matches(lines: Iterable[str], pattern: str) -> Iterator[tuple[int, str]]:
    """(number, text) of each line that matches; the first line is 1."""
    compiled = re.compile(pattern)
    return ((number, line) for number, line in enumerate(lines, 1) if compiled.search(line))


class LogFilePattern:
    """Judges the logs of a run, given in the context."""

    name: ClassVar[str] = "log-file-pattern"
    options: ClassVar[dict[str, str]] = {
        "pattern": "the regular expression that no line may match",
        "file": "which files of a node: a name or a glob, such as *.log (all of them if not given)",
    }

    def __init__(self, pattern: str = DEFAULT, file: str = "*") -> None:
        try:
            re.compile(pattern)
        except (re.error, TypeError) as error:
            raise UsageError(f"{pattern!r} is no regular expression: {error}", way_out="mend it, or leave it out") from error
        self.pattern, self.file = pattern, file

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"files", "lines"}. counts: lines that match."""
        findings = Findings("", [MATCH])
        facts = {"files": 0, "lines": 0}
        for node in context.logs:
            for name, lines in context.logs[node].items():
                if not fnmatch(name, self.file):
                    continue
                facts["files"] += 1
                facts["lines"] += len(lines)
                for number, text in matches(lines, self.pattern):
                    findings.add(MATCH, (), partial(self._tell, node, name, number, text))
        asked = "" if self.file == "*" else f" whose name is {self.file}"
        return findings.verdict(facts, "" if facts["files"] else f"no log of any node was kept{asked}")

    def _tell(self, node: str, name: str, number: int, text: str) -> Anomaly:
        witness = {"node": node, "file": name, "line": number, "text": text, "pattern": self.pattern}
        return Anomaly(MATCH, f"{node}, {name}, line {number}: {text.strip()[:300]}", witness=witness)


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted line matches the quoted pattern. That it stands in the file is for a person to see: a history holds no logs."""
    return re.search(anomaly.witness["pattern"], anomaly.witness["text"]) is not None
