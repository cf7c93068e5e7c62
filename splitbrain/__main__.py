"""The command `splitbrain`, guarded: whatever goes wrong ends in one of the documented exit codes, never in a traceback.

Why it exists  argument parsers exit with 2 and import errors with 1 by themselves, which scripts would read as "unknown" and "invalid".
Relies on      exit codes of DESIGN 9: 0 valid, 1 invalid, 2 unknown, 130 interrupted, 254 usage or set-up, 255 internal.
"""

from __future__ import annotations

import contextlib
import os
import sys


def entry() -> None:
    """Run the command line and exit, at once: taking a large history apart object by object would only cost time."""
    code = guarded(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody reads any more
            stream.flush()
    os._exit(code)


def guarded(arguments: list[str]) -> int:
    """Run the command line; the exit code."""
    try:
        _refuse_shadowed_rooms()
        from harness.cli.app import main

        return main(arguments)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `splitbrain show RUN | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 255
    except BaseException as error:
        return _internal(error)


def _refuse_shadowed_rooms() -> None:
    """A folder `targets/` or `harness/` of the user's own, found before ours on the path, would be imported in our place."""
    from importlib.util import find_spec

    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for room in ("harness", "checkers", "nemeses", "workloads", "targets"):
        spec = find_spec(room)
        where = spec.submodule_search_locations if spec is not None else None
        if not where or os.path.dirname(os.path.abspath(next(iter(where)))) != ours:
            found = next(iter(where), "nothing") if where else "nothing"
            print(
                f"the name {room!r} leads to {found} instead of Splitbrain's own folder.\n"
                "Way out: call the command `splitbrain`, or `python -P -m splitbrain`, or leave that folder out of PYTHONPATH.",
                file=sys.stderr,
            )
            raise SystemExit(254)


def _internal(error: BaseException) -> int:
    """Our own bug: one sentence for the user, the traceback into a file that can be sent."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="splitbrain-bug-", suffix=".txt", delete=False) as file:
        traceback.print_exception(error, file=file)
    print(
        f"Splitbrain itself failed: {type(error).__name__}: {error}. This is a bug of ours, no verdict was reached.\n"
        f"Way out: the details are in {file.name}; please report them. What a run had stored is kept: splitbrain check RUN.",
        file=sys.stderr,
    )
    return 255


if __name__ == "__main__":
    entry()
