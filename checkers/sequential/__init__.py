"""Registers under models weaker than linearizability: sequential, causal and PRAM consistency, each decided by its definition.

Decides    whether there is an order (for causal and PRAM: a view for each process) that explains every answer; checker.py.
Right      what is forced is closed until nothing new follows (graph.py); what is left open is searched completely (search.py).
Unknown    past a budget of states; see checker.py.
Rules out  the model itself and all that imply it.
Source     Lamport 1979; Ahamad et al. 1995; Lipton & Sandberg 1988; Gibbons & Korach 1997.
"""

from checkers.sequential.checker import CausalRegister, PramRegister, SequentialRegister
from checkers.sequential.witness import verify_witness

__all__ = ["CausalRegister", "PramRegister", "SequentialRegister", "verify_witness"]
