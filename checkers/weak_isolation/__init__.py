"""Weak isolation: read committed, read atomic and causal consistency of transactions on registers, by saturation.

Decides    whether some commit order, which contains reads-from and session order, explains every read under the axiom of the level.
Right      the premises of these three axioms do not mention the commit order, so the edges that they force can all be added at once: an
           order exists exactly if the edges have no cycle, and a cycle is the witness. Each of its edges is proved by ops alone.
Unknown    nothing was read; a value that was read has several possible writers, and nothing else is wrong.
Rules out  the level and all above it. A cycle that needs session order ends with -process and leaves levels without sessions alone.
Source     Biswas & Enea, OOPSLA 2019; Møldrup & Pavlogiannis, AWDIT, PLDI 2025; for unknown outcomes: checkers.md 5.

reading.py whose write each read saw; graph.py the edges that a level demands; causes.py reachability; cycle.py the shortest cycle;
levels.py which level is broken; story.py in words; witness.py proves a witness again; checker.py the verdict.
"""

from checkers.weak_isolation.checker import WeakIsolation
from checkers.weak_isolation.witness import verify_witness

__all__ = ["WeakIsolation", "verify_witness"]
