"""The history on disk: a killed harness loses nothing that it had recorded; a full disk leaves whole lines."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from harness.errors import HistoryError, SplitbrainError
from harness.history.read import read_history
from harness.journal import Journal
from harness.op import INFO, INVOKE, OK, Op

CHILD = """
import asyncio, sys, time
from pathlib import Path
from harness.interpreter import Interpreter
from harness.journal import Journal
from harness.op import OK, Op

class Worker:
    blocking, read_only, node = False, frozenset(), "n1"
    async def invoke(self, op):
        sys.stdout.write(f"{op.index}\\n")      # the op is dispatched: its invocation must survive
        sys.stdout.flush()
        await asyncio.sleep(0.0005)
        return Op(-1, 0, op.process, OK, op.f, op.value)
    def retire(self): ...
    async def close(self): ...

def seen(op):
    if op.type == "invoke" and op.index > 0:
        print(f"r{op.index - 1}", flush=True)   # recorded before this invocation: flushed with it

journal = Journal(Path(sys.argv[1]), {"splitbrain": 1, "run": "r"})
start = time.monotonic_ns()
interpreter = Interpreter({i: Worker() for i in range(4)}, journal, clock=lambda: time.monotonic_ns() - start, op_timeout_s=5, observe=seen)
asyncio.run(interpreter.run(lambda: {"f": "write", "value": "x" * 300}, 60))
"""


def test_kill_9_in_the_middle_of_a_run_loses_nothing_that_was_recorded(tmp_path):
    path = tmp_path / "history.jsonl"
    child = subprocess.Popen([sys.executable, "-P", "-c", textwrap.dedent(CHILD), str(path)], stdout=subprocess.PIPE, text=True)
    told = [child.stdout.readline() for _ in range(600)]
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read().splitlines()
    assert child.wait(10) == -signal.SIGKILL
    whole = [int(line.strip().lstrip("r")) for line in told + rest[:-1] if line.strip()]
    history = read_history(path)
    assert history.header == {"splitbrain": 1, "run": "r"}
    assert len(whole) > 500 and len(history) > max(whole)  # every op that was dispatched is there, and all recorded before it
    assert [op.index for op in history.ops] == list(range(len(history)))
    assert all(op.value == "x" * 300 for op in history.ops)
    opened = {}
    for op in history.ops:
        assert (op.type == INVOKE) != opened.get(op.process, False)
        opened[op.process] = op.type == INVOKE
    assert sum(opened.values()) <= 4


def op(value=1, type_=INVOKE, process=0):
    return Op(-1, 5, process, type_, "write", value, None, "n1")


def journal_of(path, *ops):
    journal = Journal(path, {"splitbrain": 1, "workload": "register"})
    for each in ops:
        journal.record(each)
    journal.close()


def test_lines_have_the_documented_fields_in_order(tmp_path):
    journal_of(tmp_path / "h", op({"key": "k", "value": None}))
    header, line = (tmp_path / "h").read_text().splitlines()
    assert json.loads(header) == {"splitbrain": 1, "workload": "register"}
    start = '{"index":0,"time":5,"process":0,"type":"invoke","f":"write",'
    assert line == start + '"value":{"key":"k","value":null},"error":null,"node":"n1","ext":null}'


def test_every_torn_tail_costs_one_line_and_says_so(tmp_path):
    path = tmp_path / "history.jsonl"
    journal_of(path, op(), op(type_=OK), op("ä\n\u2028"), op("ä\n\u2028", type_=INFO))
    whole = path.read_bytes()
    second_to_last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for end in range(second_to_last + 1, len(whole) - 1):
        path.write_bytes(whole[:end])
        history = read_history(path)
        assert len(history) == 3 and history.header["workload"] == "register"
        assert history.notes == ["the last line (5) is torn and was dropped"], end
    for end in (second_to_last, len(whole) - 1, len(whole)):  # whole lines, with or without their newline
        path.write_bytes(whole[:end])
        history = read_history(path)
        assert len(history) == (3 if end == second_to_last else 4) and history.notes == []


def test_a_line_torn_in_the_middle_is_refused(tmp_path):
    path = tmp_path / "history.jsonl"
    journal_of(path, op(), op(type_=OK), op(2), op(2, type_=OK))
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:2], lines[2][:40], *lines[3:]]))
    with pytest.raises(HistoryError, match="line 3: not an operation"):
        read_history(path)


def test_a_header_alone_is_an_empty_history(tmp_path):
    journal_of(tmp_path / "history.jsonl")
    history = read_history(tmp_path)
    assert len(history) == 0 and history.header["workload"] == "register"


def test_only_a_torn_line_after_the_header(tmp_path):
    path = tmp_path / "history.jsonl"
    journal_of(path, op())
    path.write_bytes(path.read_bytes()[:-20])
    history = read_history(path)
    assert len(history) == 0 and history.notes == ["the last line (2) is torn and was dropped"]


def test_a_torn_header_is_said(tmp_path):
    path = tmp_path / "history.jsonl"
    path.write_bytes(b'{"splitbrain":1,"wor')
    with pytest.raises(HistoryError, match="line 1: not a header"):
        read_history(path)


FULL = """
import resource, signal, sys
from pathlib import Path
from harness.errors import SplitbrainError
from harness.journal import Journal
from harness.op import Op

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))  # the disk is full after 4096 bytes
journal = Journal(Path(sys.argv[1]), {"splitbrain": 1})
try:
    for n in range(1000):
        journal.record(Op(-1, n, 0, "invoke", "write", "x" * 100))
        journal.flush()
except SplitbrainError as error:
    print(n, error)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))  # space again: nothing may follow the gap
try:
    journal.record(Op(-1, n, 0, "invoke", "write", "late"))
    journal.flush()
except SplitbrainError as error:
    print("again")
"""


def test_a_full_disk_leaves_whole_lines(tmp_path):
    path = tmp_path / "history.jsonl"
    done = subprocess.run([sys.executable, "-P", "-c", FULL, str(path)], capture_output=True, text=True, check=True)
    count, says = done.stdout.split(" ", 1)
    assert "cannot be written: File too large" in says and "splitbrain check" in says and says.rstrip().endswith("again")
    history = read_history(path)
    assert len(history) == int(count) > 10 and history.notes == []


def test_the_store_cannot_be_written(tmp_path):
    with pytest.raises(SplitbrainError, match="cannot be written"):
        Journal(tmp_path / "no" / "such" / "history.jsonl")


def test_no_file_is_left_open(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        journal_of(tmp_path / "h", op())
    assert len(os.listdir("/proc/self/fd")) <= before
