"""Reading a history of any format from a file or folder.

Why it exists  every command that judges, explains or converts begins here: one place says what a path is and refuses what it is not.
Relies on      the formats (formats/), each in a file of its own, recognised by content.
"""

from __future__ import annotations

import gc
from pathlib import Path

from harness.errors import HistoryError
from harness.history import txn_columns
from harness.history.columns import read_columns
from harness.history.formats import NAMES, OF_FOLDERS, format_named, recognise
from harness.history.history import History

WANTED = "give a run's folder or a history file"


def read_history(path: Path, format: str = "auto") -> History:
    """The history in a file or a run's folder.

    Raises: HistoryError naming the file, the line and what was expected. A torn last line of ours is dropped with a note.
    """
    if format not in NAMES:
        raise HistoryError(f"no format is called {format!r}", way_out=f"choose one of: {', '.join(NAMES)}")
    path, data, head = _open(path, format)
    folder = path.is_dir()
    chosen = recognise(head, folder) if format == "auto" else format
    if not chosen or folder != (chosen in OF_FOLDERS):
        raise HistoryError(f"{path} is a {'folder' if folder else 'file'} that no format knows", way_out=WANTED)
    collecting = gc.isenabled()
    # Millions of new lists, none of them garbage: the collector would walk them again and again, for longer than reading takes. Frozen, it
    # never will, and a forked checker does not copy their pages for it.
    gc.disable()
    try:
        return format_named(chosen).read(path, data)
    except UnicodeDecodeError as error:
        raise HistoryError(f"{path} is not text (byte {error.start})", way_out="give a history file") from error
    except RecursionError as error:
        raise HistoryError(f"{path} nests deeper than any history", way_out="give a history file") from error
    finally:
        if collecting:
            gc.freeze()
            gc.enable()


def _open(path: Path, format: str) -> tuple[Path, bytes, bytes]:
    """(file or folder, content of a file, what the formats look at)."""
    given = path
    try:
        if path.is_dir():
            names = "\n".join(sorted(entry.name for entry in path.iterdir())).encode()
            if format in OF_FOLDERS or (format == "auto" and not (path / "history.jsonl").exists() and recognise(names, folder=True)):
                return path, b"", names
            path = path / "history.jsonl"
        data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except FileNotFoundError as error:
        if path == given:
            raise _unread(path, error) from error
        raise HistoryError(f"{given} is a folder without a history.jsonl (a run) or T*.log (Cobra's)", way_out=WANTED) from error
    except OSError as error:
        raise _unread(path, error) from error
    if not data.strip():
        raise HistoryError(f"{path} is empty: it has no operation that could be judged", way_out=WANTED)
    return path, data, data


def _unread(path: Path, error: OSError) -> HistoryError:
    return HistoryError(f"{path} cannot be read: {error.strerror or error}", way_out=WANTED)


def compile_kernels() -> None:
    """Compile what is compiled for large histories, by reading and judging a small one; cached by numba for all later processes."""
    from harness.registry import find, names

    line = '{"index":%d,"time":0,"process":0,"type":"%s","f":"%s","value":{"key":"a","value":%s},"error":null,"node":"n1","ext":null}\n'
    ops = [("invoke", "write", 1), ("ok", "write", 1), ("invoke", "read", "null"), ("ok", "read", 1)]
    columns = read_columns("".join(line % (i, *op) for i, op in enumerate(ops)).encode(), 0)
    assert columns is not None, "the small history is of the usual kind"
    txn_columns.compile_kernels()
    for name in names("checkers"):
        if (compile_own := getattr(find("checkers", name), "compile_kernels", None)) is not None:
            compile_own(columns)
