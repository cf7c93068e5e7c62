"""Every shape against its definition, for every cluster of up to seven nodes."""

from itertools import combinations, permutations
from random import Random

import pytest

from nemeses import grudges

CLUSTERS = [[f"n{i}" for i in range(1, n + 1)] for n in range(1, 8)]


def heard(pairs, nodes):
    """node -> whom it hears, itself included."""
    return {node: {source for source in nodes if (source, node) not in set(pairs)} for node in nodes}


@pytest.mark.parametrize("nodes", CLUSTERS, ids=len)
def test_split_leaves_each_side_whole_and_nothing_between(nodes):
    for size in range(len(nodes) + 1):
        for side in combinations(nodes, size):
            hears = heard(grudges.split(side, nodes), nodes)
            for node in nodes:
                assert hears[node] == {other for other in nodes if (other in side) == (node in side)}


@pytest.mark.parametrize("nodes", CLUSTERS, ids=len)
def test_alone_leaves_each_chosen_node_to_itself(nodes):
    for chosen in combinations(nodes, min(2, len(nodes))):
        hears = heard(grudges.alone(chosen, nodes), nodes)
        assert all(hears[node] == ({node} if node in chosen else set(nodes) - set(chosen)) for node in nodes)


@pytest.mark.parametrize("nodes", CLUSTERS, ids=len)
def test_one_way_silences_the_sources_for_the_destinations_only(nodes):
    hears = heard(grudges.one_way(nodes[:1], nodes[1:]), nodes)
    assert hears[nodes[0]] == set(nodes)
    assert all(hears[node] == set(nodes) - {nodes[0]} for node in nodes[1:])


@pytest.mark.parametrize("nodes", CLUSTERS, ids=len)
def test_bridge_has_one_node_that_everybody_hears(nodes):
    hears = heard(grudges.bridge(nodes), nodes)
    half = set(nodes[1:][: (len(nodes) - 1) // 2])
    assert hears[nodes[0]] == set(nodes)
    for node in nodes[1:]:
        mine = half if node in half else set(nodes[1:]) - half
        assert hears[node] == mine | {nodes[0]}


@pytest.mark.parametrize("nodes", CLUSTERS, ids=len)
def test_in_a_majorities_ring_every_node_hears_a_majority(nodes):
    for seed in range(20):
        order = Random(seed).sample(nodes, len(nodes))
        hears = heard(grudges.majorities_ring(order), nodes)
        size = grudges.majority(len(nodes))
        assert all(node in hears[node] and len(hears[node]) >= size for node in nodes)
        if 3 <= len(nodes) <= 5:  # exact: windows of a ring, all different
            assert all(len(hears[node]) == size for node in nodes)
            assert len({frozenset(seen) for seen in hears.values()}) == len(nodes)


def test_a_ring_of_five_cuts_both_ways_and_of_three_one_way():
    five = set(grudges.majorities_ring(CLUSTERS[4]))
    assert five == {(b, a) for a, b in five}
    three = set(grudges.majorities_ring(CLUSTERS[2]))
    assert len(three) == 3 and not three & {(b, a) for a, b in three}


def test_majorities_always_meet():
    for nodes in CLUSTERS:
        size = grudges.majority(len(nodes))
        assert all(set(a) & set(b) for a in combinations(nodes, size) for b in combinations(nodes, size))
        assert len(nodes) < 2 or any(not set(p[: size - 1]) & set(p[size - 1 : 2 * size - 2]) for p in permutations(nodes, len(nodes)))
