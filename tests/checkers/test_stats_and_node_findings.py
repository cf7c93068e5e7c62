"""What stats, not-recovered and unexpected-exit put into results.json, and that every name of `--as` has its checkers."""

import pytest

from checkers.as_models import MODELS
from checkers.models import model_named
from checkers.not_recovered import NotRecovered
from checkers.stats import Stats
from checkers.unexpected_exit import UnexpectedExit
from harness.checker import CheckContext
from harness.history.history import History
from harness.op import Op
from harness.registry import find, names


def history(*ended):
    """Ops of one process after the other: (f, outcome, error)."""
    ops = []
    for process, (f, outcome, error) in enumerate(ended):
        ops.append(Op(len(ops), len(ops), process, "invoke", f))
        if outcome:
            ops.append(Op(len(ops), len(ops), process, outcome, f, error=error))
    return History(ops)


def test_stats_counts_each_f_by_outcome_and_ranks_errors():
    errors = [("write", "info", f"timeout {n % 10}") for n in range(30)] + [("write", "fail", "refused")] * 5
    ops = history(("read", "ok", None), ("read", None, None), ("write", "ok", None), *errors)
    facts = Stats().check(ops, CheckContext()).facts
    assert facts["ops"] == 38
    assert facts["by_f"] == {"read": {"ok": 1, "fail": 0, "info": 1}, "write": {"ok": 1, "fail": 5, "info": 30}}
    assert list(facts["errors"].items())[:2] == [("fail: refused", 5), ("info: timeout 0", 3)]
    assert len(facts["errors"]) == 8


def test_stats_cuts_long_errors_and_ignores_the_nemesis():
    ops = history(("read", "ok", None), ("read", "info", "x" * 500)).ops
    ops += [Op(4, 4, "nemesis:0", "invoke", "kill"), Op(5, 5, "nemesis:0", "info", "kill", error="no pid")]
    facts = Stats().check(History(ops), CheckContext()).facts
    assert list(facts["by_f"]) == ["read"]
    assert [len(error) for error in facts["errors"]] == [len("info: ") + 120]


def test_the_reason_of_an_f_that_never_succeeded_names_its_count_and_an_error():
    ops = history(("read", "ok", None), ("cas", "fail", "refused"), ("cas", None, None))
    verdict = Stats().check(ops, CheckContext(is_run=True))
    assert (verdict.valid, verdict.reason) == ("unknown", "not one cas succeeded (2 were tried; fail: refused)")
    assert "no error was recorded" in Stats().check(history(("cas", None, None)), CheckContext(is_run=True)).reason


def test_each_node_that_did_not_recover_is_an_anomaly_with_its_words():
    events = [{"event": "not-recovered", "node": f"n{n}", "waited_s": 12.5, "says": "refused", "time": n} for n in (1, 2)]
    verdict = NotRecovered().check(History([]), CheckContext(events=[*events, {"event": "phase", "phase": "final", "time": 3}]))
    assert (verdict.valid, verdict.counts) == (False, {"not-recovered": 2})
    assert [anomaly.witness for anomaly in verdict.anomalies] == [{"node": n, "waited_s": 12.5, "says": "refused"} for n in ("n1", "n2")]
    assert "n1 did not serve again within 12.5 s" in verdict.anomalies[0].message


def healed(outcome, value, error=None):
    return History([Op(0, 0, "nemesis", "invoke", "heal", {"of": "all"}), Op(1, 1, "nemesis", outcome, "heal", value, error)])


def test_nobody_came_back_by_absence():
    """A run that was killed before its end, or whose heal was given up, asked no node whether it serves again."""
    asked = {"of": "all", "not_recovered": []}
    run = CheckContext(is_run=True)
    assert NotRecovered().check(healed("ok", asked), run).valid is True
    for seen in (history(("read", "ok", None)), healed("info", {"of": "all"}, "timeout"), History(healed("ok", asked).ops[:1])):
        verdict = NotRecovered().check(seen, run)
        assert (verdict.valid, verdict.reason[:13]) == ("unknown", "the run ended")
        assert NotRecovered().check(seen, CheckContext()).valid is True  # a bare file promises nothing about nodes
    assert NotRecovered().check(History([*healed("info", {"of": "all"}).ops, *healed("ok", asked).ops]), run).valid is True
    left = NotRecovered().check(healed("fail", asked, "n1 is killed"), run)
    assert (left.valid, left.reason) == ("unknown", "not all faults could be healed: n1 is killed")


def test_every_exit_is_counted_and_eight_are_shown():
    events = [{"event": "unexpected-exit", "node": "n1", "code": n, "time": n * 10**9} for n in range(11)]
    verdict = UnexpectedExit().check(History([]), CheckContext(events=events))
    assert (verdict.valid, verdict.counts, len(verdict.anomalies)) == (False, {"unexpected-exit": 11}, 8)
    assert verdict.anomalies[3].message == "the service of n1 ended by itself at 3.0 s with code 3"
    assert verdict.anomalies[3].witness["code"] == 3


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_name_of_as_builds_its_checkers_from_its_options(name):
    assert MODELS[name].consistency == "" or model_named(MODELS[name].consistency)  # "": it measures, or says what holds
    assert MODELS[name].checkers
    for spec in MODELS[name].checkers:
        checker = find("checkers", spec.name)(**spec.options)
        assert checker.name == spec.name


@pytest.mark.parametrize("name", names("checkers"))
def test_a_registered_checker_has_the_name_by_which_it_is_found_and_judges_an_empty_history(name):
    checker = find("checkers", name)()
    assert checker.name == name
    verdict = checker.check(History([]), CheckContext())
    assert verdict.valid is not False
