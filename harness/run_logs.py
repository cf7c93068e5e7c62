"""The nodes' log files of a stored run, read when a checker asks for them.

Why it exists  checkers do no I/O; one that looks for words in logs is given this mapping in its context.
Relies on      logs/<node>/ in the run's folder. A file is read once somebody takes it; bytes that are no text are replaced, not refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path


class NodeLogs(Mapping[str, list[str]]):
    """A node's files: path below its folder -> lines."""

    def __init__(self, folder: Path) -> None:
        self._files = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}

    def __getitem__(self, name: str) -> list[str]:
        return self._files[name].read_text(errors="replace").splitlines()

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


class RunLogs(Mapping[str, NodeLogs]):
    """Node -> its files. Of a run without logs it is empty."""

    def __init__(self, folder: Path) -> None:
        self._nodes = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir()} if folder.is_dir() else {}

    def __getitem__(self, node: str) -> NodeLogs:
        return NodeLogs(self._nodes[node])

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)
