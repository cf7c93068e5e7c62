"""The house rules that a tool can check: which room may import which, how long a file and a function may be, how a file opens.

Why it exists  rules that nobody checks are broken by the second month; this is called by `./dev lint`.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
ROOMS = ("harness", "checkers", "nemeses", "workloads", "targets", "splitbrain")
MAY_IMPORT = {
    "harness": {"harness"},
    "checkers": {"checkers", "harness"},
    "nemeses": {"nemeses", "harness"},
    "workloads": {"workloads", "harness", "checkers"},
    "targets": {"targets", "harness"},
    "splitbrain": set(ROOMS),
}
MAX_FILE, MAX_FUNCTION = 500, 70
LABELS = {  # files of a kind open with the same labels: people compare them at a glance
    "fault": (r"class \w+:\n(?:.*\n)*?    effect", ("Breaks", "Kinds", "Mechanism", "Proof", "Undone by", "Cannot reach")),
}
FORBIDDEN = re.compile(r"\b(TODO|FIXME|XXX)\b|(^|[^A-Za-z0-9_.])/(work|farm)/")


def problems(path: Path) -> list[str]:
    """What is wrong with one Python file."""
    text = path.read_text()
    where = path.relative_to(TOP)
    found = []
    lines = text.count("\n")
    if lines > MAX_FILE:
        found.append(f"{where}: {lines} lines, {MAX_FILE} at most")
    tree = ast.parse(text)
    if text.strip() and not ast.get_docstring(tree) and where.parts[0] in ROOMS:
        found.append(f"{where}: opens without a paragraph that says why it exists")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION:
                found.append(f"{where}:{node.lineno}: {node.name} has {length} lines, {MAX_FUNCTION} at most")
        found += [f"{where}:{node.lineno}: {room} may not import {name}" for room, name in _imports(where, node)]
    for number, line in enumerate(text.splitlines(), 1):
        if where.parts[0] != ".ci" and FORBIDDEN.search(line):
            found.append(f"{where}:{number}: left open, or a path of one machine: {line.strip()[:80]}")
    if where.parts[0] == "nemeses" and re.search(LABELS["fault"][0], text):
        missing = [label for label in LABELS["fault"][1] if f"\n{label} " not in (ast.get_docstring(tree) or "")]
        if missing:
            found.append(f"{where}: its opening lacks {', '.join(missing)}")
    return found


def _imports(where: Path, node: ast.AST) -> list[tuple[str, str]]:
    room = where.parts[0]
    if room not in MAY_IMPORT:
        return []
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        names = [node.module]
    tops = {name.split(".")[0] for name in names}
    return [(room, top) for top in sorted(tops & set(ROOMS)) if top not in MAY_IMPORT[room]]


def main() -> int:
    """Print what is wrong; exit 1 if anything is."""
    files = [path for room in (*ROOMS, "tests", "bench", "examples", ".ci") for path in sorted((TOP / room).rglob("*.py"))]
    found = [problem for path in files for problem in problems(path)]
    for problem in found:
        print(problem)
    print(f"house: {len(files)} files, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
