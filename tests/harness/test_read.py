"""Histories of every format, recognised by their content, give the same operations; what is wrong is said in a sentence."""

import json

import pytest

from harness.errors import HistoryError
from harness.history.edn import EdnError, forms, plain_to_json
from harness.history.formats import recognise
from harness.history.infer import infer_model
from harness.history.read import read_history

WANTED = [
    (0, 5, 0, "invoke", "txn", [["append", 1, 2], ["r", 3, None]]),
    (1, 7, 1, "invoke", "txn", [["r", 1, None]]),
    (2, 9, 0, "ok", "txn", [["append", 1, 2], ["r", 3, []]]),
    (3, 11, 1, "info", "txn", [["r", 1, None]]),
    (4, 12, "nemesis", "info", "kill", None),
    (5, 13, 3, "invoke", "txn", [["r", 1, None], ["r", -4, None]]),
    (6, 14, 3, "fail", "txn", [["r", 1, None], ["r", -4, None]]),
]
JSONL = """\
{"index":0,"time":5,"process":0,"type":"invoke","f":"txn","value":[["append",1,2],["r",3,null]],"error":null,"node":null,"ext":null}
{"index":1,"time":7,"process":1,"type":"invoke","f":"txn","value":[["r",1,null]],"error":null,"node":null,"ext":null}
{"index":2,"time":9,"process":0,"type":"ok","f":"txn","value":[["append",1,2],["r",3,[]]],"error":null,"node":null,"ext":null}
{"index":3,"time":11,"process":1,"type":"info","f":"txn","value":[["r",1,null]],"error":null,"node":null,"ext":null}
{"index":4,"time":12,"process":"nemesis","type":"info","f":"kill","value":null,"error":null,"node":null,"ext":null}
{"index":5,"time":13,"process":3,"type":"invoke","f":"txn","value":[["r",1,null],["r",-4,null]],"error":null,"node":null,"ext":null}
{"index":6,"time":14,"process":3,"type":"fail","f":"txn","value":[["r",1,null],["r",-4,null]],"error":null,"node":null,"ext":null}
"""
PLAIN_EDN = """\
{:index 0, :time 5, :type :invoke, :process 0, :f :txn, :value [[:append 1 2] [:r 3 nil]]}
{:index 1, :time 7, :type :invoke, :process 1, :f :txn, :value [[:r 1 nil]]}
{:index 2, :time 9, :type :ok, :process 0, :f :txn, :value [[:append 1 2] [:r 3 []]]}
{:index 3, :time 11, :type :info, :process 1, :f :txn, :value nil}
{:index 4, :time 12, :type :info, :process :nemesis, :f :kill, :value nil}
{:index 5, :time 13, :type :invoke, :process 3, :f :txn, :value [[:r 1 nil] [:r -4 nil]]}
{:index 6, :time 14, :type :fail, :process 3, :f :txn, :value [[:r 1 nil] [:r -4 nil]]}
"""
RECORDS = """\
[#jepsen.history.Op{:index 0 :time 5 :type :invoke :process 0 :f :txn :value [[:append 1 2] [:r 3 nil]]} ; a comment { "
 #jepsen.history.Op{:index 1 :time 7 :type :invoke :process 1 :f :txn :value ((:r 1 nil))}
 {:value [["append" 1 2], [:r 3 []]], :index 2, :time 9, :type :ok, :process 0, :f :txn #_{:dropped "form"}}
 {:index 3, :time 11, :type :info, :process 1, :f :txn, :value [[:r 1 nil]]}
 {:index 4, :time 12, :type :info, :process :nemesis, :f :kill}
 {:index 5N, :time 13, :type :invoke, :process 3, :f :txn, :value [[:r 1 nil] [:r -4 nil]]}
 {:index 6, :time 14, :type :fail, :process 3, :f :txn, :value [[:r 1 nil] [:r -4 nil]]}]
"""
ARRAY = "[" + ",\n".join(JSONL.splitlines()) + "]"
LOOSE = """\
{"type":"invoke","f":"txn","value":[["append",1,2],["r",3,null]],"process":0,"time":5}

{"type":"invoke","f":"txn","value":[["r",1,null]],"process":1,"time":7,"extra":{"a":1}}
{"f":"txn","type":"ok","value":[["append",1,2],["r",3,[]]],"process":"0","time":9.5}
{"type":"info","f":"txn","value":null,"process":1,"time":11}
{"type":"info","f":"kill","process":"nemesis","time":12}
{"type":"invoke","f":"txn","value":[["r",1,null],["r",-4,null]],"process":3,"time":13}
{"type":"fail","f":"txn","value":[["r",1,null],["r",-4,null]],"process":3,"time":14}"""


def stored(folder, text):
    path = folder / "history"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def rows(history):
    return [(op.index, op.time, op.process, op.type, op.f, op.value) for op in history.ops]


@pytest.mark.parametrize(
    ("text", "format"),
    [
        (JSONL, "jsonl"),
        (PLAIN_EDN, "edn"),
        (RECORDS, "edn"),
        (ARRAY, "json"),
        (LOOSE, "jsonl"),
        ('{"splitbrain":1,"run":"r"}\n' + JSONL, "jsonl"),
    ],
    ids=["jsonl", "plain edn", "records", "array", "loose jsonl", "ours"],
)
def test_the_same_operations_from_every_format(tmp_path, text, format):
    path = stored(tmp_path, text)
    assert recognise(path.read_bytes()) == format
    history = read_history(path)
    assert rows(history) == WANTED
    assert [type(op.process) for op in history.ops] == [int, int, int, int, str, int, int]
    assert rows(read_history(path, format)) == WANTED
    assert infer_model(history) == "list-append"
    assert rows(read_history(stored(tmp_path, b"\xef\xbb\xbf" + text.encode()))) == WANTED  # with a byte order mark
    assert rows(read_history(stored(tmp_path, text.replace("\n", "\r\n")))) == WANTED


def test_only_the_plainest_edn_is_rewritten():
    assert plain_to_json(PLAIN_EDN.encode()) is not None
    mixed = (
        "{:time 1, :process 0, :type :ok, :f :txn}\n{:type :ok, :process 1, :time 2, :f :w}\n{:f :txn, :type :ok, :time 3, :process 2}\n"
    )
    for text in (PLAIN_EDN, mixed):  # pieces of pieces: `, :process ` alone, and behind `, :type :ok`
        assert [json.loads(line) for line in plain_to_json(text.encode()).splitlines()] == [value for _, value in forms(text.encode())]
    assert plain_to_json(RECORDS.encode()) is None
    assert plain_to_json(b'{:f :read, :value "a"}') == b'{"f":"read","value":"a"}'
    assert plain_to_json(b'{:f :read, :value "a b"}') is None and plain_to_json(b'{:f :read, :value "a\\n"}') is None


def test_plain_edn_with_keywords_that_no_sample_shows(tmp_path):
    head = "".join(f"{{:type :invoke, :process {n}, :f :txn, :value [[:r 1 nil]]}}\n" for n in range(8000))
    rare = "{:type :invoke, :process 9000, :f :txn, :value [[:rarely :nil nil] [:r :w nil]]}\n"
    path = stored(tmp_path, head[: len(head) // 3 // 60 * 60] and head + rare + head.replace(":process ", ":process 1"))
    history = read_history(path)
    assert history.ops[8000].value == [["rarely", "nil", None], ["r", "w", None]]
    assert len(history) == 16001


def test_keys_outside_of_the_value(tmp_path):
    line = '{:process 0, :type :invoke, :f :append, :key "0", :value "x 0 0 y"}\n'
    kv = line + line.replace(":invoke", ":ok")
    plain = "{:process 0, :type :invoke, :f :write, :key 4, :value 7}\n{:process 0, :type :info, :f :write, :key 4, :value nil}\n"
    dense = '{"index":0,"time":0,"process":0,"type":"invoke","f":"write","key":4,"value":7}\n'
    assert [op.value for op in read_history(stored(tmp_path, kv)).ops] == [{"key": "0", "value": "x 0 0 y"}] * 2
    assert [op.value for op in read_history(stored(tmp_path, plain)).ops] == [{"key": 4, "value": 7}] * 2
    assert [op.value for op in read_history(stored(tmp_path, dense)).ops] == [{"key": 4, "value": 7}]


def test_a_key_without_a_value_of_its_own_keeps_it_when_the_completion_has_one(tmp_path):
    text = '{"process":0,"type":"invoke","f":"read","key":"k","value":null}\n{"process":0,"type":"ok","f":"read","key":"k","value":3}\n'
    assert [op.value for op in read_history(stored(tmp_path, text)).ops] == [{"key": "k", "value": None}, {"key": "k", "value": 3}]


def test_porcupines_log(tmp_path):
    text = (
        "INFO  jepsen.core - Running test\n"
        "INFO  jepsen.util - 3\t:invoke\t:read\tnil\n"
        "INFO  jepsen.util - :nemesis\t:info\t:start-partition\t[n1 n2]\n"
        "INFO  jepsen.util - 3\t:ok\t:read\t4\n"
        "INFO  jepsen.util - 2\t:invoke\t:cas\t[4 2]\n"
        "INFO  jepsen.util - 2\t:info\t:cas\t:timed-out\n"
        "INFO  jepsen.util - 1\t:invoke\t:write\t2\n"
        "INFO  jepsen.util - 1\t:fail\t:write\t2\n"
    )
    assert recognise(text.encode()) == "porcupine"
    assert [row[2:] for row in rows(read_history(stored(tmp_path, text)))] == [
        (3, "invoke", "read", None),
        (":nemesis", "info", "start-partition", ["n1", "n2"]),
        (3, "ok", "read", 4),
        (2, "invoke", "cas", [4, 2]),
        (2, "info", "cas", [4, 2]),
        (1, "invoke", "write", 2),
        (1, "fail", "write", 2),
    ]
    with pytest.raises(HistoryError, match="line 2: not an operation"):
        read_history(stored(tmp_path, text.replace("3\t:invoke\t:read", "3\tinvoke\tread")))


def test_completions_that_follow_their_invocations_need_no_process(tmp_path):
    append = "{:type :invoke, :value [[:append 1 2]]}\n"
    text = "{:type :invoke, :value [[:r 1 nil]]}\n{:type :ok, :value [[:r 1 [2]]]}\n" + append + append.replace("invoke", "ok")
    assert [(op.process, op.type, op.f) for op in read_history(stored(tmp_path, text)).ops] == [
        (0, "invoke", "txn"),
        (0, "ok", "txn"),
        (1, "invoke", "txn"),
        (1, "ok", "txn"),
    ]


LINE = '{"type":"invoke","f":"w","value":1,"process":0}\n'
BAD = {
    "empty": ("", "is empty"),
    "blank": (" \n\n", "is empty"),
    "prose": ("Dear reader,\nthis is no history.\n", "operation 0"),
    "binary": (bytes(range(256)) * 8, "not|UTF-8|EDN"),
    "zeros": (b"\0" * 100, "operation 0|EDN"),
    "utf-16": (LINE.encode("utf-16"), "EDN|UTF-8|operation"),
    "torn in the middle": (LINE + LINE[:20] + "\n" + LINE, "line 2: not an operation"),
    "whole, but not an op": (LINE + '{"some":"thing"}', "line 2: not an operation"),
    "not an op, newline": (LINE + '{"some":"thing"}\n', "line 2: not an operation"),
    "odd type": (LINE.replace("invoke", "begin"), "operation 0: type 'begin'"),
    "odd process": (LINE.replace('"process":0', '"process":[1]'), r"operation 0: process \[1\]"),
    "no process": (LINE + LINE.replace(',"process":0', ""), "operation 1: process None"),
    "float process": (LINE.replace('"process":0', '"process":1.5'), "operation 0: process 1.5"),
    "broken array": ("[" + LINE, "not a JSON array of operations"),
    "array of numbers": ('[{"a":1}]', "not a JSON array of operations"),
    "unclosed": ("{:type :ok, :f :read", "line 1: a { that is never closed"),
    "closes nothing": ("{:type :invoke, :f :read, :process 0}\n]", "line 2: a ] that closes nothing"),
    "mismatched": ("{:type :invoke, :value [1}", "line 1: a } that closes nothing"),
    "odd map": ("{:type :invoke, :f}", "line 1: a map with a key but no value"),
    "not a map": ("[1 2 3]", "operation 0"),
    "deep edn": ("[" * 5000, "nested deeper than 200"),
    "deep json": ('{"type":"invoke","value":' + "[" * 100_000 + "]" * 100_000 + "}\n" + LINE, "line 1: not an operation|nests deeper"),
    "long number": ("{:type :invoke, :process 0, :f :w, :value " + "9" * 5000 + "}", "more than 400 digits"),
    "endless string": ('{:type :invoke, :f "read}', "line 1: something that is not EDN"),
    "bad utf-8": (b'{"type":"invoke","f":"w","value":"\xff\xfe","process":0}\n' + LINE.encode(), "line 1: not an operation"),
    "bad utf-8 in edn": (b'{:type :invoke, :f :w, :value "\xff"}', "not UTF-8"),
    "bad utf-8 in a log": (b"INFO  jepsen.util - 1\t:invoke\t:write\t\xff\n", "is not text"),
    "log without ops": ("INFO  jepsen.util - hello\n", "line 1: not an operation"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_history_is_said_in_a_sentence(tmp_path, name):
    text, says = BAD[name]
    path = stored(tmp_path, text)
    with pytest.raises(HistoryError, match=says) as caught:
        read_history(path)
    assert str(path) in caught.value.seen and caught.value.way_out
    assert "\n" not in caught.value.seen and len(caught.value.seen) < 400


def test_what_cannot_be_opened(tmp_path):
    for path in (tmp_path / "missing", tmp_path, tmp_path / ("x" * 300)):
        with pytest.raises(HistoryError, match=r"cannot be read|is a folder without a history.jsonl"):
            read_history(path)
    with pytest.raises(HistoryError, match="no format is called 'xml'"):
        read_history(stored(tmp_path, LINE), "xml")


@pytest.mark.parametrize("format", ["jsonl", "json", "edn", "porcupine"])
def test_a_wrong_format_by_hand_is_a_sentence_too(tmp_path, format):
    for text in (JSONL, ARRAY, PLAIN_EDN, "INFO  jepsen.util - 3\t:invoke\t:read\tnil\n"):
        path = stored(tmp_path, text)
        if recognise(path.read_bytes()) == format or (format == "edn" and text == ARRAY):
            continue  # JSON without colons would be EDN: commas are blanks there
        with pytest.raises(HistoryError) as caught:
            read_history(path, format)
        assert caught.value.way_out and "\n" not in caught.value.seen


def test_huge_times_are_no_times(tmp_path):
    text = LINE.replace("}", ',"time":1e300}') + LINE.replace("}", ',"time":12.9}')
    assert [op.time for op in read_history(stored(tmp_path, text)).ops] == [0, 12]


def test_edn_forms():
    assert [value for _, value in forms(rb'#{1 2} {:a/b nil, [1] true} "q\"\n\\" \a -1.5e3 7N 2.50M foo #_ gone #inst "2020" ()')] == [
        [1, 2],
        {"a/b": None, "[1]": True},
        'q"\n\\',
        "a",
        -1500.0,
        7,
        2.5,
        "foo",
        "2020",
        [],
    ]
    with pytest.raises(EdnError):
        forms(b"{")


def test_what_jepsen_writes_beside_the_value_is_kept(tmp_path):
    edn = tmp_path / "chain.edn"
    edn.write_text(
        "{:index 0, :type :invoke, :f :write, :value 1, :process 0, :time 0, :link :init}\n"
        "{:index 1, :type :ok, :f :write, :value 1, :process 0, :time 1, :link :init, :position 7}\n"
    )
    assert [op.ext for op in read_history(edn).ops] == [{"link": "init"}, {"link": "init", "position": 7}]
    lines = tmp_path / "log.jsonl"
    lines.write_text('{"type":"ok","f":"poll","value":[],"process":0,"rebalance-log":[{"keys":[1]}],"seek-to-beginning?":true}\n')
    assert read_history(lines).ops[0].ext == {"rebalance-log": [{"keys": [1]}], "seek-to-beginning?": True}
