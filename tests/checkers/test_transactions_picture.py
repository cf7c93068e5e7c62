"""The picture of a cycle: every transaction, every micro-op, every edge where it belongs."""

import networkx
import pytest

from checkers.rw_register import RwRegister
from checkers.transactions.picture import cycle_graph, dot
from harness.checker import CheckContext
from tests.checkers.test_list_append import ONE_OF_EACH, judge
from tests.checkers.test_rw_register import ONE_OF_EACH as REGISTERS


@pytest.mark.parametrize("type_", [name for name in ONE_OF_EACH if name[0] == "G" and name[:3] not in ("G1a", "G1b")])
def test_the_graph_is_one_cycle_through_all_that_is_shown(type_):
    anomaly = next(x for x in judge(ONE_OF_EACH[type_]).anomalies if x.type == type_)
    graph = cycle_graph(anomaly)
    assert len(networkx.find_cycle(graph)) == len(graph) == len(anomaly.witness["edges"])
    for _, _, about in graph.edges(data=True):
        assert (about["ports"] == (None, None)) == (about["kind"] in ("process", "realtime"))


def test_registers_are_drawn_too_with_what_they_read():
    drawn = 0
    for type_, recorded in REGISTERS.items():
        for anomaly in RwRegister().check(recorded, CheckContext()).anomalies:
            if anomaly.witness.get("edges") and not anomaly.type.startswith("causality"):
                graph = cycle_graph(anomaly)
                assert len(networkx.find_cycle(graph)) == len(anomaly.witness["edges"]) and dot(anomaly).startswith("digraph"), type_
                drawn += 1
    assert drawn > 10
    text = dot(RwRegister().check(REGISTERS["G2-item"], CheckContext()).anomalies[0])
    assert 'T1:m0 -> T2:m1 [label="rw"' in text and '<td port="m0">r x null</td>' in text


def test_edges_hang_on_the_micro_ops_that_prove_them():
    anomaly = next(x for x in judge(ONE_OF_EACH["G-single-item"]).anomalies if x.type == "G-single-item")
    text = dot(anomaly)
    assert 'T1:m0 -> T2:m0 [label="wr"' in text  # append x 1 -> r x [1]
    assert 'T2:m1 -> T1:m1 [label="rw"' in text  # r y [] -> append y 1
    assert "<b>T1: process 0, #0 #2</b>" in text and '<td port="m1">r y []</td>' in text
