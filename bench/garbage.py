"""Files that are no histories, or not quite: what the proof of bad input is made of.

garbage(seed)   (name, bytes) without end: real files of every format, cut, changed, spliced; random bytes; deep nesting; huge
                numbers; wrong types in every field. The same seed gives the same files.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

LINE = b'{"index":%d,"time":%d,"process":%d,"type":"%s","f":"%s","value":%s,"error":null,"node":"n1","ext":null}\n'
TOKENS = [
    b'"', b"{", b"}", b"[", b"]", b",", b":", b"\n", b"\x00", b"\xff", b"-", b"1e999", b"null", b"nil", b"true", b"NaN", b"\\u0000", b"\\",
    b'"type":"ok"', b":type :ok", b'"process":null', b"#{", b"#_", b"9" * 500, b"[" * 40, b"w(1,1,1,1)", b"r 1 1", b"-----", b"enq 1 2 3",
]  # fmt: skip
ODD = [
    "null", "true", "-1", "1.5", "1e400", "9" * 400, '""', '"x"', "[]", "{}", "[[]]", "[null]", '{"key":1}', '{"key":1,"value":2}', "[1,2]",
    '[["r",1,null]]', '[["w",1,1]]', '[["append",1,1]]', '[["r",1,[1,1]]]', '[["r"]]', '[["r",{},[]]]', '[1,[2,3]]', '"\\u0000"',
    "[" * 99 + "]" * 99,
]  # fmt: skip
FS = [
    "read", "write", "cas", "txn", "add", "remove", "enqueue", "dequeue", "push", "pop", "insert", "poll", "acquire", "release", "get",
    "put", "append", "transfer", "generate", "watch", "send", "drain", "dump", "",
]  # fmt: skip


def samples(corpora: Path) -> list[tuple[str, bytes]]:
    """Small real files of all formats, and lines of ours for each f."""
    found = [
        (str(path.relative_to(corpora)), path.read_bytes())
        for path in sorted(corpora.rglob("*"))
        if path.is_file() and path.stat().st_size < 60_000 and path.name != "manifest.tsv"
    ]
    rng = random.Random(0)
    return found[:: max(1, len(found) // 60)] + [(f"ours-{f}", _ours(rng, [f, rng.choice(FS)])) for f in FS]


def _ours(rng: random.Random, fs: list[str]) -> bytes:
    lines, index = [], 0
    for process in range(12):
        f = rng.choice(fs)
        for type_ in ("invoke", rng.choice(["ok", "ok", "fail", "info"])):
            lines.append(LINE % (index, index, process, type_.encode(), f.encode(), rng.choice(ODD[:20]).encode()))
            index += 1
    return b"".join(lines)


def garbage(seed: int, corpora: Path) -> Iterator[tuple[str, bytes]]:
    """Endless; each with a name that says how it was made."""
    rng = random.Random(seed)
    real = samples(corpora)
    makers = (_changed, _changed, _cut, _spliced, _random, _nested, _wrong_types, _nearly, _nearly, _nearly, _nearly)
    number = 0
    while True:
        name, data = rng.choice(real)
        maker = rng.choice(makers)
        yield f"{number:05d}-{maker.__name__[1:]}-{Path(name).name}", maker(rng, data, real)
        number += 1


def _changed(rng: random.Random, data: bytes, real: list[tuple[str, bytes]]) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(changed) + 1)
        changed[at : at + rng.choice([0, 0, 1, 1, 4, 30])] = rng.choice(TOKENS)
    return bytes(changed)


def _cut(rng: random.Random, data: bytes, real: list[tuple[str, bytes]]) -> bytes:
    first, last = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    return data[: rng.choice([last, first])] if rng.random() < 0.7 else data[first:last]


def _spliced(rng: random.Random, data: bytes, real: list[tuple[str, bytes]]) -> bytes:
    other = rng.choice(real)[1]
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _random(rng: random.Random, data: bytes, real: list[tuple[str, bytes]]) -> bytes:
    return rng.randbytes(rng.choice([1, 10, 1000, 20_000]))


def _nested(rng: random.Random, data: bytes, real: list[tuple[str, bytes]]) -> bytes:
    depth = rng.choice([50, 500, 100_000])
    opener, closer = rng.choice([(b"[", b"]"), (b'{"a":', b"}"), (b"{:a ", b"}"), (b"#{", b"}")])
    inner = opener * depth + b"1" + closer * depth
    return inner if rng.random() < 0.3 else LINE % (0, 0, 0, b"invoke", rng.choice(FS).encode(), inner)


def _wrong_types(rng: random.Random, data: bytes, real: list[tuple[str, bytes]]) -> bytes:
    fields = {"index": "0", "time": "0", "process": "0", "type": '"invoke"', "f": json.dumps(rng.choice(FS)), "value": rng.choice(ODD)}
    lines = []
    for index in range(rng.randint(1, 9)):
        line = dict(
            fields, index=str(index), process=str(index % 3), type=json.dumps(["invoke", "invoke", "invoke", "ok", "info"][index % 5])
        )
        for field in rng.sample(sorted(line), rng.choice([0, 0, 1, 2])):
            line[field] = rng.choice(ODD)
        if rng.random() < 0.5:
            line["value"] = rng.choice(ODD)
        lines.append("{" + ",".join(f'"{field}":{value}' for field, value in line.items()) + "}")
    return ("\n".join(lines) + "\n").encode()


SHAPES: dict[str, tuple[list[str], list[str]]] = {  # f -> what an invocation asks, what a completion answers
    "read": (["null"], ["null", "1", "2", "[1,2]", "[]", '{"a":3,"b":7}']),
    "write": (["1", "2"], ["1"]),
    "cas": (["[1,2]", "[2,1]"], ["[1,2]"]),
    "txn": (
        ['[["r",1,null]]', '[["w",1,1]]', '[["append",1,1],["r",2,null]]', "[]"],
        ['[["r",1,1]]', '[["r",1,[1]]]', '[["w",1,1]]', '[["append",1,1],["r",2,[]]]'],
    ),
    "add": (["1", "2", "-1"], ["1"]),
    "remove": (["1"], ["1"]),
    "enqueue": (["1", "2"], ["1"]),
    "dequeue": (["null"], ["1", "2", "null"]),
    "push": (["1", "2"], ["1"]),
    "pop": (["null"], ["1", "null"]),
    "insert": (["1", "5"], ["1"]),
    "poll": (["null"], ["5", "1", "null"]),
    "acquire": (["null"], ["null", "1", "2"]),
    "release": (["null"], ["null"]),
    "transfer": (['{"from":"a","to":"b","amount":2}'], ['{"from":"a","to":"b","amount":2}']),
    "generate": (["null"], ["1", "2", '"x"']),
    "drain": (["null"], ["[1,2]", "[]"]),
    "dump": (["null"], ['{"a":1}', "[1]"]),
    "send": (['[["send","k",1]]'], ['[["send","k",[0,1]]]']),
    "watch": (['{"from":1}'], ['[{"revision":1,"key":"a","kind":"put","value":1,"prev":null}]', "[]"]),
}
FAMILIES = [
    ["read", "write"], ["read", "write", "cas"], ["txn"], ["add", "read"], ["add", "remove", "read"], ["enqueue", "dequeue"],
    ["push", "pop"], ["insert", "poll"], ["acquire", "release"], ["transfer", "read"], ["generate"], ["enqueue", "dequeue", "drain"],
    ["dump", "write"], ["send", "poll"], ["watch", "write"],
]  # fmt: skip


def _nearly(rng: random.Random, data: bytes, real: list[tuple[str, bytes]]) -> bytes:
    """A history of one family whose answers are arbitrary, with now and then a value of no sensible shape."""
    family = rng.choice(FAMILIES)
    keyed = rng.random() < 0.3
    lines, open_ = [], dict[int, str]()
    for index in range(rng.randint(2, 30)):
        process = rng.randrange(4)
        f = open_.pop(process, "")
        type_, shapes = ("invoke", 0) if not f else (rng.choice(["ok", "ok", "ok", "fail", "info"]), 1)
        if not f:
            f = open_[process] = rng.choice(family)
        value = rng.choice(ODD) if rng.random() < 0.02 else rng.choice(SHAPES[f][shapes])
        value = f'{{"key":"k","value":{value}}}' if keyed and f != "txn" else value
        lines.append(LINE % (index, index, process, type_.encode(), f.encode(), value.encode()))
    return b"".join(lines)
