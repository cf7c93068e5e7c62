"""Checkers under a budget: each in a forked child with a limit of time and memory, so that one lost checker loses nobody else's result.

Why it exists  a checker may raise, run for hours inside C code, or eat all memory. Each of these ends as `unknown` with the reason.
Relies on      fork: the history and its columns are shared with the child, nothing is copied or sent; the verdict comes back on a pipe.
"""

from __future__ import annotations

import os
import resource
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

import msgspec

from harness.errors import SplitbrainError
from harness.verdict import Verdict


class Job(NamedTuple):
    """A checker to run: its name in results.json and the call that judges."""

    name: str
    judge: Callable[[], Verdict]


class _Child(NamedTuple):
    job: Job
    pid: int
    deadline: float
    chunks: list[bytes]


def run_jobs(jobs: Sequence[Job], timeout_s: float, memory_mb: int, at_once: int = 2) -> dict[str, Verdict]:
    """Judge each job in a child of its own.

    Args:    timeout_s: wall time of each child; memory_mb: what each may take beyond what it shares; at_once: children at a time.
    Returns: name -> verdict, in the order given. A job that raised or was stopped has `unknown` with the reason.
    """
    waiting, verdicts = list(jobs)[::-1], {}
    with selectors.DefaultSelector() as selector:
        while waiting or selector.get_map():
            while waiting and len(selector.get_map()) < at_once:
                _start(waiting.pop(), timeout_s, memory_mb, selector)
            for name, verdict in _collect(selector, timeout_s, memory_mb):
                verdicts[name] = verdict
    return {job.name: verdicts[job.name] for job in jobs}


def _start(job: Job, timeout_s: float, memory_mb: int, selector: selectors.BaseSelector) -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _judge(job, writing, memory_mb)
    os.close(writing)
    selector.register(reading, selectors.EVENT_READ, _Child(job, pid, time.monotonic() + timeout_s, []))


def _judge(job: Job, writing: int, memory_mb: int) -> NoReturn:
    """In the child: judge, answer, end without running any of the parent's clean-up."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _limit_memory(memory_mb)
        try:
            verdict = job.judge()
        except SplitbrainError as error:
            verdict = Verdict("unknown", reason=str(error))
        except MemoryError:
            verdict = Verdict("unknown", reason=f"the checker needed more than its budget of {memory_mb} MB (--memory)")
        except RecursionError:
            verdict = Verdict("unknown", reason="the history nests deeper than the checker can follow")
        except (Exception, SystemExit) as error:  # the runner's one duty: nothing that a checker does may lose the others
            verdict = Verdict("unknown", reason=f"the checker failed: {type(error).__name__}: {error}{_at(error)}")
        answer = msgspec.json.encode(verdict, enc_hook=str)
        while answer:
            answer = answer[os.write(writing, answer) :]
    finally:
        os._exit(0)


def _at(error: BaseException) -> str:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return ""
    code = traceback.tb_frame.f_code
    return f" ({os.path.basename(os.path.dirname(code.co_filename))}/{os.path.basename(code.co_filename)}:{traceback.tb_lineno})"


def _limit_memory(memory_mb: int) -> None:
    used_kb = 0
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmData:"):
                used_kb = int(line.split()[1])
    limit = (used_kb << 10) + (memory_mb << 20)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _collect(selector: selectors.BaseSelector, timeout_s: float, memory_mb: int) -> list[tuple[str, Verdict]]:
    """Wait until a child says something, ends, or is over its time; give the verdicts of those that ended."""
    children = {key.fd: key.data for key in selector.get_map().values()}
    wait_s = max(0.0, min(child.deadline for child in children.values()) - time.monotonic())
    ended: list[tuple[str, Verdict]] = []
    for key, _ in selector.select(wait_s):
        chunk = os.read(key.fd, 1 << 20)
        if chunk:
            key.data.chunks.append(chunk)
        else:
            ended.append(_end(selector, key.fd, key.data, None, memory_mb))
            children.pop(key.fd)
    for fd, child in children.items():
        if time.monotonic() >= child.deadline:
            os.kill(child.pid, signal.SIGKILL)
            reason = f"the checker was stopped after its budget of {timeout_s:g} s (--timeout)"
            ended.append(_end(selector, fd, child, Verdict("unknown", reason=reason), memory_mb))
    return ended


def _end(selector: selectors.BaseSelector, fd: int, child: _Child, verdict: Verdict | None, memory_mb: int) -> tuple[str, Verdict]:
    selector.unregister(fd)
    os.close(fd)
    _, status = os.waitpid(child.pid, 0)
    if verdict is None:
        try:
            verdict = msgspec.json.decode(b"".join(child.chunks), type=Verdict)
        except msgspec.DecodeError:
            how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit code {os.waitstatus_to_exitcode(status)}"
            verdict = Verdict("unknown", reason=f"the checker's process ended by {how} (budget: {memory_mb} MB)")
    return child.job.name, verdict
