"""Columns of transactions are what the ordinary reader reads, or there are none: on ordinary, odd and mutated files, JSON and EDN."""

import random
from pathlib import Path

import pytest

from checkers.transactions.txns import UNSEEN, Odd, read_register_txns, read_txns
from harness.errors import HistoryError
from harness.history.formats import jepsen_edn, jsonl
from harness.history.history import History
from harness.history.txn_columns import NEVER, read_txn_columns

HEADER = b'{"splitbrain":1}\n'


def text_of(rng, *, edn, registers=False, ours=False, count=60):
    """Lines of a small history with fails, infos, strings, nemesis ops, errors."""
    lines, store, open_ = [], {}, {}
    blank, null = (" ", "nil") if edn else (",", "null")

    def word(w):
        return f":{w}" if edn else f'"{w}"'

    def scalar(v):
        return null if v is None else f'"{v}"' if isinstance(v, str) else str(v)

    def mop(f, k, v):
        held = f"[{blank.join(map(scalar, v))}]" if isinstance(v, list) else scalar(v)
        return f"[{word(f)}{blank}{scalar(k)}{blank}{held}]"

    def line(type_, process, value, error=None):
        value = null if value is None else f"[{blank.join(mop(*m) for m in value)}]"
        fields = [("index", len(lines)), ("time", rng.randint(0, 10**9)), ("process", process), ("type", word(type_)), ("f", word("txn"))]
        fields.append(("value", value))
        if edn and rng.random() < 0.5:
            fields = [fields[3], fields[4], fields[5], fields[2], fields[1], fields[0]]
        if ours or error:
            fields += [("error", error or null), ("node", rng.choice([null, '"n1"'])), ("ext", null)]
        if edn:
            lines.append("{" + ", ".join(f":{n} {v}" for n, v in fields) + "}")
        else:
            lines.append("{" + ",".join(f'"{n}":{v}' for n, v in fields) + "}")

    write, processes = ("w" if registers else "append"), list(range(4))
    for number in range(count):
        at = rng.randrange(4)
        process = processes[at]
        if process not in open_:
            value = []
            for _ in range(rng.randint(0 if rng.random() < 0.05 else 1, 3)):
                k = rng.choice([1, 2, "a", "b c"])
                value.append(("r", k, None) if rng.random() < 0.5 else (write, k, rng.choice([number * 10 + len(value), f"s{number}"])))
            open_[process] = value
            line("invoke", process, value)
            continue
        value = open_.pop(process)
        type_ = rng.choices(["ok", "fail", "info"], [8, 1, 1])[0]
        if type_ == "ok":
            done = []
            for f, k, v in value:
                held = store.setdefault(k, None if registers else [])
                if f == "r":
                    v = held if registers else rng.choice([list(held), list(held)[: rng.randint(0, len(held))], list(held)[::-1]])
                    v = v if v or rng.random() < 0.5 else None
                elif registers:
                    store[k] = v
                else:
                    held.append(v)
                done.append((f, k, v))
            line("ok", process, done)
        else:
            reason = rng.choice([":timeout", '[:timeout "n1"]'] if edn else ['"timeout"', '["a","b"]', r'"said \"no\" \\ \n"'])
            line(type_, process, None if ours and rng.random() < 0.5 else value, rng.choice([None, reason]))
            processes[at] += 4 if type_ == "info" else 0
    for type_ in ("invoke", "info") * rng.randint(0, 2):
        fields = [("index", len(lines)), ("time", 5), ("process", word("nemesis")), ("type", word(type_)), ("f", word("cut"))]
        fields.append(("value", '["n1" {:of 3.5}]' if edn else '{"of":3.5}'))
        lines.append("{" + (", ".join(f":{n} {v}" for n, v in fields) if edn else ",".join(f'"{n}":{v}' for n, v in fields)) + "}")
    return "".join(text + "\n" for text in lines).encode()


def ordinary(data, edn):
    """What the ordinary reader says: the history, or None if it refuses."""
    try:
        return jepsen_edn._read_all(Path("h"), data) if edn else jsonl._read_lines(Path("h"), data)
    except (HistoryError, UnicodeDecodeError, RecursionError):
        return None


def columns(data, edn):
    begin = data.find(b"\n") + 1 if data.startswith(b'{"splitbrain"') else 0
    return read_txn_columns(data, begin, edn=edn, ours=begin > 0)


def decoded(found):
    """Transactions as the columns have them: (call, ret, done, outcome, micro-ops)."""

    def value(m, outcome):
        f, length = found.f[m], found.length[m]
        if f != 0:
            return found.element(found.value[m])
        if outcome == 2:
            return "?"
        if length == -2:
            return found.element(found.value[m])
        return None if length == -1 else [found.element(e) for e in found.elements[found.start[m] : found.start[m] + length]]

    return [
        (
            int(found.call[t]),
            int(found.ret[t]),
            int(found.done[t]),
            int(found.outcome[t]),
            [
                (("r", "append", "w")[found.f[m]], found.key_name(found.key[m]), value(m, found.outcome[t]))
                for m in range(found.first[t], found.first[t] + found.size[t])
            ],
        )
        for t in range(len(found.call))
    ]


def expected(history, registers):
    def value(mop, txn):
        if txn.outcome == "fail" and mop.kind == "r":
            return "?"
        if mop.value is UNSEEN:
            return None
        return list(mop.value) or None if isinstance(mop.value, tuple) and not isinstance(mop.value, Odd) else mop.value

    numbers = {"ok": 1, "fail": 2, "info": 3}
    return [
        (
            txn.call,
            txn.ret if txn.ret < NEVER else NEVER,
            -1 if txn.done is None else txn.done,
            numbers[txn.outcome],
            [(m.kind, m.key, value(m, txn)) for m in txn.mops],
        )
        for txn in (read_register_txns if registers else read_txns)(history)
    ]


def normal(txns):
    """The empty list as null: an unread list is either."""
    return [(*txn[:4], [(f, k, None if v == [] else v) for f, k, v in txn[4]]) for txn in txns]


def same_ops(found, history):
    import numpy as np

    count = len(found.kind)
    return found.ops(np.arange(count)) == list(history.ops) and count == len(history.ops)


@pytest.mark.parametrize("edn", [False, True], ids=["jsonl", "edn"])
@pytest.mark.parametrize("registers", [False, True], ids=["lists", "registers"])
def test_columns_hold_what_the_ordinary_reader_reads(edn, registers):
    taken = 0
    for seed in range(120):
        rng = random.Random(seed)
        ours = not edn and seed % 2 == 0
        data = (HEADER if ours else b"") + text_of(rng, edn=edn, registers=registers, ours=ours)
        found, history = columns(data, edn), ordinary(data, edn)
        if found is None:
            continue
        taken += 1
        assert same_ops(found, history), seed
        assert normal(decoded(found)) == normal(expected(history, registers)), seed
    assert taken > 80, taken


@pytest.mark.parametrize("edn", [False, True], ids=["jsonl", "edn"])
def test_a_mutated_file_is_read_the_same_or_left_to_the_ordinary_reader(edn):
    same = 0
    for seed in range(2500):
        rng = random.Random(seed)
        data = bytearray(HEADER if not edn and seed % 3 == 0 else b"") + text_of(rng, edn=edn, ours=not edn and seed % 3 == 0, count=14)
        for _ in range(rng.randint(1, 2)):
            at = rng.randrange(len(data))
            choice = rng.randrange(4)
            if choice == 0:
                data[at : at + 1] = bytes([rng.choice(b'0123456789-,:[]{}" \\nrtaw.e\n\x00\xff')])
            elif choice == 1:
                del data[at : at + rng.randint(1, 3)]
            elif choice == 2:
                data[at:at] = bytes(rng.choices(b'019-,:[]{}" nil', k=rng.randint(1, 2)))
            else:
                other = rng.randrange(len(data))
                data[at : at + 4] = data[other : other + 4]
        data = bytes(data)
        found = columns(data, edn)
        if found is None:
            continue
        history = ordinary(data, edn)
        assert history is not None and not history.notes, (seed, data)
        assert same_ops(found, history), (seed, data)
        try:
            txns = expected(history, False)
        except HistoryError:  # a micro-op of registers: the columns hold it, the checker refuses it
            assert (found.f == 2).any() or (found.length == -2)[found.f == 0].any()
            continue
        assert normal(decoded(found)) == normal(txns), (seed, data)
        same += 1
    assert same > 40, same


def test_what_is_unusual_has_no_columns():
    line = b'{"index":%d,"time":0,"process":0,"type":"%s","f":"txn","value":%s}\n'
    good = line % (0, b"invoke", b'[["r",1,null]]') + line % (1, b"ok", b'[["r",1,[1,2]]]')
    assert columns(good, False) is not None
    for bad in (
        good[:-1],  # torn
        good.replace(b'"index":1', b'"index":2'),
        good.replace(b"[1,2]", b"[1,2.0]"),
        good.replace(b"[1,2]", b"[1,[2]]"),
        good.replace(b"[1,2]", b"[1,true]"),
        good.replace(b"[1,2]", b"[1,1234567890123456789]"),
        good.replace(b"[1,2]", b"[01,2]"),
        good.replace(b'"f":"txn"', b'"f":"txns"'),
        good.replace(b'"time":0', b'"time":0,"time":0'),
        good.replace(b'"time":0,', b""),
        good.replace(b'"process":0', b'"process":-1'),
        good.replace(b'"f":"txn",', b""),
        good.replace(b'"ok"', b'"invoke"'),
        good.replace(b"[[", b"[ ["),
        good.replace(b'["r",1,[1,2]]', b'["r",1,[1,2],3]'),
        good.replace(b'["r",1,[1,2]]', b'["x",1,[1,2]]'),
        good.replace(b'[["r",1,[1,2]]]', b"null"),
        good.replace(b'[["r",1,null]]}\n', b"null}\n").replace(b'"type":"ok"', b'"type":"fail"'),
        good + b"\n",
    ):
        assert columns(bad, False) is None, bad


def test_ops_are_decoded_alone():
    data = text_of(random.Random(3), edn=False)
    history = jsonl._read_lines(Path("h"), data)
    lazy = History(jsonl.LazyOps(columns(data, False), lambda: pytest.fail("nobody asked for all")))
    assert lazy.ops[7] == history.ops[7] and lazy.ops[-1] == history.ops[-1]
    assert lazy.ops[3:9:2] == history.ops[3:9:2] and len(lazy) == len(history)
    with pytest.raises(IndexError):
        _ = lazy.ops[len(history)]
    lazy.txns = columns(data, False)
    assert list(lazy.calls(nemesis=True)) == list(history.calls(nemesis=True))
