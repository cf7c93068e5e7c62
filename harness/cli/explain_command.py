"""`splitbrain explain PATH`: every anomaly of an invalid history in full; with --minimize the smallest history that shows it, as a file.

Why it exists  the verdict convinces whoever reads one line; this is for whoever has to be convinced.
Relies on      the same case and checkers as `check`; the exit code is the verdict's.
"""

from __future__ import annotations

import sys
from pathlib import Path

from harness.case import Case, Question, read_case
from harness.cli.options import check_question
from harness.errors import UsageError
from harness.explain import explain
from harness.history.infer import infer_model
from harness.history.write import write_history
from harness.judge import judge_case
from harness.report import verdict_text
from harness.results import Results
from harness.shrink import shrink


def explain_command(path: Path, question: Question, minimize: bool, out: Path | None, anomaly: str, most: int, patience: float) -> int:
    """Judge, explain, shrink if asked to."""
    check_question(question)
    if most < 1:
        raise UsageError(f"--most is {most}", way_out="give how many anomalies to tell, 1 or more")
    if not patience >= 0:
        raise UsageError(f"--patience is {patience:g}", way_out="give the seconds that --minimize may take")
    if out is not None and not minimize:
        raise UsageError("--out names the file that --minimize writes, and there is no --minimize", way_out="give both, or neither")
    if out is not None and not out.absolute().parent.is_dir():
        raise UsageError(f"{out} cannot be written: there is no folder {out.parent}", way_out="make the folder, or give another path")
    try:
        case = read_case(path, question)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", way_out="give a run's folder or a history file") from error
    results = judge_case(case, question)
    shown = [found for found in results.anomalies if anomaly in ("", found.type)]
    if anomaly and not shown:
        there = ", ".join(results.counts) or "none"
        raise UsageError(f"{path} has no anomaly {anomaly!r}", way_out=f"it has: {there}")
    if not minimize or not shown:
        print(_told(case, results, most, anomaly))
        return results.exit_code
    return _minimize(path, case, results, question, out, shown[0].type, most, patience)


def _told(case: Case, results: Results, most: int, type_: str) -> str:
    shown = [found for found in results.anomalies if type_ in ("", found.type)]
    if not shown:
        return verdict_text(results)
    parts = [verdict_text(results).splitlines()[0]]
    for number, anomaly in enumerate(shown[:most], 1):
        parts += ["", f"── {number} of {len(shown)} ".ljust(118, "─"), "", explain(anomaly, case.history)]
    if len(shown) > most:
        parts += ["", f"{len(shown) - most} more: --most {len(shown)} shows them all"]
    if results.not_:
        holds = ", ".join(results.holds) or "none that is known"
        parts += ["", f"Weakest models ruled out: {', '.join(results.not_)}. Strongest that still hold: {holds}."]
    return "\n".join(parts)


def _minimize(
    path: Path, case: Case, results: Results, question: Question, out: Path | None, type_: str, most: int, patience: float
) -> int:
    whole = next(found for found in results.anomalies if found.type == type_)
    shrunk = shrink(case, whole, question, lambda line: print(line, file=sys.stderr), patience)
    name = question.as_model or infer_model(case.history)
    if name and ".py" not in name:
        shrunk.history.header["model"] = name  # fewer operations may not tell it any more
    target = out or Path(f"{path.name.partition('.')[0] or 'history'}.minimal.jsonl")
    write_history(shrunk.history, target)
    before, after = len(case.history), len(shrunk.history)
    left = f"{target}: {after} of {before} operations, still {type_}"
    end = "Nothing more can be left out" if shrunk.smallest else "More may be left out: --patience gives it more time"
    print(left + f". {end} ({shrunk.asked} times asked).\n", flush=True)
    again = judge_case(case._replace(path=str(target), history=shrunk.history), question)
    print(_told(case._replace(history=shrunk.history), again, most, type_))
    return results.exit_code
