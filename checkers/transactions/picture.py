"""The picture of a cycle: a node a transaction with a row for each micro-op, edges between the micro-ops that prove them.

Why it exists  a cycle of four transactions is easier to see than to read.
Relies on      the witness alone (an Anomaly from results.json will do); networkx for the graph, imported only here.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from checkers.transactions.proof import same
from harness.verdict import Anomaly

if TYPE_CHECKING:
    import networkx

OUTCOMES = {"ok": "#0058ad", "info": "#ac6e00", "fail": "#a50053"}
KINDS = {"ww": "#c02700", "wr": "#c000a5", "rw": "#5b00c0", "process": "#00a0a0", "realtime": "#0050c0", "demand": "#6e6e00"}


def cycle_graph(anomaly: Anomaly) -> networkx.MultiDiGraph:
    """Nodes: names with process, ops, outcome, value. Edges: kind, why, and `ports`, the positions of the micro-ops (None: the whole)."""
    import networkx

    graph = networkx.MultiDiGraph(type=anomaly.type)
    values = {}
    for txn in anomaly.witness["txns"]:
        graph.add_node(txn["name"], **{field: txn[field] for field in ("process", "ops", "outcome", "value")})
        values[txn["name"]] = txn["value"]
    for edge in anomaly.witness["edges"]:
        ports = (_port(values[edge["from"]], edge, edge["kind"] == "rw"), _port(values[edge["to"]], edge, edge["kind"] == "wr"))
        graph.add_edge(edge["from"], edge["to"], kind=edge["kind"], why=edge["why"], ports=ports)
    return graph


def _port(value: list[list[Any]], edge: dict[str, Any], reads: bool) -> int | None:
    """The micro-op that an edge hangs on: a read of its key, or the append to it; of several appends the one of its element."""
    if edge["kind"] in ("process", "realtime"):
        return None
    of_key = [at for at, (f, key, _) in enumerate(value) if key == edge["key"] and (f == "r") == reads]
    held = edge.get("before") if edge["kind"] == "rw" and reads and "before" in edge else edge["value"]
    exact = [at for at in of_key if same(value[at][2], held)]
    return exact[-1] if exact else of_key[-1]


def dot(anomaly: Anomaly) -> str:
    """The picture in Graphviz's language."""
    graph = cycle_graph(anomaly)
    lines = [f'digraph "{anomaly.type}" {{', "  node [shape=plaintext, fontname=monospace]; edge [fontname=monospace];"]
    for name, about in graph.nodes(data=True):
        rows = "".join(
            f'<tr><td port="m{at}">{html.escape(_text(mop, about["outcome"]))}</td></tr>' for at, mop in enumerate(about["value"])
        )
        head = f"{name}: process {about['process']}, {' '.join(f'#{op}' for op in about['ops'])}"
        colour = OUTCOMES[about["outcome"]]
        lines.append(f'  {name} [label=<<table border="1" cellborder="0" color="{colour}"><tr><td><b>{head}</b></td></tr>{rows}</table>>];')
    for source, target, about in graph.edges(data=True):
        ends = (f"{name}:m{port}" if port is not None else name for name, port in zip((source, target), about["ports"], strict=True))
        colour = KINDS[about["kind"]]
        lines.append(f'  {" -> ".join(ends)} [label="{about["kind"]}", color="{colour}", fontcolor="{colour}"];')
    return "\n".join([*lines, "}"]) + "\n"


def _text(mop: list[Any], outcome: str) -> str:
    f, key, value = mop
    return f"{f} {key} {value if value is not None else 'null' if f == 'w' or outcome == 'ok' else '?'}"
