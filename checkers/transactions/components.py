"""Strongly connected components of the whole graph: dependencies and real time.

Why it exists  a cycle lies within one component; a history with none is acyclic under every model at once.
Relies on      real time needs no edge for each pair: a chain of helper nodes, one for each batch of completions with no invocation
               between them, is entered at a completion and left at the next invocations. a reaches b along it exactly if a completed
               before b was invoked: O(n) edges (derived; checkers.md 3.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from checkers.transactions.txns import NEVER, Txn


def strong_components(following: Sequence[Sequence[int]]) -> list[int]:
    """Component of each vertex, numbered so that an edge between two components goes to the smaller number. Tarjan 1972, O(V + E)."""
    count = len(following)
    order, low, component = [0] * count, [0] * count, [-1] * count
    stack: list[int] = []
    clock = found = 0
    for root in range(count):
        if order[root]:
            continue
        clock += 1
        order[root] = low[root] = clock
        stack.append(root)
        path = [(root, iter(following[root]))]
        while path:
            vertex, edges = path[-1]
            for target in edges:
                if not order[target]:
                    clock += 1
                    order[target] = low[target] = clock
                    stack.append(target)
                    path.append((target, iter(following[target])))
                    break
                if component[target] < 0 and order[target] < low[vertex]:
                    low[vertex] = order[target]
            else:
                path.pop()
                if path and low[vertex] < low[path[-1][0]]:
                    low[path[-1][0]] = low[vertex]
                if low[vertex] == order[vertex]:
                    while True:
                        member = stack.pop()
                        component[member] = found
                        if member == vertex:
                            break
                    found += 1
    return component


def with_real_time(txns: Sequence[Txn], nodes: Iterable[int], edges: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The graph of dependencies and real time over transactions by number, helper nodes of the chain behind them."""
    following: list[list[int]] = [[] for _ in txns]
    for source, target in edges:
        following[source].append(target)
    events = [(txns[node].call, node) for node in nodes]
    events += [(txns[node].ret, ~node) for _, node in list(events) if txns[node].ret != NEVER]
    events.sort()
    newest, sealed = -1, True  # sealed: an invocation left the newest helper, so the next completion needs another
    for _, node in events:
        if node >= 0:
            if newest >= 0:
                following[newest].append(node)
                sealed = True
            continue
        if sealed:
            following.append([])
            if newest >= 0:
                following[newest].append(len(following) - 1)
            newest, sealed = len(following) - 1, False
        following[~node].append(newest)
    return following


def cyclic_components(following: Sequence[Sequence[int]], count: int) -> list[list[int]]:
    """Components with more than one transaction (the first `count` vertices), each in order, by their first."""
    component = strong_components(following)
    members: dict[int, list[int]] = {}
    for vertex in range(count):
        members.setdefault(component[vertex], []).append(vertex)
    return [group for group in members.values() if len(group) > 1]
