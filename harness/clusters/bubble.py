"""The bubble: namespaces in which a local run lives, so that its nodes, networks and mounts end with it, however it ends.

Why it exists  a run that is killed must leave nothing; what lives in a pid namespace dies with its first process, and its networks
               and mounts go with the last one that uses them. A user namespace lets an ordinary user do this.
Relies on      Linux namespaces (network, mount, pid; user where we are not root). Where they are forbidden, the caller learns why
               and runs without: relay mode.

Four processes: the command (it judges afterwards), a parent that keeps the namespaces, their first process (it reaps), and the run itself.
Each but the first dies when the one before it does. Signals for the command are passed on along this chain, each once.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x00020000, 0x10000000, 0x20000000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_SET_PDEATHSIG = 1
SIGNALS = (signal.SIGINT, signal.SIGTERM)
libc = ctypes.CDLL(None, use_errno=True)


class Forbidden(Exception):
    """This machine does not let us make namespaces; the text says what it refused."""


def call(name: str, *arguments: object) -> None:
    """A system call by its C name. OSError if it fails."""
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def die_with_parent(parent: int) -> None:
    """Be killed when the parent dies, which may have happened already."""
    call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(255)


def run_in_bubble(main: Callable[[], int]) -> int:
    """Run `main` in new namespaces; its exit code, or 128 + the signal that ended it. Forbidden if they cannot be made.

    Call it before any loop or thread is started in this process.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    told, tell = os.pipe()
    parent = os.getpid()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    keeper = os.fork()
    if keeper == 0:
        os.close(told)
        _keep(main, parent, tell)
    os.close(tell)
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    before = _pass_signals_to(keeper)
    try:
        with os.fdopen(told) as pipe:
            refused = pipe.read()
        code = _wait(keeper)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if refused:
        raise Forbidden(refused)
    return code


def why_forbidden() -> str:
    """What this machine refuses of a bubble; "" if one can be made."""
    try:
        run_in_bubble(lambda: 0)
    except Forbidden as error:
        return str(error)
    return ""


def _keep(main: Callable[[], int], parent: int, tell: int) -> NoReturn:
    """The process that makes the namespaces and waits for their first process."""
    try:
        os.setpgid(0, 0)  # Ctrl-C reaches the command alone, which passes it on once
        die_with_parent(parent)
        _unshare()
        ready, go = os.pipe()
        first = os.fork()
        if first == 0:
            os.close(go)
            _first(main, tell, ready)
        os.close(ready)
        os.close(tell)
        _pass_signals_to(first)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        os.write(go, b"1")
        os._exit(_wait(first))
    except BaseException as error:
        _tell(tell, error)
    os._exit(255)


def _unshare() -> None:
    user, group = os.geteuid(), os.getegid()
    call("unshare", CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | (CLONE_NEWUSER if user else 0))
    if user:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)


def _first(main: Callable[[], int], tell: int, ready: int) -> NoReturn:
    """The first process of the pid namespace: mounts /proc, starts the run, reaps orphans, ends with the run; all others end with it."""
    try:
        call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if not os.read(ready, 1):  # our parent died before we asked to die with it
            os._exit(255)
        call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
        call("mount", b"proc", b"/proc", b"proc", 0, None)
        run = os.fork()
        if run == 0:
            os.close(tell)
            _run(main)
        os.close(tell)
        _pass_signals_to(run)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        while True:
            pid, status = os.wait()
            if pid == run:
                os._exit(_code(status))
    except BaseException as error:
        _tell(tell, error)
    os._exit(255)


def _run(main: Callable[[], int]) -> NoReturn:
    code = 255
    try:
        for number in SIGNALS:
            signal.signal(number, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        code = main()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _tell(tell: int, error: BaseException) -> None:
    with contextlib.suppress(OSError):
        os.write(tell, (str(error) or type(error).__name__).encode())


def _pass_signals_to(pid: int) -> dict[int, Any]:
    def pass_on(number: int, _frame: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    return {number: signal.signal(number, pass_on) for number in SIGNALS}


def _wait(pid: int) -> int:
    return _code(os.waitpid(pid, 0)[1])


def _code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
