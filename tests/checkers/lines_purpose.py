"""Histories written as lines, and the judgement of purpose-made checkers on them, each witness proved again."""

import importlib
import json

from harness.checker import CheckContext
from harness.history.history import History
from harness.op import Op


def history(*lines):
    """Lines such as `0 invoke add 1`, `1@n2 ok read [1]` or `0 ok write 1 {"ts": 5}`; a value has no spaces."""
    ops = []
    for line in lines:
        process, type_, f, value, ext = [*line.split(maxsplit=4), *["null"] * 2][:5]
        process, _, node = process.partition("@")
        ops.append(Op(len(ops), len(ops) * 10**9, int(process), type_, f, json.loads(value), None, node or None, json.loads(ext)))
    return History(ops)


def done(process, f, value="null", asked="null", ext="null"):
    """An ok op with nothing beside it."""
    return [f"{process} invoke {f} {asked}", f"{process} ok {f} {value} {ext}"]


def put(process, f, value):
    return done(process, f, value, value)


def judge(checker, lines, **context):
    ops = lines if isinstance(lines, History) else history(*lines)
    verdict = checker.check(ops, CheckContext(**context))
    module = importlib.import_module(type(checker).__module__)
    for anomaly in verdict.anomalies:
        assert module.verify_witness(ops, anomaly), anomaly
    return verdict


def told(verdict):
    return [anomaly.message for anomaly in verdict.anomalies]
