"""Errors that people read: what was seen, what is left, the way out; and the two that clients raise.

Why it exists  a traceback shown to a user is a defect, so whatever the world or the user can do wrong is one of these.
               Our own bugs stay assertions.
"""

from __future__ import annotations

EXIT_VALID, EXIT_INVALID, EXIT_UNKNOWN, EXIT_INTERRUPTED, EXIT_USAGE, EXIT_INTERNAL = 0, 1, 2, 130, 254, 255


class SplitbrainError(Exception):
    """Something outside Splitbrain went wrong; the message is for the person who runs it.

    seen     what was observed, with values
    left     what was done or kept, so that nobody has to guess ("" if nothing needs saying)
    way_out  a command or an action that works
    """

    exit_code = EXIT_USAGE

    def __init__(self, seen: str, left: str = "", way_out: str = "") -> None:
        super().__init__(seen)
        self.seen, self.left, self.way_out = seen, left, way_out

    def __str__(self) -> str:
        parts = [part.rstrip(". ") for part in (self.seen, self.left) if part]
        text = ". ".join([*parts[:1], *(part[:1].upper() + part[1:] for part in parts[1:])]) + "."
        return f"{text}\nWay out: {self.way_out.rstrip('.')}." if self.way_out else text


class UsageError(SplitbrainError):
    """A wrong option, name or file: exit 254."""


class SetupError(SplitbrainError):
    """The world is not as needed (no Docker, a node never ready, an image that fails to build): exit 254."""


class LostError(SplitbrainError):
    """Docker, the helper or the cluster was lost for good during a run: exit 2."""

    exit_code = EXIT_UNKNOWN


class HistoryError(SplitbrainError):
    """A history that cannot be read as one: names the file and the line."""


class Definite(Exception):
    """Raised by a client: the operation certainly had no effect. Completes `fail`."""


class Indefinite(Exception):
    """Raised by a client: nobody knows whether the operation had an effect. Completes `info`."""


class Unsupported(Exception):
    """A cluster cannot make this fault; the text says why and how to mend it. The nemesis op completes `fail`, skipped."""
