"""Serializability and snapshot isolation: named anomalies, small and planted in large histories, options, and what is said of them."""

from pathlib import Path

import pytest

from checkers.serial import Serial, verify_witness
from checkers.serial.certificate import Moment, verify_order
from checkers.serial.checker import judge
from checkers.serial.decide import MODELS, decide
from checkers.transactions.txns import read_register_txns
from harness.checker import CheckContext
from harness.errors import UsageError
from harness.history.history import History
from harness.history.read import read_history
from harness.op import Op
from tests.checkers.histories_serial import tpcc_like, valid_history

CORPORA = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"


def history(*events, header=None):
    """Events (process, type, micro-ops); two tokens "r x 1" and "w x 1" are micro-ops."""
    ops = []
    for process, type_, text in events:
        mops = [[f, k, None if v == "-" else int(v)] for f, k, v in (mop.split() for mop in text.split(", "))]
        ops.append(Op(len(ops), len(ops), process, type_, "txn", mops))
    return History(ops, header)


def together(*texts, outcomes=None):
    """Transactions that all overlap, one a process."""
    kinds = outcomes or ["ok"] * len(texts)
    return history(*((i, "invoke", text) for i, text in enumerate(texts)), *((i, kinds[i], text) for i, text in enumerate(texts)))


def check(given, model, **options):
    verdict = Serial(consistency=model, **options).check(given, CheckContext())
    assert all(verify_witness(given, anomaly) for anomaly in verdict.anomalies), verdict.anomalies
    return verdict


def holds(given):
    """The models that hold, each asked by itself."""
    return {model for model in MODELS if check(given, model).valid is True}


SER = {"serializable", "strong-session-serializable", "strict-serializable"}
SI = {"snapshot-isolation", "strong-session-snapshot-isolation", "strong-snapshot-isolation"}
WRITE_SKEW = ("r x -, r y -, w x 1", "r x -, r y -, w y 2")
LOST_UPDATE = ("r x -, w x 1", "r x -, w x 2")
LONG_FORK = ("w x 1", "w y 2", "r x 1, r y -", "r x -, r y 2")
FRACTURED = ("w x 1, w y 1", "w x 2, w y 2", "r x 2, r y 1")
READ_SKEW = ("r x -, r y 2", "r x -, w x 1, w y 2")
ANOMALIES = [
    (WRITE_SKEW, SER, "G2-item"),
    (LOST_UPDATE, SER | SI, "lost-update"),
    (LONG_FORK, SER | SI, "G-nonadjacent-item"),
    (FRACTURED, SER | SI, "not-snapshot-isolated"),  # checkers.md section 8, case 4: Elle says valid
    (READ_SKEW, SER | SI, "G-single-item"),
    (("w x 1, r y 1", "w y 1, r x 1"), SER | SI, "G1c"),
    (("r x 3",), SER | SI, "garbage-read"),
    (("r x 1, w x 1",), SER | SI, "future-read"),
    (("w x 1, w x 2", "r x 1"), SER | SI, "G1b"),
    (("w x 1", "r x 1, r x -"), SER | SI, "internal"),
]


@pytest.mark.parametrize(("texts", "broken", "type_"), ANOMALIES)
def test_each_anomaly_breaks_its_models_and_has_its_name(texts, broken, type_):
    given = together(*texts)
    for model in MODELS:
        verdict = check(given, model)
        assert verdict.valid is (model not in broken), model
        assert [anomaly.type for anomaly in verdict.anomalies] == ([type_] if model in broken else [])
        assert all(model in anomaly.rules_out for anomaly in verdict.anomalies if type_ != "internal")


@pytest.mark.parametrize(("texts", "broken", "type_"), ANOMALIES)
@pytest.mark.parametrize("by_sessions", [False, True])
def test_planted_in_a_large_valid_history_it_is_found(texts, broken, type_, by_sessions):
    given = valid_history(7, 400, keys=30, by_sessions=by_sessions)
    assert check(given, "serializable").valid is True
    planted = []
    for op in together(*(text.replace("x", "px").replace("y", "py") for text in texts)).ops:
        planted.append(Op(0, 0, 10**6 + op.process, op.type, "txn", op.value))
    middle = len(given.ops) // 2
    ops = [*given.ops[:middle], *planted, *given.ops[middle:]]
    spoilt = History([Op(i, i, op.process, op.type, op.f, op.value) for i, op in enumerate(ops)], given.header)
    verdict = check(spoilt, "serializable")
    assert verdict.valid is False
    assert list(verdict.counts) == [type_]
    assert check(spoilt, "snapshot-isolation").valid is ("snapshot-isolation" not in broken)


def test_write_skew_is_told_so_that_a_person_can_follow():
    (anomaly,) = check(together(*WRITE_SKEW), "serializable").anomalies
    assert anomaly.message == (
        "T1 = (r x null; r y null; w x 1) by process 0, #0–#2. T2 = (r x null; r y null; w y 2) by process 1, #1–#3. "
        "T1 read the initial null from y, which T2's 2 came after, T2 read the initial null from x, which T1's 1 came after. "
        "So it comes before itself, a contradiction."
    )
    assert anomaly.rules_out[0] == "repeatable-read" and "snapshot-isolation" not in anomaly.rules_out


def test_what_is_left_is_said():
    verdict = check(together(*WRITE_SKEW), "strict-serializable")
    assert verdict.holds == ["strong-snapshot-isolation"] and verdict.not_models == ["repeatable-read"]
    assert check(together("w x 1", "r x 1"), "snapshot-isolation").holds == ["strict-serializable"]


def test_sessions_and_real_time_count_where_they_are_promised():
    # Process 0 writes x; then, in its own session or in another one, somebody still reads the null.
    same = history((0, "invoke", "w x 1"), (0, "ok", "w x 1"), (0, "invoke", "r x -"), (0, "ok", "r x -"))
    other = history((0, "invoke", "w x 1"), (0, "ok", "w x 1"), (1, "invoke", "r x -"), (1, "ok", "r x -"))
    assert holds(same) == {"serializable", "snapshot-isolation"}
    assert holds(other) == set(MODELS) - {"strict-serializable", "strong-snapshot-isolation"}
    assert check(same, "strong-session-serializable").anomalies[0].type == "G-single-item-process"
    assert check(other, "strict-serializable").anomalies[0].type == "G-single-item-realtime"


def test_real_time_reaches_over_what_happened_between():
    one, between = [(0, "invoke", "w x 1"), (0, "ok", "w x 1")], [(1, "invoke", "w y 1"), (1, "ok", "w y 1")]
    late = [(2, "invoke", "r x -"), (2, "ok", "r x -")]
    assert check(history(*one, *between, *late), "strict-serializable").valid is False


def test_a_crashed_transaction_comes_before_nothing_in_its_session():
    crashed = [(0, "invoke", "w x 1"), (0, "info", "w x 1"), (0, "invoke", "r x -"), (0, "ok", "r x -")]
    seen = [(1, "invoke", "r x 1"), (1, "ok", "r x 1")]
    assert check(history(*crashed, *seen), "strict-serializable").valid is True


def test_a_file_of_sessions_says_nothing_about_real_time():
    other = history((0, "invoke", "w x 1"), (0, "ok", "w x 1"), (1, "invoke", "r x -"), (1, "ok", "r x -"), header={"order": "session"})
    verdict = check(other, "strict-serializable")
    assert verdict.valid == "unknown" and verdict.reason.startswith("the file knows the order of sessions alone, which is kept")
    same = history((0, "invoke", "w x 1"), (0, "ok", "w x 1"), (0, "invoke", "r x -"), (0, "ok", "r x -"), header={"order": "session"})
    assert check(same, "strict-serializable").valid is False


def test_the_files_first_transaction_comes_first():
    given = (0, "invoke", "w x 1"), (0, "ok", "w x 1"), (1, "invoke", "r x -"), (1, "ok", "r x -")
    assert check(history(*given, header={"order": "session"}), "serializable").valid is True
    verdict = check(history(*given, header={"order": "session", "first_txn": True}), "serializable")
    assert verdict.valid is False and "T1 is the file's first transaction" in verdict.anomalies[0].message


def test_a_crashed_writer_that_was_read_has_committed():
    # checkers.md section 8, case 3: its other write must be seen, too
    given = together("w x 1, w y 1", "r x 1, r y -", outcomes=["info", "ok"])
    assert check(given, "serializable").anomalies[0].type == "G-single-item"
    assert check(together("w x 1, w y 1", "r x -, r y -", outcomes=["info", "ok"]), "strict-serializable").valid is True


def test_a_crashed_transaction_that_saw_something_committed_only_if_that_is_explained():
    read = together("w x 1, w y 1", "r x 1, r y 7, w z 1", "r z 1", outcomes=["ok", "info", "ok"])
    verdict = check(read, "serializable")
    assert verdict.valid is False and "nobody ever tried to write it" in verdict.anomalies[0].message
    assert check(together("w x 1, w y 1", "r x 1, r y 7, w z 1", "r z -", outcomes=["ok", "info", "ok"]), "serializable").valid is True


def test_a_crashed_transaction_that_contradicts_itself_did_not_commit():
    texts = ("r x 1, r x 2, w y 1", "r y 1", "w x 1", "w x 2")
    verdict = check(together(*texts, outcomes=["info", "ok", "ok", "ok"]), "serializable")
    assert verdict.valid is False and [anomaly.type for anomaly in verdict.anomalies] == ["internal"]


def test_crashed_transactions_that_rest_on_one_that_cannot_be_are_none_themselves():
    texts = ("r b 1, w c 1", "r z 9, w b 1", "r c 1")
    verdict = check(together(*texts, outcomes=["info", "info", "ok"]), "serializable")
    assert verdict.valid is False and [anomaly.type for anomaly in verdict.anomalies] == ["garbage-read"]


def test_a_crashed_transaction_that_fits_nowhere_did_not_commit_if_somebody_else_may_have_been_seen():
    texts = ["w x 1, w y 1", "w x 2, w y 2", "r x 2, r y 1, w z 1", "r z 1", "w z 1"]
    assert check(together(*texts, outcomes=["ok", "ok", "info", "ok", "ok"]), "serializable").valid is True
    assert check(together(*texts[:4], outcomes=["ok", "ok", "info", "ok"]), "serializable").valid is False


def test_a_read_whose_other_source_comes_too_late_proves_that_the_crashed_one_committed():
    torn = [(0, "w x 1, w y 1", "ok"), (1, "w x 2, w y 2", "ok"), (2, "r x 2, r y 1, w z 1", "info"), (3, "r z 1", "ok")]
    events = [*((p, "invoke", text) for p, text, _ in torn), *((p, outcome, text) for p, text, outcome in torn)]
    late = [(4, "invoke", "w z 1"), (4, "ok", "w z 1")]
    assert check(history(*events, *late), "strict-serializable").valid is False
    assert check(history(*events, *late), "serializable").valid is True


def test_reads_that_nothing_explains_are_told_apart():
    found = {
        text: check(together(text, *others, outcomes=["ok", *outcomes]), "serializable").anomalies[0].type
        for text, others, outcomes in [
            ("w x 1, w x 2, r x 1", (), ()),
            ("w x 1, r x 2, w x 2", (), ()),
            ("r x 1", ("w x 1",), ("fail",)),
            ("r x 2", ("w x 2, w x 3", "w x 2"), ("ok", "fail")),
        ]
    }
    assert list(found.values()) == ["internal", "future-read", "G1a", "G1b"]


def test_values_written_twice_have_several_readings():
    assert check(together("w x 1", "w x 1", "r x 1"), "strict-serializable").valid is True
    # Case 9: a key written, read and written again, and read twice from one writer: no contradiction
    assert check(together("w x 4, r x 4, w x 5", "r x 5, r x 5"), "strict-serializable").valid is True
    late = history(
        (0, "invoke", "w x 1"), (0, "ok", "w x 1"), (0, "invoke", "w x 2"), (0, "ok", "w x 2"), (1, "invoke", "r x 1"), (1, "ok", "r x 1")
    )
    assert check(late, "strict-serializable").valid is False
    again = [
        *late.ops[:4],
        Op(4, 4, 2, "invoke", "txn", [["w", "x", 1]]),
        Op(5, 5, 1, "invoke", "txn", [["r", "x", 1]]),
        Op(6, 6, 1, "ok", "txn", [["r", "x", 1]]),
    ]
    assert check(History(again), "strict-serializable").valid is True  # the crashed one may be what was read


def test_values_are_compared_by_type():
    given = together("w x 1", "r x 1")
    given.ops[-1].value = [["r", "x", True]]
    assert check(given, "serializable").anomalies[0].type == "garbage-read"


def test_unknown_is_said_with_the_reason():
    assert check(together("w x 1"), "serializable").reason == "no transaction that read anything succeeded, so nothing was observed"
    assert "not read-committed" in check(together("w x 1", "r x 1"), "read-committed").reason
    forks = together("r a -, w b 1, w x 1", "w x 2, w y 2", "r x 1, w a 1", "r b -, w y 1", "r y 1, r x 2")
    assert check(forks, "serializable", budget=0).valid in ("unknown", False, True)
    with pytest.raises(UsageError):
        Serial(budget="much")


def test_an_order_is_a_proof_only_if_everything_is_right():
    txns = read_register_txns(together("w x 1", "r x 1"))
    right = [Moment(0, True, True), Moment(1, True, True)]
    plain = {"snapshots": False, "sessions": False, "real_time": False}
    assert verify_order(txns, right, **plain)
    assert not verify_order(txns, right[::-1], **plain) and not verify_order(txns, right[:1], **plain)
    assert not verify_order(txns, [*right, right[0]], **plain)
    halves = [Moment(0, True, False), Moment(0, False, True), right[1]]
    assert verify_order(txns, halves, **{**plain, "snapshots": True}) and not verify_order(txns, halves, **plain)
    both = read_register_txns(together("r x -, w x 1", "r x -, w x 2"))
    overlap = [Moment(0, True, False), Moment(1, True, False), Moment(0, False, True), Moment(1, False, True)]
    assert not verify_order(both, overlap, **{**plain, "snapshots": True})
    failed = read_register_txns(together("w y 1", "r x -", outcomes=["fail", "ok"]))
    assert not verify_order(failed, right, **plain) and verify_order(failed, right[1:], **plain)


@pytest.mark.parametrize(
    "given", [tpcc_like(3, 200), valid_history(4, 500, keys=3), valid_history(5, 150, values=4)], ids=["tpcc", "hot", "repeated"]
)
def test_large_valid_histories(given):
    txns = read_register_txns(given)
    for model in MODELS:
        decision = decide(txns, model, by_sessions=given.by_sessions)
        assert decision.valid is True
        wanted = MODELS[model]
        assert verify_order(
            txns,
            decision.moments,
            snapshots=wanted.snapshots,
            sessions=wanted.sessions,
            real_time=wanted.real_time and not given.by_sessions,
        )


def test_snapshots_that_lag_are_snapshot_isolated_and_not_serializable():
    given = valid_history(6, 800, keys=8, snapshots=True)
    assert check(given, "strong-snapshot-isolation").valid is True
    verdict = check(given, "serializable")
    assert verdict.valid is False and set(verdict.counts) <= {"G2-item", "nonserializable"}


def test_the_same_input_gives_the_same_output():
    given = valid_history(8, 200, keys=8, snapshots=True)
    txns = read_register_txns(given)
    assert judge(txns, "serializable") == judge(txns, "serializable")


@pytest.mark.skipif(not CORPORA.is_dir(), reason="no recorded histories here")
@pytest.mark.parametrize(
    ("path", "serializable", "snapshots"),
    [
        ("DBCobra+CobraLogs/ser-violation/cock-G2", False, True),
        ("hengxin+IsoVista/bugs/pg_ser_bug.txt", False, True),
        ("hengxin+IsoVista/bugs/dgraph_si.txt", False, False),
    ],
)
def test_recorded_histories(path, serializable, snapshots):
    given = read_history(CORPORA / path)
    assert check(given, "serializable").valid is serializable
    assert check(given, "snapshot-isolation").valid is snapshots
