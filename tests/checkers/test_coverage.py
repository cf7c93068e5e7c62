"""Nothing is valid by absence: too few successes, faults that never happened, missing final reads are all unknown, reason first."""

import pytest

from checkers.coverage import Coverage
from checkers.not_recovered import NotRecovered
from checkers.stats import Stats
from checkers.unexpected_exit import UnexpectedExit
from harness.checker import CheckContext, Phase, Require
from harness.history.history import History
from harness.intervals import fault_intervals
from harness.op import Op

S = 1_000_000_000
PHASES = [Phase("healthy", 0, 10 * S), Phase("fault", 10 * S, 20 * S), Phase("final", 30 * S, 40 * S)]


class Log:
    """Builds a history: pairs of ops with dense indices."""

    def __init__(self):
        self.ops = []

    def add(self, time, process, type_, f, value=None, node=None, error=None):
        self.ops.append(Op(len(self.ops), time, process, type_, f, value, error, node))
        return len(self.ops) - 1

    def client(self, time, f="write", node="n1", type_="ok", count=1, process=0, value=None):
        for _ in range(count):
            self.add(time, process, "invoke", f, value, node)
            self.add(time, process, type_, f, value, node)
        return self

    def fault(self, kind, start, end, in_place=True, exercised=True, line=0, why=None):
        process = f"nemesis:{line}"
        at = self.add(start, process, "invoke", kind, {"line": line})
        value = {"line": line, "nodes": ["n1"], "evidence": {"in_place": in_place}}
        self.add(start + 1, process, "ok" if in_place else "fail", kind, value, error=why)
        self.add(end, process, "invoke", "heal", {"of": at})
        self.add(end + 1, process, "ok", "heal", {"of": at, "evidence": {"exercised": exercised}})
        return self


def context(**changed):
    base = {"nodes": ["n1", "n2"], "phases": PHASES, "requires": [Require("write")], "is_run": True}
    return CheckContext(**{**base, **changed})


def judge(log, **changed):
    return Coverage().check(History(log.ops), context(**changed))


def enough():
    return Log().client(5 * S, count=25).client(15 * S, count=25)


def test_enough_ops_in_and_outside_the_fault_phase_pass():
    assert judge(enough()).valid is True


@pytest.mark.parametrize(
    ("log", "says"),
    [
        (Log().client(5 * S, count=25).client(15 * S, count=19), "only 19 write succeeded in the fault phase"),
        (Log().client(5 * S, count=3).client(15 * S, count=25), "only 3 write succeeded outside the fault phase"),
        (Log().client(5 * S, count=25).client(15 * S, count=25, type_="info"), "only 0 write succeeded in the fault phase"),
    ],
)
def test_too_few_successes_are_unknown(log, says):
    verdict = judge(log)
    assert verdict.valid == "unknown"
    assert says in verdict.reason


def test_a_fault_asked_for_and_never_exercised_is_unknown_though_another_was():
    log = enough().fault("kill", 11 * S, 12 * S).fault("partition", 11 * S, 12 * S, exercised=False, line=1)
    verdict = judge(log, faults={"kill": {"possible": True}, "partition": {"possible": True}})
    assert verdict.valid == "unknown"
    assert "partition was tried 1 times, in place 1 times, exercised 0 times" in verdict.reason
    assert "kill" not in verdict.reason


def test_in_place_and_exercised_must_be_the_same_injection():
    log = enough().fault("kill", 11 * S, 12 * S, in_place=False, why="no pid").fault("kill", 13 * S, 14 * S, exercised=False)
    verdict = judge(log, faults={"kill": {"possible": True}})
    assert verdict.valid == "unknown"
    assert "no pid" in verdict.reason


def test_an_impossible_kind_is_said_and_only_required_faults_make_it_unknown():
    log = enough().fault("kill", 11 * S, 12 * S)
    faults = {"kill": {"possible": True}, "clock": {"possible": False, "why": "ptrace is forbidden"}}
    verdict = judge(log, faults=faults)
    assert verdict.valid is True
    assert "it tells nothing about clock: ptrace is forbidden" in verdict.reason
    assert judge(log, faults=faults, require_faults=True).valid == "unknown"


def test_not_one_kind_possible_is_unknown():
    verdict = judge(enough(), faults={"clock": {"possible": False, "why": "ptrace is forbidden"}})
    assert verdict.valid == "unknown"
    assert "not one kind" in verdict.reason


def test_every_node_needs_its_final_read():
    requires = [Require("write"), Require("read", "final")]
    log = enough().client(31 * S, f="read", node="n1")
    verdict = judge(log, requires=requires)
    assert verdict.valid == "unknown"
    assert "no final read succeeded on n2" in verdict.reason
    assert judge(log.client(32 * S, f="read", node="n2"), requires=requires).valid is True


def test_power_counts_ok_ops_per_node_during_each_kind_of_fault():
    log = Log().fault("kill", 10 * S, 20 * S)
    log.client(5 * S, count=25).client(15 * S, count=20, node="n1").client(16 * S, count=3, node="n2")
    verdict = judge(log, faults={"kill": {"possible": True}})
    assert verdict.facts["power"]["ok_per_node_during"] == {"kill": {"n1": 20, "n2": 3}}


def test_a_heal_of_everything_ends_what_is_open_and_carries_each_tokens_figures():
    log = Log()
    at = log.add(1 * S, "nemesis:0", "invoke", "pause", {"line": 0})
    log.add(1 * S, "nemesis:0", "ok", "pause", {"nodes": ["n1"]})
    log.add(9 * S, "nemesis", "invoke", "heal", {"of": "all"})
    log.add(9 * S, "nemesis", "ok", "heal", {"of": "all", "evidence": {"healed": True, "tokens": {str(at): {"exercised": True}}}})
    (interval,) = fault_intervals(History(log.ops))
    assert (interval.kind, interval.in_place, interval.exercised, interval.end) == ("pause", True, True, 9 * S)


def test_stats_of_no_client_op_is_unknown_even_for_a_file():
    history = History(Log().fault("kill", 1, 2).ops)
    assert Stats().check(history, CheckContext()).valid == "unknown"


def test_stats_of_a_run_with_an_f_that_never_succeeded_is_unknown_but_a_file_passes():
    history = History(Log().client(1, f="cas", type_="fail").client(2).ops)
    verdict = Stats().check(history, context())
    assert verdict.valid == "unknown"
    assert "not one cas succeeded" in verdict.reason
    assert Stats().check(history, CheckContext()).valid is True


def test_an_open_op_counts_as_info():
    log = Log().client(1)
    log.add(2, 1, "invoke", "write")
    assert Stats().check(History(log.ops), CheckContext()).facts["by_f"]["write"] == {"ok": 1, "fail": 0, "info": 1}


def test_findings_about_nodes_come_from_the_events():
    events = [
        {"event": "not-recovered", "time": 5 * S, "node": "n2", "waited_s": 30.0, "says": "connection refused"},
        {"event": "unexpected-exit", "time": 4 * S, "node": "n3", "code": 2, "says": "panic: tocommit"},
    ]
    gone = NotRecovered().check(History([]), context(events=events))
    ended = UnexpectedExit().check(History([]), context(events=events))
    assert gone.valid is False and "n2 did not serve again within 30 s" in gone.anomalies[0].message
    assert ended.valid is False and "panic: tocommit" in ended.anomalies[0].message
    assert UnexpectedExit().check(History([]), context()).valid is True


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"event": "lost", "says": "the fault agent was lost 4 times"}, "the run was cut short: the fault agent was lost 4 times"),
        (
            {"event": "damaged", "says": "line 7 of events.jsonl is damaged"},
            "line 7 of events.jsonl is damaged, and what it said is not known",
        ),
    ],
)
def test_a_run_that_lost_its_cluster_or_its_events_is_unknown(event, reason):
    log = Log().client(S, count=20).client(11 * S, count=20)
    assert judge(log).valid is True
    verdict = judge(log, events=[{"time": 12 * S, **event}])
    assert (verdict.valid, verdict.reason) == ("unknown", reason)


def all_healed(log, time, outcome="ok", tokens=None):
    log.add(time, "nemesis", "invoke", "heal", {"of": "all"})
    log.add(time + 1, "nemesis", outcome, "heal", {"of": "all", "evidence": {"healed": True, "tokens": tokens or {}}})


def test_a_restart_is_over_with_its_own_op():
    log = Log()
    log.add(12 * S, "nemesis:0", "invoke", "restart", {"line": 0})
    log.add(13 * S, "nemesis:0", "ok", "restart", {"line": 0, "nodes": ["n1"], "evidence": {"exercised": True}})
    log.client(12 * S, count=3).client(15 * S, count=20)
    all_healed(log, 20 * S)
    (interval,) = fault_intervals(History(log.ops))
    assert (interval.start, interval.end, interval.last, interval.exercised) == (12 * S, 13 * S, 1, True)
    assert judge(log, requires=[]).facts["power"]["ok_per_node_during"] == {"restart": {"n1": 3}}


def test_a_heal_of_unknown_outcome_ends_nothing_when_another_does():
    log = Log()
    log.add(12 * S, "nemesis:0", "invoke", "partition", {"line": 0})
    log.add(12 * S + 1, "nemesis:0", "ok", "partition", {"line": 0})
    log.add(14 * S, "nemesis:0", "invoke", "heal", {"of": 0})
    log.add(15 * S, "nemesis:0", "info", "heal", {"of": 0}, error="timeout")
    (interval,) = fault_intervals(History(log.ops))
    assert (interval.end, interval.exercised) == (15 * S, False)
    all_healed(log, 20 * S, tokens={"0": {"exercised": True}})
    (interval,) = fault_intervals(History(log.ops))
    assert (interval.end, interval.last, interval.exercised) == (20 * S + 1, 5, True)


@pytest.mark.parametrize(
    ("time", "says"), [(1, "in the fault phase, 20 are needed for a verdict (a longer --time-limit"), (11, "outside the fault phase")]
)
def test_too_few_successes_say_what_gives_more(time, says):
    reason = judge(Log().client(time * S, count=25)).reason
    assert reason.startswith("only 0 write succeeded") and says in reason
    assert ("--healthy or a higher --rate" in reason) is (time == 11)
