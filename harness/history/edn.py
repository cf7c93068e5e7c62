"""EDN, as Jepsen and Elle write it, into plain Python values: keywords and symbols become strings, sets and lists become lists.

Why it exists  the field's histories are EDN; no maintained parser takes a 50 MB file in seconds, or says where a torn one breaks.
Relies on      one pass over tokens with an explicit stack, so that no nesting can exhaust the interpreter's.
Source         the EDN format description (github.com/edn-format/edn), as far as histories use it.
"""

from __future__ import annotations

import re
from typing import Any

TOKEN = re.compile(
    rb"""[\s,]+|;[^\n]*|(?P<string>"(?:[^"\\]|\\.)*")|(?P<open>\#\{|\#_|[\[({])|(?P<close>[\])}])|(?P<tag>\#[A-Za-z][\w./-]*)"""
    rb"""|(?P<char>\\\S+)|(?P<atom>[^\s,;"\[\](){}\\]+)""",
    re.S,
)
_CLOSES = {b"[": b"]", b"(": b")", b"{": b"}", b"#{": b"}"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_INTEGER = re.compile(rb"[+-]?\d+[NM]?\Z")
_FLOAT = re.compile(rb"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?M?\Z")
MAX_DEPTH = 200


class EdnError(ValueError):
    """Not EDN; `offset` is where."""

    def __init__(self, says: str, offset: int) -> None:
        super().__init__(says)
        self.offset = offset


class _Discard:
    """`#_`: the next form is read and dropped."""


def forms(data: bytes) -> list[tuple[int, Any]]:
    """All top-level forms with their offsets. Raises EdnError."""
    top: list[tuple[int, Any]] = []
    stack: list[tuple[bytes, int, list[Any]]] = []
    position, discard = 0, list[int]()
    while (match := TOKEN.match(data, position)) is not None:
        start, position, kind = position, match.end(), match.lastgroup
        if kind is None or kind == "tag":
            continue
        text = match.group(kind)
        if kind == "open":
            if text == b"#_":
                discard.append(len(stack))
                continue
            if len(stack) >= MAX_DEPTH:
                raise EdnError(f"nested deeper than {MAX_DEPTH}", start)
            stack.append((text, start, []))
            continue
        if kind == "close":
            if not stack or _CLOSES[stack[-1][0]] != text:
                raise EdnError(f"a {text.decode()} that closes nothing", start)
            opener, start, items = stack.pop()
            value = _map(items, start) if opener == b"{" else items
        else:
            value = _atom(kind, text, start)
        if discard and discard[-1] == len(stack):
            discard.pop()
        elif stack:
            stack[-1][2].append(value)
        else:
            top.append((start, value))
    if position < len(data):
        raise EdnError("something that is not EDN", position)
    if stack:
        raise EdnError(f"a {stack[-1][0].decode()} that is never closed", stack[-1][1])
    return top


def _map(items: list[Any], start: int) -> dict[Any, Any]:
    if len(items) % 2:
        raise EdnError("a map with a key but no value", start)
    return {_key(items[i]): items[i + 1] for i in range(0, len(items), 2)}


def _key(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _atom(kind: str, text: bytes, start: int) -> Any:
    try:
        if kind == "string":
            return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), text[1:-1].decode(), flags=re.S)
        if kind == "char":
            return text[1:].decode()
        if text.startswith(b":"):
            return text[1:].decode()
        if text in (b"nil", b"true", b"false"):
            return {b"nil": None, b"true": True, b"false": False}[text]
        if _INTEGER.match(text):
            if len(text) > 400:
                raise EdnError("a number with more than 400 digits", start)
            return int(text.rstrip(b"NM"))
        return float(text.rstrip(b"M")) if _FLOAT.match(text) else text.decode()
    except UnicodeDecodeError as error:
        raise EdnError("text that is not UTF-8", start) from error


_NAME = rb"[A-Za-z][A-Za-z0-9*+!?<>=_-]*"
_PIECE = re.compile(rb"(?:(?:\{|, ):%s (?::%s(?=[,}]))?)+|\[:%s[ \]]" % (_NAME, _NAME, _NAME))
_KEY = re.compile(rb"(\{|, ):(%s) " % _NAME)
_KEYWORD = re.compile(rb":(%s)(?=[,}\] ]|$)" % _NAME)
_WORD = re.compile(rb'"[\w.-]*"')
SAMPLE, MOST_PIECES = 1 << 16, 40


def plain_to_json(data: bytes) -> bytes | None:
    """EDN lines of maps without sets, tags, comments or strings of more than a word, rewritten as JSON lines; None if it is not so plain.

    Keys with the keywords between them (`, :type :ok, :process `) are looked for in a sample and replaced everywhere by C code of bytes:
    about 0.02 s a MB. Whatever else there is (an unseen keyword, a map in a list, a nil beside a nil) is then not JSON, so the result can
    be trusted if it decodes as JSON lines.
    """
    quotes = data.count(b'"')
    if quotes and 2 * len(_WORD.findall(data)) != quotes:  # what is replaced below has a blank or a bracket: it is in no such string
        return None
    if any(mark in data for mark in (b"#", b";", b"\\", b"(", b"'", b"\t")):
        return None
    sample = data[:SAMPLE] + data[len(data) // 2 : len(data) // 2 + SAMPLE] + data[-SAMPLE:]
    pieces = set(_PIECE.findall(sample))
    if len(pieces) > MOST_PIECES:
        return None
    for piece in sorted(pieces, key=len, reverse=True):
        data = data.replace(piece, _KEYWORD.sub(rb'"\1"', _KEY.sub(rb'\1"\2":', piece)).replace(b", ", b","))
    data = data.replace(b" ", b",")
    for before, after in ((b",", b"]"), (b":", b","), (b":", b"}")):
        data = data.replace(before + b"nil" + after, before + b"null" + after)
    return data
