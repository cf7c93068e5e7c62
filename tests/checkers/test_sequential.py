"""Sequential, causal and PRAM consistency of registers: by hand, larger histories with something planted, witnesses that are not true."""

import random

import msgspec
import pytest

from checkers.linearizable import LinearizableRegister
from checkers.sequential import CausalRegister, PramRegister, SequentialRegister, verify_witness
from harness.checker import CheckContext
from harness.errors import UsageError
from harness.history.history import History
from harness.op import Op


def history(text):
    """Lines: process f key value; each op completes at once; `info` or `fail` at the end of a line is its outcome."""
    ops = []
    for line in text.strip().splitlines():
        process, f, key, value, *outcome = line.split()
        value = msgspec.json.decode(value)
        asked = None if f == "read" else value
        for type_, shown in (("invoke", asked), (outcome[0] if outcome else "ok", value)):
            ops.append(Op(len(ops), len(ops) * 1000, int(process), type_, f, {"key": key, "value": shown}))
    return History(ops)


MODELS = {
    "sequential": SequentialRegister(),
    "causal": CausalRegister(),
    "convergent": CausalRegister(one_order=True),
    "PRAM": PramRegister(),
}


def broken(text):
    """The models that a history breaks; each witness is proved again."""
    recorded = history(text) if isinstance(text, str) else text
    names = []
    for name, checker in MODELS.items():
        verdict = checker.check(recorded, CheckContext(expected=name))
        assert verdict.valid is not True or name == "convergent" or verdict.holds == [name]
        if verdict.valid is False:
            names.append(name)
            (anomaly,) = verdict.anomalies
            assert verify_witness(recorded, anomaly), anomaly.message
    return names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 write x 1\n1 write x 2\n2 read x 1", []),  # stale, and no model but linearizability minds
        # the writes of one process, seen backwards
        ("0 write x 1\n0 write x 2\n1 read x 2\n1 read x 1", ["sequential", "causal", "convergent", "PRAM"]),
        # of two keys: y came after x, and is seen without it
        ("0 write x 1\n0 write y 1\n1 read y 1\n1 read x null", ["sequential", "causal", "convergent", "PRAM"]),
        # two readers see two writers in opposite orders: each has a view, together they have no order
        ("0 write x 1\n1 write x 2\n2 read x 1\n2 read x 2\n3 read x 2\n3 read x 1", ["sequential", "convergent"]),
        # a reply is seen without the question: causality goes through process 1
        ("0 write x 1\n1 read x 1\n1 write y 1\n2 read y 1\n2 read x null", ["sequential", "causal", "convergent"]),
        # each misses the other's write (Dekker): causal, not sequential
        ("0 write x 1\n0 read y null\n1 write y 1\n1 read x null", ["sequential"]),
        # an example of Bouajjani et al., figure 3: convergent, yet no view of process 1 exists
        ("0 write z 1\n0 write x 1\n0 write y 1\n1 write x 2\n1 read z null\n1 read y 1\n1 read x 2", ["sequential", "causal", "PRAM"]),
        ("0 read x 7", ["sequential", "causal", "convergent", "PRAM"]),
        ("0 write x 7 fail\n1 read x 7", ["sequential", "causal", "convergent", "PRAM"]),
        ("0 write x 7 info\n1 read x 7\n2 read x null", []),  # it may act at any time
        ("0 write x 7 info\n1 read x 7\n1 read x null", ["sequential", "causal", "convergent", "PRAM"]),
        ("0 write x 1\n0 cas x [1,2]\n1 cas x [1,3]", ["sequential"]),  # elsewhere a cas of another process is a write
        ("0 cas x [1,2] fail\n1 write x 1\n1 read x 1", []),
    ],
)
def test_by_hand(text, expected):
    assert broken(text) == expected


def test_a_message_names_each_step_and_the_circle():
    verdict = SequentialRegister().check(history("0 write x 1\n0 write x 2\n1 read x 2\n1 read x 1"), CheckContext())
    (anomaly,) = verdict.anomalies
    assert anomaly.type == "nonsequential" and anomaly.key == "x" and anomaly.ops == list(range(8))
    assert anomaly.rules_out == ["linearizable", "sequential", "strict-serializable"]
    assert "process 1 read 1 (#6-#7, key 'x') (same process)" in anomaly.message and anomaly.message.endswith("a circle: #0 < #2 < #0.")


def test_repeated_values_are_searched_and_the_part_that_has_no_order_is_small():
    text = "0 write x 1\n0 write x 2\n1 write x 1\n1 read x 2\n1 read x 1\n1 read x 2\n2 write y 1\n2 read y 1"
    verdict = SequentialRegister().check(history(text), CheckContext())
    (anomaly,) = verdict.anomalies
    assert "each way to order these fails" in anomaly.message and len(anomaly.ops) <= 12 and anomaly.key == "x"
    assert verify_witness(history(text), anomaly)
    unsure = PramRegister().check(history("0 write x 1\n1 write x 1\n2 read x 1"), CheckContext())
    assert unsure.valid == "unknown" and "several writers" in unsure.reason


def test_unknown():
    nothing = SequentialRegister().check(history("0 write x 1"), CheckContext())
    assert nothing.valid == "unknown" and "nothing was observed" in nothing.reason
    many = history("\n".join(f"{i % 3} write x {i % 2}\n{3 + i % 3} read x {i * i % 2}" for i in range(12)))
    spent = SequentialRegister(budget=1).check(many, CheckContext())
    assert spent.valid == "unknown" and "more than 1 states" in spent.reason
    with pytest.raises(UsageError, match="one_order is 'x'"):
        CausalRegister(one_order="x")


@pytest.mark.parametrize(("model", "valid"), [("sequential", False), ("causal", True), ("PRAM", True), ("read-your-writes", "unknown")])
def test_the_register_checker_asks_the_checker_of_the_model_expected(model, valid):
    recorded = history("0 write x 1\n0 read y null\n1 write y 1\n1 read x null\n2 read x 1\n2 read y 1")
    assert LinearizableRegister().check(recorded, CheckContext(expected="linearizable")).valid is False
    verdict = LinearizableRegister().check(recorded, CheckContext(expected=model))
    assert verdict.valid == valid and verdict.facts["nonlinearizable"] == 1
    fork = history("0 write x 1\n1 write x 2\n2 read x 1\n2 read x 2\n3 read x 2\n3 read x 1")
    context = CheckContext(expected="causal")
    assert [LinearizableRegister(one_order=one).check(fork, context).valid for one in (False, True)] == [True, False]
    linear = history("0 write x 1\n1 read x 1")
    assert LinearizableRegister().check(linear, CheckContext(expected=model)).holds == ["linearizable"]


def lagging(count, seed, clients=5, keys=3):
    """One log of writes; each process reads from a copy that follows it late, and sees its own writes: sequential, not linearizable."""
    rng = random.Random(seed)
    log, position, stores, lines = [], [0] * clients, [{} for _ in range(clients)], []
    for i in range(count):
        c, key = rng.randrange(clients), f"k{rng.randrange(keys)}"
        write = rng.random() < 0.4
        if write:
            log.append((key, i))
        to = len(log) if write else max(position[c], len(log) - rng.randrange(12))
        for changed, value in log[position[c] : to]:
            stores[c][changed] = value
        position[c] = to
        lines.append(f"{c} write {key} {i}" if write else f"{c} read {key} {msgspec.json.encode(stores[c].get(key)).decode()}")
    return lines


PLANTED = {
    "backwards": ("sequential causal convergent PRAM", ["8 write k0 -1", "8 write k0 -2", "9 read k0 -2", "9 read k0 -1"]),
    "fork": (
        "sequential convergent",
        ["8 write k0 -1", "9 write k0 -2", "10 read k0 -1", "10 read k0 -2", "11 read k0 -2", "11 read k0 -1"],
    ),
    "reply": ("sequential causal convergent", ["8 write a -1", "9 read a -1", "9 write b -1", "10 read b -1", "10 read a null"]),
    "misses": ("sequential", ["8 write a -1", "8 read b null", "9 write b -1", "9 read a null"]),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_anomalies_are_found_in_larger_histories(name):
    lines = lagging(600, 1)
    models, added = PLANTED[name]
    planted = history("\n".join(lines[:300] + added + lines[300:]))
    assert broken(planted) == models.split()
    for model in models.split():
        (anomaly,) = MODELS[model].check(planted, CheckContext()).anomalies
        assert len(anomaly.ops) <= 2 * len(added)


def test_the_untouched_history_stays_valid():
    recorded = history("\n".join(lagging(600, 1)))
    assert broken(recorded) == []
    assert LinearizableRegister().check(recorded, CheckContext(expected="linearizable")).valid is False


def test_a_witness_that_is_not_true_is_refused():
    recorded = history("0 write x 1\n0 write x 2\n1 read x 2\n1 read x 1\n2 write x 3\n2 cas x [3,4]")
    (anomaly,) = SequentialRegister().check(recorded, CheckContext()).anomalies
    quoted = anomaly.witness["operations"]

    def changed(operations, kind="sequential"):
        return msgspec.structs.replace(anomaly, kind=kind, witness={**anomaly.witness, "operations": operations})

    assert verify_witness(recorded, changed(quoted))
    assert not verify_witness(recorded, changed([]))
    assert not verify_witness(recorded, changed(quoted[1:]))  # the writer of what is read is missing
    assert not verify_witness(recorded, changed([*quoted, quoted[0]]))
    assert not verify_witness(recorded, changed([{**quoted[0], "a": 5}, *quoted[1:]]))
    assert not verify_witness(recorded, changed([{**quoted[0], "process": 5}, *quoted[1:]]))
    assert not verify_witness(recorded, changed(quoted[:3]))
    for model in ("causal", "PRAM", "convergent"):
        assert verify_witness(recorded, changed(quoted, model)) and not verify_witness(recorded, changed(quoted[:3], model))
