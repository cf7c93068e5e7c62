"""`splitbrain check`: judge paths one after the other and say so in words or JSON.

Why it exists  a history file of any tool deserves the same verdict as a run of ours.
Relies on      harness.judge for the verdict; nothing is decided here but the order of exit codes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from harness.case import Question
from harness.cli.options import check_question
from harness.errors import UsageError
from harness.judge import judge_path
from harness.results import Results, cannot_judge

_WORST = [0, 2, 1, 254]  # valid, unknown, invalid, error: the last one wins


def check_command(paths: Sequence[Path], question: Question, as_json: bool) -> int:
    """Judge all paths; the worst exit code. A question that nobody can answer is said once, in JSON for each path."""
    refused = ""
    try:
        check_question(question)
    except UsageError as error:
        if not as_json:
            raise
        refused = str(error)
    codes = []
    for path in paths:
        results: Results = cannot_judge(str(path), refused) if refused else judge_path(path, question)
        codes.append(results.exit_code)
        if as_json:
            if results.error:
                sys.stdout.buffer.write(b'{"schema":1,"path":%s,"valid":null,"error":%s}\n' % (_quoted(str(path)), _quoted(results.error)))
            else:
                sys.stdout.buffer.write(results.to_json() + b"\n")
            sys.stdout.buffer.flush()
        elif results.error:
            print(f"{path}: {results.error}" if str(path) not in results.error else results.error, file=sys.stderr)
        else:
            from harness.report import verdict_text

            print(verdict_text(results))
    return max(codes, key=_WORST.index, default=254)


def _quoted(text: str) -> bytes:
    import msgspec

    return msgspec.json.encode(text)
