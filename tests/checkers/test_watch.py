"""The watch checker on histories written by hand: one for each rule, and what is no violation."""

import pytest

from checkers.watch import Watch, verify_witness
from harness.checker import CheckContext
from harness.errors import HistoryError
from harness.history.history import History
from harness.op import Op


class Ops:
    """Builds a history, op after op."""

    def __init__(self):
        self.ops = []

    def add(self, type_, f, value, ext=None, process=0):
        self.ops.append(Op(len(self.ops), 0, process, type_, f, value, None, None, ext))
        return self

    def put(self, key, value, revision):
        asked = {"key": key, "value": value}
        return self.add("invoke", "put", asked).add("ok", "put", asked, {"revision": revision})

    def delete(self, key, revision):
        return self.add("invoke", "delete", {"key": key}).add("ok", "delete", {"key": key}, {"revision": revision})

    def txn(self, revision, *mops):
        return self.add("invoke", "txn", list(mops)).add("ok", "txn", list(mops), {"revision": revision})

    def crashed(self, key, value):
        asked = {"key": key, "value": value}
        return self.add("invoke", "put", asked, process=len(self.ops) + 100).add("info", "put", asked, process=len(self.ops) + 99)

    def watch(self, *deliveries, outcome="ok", start=0, **asked):
        return self.add("invoke", "watch", {"from": start, **asked}).add(outcome, "watch", list(deliveries))


def event(revision, key, value=None, kind="put", **more):
    return {"revision": revision, "key": key, "kind": kind, "value": value, **more}


def judge(ops, expected="linearizable"):
    history = History(ops.ops)
    verdict = Watch().check(history, CheckContext(expected=expected))
    assert all(verify_witness(history, anomaly) for anomaly in verdict.anomalies), verdict.anomalies
    return verdict


def three():
    return Ops().put("a", 1, 1).put("a", 2, 2).delete("a", 3)


ALL = (event(1, "a", 1, prev=None, create=True), event(2, "a", 2, prev=1, create=False), event(3, "a", kind="delete", prev=2))


def test_a_stream_of_all_that_happened_is_valid_and_its_end_proves_nothing():
    assert judge(three().watch(*ALL)).valid is True
    assert judge(three().watch(*ALL[:1])).valid is True
    assert judge(three().watch(*ALL[1:], start=1)).valid is True
    assert judge(three().watch(*ALL, {"progress": 3})).valid is True
    verdict = judge(three().watch(*ALL[:2], outcome="info"))
    assert verdict.facts == {"streams": 1, "events": 2, "marks": 0, "writes": 3, "unplaced": 0, "revisions": 3}
    assert judge(three().watch()).valid == "unknown"


@pytest.mark.parametrize(("deliveries", "asked", "type_", "message"), [
    ([ALL[1], ALL[0], ALL[2]], {}, "watch-unordered", "watch #6 delivered put a 1 at revision 1 after revision 2"),
    ([ALL[0], ALL[0]], {}, "watch-duplicate", "watch #6 delivered put a 1 at revision 1 twice"),
    ([ALL[0], ALL[2]], {}, "watch-gap",
     "watch #6 (from revision 0) never delivered put a 2 at revision 2 (#2), though it delivered revision 3"),
    ([ALL[2]], {"start": 1}, "watch-resume",
     "watch #6 (from revision 1) never delivered put a 2 at revision 2 (#2), though it delivered revision 3"),
    ([ALL[0], ALL[1]], {"start": 1}, "watch-resume",
     "watch #6 delivered put a 1 at revision 1, but it was asked for what comes after revision 1"),
    ([{"progress": 2}, ALL[0], ALL[1]], {"start": 1}, "watch-bookmark",
     "watch #6 delivered put a 1 at revision 1 after a progress mark at 2"),
    ([ALL[0], {"progress": 2}], {}, "watch-bookmark",
     "watch #6 (from revision 0) never delivered put a 2 at revision 2 (#2), though a progress mark said that all up to there had come"),
    ([event(1, "a", 1), event(2, "a", 2, prev=7)], {}, "watch-prev",
     "watch #6 delivered put a 2 at revision 2 with the previous value 7, but it was 1"),
    ([event(1, "a", 1, create=False)], {}, "watch-create",
     "watch #6 delivered put a 1 at revision 1 as no creation, but before it the key held nothing"),
    ([event(1, "a", 1), event(2, "a", 2, create=True)], {}, "watch-create",
     "watch #6 delivered put a 2 at revision 2 as a creation, but before it the key held 1"),
    ([ALL[0]], {"key": "b"}, "watch-filter", "watch #6 delivered put a 1 at revision 1, which it was not asked for"),
    ([ALL[0]], {"prefix": "x/"}, "watch-filter", "watch #6 delivered put a 1 at revision 1, which it was not asked for"),
    ([ALL[2]], {"kinds": ["put"]}, "watch-filter", "watch #6 delivered delete a at revision 3, which it was not asked for"),
    ([event(1, "a", 9)], {}, "watch-wrong-event", "watch #6 delivered put a 9 at revision 1, but #0 shows that it was put 1"),
    ([event(1, "a", 1.0)], {}, "watch-wrong-event", "watch #6 delivered put a 1.0 at revision 1, but #0 shows that it was put 1"),
    ([*ALL, event(4, "a", 5)], {}, "watch-phantom-event",
     "watch #6 delivered put a 5 at revision 4, but no write that can have happened explains it"),
])  # fmt: skip
def test_a_stream_that_breaks_a_rule_says_which(deliveries, asked, type_, message):
    verdict = judge(three().watch(*deliveries, **asked), expected="sequential")
    assert verdict.valid is False
    assert message in [anomaly.message for anomaly in verdict.anomalies if anomaly.type == type_]


def test_a_revision_comes_whole():
    both = Ops().txn(1, ["put", "a", 1], ["put", "b", 2], ["delete", "c"])
    assert judge(both.watch([event(1, "a", 1), event(1, "b", 2)])).valid is True
    apart = Ops().txn(1, ["put", "a", 1], ["put", "b", 2]).watch([event(1, "a", 1)], [event(1, "b", 2)])
    assert [a.message for a in judge(apart).anomalies] == [
        "watch #2 delivered put b 2 at revision 1 apart from put a 1 at revision 1: a revision comes whole"
    ]
    half = Ops().txn(1, ["put", "a", 1], ["put", "b", 2]).watch([event(1, "a", 1)])
    assert judge(half).counts == {"watch-split": 1}
    assert judge(Ops().txn(1, ["put", "a", 1], ["put", "b", 2]).watch([event(1, "a", 1)], key="a")).valid is True


def test_a_crashed_write_may_be_at_any_free_revision_and_what_one_stream_shows_all_must():
    assert judge(Ops().crashed("a", 1).watch(event(1, "a", 1))).valid is True
    assert judge(Ops().crashed("a", 1).watch(event(1, "a", 1)).watch(event(2, "a", 1))).counts == {
        "watch-phantom-event": 1,
        "watch-resume": 1,
    }
    shown = Ops().crashed("a", 1).put("b", 2, 2).watch(event(1, "a", 1), event(2, "b", 2)).watch(event(2, "b", 2))
    assert judge(shown).counts == {"watch-resume": 1}
    assert judge(Ops().crashed("a", 7).put("a", 2, 2).watch(event(2, "a", 2, prev=7))).valid is True
    assert judge(Ops().crashed("a", 7).put("a", 2, 1).watch(event(1, "a", 2, prev=7))).counts == {"watch-prev": 1}  # no revision is free
    assert judge(Ops().crashed("a", 7).put("a", 2, 2).watch(event(2, "a", 2, create=False))).valid is True
    assert judge(Ops().watch(event(1, "a", 1)).crashed("a", 1)).counts == {"watch-phantom-event": 1}  # it began after the stream had ended


def test_a_crashed_write_that_has_its_place_excuses_nothing_any_more():
    mops = [["put", "a", 1], ["put", "b", 2]]
    half = Ops().add("invoke", "txn", mops, process=9).add("info", "txn", mops, process=9).put("a", 2, 2).put("a", 3, 4)
    assert judge(half.watch(event(1, "a", 1), event(2, "a", 2), event(4, "a", 3, prev=1))).counts == {"watch-prev": 1}


def test_revisions_follow_real_time_and_belong_to_one_write():
    back = Ops().put("a", 1, 2).put("b", 1, 1).watch(event(1, "b", 1), event(2, "a", 1))
    verdict = judge(back)
    assert [a.message for a in verdict.anomalies] == ["put #2 got revision 1, though put #0, which had ended at #1 before it began, got 2"]
    assert (verdict.not_models, judge(back, "sequential").valid) == (["linearizable"], True)
    shared = judge(Ops().put("a", 1, 1).put("b", 1, 1).watch([event(1, "a", 1), event(1, "b", 1)]))
    assert [a.message for a in shared.anomalies] == ["put #0 and put #2 were both acknowledged with revision 1"]


@pytest.mark.parametrize(("ops", "error"), [
    (Ops().add("invoke", "cas", 1), "op 0: 'cas' is none of watch, put, delete, txn, read"),
    (Ops().add("invoke", "put", 1), "op 0: a put of '1' names no key"),
    (Ops().add("invoke", "txn", [1]), "op 0: .* is no list of puts and deletes"),
    (Ops().watch({"key": "a"}), "op 1: .* is no event of a watch"),
    (Ops().watch({"progress": "x"}), "op 1: the progress mark 'x' is no whole number"),
    (Ops().put("a", 1, "x"), "op 1: the revision 'x' is no whole number"),
])  # fmt: skip
def test_what_is_out_of_shape_is_refused(ops, error):
    with pytest.raises(HistoryError, match=error):
        judge(ops)


def test_a_large_stream_with_one_event_missing():
    ops = Ops()
    for n in range(1, 3001):
        ops.put(f"k{n % 7}", n, n)
    events = [event(n, f"k{n % 7}", n, prev=n - 7 if n > 7 else None) for n in range(1, 3001)]
    whole = Ops()
    whole.ops = list(ops.ops)
    assert judge(whole.watch(*events)).valid is True
    verdict = judge(ops.watch(*events[:1500], *events[1501:]))
    assert (verdict.valid, verdict.counts) == (False, {"watch-gap": 1})
