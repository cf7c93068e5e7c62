"""Linearizable registers: is there one order of a key's operations that respects real time and explains every answer?

Decides    per key, for read/write/cas registers (and string appends of key-value stores), whether the history is linearizable.
Right      linearizability is local (Herlihy & Wing 1990, theorem 1): a history is linearizable exactly if each key's part is. Keys whose
           written values are unique are decided by zones in O(n log n) (zones.py); all others by a complete search (search.py).
Unknown    a key whose search exceeds its budget of configurations; never because of a clock.
Rules out  linearizable and strict-serializable.
Source     Gibbons & Korach 1997 (zones); Lowe 2017 (just-in-time search); reasons for each shortcut stand where it is taken.
"""

from checkers.linearizable.checker import LinearizableRegister
from checkers.linearizable.witness import verify_witness

__all__ = ["LinearizableRegister", "verify_witness"]
