"""The file formats of histories, one a file; a format is recognised by its content.

Why it exists  a verdict on any tool's history should need no conversion by hand, and adding a format should touch one file and this list.
Relies on      each module having `recognises(head)`, which sees the first bytes of a file (of a folder: its sorted file names, a line
               each), and `read(path, data)` (of a folder: data is empty). The first of the list that recognises a file reads it.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from harness.history.history import History

HEAD = 4096  # bytes that a format may look at
OF_FILES = {  # name -> module, in the order in which they are asked; the last one says why a file is no history at all
    "json": "json_array",
    "jsonl": "jsonl",
    "porcupine": "porcupine",
    "txt": "text_objects",
    "plume": "plume",
    "awdit": "awdit",
    "dbcop": "dbcop",
    "edn": "jepsen_edn",
}
OF_FOLDERS = {"cobra": "cobra"}
NAMES = ("auto", *OF_FILES, *OF_FOLDERS)


class Format(Protocol):
    """A module of this folder."""

    def recognises(self, head: bytes) -> bool:
        """True if a file that begins so is of this format."""
        ...

    def read(self, path: Path, data: bytes) -> History:
        """The history. Raises: HistoryError naming the file and the place in it."""
        ...


def format_named(name: str) -> Format:
    """The format's module."""
    return cast(Format, import_module(f"harness.history.formats.{(OF_FILES | OF_FOLDERS)[name]}"))


def recognise(head: bytes, folder: bool = False) -> str:
    """The name of the format; "" if none knows it. `head` as in the opening."""
    known = OF_FOLDERS if folder else OF_FILES
    return next((name for name in known if format_named(name).recognises(head[:HEAD] if not folder else head)), "")
