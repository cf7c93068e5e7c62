"""Causal and PRAM consistency of registers: does each process have a view of all writes that explains what it read?

Decides    PRAM: each process p can put all writes of all processes and its own reads into one order that keeps every process's order and
           in which each read gives the last write of its key. Causal (causal memory): the order also keeps causality, everybody's program
           order and who read from whom, closed. Convergent causal (`one_order`): there is one order of all writes such that each read gives
           the last of the writes that came causally before it.
Right      take p's reads one after the other, and before each put all writes that must come before it. If what must come before what has no
           cycle, closed under "another write that comes before a read comes before the write that it read", the write that was read is
           the last of its key there, and stays so until the next read. For convergent causal the rule's premise is causality alone, so
           one round closes it.
Unknown    reads whose value has several writers, and refused cas that observe, are left out: then only a violation is certain.
Crashed    an op of unknown outcome told its process nothing: a crashed cas is a write here. A crashed write that nobody read is left out.
Rules out  PRAM: PRAM and all that imply it. Causal: causal and all that imply it.
Source     Lipton & Sandberg 1988 (PRAM); Ahamad, Neiger, Burns, Kohli, Hutto: Causal memory, 1995; Bouajjani, Enea, Guerraoui, Hamza: On
           verifying causal consistency, POPL 2017; Biswas & Enea 2019 (convergent).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from checkers.sequential.graph import AFTER, READS, Graph, Why
from checkers.sequential.programs import Program, Sources

CAUSAL, PRAM, CONVERGENT = "causal", "PRAM", "convergent"


class Broken(NamedTuple):
    """No view: whose (None: nobody's, causality itself is a cycle, or it is convergence that fails), the graph and the cycle in it."""

    process: Any
    graph: Graph
    cycle: list[int]


def broken(program: Program, sources: Sources, model: str) -> Broken | None:
    """None if nothing that is certain breaks the model, else the first process (in order of invocation) whose view has a cycle."""
    happened = sources.happened(program)
    writes, known = set(happened), sorted(sources.source)
    if model == PRAM:
        causality = None
    else:
        causality = Graph(program, sources)
        causality.set_writes(happened)
        for read in known:
            if (write := sources.source[read]) >= 0:
                causality.add(write, read, Why(READS))
        cycle = causality.close()
        if cycle is not None:
            return Broken(None, causality, cycle)
    if model == CONVERGENT:
        assert causality is not None
        return _converges(causality, known)
    of_process: dict[Any, list[int]] = {}
    for read in known:
        of_process.setdefault(program.nodes[read].process, []).append(read)
    for process, reads in of_process.items():
        graph = _view(program, sources, writes, reads, causality)
        cycle = graph.saturate(reads, later=False)
        if cycle is not None:
            return Broken(process, graph, cycle)
    return None


def _converges(graph: Graph, reads: list[int]) -> Broken | None:
    """One order of all writes; who reads the initial value has no write of that key causally before it."""
    for read in reads:
        key = graph.program.nodes[read].key
        for chain in range(len(graph.chains)) if graph.sources.source[read] < 0 else ():
            for other in graph.on_key.get((key, chain), ((), ()))[1][:1]:
                if graph.precedes(other, read):
                    graph.add(read, other, Why(AFTER, -1, read))
    graph.derive(reads, later=False)
    cycle = graph.close()
    return None if cycle is None else Broken(None, graph, cycle)


def _view(program: Program, sources: Sources, writes: set[int], reads: list[int], causality: Graph | None) -> Graph:
    """The order that one process's view must keep: all writes and its own reads (for causality, what others read counts too)."""
    if causality is None:
        graph = Graph(program, sources, writes | set(reads))
    else:
        graph = Graph(program, sources)
        for place, into in causality.into.items():
            graph.into[place] = dict(into)
    graph.set_writes(writes)
    graph.read_from(reads)
    return graph
