"""The formats of sessions: Cobra, Plume, dbcop, AWDIT. What is whole is read, what is torn is refused with the place."""

import random
import re
from pathlib import Path
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import HistoryError
from harness.history.formats import awdit, plume
from harness.history.formats import cobra as cobra_format
from harness.history.infer import infer_model
from harness.history.read import read_history
from harness.history.session_columns import read_awdit, read_cobra, read_plume, session_columns

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"
INITIAL, NULL = 0xBEBEEBEE, 0xDEADBEEF


def txns(history):
    """(process, outcome, micro-ops that count) of each transaction."""
    return [
        (call.invoke.process, call.outcome, (call.completion if call.outcome == "ok" else call.invoke).value) for call in history.calls()
    ]


def read(tmp_path, data, format="auto"):
    path = tmp_path / "history"
    path.write_bytes(data)
    history = read_history(path, format)
    assert history.by_sessions and [op.index for op in history.ops] == list(range(len(history)))
    assert infer_model(history) in ("rw-register", "")
    return history


def refusal(tmp_path, data, format="auto"):
    with pytest.raises(HistoryError) as caught:
        read(tmp_path, data, format)
    assert caught.value.way_out and "\n" not in caught.value.seen
    return caught.value.seen.removeprefix(str(tmp_path / "history"))


# Plume


def test_plume(tmp_path):
    data = b"w(1,5,2,7)\nr(1,5,1,8)\nr(2,0,2,7)\nw(3,4,1,-1)\nw(3,5,1,-1)\nr(3,0,1,9)\nw(3,6,1,-1)\n\n"
    history = read(tmp_path, data)
    assert txns(history) == [
        (1, "ok", [["r", 1, 5]]),
        (1, "fail", [["w", 3, 4], ["w", 3, 5]]),  # aborted lines that follow each other are one transaction
        (1, "ok", [["r", 3, None]]),  # nobody wrote 0 to it: its initial value
        (1, "fail", [["w", 3, 6]]),
        (2, "ok", [["w", 1, 5], ["r", 2, None]]),  # its lines need not be together
    ]
    assert history.header == {"order": "session"}
    assert [op.value for op in history.ops[:2]] == [[["r", 1, None]], [["r", 1, 5]]]


def test_plume_zero_is_a_value_where_somebody_writes_it(tmp_path):
    history = read(tmp_path, b"w(1,0,1,1)\nr(1,0,2,2)\nr(2,0,2,2)\n")
    assert txns(history)[1] == (2, "ok", [["r", 1, 0], ["r", 2, None]])


@pytest.mark.parametrize(
    ("data", "first"),
    [
        (b"w(1,0,0,0)\nw(2,0,0,0)\nr(1,0,1,1)\nw(2,1,2,2)\n", True),
        (b"w(1,0,0,0)\nr(1,0,1,1)\nw(2,1,2,2)\n", False),  # it does not write every key
        (b"w(1,0,0,0)\nr(2,0,0,0)\nr(1,0,1,1)\n", False),  # it reads
        (b"w(1,0,0,0)\nr(1,0,0,1)\nr(1,0,1,2)\n", False),  # it is not alone in its session
        (b"r(1,0,1,1)\nw(1,0,0,0)\n", False),  # the file does not begin with it
        (b"w(1,0,0,3)\nr(1,0,1,1)\n", False),  # another transaction is first
        (b"w(1,0,0,0)\n", False),  # there is nothing to precede
        (b"w(1,0,0,0)\nw(1,1,0,0)\nr(1,0,1,1)\n", False),  # it writes a key twice
        (b"w(1,0,0,-1)\nr(1,0,1,1)\n", False),  # it aborted
    ],
)
def test_plume_the_transaction_of_the_initial_values(tmp_path, data, first):
    assert (read(tmp_path, data).header == {"order": "session", "first_txn": True}) is first
    columns = read_plume(data, lambda: None)
    assert columns is None or ("first_txn" in columns.header) is first


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"w(1,5,2,7)\nr(1,5,1\n", ", line 2: not a micro-op: 'r(1,5,1'"),
        (b"w(1,5,2,7)\nr(1,5,1,8)x\n", ", line 2: not a micro-op: 'r(1,5,1,8)x'"),
        (b"w(1,5,2,7)\nr(1,5,1,-2)\n", ", line 2: not a micro-op: 'r(1,5,1,-2)'"),
        (b"w(1,5,2,7)\nr(1,5,-1,2)\n", ", line 2: not a micro-op: 'r(1,5,-1,2)'"),
        (b"w(1,5,2,7)\nq(1,5,1,2)\n", ", line 2: not a micro-op: 'q(1,5,1,2)'"),
        (b"w(1,5,2,7)\n\xff\n", ", line 2: not a micro-op: '\ufffd'"),
    ],
)
def test_plume_refused(tmp_path, data, where):
    assert refusal(tmp_path, data) == where
    assert read_plume(data, lambda: None) is None


# AWDIT


def test_awdit(tmp_path):
    data = b"=====\nw 0 0\nr 1 2\n-----\n-----\n\nr 0 0\n=====\n=====\nw 1 2\r\n====="
    history = read(tmp_path, data)
    assert txns(history) == [(0, "ok", [["w", 0, 0], ["r", 1, 2]]), (0, "ok", [["r", 0, 0]]), (1, "ok", [["w", 1, 2]])]
    assert txns(read(tmp_path, b"r 1 0"))[0][2] == [["r", 1, 0]]  # 0 is a value like any other


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"w 0 1\nr 0\n", ", line 2: not a micro-op: 'r 0'"),
        (b"w 0 1\n--=--\n", ", line 2: not a micro-op: '--=--'"),
        (b"w 0 1\nr 0 -1\n", ", line 2: not a micro-op: 'r 0 -1'"),
        (b"w 0 1\nr 0 1 2\n", ", line 2: not a micro-op: 'r 0 1 2'"),
    ],
)
def test_awdit_refused(tmp_path, data, where):
    assert refusal(tmp_path, data) == where
    assert read_awdit(data, lambda: None) is None


# Cobra


def records(*parts):
    """S txn, C txn, W id key value, R writer id key value."""
    return b"".join(part[0].encode() + pack(f">{len(part) - 1}Q", *part[1:]) for part in parts)


def cobra(tmp_path, **logs):
    folder = tmp_path / "logs"
    folder.mkdir(exist_ok=True)
    for name, data in logs.items():
        (folder / f"{name}.log").write_bytes(data)
    history = read_history(folder)
    assert history.by_sessions
    logs = [(int(name[1:]), data) for name, data in sorted(logs.items(), key=lambda log: int(log[0][1:]))]
    fast = read_cobra(logs, lambda: history)
    assert fast is None or list(fast.ops[:]) == history.ops
    return history


def test_cobra(tmp_path):
    key = (1 << 64) - 1
    history = cobra(
        tmp_path,
        T10=records(("S", 1), ("W", 100, key, 7), ("C", 1), ("S", 2), ("R", INITIAL, INITIAL, 5, 0), ("C", 2)),
        T2=records(("S", 3), ("R", 1, 100, key, 7), ("R", NULL, NULL, 6, 0), ("C", 3)),
    )
    assert txns(history) == [
        (2, "ok", [["r", key, 100], ["r", 6, None]]),
        (10, "ok", [["w", key, 100]]),
        (10, "ok", [["r", 5, None]]),
    ]


def test_cobra_a_read_that_names_a_transaction_without_that_write(tmp_path):
    history = cobra(tmp_path, T0=records(("S", 1), ("W", 100, 5, 7), ("C", 1), ("S", 2), ("R", 9, 100, 5, 7), ("C", 2)))
    assert txns(history)[1] == (0, "ok", [["r", 5, [9, 100]]])  # a value that nobody wrote


WHOLE = records(("S", 1), ("W", 100, 5, 7), ("R", 1, 100, 5, 7), ("C", 1))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (WHOLE[:-1], r"byte 67: a record C has 9 bytes, of which 8 are there"),
        (WHOLE[:67], r"byte 67: the log ends within transaction 0x1: a record C was expected"),
        (WHOLE + b"X", r"byte 76: a record begins with S, W, R or C, not with byte 0x58"),
        (records(("C", 1)), r"byte 0: record C outside a transaction"),
        (records(("S", 1), ("S", 2)), r"byte 9: record S inside a transaction"),
        (records(("S", 1), ("C", 2)), r"byte 9: transaction 0x1 began, but 0x2 commits"),
        (records(("S", 1), ("R", INITIAL, 5, 5, 5)), r"byte 9: a read names transaction 0xbebeebee and write 0x5: both or neither may"),
        (b"", r"has no transaction in its logs"),
    ],
)
def test_cobra_refused(tmp_path, data, what):
    with pytest.raises(HistoryError, match=what):
        cobra(tmp_path, T0=data)


def test_a_folder_without_logs_is_no_cobra_history(tmp_path):
    (tmp_path / "T.log").write_bytes(WHOLE)
    with pytest.raises(HistoryError, match=r"is a folder without a history\.jsonl"):
        read_history(tmp_path)


# dbcop


def dbcop(*sessions, info=b"made"):
    """Sessions of (events, success), events of (write, key, value, success)."""
    date = b"2024-05-06T07:08:09+00:00"
    texts = b"".join(pack("<Q", len(text)) + text for text in (info, date, date))
    data = pack("<5Q", 0, len(sessions), 1, 1, 1) + texts + pack("<Q", len(sessions))
    for session in sessions:
        data += pack("<Q", len(session))
        for events, success in session:
            data += pack("<Q", len(events)) + b"".join(pack("<?QQ?", *event) for event in events) + pack("<?", success)
    return data


FILE = dbcop(
    [([(True, 1, 5, True), (False, 2, 0, True)], True), ([(True, 1, 6, True), (False, 1, 5, True), (True, 1, 7, False)], False)],
    [([(True, 2, 8, False), (False, 1, 5, True), (False, 3, 9, False)], True)],
)


def test_dbcop(tmp_path):
    assert txns(read(tmp_path, FILE)) == [
        (0, "ok", [["w", 1, 5], ["r", 2, None]]),  # nobody wrote 0
        (0, "fail", [["w", 1, 6], ["w", 1, 7]]),
        (1, "ok", [["r", 1, 5]]),
        (1, "fail", [["w", 2, 8]]),  # a write without success inside a transaction that has it
    ]
    assert txns(read(tmp_path, dbcop([([(True, 1, 0, True)], True)], [([(False, 1, 0, True)], True)])))[1][2] == [["r", 1, 0]]


def test_dbcop_cut_anywhere_says_where(tmp_path):
    for cut in range(1, len(FILE)):
        seen = refusal(tmp_path, FILE[:cut], "dbcop")
        assert (place := re.match(r", byte (\d+): .*expected", seen)) is not None and int(place[1]) <= cut, seen
    assert refusal(tmp_path, FILE + b"\0", "dbcop") == f", byte {len(FILE)}: the history ends here, 1 bytes before the file does"
    assert "0 or 1 was expected (whether a transaction succeeded), not 7" in refusal(tmp_path, FILE[:-1] + b"\7", "dbcop")


# All


@pytest.mark.parametrize("format", ["plume", "awdit"])
def test_the_compiled_readers_agree_with_the_ordinary_ones(format):
    module, compiled = {"plume": (plume, read_plume), "awdit": (awdit, read_awdit)}[format]
    rng = random.Random(format)
    refused = columns = 0
    for _ in range(400):
        lines = []
        for _ in range(rng.randint(1, 30)):
            f, k, v = rng.choice("rw"), rng.randint(0, 3), rng.randint(0, 4)
            if format == "plume":
                lines.append(f"{f}({k},{v},{rng.choice([0, 1, 10**17])},{rng.choice([-1, 0, 1, 2, 3])})")
            else:
                lines.append(rng.choice([f"{f} {k} {v}", f"{f} {k} {v}", "-----", "=", ""]))
        data = bytearray("\n".join(lines).encode() + rng.choice([b"", b"\n"]))
        if data and rng.random() < 0.3:
            data[rng.randrange(len(data))] = rng.choice(b"-=,()rw 109\n")
        try:
            exact = module.read_lines(Path("text"), bytes(data))
        except HistoryError:
            exact = None
        fast = compiled(bytes(data), lambda exact=exact: exact)
        if exact is None:
            assert fast is None
            refused += 1
        elif fast is not None:
            assert session_columns(fast) is not None and list(fast.ops[:]) == exact.ops and fast.header == exact.header
            assert fast.ops[len(exact) - 1] == exact.ops[-1]
            columns += 1
    assert refused > 30 and columns > 200


def test_the_compiled_reader_of_cobra_agrees_with_the_ordinary_one(tmp_path):
    rng = random.Random(4)
    refused = columns = 0
    for _ in range(300):
        logs = []
        written = [(INITIAL, INITIAL), (NULL, NULL), (1, 7)]
        for session in range(rng.randint(1, 3)):
            parts = []
            for number in range(rng.randint(0, 3)):
                name = 10 * session + number + 1
                parts.append(("S", name))
                for _ in range(rng.randint(0, 3)):
                    key = rng.choice([0, 5, (1 << 64) - 1])
                    if rng.random() < 0.5:
                        written.append((name, (1 << 63) + len(written)))
                        parts.append(("W", written[-1][1], key, 0))
                    else:
                        parts.append(("R", *rng.choice(written), key, 0))
                parts.append(("C", name))
            data = bytearray(records(*parts))
            if data and rng.random() < 0.15:
                data[rng.randrange(len(data))] = rng.choice([0, 1, *b"SCWR"])
            logs.append((session, tmp_path / f"T{session}.log", bytes(data)))
        try:
            exact = cobra_format.read_logs(tmp_path, logs)
        except HistoryError:
            exact = None
        fast = read_cobra([(session, data) for session, _, data in logs], lambda exact=exact: exact)
        if exact is None:
            assert fast is None
            refused += 1
        elif fast is not None:
            assert list(fast.ops[:]) == exact.ops and fast.header == exact.header
            columns += 1
    assert refused > 20 and columns > 150, (refused, columns)


def test_many_sessions_and_transactions_are_grouped(monkeypatch, tmp_path):
    """More of them than the first tables of the compiled reader hold, their lines mixed."""
    rng = random.Random(3)
    lines = [f"w({k},1,{rng.randrange(700)},{k})\nr({k},0,{k % 600},{10**6 + k % 3000})\n" for k in range(6000)]
    data = "".join(lines).encode()
    monkeypatch.setattr(plume, "LARGE", 1000)
    history = read(tmp_path, data)
    assert session_columns(history) is not None
    assert history.ops[:] == plume.read_lines(tmp_path, data).ops


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["plume", "awdit", "dbcop"]), st.binary(max_size=200), st.integers(0, 400))
def test_garbage_is_refused_in_a_sentence(tmp_path_factory, format, garbage, at):
    data = {"plume": b"w(1,5,2,7)\nr(1,5,1,8)\n" * 3, "awdit": b"w 1 5\n-----\nr 1 5\n=====\n" * 3, "dbcop": FILE}[format]
    path = tmp_path_factory.mktemp("garbage") / "history"
    path.write_bytes((data[: at % len(data)] + garbage + data[at % len(data) :]) or b"w")
    for name in (format, "auto"):
        seen = "a history"
        try:
            infer_model(read_history(path, name))
        except HistoryError as error:
            seen = error.seen
        assert seen and "\n" not in seen


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the recorded histories are not beside this checkout")
def test_recorded_logs_of_cobra():
    for path, count in (("ser-violation/cock-G2", 446), ("one-shot-10k/twitter-10000", 9990)):
        history = read_history(CORPORA / "DBCobra+CobraLogs" / path)
        assert len(history) == 2 * count
        reads = [mop[2] for op in history.ops if op.type == "ok" for mop in op.value if mop[0] == "r"]
        assert not any(isinstance(value, list) for value in reads)  # each read names the transaction that has that write
